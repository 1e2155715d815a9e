"""Frames in order -> how many flashes a second the film has, general and red, as WCAG 2.2 counts them (success criterion 2.3.1).

A general flash is a pair of opposing changes of relative luminance by 0.1 or more, the darker state below 0.80. A red
flash is such a pair to or from a saturated red (R / (R + G + B) >= 0.8) over more than 0.2 in the CIE 1976 UCS diagram
(ISO 9241-391). No more than three may fall into any one second, unless they cover less than a quarter of every field of
10 degrees. Where the screen and its distance are unknown the standard takes a third of its width and height for such a
field; a quarter of the whole frame is what broadcasters count (ITU-R BT.1702). Both are measured here.
Squares finer than the cells cancel out, as the standard's exception for fine patterns wants. Knows nothing of the film.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

LIMIT = 3  # flashes in any one second
STEP, BRIGHT = 0.1, 0.8  # of relative luminance
RED, RED_STEP = 0.8, 0.2
AREA = 0.25
CELLS = 64  # along the longer side
TOGETHER = 1 / 12  # seconds within which changes in several places are one change
FAINT = 0.005  # light added before hues are compared: black has none

TO_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # as in the standard, for linear sRGB
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], np.float32)  # IEC 61966-2-1


@dataclass(frozen=True)
class Flashes:
    """The most flashes in any one second, and when that second begins."""

    count: int
    time: float

    @property
    def is_safe(self) -> bool:
        return self.count <= LIMIT


class FlashCounter:
    """Takes frames as linear light, float32 RGB [height, width, 3], with their times.

    `share` of the standard's steps and areas counts here: below 1 leaves room for what an encoder adds.
    """

    def __init__(self, share: float = 1.0) -> None:
        self._general, self._red = Swings(share * STEP), _RedSwings(share * RED_STEP)
        self._areas = {name: (_Alternation(measure, share * AREA), _Alternation(measure, share * AREA)) for name, measure in AREAS.items()}

    def add(self, time: float, light: np.ndarray) -> None:
        import cv2

        height, width = light.shape[:2]
        scale = min(1.0, CELLS / max(height, width))
        cells = cv2.resize(light, (max(1, round(width * scale)), max(1, round(height * scale))), interpolation=cv2.INTER_AREA)
        general, red = self._general.follow(cells @ TO_LUMINANCE), self._red.follow(cells)
        for general_area, red_area in self._areas.values():
            general_area.add(time, *general)
            red_area.add(time, *red)

    def general(self, area: str = "frame") -> Flashes:
        """`area` is one of AREAS."""
        return count_flashes(self._areas[area][0].times)

    def red(self, area: str = "frame") -> Flashes:
        return count_flashes(self._areas[area][1].times)

    def most(self) -> int:
        """The most flashes in any one second, of either kind, in whichever area."""
        return max(count_flashes(kind.times).count for area in self._areas.values() for kind in area)

    def forget(self, before: float) -> None:
        """Leaves out what happened earlier, so that an endless film needs no more than a second of memory."""
        for kind in (kind for area in self._areas.values() for kind in area):
            kind.times = [time for time in kind.times if time >= before]


def count_flashes(times: list[float]) -> Flashes:
    """Changes to and fro -> the most pairs of them in any one second."""
    moments = np.asarray(times)
    inside = np.searchsorted(moments, moments + 1.0 - 1e-6) - np.arange(len(moments))
    if not len(inside) or inside.max() < 2:
        return Flashes(0, 0.0)
    return Flashes(int(inside.max()) // 2, float(moments[inside.argmax()]))


def to_light(pixels: np.ndarray) -> np.ndarray:
    """uint8 sRGB -> linear light 0..1, float32, by the standard's formula."""
    return _LIGHT[pixels]


def _make_light() -> np.ndarray:
    values = np.arange(256) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LIGHT = _make_light()


def _share_of_frame(cells: np.ndarray) -> float:
    return float(cells.mean())


def _share_of_field(cells: np.ndarray) -> float:
    """The largest share in any window of a third of the width and height."""
    import cv2

    height, width = cells.shape
    size = (max(1, round(width / 3)), max(1, round(height / 3)))
    shares = cv2.blur(cells.astype(np.float32), size, borderType=cv2.BORDER_REPLICATE)
    return float(shares[size[1] // 2 : height - size[1] // 2, size[0] // 2 : width - size[0] // 2].max(initial=0.0))


AREAS: dict[str, Callable[[np.ndarray], float]] = {"frame": _share_of_frame, "field": _share_of_field}


class Swings:
    """Each cell's luminance, followed from peak to valley to peak; a swing is a `step` or more."""

    def __init__(self, step: float = STEP) -> None:
        self._step = step
        self._low = self._high = self._direction = np.zeros(())

    def follow(self, luminance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which cells have now risen by a step since their last valley, and which have fallen since their last peak."""
        if not self._direction.shape:
            self._low = self._high = luminance
            self._direction = np.zeros(luminance.shape, np.int8)
        rises = (self._direction != 1) & (luminance - self._low >= self._step) & (self._low < BRIGHT)
        falls = (self._direction != -1) & (self._high - luminance >= self._step) & (luminance < BRIGHT)
        self._direction = np.where(rises, 1, np.where(falls, -1, self._direction)).astype(np.int8)
        self._low = np.where(self._direction == 1, luminance, np.minimum(self._low, luminance))
        self._high = np.where(self._direction == -1, luminance, np.maximum(self._high, luminance))
        return rises, falls & ~rises


class _RedSwings:
    """Each cell's hue, followed into saturated red and out of it."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._is_red, self._hue = np.zeros((), bool), np.zeros(())

    def follow(self, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Which cells have now become saturated red, and which have left it."""
        visible = light + FAINT
        red = visible[..., 0] >= RED * visible.sum(axis=-1)
        xyz = visible @ TO_XYZ.T
        hue = np.stack([4 * xyz[..., 0], 9 * xyz[..., 1]], axis=-1) / (xyz @ np.array([1, 15, 3], np.float32))[..., None]
        if not self._is_red.shape:
            self._is_red, self._hue = red, hue
        far = np.linalg.norm(hue - self._hue, axis=-1) > self._step
        turns, leaves = ~self._is_red & red & far, self._is_red & ~red & far
        self._is_red = (self._is_red | turns) & ~leaves
        self._hue = np.where((red == self._is_red)[..., None], hue, self._hue)  # where the swing last stood
        return turns, leaves


class _Alternation:
    """Changes of cells -> when enough of the picture changed at once, the other way than last time."""

    def __init__(self, measure: Callable[[np.ndarray], float], area: float) -> None:
        self.times: list[float] = []
        self._measure, self._area, self._direction = measure, area, 0
        self._latest: list[np.ndarray] = []

    def add(self, time: float, rises: np.ndarray, falls: np.ndarray) -> None:
        if not self._latest:
            self._latest = [np.full(rises.shape, -np.inf), np.full(rises.shape, -np.inf)]
        for latest, changed in zip(self._latest, (rises, falls), strict=True):
            latest[changed] = time
        if not (rises.any() or falls.any()):
            return
        up, down = (self._measure(time - latest < TOGETHER) for latest in self._latest)
        direction = 1 if up >= down else -1
        if max(up, down) < self._area or (direction == self._direction and min(up, down) < self._area):
            return
        self._direction = -self._direction or direction
        self.times.append(time)
        for latest in self._latest:
            latest.fill(-np.inf)
