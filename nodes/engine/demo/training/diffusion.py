"""Stage 4: the denoiser learns to draw what a caption says.

In: the encoded pictures, the text encoder (which stays as it is). Out: `denoiser.pt` in the work folder: weights, their running average
(the one that is released), optimiser state, the step. Rectified flow (Liu et al. 2022): between picture and noise runs a straight line, the
model learns its direction. One caption in ten is left empty, so that sampling can be guided (Ho and Salimans 2022).
Matrices are updated by Muon (Jordan et al. 2024), which needs fewer pictures than AdamW; all else by AdamW.
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

from ..captions import write_caption
from ..denoiser import make_model_config
from ..scene import Scene
from .language import LENGTH, Tokenizer, encode_tokens, load_text_model, pad_tokens
from .pictures import load_shard

_log = logging.getLogger("music_video")
_SILENT = ("out.2.", "proj_out.", "out_layers.3.")  # layers that end a branch begin at zero


class Album:
    """All pictures drawn so far, by shape; it looks for new shards now and then."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._known = folder, set[str]()
        self.latents: dict[tuple[int, ...], list[Tensor]] = {}
        self.scenes: dict[tuple[int, ...], list[Scene]] = {}

    def refresh(self) -> None:
        for path in sorted(self._folder.glob("????.npz")):
            if path.name not in self._known:
                self._known.add(path.name)
                shard = load_shard(path)
                shape = tuple(shard.latents.shape[1:])
                self.latents.setdefault(shape, []).extend(shard.latents)
                self.scenes.setdefault(shape, []).extend(shard.scenes)

    def variance(self) -> Tensor:
        """Of each latent channel, [16]."""
        return torch.cat([latent.float().flatten(1) for group in self.latents.values() for latent in group[::10]], dim=1).var(1)

    def __len__(self) -> int:
        return sum(map(len, self.scenes.values()))

    def pick(self, rng: np.random.Generator, size: int) -> tuple[Tensor, list[Scene]]:
        shapes = sorted(self.scenes)
        odds = np.array([len(self.scenes[shape]) for shape in shapes], float)
        shape = shapes[int(rng.choice(len(shapes), p=odds / odds.sum()))]
        chosen = rng.integers(0, len(self.scenes[shape]), size)
        return torch.stack([self.latents[shape][i] for i in chosen]).float(), [self.scenes[shape][i] for i in chosen]


class Muon(torch.optim.Optimizer):
    """Momentum whose matrices are made orthogonal, in the size an AdamW step would have (Liu et al. 2025)."""

    def __init__(self, parameters: Any, lr: float, momentum: float = 0.95) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                speed = state.setdefault("speed", torch.zeros_like(parameter))
                speed.lerp_(parameter.grad, 1 - group["momentum"])
                ahead = parameter.grad.lerp(speed, group["momentum"]).flatten(1)
                update = _orthogonalise(ahead) * (0.2 * max(ahead.shape) ** 0.5)
                parameter.mul_(1 - group["lr"] * 0.02).sub_(update.view_as(parameter), alpha=group["lr"])


def _orthogonalise(matrix: Tensor) -> Tensor:
    """Newton-Schulz iteration towards the nearest orthogonal matrix, carried out on the small Gram matrix."""
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    gram = wide @ wide.T
    scale = gram.diagonal().sum() + 1e-14
    gram = gram / scale
    one = total = torch.eye(len(gram))
    for _ in range(5):
        turn = 3.4445 * one - 4.7750 * gram + 2.0315 * gram @ gram
        gram = turn @ gram @ turn
        total = turn @ total
    x = (total / scale.sqrt()) @ wide
    return x.T if matrix.shape[0] > matrix.shape[1] else x


def _start_weights(unet: nn.Module) -> None:
    """Core builds its layers without numbers in them."""
    for name, parameter in unet.named_parameters():
        if any(part in name for part in _SILENT):
            nn.init.zeros_(parameter)
        elif parameter.ndim >= 2:
            nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5)
        else:
            nn.init.constant_(parameter, 1.0 if name.endswith("weight") else 0.0)


def build_unet(fresh: bool = True) -> Any:
    """Core's UNet of our size, in float32, open for training."""
    config = make_model_config([], [])
    config.set_inference_dtype(torch.float32, None)
    unet = config.get_model({}, device="cpu").diffusion_model
    if fresh:
        _start_weights(unet)
    return unet.requires_grad_(True)


