"""A pulse -> the same music counted at the pace people tap: as it is, half as fast or twice as fast.

A beat tracker hears the music's layers of pulse, but not which of them is *the* beat. Here the candidates are compared by
what distinguishes them: the tempo itself, whether every other beat is weaker (then they may be off-beats), and whether
there is anything between the beats (if not, they may be the subdivision).
"""

from __future__ import annotations

import numpy as np

from .activations import Activations
from .beats import Pulse, find_related_pulse
from .spectrum import Progress, Spectrum

SLOWEST, FASTEST = 48.0, 220.0  # beats per minute that are sought
USUAL = 110.0  # beats per minute
FEWEST_BEATS = 8
# log2(tempo / USUAL), its square, strength of the weaker of odd and even beats against the stronger in four bands, strength
# between the beats against on them in four bands, mean activation; then one bonus for being the tracker's own choice
WEIGHTS = np.array([0.0, -2.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.5, 2.0, 1.0])


def choose_octave(activations: Activations, spectrum: Spectrum, pulse: Pulse, on_progress: Progress) -> Pulse:
    """The pulse itself, or the one at half or twice its tempo if that is likelier to be the beat."""
    if len(pulse.frames) < FEWEST_BEATS:
        return pulse
    best, best_score = pulse, float(_describe(activations, spectrum, pulse) @ WEIGHTS[:-1] + WEIGHTS[-1])
    for factor in (0.5, 2.0):
        if not SLOWEST <= factor * pulse.tempo <= FASTEST:
            continue
        other = find_related_pulse(activations, pulse, factor, on_progress)
        if len(other.frames) >= FEWEST_BEATS:
            score = float(_describe(activations, spectrum, other) @ WEIGHTS[:-1])
            best, best_score = (other, score) if score > best_score else (best, best_score)
    return best


def _describe(activations: Activations, spectrum: Spectrum, pulse: Pulse) -> np.ndarray:
    octaves = float(np.log2(max(pulse.tempo, 1.0) / USUAL))
    on_beat = _strengths(spectrum, pulse.frames)
    between = _strengths(spectrum, (pulse.frames[:-1] + pulse.frames[1:]) // 2).mean(axis=0)
    halves = sorted((on_beat[::2].mean(axis=0), on_beat[1::2].mean(axis=0)), key=lambda half: float(half.sum()))
    weaker = np.minimum(halves[0] / (halves[1] + 1e-3), 1.2)
    filled = np.minimum(between / (on_beat.mean(axis=0) + 1e-3), 1.2)
    return np.array([octaves, octaves**2, *weaker, *filled, activations.beat[pulse.frames].mean()])


def _strengths(spectrum: Spectrum, frames: np.ndarray) -> np.ndarray:
    """Root of the attack in four bands around each frame, [frames, 4]."""
    return np.sqrt(np.array([spectrum.flux[:, max(frame - 3, 0) : frame + 4].max(axis=1, initial=0) for frame in frames.tolist()]))
