"""Photo-like pictures without a photo: clouds of noise, lit spheres, faces of soft shadows. They teach the decoder more than flat colours.

In: a random generator and a side in pixels. Out: uint8 [side, side, 3].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

Pixels = np.ndarray[Any, np.dtype[np.uint8]]
_Field = np.ndarray[Any, np.dtype[np.float32]]


def _noise(rng: np.random.Generator, side: int, octaves: int = 5, fade: float = 0.55) -> _Field:
    """Smooth noise in about -1..1, [side, side]."""
    total, strength = np.zeros((side, side), np.float32), 1.0
    for octave in range(1, octaves + 1):
        coarse = Image.fromarray(rng.standard_normal((2**octave + 1, 2**octave + 1)).astype(np.float32))
        total += np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)) * strength
        strength *= fade
    return total * np.float32(0.5)


def _colour_field(rng: np.random.Generator, side: int) -> _Field:
    base, tilt = rng.uniform(30, 225, 3), rng.normal(0, 45, (2, 3))
    fields = [_noise(rng, side, int(rng.integers(2, 7)), float(rng.uniform(0.4, 0.75))) for _ in range(2)]
    return (base + fields[0][..., None] * tilt[0] + fields[1][..., None] * tilt[1]).astype(np.float32)


def _add_ball(pixels: _Field, rng: np.random.Generator, centre: tuple[float, float], radii: tuple[float, float], colour: _Field) -> None:
    """A shaded ellipsoid, its light from a random side."""
    side = len(pixels)
    ys, xs = np.mgrid[0:side, 0:side].astype(np.float32) / side
    dx, dy = (xs - centre[0]) / radii[0], (ys - centre[1]) / radii[1]
    depth = np.sqrt(np.clip(1 - dx**2 - dy**2, 0, 1))
    toward = rng.normal(0, 0.6, 2)
    shade = np.clip(0.35 + 0.55 * depth + 0.3 * (dx * toward[0] + dy * toward[1]), 0.05, 1.3)
    edge = np.clip((1 - np.hypot(dx, dy)) * side * radii[0] / 2, 0, 1)[..., None]
    pixels[:] = pixels * (1 - edge) + colour * shade[..., None] * edge


def draw_texture(rng: np.random.Generator, side: int) -> Pixels:
    """One picture; a third are face-like."""
    pixels = _colour_field(rng, side)
    if rng.random() < 0.4:
        _add_face(pixels, rng)
    else:
        for _ in range(int(rng.integers(0, 5))):
            radius = float(rng.uniform(0.05, 0.35))
            colour = rng.uniform(20, 255, 3).astype(np.float32)
            _add_ball(pixels, rng, tuple(rng.uniform(0, 1, 2)), (radius, radius * float(rng.uniform(0.5, 1.5))), colour)
    pixels += rng.normal(0, rng.uniform(0, 5), pixels.shape)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _add_face(pixels: _Field, rng: np.random.Generator) -> None:
    x, y, size = float(rng.uniform(0.35, 0.65)), float(rng.uniform(0.4, 0.6)), float(rng.uniform(0.16, 0.36))
    skin = np.asarray((232, 180, 150), np.float32) * np.float32(rng.uniform(0.4, 1.05)) + rng.normal(0, 8, 3).astype(np.float32)
    hair = rng.uniform(10, 140, 3).astype(np.float32)
    _add_ball(pixels, rng, (x, y - size * 0.2), (size * 1.05, size * 1.3), hair)
    _add_ball(pixels, rng, (x, y), (size * 0.8, size * 1.1), skin)
    for side in (-1, 1):
        _add_ball(pixels, rng, (x + side * size * 0.32, y - size * 0.15), (size * 0.16, size * 0.09), np.full(3, 235, np.float32))
        _add_ball(
            pixels, rng, (x + side * size * 0.32, y - size * 0.15), (size * 0.07, size * 0.08), rng.uniform(20, 120, 3).astype(np.float32)
        )
        _add_ball(pixels, rng, (x + side * size * 0.32, y - size * 0.34), (size * 0.2, size * 0.04), hair)
    _add_ball(pixels, rng, (x, y + size * 0.15), (size * 0.12, size * 0.2), skin * np.float32(1.08))
    _add_ball(pixels, rng, (x, y + size * 0.55), (size * 0.28, size * 0.09), skin * np.asarray((1, 0.6, 0.62), np.float32))
