"""A pulse -> the same music counted at the pace people tap: as it is, or half as fast.

A tracker may count the off-beats too. They give themselves away: every other beat is then weaker in the lows *and* in the
highs, as a hat between drums is. Kick and snare in turn are both beats, for each is the stronger one in its own register.
"""

from __future__ import annotations

import numpy as np

from .activations import Activations
from .beats import SLOWEST, Pulse, find_related_pulse
from .recording import Progress
from .spectrum import STEP_RATE, STEPS, Spectrum

# How much weaker, in nats of amplitude, off-beats must be. Of 75 loops and grooves, the drum loops that were counted twice
# too fast had 1.0 to 1.6, pieces counted right at most 0.7; softer music counted twice too fast goes unnoticed.
OFF_BEAT = 0.8
LEAST = 0.05  # in each of lows and highs
FEWEST_BEATS = 8
SOUNDING, BEFORE = (0.0, 0.05), (-0.035, -0.009)  # seconds around a beat


def choose_octave(activations: Activations, spectrum: Spectrum, pulse: Pulse, times: np.ndarray, on_progress: Progress) -> Pulse:
    """The pulse itself, or one at half its tempo if every other beat is an off-beat; `times` are the beats' exact places."""
    if len(times) < FEWEST_BEATS or pulse.tempo < 2 * SLOWEST:
        return pulse
    if measure_alternation(spectrum, times) < OFF_BEAT:
        return pulse
    return find_related_pulse(activations, pulse, 0.5, on_progress)


def measure_alternation(spectrum: Spectrum, times: np.ndarray) -> float:
    """How much weaker every other beat is in both lows and highs, in nats of amplitude; 0 or less if not in both.

    Of each four beats the weaker of the strong pair counts, so that one accent a bar does not make off-beats of the rest.
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
