"""Songs as they come: every odd waveform is either heard as it sounds or refused with a remedy."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.recording import RATE, examine_recording


def heard(samples: np.ndarray, rate: int) -> np.ndarray:
    return np.concatenate(list(examine_recording(samples, rate).blocks()))


@pytest.mark.parametrize(
    ("samples", "rate", "message"),
    [
        (np.zeros((2, 0), np.float32), 44100, "empty"),
        (np.zeros((0, 100), np.float32), 44100, "empty"),
        (np.ones((1, 1), np.float32), 44100, "at least 0.5 s"),
        (np.ones((1, 8000), np.float32), 44100, "lasts only 0.18 s"),
        (np.ones((2, 9600), np.float32), 48000, "lasts only 0.20 s"),
        (np.full((2, 44100), np.nan, np.float32), 44100, "no valid samples"),
        (np.full((2, 44100), np.inf, np.float32), 44100, "no valid samples"),
        (np.zeros((1, 44100), np.float32), 0, "sample rate"),
        (np.broadcast_to(np.float32(0), (1, 8000 * 7300)), 8000, "cut it to 2 hours"),
    ],
)
def test_refused_with_a_remedy(samples, rate, message):
    with pytest.raises(ValueError, match=message):
        analyse_song(samples, rate)


def test_damaged_samples_are_named(drum_loops):
    song = drum_loops.click_track(120, duration=6).samples.copy()
    song[0, 5000:5200] = np.nan
    song[0, 9000] = np.inf
    timeline = analyse_song(song, drum_loops.RATE)
    assert timeline.remarks[0].startswith("201 samples")
    assert timeline.tempo == pytest.approx(120, abs=0.5)


@pytest.mark.parametrize("gain", [1e-4, 50.0, 1e6])
def test_level_does_not_matter(gain, drum_loops):
    song = drum_loops.click_track(120, duration=6).samples
    assert np.abs(heard(song * np.float32(gain), drum_loops.RATE)).max() == pytest.approx(0.9, abs=0.02)


def test_offset_is_removed(drum_loops):
    song = drum_loops.click_track(120, duration=6).samples
    assert abs(heard(song + np.float32(0.4), drum_loops.RATE).mean()) < 1e-3


def test_sides_in_opposite_phase_are_heard(drum_loops):
    click = drum_loops.click_track(120, duration=6).samples
    song = np.concatenate([click, -click])
    assert np.abs(heard(song, drum_loops.RATE)).max() == pytest.approx(0.9, abs=0.02)
    assert analyse_song(song, drum_loops.RATE).tempo == pytest.approx(120, abs=0.5)


def test_surround_with_sound_in_one_channel(drum_loops):
    click = drum_loops.click_track(120, duration=6).samples
    song = np.concatenate([0 * click, 0 * click, click, 0 * click, 0 * click, 0 * click])
    assert analyse_song(song, drum_loops.RATE).tempo == pytest.approx(120, abs=0.5)


@pytest.mark.parametrize("rate", [8000, 11025, 48000, 96000, 192000])
def test_any_rate_keeps_time(rate):
    song = np.zeros((1, 3 * rate), np.float32)
    song[0, rate] = song[0, 2 * rate] = 1.0
    mono = heard(song, rate)
    assert len(mono) == pytest.approx(3 * RATE, abs=2)
    for second in (1, 2):
        near = mono[second * RATE - 50 : second * RATE + 50]
        assert abs(int(np.abs(near).argmax()) - 50) <= 1


def test_the_song_is_left_as_it_was(drum_loops):
    song = drum_loops.click_track(120, duration=6).samples
    before = song.copy()
    song.flags.writeable = False
    analyse_song(song, drum_loops.RATE)
    assert np.array_equal(song, before)
