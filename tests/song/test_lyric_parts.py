"""Names of sections from headings and from what is sung, on made-up songs."""

from __future__ import annotations

import pytest
from pack.nodes.engine.song.lyrics.parts import name_sections
from pack.nodes.engine.song.lyrics.sheet import Heading
from pack.nodes.engine.timeline import Line, Section, Timeline

PART = 8.0  # seconds


def make_song(letters: str) -> Timeline:
    return Timeline(
        PART * len(letters),
        sections=tuple(Section(number * PART, (number + 1) * PART, letter) for number, letter in enumerate(letters)),
    )


def sing(*parts: str | None) -> list[tuple[int, Line]]:
    """Two lines in each part; lines of parts with the same words are the same."""
    lines = [
        Line(number * PART + half * 4 + 0.5, number * PART + half * 4 + 3.5, f"{words} {half}")
        for number, words in enumerate(parts)
        if words
        for half in (0, 1)
    ]
    return list(enumerate(lines))


def labels(timeline: Timeline) -> list[str]:
    return [section.label for section in timeline.sections]


def test_what_is_sung_again_is_the_chorus() -> None:
    song = sing(None, "once", "home", "twice", "home", "bridge", "home", None)
    assert labels(name_sections(make_song("ABCBCDCA"), [], song)) == [
        "intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus", "outro",
    ]  # fmt: skip


def test_a_solo_is_instrumental_and_the_same_letter_without_words_is_no_chorus() -> None:
    song = sing("once", "home", None, "twice", "home")
    assert labels(name_sections(make_song("ABBAB"), [], song)) == ["verse", "chorus", "instrumental", "verse", "chorus"]


def test_a_chorus_that_the_music_goes_through_twice_begins_anew() -> None:
    for end in (24.0, 20.0):  # also where the music's part ends before the last line
        song = Timeline(24.0, sections=(Section(0.0, 8.0, "A"), Section(8.0, end, "B"), *([Section(end, 24.0, "C")] if end < 24 else [])))
        named = name_sections(song, [], sing("once", "home", "home"))
        assert labels(named)[:3] == ["verse", "chorus", "chorus"]
        assert [section.start for section in named.sections][:3] == [0.0, 8.0, 16.5]


def test_one_line_sung_twice_is_no_return() -> None:
    lines = [Line(start, start + 3.0, text) for start, text in ((0.5, "home"), (4.5, "home"), (8.5, "away"), (12.5, "again"))]
    song = Timeline(16.0, sections=(Section(0.0, 16.0, "A"),))
    assert len(name_sections(song, [], list(enumerate(lines))).sections) == 1


def test_letters_stay_where_nothing_is_sung_again() -> None:
    assert labels(name_sections(make_song("ABAB"), [], sing(None, "one", "two", "three"))) == ["intro", "B", "A", "B"]


def test_headings_win() -> None:
    song = sing(None, "once", "home", "home", "last")
    headings = [Heading("Verse 1", 0), Heading("Refrain", 2), Heading("Outro", 6)]
    assert labels(name_sections(make_song("ABCCD"), headings, song)) == ["intro", "Verse 1", "Refrain", "Refrain", "Outro"]


@pytest.mark.parametrize("headings", [[], [Heading("Verse", 0)]])
def test_nothing_sung_changes_nothing(headings: list[Heading]) -> None:
    song = make_song("ABAB")
    assert name_sections(song, headings, []) is song


def test_names_that_are_there_are_left_alone() -> None:
    song = make_song("AB")
    named = Timeline(song.duration, sections=(Section(0, PART, "intro"), Section(PART, 2 * PART, "drop")))
    assert labels(name_sections(named, [Heading("Verse", 0)], sing("one", "two"))) == ["intro", "drop"]
