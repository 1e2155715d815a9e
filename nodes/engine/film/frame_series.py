"""A clip -> what can be measured of each of its frames, in one pass with two small frames in memory.

Frames are read at most `LOOK` pixels long; motion and colour are measured smaller still. What stays of a frame is a few
hundred bytes. Knows nothing of songs or shots.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .clip_source import Clip
from .flashes import TO_XYZ, FlashCounter, to_light
from .flicker import FrameComparer, Step, shrink

LOOK = 480  # pixels of the longer side
BLACK_PIXEL, BLACK_SHARE = 0.1, 0.98  # a frame is black as for FFmpeg's blackdetect
STILL = 1.5 / 255  # no block of the picture changes by more: what encoders add to a frozen picture is less
STILL_BLOCK = 8  # pixels: what moves may be as small as this
WHITE = np.array([0.9505, 1.0, 1.089], np.float32)  # D65


class Look(NamedTuple):
    """One frame by itself."""

    luminance: float  # relative, 0..1
    lightness: float  # CIE Lab of the mean colour
    green_red: float
    blue_yellow: float
    contrast: float  # standard deviation of the luma, 0..1
    sharpness: float  # standard deviation of the luma's second derivative, 0..1
    dark: float  # share of black pixels
    anchor: int  # the first frame of those like this one without a break: itself, where the picture moves


@dataclass(frozen=True)
class FrameSeries:
    """Arrays [frames]; steps lead from the frame before to a frame, the first is empty."""

    times: np.ndarray
    looks: dict[str, np.ndarray]  # by the fields of Look
    steps: dict[str, np.ndarray]  # by the fields of Step
    flashes: FlashCounter

    def __len__(self) -> int:
        return len(self.times)

    @property
    def colours(self) -> np.ndarray:
        """CIE Lab [frames, 3]."""
        return np.stack([self.looks[name] for name in ("lightness", "green_red", "blue_yellow")], axis=1)

    @property
    def black(self) -> np.ndarray:
        return self.looks["dark"] >= BLACK_SHARE


def measure_frames(
    clip: Clip, on_progress: Callable[[int, int], None], on_frame: Callable[[int, np.ndarray], None] | None = None
) -> FrameSeries:
    """`on_progress(done, total)` counts frames, `on_frame` sees each with its number; whatever they raise ends the pass."""
    facts = clip.facts
    scale = min(1.0, LOOK / max(facts.width, facts.height))
    size = max(1, round(facts.width * scale)), max(1, round(facts.height * scale))
    times, looks, steps = [], [], []
    comparer, flashes, still = FrameComparer(), FlashCounter(), _StillWatch()
    for number, frame in enumerate(clip.timed_frames(size)):
        on_progress(min(number, facts.frames), facts.frames)
        if on_frame is not None:
            on_frame(number, frame.pixels)
        small = shrink(frame.pixels)
        light = to_light(small)
        flashes.add(frame.time, light)
        times.append(frame.time)
        looks.append(_look_at(frame.pixels, light, still.anchor(number, small)))
        steps.append(comparer.compare(small))
    on_progress(facts.frames, facts.frames)
    return FrameSeries(np.array(times), _columns(looks, Look._fields), _columns(steps, Step._fields), flashes)


def _columns(rows: list[Look] | list[Step], names: tuple[str, ...]) -> dict[str, np.ndarray]:
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(names))
    return {name: table[:, index] for index, name in enumerate(names)}


def _look_at(pixels: np.ndarray, light: np.ndarray, anchor: int) -> Look:
    import cv2

    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    contrast, sharpness = (float(cv2.meanStdDev(values)[1][0, 0]) / 255 for values in (luma, cv2.Laplacian(luma, cv2.CV_32F)))
    colour = TO_XYZ @ light.mean(axis=(0, 1))
    dark = cv2.countNonZero(cv2.inRange(luma, 0, int(BLACK_PIXEL * 255))) / luma.size  # type: ignore[call-overload]
    return Look(float(colour[1]), *_to_lab(colour), contrast, sharpness, dark, anchor)


def _to_lab(xyz: np.ndarray) -> tuple[float, float, float]:
    """CIE 1976 L*, a*, b* for D65."""
    share = xyz / WHITE
    x, y, z = np.where(share > 216 / 24389, np.cbrt(share), (24389 / 27 * share + 16) / 116)
    return float(116 * y - 16), float(500 * (x - y)), float(200 * (y - z))


class _StillWatch:
    """Compares with the frame where a standstill began, not with the last one: a slow movement adds up."""

    def __init__(self) -> None:
        self._number, self._frame = 0, np.zeros(0, np.uint8)

    def anchor(self, number: int, frame: np.ndarray) -> int:
        if number == 0 or not _is_alike(frame, self._frame):
            self._number, self._frame = number, frame
        return self._number


def _is_alike(frame: np.ndarray, other: np.ndarray) -> bool:
    import cv2

    difference = cv2.absdiff(frame, other)
    size = (max(1, frame.shape[1] // STILL_BLOCK), max(1, frame.shape[0] // STILL_BLOCK))
    return float(cv2.resize(difference, size, interpolation=cv2.INTER_AREA).max()) <= STILL * 255
