"""The picture of a timeline: its size, what it shows, and timelines that have little to show."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.song.plot import draw_timeline
from pack.nodes.engine.timeline import Beat, Curve, Timeline

RATE = 8000
SONG = np.sin(np.arange(10 * RATE) / 20)[None].astype(np.float32) * np.linspace(0, 1, 10 * RATE, dtype=np.float32)


def timeline(beats: int = 20, **changes) -> Timeline:
    grid = tuple(Beat(index / 2, index % 4 + 1) for index in range(beats))
    curves = (Curve("onset", 50.0, tuple(abs(np.sin(np.arange(500) / 9)).round(4).tolist())),)
    return Timeline(duration=10.0, sample_rate=RATE, tempo=120.0, metre=4, beats=grid, curves=curves, beat_confidence=0.9, **changes)


@pytest.mark.parametrize(("width", "height"), [(900, 360), (640, 240), (300, 160)])
def test_size(width, height):
    picture = draw_timeline(timeline(), SONG, RATE, width, height)
    assert picture.shape == (height, width, 3) and picture.dtype == np.uint8


def test_bars_and_remarks_are_visible():
    plain = draw_timeline(timeline(0), SONG, RATE).astype(int)
    barred = draw_timeline(timeline(), SONG, RATE).astype(int)
    orange = (np.abs(barred - [255, 183, 77]).sum(axis=2) < 60).sum()
    assert orange > 200 > (np.abs(plain - [255, 183, 77]).sum(axis=2) < 60).sum()
    remarked = draw_timeline(timeline(remarks=("Something is odd. " * 30,)), SONG, RATE).astype(int)
    assert (np.abs(remarked - barred)[-24:] > 40).any()


@pytest.mark.parametrize(
    "bare", [Timeline(duration=0.5), Timeline(duration=7200.0, tempo=120.0, beats=tuple(Beat(t / 2, t % 4 + 1) for t in range(14400)))]
)
def test_little_and_much(bare):
    assert draw_timeline(bare, SONG, RATE).std() > 1


def test_damaged_samples_do_not_matter():
    song = SONG.copy()
    song[0, 100] = np.nan
    song[0, 900] = np.inf
    assert draw_timeline(timeline(), song, RATE).std() > 1
