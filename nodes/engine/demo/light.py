"""The light of a scene: sky colours, how strongly things are lit, and the colour grade of the finished picture.

In: time of day, weather, palette. Out: colours (0..255), light factors, graded pixels. It draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .canvas import Colour, mix

Pixels = np.ndarray[Any, np.dtype[np.float32]]

_SKIES: dict[str, tuple[Colour, Colour, Colour]] = {  # top, middle, horizon
    "day": ((58, 132, 222), (120, 184, 240), (206, 232, 250)),
    "dawn": ((126, 150, 210), (214, 184, 212), (255, 214, 184)),
    "sunset": ((74, 48, 122), (222, 92, 96), (255, 176, 86)),
    "night": ((6, 9, 32), (16, 24, 66), (44, 58, 108)),
}
_LIGHT: dict[str, Colour] = {"day": (1, 1, 1), "dawn": (0.95, 0.88, 0.92), "sunset": (0.95, 0.7, 0.62), "night": (0.33, 0.4, 0.64)}
_GREY_SKIES: dict[str, tuple[Colour, float]] = {  # a weather's sky colour by day and how much of it
    "clouds": ((188, 200, 214), 0.4),
    "rain": ((112, 126, 146), 0.75),
    "snow": ((214, 220, 232), 0.75),
    "fog": ((206, 210, 214), 0.85),
    "storm": ((52, 56, 72), 0.85),
}
_WEATHER_LIGHT: dict[str, float] = {"clear": 1, "clouds": 0.92, "rain": 0.72, "snow": 0.95, "fog": 0.9, "storm": 0.52}


@dataclass(frozen=True)
class Light:
    """`ground` lights the land, `figure` the people (less strongly, so that colours can still be told at night)."""

    sky: tuple[Colour, Colour, Colour]
    ground: Colour
    figure: Colour
    haze: Colour
    haze_amount: float


def make_light(time: str, weather: str) -> Light:
    base = _LIGHT[time]
    top, middle, low = _SKIES[time]
    if weather in _GREY_SKIES:
        grey, amount = _GREY_SKIES[weather]
        shade: Colour = (base[0] * grey[0], base[1] * grey[1], base[2] * grey[2])
        top, middle, low = (mix(colour, shade, amount) for colour in (top, middle, low))
    factor = _WEATHER_LIGHT[weather]
    ground: Colour = (base[0] * factor, base[1] * factor, base[2] * factor)
    figure: Colour = (ground[0] ** 0.45, ground[1] ** 0.45, ground[2] ** 0.45)
    return Light((top, middle, low), ground, figure, low, 0.72 if weather == "fog" else 0.3)


def _saturate(pixels: Pixels, amount: float) -> Pixels:
    grey = pixels @ np.asarray((0.3, 0.59, 0.11), dtype=np.float32)
    return grey[..., None] + (pixels - grey[..., None]) * np.float32(amount)


def grade(pixels: Pixels, palette: str) -> Pixels:
    """The finished picture in the colours of a palette, still 0..255 (not clipped)."""
    if palette == "warm":
        return _saturate(pixels, 1.1) * np.asarray((1.1, 0.93, 0.66), np.float32) + np.asarray((26, 10, 0), np.float32)
    if palette == "cold":
        return _saturate(pixels, 0.75) * np.asarray((0.66, 0.9, 1.08), np.float32) + np.asarray((0, 8, 24), np.float32)
    if palette == "pastel":
        return _saturate(pixels, 0.7) * np.float32(0.52) + np.asarray((122, 112, 120), np.float32)
    if palette == "neon":
        return _neon(pixels)
    if palette == "dark":
        return _saturate(pixels, 0.85) * np.float32(0.42)
    if palette == "black and white":
        return _saturate((pixels - 128) * np.float32(1.1) + 128, 0)
    return pixels


def _neon(pixels: Pixels) -> Pixels:
    """Dark parts violet, bright parts pink to cyan, as under club lights."""
    grey = (pixels @ np.asarray((0.3, 0.59, 0.11), np.float32))[..., None] / 255
    shade = np.asarray((36, 4, 70), np.float32)
    glow = np.asarray((255, 70, 200), np.float32) * (1 - grey) + np.asarray((90, 250, 255), np.float32) * grey
    tinted = shade + (glow - shade) * np.clip(grey * np.float32(1.25), 0, 1)
    mixed = tinted * np.float32(0.62) + _saturate(pixels, 1.7) * np.float32(0.38)
    return mixed.astype(np.float32)
