"""Curves from outside that move a film: one number for every frame, from Timeline Curves or any node that makes such lists.

0 changes nothing, in each of them, so that a curve from 0 to 1 fits everywhere. What cannot be meant is a ValueError that
says what to mend. Knows nothing of music.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np


class Range(NamedTuple):
    low: float
    high: float


RANGES = {"walk": Range(0, 100), "zoom": Range(0, 3), "exposure": Range(-1, 1), "prompt": Range(0, 1)}


@dataclass(frozen=True)
class GivenCurves:
    """One value for every frame of the film; what is empty is planned from the music."""

    walk: tuple[float, ...] = ()  # speed of the change: 1 goes the shot's whole way in its time, 0 holds the picture
    zoom: tuple[float, ...] = ()  # how much closer, as a share
    exposure: tuple[float, ...] = ()  # how much brighter, as a share; negative is darker
    prompt: tuple[float, ...] = ()  # weight of the shot's last prompt

    def check(self, frames: int, fps: Fraction) -> None:
        """ValueError unless every curve has a number that can be meant for each frame of the film."""
        for name, (low, high) in RANGES.items():
            values = getattr(self, name)
            if values and len(values) != frames:
                raise ValueError(
                    f"{name}_curve has {len(values)} values, but the film has {frames} frames at {float(fps):g} a second; "
                    "make the curve with the same timeline and fps."
                )
            wrong = next((frame for frame, value in enumerate(values) if not low - 1e-6 <= value <= high + 1e-6), None)
            if wrong is not None:
                raise ValueError(f"{name}_curve is {values[wrong]:g} at frame {wrong}; it must be from {low} to {high} everywhere.")

    def walk_at(self, frames: range) -> np.ndarray:
        return _part(self.walk, frames)

    def zoom_at(self, frames: range) -> np.ndarray:
        return _part(self.zoom, frames)

    def exposure_at(self, frames: range) -> np.ndarray:
        return _part(self.exposure, frames)

    def prompt_at(self, frames: range) -> np.ndarray:
        return np.clip(_part(self.prompt, frames), 0, 1)


def _part(values: tuple[float, ...], frames: range) -> np.ndarray:
    return np.array(values[frames.start : frames.stop], dtype=float)


def read_curves(sockets: Mapping[str, Sequence[float] | None]) -> GivenCurves:
    """What is connected, by the names of the sockets, such as "zoom_curve". ValueError for what is no list of numbers."""
    return GivenCurves(**{name.removesuffix("_curve"): _read_curve(name, values) for name, values in sockets.items()})


def _read_curve(name: str, values: Sequence[float] | None) -> tuple[float, ...]:
    if values is None:
        return ()
    try:
        numbers = tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must be a list of numbers, one a frame; connect FLOATS of Timeline Curves.") from error
    if not numbers or not all(map(math.isfinite, numbers)):
        raise ValueError(f"{name} is empty or holds something that is no number; connect FLOATS of Timeline Curves.")
    return numbers
