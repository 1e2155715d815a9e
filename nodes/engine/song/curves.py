"""A spectrum -> how strong the attacks, how loud the song and how strong the bass are, 50 times a second, 0..1.

`onset` is the strength of attacks, sharp as they are. `loudness` and `bass` follow the ear: 10 dB less is half as loud
(Stevens), 1 is the song's own loudest. A curve says nothing about other songs: each is scaled to its own.
"""

from __future__ import annotations

import numpy as np

from ..timeline import Curve
from .activations import BAND_WEIGHTS
from .attacks import EARLY
from .spectrum import FRAME_RATE, Spectrum

CURVE_RATE = 50.0  # values a second
FINE = 4  # looks per value, so that no attack falls between two
FULL_ATTACK = 0.3  # mean rise of the log spectrum; music's attacks reach 0.4 to 2, noise stays below 0.2
FLOOR = 1e-9  # power: nothing heard


def measure_attack(spectrum: Spectrum) -> np.ndarray:
    """Strength of attacks per frame, [frames], 1 for the song's strongest (but for a few), less where even those are weak."""
    attack = np.array(BAND_WEIGHTS, np.float32) @ spectrum.flux / np.float32(sum(BAND_WEIGHTS))
    return np.clip(attack / max(float(np.percentile(attack, 98.5)), FULL_ATTACK), 0, 1)


def make_curves(spectrum: Spectrum, attack: np.ndarray, duration: float) -> tuple[Curve, ...]:
    """The curves onset, loudness and bass from time zero to the end of the song."""
    loudness, bass = (_hear_level(level) for level in spectrum.levels)
    rows = {"onset": _sample(attack, duration, EARLY), "loudness": _sample(loudness, duration), "bass": _sample(bass, duration)}
    return tuple(Curve(name, CURVE_RATE, tuple(np.round(row, 4).tolist())) for name, row in rows.items())


def _hear_level(power: np.ndarray) -> np.ndarray:
    loudest = float(np.percentile(power, 99.5))
    if loudest <= FLOOR:
        return np.zeros(len(power))
    return np.clip(np.power(np.maximum(power - FLOOR, 0) / loudest, np.log10(2.0)), 0, 1)


def _sample(row: np.ndarray, duration: float, early: float = 0.0) -> np.ndarray:
    """The largest value around each moment k / CURVE_RATE of a row that runs `early` seconds ahead of the song."""
    count = int(duration * CURVE_RATE) + 1
    moments = (np.arange(count * FINE) - FINE / 2 + 0.5) / FINE / CURVE_RATE
    return np.interp((moments - early) * FRAME_RATE, np.arange(len(row)), row).reshape(count, FINE).max(axis=1)
