"""Where sounds begin: onset times, and the exact place of an attack near a rough time.

A spectrum hears an attack as soon as it enters its window, 5 to 25 ms early, by how hard it is. Here the rise of
energy over a few milliseconds puts it right. Knows nothing of beats. Times are seconds.
"""

from __future__ import annotations

import numpy as np

from .spectrum import FRAME_RATE, STEP_RATE, STEPS, Spectrum

EARLY = 0.015  # how long before an attack the spectrum's flux peaks, on the whole
SEARCH = (-0.008, 0.042)  # around the flux peak
REACH = 3  # steps of 2.9 ms compared before and after a moment
DISTINCT = 0.8  # nats of energy: a weaker rise does not say where it is
QUIET = 0.03  # energy below this share of the neighbourhood's peak is no rise
APART = 0.06  # between two onsets


def place_attacks(rough: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    """Each time of a flux peak, moved to the start of the attack that made it."""
    first, last = (round(edge * STEP_RATE) for edge in SEARCH)
    return np.array([_place(spectrum.energy, time, first, last) for time in rough])


def _place(energy: np.ndarray, time: float, first: int, last: int) -> float:
    centre = round(time * STEP_RATE) + STEPS // 2  # step n begins at (n - STEPS / 2) / STEP_RATE
    start = max(centre + first - REACH, 0)
    part = energy[:, start : centre + last + REACH]
    if part.shape[1] < 2 * REACH + 3:
        return max(time + EARLY, 0.0)
    rise = _rise(part)
    peak = int(rise.argmax())
    if rise[peak] < DISTINCT:
        return max(time + EARLY, 0.0)
    return max((start + REACH + peak + find_summit(rise, peak) - STEPS / 2) / STEP_RATE, 0.0)


def _rise(energy: np.ndarray) -> np.ndarray:
    """Log growth of the energy from the steps before to the steps after each boundary, the clearer of the rows."""
    sums = np.cumsum(np.pad(energy.astype(np.float64), ((0, 0), (1, 0))), axis=1)
    blocks = (sums[:, REACH:] - sums[:, :-REACH]) / REACH
    floor = QUIET * blocks.max(axis=1, keepdims=True) + 1e-12
    logs = np.log(blocks + floor)
    return (logs[:, REACH:] - logs[:, :-REACH]).mean(axis=0)


def find_summit(curve: np.ndarray, peak: int) -> float:
    """Offset in -0.5..0.5 of the top of a parabola through a local peak and its neighbours."""
    if not 0 < peak < len(curve) - 1:
        return 0.0
    left, top, right = curve[peak - 1 : peak + 2]
    bend = left - 2 * top + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0


def find_onsets(attack: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    """Times of the attacks in a curve of attack strength, [frames]: peaks that stand out from the second around them."""
    from scipy.ndimage import maximum_filter1d, uniform_filter1d

    apart = int(APART * FRAME_RATE)
    near = uniform_filter1d(attack, int(FRAME_RATE))
    peaks = np.flatnonzero((attack == maximum_filter1d(attack, 2 * apart + 1)) & (attack > 1.5 * near + 0.05))
    peaks = peaks[np.diff(peaks, prepend=-apart) >= apart] if len(peaks) else peaks
    times = place_attacks(np.array([(peak + find_summit(attack, int(peak))) / FRAME_RATE for peak in peaks]), spectrum)
    return np.unique(np.round(times, 6))
