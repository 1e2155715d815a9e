"""Beats and bars -> how far they can be trusted, 0..1.

The tracker always answers, even to noise; here the music is asked whether it agrees. Logistic models, one for each listener,
with coefficients set by rendered music with known beats and by sounds without any: `tests/bench/fit_beats.py` refits them,
so that of pieces called 0.8 or more, of kinds of music held out, 95 % are right; `bench_beats.py` measures how honest they are.
Knows nothing of what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import Activations
from .beats import Pulse, average_peak, measure_periodicity, measure_regularity
from .metre import Bars

FEWEST_BEATS = 4
AUDIBLE = 0.15  # attacks weaker than this, on the whole, are a tone's ripples
ENOUGH = 3.0  # nats; more says no more
USUAL_TEMPO = 120.0  # beats a minute


@dataclass(frozen=True)
class _Model:
    beats: tuple[float, ...]  # weights of what `describe_facts` finds
    beats_offset: float
    bars: tuple[float, float]  # weights of margin and contrast
    bars_offset: float


BY_ATTACKS = _Model((1.96, 3.74, 2.17, 0.46, 0.3, -2.66), -6.00, (0.52, 0.89), -0.98)
BY_NETWORK = _Model((-1.92, 4.79, 6.52, 0.41, -0.08, -0.06), -7.71, (0.68, 1.11), -1.80)


def trust_beats(pulse: Pulse, activations: Activations, attack: np.ndarray, chance: float | None) -> float:
    """Probability that the beats are right: 0 for less than four.

    `chance` is how likely this way to count the music is among the others; None: the pace is chosen by hand, so there is no doubt about it.
    """
    if len(pulse.frames) < FEWEST_BEATS:
        return 0.0
    model, strength = _choose_model(activations), average_peak(attack, pulse.frames)
    facts = describe_facts(pulse, activations, strength, chance)
    return _logistic(float(facts @ model.beats) + model.beats_offset) * min(1.0, strength / AUDIBLE) ** 2


def trust_bars(bars: Bars, activations: Activations, beat_confidence: float) -> float:
    """Probability that the downbeats are right, never more than the beats'."""
    if not bars.metre:
        return 0.0
    model = _choose_model(activations)
    return beat_confidence * _logistic(float(np.clip([bars.margin, bars.contrast], -ENOUGH, ENOUGH) @ model.bars) + model.bars_offset)


def describe_facts(pulse: Pulse, activations: Activations, strength: float, chance: float | None) -> np.ndarray:
    """All that is judged by, [6]; no doubt speaks where the way to count was chosen by hand."""
    doubt = describe_doubt(pulse, activations, chance) if chance is not None else np.array([ENOUGH, 0.0, 0.0])
    return np.concatenate([describe_pulse(pulse, activations, strength), doubt])


def describe_pulse(pulse: Pulse, activations: Activations, strength: float) -> np.ndarray:
    """How much the listener's answer repeats itself after a beat, how far beats stand out in it, and how high they are.

    Of attacks, the height is their `strength` in the music, because their likelihoods are scaled to each song.
    """
    on_beat = average_peak(activations.beat, pulse.frames)
    standing_out = on_beat - average_peak(activations.beat, _between(pulse.frames))
    height = strength if activations.downbeat is None else on_beat
    return np.array([measure_regularity(pulse, measure_periodicity(activations)), standing_out, height])


def describe_doubt(pulse: Pulse, activations: Activations, chance: float) -> np.ndarray:
    """What speaks for another pace: the log odds of this way to count, how high the listener's answer is half-way between beats,
    and how many octaves the tempo is from the usual one."""
    odds = float(np.clip(np.log(max(chance, 1e-6) / max(1 - chance, 1e-6)), -ENOUGH, ENOUGH))
    halfway = average_peak(activations.beat, (pulse.frames[:-1] + pulse.frames[1:]) // 2)
    return np.array([odds, halfway, abs(float(np.log2(pulse.tempo / USUAL_TEMPO)))])


def _choose_model(activations: Activations) -> _Model:
    return BY_ATTACKS if activations.downbeat is None else BY_NETWORK


def _between(frames: np.ndarray) -> np.ndarray:
    """Places inside the beats where music need not have an attack: a third and 0.4 of the way on, in turn."""
    gaps = np.diff(frames)
    shares = np.resize([0.3, 0.4, 0.6, 0.7], len(gaps))
    return np.round(frames[:-1] + shares * gaps).astype(int)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
