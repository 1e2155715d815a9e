"""Stage 2: pictures drawn and encoded, with the scenes they show.

In: the autoencoder, a number of pictures. Out: shards `pictures/NNNN.npz` in the work folder: latents of one shape and the scenes as JSON.
Captions are not stored: they are written anew each time a picture is shown. A denoiser may already learn while later shards are drawn.
"""

from __future__ import annotations

import json
import logging
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..picture import draw_scene
from ..scene import Figure, Scene, sample_scene
from .compression import load_autoencoder

_log = logging.getLogger("music_video")
SHARD = 500
SIZES = ((448, 256), (256, 256))


@dataclass(frozen=True)
class Shard:
    latents: torch.Tensor  # float16 [SHARD, 16, height, width]
    scenes: list[Scene]


def draw_pictures(work: Path, *, count: int, seed: int = 1) -> None:
    """Draws what is missing up to `count`; shapes alternate from shard to shard, three wide to one square."""
    folder = work / "pictures"
    folder.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    model = load_autoencoder(work)
    for number in range(count // SHARD):
        path = folder / f"{number:04d}.npz"
        if not path.exists():
            _write_shard(path, model, SIZES[0 if number % 3 else 1], np.random.default_rng((seed, number)))
            _log.info("pictures: %d drawn", (number + 1) * SHARD)


def _write_shard(path: Path, model: Any, size: tuple[int, int], rng: np.random.Generator) -> None:
    latents, scenes = [], [sample_scene(rng) for _ in range(SHARD)]
    for scene in scenes:
        pixels = torch.from_numpy(draw_scene(scene, *size, rng)).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            latents.append(model.encode(pixels)[0].half().numpy())
    part = path.with_suffix(".part.npz")
    np.savez(part, latents=np.stack(latents), scenes=np.array(json.dumps([asdict(scene) for scene in scenes])))
    part.rename(path)


def load_shard(path: Path) -> Shard:
    with np.load(path) as stored:
        facts = json.loads(str(stored["scenes"]))
        latents = torch.from_numpy(stored["latents"])
    scenes = [Scene(**{**scene, "figure": Figure(**scene["figure"]) if scene["figure"] else None}) for scene in facts]
    return Shard(latents, scenes)
