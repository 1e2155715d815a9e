"""Stage `repair`: the decoder learns from latents as the denoiser makes them, so that its faults do not show as blocks.

In: `autoencoder.pt` and the shards of `drawn`. Out: `autoencoder.pt` with another decoder; the encoder stays. A batch has three kinds of
crops: encoded ones with slight noise, which keep what is encoded and decoded as it was; redrawn ones that kept their
layout, to be decoded to the scene; and free ones, which have no right answer. Where the answer is open, a difference of
pixels asks for blur; a `Critic` asks for patches that look drawn.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ..autoencoder import BLOCK, DemoAutoencoder
from .compression import picture_loss
from .critic import Critic, judge_loss
from .crops import BOUND, CLEAN, FREE, Batch, Crops
from .diffusion import Muon
from .drawn import load_drawn
from .release import fit_preview

_log = logging.getLogger("music_video")
_SEAMS, _WEAVE, _ECHO, _HOLD = 0.3, 0.08, 1.0, 0.5  # weights in the loss
_SMALL = 0.04  # steps far above it are edges of things
_JUDGE_RATE = 8e-4
_WARM = 300  # steps until the critic is fully heard


def _shift() -> Any:
    """What the critic is shown begins anywhere: were its strides always the blocks' own, the decoder would please it with stripes.

    The outer blocks it is not shown: there the decoder tells edges of crops by the zeros around them, and would adorn edges of pictures.
    """
    y, x = (int(at) for at in torch.randint(BLOCK, 2 * BLOCK, (2,)))
    return (..., slice(y, y - 3 * BLOCK), slice(x, x - 3 * BLOCK))


def seam_loss(made: Tensor, wanted: Tensor, trust: Tensor) -> Tensor:
    """Steps from the last pixels of each block to the first of the next that the picture has not."""
    loss = torch.zeros(())
    for dim in (2, 3):
        gap = (made - wanted).diff(dim=dim).abs().movedim(dim, 0)[BLOCK - 1 :: BLOCK]
        loss = loss + (gap.mean((0, 2, 3)) * trust).mean()
    return loss


def weave_loss(made: Tensor) -> Tensor:
    """How unevenly small steps are spread over the places in a block: what is not woven into blocks has them everywhere alike."""
    loss = torch.zeros(())
    for dim in (2, 3):
        steps = torch.tanh(made.diff(dim=dim).abs() / _SMALL).movedim(dim, 0)
        places = steps[: len(steps) // BLOCK * BLOCK].unflatten(0, (-1, BLOCK)).transpose(0, 1).flatten(1).mean(1)
        loss = loss + (places - places.mean()).abs().mean()
    return loss


@torch.no_grad()
def fit_road(model: DemoAutoencoder, crops: Crops, batches: int) -> None:
    """Least squares: what the decoder's linear road can add to what the decoder does."""
    size = model.decoder.straight.in_channels * 9 + 1
    square, target = 0.01 * torch.eye(size, dtype=torch.float64), torch.zeros(size, 3 * BLOCK**2, dtype=torch.float64)
    for _ in range(batches):
        latents, pictures, trust = crops.pick()
        weight = trust.sqrt().view(-1, 1, 1)
        known = functional.unfold(torch.tanh(latents / 5) * 5, 3, padding=1)
        known = torch.cat([known, torch.ones_like(known[:, :1])], dim=1) * weight
        missing = functional.pixel_unshuffle(pictures - model.decode(latents), BLOCK).flatten(2) * weight
        rows, gaps = known.transpose(1, 2).reshape(-1, size).double(), missing.transpose(1, 2).reshape(-1, 3 * BLOCK**2).double()
        square, target = square + rows.T @ rows, target + rows.T @ gaps
    found = torch.linalg.solve(square, target).T.float()
    model.decoder.straight.weight.add_(found[:, :-1].view_as(model.decoder.straight.weight))
    model.decoder.straight.bias.add_(found[:, -1])


