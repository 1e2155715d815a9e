"""When somebody sings: heard in a stem to within a frame or two, a clock that runs only then, lines spread over it."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from pack.nodes.engine.song.lyrics.phrases import spread_lines
from pack.nodes.engine.song.lyrics.voice import LAST, Voice, everywhere, hear_anything, hear_mix, hear_stem, join_spans

RATE = 16000
SPANS = [(2.0, 3.5), (4.5, 6.0), (9.0, 9.8)]


def sing(
    spans: list[tuple[float, float]], level: float, bleed: float, seconds: float = 12.0, rate: int = RATE, pitch: float = 220.0
) -> np.ndarray:
    """A tone of so much amplitude in the spans over noise everywhere, [1, samples]."""
    time = np.arange(int(seconds * rate)) / rate
    sound = bleed * np.random.default_rng(0).standard_normal(len(time))
    for start, end in spans:
        sound += np.where((time >= start) & (time < end), level * np.sin(2 * np.pi * pitch * time), 0)
    return sound[None].astype(np.float32)


@pytest.mark.parametrize(("level", "bleed"), [(0.3, 0.0), (0.3, 0.003), (0.02, 0.0002), (1.0, 0.02)])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_stem_tells_when_somebody_sings(level: float, bleed: float, rate: int) -> None:
    voice = hear_stem(sing(SPANS, level, bleed, rate=rate), rate)
    assert voice.trusted and voice.spans.shape == (3, 2)
    assert np.abs(voice.spans - SPANS).max() <= 0.045


def test_singing_all_through_is_one_span() -> None:
    voice = hear_stem(sing([(0.0, 12.0)], 0.3, 0.001), RATE)
    assert len(voice.spans) == 1 and voice.seconds > 11.9


@pytest.mark.parametrize("sound", [np.zeros((2, RATE * 3), np.float32), sing([], 0.0, 0.0002)])
def test_a_stem_without_a_voice_is_empty(sound: np.ndarray) -> None:
    voice = hear_stem(sound, RATE)
    assert voice.seconds == 0 and voice.hold(1.0, 2.0) == (1.0, 2.0) and float(voice.sung_before(2.0)) == 0


def test_breaths_join_and_clicks_go() -> None:
    voice = hear_stem(sing([(1.0, 2.0), (2.1, 3.0), (6.0, 6.02)], 0.3, 0.0), RATE)
    assert len(voice.spans) == 1 and voice.spans[0] == pytest.approx([1.0, 3.0], abs=0.045)
    assert join_spans(np.array([[0, 1], [1.1, 2], [5, 6]]), 0.5).tolist() == [[0, 2], [5, 6]]


def test_a_quiet_voice_in_a_mix_is_not_silence() -> None:
    loud = sing([(6.0, 12.0)], 0.9, 0.0)
    voice = hear_anything(loud + sing([(2.0, 5.0)], 0.02, 0.0), RATE)
    assert voice.spans == pytest.approx(np.array([[2.0, 5.0], [6.0, 12.0]]), abs=0.045) and not voice.trusted


def test_a_mix_gives_a_guess_that_says_so() -> None:
    time = np.arange(RATE * 20) / RATE
    band = 0.3 * np.sin(2 * np.pi * 80 * time) + 0.05 * np.random.default_rng(0).standard_normal(len(time))
    voice = hear_mix((band + sing([(5.0, 9.0), (12.0, 16.0)], 0.4, 0.0, 20.0, pitch=880.0)[0])[None].astype(np.float32), RATE)
    assert not voice.trusted
    assert abs(voice.sung_before(9.3) - voice.sung_before(4.7)) > 3 and float(voice.sung_before(4.0)) < 1


def test_the_clock_runs_only_while_somebody_sings() -> None:
    voice = Voice(np.array([[1.0, 2.0], [4.0, 6.0]]), 10.0)
    assert voice.sung_before(np.array([0, 1.5, 3, 5, 9])).tolist() == [0, 0.5, 1, 2, 3]
    assert voice.time_at([0, 0.5, 1, 2, 3, 9]).tolist() == [1, 1.5, 4, 5, 6, 6]
    assert voice.time_at([1, 3], LAST).tolist() == [2, 6] and float(everywhere(5.0).time_at(3.0)) == 3
    assert voice.hold(1.8, 4.1) == (1.8, 2.0) and voice.hold(2.5, 3.0) == (2.0, 2.0) and voice.hold(3.5, 5.0) == (4.0, 5.0)


def test_lines_lie_on_their_phrases() -> None:
    spans = np.array([[10.0, 12.0], [12.5, 15.5], [30.0, 31.0], [32.0, 34.0]])
    stretches = spread_lines(np.array([8, 12, 4, 8]), Voice(spans, 40.0))
    assert np.array(stretches) == pytest.approx(spans, abs=1e-6)


def test_two_lines_in_one_breath_are_parted_by_their_syllables() -> None:
    (first, second, third) = spread_lines(np.array([6, 12, 6]), Voice(np.array([[2.0, 8.0], [10.0, 12.0]]), 20.0))
    assert first.start == 2 and third.start == 10 and second.start == pytest.approx(4.0, abs=0.26) and second.end == pytest.approx(8.0)


def test_a_line_that_opens_a_part_follows_the_long_pause() -> None:
    spans = np.array([[0.0, 2.0], [2.5, 4.5], [5.0, 7.0], [20.0, 22.0], [22.5, 24.5]])
    opening = np.array([True, False, True, False])
    lines = spread_lines(np.array([8.0, 8, 8, 8]), Voice(spans, 30.0), pace=0.25, opening=opening)
    assert lines[2].start == 20.0 and lines[3].start == 22.5


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 3, 200])
def test_any_number_of_lines_fits(count: int) -> None:
    stretches = np.array(spread_lines(np.full(count, 7.0), Voice(np.array([[3.0, 4.0], [8.0, 9.0]]), 12.0)))
    assert (np.diff(stretches.ravel()) >= -1e-9).all() and stretches.min() >= 3 and stretches.max() <= 9
    assert spread_lines(np.array([]), everywhere(3.0)) == [] and spread_lines(np.ones(2), Voice(np.empty((0, 2)), 5.0))[1].start == 5.0


@pytest.mark.parametrize("language", ["en", "ja", "zh"])
def test_stems_of_songs(sung_lyrics: ModuleType, language: str) -> None:
    song = sung_lyrics.sing(language, 3)
    voice = hear_stem(sung_lyrics.record_stem(song), sung_lyrics.RATE)
    assert abs(voice.seconds - float(np.diff(join_spans(song.spans, 0.2), axis=1).sum())) < 0.03 * voice.seconds
    for start, end in song.breaks:
        assert float(voice.sung_before(end - 0.1) - voice.sung_before(start + 0.1)) == 0