def _split_parameters(unet: nn.Module) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Inner matrices for Muon; first and last layers, norms and biases for AdamW."""
    inner, rest = [], []
    for name, parameter in unet.named_parameters():
        edge = name.startswith(("input_blocks.0.", "out.", "time_embed", "label_emb"))
        (rest if edge or parameter.ndim < 2 else inner).append(parameter)
    return inner, rest


class Prompts:
    """Scenes to token vectors [batch, 77, WIDTH], with new captions each time."""

    def __init__(self, work: Path) -> None:
        self._model, self._tokenizer = load_text_model(work), Tokenizer(torch.load(work / "text.pt")["tokens"])

    @torch.no_grad()
    def encode(self, scenes: list[Scene], rng: np.random.Generator, silent: float = 0.1) -> Tensor:
        """`silent` is the share that is told nothing."""
        texts = ["" if rng.random() < silent else write_caption(scene, rng).text for scene in scenes]
        vectors = encode_tokens(self._model, pad_tokens([self._tokenizer.encode(text) for text in texts]))
        return functional.pad(vectors, (0, 0, 0, LENGTH - vectors.shape[1]))


def _flow_loss(unet: Any, latents: Tensor, context: Tensor) -> Tensor:
    level = torch.sigmoid(torch.randn(len(latents)) * 1.1 + 0.25)
    level = torch.where(torch.rand(len(latents)) < 0.1, torch.rand(len(latents)), level)
    noise = torch.randn_like(latents)
    at = level.view(-1, 1, 1, 1)
    return functional.mse_loss(unet(latents * (1 - at) + noise * at, level * 1000, context), noise - latents)


def train_denoiser(work: Path, *, minutes: float, seed: int = 1, batch: int = 32, rate: float = 2e-3) -> None:
    """Trains for a time: warm up, then steady, then down to nothing over the last third."""
    torch.manual_seed(seed)
    path, unet, step = work / "denoiser.pt", build_unet(), 0
    inner, rest = _split_parameters(unet)
    muon, adam = Muon(inner, rate), torch.optim.AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    average = {name: value.clone() for name, value in unet.state_dict().items()}
    if path.exists():
        saved = torch.load(path)
        unet.load_state_dict(saved["weights"])
        if "muon" in saved:  # not where `unpack` laid the released weights
            muon.load_state_dict(saved["muon"])
            adam.load_state_dict(saved["adam"])
        average, step = saved["average"], saved["step"]
    torch.manual_seed(seed + step)
    rng, prompts, album = np.random.default_rng(seed + step), Prompts(work), Album(work / "pictures")
    album.refresh()
    unet.latent_variance.copy_(album.variance())
    start, smooth = time.monotonic(), 0.0
    while (spent := (time.monotonic() - start) / 60) < minutes:
        if step % 50 == 0:
            album.refresh()
        lr = rate * min(1, (step + 1) / 60) * min(1, (1 - spent / minutes) * 3 + 0.01)
        muon.param_groups[0]["lr"], adam.param_groups[0]["lr"] = lr, lr / 2
        latents, scenes = album.pick(rng, batch)
        loss = _flow_loss(unet, latents, prompts.encode(scenes, rng))
        unet.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(unet.parameters(), 2.0)
        muon.step()
        adam.step()
        step += 1
        _follow(average, unet, min(0.995, (1 + step) / (10 + step)))
        smooth = loss.item() if not smooth else smooth + (loss.item() - smooth) * 0.03
        if step % 50 == 0:
            _log.info("denoiser step %d, %.1f min, loss %.4f, %d pictures", step, spent, smooth, len(album))
        if step % 100 == 0:
            _save(path, unet, average, muon, adam, step)
    _save(path, unet, average, muon, adam, step)


@torch.no_grad()
def _follow(average: dict[str, Tensor], unet: nn.Module, inertia: float) -> None:
    for name, value in unet.state_dict().items():
        average[name].lerp_(value, 1 - inertia)


def _save(path: Path, unet: nn.Module, average: dict[str, Tensor], muon: Any, adam: Any, step: int) -> None:
    part = path.with_suffix(".part")
    torch.save({"weights": unet.state_dict(), "average": average, "muon": muon.state_dict(), "adam": adam.state_dict(), "step": step}, part)
    part.replace(path)
