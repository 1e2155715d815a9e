"""Frames and music -> whether the picture moves with the beats and the attacks.

A visible accent is a frame that stands out by a jump of zoom, a jump of brightness, or a change of the picture (a cut
is one). Knows nothing of how the accents came about. Times are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..timeline import Timeline, frame_at
from .frame_curves import TRUSTED, frame_values
from .frame_series import FrameSeries
from .seen_cuts import ROUNDING

ZOOM, GAIN, CHANGE = 0.004, 0.01, 0.005  # the smallest jumps that one sees, as shares; of brightness: Weber's law
STANDS_OUT = 2.0  # times the frames around it
AROUND = 0.5  # seconds
APART = 0.1  # seconds: the largest of the frames this close is the accent
LAGS = 0.5  # seconds to either side
ALIKE = 0.95  # of the best correlation: music repeats itself, and the nearest of such lags is meant


@dataclass(frozen=True)
class BeatHits:
    beats: int
    hits: int
    halfway: int  # of as many moments halfway between beats: what chance and busy pictures give

    @property
    def rate(self) -> float:
        return self.hits / self.beats


@dataclass(frozen=True)
class OnsetFit:
    """Pearson's correlation of the picture's changes with the onset curve: as they are, and at the best lag."""

    correlation: float
    best: float
    lag: float  # seconds by which the picture follows the music there


def find_accents(series: FrameSeries, cuts: list[int]) -> np.ndarray:
    """The numbers of the accented frames, in order."""
    zoom, gain, change = np.abs(series.steps["zoom"]), np.abs(np.log(series.steps["gain"])), series.steps["change"]
    within = np.ones(len(series), bool)
    within[cuts] = False
    signals = ((zoom * within, ZOOM), (gain * within, GAIN), (np.where(within, change, 0.0), CHANGE))
    peaks = np.concatenate([_peaks(signal, series.times, smallest) for signal, smallest in signals])
    beside = np.array([bool(cuts) and np.abs(series.times[cuts] - series.times[peak]).min() <= APART for peak in peaks], bool)
    return np.unique(np.concatenate([np.asarray(cuts, int), peaks[~beside]]))


def count_hits(timeline: Timeline, series: FrameSeries, accents: np.ndarray, fps: Fraction) -> BeatHits | None:
    """How many beats have an accent within one frame; None where there are no beats that can be trusted."""
    if timeline.beat_confidence < TRUSTED:
        return None
    frame, moments = float(1 / fps), series.times[accents]
    # The first frame has nothing before it, so that nothing can be seen there.
    beats = np.array([beat.time for beat in timeline.beats if 0.5 * frame < beat.time < series.times[-1] + frame / 2])
    if len(beats) < 2:
        return None
    halves = np.append((beats[:-1] + beats[1:]) / 2, beats[-1] + (beats[-1] - beats[-2]) / 2)
    reach = frame + ROUNDING
    return BeatHits(len(beats), _count_near(beats, moments, reach), _count_near(halves, moments, reach))


def fit_onsets(timeline: Timeline, series: FrameSeries, cuts: list[int], fps: Fraction) -> OnsetFit | None:
    """Cuts are left out: they lie on beats anyway and would drown everything else."""
    if not any(curve.name == "onset" and any(curve.values) for curve in timeline.curves):
        return None
    onset = frame_values(timeline, "onset", fps)
    numbers = np.array([frame_at(time, fps) for time in series.times])
    kept = np.ones(len(series), bool)
    kept[[0, *cuts]] = False
    change, numbers = series.steps["change"][kept], numbers[kept]
    reach = max(1, round(LAGS * fps))
    scores = np.array([_correlate(change, onset, numbers - lag) for lag in range(-reach, reach + 1)])
    alike = np.flatnonzero(scores >= ALIKE * scores.max()) if scores.max() > 0 else np.array([reach])
    top = int(alike[np.abs(alike - reach).argmin()])
    return OnsetFit(float(scores[reach]), float(scores[top]), (top - reach) / float(fps))


def _correlate(change: np.ndarray, onset: np.ndarray, numbers: np.ndarray) -> float:
    inside = (numbers >= 0) & (numbers < len(onset))
    if inside.sum() < 3:
        return 0.0
    seen, heard = change[inside], onset[numbers[inside]]
    spread = float(seen.std() * heard.std())
    return float(((seen - seen.mean()) * (heard - heard.mean())).mean() / spread) if spread > 1e-12 else 0.0


def _peaks(signal: np.ndarray, times: np.ndarray, smallest: float) -> np.ndarray:
    peaks = []
    for index in np.flatnonzero(signal >= smallest):
        distance = np.abs(times - times[index])
        near, around = signal[distance <= APART], signal[(distance <= AROUND) & (distance > 0)]
        if signal[index] >= near.max() and (not len(around) or signal[index] >= STANDS_OUT * np.median(around)):
            peaks.append(int(index))
    return np.array(peaks, int)


def _count_near(moments: np.ndarray, others: np.ndarray, reach: float) -> int:
    if not len(others):
        return 0
    return int((np.abs(moments[:, None] - others[None]).min(axis=1) <= reach).sum())
