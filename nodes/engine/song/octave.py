"""A pulse -> the same music counted at the pace people tap: as it is, or at a third, half, two thirds ... three times its tempo.

The decoder often settles on the wrong layer of the right pulse. So each layer is decoded, its bars are found, and the
evidence is weighed: how much its beats, and what lies between them, sound like beats; whether every second or third of its
beats is less likely one; how many of the likely moments it explains; how clear its bars are; the tempo. A conditional logit
model, fitted on music with known beats (`tests/bench/fit_beats.py`), gives each layer its probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .activations import Activations
from .attacks import place_attacks
from .beats import Pulse, average_peak, find_related_pulses, measure_periodicity, measure_regularity, trim_pulse
from .metre import Bars, find_bars
from .recording import PERCENT, Progress, share_progress
from .spectrum import STEP_RATE, STEPS, Spectrum

FACTORS = (1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0)
SLOWEST_COUNT, FASTEST_COUNT = 40.0, 260.0  # beats per minute
USUAL_TEMPO, TOO_FAST = 110.0, 160.0
FEWEST_BEATS = 6
DECODING = (10, 40)  # percent of the work: the pulse itself is counted before, the others after
LEAST = 0.05  # in each of lows and highs
LIKELY = 0.15  # moments at least this likely want to be explained
BESIDE = 4  # frames
ENOUGH = 3.0  # nats; more says no more
SOUNDING, BEFORE = (0.0, 0.05), (-0.035, -0.009)  # seconds around a beat

# The evidence in the order of `_weigh`, and what each counts for where attacks and where the network listens.
WEIGHTS = {
    "likelihood of the beats": (8.06, 5.39),
    "half-way between them": (-0.9, -2.86),
    "a third and two thirds on": (-8.31, -6.04),
    "of the weaker beats of two, as a share": (-0.64, -0.12),
    "of the weakest of three, as a share": (0.21, -1.94),
    "likely moments explained": (-0.43, -0.98),
    "log odds of the beats": (0.54, 0.61),
    "margin of the metre": (0.08, 0.15),
    "contrast of the bars": (0.32, -0.24),
    "weaker off-beats": (-0.05, -0.04),
    "likelihood of first beats": (0.0, 4.33),
    "regularity": (6.17, 1.84),
    "octaves above the usual tempo": (1.65, 0.19),
    "those, squared": (-1.77, -1.14),
    "octaves above a fast tempo": (-0.72, 2.66),
    "four beats a bar": (0.47, 0.19),
}
BY_ATTACKS, BY_NETWORK = zip(*WEIGHTS.values(), strict=True)


@dataclass(frozen=True)
class Count:
    """One way to count the music."""

    pulse: Pulse
    bars: Bars
    evidence: np.ndarray  # [16], in the order of WEIGHTS


def count_beats(
    spectrum: Spectrum, activations: Activations, pulse: Pulse, attack: np.ndarray, metres: Sequence[int], on_progress: Progress
) -> tuple[Count, float]:
    """The likeliest way to count the music, and how likely it is against the others; `pulse` is the decoder's."""
    counts = list_counts(spectrum, activations, pulse, attack, metres, on_progress)
    return choose_count(counts, BY_ATTACKS if activations.downbeat is None else BY_NETWORK)


def choose_count(counts: Sequence[Count], weights: Sequence[float]) -> tuple[Count, float]:
    """The likeliest of some ways to count, and its chance, 0..1."""
    scores = np.array([count.evidence for count in counts]) @ weights
    chances = np.exp(scores - scores.max())
    return counts[int(scores.argmax())], float(1 / chances.sum())


def list_counts(
    spectrum: Spectrum, activations: Activations, pulse: Pulse, attack: np.ndarray, metres: Sequence[int], on_progress: Progress
) -> list[Count]:
    """Every way to count that has six beats or more; at least the pulse itself."""
    stretches = measure_periodicity(activations)

    def count(beats: Pulse, first: int, last: int) -> Count:
        bars = find_bars(spectrum, beats, activations, metres, share_progress(on_progress, first, last))
        few = len(beats.frames) < FEWEST_BEATS
        evidence = np.zeros(len(BY_NETWORK)) if few else _weigh(spectrum, activations, beats, bars, measure_regularity(beats, stretches))
        return Count(beats, bars, evidence)

    counts = [count(trim_pulse(pulse, attack), 0, DECODING[0])]
    factors = [factor for factor in FACTORS if factor != 1 and SLOWEST_COUNT <= factor * pulse.tempo <= FASTEST_COUNT]
    if not factors or len(pulse.frames) < FEWEST_BEATS:
        return counts
    found = find_related_pulses(activations, pulse, factors, share_progress(on_progress, *DECODING))
    trimmed = [beats for other in found if len((beats := trim_pulse(other, attack)).frames) >= FEWEST_BEATS]
    edges = np.linspace(DECODING[1], PERCENT, len(trimmed) + 1).astype(int).tolist()
    return counts + [count(beats, first, last) for beats, first, last in zip(trimmed, edges, edges[1:], strict=False)]


