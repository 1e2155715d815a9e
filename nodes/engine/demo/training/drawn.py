"""Stage `drawn`: pictures as the denoiser would draw them, each beside the scene it should have been.

In: autoencoder, denoiser and text encoder in the work folder. Out: shards `drawn/NNNN.npz`: painted scenes, the latents that the
denoiser made of them, and how far it was let go. A scene is encoded, noised to a level and walked back as a sampler walks, with
its caption and guidance: from a low level it keeps its layout and carries the denoiser's faults, so that the decoder can learn
to see through them. From level 1 nothing of it is left but the caption.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..denoiser import SHIFT
from ..picture import draw_scene
from ..scene import sample_scene
from .compression import load_autoencoder
from .diffusion import Prompts, build_unet
from .pictures import SIZES

_log = logging.getLogger("music_video")
SHARD, _BATCH = 400, 16
_FREE = 0.25  # the chance that a batch begins at pure noise
_LOWEST, _HIGHEST = 0.25, 0.8  # levels of the others


@dataclass(frozen=True)
class Drawn:
    """One shape of picture."""

    pictures: np.ndarray[Any, np.dtype[np.uint8]]  # [n, height, width, 3]
    latents: Tensor  # float16 [n, 16, height / 16, width / 16]
    levels: np.ndarray[Any, np.dtype[np.float32]]  # [n], 1 where only the caption is common to picture and latents


class Drawer:
    """The denoiser in float32 with guidance, as the samplers use it."""

    def __init__(self, work: Path) -> None:
        self._unet = build_unet(fresh=False)
        self._unet.load_state_dict(torch.load(work / "denoiser.pt")["average"])
        self._unet.eval().requires_grad_(False)
        self._prompts = Prompts(work)

    @torch.no_grad()
    def redraw(self, latents: Tensor, scenes: list[Any], level: float, rng: np.random.Generator) -> Tensor:
        """`latents` after noise of that level and Euler steps back to none. Steps and guidance are those people use, at random."""
        guidance, steps = float(rng.uniform(2, 4)), max(2, round(float(rng.uniform(5, 9)) * level))
        told, untold = self._prompts.encode(scenes, rng, silent=0), self._prompts.encode(scenes, rng, silent=1)
        noise = torch.from_numpy(rng.standard_normal(latents.shape, dtype=np.float32))
        levels, x = walk_down(level, steps), latents * (1 - level) + noise * level
        for now, then in zip(levels, levels[1:], strict=False):
            time = torch.full((len(x),), now * 1000)
            blind = self._unet(x, time, untold)
            x = x + (then - now) * (blind + guidance * (self._unet(x, time, told) - blind))
        return x


def walk_down(level: float, steps: int) -> list[float]:
    """Noise levels from `level` to 0, spaced by the model's shift as the scheduler "simple" does."""
    first = level / (SHIFT - (SHIFT - 1) * level)
    return [SHIFT * u / (1 + (SHIFT - 1) * u) for u in np.linspace(first, 0, steps + 1).tolist()]


def redraw_pictures(work: Path, *, count: int, seed: int = 1) -> None:
    """Makes the shards that are missing up to `count` pictures; shapes alternate, three wide to one square."""
    folder = work / "drawn"
    folder.mkdir(exist_ok=True)
    autoencoder, drawer = load_autoencoder(work), Drawer(work)
    for number in range(max(1, count // SHARD)):
        path = folder / f"{number:04d}.npz"
        if not path.exists():
            size, rng = SIZES[0 if (number + 1) % 4 else 1], np.random.default_rng((seed, 7, number))
            _write_shard(path, autoencoder, drawer, size, rng, min(SHARD, count))
            _log.info("drawn: %d pictures", (number + 1) * SHARD)


def _write_shard(path: Path, autoencoder: Any, drawer: Drawer, size: tuple[int, int], rng: np.random.Generator, count: int) -> None:
    pictures, latents, levels = [], [], []
    for first in range(0, count, _BATCH):
        scenes = [sample_scene(rng) for _ in range(min(_BATCH, count - first))]
        batch = np.stack([draw_scene(scene, *size, rng) for scene in scenes])
        level = 1.0 if rng.random() < _FREE else float(rng.uniform(_LOWEST, _HIGHEST))
        with torch.no_grad():
            codes = autoencoder.encode(as_tensor(batch))
        latents.append(drawer.redraw(codes, scenes, level, rng).half().numpy())
        pictures.append(batch)
        levels += [level] * len(scenes)
    part = path.with_suffix(".part.npz")
    np.savez(part, pictures=np.concatenate(pictures), latents=np.concatenate(latents), levels=np.array(levels, np.float32))
    part.rename(path)


def as_tensor(pictures: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """[n, height, width, 3] in 0..255 to [n, 3, height, width] in -1..1."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def load_drawn(work: Path) -> list[Drawn]:
    """All shards, joined by shape."""
    groups: dict[tuple[int, ...], list[dict[str, Any]]] = {}
    for path in sorted((work / "drawn").glob("????.npz")):
        with np.load(path) as stored:
            shard = dict(stored)
        groups.setdefault(shard["pictures"].shape[1:], []).append(shard)
    if not groups:
        raise SystemExit("Nothing is drawn yet; run the stage drawn first.")
    return [_join(shards) for shards in groups.values()]


def _join(shards: list[dict[str, Any]]) -> Drawn:
    pictures, latents, levels = (np.concatenate([shard[name] for shard in shards]) for name in ("pictures", "latents", "levels"))
    return Drawn(pictures, torch.from_numpy(latents), levels)
