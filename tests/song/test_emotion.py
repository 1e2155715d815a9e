"""Cues of made-up sounds whose answer is known, and curves that move the right way."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song.roughness import measure_roughness

RATE = 22050
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)
FREQUENCIES = np.fft.rfftfreq(2048, 1 / RATE)


def spectrum_of(*tones: float) -> np.ndarray:
    time = np.arange(2048) / RATE
    wave = sum(np.sin(2 * np.pi * tone * time) for tone in tones) * np.hanning(2048)
    return np.square(np.abs(np.fft.rfft(wave)))[:, None]


def test_roughness_of_intervals() -> None:
    """A second in the middle is rougher than a third, that than a fifth; one tone is hardly rough."""
    one, fifth, third, second = (float(measure_roughness(spectrum_of(*tones), FREQUENCIES)[0])
                                 for tones in ((880,), (880, 1320), (880, 1047), (880, 932)))  # fmt: skip
    assert one < fifth < third < second
    assert measure_roughness(np.zeros((1025, 3)), FREQUENCIES).tolist() == [0, 0, 0]


def make_song(
    chord: tuple[int, ...] = MAJOR, tempo: float = 100.0, root: float = 220.0, length: float = 0.9, level: float = 0.5
) -> np.ndarray:
    """Chords on every beat over a kick, 16 bars of I IV V I, float32 [1, samples]."""
    beat = round(60 / tempo * RATE)
    beats = []
    for number in range(64):
        step = (0, 5, 7, 0)[number // 4 % 4]
        time = np.arange(beat) / RATE
        decay = np.exp(-time / (length * 60 / tempo)) * (time < length * 60 / tempo)
        tones = [root * 2 ** ((step + note) / 12) for note in chord]
        wave = sum(np.sin(2 * np.pi * tone * harmonic * time) / harmonic for tone in tones for harmonic in (1, 2, 3)) * decay * 0.1
        kick = np.sin(2 * np.pi * 60 * time) * np.exp(-time * 30) * (0.8 if number % 4 == 0 else 0.4)
        beats.append(wave + kick)
    song = np.concatenate(beats)
    return (song / np.abs(song).max() * level).astype(np.float32)[None]


def feel(**changes: Any) -> dict[str, float]:
    from pack.nodes.engine.song.analysis import analyse_song

    timeline = analyse_song(make_song(**changes), RATE)
    return {curve.name: float(np.mean(curve.values)) for curve in timeline.curves}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("curve", "less", "more"),
    [
        ("valence", {"chord": MINOR}, {"chord": MAJOR}),
        ("mode", {"chord": MINOR}, {"chord": MAJOR}),
        ("arousal", {"tempo": 70}, {"tempo": 140}),
        ("arousal", {"level": 0.1}, {"level": 0.9}),
        ("valence", {"root": 110.0}, {"root": 330.0}),
        ("arousal", {"length": 1.0}, {"length": 0.3}),
    ],
)
def test_curves_move_the_right_way(curve: str, less: dict[str, Any], more: dict[str, Any]) -> None:
    assert feel(**less)[curve] < feel(**more)[curve]


@pytest.mark.slow
def test_curves_are_legal_for_any_sound(no_pulse: Any) -> None:
    from pack.nodes.engine.song.analysis import analyse_song

    for name, sound in no_pulse.SOUNDS.items():
        timeline = analyse_song(sound(8, seed=1), no_pulse.RATE)
        for curve in ("valence", "arousal", "brightness", "mode", "roughness"):
            values = np.array(timeline.curve(curve).values)
            assert ((values >= 0) & (values <= 1)).all() and abs(len(values) - 8 * 4) <= 2, (name, curve)
