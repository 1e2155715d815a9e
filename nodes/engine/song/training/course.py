"""Clips -> the beat network's weights: the training itself.

Each step takes a stretch of 25 s of eight clips, played a little faster or slower and through another equaliser. The weights
that are kept are a running mean of those of the last thousand steps. A course may be stopped at any time and taken up again.
"""

from __future__ import annotations

import copy
import logging
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from ..network import PACE, BeatNetwork
from ..spectrum import FRAME_RATE, MEL_BANDS
from .clips import Clip
from .dataset import read_clips

LOG = logging.getLogger("music_video")
BATCH, FRAMES = 8, 2200  # clips, and frames of the spectrum, a step
RATE, WARM_UP, LAST_RATE = 3e-3, 100, 0.02  # learning rate, steps until it is reached, share of it at the end
IMPORTANCE = (3.0, 6.0)  # of a beat and of a downbeat against the moments without
BESIDE = 0.4  # likelihood taught for the frame before and after a beat
MEMORY = 0.998  # of the running mean of the weights
HELD_BACK = 25  # every 25th clip is only looked at, never learnt from
CHECK_EVERY = 250  # steps


class Course:
    def __init__(self, work: Path, seed: int, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(seed)
        self.work, self.rng = work, np.random.default_rng(seed)
        self.network = BeatNetwork(MEL_BANDS)
        self.optimiser = torch.optim.AdamW(self.network.parameters(), RATE, weight_decay=1e-3)
        self.steps, self.seconds = 0, 0.0
        self.read, self.clips, self.held_back = set[int](), list[Clip](), list[Clip]()
        self._read()
        self._measure_bands()
        self.mean = copy.deepcopy(self.network)
        self._resume()

    def run(self, minutes: float) -> None:
        """Trains until `minutes` in all, earlier runs counted in."""
        start, losses, before = time.monotonic(), [], self.seconds
        while self.seconds < 60 * minutes:
            share = self.seconds / 60 / minutes
            rate = RATE * min(1.0, (self.steps + 1) / WARM_UP) * (LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + np.cos(np.pi * share)))
            for group in self.optimiser.param_groups:
                group["lr"] = float(rate)
            losses.append(self._step())
            self.seconds = before + time.monotonic() - start
            if self.steps % CHECK_EVERY == 0:
                LOG.info("step %d, %.0f s: loss %.4f, held back %.4f", self.steps, self.seconds, np.mean(losses), self._check())
                losses.clear()
                self._save()
                self._read()
        self._save()

    def _step(self) -> float:
        self.network.train()
        chosen = [self.clips[index] for index in self.rng.integers(0, len(self.clips), BATCH)]
        loss = _measure_loss(self.network, [vary_clip(clip, self.rng) for clip in chosen])
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimiser.step()
        self.steps += 1
        memory = min(MEMORY, 1 - 1 / self.steps)
        with torch.no_grad():
            for kept, value in zip(self.mean.state_dict().values(), self.network.state_dict().values(), strict=True):
                kept.copy_(memory * kept + (1 - memory) * value if kept.is_floating_point() else value)
        return float(loss.detach())

    def _check(self) -> float:
        self.mean.eval()
        with torch.no_grad():
            groups = [self.held_back[first : first + BATCH] for first in range(0, len(self.held_back), BATCH)]
            return float(np.mean([float(_measure_loss(self.mean, [_cut(clip.mel, clip, 1.0, 0) for clip in group])) for group in groups]))

    def _read(self) -> None:
        """The clips that were made since; a course may begin while they are being made."""
        for number, clip in read_clips(self.work, self.read):
            self.read.add(number)
            (self.clips if number % HELD_BACK else self.held_back).append(clip)
        if not self.clips:
            raise SystemExit(f"There are no clips in {self.work}; make them first (stage clips).")

    def _measure_bands(self) -> None:
        levels = np.concatenate([clip.mel[:, ::29].astype(np.float32) for clip in self.clips], axis=1)
        self.network.mean.copy_(torch.from_numpy(levels.mean(axis=1, keepdims=True)))
        self.network.deviation.copy_(torch.from_numpy(levels.std(axis=1, keepdims=True) + 0.1))

    def _save(self) -> None:
        state = {"network": self.network.state_dict(), "mean": self.mean.state_dict(), "optimiser": self.optimiser.state_dict()}
        torch.save({**state, "steps": self.steps, "seconds": self.seconds}, self.work / "course.part")
        (self.work / "course.part").rename(self.work / "course.pt")

    def _resume(self) -> None:
        path = self.work / "course.pt"
        if not path.exists():
            return
        state = torch.load(path, weights_only=True)
        for name in ("network", "mean", "optimiser"):
            getattr(self, name).load_state_dict(state[name])
        self.steps, self.seconds = state["steps"], state["seconds"]