def _weigh(spectrum: Spectrum, activations: Activations, pulse: Pulse, bars: Bars, regularity: float) -> np.ndarray:
    frames, likely, gaps = pulse.frames, activations.beat, np.diff(pulse.frames)
    heights = np.array([likely[max(frame - 2, 0) : frame + 3].max() for frame in frames])
    thirds = [average_peak(likely, frames[:-1] + part * gaps // 3) for part in (1, 2)]
    firsts = frames[bars.positions == 1]
    octaves = float(np.log2(max(pulse.tempo, 1.0) / USUAL_TEMPO))
    return np.array(
        [
            heights.mean(),
            average_peak(likely, frames[:-1] + gaps // 2),
            np.mean(thirds),
            _compare_phases(heights, 2),
            _compare_phases(heights, 3),
            _explain(likely, frames),
            np.log(heights / (1 - heights)).mean(),
            min(bars.margin, ENOUGH),
            min(bars.contrast, ENOUGH),
            measure_alternation(spectrum, place_attacks(pulse.times, spectrum)),
            average_peak(activations.downbeat, firsts) if activations.downbeat is not None and len(firsts) else 0.0,
            regularity,
            octaves,
            octaves**2,
            max(octaves - float(np.log2(TOO_FAST / USUAL_TEMPO)), 0.0),
            float(bars.metre == 4),
        ]
    )


def _compare_phases(heights: np.ndarray, every: int) -> float:
    """How likely the least likely of every second (third) beats are, as a share of the likeliest."""
    means = [float(heights[phase::every].mean()) for phase in range(every)]
    return min(means) / (max(means) + 1e-9)


def _explain(likely: np.ndarray, frames: np.ndarray) -> float:
    """The share of the likely moments, from the first beat to the last, that have a beat."""
    from scipy.signal import find_peaks

    peaks, facts = find_peaks(likely, height=LIKELY)
    heights = facts["peak_heights"][(peaks >= frames[0] - BESIDE) & (peaks <= frames[-1] + BESIDE)]
    peaks = peaks[(peaks >= frames[0] - BESIDE) & (peaks <= frames[-1] + BESIDE)]
    after = np.clip(np.searchsorted(frames, peaks), 1, len(frames) - 1)
    apart = np.minimum(np.abs(peaks - frames[after - 1]), np.abs(peaks - frames[after]))
    return float(heights[apart <= BESIDE].sum() / (heights.sum() + 1e-9))


def measure_alternation(spectrum: Spectrum, times: np.ndarray) -> float:
    """How much weaker every other beat is in both lows and highs, in nats of amplitude; 0 or less if not in both.

    A hat between drums is; kick and snare in turn are not, for each is the stronger one in its own register. Of each four
    beats the weaker of the strong pair counts, so that one accent a bar does not make off-beats of the rest.
    """
    rises = np.log(np.array([_rise(spectrum.energy, time) for time in times.tolist()]) + 1e-6)
    phases = np.array([np.median(rises[phase::4], axis=0) for phase in range(4)])
    odd, even = phases[::2], phases[1::2]
    ratios = max((odd.min(axis=0) - even.max(axis=0), even.min(axis=0) - odd.max(axis=0)), key=lambda pair: float(pair.min()))
    return float(ratios.mean() if ratios.min() > LEAST else ratios.min())


def _rise(energy: np.ndarray, time: float) -> np.ndarray:
    """Root of the energy that a beat adds, of the wave (lows) and of its slope (highs)."""
    place = time * STEP_RATE + STEPS / 2
    sounding, before = (
        np.clip(np.round([place + edge * STEP_RATE for edge in span]), 0, energy.shape[1]).astype(int) for span in (SOUNDING, BEFORE)
    )
    if sounding[0] == sounding[1]:
        return np.zeros(2)
    quiet = energy[:, before[0] : before[1]].mean(axis=1) if before[1] > before[0] else 0.0
    return np.sqrt(np.maximum(energy[:, sounding[0] : sounding[1]].mean(axis=1) - quiet, 0))
