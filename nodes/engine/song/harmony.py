"""Power spectra -> how strongly each tone of the scale sounds, and those -> how clear the key is, and whether it is major or minor.

Only peaks of the spectrum count, each where it lies between two bins: noise of drums has few, and what lies between tones is left out.
Tones are kept in thirds of a semitone, so that a recording that is not tuned to 440 Hz can be read by its own tuning. The key is that
of the best of 24 profiles (Temperley, "The Cognition of Basic Musical Structures", 2001, from the Kostka and Payne corpus).
"""

from __future__ import annotations

import numpy as np

THIRDS = 36  # of an octave: three for a semitone, the middle one in tune; row 0 is C
LOWEST, HIGHEST = 60.0, 2000.0  # Hz: below, tones are nearer than bins; above, most are overtones
MAJOR = np.array([0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400])
MINOR = np.array([0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330])


def measure_tones(power: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    """How strong each third of a semitone is in spectra [bins, frames] at `frequencies` (Hz, evenly apart): [THIRDS, frames], largest 1."""
    middle = power[1:-1]
    bins, frames = np.nonzero(
        (middle > power[:-2]) & (middle >= power[2:]) & ((frequencies[1:-1] > LOWEST) & (frequencies[1:-1] < HIGHEST))[:, None]
    )
    left, top, right = (np.log(power[bins + step, frames] + 1e-12) for step in range(3))
    bend = left - 2 * top + right
    off = np.clip(0.5 * (left - right) / np.where(bend < 0, bend, -1e-9), -0.5, 0.5)
    place = 3 * (12 * np.log2(frequencies[1] * (bins + 1 + off) / 440) + 9)  # thirds of a semitone above a C
    below, strength = np.floor(place).astype(int), power[bins + 1, frames] ** 0.25  # root of the amplitude: quiet tones count too
    tones = np.zeros((THIRDS, power.shape[1]))
    np.add.at(tones, (below % THIRDS, frames), strength * (below + 1 - place))
    np.add.at(tones, ((below + 1) % THIRDS, frames), strength * (place - below))
    return (tones / np.maximum(tones.max(axis=0), 1e-2)).astype(np.float32)


def find_tuning(tones: np.ndarray) -> float:
    """How far a song's tones, [THIRDS, frames], lie above the scale of 440 Hz, -0.5..0.5 semitones."""
    return float(np.angle((tones.sum(axis=1) * np.exp(2j * np.pi * np.arange(THIRDS) / 3)).sum()) / (2 * np.pi))


def fold_tones(tones: np.ndarray, tuning: float) -> np.ndarray:
    """Pitch classes from C, [12, ...], of tones [THIRDS, ...]; what lies between two of them counts little."""
    place = np.arange(THIRDS) / 3 - tuning
    near = np.round(place)
    chroma = np.zeros((12, *tones.shape[1:]))
    np.add.at(chroma, near.astype(int) % 12, (np.cos(np.pi * (place - near)) ** 2).reshape(-1, *[1] * (tones.ndim - 1)) * tones)
    return chroma


def judge_key(chroma: np.ndarray) -> tuple[float, float]:
    """How clear the key of pitch classes, [12], is (correlation with the best profile), and major's best against minor's."""
    if chroma.std() < 1e-6:
        return 0.0, 0.0
    best = [max(float(np.corrcoef(np.roll(profile, key), chroma)[0, 1]) for key in range(12)) for profile in (MAJOR, MINOR)]
    return max(best), best[0] - best[1]
