"""LRC, SRT and ASS that we write read back as the same lines and times, to the resolution of the format."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.nodes.engine.song.lyrics.ass import write_ass
from pack.nodes.engine.song.lyrics.lrc import write_lrc
from pack.nodes.engine.song.lyrics.reader import read_lyrics
from pack.nodes.engine.song.lyrics.srt import write_srt
from pack.nodes.engine.timeline import Line, Word

HOLD = Line(1.234, 3.456, "– hold (me) tonight", (Word(1.3, 1.5, "hold"), Word(1.5, 1.71, "(me)"), Word(2.0, 3.4, "tonight")))
NIGHT = Line(4.0, 6.0, "夜空に、星", (Word(4.0, 4.5, "夜"), Word(4.5, 5.0, "空"), Word(5.0, 5.2, "に"), Word(5.5, 6.0, "星")))
PLAIN = Line(3661.007, 3662.5, "{curly} 50 % \\ שלום 🎵")
LINES = (HOLD, NIGHT, PLAIN)


def test_exact_lrc() -> None:
    assert write_lrc(LINES) == (
        "[00:01.23]– <00:01.30>hold <00:01.50>(me) <00:01.71> <00:02.00>tonight<00:03.40><00:03.46>\n"
        "[00:04.00]<00:04.00>夜<00:04.50>空<00:05.00>に、<00:05.20><00:05.50>星<00:06.00>\n"
        "[61:01.01]{curly} 50 % \\ שלום 🎵\n[61:02.50]\n"
    )
    assert write_lrc([HOLD, Line(3.456, 5.0, "b")], by_word=False) == "[00:01.23]– hold (me) tonight\n[00:03.46]b\n[00:05.00]\n"
    assert write_lrc([]) == "" and write_srt([]) == ""


def test_exact_srt() -> None:
    assert write_srt(LINES[:2]) == (
        "1\n00:00:01,234 --> 00:00:03,456\n– hold (me) tonight\n\n2\n00:00:04,000 --> 00:00:06,000\n夜空に、星\n"
    )


def test_exact_ass_karaoke() -> None:
    written = write_ass(LINES)
    assert written.startswith("[Script Info]\n") and "PlayResX: 1280" in written
    events = [line for line in written.splitlines() if line.startswith("Dialogue")]
    assert events[0] == ("Dialogue: 0,0:00:01.23,0:00:03.46,Karaoke,,0,0,0,,– {\\k7}{\\k20}hold {\\k21}(me) {\\k29}{\\k140}tonight")
    assert events[2].endswith("{\\k149}\\{curly\\} 50 % \u2216 שלום 🎵")


@pytest.mark.parametrize(("write", "step"), [(write_lrc, 0.01), (write_srt, 0.001), (write_ass, 0.01)])
def test_what_is_written_reads_back(write: Callable[..., str], step: float) -> None:
    check_round_trip(LINES, write, step)


def check_round_trip(lines: tuple[Line, ...], write: Callable[..., str], step: float) -> None:
    read = read_lyrics(write(lines)).lines
    assert len(read) == len(lines)
    for found, line in zip(read, lines, strict=True):
        assert found.start is not None and math.isclose(found.start, line.start, abs_tol=0.501 * step)
        assert found.end is not None and math.isclose(found.end, line.end, abs_tol=0.501 * step)
        if write is write_srt or not line.words:
            continue
        assert len(found.words) == len(line.words)
        for one, other in zip(found.words, line.words, strict=True):
            assert math.isclose(one.start, other.start, abs_tol=0.501 * step) and math.isclose(one.end, other.end, abs_tol=0.501 * step)


@st.composite
def songs(draw: st.DrawFn) -> tuple[Line, ...]:
    """Lines one after the other with words one after the other, at least 20 ms long: shorter ones vanish in hundredths."""
    now, lines = draw(st.floats(0, 100)), []
    for _ in range(draw(st.integers(1, 4))):
        words = []
        start = now
        for text in draw(st.lists(st.sampled_from(["love", "me,", "(oh)", "夜", "24", "don't", "you"]), min_size=1, max_size=5)):
            begin = now + draw(st.floats(0, 2))
            now = begin + draw(st.floats(0.02, 3))
            words.append(Word(begin, now, text))
        now += draw(st.floats(0, 1))
        lines.append(Line(start, now, " ".join(word.text for word in words), tuple(words)))
        now += draw(st.floats(0.02, 30))
    return tuple(lines)


@settings(max_examples=60, deadline=None)
@given(songs())
def test_any_song_reads_back(lines: tuple[Line, ...]) -> None:
    check_round_trip(lines, write_lrc, 0.01)
    check_round_trip(lines, write_ass, 0.01)
    check_round_trip(lines, write_srt, 0.001)


def test_a_word_that_the_line_does_not_have_is_written_all_the_same() -> None:
    line = Line(1.0, 2.0, "hold me", (Word(1.0, 1.5, "hold"), Word(1.5, 2.0, "you")))
    assert [word.text for word in read_lyrics(write_lrc([line])).lines[0].words] == ["hold", "you"]
