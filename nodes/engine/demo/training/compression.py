"""Stages 1 and `decoder`: the autoencoder, on drawn scenes and photo-like textures.

In: nothing but a seed. Out: `autoencoder.pt` in the work folder (weights, the step reached). Stage 1 is a principal component analysis of
blocks of pixels, done in seconds; from then on the latents stay as they are, so pictures and denoiser can begin. The decoder learns
whenever there is time: absolute differences of pixels and edges at two scales, with noise on the latents, because the denoiser errs too.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..autoencoder import BLOCK, LATENT_CHANNELS, DemoAutoencoder, ResidualBlock
from ..picture import draw_scene
from ..scene import sample_scene
from .textures import draw_texture

_log = logging.getLogger("music_video")
_CROP = 128
_NOISE = 0.25  # at most


def _draw_pool(count: int, seed: int) -> list[np.ndarray]:
    """Whole pictures that crops are cut from; a sixth are textures."""
    rng = np.random.default_rng(seed)
    pool = []
    for index in range(count):
        wide = 448 if index % 2 else 256
        pool.append(draw_texture(rng, 256) if index % 6 == 0 else draw_scene(sample_scene(rng), wide, 256, rng))
    return pool


def _cut_batch(pool: list[np.ndarray], rng: np.random.Generator, size: int) -> Tensor:
    crops = []
    for index in rng.integers(0, len(pool), size):
        picture = pool[index]
        y, x = (int(rng.integers(0, side - _CROP + 1)) for side in picture.shape[:2])
        crop = picture[y : y + _CROP, x : x + _CROP]
        crops.append(crop[:, ::-1] if rng.random() < 0.5 else crop)
    return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 127.5 - 1


def fit_encoder(work: Path, seed: int = 1) -> None:
    """Components are scaled by the root of their spread: coarse ones stay larger, so a film's layout is decided before its details."""
    torch.manual_seed(seed)
    model, rng = DemoAutoencoder(), np.random.default_rng(seed)
    pool = _draw_pool(600, seed)
    blocks = torch.cat(
        [functional.pixel_unshuffle(_cut_batch(pool, rng, 64), BLOCK).permute(0, 2, 3, 1).reshape(-1, 3 * BLOCK**2) for _ in range(16)]
    )
    mean = blocks.mean(0)
    _, sizes, axes = torch.linalg.svd(blocks - mean, full_matrices=False)
    spread, axes = sizes[:LATENT_CHANNELS] / len(blocks) ** 0.5, axes[:LATENT_CHANNELS]
    size = spread.sqrt() / spread.mean().sqrt()  # of each latent channel; their mean square is one
    with torch.no_grad():
        _silence(model)
        model.encoder.straight.weight.copy_((axes * (size / spread)[:, None])[:, :, None, None])
        model.encoder.straight.bias.copy_(-(axes @ mean) * size / spread)
        model.decoder.straight.weight.zero_()[:, :, 1, 1] = (axes * (spread / size)[:, None]).T  # neighbours come in with training
        model.decoder.straight.bias.copy_(mean)
    _log.info("components' spread %s", [round(value, 2) for value in spread.tolist()])
    torch.save({"weights": model.state_dict(), "step": 0}, work / "autoencoder.pt")


def _silence(model: DemoAutoencoder) -> None:
    """The decoder's network begins near nothing, its blocks near the identity."""
    for layer in model.decoder.modules():
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            torch.nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        if isinstance(layer, ResidualBlock):
            layer.second.weight.mul_(0.2)
    model.decoder.leave.weight.mul_(0.02)


def picture_loss(made: Tensor, wanted: Tensor, weight: Tensor | None = None) -> Tensor:
    """Pixels and edges, at full and half size; `weight` [batch] says how much each picture counts."""
    at = torch.ones(len(made)) if weight is None else weight
    at, loss = at.view(-1, 1, 1, 1), torch.zeros(())
    for _ in range(2):
        gap = made - wanted
        loss = loss + (at * gap.abs()).mean() + 0.3 * (at * gap.square()).mean()
        loss = loss + (at * gap.diff(dim=2).abs()).mean() + (at * gap.diff(dim=3).abs()).mean()
        made, wanted = functional.avg_pool2d(made, 2), functional.avg_pool2d(wanted, 2)
    return loss


def train_decoder(work: Path, *, minutes: float, seed: int = 1, batch: int = 16, rate: float = 1.5e-3) -> None:
    """Trains for a time, resuming where `autoencoder.pt` stopped."""
    path = work / "autoencoder.pt"
    model, saved = DemoAutoencoder(), torch.load(path)
    model.load_state_dict(saved["weights"])
    first = step = saved["step"]
    torch.manual_seed(seed + step)
    rng = np.random.default_rng(seed + step)
    pool = _draw_pool(900, seed + step)
    parameters = list(model.decoder.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=rate, betas=(0.9, 0.98), weight_decay=1e-4, fused=True)
    start, average = time.monotonic(), 0.0
    while (spent := (time.monotonic() - start) / 60) < minutes:
        optimizer.param_groups[0]["lr"] = (
            rate * min(1, (step - first + 1) / 50) * (0.02 + 0.98 * (0.5 + 0.5 * np.cos(np.pi * spent / minutes)))
        )
        pictures = _cut_batch(pool, rng, batch)
        with torch.no_grad():
            codes = model.encode(pictures)
        made = model.decode(codes + _NOISE * torch.rand(len(codes), 1, 1, 1) * torch.randn_like(codes))
        loss = picture_loss(made, pictures)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        step += 1
        average += (functional.mse_loss(made.detach().clamp(-1, 1), pictures).item() - average) * 0.03
        if step % 100 == 0:
            _log.info("decoder step %d, %.1f min, loss %.4f, PSNR %.2f dB", step, spent, loss.item(), 10 * np.log10(4 / average))
            torch.save({"weights": model.state_dict(), "step": step}, path)
    torch.save({"weights": model.state_dict(), "step": step}, path)


def load_autoencoder(work: Path) -> DemoAutoencoder:
    model = DemoAutoencoder()
    model.load_state_dict(torch.load(work / "autoencoder.pt")["weights"])
    return model.eval()
