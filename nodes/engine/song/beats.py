"""Activations -> beats: one most likely path through tempo and place in the beat.

The state space is the bar pointer of Krebs, Boeck & Widmer (2015) with a bar of one beat: a state is a beat period and
how far through it we are; the period may change only at a beat, and the less the likelier. Bars are `metre.py`'s.
Conventions: times in seconds, periods and places in frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .activations import Activations
from .attacks import find_summit
from .recording import Progress

SLOWEST, FASTEST = 50.0, 215.0  # beats per minute
STEADINESS = 150.0  # the price of a tempo change
BEAT_SHARE = 12  # a beat takes 1/12 of its period
PRIOR_TEMPO, PRIOR_WIDTH, PRIOR_FLOOR = 105.7, 0.668, 0.005  # what tempo people tap: log-normal, width in octaves
COMB = ((1, 1.0), (2, 0.7), (3, 0.3), (4, 0.7), (0.5, 0.25))  # a pulse also repeats at these multiples of its period
STRETCH = 8.0  # seconds of music in which a period is sought
STILL_PLAYED = 0.25  # of the usual attack: weaker first and last beats are not played
SLACK = 5  # frames: periods are whole frames, so the path drifts by some before it is a period too far off
REPORT_EVERY = 2048  # frames
NEAR = 1.07  # a related pulse is sought this much beside the tempi of the first,
FAR = 1.3  # but not further from its usual tempo


@dataclass(frozen=True)
class Pulse:
    """Beats without bars."""

    frames: np.ndarray  # int, where the activations peak
    times: np.ndarray  # seconds, the same between frames

    @property
    def tempo(self) -> float:
        """Beats per minute: the usual one, if it changes."""
        return 60.0 / float(np.median(np.diff(self.times))) if len(self.times) > 1 else 0.0


def find_pulse(activations: Activations, on_progress: Progress, slowest: float = SLOWEST, fastest: float = FASTEST) -> Pulse:
    """The most likely beats between two tempi, in beats per minute."""
    return find_pulses(activations, [(slowest, fastest)], on_progress)[0]


def find_pulses(activations: Activations, ranges: Sequence[tuple[float, float]], on_progress: Progress) -> list[Pulse]:
    """The most likely beats within each of some ranges of tempo, in one way through the song."""
    rate, repeats = activations.rate, _measure_repeats(activations)
    blocks = [np.arange(max(2, int(60 * rate / fastest)), int(np.ceil(60 * rate / slowest)) + 1) for slowest, fastest in ranges]
    change = np.full((sum(map(len, blocks)),) * 2, -np.inf)
    first = 0
    for periods in blocks:
        weights = np.maximum(_weigh_periods(repeats, periods, rate), PRIOR_FLOOR)
        change[first : first + len(periods), first : first + len(periods)] = _change_costs(periods) + np.log(weights)
        first += len(periods)
    found = _decode(activations.beat, blocks, change, on_progress)
    times = [_place(frames, activations) for frames in found]
    return [Pulse(np.round(moments * rate).astype(int), moments) for moments in times]


def find_related_pulses(activations: Activations, pulse: Pulse, factors: Sequence[float], on_progress: Progress) -> list[Pulse]:
    """Beats at about some multiples of the tempo of a pulse of three beats or more, each sought anew in the music."""
    local = 60.0 / np.diff(pulse.times)
    slowest, fastest = np.percentile(local, 3) / NEAR, np.percentile(local, 97) * NEAR
    slowest, fastest = max(slowest, pulse.tempo / FAR), min(fastest, pulse.tempo * FAR)
    return find_pulses(activations, [(factor * slowest, factor * fastest) for factor in factors], on_progress)


def measure_periodicity(activations: Activations) -> np.ndarray:
    """How much each stretch of 8 s repeats itself at each lag in frames, -1..1, [stretches, lags]; a stretch starts every 2 s."""
    size = int(STRETCH * activations.rate)
    signal = np.pad(activations.strength - activations.strength.mean(), (0, max(0, size - len(activations.strength))))
    bias = np.maximum(1 - np.arange(size) / size, 0.15)
    rows = []
    for first in range(0, len(signal) - size + 1, size // 4):
        part = np.fft.rfft(signal[first : first + size] * np.hanning(size), 2 * size)
        repeats = np.fft.irfft(np.square(np.abs(part)))[:size]
        rows.append((repeats / (repeats[0] + 1e-9) / bias).astype(np.float32))
    return np.array(rows)


def measure_regularity(pulse: Pulse, stretches: np.ndarray) -> float:
    """How much the music repeats itself one to four beats later, -1..1, each stretch of `measure_periodicity` by its own tempo."""
    starts = np.arange(len(stretches)) * (stretches.shape[1] // 4)
    middles, gaps = (pulse.frames[:-1] + pulse.frames[1:]) / 2, np.diff(pulse.frames)
    found = []
    for repeats, start in zip(stretches, starts, strict=True):
        near = np.abs(middles - start - len(repeats) / 2) < len(repeats) / 2
        if near.any():
            lags = np.clip(np.round(np.median(gaps[near]) * np.arange(1, 5)).astype(int), 2, len(repeats) - 3)
            found.append(max(float(repeats[lag - 2 : lag + 3].max()) for lag in lags))
    return float(np.mean(found)) if found else 0.0


def _measure_repeats(activations: Activations) -> np.ndarray:
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(np.maximum(measure_periodicity(activations).mean(axis=0), 0), 1.0)


def _weigh_periods(repeats: np.ndarray, periods: np.ndarray, rate: float) -> np.ndarray:
    """How plausible each period is for the whole song, the best 1 (comb on the autocorrelation, Klapuri et al. 2006)."""
    salience = np.sum([weight * np.interp(periods * multiple, np.arange(len(repeats)), repeats) for multiple, weight in COMB], axis=0)
    salience = (salience - salience.min()) / (np.ptp(salience) + 1e-9)
    octaves = np.log2(60 * rate / periods / PRIOR_TEMPO)
    weights = salience * np.exp(-0.5 * (octaves / PRIOR_WIDTH) ** 2)
    return weights / (weights.max() + 1e-12)


def _decode(likelihood: np.ndarray, blocks: Sequence[np.ndarray], change: np.ndarray, on_progress: Progress) -> list[np.ndarray]:
    """Viterbi over (period, place in the beat); only the choices at beats need remembering. Beat frames, int, of each block of periods.

    Blocks never meet: `change`, log [periods, periods], is -inf from one to another.
    """
    periods = np.concatenate(blocks)
    on_beat = np.log(likelihood)
    off_beat = np.log((1 - likelihood) / (BEAT_SHARE - 1))
    ends = np.cumsum(periods)
    starts = ends - periods
    in_beat = np.concatenate([np.arange(period) < max(1, int(np.ceil(period / BEAT_SHARE))) for period in periods])
    choices = np.zeros((len(likelihood), len(periods)), np.int16)
    scores, after = np.zeros(ends[-1]), np.empty(ends[-1])
    columns = np.arange(len(periods))
    gains = np.where(in_beat, 1.0, 0.0)
    for frame in range(len(likelihood)):
        arrivals = scores[ends - 1][:, None] + change
        best = arrivals.argmax(axis=0)
        choices[frame] = best
        after[1:] = scores[:-1]
        after[starts] = arrivals[best, columns]
        after += gains * (on_beat[frame] - off_beat[frame]) + off_beat[frame]
        scores, after = after, scores
        if frame % REPORT_EVERY == 0:
            on_progress(frame, len(likelihood))
    edges = np.concatenate([[0], ends[np.cumsum([len(block) for block in blocks]) - 1]]).tolist()
    lasts = [first + int(scores[first:end].argmax()) for first, end in pairwise(edges)]
    return [_trace_back(last, choices, periods, starts) for last in lasts]


def _change_costs(periods: np.ndarray) -> np.ndarray:
    """Log probability of going from one period [rows] to the next [columns]."""
    chances = np.exp(-STEADINESS * np.abs(periods[None, :] / periods[:, None] - 1))
    return np.log(np.maximum(chances / chances.sum(axis=1, keepdims=True), 1e-300))


def _trace_back(state: int, choices: np.ndarray, periods: np.ndarray, starts: np.ndarray) -> np.ndarray:
    index = int(np.searchsorted(starts, state, side="right")) - 1
    frame = len(choices) - 1 - (state - int(starts[index]))
    beats = []
    while frame >= 0:
        beats.append(frame)
        index = int(choices[frame, index])
        frame -= int(periods[index])
    return np.array(beats[::-1], int)


def average_peak(curve: np.ndarray, frames: np.ndarray) -> float:
    """Mean, over some frames, of a curve's highest value within 23 ms."""
    return float(np.mean([curve[max(frame - 2, 0) : frame + 3].max() for frame in frames]))


def trim_pulse(pulse: Pulse, attack: np.ndarray) -> Pulse:
    """Without the beats before the first and after the last strong attack (strength per frame, [frames]).

    The path runs on through silence and a last chord's ringing, where nobody plays it.
    """
    if len(pulse.frames) < 2:
        return Pulse(pulse.frames[:0], pulse.times[:0])
    heard = np.array([attack[max(frame - 3, 0) : frame + 4].max() for frame in pulse.frames])
    strong = np.flatnonzero(heard >= STILL_PLAYED * np.median(heard[heard > 0]) if heard.any() else heard > 0)
    kept = slice(strong[0], strong[-1] + 1) if len(strong) else slice(0)
    return Pulse(pulse.frames[kept], pulse.times[kept])


def _place(frames: np.ndarray, activations: Activations) -> np.ndarray:
    """Rough times: each beat on the strongest frame within 60 ms, between frames by a parabola."""
    strength = activations.strength
    peaks = [max(frame - SLACK, 0) + int(np.argmax(strength[max(frame - SLACK, 0) : frame + SLACK + 1])) for frame in frames.tolist()]
    return np.array([peak + find_summit(strength, peak) for peak in peaks]) / activations.rate
