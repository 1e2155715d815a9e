"""A spectrum -> how strong the attacks and how loud the song and its bands are over time, 0..1.

`onset` is the strength of attacks, sharp as they are; `bass onset` (below 160 Hz: kicks) and `highs onset` (above 2.5 kHz: hats, the
snap of a snare) are those of a band. `loudness`, `bass` (below 150 Hz), `low mids` (to 600 Hz), `mids` (to 2.5 kHz) and `highs` follow
the ear: 10 dB less is half as loud (Stevens), 1 is the song's own loudest. A curve says nothing of other songs: each is scaled to its own.
"""

from __future__ import annotations

import numpy as np

from ..timeline import Curve
from .activations import BAND_WEIGHTS
from .attacks import EARLY
from .spectrum import FRAME_RATE, Spectrum

CURVE_RATE = 50.0  # values a second
BAND_RATE = 25.0  # of the curves of single bands but the bass
BANDS = ("low mids", "mids", "highs")
BAND_ATTACKS = {"bass onset": 0, "highs onset": 3}  # rows of the flux
FINE = 4  # looks per value, so that no attack falls between two
FULL_ATTACK = 0.3  # mean rise of the log spectrum; music's attacks reach 0.4 to 2, noise stays below 0.2
FLOOR = 1e-9  # power: nothing heard


def measure_attack(spectrum: Spectrum) -> np.ndarray:
    """Strength of attacks per frame, [frames], 1 for the song's strongest (but for a few), less where even those are weak."""
    return _scale_attack(np.array(BAND_WEIGHTS, np.float32) @ spectrum.flux / np.float32(sum(BAND_WEIGHTS)))


def _scale_attack(attack: np.ndarray) -> np.ndarray:
    return np.clip(attack / max(float(np.percentile(attack, 98.5)), FULL_ATTACK), 0, 1)


def make_curves(spectrum: Spectrum, attack: np.ndarray, duration: float) -> tuple[Curve, ...]:
    """The curves of attacks and loudness, of all that is heard and of bands, from time zero to the end of the song."""
    levels = [_hear_level(level) for level in spectrum.levels]
    finer = {"onset": _sample(attack, duration, EARLY)}
    finer |= {name: _sample(level, duration) for name, level in zip(("loudness", "bass"), levels, strict=False)}
    rough = {name: _sample(level, duration, rate=BAND_RATE) for name, level in zip(BANDS, levels[2:], strict=True)}
    for name, row in BAND_ATTACKS.items():
        rough[name] = _sample(_scale_attack(spectrum.flux[row]), duration, EARLY, BAND_RATE)
    return tuple(
        [Curve(name, CURVE_RATE, tuple(np.round(row, 4).tolist())) for name, row in finer.items()]
        + [Curve(name, BAND_RATE, tuple(np.round(row, 3).tolist())) for name, row in rough.items()]
    )


def _hear_level(power: np.ndarray) -> np.ndarray:
    loudest = float(np.percentile(power, 99.5))
    if loudest <= FLOOR:
        return np.zeros(len(power))
    return np.clip(np.power(np.maximum(power - FLOOR, 0) / loudest, np.log10(2.0)), 0, 1)


def _sample(row: np.ndarray, duration: float, early: float = 0.0, rate: float = CURVE_RATE) -> np.ndarray:
    """The largest value around each moment k / rate of a row that runs `early` seconds ahead of the song."""
    count = int(duration * rate) + 1
    fine = round(FINE * CURVE_RATE / rate)
    moments = (np.arange(count * fine) - fine / 2 + 0.5) / fine / rate
    return np.interp((moments - early) * FRAME_RATE, np.arange(len(row)), row).reshape(count, fine).max(axis=1)
