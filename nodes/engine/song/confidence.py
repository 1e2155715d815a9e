"""Beats and bars -> how far they can be trusted, 0..1.

The tracker always answers, even to noise; here the music is asked whether it agrees. Two logistic models, with coefficients
set by rendered music with known beats and by sounds without any (`tests/bench/bench_beats.py` measures how honest they
are). They say whether there is a steady pulse and whether its bars show, not which of its layers people would tap: a song
counted twice too fast is still called sure. Knows nothing of what is done with it.
"""

from __future__ import annotations

import numpy as np

from .activations import Activations
from .beats import Pulse, measure_periodicity
from .metre import Bars

FEWEST_BEATS = 4
BEAT_WEIGHTS, BEAT_OFFSET = np.array([8.0, 6.0, 3.0]), -8.0
AUDIBLE = 0.15  # attacks weaker than this, on the whole, are a tone's ripples
BAR_WEIGHTS, BAR_OFFSET = np.array([0.86, 0.94]), -1.81
ENOUGH = 3.0  # nats; more says no more


def trust_beats(pulse: Pulse, activations: Activations, attack: np.ndarray) -> float:
    """Probability that the beats are right: 0 for less than four."""
    if len(pulse.frames) < FEWEST_BEATS:
        return 0.0
    facts = describe_pulse(pulse, activations, attack)
    return _logistic(float(facts @ BEAT_WEIGHTS) + BEAT_OFFSET) * min(1.0, float(facts[2]) / AUDIBLE) ** 2


def trust_bars(bars: Bars, beat_confidence: float) -> float:
    """Probability that the downbeats are right, never more than the beats'."""
    if not bars.metre:
        return 0.0
    return beat_confidence * _logistic(float(np.clip([bars.margin, bars.contrast], -ENOUGH, ENOUGH) @ BAR_WEIGHTS) + BAR_OFFSET)


def describe_pulse(pulse: Pulse, activations: Activations, attack: np.ndarray) -> np.ndarray:
    """How much the music repeats itself after a beat, how far the beats' attacks stand out, and how strong they are."""
    regular = _measure_regularity(pulse, activations)
    on_beat = np.array([activations.beat[max(frame - 2, 0) : frame + 3].max() for frame in pulse.frames])
    between = np.array([activations.beat[max(frame - 2, 0) : frame + 3].max() for frame in _between(pulse.frames)])
    strong = np.array([attack[max(frame - 2, 0) : frame + 3].max() for frame in pulse.frames])
    return np.array([regular, float(on_beat.mean() - between.mean()), float(strong.mean())])


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
