"""A random row of screen colours, and whether a face was lit by them.

Ten colours of 0.6 s (under two changes a second, no saturated red); the skin's colour must follow them more closely than it follows
two hundred other rows. A recording or a screen does not change with our light. What it does not know: bright rooms, where nothing can
be seen (say so kindly), and a puppet whose player tints it in time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from .face import Face

PALETTE = ("#ffffff", "#141414", "#1ae633", "#264dff", "#ffd91a", "#e633e6", "#1ad9e6")
COUNT, HOLD = 10, 0.6
SECONDS = COUNT * HOLD
TAIL = 0.8
FITS, LUCK, DECOYS = 0.55, 0.01, 200
RATE = 12.0  # a second; readings are laid on this grid
SMOOTH = 37  # grid steps (3 s) of a moving mean that the camera's own exposure explains
LAGS = range(0, 11)
FEWEST = 40
SKIN = ((50, 101, 118, 117, 123, 187, 205), (280, 330, 347, 346, 352, 411, 425), (9, 107, 66, 69, 108, 151, 337, 299, 296, 336))


@dataclass(frozen=True)
class ColourRow:
    colours: tuple[int, ...]  # places in PALETTE

    def at(self, time: float) -> str:
        return PALETTE[self.colours[min(max(int(time / HOLD), 0), COUNT - 1)]]


def draw_colours(random: Random) -> ColourRow:
    """Never the same colour twice running."""
    row = [random.randrange(len(PALETTE))]
    while len(row) < COUNT:
        row.append(random.choice([colour for colour in range(len(PALETTE)) if colour != row[-1]]))
    return ColourRow(tuple(row))


def read_skin(picture: np.ndarray, face: Face) -> np.ndarray:
    """Logarithm of the mean linear colour of cheeks and forehead, float [3]."""
    import cv2

    points = face.points[:, :2]
    low = np.clip(np.floor(points.min(axis=0)).astype(int), 0, [picture.shape[1] - 2, picture.shape[0] - 2])
    high = np.maximum(np.ceil(points.max(axis=0)).astype(int) + 1, low + 2)
    crop = picture[low[1] : high[1], low[0] : high[0]]
    mask = np.zeros(crop.shape[:2], np.uint8)
    for part in SKIN:
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points[list(part)] - low).astype(np.int32)), 255)
    skin = crop[mask > 0]
    if len(skin) == 0:
        return np.zeros(3)
    return np.log((skin / 255.0) ** 2.2 + 1e-4).mean(axis=0)


def judge_light(row: ColourRow, times: Sequence[float], skin: Sequence[np.ndarray]) -> bool:
    """`times` since the first colour, `skin` from read_skin then."""
    if len(times) < FEWEST:
        return False
    grid = np.arange(0, SECONDS + TAIL, 1 / RATE)
    values = np.stack([np.interp(grid, times, np.array(skin)[:, channel]) for channel in range(3)], axis=1)
    random = Random()
    decoys = [draw_colours(random) for _ in range(DECOYS)]
    fits = _fit([row, *decoys], _detrend(values[None])[0], grid)
    luck = (1 + int((fits[1:] >= fits[0]).sum())) / (1 + DECOYS)
    return bool(fits[0] >= FITS and luck <= LUCK)


def _fit(rows: Sequence[ColourRow], values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The best mean correlation of the three channels over all delays, for each row."""
    palette = np.array([[int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)] for colour in PALETTE])
    best = np.full(len(rows), -1.0)
    for lag in LAGS:
        steps = np.clip(((grid - lag / RATE) / HOLD).astype(int), 0, COUNT - 1)
        light = _detrend(palette[np.array([row.colours for row in rows])][:, steps])
        a, b = light[:, 6:] - light[:, 6:].mean(axis=1, keepdims=True), values[6:] - values[6:].mean(axis=0)
        scale = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=0)) + 1e-9
        best = np.maximum(best, ((a * b).sum(axis=1) / scale).mean(axis=1))
    return best


def _detrend(series: np.ndarray) -> np.ndarray:
    """Series [P, N, 3] less their moving mean."""
    half = SMOOTH // 2
    padded = np.pad(series, ((0, 0), (half, half), (0, 0)), "edge").cumsum(axis=1)
    padded = np.concatenate([np.zeros_like(padded[:, :1]), padded], axis=1)
    return series - (padded[:, SMOOTH:] - padded[:, :-SMOOTH]) / SMOOTH
