"""How much pictures show the blocks that the built-in model's latents stand for, and how crisp they are.

`seam_strength` compares steps of brightness across the edges of blocks with those elsewhere: about 1 where nothing shows.
`weave` is how unevenly steps are spread over the sixteen places in a block, edges or not: about 0 where nothing shows.
`sharpness` is the mean step between neighbours: a decoder that only blurs lowers both. `round_trip` is the loss from encoding and decoding.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from pack.nodes.engine.demo.captions import write_caption
from pack.nodes.engine.demo.picture import draw_scene
from pack.nodes.engine.demo.scene import sample_scene
from pack.nodes.engine.demo.training.textures import draw_texture
from steering import SIZE, Picture

BLOCK = 16
STEPS, GUIDANCE = 6, 3.0  # as the template quickstart


def seam_strength(pictures: Picture) -> float:
    """Of float pictures [n, height, width, 3] in 0..1."""
    places = _steps_by_place(pictures)
    return float((places[:, -1] / places[:, :-1].mean(1)).mean())


def weave(pictures: Picture) -> float:
    """The places' spread as a part of their mean."""
    places = _steps_by_place(pictures)
    return float((places.std(1) / places.mean(1)).mean())


def _steps_by_place(pictures: Picture) -> Picture:
    """Mean step between neighbours, down and across, by where in its block it lies; the last crosses the edge: [2, 16]."""
    found = []
    for axis in (1, 2):
        steps = np.abs(np.diff(pictures, axis=axis)).mean(axis=(0, 3 - axis, 3))
        found.append(steps[: len(steps) // BLOCK * BLOCK].reshape(-1, BLOCK).mean(0))
    return np.stack(found)


def sharpness(pictures: Picture) -> float:
    """Mean difference of neighbouring pixels, in levels of 0..255."""
    return float(np.mean([np.abs(np.diff(pictures, axis=axis)).mean() for axis in (1, 2)]) * 255)


def draw_scenes(count: int, seed: int = 42) -> Picture:
    rng = np.random.default_rng(seed)
    return np.stack([draw_scene(sample_scene(rng), *SIZE, rng) for _ in range(count)]).astype(np.float32) / 255


def draw_textures(count: int, seed: int = 42) -> Picture:
    """Soft and noisy ones, as photographs and camera pictures are."""
    rng = np.random.default_rng(seed)
    return np.stack([draw_texture(rng, 256) for _ in range(count)]).astype(np.float32) / 255


def paint_prompts(painter: Any, count: int, seed: int = 42) -> Picture:
    """Pictures of captions of random scenes, as the template quickstart samples them."""
    rng = np.random.default_rng(seed)
    prompts = [write_caption(sample_scene(rng), rng).text for _ in range(count)]
    made = [painter.paint(prompt, range(number, number + 1), SIZE, STEPS, GUIDANCE) for number, prompt in enumerate(prompts)]
    return np.concatenate(made)


class RoundTrip(NamedTuple):
    psnr: float  # dB, mean over pictures
    seams: float
    weave: float
    sharpness: float


def round_trip(painter: Any, pictures: Picture) -> RoundTrip:
    """What pictures lose when they are encoded and decoded."""
    import torch

    back = painter.vae.decode(painter.vae.encode(torch.from_numpy(pictures))).float().numpy()
    psnr = float((10 * np.log10(1 / ((back - pictures) ** 2).mean(axis=(1, 2, 3)))).mean())
    return RoundTrip(psnr, seam_strength(back), weave(back), sharpness(back))
