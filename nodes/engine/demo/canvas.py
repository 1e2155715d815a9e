"""A small painter: shapes with soft edges, gradients, glows. Coordinates: y runs 0 top to 1 bottom, x 0 to `aspect`.

In: shapes and colours (red, green, blue in 0..255). Out: pixels. It draws at twice the size and halves at the end. It knows no scenes.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Colour = tuple[float, float, float]
Point = tuple[float, float]


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """From `first` (0) to `second` (1)."""
    return tuple(a + (b - a) * amount for a, b in zip(first, second, strict=True))  # type: ignore[return-value]


def lit(colour: Colour, light: Colour) -> Colour:
    """The colour under a light whose parts are factors."""
    return tuple(min(a * b, 255.0) for a, b in zip(colour, light, strict=True))  # type: ignore[return-value]


@lru_cache(maxsize=4)
def _soft_disc(size: int) -> Image.Image:
    axis = np.linspace(-1, 1, size)
    distance = np.hypot(axis[None], axis[:, None])
    return Image.fromarray((np.clip(1 - distance, 0, 1) ** 2 * 255).astype(np.uint8))


class Canvas:
    """Width and height are those of the finished picture."""

    def __init__(self, width: int, height: int) -> None:
        self.scale = height * 2
        self.aspect = width / height
        self.image = Image.new("RGB", (width * 2, height * 2))
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def _points(self, points: Sequence[Point]) -> list[Point]:
        return [(x * self.scale, y * self.scale) for x, y in points]

    @staticmethod
    def _ink(colour: Colour, alpha: float) -> tuple[int, int, int, int]:
        return (int(colour[0]), int(colour[1]), int(colour[2]), int(alpha * 255))

    def gradient(self, stops: Sequence[tuple[float, Colour]], top: float = 0.0, bottom: float = 1.0) -> None:
        """A full-width band of colours; stops are (0..1 down the band, colour)."""
        first, last = int(top * self.scale), max(int(bottom * self.scale), int(top * self.scale) + 1)
        self.image.paste(self._ramp(stops, last - first, self.image.width), (0, first))

    @staticmethod
    def _ramp(stops: Sequence[tuple[float, Colour]], height: int, width: int) -> Image.Image:
        places = [place for place, _ in stops]
        rows = np.linspace(0, 1, height)
        column = np.stack([np.interp(rows, places, [colour[c] for _, colour in stops]) for c in range(3)], axis=1)
        return Image.fromarray(np.clip(column, 0, 255).astype(np.uint8)[:, None, :]).resize((width, height), Image.Resampling.NEAREST)

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        self._draw.polygon(self._points(points), fill=self._ink(colour, alpha))

    def shaded(self, points: Sequence[Point], top: Colour, bottom: Colour) -> None:
        """A polygon filled with a vertical gradient over its own height."""
        scaled = self._points(points)
        low = max(0, int(min(y for _, y in scaled)))
        high = min(self.image.height, int(max(y for _, y in scaled)) + 1)
        if high <= low:
            return
        mask = Image.new("L", (self.image.width, high - low))
        ImageDraw.Draw(mask).polygon([(x, y - low) for x, y in scaled], fill=255)
        self.image.paste(self._ramp(((0, top), (1, bottom)), high - low, self.image.width), (0, low), mask)

    def ellipse(self, centre: Point, rx: float, ry: float, colour: Colour, alpha: float = 1.0) -> None:
        x, y = centre
        (left, top), (right, bottom) = self._points([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse((left, top, right, bottom), fill=self._ink(colour, alpha))

    def arc(self, centre: Point, rx: float, ry: float, start: float, end: float, colour: Colour, width: float) -> None:
        """Angles in degrees, clockwise from three o'clock."""
        x, y = centre
        (left, top), (right, bottom) = self._points([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.arc((left, top, right, bottom), start, end, fill=self._ink(colour, 1), width=max(1, round(width * self.scale)))

    def line(self, points: Sequence[Point], width: float, colour: Colour, alpha: float = 1.0, *, rounded: bool = False) -> None:
        scaled = self._points(points)
        self._draw.line(scaled, fill=self._ink(colour, alpha), width=max(1, round(width * self.scale)), joint="curve")
        if rounded:
            for x, y in points:
                self.ellipse((x, y), width / 2, width / 2, colour, alpha)

    def glow(self, centre: Point, radius: float, colour: Colour, strength: float = 1.0) -> None:
        """A round light that fades to nothing at `radius`."""
        size = max(2, int(radius * 2 * self.scale))
        mask = _soft_disc(256).resize((size, size)).point(lambda value: value * strength)
        corner = (int((centre[0] - radius) * self.scale), int((centre[1] - radius) * self.scale))
        self.image.paste(tuple(int(c) for c in colour), (*corner, corner[0] + size, corner[1] + size), mask)

    def pixels(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """The finished picture: float32 [height, width, 3] in 0..255."""
        return np.asarray(self.image.reduce(2), dtype=np.float32)
