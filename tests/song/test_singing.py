"""How likely somebody sings: moving voices stand out from bands, whatever the shape of the recording; and curves of bands."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from pack.nodes.engine.song.analysis import analyse_song
from pack.nodes.engine.song.lyrics.aligner import LyricRequest, Sound, align_lyrics
from pack.nodes.engine.song.lyrics.voice import hear_mix
from pack.nodes.engine.song.recording import RATE, examine_recording
from pack.nodes.engine.song.singing import HOP, PIECE, measure_singing, trace_singing
from pack.nodes.engine.timeline import Timeline


@pytest.fixture(scope="module")
def sung(sung_lyrics: ModuleType, singer: ModuleType) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A minute of a song: the voice [samples], a band of wide chords and drums [2, samples], and where words lie [words, 2]."""
    song = sung_lyrics.sing("en", 4)
    voice = singer.sing_aloud(song, 4)[: 60 * RATE]
    time = np.arange(len(voice)) / RATE
    rng = np.random.default_rng(1)
    band = np.zeros((2, len(voice)))
    for bar in range(30):
        here = slice(2 * bar * RATE, 2 * (bar + 1) * RATE)
        for note in (0, 4, 7, 12):
            pitch = 220 * 2 ** ((note + (0, 5, 7, 0)[bar % 4]) / 12)
            for side in range(2):
                band[side, here] += sum(np.sin(2 * np.pi * pitch * k * time[here] + rng.uniform(0, 6)) / k for k in range(1, 6))
    band += 3 * np.exp(-(time % 0.5) * 40) * rng.standard_normal(len(time))
    return voice, (0.05 * band).astype(np.float32), song.spans[song.spans[:, 1] < 60]


def where(spans: np.ndarray, count: int, rate: float) -> np.ndarray:
    moments = np.arange(count) / rate
    return ((moments[:, None] >= spans[:, 0]) & (moments[:, None] < spans[:, 1] + 0.2)).any(axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("mono", [False, True])
def test_a_voice_stands_out_from_its_band(singer: ModuleType, sung: tuple[np.ndarray, np.ndarray, np.ndarray], mono: bool) -> None:
    voice, band, spans = sung
    mix = singer.join_band(voice, band, 0.0)
    mix = mix.mean(axis=0, keepdims=True) if mono else mix
    curve = trace_singing(examine_recording(mix, RATE), mix.shape[1] / RATE)
    values, truth = np.array(curve.values), where(spans, len(curve.values), curve.rate)
    assert len(values) == 601 and values.min() >= 0 and values.max() <= 1
    ranks = values.argsort().argsort()
    area = (ranks[truth].mean() - (truth.sum() - 1) / 2) / (~truth).sum()  # under the ROC curve
    assert area > 0.93
    guess = hear_mix(mix, RATE)
    heard = ((np.arange(601)[:, None] / 10 >= guess.spans[:, 0]) & (np.arange(601)[:, None] / 10 < guess.spans[:, 1])).any(axis=1)
    assert not guess.trusted and heard[truth].mean() > 0.8 > 0.5 > heard[~truth].mean()
    alone = trace_singing(examine_recording(band, RATE), 60.0)
    assert values[truth].mean() > np.mean(alone.values) + 0.15


def test_pieces_make_no_difference(sung: tuple[np.ndarray, np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    mix = np.stack([sung[0], 0.7 * sung[0]])[:, : 24 * RATE]
    recording = examine_recording(mix, RATE)
    whole = measure_singing(recording)
    assert len(whole) == 1 + 24 * RATE // HOP > PIECE
    monkeypatch.setattr("pack.nodes.engine.song.singing.PIECE", 200)
    assert np.allclose(measure_singing(recording), whole, atol=1e-3)


@pytest.mark.parametrize("sound", ["silence", "white_noise", "sine", "drone", "drops"])
def test_what_no_voice_makes(no_pulse: ModuleType, sound: str) -> None:
    samples = no_pulse.SOUNDS[sound](8, seed=3)
    curve = trace_singing(examine_recording(samples, no_pulse.RATE), 8.0)
    assert len(curve.values) == 81 and np.mean(curve.values) < 0.4


@pytest.mark.parametrize("seconds", [0.5, 0.52, 20.48, 21.0])
def test_any_length_has_its_curve(seconds: float) -> None:
    samples = np.random.default_rng(0).standard_normal((6, int(seconds * 8000))).astype(np.float32)
    assert len(trace_singing(examine_recording(samples, 8000), samples.shape[1] / 8000).values) == int(samples.shape[1] / 8000 * 10) + 1


@pytest.mark.slow
def test_a_stem_replaces_the_guess(sung_lyrics: ModuleType) -> None:
    song = sung_lyrics.sing("en", 5)
    stem = Sound(sung_lyrics.record_stem(song), sung_lyrics.RATE)
    guess = trace_singing(examine_recording(stem.samples, stem.sample_rate), stem.duration)
    timeline = align_lyrics(Timeline(stem.duration, curves=(guess,)), stem, LyricRequest(song.text, "en"), stem)
    (curve,) = timeline.curves
    truth = where(song.spans - [[0, 0.2]], len(curve.values), curve.rate)
    assert curve.name == guess.name == "voice" and curve != guess
    assert np.mean((np.array(curve.values) > 0.5) == truth) > 0.9
    assert align_lyrics(Timeline(stem.duration, curves=(guess,)), stem, LyricRequest(song.text, "en")).curves == (guess,)


def test_bands_hear_their_own_drums(drum_loops: ModuleType) -> None:
    """Kicks are the bass's attacks, hats the highs'; and each band is loud where it sounds."""
    rng = np.random.default_rng(0)
    track = np.zeros(8 * RATE)
    for place in range(14):
        sound = drum_loops._kick() if place % 2 else 3 * drum_loops._hat(rng)
        first = int((0.5 + 0.5 * place) * RATE)
        track[first : first + len(sound)] += sound
    timeline = analyse_song((0.3 * track)[None].astype(np.float32), RATE)
    for place in range(14):
        moment = 0.5 + 0.5 * place
        kick, hat = (max(timeline.curve(name).at(moment + late) for late in (0, 0.04)) for name in ("bass onset", "highs onset"))
        assert (kick > 2 * hat) if place % 2 else (hat > 2 * kick), (place, kick, hat)
        assert (timeline.curve("bass").at(moment + 0.04) > timeline.curve("highs").at(moment + 0.04)) == bool(place % 2)
    for name in ("low mids", "mids", "highs", "bass onset", "highs onset"):
        curve = timeline.curve(name)
        assert curve.rate == 25 and len(curve.values) == 201 and 0 <= min(curve.values) <= max(curve.values) <= 1
