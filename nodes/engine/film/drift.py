"""Frames and shots -> how steady each shot is: flicker, and how its colour, contrast and sharpness drift while it lasts.

A drift compares the median of a shot's last third with that of its first, so that single accents do not count.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .frame_series import FrameSeries

FEWEST = 6  # frames of a shot that can be said to drift
TINY = 1e-4  # of full scale: added before shares are taken


@dataclass(frozen=True)
class ShotSteadiness:
    number: int  # from 1
    start: float
    end: float
    flicker: float | None  # mean, share of full scale; None for a shot of one frame
    colour: float | None  # distance in CIE Lab (CIE 1976); 2.3 is just noticeable; None for a short shot
    contrast: float | None  # change as a share: 0.1 is a tenth more
    sharpness: float | None


def measure_shots(series: FrameSeries, edges: list[float], cuts: list[int]) -> tuple[ShotSteadiness, ...]:
    """`edges`: where shots begin and the last one ends. Steps into a cut are no flicker."""
    shots = []
    quarter = np.diff(series.times).mean() / 4 if len(series) > 1 else 0.0  # a frame that begins at the edge belongs to the shot
    for number, (start, end) in enumerate(zip(edges[:-1], edges[1:], strict=True), start=1):
        frames = np.flatnonzero((series.times >= start - quarter) & (series.times < end - quarter))
        steps = np.setdiff1d(frames, [0, *cuts])
        flicker = float(series.steps["flicker"][steps].mean()) if len(steps) else None
        shots.append(ShotSteadiness(number, start, end, flicker, *_drifts(series, frames)))
    return tuple(shots)


def _drifts(series: FrameSeries, frames: np.ndarray) -> tuple[float | None, float | None, float | None]:
    """Of colour, contrast and sharpness."""
    if len(frames) < FEWEST:
        return None, None, None
    third = len(frames) // 3
    first, last = frames[:third], frames[-third:]
    colour = float(np.linalg.norm(np.median(series.colours[last], axis=0) - np.median(series.colours[first], axis=0)))
    shares = [
        float((np.median(series.looks[name][last]) + TINY) / (np.median(series.looks[name][first]) + TINY) - 1)
        for name in ("contrast", "sharpness")
    ]
    return colour, shares[0], shares[1]
