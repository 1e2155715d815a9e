"""A whole analysis against exact truth, and against everything that is no song."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pack.nodes.engine.song import analysis
from pack.nodes.engine.song.analysis import GUESS, NO_PULSE, SILENT, analyse_song
from pack.nodes.engine.song.listening import Listening
from pack.nodes.engine.timeline import Timeline, hash_samples


def times(timeline: Timeline) -> list[float]:
    return [beat.time for beat in timeline.beats]


@pytest.fixture(scope="module")
def demo_timeline(demo_song) -> Timeline:
    samples, rate, _ = demo_song
    return analyse_song(samples, rate)


def test_demo_song(demo_song, demo_timeline, beat_score):
    samples, rate, truth = demo_song
    assert beat_score([beat["time"] for beat in truth["beats"]], times(demo_timeline)) >= 0.97
    downbeats = [beat["time"] for beat in truth["beats"] if beat["position"] == 1]
    assert beat_score(downbeats, demo_timeline.downbeats) >= 0.97
    assert demo_timeline.tempo == pytest.approx(truth["tempo"], abs=0.3)
    assert demo_timeline.metre == truth["metre"]
    assert demo_timeline.beats[0].position == 4  # the pickup
    assert demo_timeline.beat_confidence > 0.8 and demo_timeline.downbeat_confidence > 0.6
    assert demo_timeline.remarks == ()


def test_beats_are_placed_to_a_few_milliseconds(demo_song, demo_timeline):
    truth = np.array([beat["time"] for beat in demo_song[2]["beats"]])
    errors = np.array([min(times(demo_timeline) - moment, key=abs) for moment in truth])
    assert abs(np.median(errors)) < 0.004
    assert np.percentile(np.abs(errors), 95) < 0.010


def test_timeline_is_filled(demo_song, demo_timeline):
    samples, rate, _ = demo_song
    assert demo_timeline.duration == pytest.approx(samples.shape[1] / rate, abs=1e-6)
    assert demo_timeline.sample_rate == rate
    assert demo_timeline.audio_sha256 == hash_samples(samples, rate)
    assert Timeline.from_json(demo_timeline.to_json()) == demo_timeline
    assert times(demo_timeline) == sorted(set(times(demo_timeline)))
    assert list(demo_timeline.onsets) == sorted(set(demo_timeline.onsets))
    for name in ("onset", "loudness", "bass"):
        curve = demo_timeline.curve(name)
        assert curve.rate == 50
        assert len(curve.values) == int(demo_timeline.duration * 50) + 1
        assert min(curve.values) >= 0 and 0.95 < max(curve.values) <= 1


def test_attacks_stand_out_in_the_onset_curve(demo_song, demo_timeline):
    curve = demo_timeline.curve("onset")
    downbeats = [beat["time"] for beat in demo_song[2]["beats"] if beat["position"] == 1]
    on = np.mean([max(curve.at(moment + late) for late in (-0.02, 0, 0.02)) for moment in downbeats])
    assert on > 4 * np.median(curve.values)


def test_same_samples_same_timeline(drum_loops):
    loop = drum_loops.drum_loop(110, duration=8)
    assert analyse_song(loop.samples, drum_loops.RATE) == analyse_song(loop.samples.copy(), drum_loops.RATE)


LOOPS = {
    "clicks 60": ("click_track", {"tempo": 60, "duration": 24}),
    "clicks 133 in 3": ("click_track", {"tempo": 133, "metre": 3, "duration": 16, "pickup": 2}),
    "clicks 160": ("click_track", {"tempo": 160, "duration": 14, "pickup": 1}),
    "rock 96": ("drum_loop", {"tempo": 96, "duration": 22, "pickup": 1}),
    "waltz 150": ("drum_loop", {"tempo": 150, "metre": 3, "duration": 18, "pickup": 2}),
    "floor 128": ("drum_loop", {"tempo": 128, "duration": 18, "pattern": "floor"}),
    "seven 140": ("drum_loop", {"tempo": 140, "metre": 7, "duration": 24}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LOOPS)
def test_loops(name, drum_loops, beat_score):
    make, options = LOOPS[name]
    check_loop(getattr(drum_loops, make)(**options), drum_loops.RATE, beat_score)


def check_loop(loop, rate, beat_score):
    timeline = analyse_song(loop.samples, rate)
    assert beat_score(loop.beats, times(timeline)) >= 0.97
    assert beat_score(loop.downbeats, timeline.downbeats) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("make", ["click_track", "drum_loop"])
@pytest.mark.parametrize("metre", [3, 4])
@pytest.mark.parametrize("tempo", [60, 75, 90, 105, 120, 140, 160, 180, 200])
def test_every_tempo(make, metre, tempo, drum_loops, beat_score):
    loop = getattr(drum_loops, make)(tempo, metre, duration=30, pickup=tempo % metre)
    check_loop(loop, drum_loops.RATE, beat_score)


@pytest.mark.slow
@pytest.mark.parametrize("metre", [5, 7])
@pytest.mark.parametrize("tempo", [80, 110, 150])
def test_odd_metres(metre, tempo, drum_loops, beat_score):
    check_loop(drum_loops.drum_loop(tempo, metre, duration=40), drum_loops.RATE, beat_score)


@pytest.mark.slow
def test_tempo_ramp(drum_loops, beat_score):
    loop = drum_loops.drum_loop(96, duration=40, end_tempo=132)
    assert beat_score(loop.beats, times(analyse_song(loop.samples, drum_loops.RATE))) >= 0.95


def test_tempo_choice(drum_loops):
    loop = drum_loops.drum_loop(120, duration=10)
    tempi = [analyse_song(loop.samples, drum_loops.RATE, tempo=choice).tempo for choice in ("half", "auto", "double")]
    assert tempi == pytest.approx([60, 120, 240], rel=0.02)


def test_metre_choice(drum_loops):
    loop = drum_loops.drum_loop(120, duration=10)
    timeline = analyse_song(loop.samples, drum_loops.RATE, metre="5")
    assert timeline.metre == 5
    assert {beat.position for beat in timeline.beats} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("choices", [{"metre": "8"}, {"metre": "four"}, {"tempo": "triple"}])
def test_unknown_choice(choices, drum_loops):
    with pytest.raises(ValueError, match="choose"):
        analyse_song(drum_loops.click_track(120, duration=5).samples, drum_loops.RATE, **choices)


def test_silence_is_legal():
    timeline = analyse_song(np.zeros((2, 44100 * 4), np.float32), 44100)
    assert (timeline.tempo, timeline.beats, timeline.onsets, timeline.beat_confidence) == (0.0, (), (), 0.0)
    assert timeline.remarks == (SILENT,)
    assert set(timeline.curve("loudness").values) == {0.0}


@pytest.mark.parametrize(("confidence", "beats", "remark"), [(0.19, False, NO_PULSE), (0.25, True, GUESS), (0.35, True, None)])
def test_doubtful_beats_stay_and_invented_ones_go(confidence, beats, remark, drum_loops, monkeypatch):
    monkeypatch.setattr(analysis, "trust_beats", lambda *_: confidence)
    monkeypatch.setattr(analysis, "trust_bars", lambda *_: confidence)
    timeline = analyse_song(drum_loops.click_track(120, duration=8).samples, drum_loops.RATE)
    assert bool(timeline.beats) == beats and timeline.remarks == ((remark,) if remark else ())


def test_one_click_is_one_attack():
    song = np.zeros((1, 22050 * 6), np.float32)
    song[0, 3 * 22050 : 3 * 22050 + 60] = 0.8
    timeline = analyse_song(song, 22050)
    assert timeline.beats == () and timeline.beat_confidence < 0.3 and timeline.remarks == (NO_PULSE,)
    assert len(timeline.onsets) == 1 and timeline.onsets[0] == pytest.approx(3.0, abs=0.005)
    assert max(timeline.curve("voice").values) < 0.5


@pytest.mark.parametrize("seconds", [0.5, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("listener", ["built-in", "attacks"])
def test_a_moment_of_music_is_legal(seconds, listener, drum_loops):
    song = drum_loops.drum_loop(120, duration=5).samples[:, 22050 : 22050 + int(seconds * 22050)]
    timeline = analyse_song(song, 22050, listening=Listening(listener))
    assert timeline.duration == pytest.approx(seconds, abs=1e-3)
    assert all(0 <= beat.time <= seconds for beat in timeline.beats)
    assert {len(curve.values) for curve in timeline.curves} == {int(timeline.duration * rate) + 1 for rate in (50, 25, 10, 4)}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["white_noise", "pink_noise", "surf", "drone", "sine", "babble"])
def test_nothing_is_invented(name, no_pulse):
    timeline = analyse_song(no_pulse.SOUNDS[name](14, seed=7), no_pulse.RATE)
    assert timeline.beat_confidence < 0.3
    assert timeline.beats == () and timeline.tempo == 0.0 and timeline.metre == 0
    assert timeline.remarks == (NO_PULSE,)


def test_progress_can_interrupt(drum_loops):
    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise StopError

    with pytest.raises(StopError):
        analyse_song(drum_loops.click_track(120, duration=5).samples, drum_loops.RATE, on_progress=stop)


def test_progress_rises_to_the_end(drum_loops):
    seen: list[tuple[int, int]] = []
    analyse_song(drum_loops.click_track(120, duration=8).samples, drum_loops.RATE, on_progress=lambda *step: seen.append(step))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1] == (100, 100)


@pytest.mark.slow
def test_a_long_song_in_bounded_memory(drum_loops):
    tracemalloc = pytest.importorskip("tracemalloc")
    song = np.tile(drum_loops.drum_loop(124, duration=60).samples, (1, 8))
    analyse_song(song[:, : 5 * drum_loops.RATE], drum_loops.RATE)  # loads the libraries
    tracemalloc.start()
    timeline = analyse_song(song, drum_loops.RATE)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert timeline.tempo == pytest.approx(124, abs=1)
    assert peak < 100e6


@pytest.mark.slow
def test_long_songs_can_be_interrupted(drum_loops):
    song = np.tile(drum_loops.drum_loop(124, duration=60).samples, (1, 20))
    moments = [time.process_time()]
    analyse_song(song, drum_loops.RATE, on_progress=lambda done, total: moments.append(time.process_time()))
    assert max(np.diff(moments)) < 1.5
