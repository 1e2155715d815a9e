"""Frames -> the cuts that can be seen in them, and how they lie beside those that were planned.

A cut is a step that neither motion nor exposure explains and that stands out from those around it. Cuts are looked for
in the picture alone; only how faint one may be depends on whether one was planned nearby. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .frame_series import FrameSeries

JUMP, FAINT_JUMP = 0.06, 0.03  # of full scale; the fainter one where a cut is planned nearby
STANDS_OUT = 3.0  # times the steps around it
AROUND = 0.5  # seconds
APART = 0.1  # seconds: of two changes closer than that the larger one is the cut
REACH = 1.0  # seconds from a planned cut within which a found one is taken for it
ROUNDING = 0.001  # seconds: some files keep times to the millisecond


@dataclass(frozen=True)
class Cut:
    """A planned cut and where it was found; both are None where it was not."""

    planned: float
    found: float | None
    error: float | None  # found later than planned: positive


@dataclass(frozen=True)
class CutMatch:
    cuts: tuple[Cut, ...]
    elsewhere: tuple[float, ...]  # times of cuts that nobody planned

    @property
    def errors(self) -> tuple[float, ...]:
        return tuple(cut.error for cut in self.cuts if cut.error is not None)


def find_cuts(series: FrameSeries, planned: list[float]) -> list[int]:
    """The numbers of the frames that begin another picture."""
    jump, times = series.steps["jump"], series.times
    near = np.zeros(len(times), bool)
    for time in planned:
        near |= np.abs(times - time) <= REACH / 2
    found: list[int] = []
    for index in np.flatnonzero(jump >= np.where(near, FAINT_JUMP, JUMP)):
        around = np.flatnonzero((np.abs(times - times[index]) <= AROUND) & (np.arange(len(times)) != index))
        around = around[around > 0]  # the first frame has no step
        if len(around) and jump[index] < STANDS_OUT * np.median(jump[around]):
            continue
        if found and times[index] - times[found[-1]] < APART:
            if jump[index] > jump[found[-1]]:
                found[-1] = int(index)
            continue
        found.append(int(index))
    return found


def match_cuts(found: list[float], planned: list[float]) -> CutMatch:
    """Each planned cut takes the nearest found one that lies nearer to it than to any other planned one."""
    edges = [-np.inf, *((left + right) / 2 for left, right in pairwise(planned)), np.inf]
    cuts, taken = [], set()
    for time, (low, high) in zip(planned, pairwise(edges), strict=True):
        near = [moment for moment in found if low <= moment < high and abs(moment - time) <= REACH]
        best = min(near, key=lambda moment: abs(moment - time), default=None)
        taken.add(best)
        cuts.append(Cut(time, best, None if best is None else best - time))
    return CutMatch(tuple(cuts), tuple(moment for moment in found if moment not in taken))
