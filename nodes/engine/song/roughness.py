"""Power spectra -> how rough they sound: partials that lie so close that they beat with each other.

Sethares (1993) on the strongest partials of a spectrum, weighted by their loudness. What it cannot hear: partials nearer than 40 Hz,
which one window of 93 ms does not tell apart.
"""

from __future__ import annotations

import numpy as np

PARTIALS = 12
HIGHEST = 4000.0  # Hz


def measure_roughness(power: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """Roughness of spectra [bins, frames] at `frequencies` (Hz, [bins]): [frames], 0 for one tone, about 0.1 for a chord in the middle."""
    heard = power[frequencies <= HIGHEST]
    peaks = np.zeros_like(heard)
    middle = heard[1:-1]
    peaks[1:-1] = np.where((middle > heard[:-2]) & (middle >= heard[2:]), middle, 0)
    chosen = np.sort(np.argpartition(peaks, -PARTIALS, axis=0)[-PARTIALS:], axis=0)  # ascending in frequency
    strength = np.sqrt(np.take_along_axis(peaks, chosen, axis=0))
    pitch = frequencies[chosen]
    low, high = np.triu_indices(PARTIALS, 1)
    apart = (pitch[high] - pitch[low]) * 0.24 / (0.0207 * pitch[low] + 18.96)
    rough = np.minimum(strength[low], strength[high]) * (np.exp(-3.5 * apart) - np.exp(-5.75 * apart))
    return np.asarray(rough.sum(axis=0) / np.maximum(strength.sum(axis=0), 1e-6))
