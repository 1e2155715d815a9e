"""Clicks and drum loops with exactly known beats, synthesised: the first truth that beat tracking is held to.

Samples are float32 [1, n] at `RATE`; times are seconds; positions are places in the bar from 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RATE = 22050
LEAD = 0.3  # of silence before the first beat
ROOTS = (55.0, 43.65, 65.41, 49.0)  # Hz, the bass of four bars
# Where kick and snare fall, in beats from 0; hats are a matter of `hats`.
PATTERNS = {
    "rock": {
        2: ((0,), (1,)),
        3: ((0,), (1, 2)),
        4: ((0, 1.5, 2), (1, 3)),
        5: ((0, 3), (2, 4)),
        6: ((0, 3), (2, 5)),
        7: ((0, 2, 4), (1, 3, 5)),
    },
    "plain": {2: ((0,), (1,)), 3: ((0,), (2,)), 4: ((0, 2), (1, 3)), 5: ((0, 3), (1, 4)), 6: ((0, 4), (3,)), 7: ((0, 4), (2, 6))},
    "floor": {metre: (tuple(range(metre)), tuple(range(1, metre, 2))) for metre in (2, 3, 4, 5, 6, 7)},
}


@dataclass(frozen=True)
class Loop:
    samples: np.ndarray
    beats: np.ndarray
    positions: np.ndarray

    @property
    def downbeats(self) -> np.ndarray:
        return self.beats[self.positions == 1]


def click_track(tempo: float, metre: int = 4, duration: float = 30.0, pickup: int = 0, end_tempo: float | None = None) -> Loop:
    """A metronome: a higher, louder click on the first beat of each bar."""
    beats, positions, _ = _grid(tempo, metre, duration, pickup, end_tempo)
    track = np.zeros(int((beats[-1] + 1) * RATE))
    for time, position in zip(beats, positions, strict=True):
        t = np.arange(int(0.05 * RATE)) / RATE
        _add(track, time, np.sin(2 * np.pi * (1500 if position == 1 else 1000) * t) * np.exp(-80 * t), 0.6 if position == 1 else 0.33)
    return Loop(track[None].astype(np.float32), beats, positions)


def drum_loop(
    tempo: float,
    metre: int = 4,
    duration: float = 30.0,
    pickup: int = 0,
    end_tempo: float | None = None,
    pattern: str = "rock",
    hats: int = 2,
    swing: float = 0.0,
    bass: bool = True,
    noise: float = 0.0,
    seed: int = 0,
) -> Loop:
    """Kick, snare, `hats` hats a beat and a bass that changes its note each bar. `swing` 0..1 moves the off-beat towards a triplet."""
    rng = np.random.default_rng(seed)
    beats, positions, lengths = _grid(tempo, metre, duration, pickup, end_tempo)
    track = np.zeros(int((beats[-1] + 1.5) * RATE))
    bar = -1
    for time, position, length in zip(beats, positions, lengths, strict=True):
        bar += position == 1
        _play_hats(track, time, length, hats, swing, rng)
        if bar < 0:
            _add(track, time, _snare(rng), 0.5)
            continue
        _play_drums(track, time, position - 1, length, PATTERNS[pattern][metre], rng)
        if bass and (position == 1 or position == metre // 2 + 1):
            _add(track, time, _bass(ROOTS[bar % 4], length), 0.4)
    track += noise * rng.standard_normal(len(track))
    return Loop((0.7 * track / np.abs(track).max())[None].astype(np.float32), beats, positions)


def _grid(tempo: float, metre: int, duration: float, pickup: int, end_tempo: float | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = max(4, int(duration * tempo / 60 / metre)) * metre + pickup + 1
    lengths = 60 / np.linspace(tempo, end_tempo or tempo, count)
    times = LEAD + np.concatenate([[0.0], np.cumsum(lengths[:-1])])
    return times, (np.arange(count) - pickup) % metre + 1, lengths


def _play_hats(track: np.ndarray, time: float, length: float, hats: int, swing: float, rng: np.random.Generator) -> None:
    for index in range(hats):
        late = swing / 6 if index == hats // 2 and index else 0.0
        _add(track, time + length * (index / hats + late), _hat(rng), 0.3 if index == 0 else 0.18)


def _play_drums(track: np.ndarray, time: float, beat: int, length: float, pattern: tuple, rng: np.random.Generator) -> None:
    kicks, snares = pattern
    for place in kicks:
        if int(place) == beat:
            _add(track, time + length * (place - beat), _kick(), 0.9 if place == beat else 0.6)
    if beat in snares:
        _add(track, time, _snare(rng), 0.6)


def _add(track: np.ndarray, time: float, sound: np.ndarray, gain: float) -> None:
    first = round(time * RATE)
    part = track[first : first + len(sound)]
    part += gain * sound[: len(part)]


def _kick() -> np.ndarray:
    t = np.arange(int(0.25 * RATE)) / RATE
    return np.sin(2 * np.pi * (50 * t + 3 * (1 - np.exp(-t / 0.03)))) * np.exp(-t / 0.1)


def _snare(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.2 * RATE)) / RATE
    return 0.5 * rng.standard_normal(len(t)) * np.exp(-t / 0.06) + 0.5 * np.sin(2 * np.pi * 190 * t) * np.exp(-t / 0.05)


def _hat(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(0.06 * RATE)) / RATE
    return 0.5 * np.diff(rng.standard_normal(len(t)), prepend=0) * np.exp(-t / 0.015)


def _bass(frequency: float, length: float) -> np.ndarray:
    t = np.arange(int(length * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * frequency * k * t) / k for k in range(1, 6)) * np.exp(-t / 0.4)
    return 0.5 * tone * np.minimum(1, (len(t) - np.arange(len(t))) / 400)
