"""Tones of made-up spectra, at any tuning and under noise; major told from minor, and from the relative key."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.song.harmony import MAJOR, THIRDS, find_tuning, fold_tones, judge_key, measure_tones

RATE, SIZE = 22050, 2048
FREQUENCIES = np.fft.rfftfreq(SIZE, 1 / RATE)
CADENCES = {"major": ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7)), "minor": ((0, 3, 7), (5, 8, 12), (7, 11, 14), (0, 3, 7))}


def play(chords: tuple[tuple[int, ...], ...], root: float, noise: float = 0.0) -> np.ndarray:
    """Power spectra of chords with five partials each, [bins, frames]."""
    rng, frames = np.random.default_rng(0), []
    time = np.arange(SIZE) / RATE
    for chord in chords:
        for octave in (0.5, 1.0):
            pitches = [octave * root * 2 ** (note / 12) for note in chord]
            for _ in range(4):
                wave = sum(np.sin(2 * np.pi * pitch * k * time + rng.uniform(0, 6)) / k for pitch in pitches for k in range(1, 6))
                frames.append((wave + noise * rng.standard_normal(SIZE)) * np.hanning(SIZE))
    return np.square(np.abs(np.fft.rfft(frames, axis=1))).T


@pytest.mark.parametrize("tuning", [-0.4, -0.2, 0.0, 0.1, 0.3])
def test_tuning_is_found_and_undone(tuning: float) -> None:
    tones = measure_tones(play(((0, 4, 7),), 440 * 2 ** ((3 + tuning) / 12)), FREQUENCIES)
    assert tones.shape == (THIRDS, 8) and tones.max() == 1
    assert find_tuning(tones) == pytest.approx(tuning, abs=0.1)
    chroma = fold_tones(tones, find_tuning(tones)).mean(axis=1)
    assert set(np.argsort(chroma)[-3:]) == {0, 4, 7}  # C, E, G


@pytest.mark.parametrize("root", [196.0, 261.63, 338.0, 440.0])
@pytest.mark.parametrize("noise", [0.0, 1.0])
@pytest.mark.parametrize("mode", CADENCES)
def test_major_and_minor(root: float, noise: float, mode: str) -> None:
    tones = measure_tones(play(CADENCES[mode], root, noise), FREQUENCIES)
    clarity, difference = judge_key(fold_tones(tones, find_tuning(tones)).mean(axis=1))
    assert clarity > 0.6
    assert difference > 0.1 if mode == "major" else difference < -0.1


def test_profiles_and_nothing() -> None:
    assert judge_key(np.roll(MAJOR, 5))[0] == pytest.approx(1.0)
    assert judge_key(np.zeros(12)) == judge_key(np.ones(12)) == (0.0, 0.0)
    assert measure_tones(np.zeros((1025, 3)), FREQUENCIES).tolist() == np.zeros((THIRDS, 3)).tolist()
