"""A `Scene` as pixels: backdrop, person, what falls from the sky, colour grade.

In: a scene, a size, a random generator. Out: uint8 [height, width, 3]. About 15 ms a picture.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .canvas import Canvas, Colour
from .figure import draw_figure
from .landscape import draw_landscape
from .light import grade, make_light
from .scene import Scene

_BRIGHT: tuple[Colour, ...] = ((240, 70, 90), (255, 206, 70), (90, 190, 250), (120, 210, 120), (200, 120, 240))


def draw_scene(scene: Scene, width: int, height: int, rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The same generator state gives the same picture."""
    canvas = Canvas(width, height)
    light = make_light(scene.time, scene.weather)
    draw_landscape(canvas, scene, light, rng)
    if scene.place in ("stage", "space"):
        glare: Colour = (0.95, 0.88, 0.95)
    else:
        glare = light.figure
    _draw_extra(canvas, scene, rng)
    if scene.weather == "fog":
        canvas.polygon([(0, 0), (canvas.aspect, 0), (canvas.aspect, 1), (0, 1)], light.haze, 0.38)
    if scene.figure is not None:
        draw_figure(canvas, scene.figure, glare)
    _draw_fall(canvas, scene, rng)
    return np.clip(grade(canvas.pixels(), scene.palette), 0, 255).astype(np.uint8)


def _draw_extra(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    if scene.extra == "none":
        return
    count = {"birds": 6, "balloons": 5, "confetti": 60, "sparks": 22}[scene.extra]
    for x, y in zip(rng.uniform(0.03, canvas.aspect - 0.03, count), rng.uniform(0.06, 0.5, count), strict=True):
        colour = _BRIGHT[int(rng.integers(len(_BRIGHT)))]
        if scene.extra == "birds":
            canvas.line([(x - 0.045, y - 0.02), (x, y + 0.008), (x + 0.045, y - 0.02)], 0.012, (32, 32, 44))
        elif scene.extra == "balloons":
            canvas.line([(x, y), (x, y + 0.14)], 0.005, (90, 90, 90))
            canvas.ellipse((x, y), 0.045, 0.055, colour)
            canvas.ellipse((x - 0.014, y - 0.02), 0.012, 0.015, (255, 255, 255), 0.7)
        elif scene.extra == "confetti":
            canvas.polygon([(x, y), (x + 0.022, y + 0.006), (x + 0.016, y + 0.022), (x - 0.006, y + 0.016)], colour)
        else:
            canvas.glow((float(x), float(y) * 1.8), 0.045, (255, 232, 130))


def _draw_fall(canvas: Canvas, scene: Scene, rng: np.random.Generator) -> None:
    """Rain and snow, before everything else."""
    if scene.weather in ("rain", "storm"):
        for x, y in zip(rng.uniform(0, canvas.aspect, 70), rng.uniform(-0.05, 1, 70), strict=True):
            canvas.line([(x, y), (x - 0.02, y + 0.075)], 0.005, (222, 234, 250), 0.5)
    elif scene.weather == "snow":
        sizes = rng.uniform(0.005, 0.013, 70)
        for x, y, size in zip(rng.uniform(0, canvas.aspect, 70), rng.uniform(0, 1, 70), sizes, strict=True):
            canvas.ellipse((x, y), size, size, (255, 255, 255), 0.95)
