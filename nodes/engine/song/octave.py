"""A pulse -> the same music counted at the pace people tap: as it is, half as fast, or twice.

A tracker may count the off-beats too. They give themselves away: every other beat is then weaker in the lows *and* in the
highs, as a hat between drums is. Kick and snare in turn are both beats, for each is the stronger one in its own register.
Where the network listens it must agree, and it also tells of beats that were left out: moments between slow beats that
sound like beats to it.
"""

from __future__ import annotations

import numpy as np

from .activations import Activations
from .attacks import place_attacks
from .beats import SLOWEST, Pulse, average_peak, find_related_pulse
from .recording import Progress
from .spectrum import STEP_RATE, STEPS, Spectrum

# How much weaker, in nats of amplitude, off-beats must be. Of 75 loops and grooves, the drum loops that were counted twice
# too fast had 1.0 to 1.6, pieces counted right at most 0.7; softer music counted twice too fast goes unnoticed.
OFF_BEAT = 0.8
LEAST = 0.05  # in each of lows and highs
# With the network, as 187 pieces for choosing settings had it: off-beats weaker than this, and less like beats than the others
CLEAR_OFF_BEAT, LESS_LIKELY = 1.0, 0.945
SLOW = 90.0  # beats a minute; below, moments between beats
HALF_AS_LIKELY = 0.5  # and that likely beside the beats are beats themselves
FEWEST_BEATS = 8
SOUNDING, BEFORE = (0.0, 0.05), (-0.035, -0.009)  # seconds around a beat


def choose_octave(activations: Activations, spectrum: Spectrum, pulse: Pulse, times: np.ndarray, on_progress: Progress) -> Pulse:
    """The pulse itself, or one at half or twice its tempo; `times` are the beats' exact places."""
    if len(times) < FEWEST_BEATS:
        return pulse
    if _leaves_beats_out(activations, pulse):
        double = find_related_pulse(activations, pulse, 2.0, on_progress)
        return pulse if measure_alternation(spectrum, place_attacks(double.times, spectrum)) >= CLEAR_OFF_BEAT else double
    if pulse.tempo >= 2 * SLOWEST and _counts_off_beats(activations, spectrum, pulse, times):
        return find_related_pulse(activations, pulse, 0.5, on_progress)
    return pulse


def _leaves_beats_out(activations: Activations, pulse: Pulse) -> bool:
    if activations.downbeat is None or pulse.tempo >= SLOW:
        return False
    between = average_peak(activations.beat, (pulse.frames[:-1] + pulse.frames[1:]) // 2)
    return between > HALF_AS_LIKELY * average_peak(activations.beat, pulse.frames)


def _counts_off_beats(activations: Activations, spectrum: Spectrum, pulse: Pulse, times: np.ndarray) -> bool:
    alternation = measure_alternation(spectrum, times)
    if activations.downbeat is None:
        return alternation >= OFF_BEAT
    likely = sorted(average_peak(activations.beat, pulse.frames[phase::2]) for phase in range(2))
    return alternation >= CLEAR_OFF_BEAT and likely[0] < LESS_LIKELY * likely[1]


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
