"""Tempo that ramps or jumps, songs that start with a pickup or in the middle of a bar: by the network and by the attacks alone."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.listening import Listening
from pack.nodes.engine.timeline import Timeline

LISTENERS = ("built-in", "attacks")


def check(loop: Any, drum_loops: ModuleType, beat_score: Any, listener: str, least: float = 0.97) -> Timeline:
    timeline = analyse_song(loop.samples, drum_loops.RATE, listening=Listening(listener))
    assert beat_score(loop.beats, [beat.time for beat in timeline.beats]) >= least
    assert beat_score(loop.downbeats, timeline.downbeats) >= 0.9
    return timeline


def join(drum_loops: ModuleType, first: Any, second: Any) -> Any:
    """One loop after another from the first's last beat on, which must be a downbeat as the second's first is."""
    edge, lead = int(first.beats[-1] * drum_loops.RATE), int(drum_loops.LEAD * drum_loops.RATE)
    samples = np.concatenate([first.samples[:, :edge], second.samples[:, lead:]], axis=1)
    beats = np.concatenate([first.beats[:-1], second.beats - drum_loops.LEAD + first.beats[-1]])
    return drum_loops.Loop(samples, beats, np.concatenate([first.positions[:-1], second.positions]))


def cut(drum_loops: ModuleType, loop: Any, start: float) -> Any:
    """What is left of a loop from a time on."""
    left = loop.beats > start - 1e-6
    return drum_loops.Loop(loop.samples[:, int(start * drum_loops.RATE) :], loop.beats[left] - start, loop.positions[left])


@pytest.mark.slow
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(("tempo", "end"), [(96, 132), (132, 96)])
def test_a_ramp(tempo: float, end: float, listener: str, drum_loops: ModuleType, beat_score: Any) -> None:
    loop = drum_loops.drum_loop(tempo, duration=114 / tempo * 60, end_tempo=end)
    assert 55 < loop.beats[-1] < 65
    check(loop, drum_loops, beat_score, listener)


@pytest.mark.slow
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("pattern", ["rock", "plain"])
def test_a_jump(pattern: str, listener: str, drum_loops: ModuleType, beat_score: Any) -> None:
    parts = [drum_loops.drum_loop(tempo, duration=30, pattern=pattern, seed=tempo) for tempo in (120, 140)]
    timeline = check(join(drum_loops, *parts), drum_loops, beat_score, listener)
    times = np.array([beat.time for beat in timeline.beats])
    tempi = 60 / np.diff(times)
    assert np.median(tempi[times[1:] < 25]) == pytest.approx(120, rel=0.02)
    assert np.median(tempi[times[:-1] > 35]) == pytest.approx(140, rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(("metre", "pickup"), [(4, 1), (4, 2), (4, 3), (3, 1), (3, 2)])
def test_a_pickup(metre: int, pickup: int, listener: str, drum_loops: ModuleType, beat_score: Any) -> None:
    timeline = check(drum_loops.drum_loop(104, metre, duration=20, pickup=pickup), drum_loops, beat_score, listener)
    assert timeline.metre == metre and timeline.beats[0].position == metre - pickup + 1


@pytest.mark.slow
@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("beats", [0.6, 1.5, 2.25, 3.0, 3.4])
def test_a_song_that_starts_mid_bar(beats: float, listener: str, drum_loops: ModuleType, beat_score: Any) -> None:
    loop = cut(drum_loops, drum_loops.drum_loop(110, duration=24), drum_loops.LEAD + beats * 60 / 110)
    timeline = check(loop, drum_loops, beat_score, listener)
    assert [beat.position for beat in timeline.beats[:4]] == loop.positions[:4].tolist()