def vary_clip(clip: Clip, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A stretch of a clip at another speed and through another equaliser, and what to answer to it."""
    speed = float(rng.uniform(0.82, 1.22)) if rng.random() < 0.5 else 1.0
    mel = clip.mel
    if speed != 1.0:
        places = np.arange(0, mel.shape[1] - 1, speed)
        left = places.astype(int)
        share = (places - left).astype(np.float32)
        mel = mel[:, left] * (1 - share) + mel[:, left + 1] * share
    latest = max(mel.shape[1] - FRAMES, 0)
    mel, answer = _cut(mel, clip, speed, int(rng.integers(0, latest + 1)) // PACE * PACE)
    mel = np.roll(mel, int(rng.integers(-2, 3)), axis=0)
    curve = np.interp(np.arange(len(mel)), np.linspace(0, len(mel) - 1, 6), rng.normal(0, 0.3, 6))[:, None]
    mel = np.maximum(mel + curve * (mel > 0.05), 0)
    if rng.random() < 0.35:
        first = int(rng.integers(0, len(mel) - 8))
        mel[first : first + int(rng.integers(4, 28))] = 0
    if rng.random() < 0.25:
        mel = np.maximum(mel, rng.uniform(0, 0.5))
    if rng.random() < 0.3:
        mel = mel * rng.uniform(0.5, 1.15)
    return mel.astype(np.float32), answer


def _cut(mel: np.ndarray, clip: Clip, speed: float, first: int) -> tuple[np.ndarray, np.ndarray]:
    """FRAMES of a spectrum from `first`, and the likelihoods to answer, float32 [2, FRAMES // PACE]."""
    part = mel[:, first : first + FRAMES].astype(np.float32)
    part = np.pad(part, ((0, 0), (0, FRAMES - part.shape[1])))
    answer = np.zeros((2, FRAMES // PACE + 2), np.float32)
    # the answer's frame k is the mean moment of the spectrum's frames 2 k and 2 k + 1
    places = np.round((clip.beats * FRAME_RATE / speed - first - 0.5) / PACE).astype(int) + 1
    for row, chosen in ((0, places), (1, places[clip.positions == 1])):
        chosen = chosen[(chosen >= 1) & (chosen <= FRAMES // PACE)]
        answer[row, chosen - 1] = np.maximum(answer[row, chosen - 1], BESIDE)
        answer[row, chosen + 1] = np.maximum(answer[row, chosen + 1], BESIDE)
        answer[row, chosen] = 1.0
    return part, answer[:, 1:-1]


def _measure_loss(network: BeatNetwork, examples: list[tuple[np.ndarray, np.ndarray]]) -> torch.Tensor:
    mels, answers = (torch.from_numpy(np.stack(part)) for part in zip(*examples, strict=True))
    weight = torch.tensor(IMPORTANCE).reshape(1, 2, 1)
    return functional.binary_cross_entropy_with_logits(network(mels), answers, pos_weight=weight)


def write_weights(work: Path, path: Path) -> None:
    """The running mean of the weights as float16."""
    from safetensors.torch import save_file

    state = torch.load(work / "course.pt", weights_only=True)["mean"]
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.half().contiguous() if value.is_floating_point() else value for name, value in state.items()}, str(path))
