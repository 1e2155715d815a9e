"""From pasted text and what was heard to lines on the timeline: exact where it was heard, a draft that says so where not."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.film.lyric_overlay import split_line
from pack.nodes.engine.song.lyrics.aligner import MIX_DRAFT, NOBODY_SINGS, NOT_HEARD, STEM_DRAFT, LyricRequest, Sound, align_lyrics
from pack.nodes.engine.song.lyrics.heard_words import HeardSegment, HeardWord
from pack.nodes.engine.song.lyrics.lrc import write_lrc
from pack.nodes.engine.song.lyrics.recogniser import HEARING_RATE, Hearing
from pack.nodes.engine.song.lyrics.sheet import LyricError
from pack.nodes.engine.timeline import Beat, Line, Section, Timeline, TimelineError

RATE = 8000
SONG = Timeline(30.0)
NOISE = Sound((0.1 * np.random.default_rng(0).standard_normal((2, 30 * RATE))).astype(np.float32), RATE)
PLAIN = "[Verse]\nCarry me home\nover the silver water\n[Chorus]\nbefore the morning"
HEARD = "carry@2 me@2.5 home@3 over@5 the@5.5 silver@6 water@7 before@20 the@20.5 morning@21"


def tones(*spans: tuple[float, float], seconds: float = 30.0) -> Sound:
    """A stem that sounds in the spans only."""
    time = np.arange(int(seconds * RATE)) / RATE
    on = sum((time >= start) & (time < end) for start, end in spans)
    return Sound((0.3 * np.sin(2 * np.pi * 220 * time) * on)[None].astype(np.float32), RATE)


class Ear:
    """A recogniser that hears what it is told, `word@seconds`, and knows where a text lies if told so."""

    def __init__(self, told: str, language: str = "en", refined: Callable[[float, str], list[HeardWord]] | None = None) -> None:
        pairs = [item.rsplit("@", 1) for item in told.split()]
        self.words = tuple(HeardWord(float(at), float(at) + 0.4, f" {word}", 0.9) for word, at in pairs)
        self.language, self.remark, self.refined = language, "", refined
        self.asked: list[Any] = []

    def hear(self, sound: np.ndarray, spans: np.ndarray | None, language: str | None, on_progress: Callable[..., None]) -> Hearing:
        self.asked = [len(sound) / HEARING_RATE, None if spans is None else spans.tolist(), language]
        on_progress(15.0, 30.0)
        return Hearing((HeardSegment(self.words),), language or self.language)

    def time_text(self, sound: np.ndarray, text: str, language: str) -> list[HeardWord]:
        return self.refined(len(sound) / HEARING_RATE, text) if self.refined else []


def align(text: str = PLAIN, ear: Ear | None = None, vocals: Sound | None = None, timeline: Timeline = SONG, **wishes: str) -> Timeline:
    return align_lyrics(timeline, NOISE, LyricRequest(text, **wishes), vocals, (lambda: ear) if ear else None)


def starts(timeline: Timeline) -> list[list[float]]:
    return [[word.start for word in line.words] for line in timeline.lines]


def test_pasted_words_get_the_times_of_what_was_heard() -> None:
    result = align(ear=Ear(HEARD))
    assert starts(result) == [[2, 2.5, 3], [5, 5.5, 6, 7], [20, 20.5, 21]] and result.remarks == ()
    assert [line.text for line in result.lines] == ["Carry me home", "over the silver water", "before the morning"]
    assert [(line.start, line.end) for line in result.lines] == [(2, 3.4), (5, 7.4), (20, 21.4)]
    assert result.lines[0].words[0].confidence == pytest.approx(0.9)


def test_the_recogniser_hears_the_vocals_and_only_where_somebody_sings() -> None:
    ear = Ear(HEARD)
    align(ear=ear, vocals=tones((2, 3.5), (5, 7.5), (20, 21.5)))
    assert ear.asked[0] == pytest.approx(30) and len(ear.asked[1]) == 3 and ear.asked[2] is None
    align("夜空に\n星が", ear=(ear := Ear(HEARD)))
    assert ear.asked[1:] == [None, "ja"]
    align(ear=(ear := Ear(HEARD)), language="fr")
    assert ear.asked[2] == "fr"


def test_words_that_were_not_heard_share_the_time_between() -> None:
    result = align(ear=Ear("carry@2 home@3 over@5 water@7 before@20 the@20.5 morning@21"))
    carry, me, home = result.lines[0].words
    assert 2.4 <= me.start < me.end <= 3.0 and me.confidence < home.confidence
    _, the, silver, water = result.lines[1].words
    assert 5.4 <= the.start < the.end <= silver.start < silver.end <= water.start == 7


def test_a_line_that_was_not_heard_lies_in_the_singing_that_is_left() -> None:
    told = "carry@2 me@2.5 home@3 before@20 the@20.5 morning@21"
    result = align(ear=Ear(told), vocals=tones((2, 3.4), (11, 13), (20, 21.4)))
    lost = result.lines[1]
    assert lost.text == "over the silver water" and lost.start == pytest.approx(11, abs=0.05) and lost.end <= 13.05
    assert all(word.confidence <= 0.1 for word in lost.words)


def test_nothing_lies_where_nobody_sings() -> None:
    vocals = tones((2, 3.4), (5, 7.4), (20, 21.4))
    result = align(ear=Ear(HEARD + " over@12 the@12.3 silver@12.6 water@12.9"), vocals=vocals)
    for line in result.lines:
        for word in line.words:
            assert any(first - 0.05 <= word.start <= word.end <= last + 0.05 for first, last in ((2, 3.4), (5, 7.4), (20, 21.4)))
    assert starts(result)[1] == [5, 5.5, 6, 7]


def test_a_line_without_room_is_left_out_and_named() -> None:
    crowded = "carry@2 me@2.5 home@3 before@3.4 the@3.8 morning@4.2"
    text = "Carry me home\nover the silver water and everything beyond\nbefore the morning"
    result = align(text, ear=Ear(crowded))
    assert [line.text for line in result.lines] == ["Carry me home", "before the morning"]
    assert "'over the silver water and ever" in result.remarks[0] and starts(result)[1][0] == 3.4


def test_lyrics_of_another_song_are_noticed() -> None:
    other = "Buy the ticket ride the dragon\nevery engine needs a spark\nmountains tumble kingdoms crumble\nuntil we carry me home"
    result = align(other, ear=Ear(HEARD))
    assert "% of these words were heard in this song" in result.remarks[0] and result.remarks[0].startswith("Only ")
    nothing = align("quixotic zephyrs jabber", ear=Ear("mmm@3"))
    assert nothing.remarks == (NOT_HEARD,) and len(nothing.lines) == 1


def test_without_text_the_lyrics_are_what_is_heard() -> None:
    result = align("", ear=Ear(HEARD))
    assert [line.text for line in result.lines] == ["carry me home", "over the silver water", "before the morning"]
    assert starts(result) == [[2, 2.5, 3], [5, 5.5, 6, 7], [20, 20.5, 21]]
    silent = align("", ear=Ear("mmm@3"), vocals=tones((10, 12)))
    assert silent.lines == () and "heard no words" in silent.remarks[0]


def test_the_recogniser_refines_what_it_is_sure_of() -> None:
    def refined(seconds: float, text: str) -> list[HeardWord]:
        assert text == " Carry me home over the silver water before the morning" and seconds == pytest.approx(21.4, abs=0.1)
        at = [1.1, 1.5, 3.7, 4.1, 4.6, 5.1, 6.1, 19.1, 19.6, 20.1]  # from the window's start, 1 s before the first word
        return [HeardWord(time, time + 0.3, f" {word}") for time, word in zip(at, text.split(), strict=True)]

    result = align(ear=Ear(HEARD, refined=refined))
    assert starts(result)[0] == pytest.approx([2.1, 2.5, 3.0]), "a word is not moved by more than half a second"
    assert starts(result)[1] == pytest.approx([5.1, 5.6, 6.1, 7.1]) and starts(result)[2] == pytest.approx([20.1, 20.6, 21.1])
    other = align(ear=Ear(HEARD, refined=lambda seconds, text: [HeardWord(0, 1, "something else")]))
    assert starts(other) == [[2, 2.5, 3], [5, 5.5, 6, 7], [20, 20.5, 21]]


def test_a_draft_from_a_stem_says_so() -> None:
    result = align(vocals=tones((2, 3.4), (5, 7.4), (20, 21.4)))
    assert result.remarks == (STEM_DRAFT,)
    assert [line.start for line in result.lines] == pytest.approx([2, 5, 20], abs=0.05)
    assert all(word.confidence == 0.3 for line in result.lines for word in line.words)


def test_a_draft_from_the_mix_says_so() -> None:
    result = align()
    assert result.remarks == (MIX_DRAFT,) and len(result.lines) == 3
    assert all(word.confidence == 0.1 for line in result.lines for word in line.words)
    times = [edge for line in result.lines for word in line.words for edge in (word.start, word.end)]
    assert times == sorted(times) and times[-1] <= 30


@pytest.mark.parametrize("vocals", [Sound(np.zeros((1, 30 * RATE), np.float32), RATE)])
def test_vocals_without_a_voice_give_no_words(vocals: Sound) -> None:
    assert align(vocals=vocals).lines == () and align(vocals=vocals).remarks == (NOBODY_SINGS,)


def test_pasted_times_are_taken_as_they_are() -> None:
    lrc = "[Verse]\n[00:01.00]Hello\n[00:02.50]<00:02.50>wide <00:03.00>world<00:03.75>\n[00:29.00]the end\n[00:40.00]too late"
    ear = Ear(HEARD)
    result = align(lrc, ear=ear)
    assert not ear.asked, "nothing has to be heard"
    assert [(line.start, line.end, line.text) for line in result.lines] == [
        (1, 2.5, "Hello"),
        (2.5, 3.75, "wide world"),
        (29, 30, "the end"),
    ]
    assert starts(result)[1] == [2.5, 3.0] and "1 line begins after the end of the song" in result.remarks[0]
    assert align("1\n00:00:01,000 --> 00:00:02,000\nHi").lines == (Line(1.0, 2.0, "Hi"),)


def test_lines_without_a_time_share_the_time_between_those_with_one() -> None:
    lines = align("[00:04.00]one\n[00:05.00]\nlong lost summer\nnight\n[00:09.00]two\n[00:10.00]").lines
    assert [line.text for line in lines] == ["one", "long lost summer", "night", "two"]
    assert lines[1].start == 5 and lines[1].end == lines[2].start == pytest.approx(5 + 4 * 4 / 5) and lines[2].end == 9


def test_headings_become_sections_on_downbeats_where_there_are_none() -> None:
    beats = tuple(Beat(0.5 * n, n % 4 + 1) for n in range(60))
    timeline = Timeline(30.0, beats=beats, downbeat_confidence=0.9)
    text = PLAIN + "\n[Instrumental]\n[Outro]"
    result = align(text, ear=Ear(HEARD), timeline=timeline)
    assert result.sections == (Section(2.0, 20.0, "verse"), Section(20.0, 22.0, "chorus"), Section(22.0, 30.0, "outro"))
    known = Timeline(30.0, sections=(Section(0.0, 30.0, "a"),))
    assert align(ear=Ear(HEARD), timeline=known).sections == known.sections
    assert align("no\nheadings", ear=Ear("no@2 headings@3")).sections == ()


def test_edits_by_hand_stay_run_after_run() -> None:
    edits = {"schema": "lyric-edits/1", "edits": [
        {"line": 1, "word": 2, "text": "Me!", "start": 2.7, "end": 3.2}, {"line": 3, "text": "before", "start": 19.0},
        {"line": 2, "word": 1, "text": "under", "start": 1.0}, {"line": 9, "text": "x", "end": 3.0},
    ]}  # fmt: skip
    for _ in range(2):
        result = align(ear=Ear(HEARD), edits=json.dumps(edits))
        assert starts(result)[0] == [2.0, 2.7, 3.2] and result.lines[0].words[1].confidence == 1.0
        assert starts(result)[2] == pytest.approx([19.0, 19.5, 20.0]) and starts(result)[1] == [5, 5.5, 6, 7]
        assert "2 of 4 edits no longer fit" in result.remarks[-1]


@pytest.mark.parametrize(
    "edits",
    ["{", "[]", '{"schema": "lyric-edits/1"}', '{"schema": "lyric-edits/1", "edits": [3]}', '{"schema": "other", "edits": []}']
    + [f'{{"schema": "lyric-edits/1", "edits": [{{{item}}}]}}' for item in (
        '"line": 1, "text": "x"', '"line": 0, "text": "x", "start": 1', '"line": 1, "text": "x", "start": 2, "end": 1',
        '"line": 1, "text": "x", "start": true', '"line": 1, "text": "x", "start": 1, "colour": 2', '"line": 1.5, "text": "x", "start": 1',
        '"line": 1, "text": "x", "start": NaN',
    )],
)  # fmt: skip
def test_edits_that_cannot_be_read_are_one_sentence(edits: str) -> None:
    with pytest.raises(TimelineError) as error:
        align(ear=Ear(HEARD), edits=edits)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


def test_nothing_to_align_says_what_to_do() -> None:
    with pytest.raises(LyricError, match="paste them into lyrics, or choose a Whisper model"):
        align("")
    assert align("[Instrumental]").lines == () and align("🔥 ♪\n...", ear=Ear(HEARD)).lines == () and align("(x2)").lines == ()


def test_more_words_than_can_be_sung_and_vocals_of_another_song() -> None:
    with pytest.raises(LyricError, match="more than can be sung in 30 s"):
        align("la " * 2000)
    with pytest.raises(LyricError, match="The vocals last 12.00 s and the song 30.00 s"):
        align(vocals=tones((1, 2), seconds=12.0))


def test_aligning_can_be_stopped_while_it_listens() -> None:
    class StopError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done >= 40:
            raise StopError

    with pytest.raises(StopError):
        align_lyrics(SONG, NOISE, LyricRequest(PLAIN), None, lambda: Ear(HEARD), stop)


def test_the_film_colours_every_word_of_an_aligned_line() -> None:
    text = "Oh, carry (me) home\n港の灯りが、消えてゆく"
    result = align(text, ear=Ear("oh@1 carry@2 me@3 home@4 港の灯りが@10 消えてゆく@11"))
    for line in result.lines:
        coloured = {piece.word for chunk in split_line(line) for piece in chunk} - {-1}
        assert coloured == set(range(len(line.words))), "every timed word is found in the line"


def test_timelines_with_lyrics_survive_json() -> None:
    result = align(ear=Ear(HEARD))
    assert Timeline.from_json(result.to_json()) == result


@pytest.mark.parametrize("language", ["en", "ja", "zh"])
@pytest.mark.parametrize("with_stem", [True, False])
def test_a_bad_recogniser_is_good_enough(sung_lyrics: ModuleType, language: str, with_stem: bool) -> None:
    """The targets of the bench on one song: 30 % of the words wrong, lost or invented."""
    song, misheard = sung_lyrics.sing(language, 11), sung_lyrics.mishear(sung_lyrics.sing(language, 11), 11)
    stem = Sound(sung_lyrics.record_stem(song), sung_lyrics.RATE)
    ear = Ear("", language)
    ear.hear = lambda *_: Hearing(misheard.segments, language)  # type: ignore[method-assign]
    result = align_lyrics(Timeline(song.duration), stem, LyricRequest(song.text, language), stem if with_stem else None, lambda: ear)
    found = [word for line in result.lines for word in line.words]
    errors = np.array([abs(word.start - truth.start) for word, truth in zip(found, song.words, strict=True)])
    heard = errors[sorted(misheard.right)]
    assert np.median(heard) <= 0.05 and np.mean(heard <= 0.3) >= 0.95 and np.mean(errors <= 0.3) >= 0.85
    if with_stem:
        spans = song.spans
        for word in found:
            assert np.maximum(spans[:, 0] - word.start, word.end - spans[:, 1]).min() < 0.2 + word.end - word.start
        for first, last in song.breaks:
            assert not [word for word in found if first + 0.2 < (word.start + word.end) / 2 < last - 0.2]


def test_the_lrc_that_comes_out_goes_in_again() -> None:
    result = align(ear=Ear(HEARD))
    again = align(write_lrc(result.lines))
    assert starts(again) == starts(result) and [line.text for line in again.lines] == [line.text for line in result.lines]


@pytest.mark.parametrize("seed", range(10))
def test_whatever_is_heard_words_stay_in_order_and_within_the_singing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = "love night the you me and dance home river oh fire cold star".split()
    text = "\n".join(" ".join(rng.choice(known, int(rng.integers(1, 8)))) for _ in range(int(rng.integers(1, 20))))
    told = " ".join(f"{rng.choice(known)}@{at:.3f}" for at in np.sort(rng.uniform(0, 30, int(rng.integers(0, 80)))))
    result = align(text, ear=Ear(told), vocals=tones(*[(at, at + 1.5) for at in range(1, 28, 3)]) if seed % 2 else None)
    words = [word for line in result.lines for word in line.words]
    assert [word.start for word in words] == sorted(word.start for word in words)
    assert all(0 <= word.start <= word.end <= 30 for word in words) and Timeline.from_json(result.to_json()) == result
    for word in words if seed % 2 else []:
        assert any(first - 0.06 <= word.start and word.end <= first + 1.56 for first in range(1, 28, 3))
