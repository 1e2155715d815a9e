"""Beats and bars -> how far they can be trusted, 0..1.

The tracker always answers, even to noise; here the music is asked whether it agrees. Logistic models, one for each listener,
with coefficients set by rendered music with known beats and by sounds without any: `tests/bench/fit_beats.py` refits the
network's, so that of held-out pieces called 0.8 or more 95 % are right, and `bench_beats.py` measures how honest they are.
Knows nothing of what is done with it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .activations import Activations
from .beats import Pulse, average_peak, measure_periodicity
from .metre import Bars

FEWEST_BEATS = 4
AUDIBLE = 0.15  # attacks weaker than this, on the whole, are a tone's ripples
ENOUGH = 3.0  # nats; more says no more
PULSE_FACTS = 3  # how many of the facts are `describe_pulse`'s; the others are doubts
USUAL_TEMPO = 120.0  # beats a minute


@dataclass(frozen=True)
class _Model:
    beats: tuple[float, ...]  # weights of what `describe_pulse` finds, and `describe_doubt` for the network
    beats_offset: float
    bars: tuple[float, float]  # weights of margin and contrast
    bars_offset: float


# The attacks say whether there is a steady pulse, not which of its layers people would tap: a song counted twice too fast is
# still called sure.
BY_ATTACKS = _Model((8.0, 6.0, 3.0), -8.0, (0.86, 0.94), -1.81)
BY_NETWORK = _Model((2.19, 5.33, 2.13, -2.86, -2.76), -4.48, (0.64, 1.19), -1.54)


def trust_beats(pulse: Pulse, activations: Activations, attack: np.ndarray, chosen: bool = False) -> float:
    """Probability that the beats are right: 0 for less than four. `chosen`: by hand, so that there is no doubt about their pace."""
    if len(pulse.frames) < FEWEST_BEATS:
        return 0.0
    model, strength = _choose_model(activations), average_peak(attack, pulse.frames)
    facts = describe_facts(pulse, activations, strength)
    if chosen:
        facts[PULSE_FACTS:] = 0.0
    return _logistic(float(facts @ model.beats) + model.beats_offset) * min(1.0, strength / AUDIBLE) ** 2


def trust_bars(bars: Bars, activations: Activations, beat_confidence: float) -> float:
    """Probability that the downbeats are right, never more than the beats'."""
    if not bars.metre:
        return 0.0
    model = _choose_model(activations)
    return beat_confidence * _logistic(float(np.clip([bars.margin, bars.contrast], -ENOUGH, ENOUGH) @ model.bars) + model.bars_offset)


def describe_facts(pulse: Pulse, activations: Activations, strength: float) -> np.ndarray:
    """All that a listener's model judges by; attacks do not tell which layer people would tap, so only the network has doubts."""
    found = describe_pulse(pulse, activations, strength)
    return found if activations.downbeat is None else np.concatenate([found, describe_doubt(pulse, activations)])


def describe_pulse(pulse: Pulse, activations: Activations, strength: float) -> np.ndarray:
    """How much the listener's answer repeats itself after a beat, how far beats stand out in it, and how high they are.

    Of attacks, the height is their `strength` in the music, because their likelihoods are scaled to each song.
    """
    on_beat = average_peak(activations.beat, pulse.frames)
    standing_out = on_beat - average_peak(activations.beat, _between(pulse.frames))
    height = strength if activations.downbeat is None else on_beat
    return np.array([_measure_regularity(pulse, activations), standing_out, height])


def describe_doubt(pulse: Pulse, activations: Activations) -> np.ndarray:
    """What speaks for beats twice or half as fast: how high the listener's answer is half-way between beats, and how many octaves
    the tempo is from the usual one."""
    halfway = average_peak(activations.beat, (pulse.frames[:-1] + pulse.frames[1:]) // 2)
    return np.array([halfway, abs(float(np.log2(pulse.tempo / USUAL_TEMPO)))])


def _choose_model(activations: Activations) -> _Model:
    return BY_ATTACKS if activations.downbeat is None else BY_NETWORK


def _measure_regularity(pulse: Pulse, activations: Activations) -> float:
    """How much the music repeats itself one to four beats later, -1..1, each stretch by its own tempo."""
    stretches = measure_periodicity(activations)
    starts = np.arange(len(stretches)) * (stretches.shape[1] // 4)
    middles, gaps = (pulse.frames[:-1] + pulse.frames[1:]) / 2, np.diff(pulse.frames)
    found = []
    for repeats, start in zip(stretches, starts, strict=True):
        near = np.abs(middles - start - len(repeats) / 2) < len(repeats) / 2
        if near.any():
            lags = np.clip(np.round(np.median(gaps[near]) * np.arange(1, 5)).astype(int), 2, len(repeats) - 3)
            found.append(max(float(repeats[lag - 2 : lag + 3].max()) for lag in lags))
    return float(np.mean(found)) if found else 0.0


def _between(frames: np.ndarray) -> np.ndarray:
    """Places inside the beats where music need not have an attack: a third and 0.4 of the way on, in turn."""
    gaps = np.diff(frames)
    shares = np.resize([0.3, 0.4, 0.6, 0.7], len(gaps))
    return np.round(frames[:-1] + shares * gaps).astype(int)


def _logistic(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))