class Repair:
    """Decoder, critic and their optimisers; `step` is one batch for both."""

    def __init__(self, model: DemoAutoencoder, critic: Critic, preview: Tensor, rate: float, charm: float) -> None:
        for part in (model, critic):
            part.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half the time on a processor
        self.model, self.critic = model, critic
        self._preview, self._rate, self._charm, self.steps = preview, rate, charm, 0
        parts = dict(model.decoder.named_parameters())
        inner = [value for name, value in parts.items() if value.ndim > 1 and not name.startswith(("leave", "straight"))]
        rest = [value for value in parts.values() if all(value is not other for other in inner)]
        self._muon, self._adam = Muon(inner, rate), torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=1e-4)
        self._judge = torch.optim.AdamW(critic.parameters(), lr=_JUDGE_RATE, betas=(0.5, 0.98), weight_decay=1e-4)
        self.average = {name: value.clone() for name, value in model.state_dict().items()}

    def step(self, batch: Batch, real: Tensor, pace: float) -> dict[str, float]:
        """`pace` 0..1 scales the learning rates; `real` are crops of drawn scenes. The parts of the loss, for the log."""
        pace *= min(1, (self.steps + 1) / 100)
        self._muon.param_groups[0]["lr"] = self._rate * pace
        self._adam.param_groups[0]["lr"] = self._rate * pace / 4
        self._judge.param_groups[0]["lr"] = _JUDGE_RATE * max(pace, 0.1)
        with torch.autocast("cpu", torch.bfloat16):
            made = self.model.decode(batch.latents.contiguous(memory_format=torch.channels_last)).float()
        self.model.zero_grad(set_to_none=True)
        parts = self._pull(made, batch)
        nn.utils.clip_grad_norm_(self.model.decoder.parameters(), 1.0)
        self._muon.step()
        self._adam.step()
        self._judge_again(made[CLEAN:].detach(), real)
        self.steps += 1
        self._follow()
        clean = functional.mse_loss(made[:CLEAN].detach().clamp(-1, 1), batch.pictures[:CLEAN])
        return {name: value.item() for name, value in {**parts, "clean": clean}.items()}

    def _pull(self, made: Tensor, batch: Batch) -> dict[str, Tensor]:
        """Backwards: the critic pulls with a set share of the force of all else, whatever the scale of its marks."""
        leaf = made.detach().requires_grad_()
        parts = self._weigh(leaf, batch)
        rest = torch.stack([value for name, value in parts.items() if name != "marks"]).sum()
        (marked,) = torch.autograd.grad(parts["marks"], leaf, retain_graph=True)
        (asked,) = torch.autograd.grad(rest, leaf)
        force = self._charm * min(1, self.steps / _WARM) * asked.norm() / (marked.norm() + 1e-12)
        made.backward(asked + force * marked)
        return parts

    def _weigh(self, made: Tensor, batch: Batch) -> dict[str, Tensor]:
        parts = {
            "pixels": picture_loss(made, batch.pictures, batch.trust),
            "seams": _SEAMS * seam_loss(made, batch.pictures, batch.trust),
            "weave": _WEAVE * weave_loss(made),
        }
        self.critic.requires_grad_(False)
        view, bound = _shift(), slice(CLEAN, CLEAN + BOUND)
        with torch.autocast("cpu", torch.bfloat16):
            marks, seen = self.critic(made[bound][view])  # without an answer beside it, nothing would stop lines that please it
            _, wanted = self.critic(batch.pictures[bound][view])
        gaps = [(a.float() - b.float()).abs().mean((1, 2, 3)) for a, b in zip(seen, wanted, strict=True)]
        echo = (torch.stack(gaps).mean(0) * batch.trust[bound]).mean()
        self.critic.requires_grad_(True)
        # Without an answer nothing else would hold the colours.
        tint = torch.einsum("bchw,cd->bdhw", batch.latents[-FREE:], self._preview[:-1]) + self._preview[-1].view(1, 3, 1, 1)
        hold = functional.l1_loss(functional.avg_pool2d(made[-FREE:], BLOCK), tint.clamp(-1, 1))
        return {**parts, "marks": -marks.float().mean(), "echo": _ECHO * echo, "hold": _HOLD * hold}

    def _judge_again(self, made: Tensor, real: Tensor) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            verdict = judge_loss(self.critic, real[_shift()], made[_shift()])
        self._judge.zero_grad(set_to_none=True)
        verdict.backward()
        self._judge.step()

    @torch.no_grad()
    def _follow(self) -> None:
        """A running average of the weights is what is kept: it is steadier than any of them."""
        for name, value in self.model.state_dict().items():
            self.average[name].lerp_(value, 1 - min(0.998, (1 + self.steps) / (10 + self.steps)))


def repair_decoder(work: Path, *, minutes: float, seed: int = 1, rate: float = 8e-4, charm: float = 0.07, road_batches: int = 150) -> None:
    """Trains for a time, going on where `autoencoder.pt` stopped. `charm` is the critic's share."""
    path = work / "autoencoder.pt"
    saved: dict[str, Any] = torch.load(path)
    torch.manual_seed(seed + saved["step"])
    model, critic = DemoAutoencoder(), Critic()
    model.load_state_dict(saved["weights"])
    model.encoder.requires_grad_(False)
    crops = Crops(model, load_drawn(work), seed + saved["step"])
    if "critic" in saved:
        critic.load_state_dict(saved["critic"])
    else:
        fit_road(model, crops, road_batches)
    repair = Repair(model, critic, fit_preview(work)["preview"], rate, charm)
    start, seen = time.monotonic(), dict[str, float]()
    while (spent := (time.monotonic() - start) / 60) < minutes:
        told = repair.step(crops.pick(), crops.cut_scenes(BOUND + FREE), 0.02 + 0.98 * (0.5 + 0.5 * float(np.cos(np.pi * spent / minutes))))
        seen = {name: seen.get(name, value) * 0.98 + value * 0.02 for name, value in told.items()}
        step = saved["step"] + repair.steps
        if step % 100 == 0:
            _log.info("repair step %d, %.1f min, %s", step, spent, ", ".join(f"{name} {value:.4f}" for name, value in seen.items()))
        if step % 500 == 0:
            _save(path, repair, step)
    _save(path, repair, saved["step"] + repair.steps)


def _save(path: Path, repair: Repair, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save({"weights": repair.average, "step": step, "critic": repair.critic.state_dict()}, part)
    part.replace(path)
