"""Burnt-in lyrics: shown in their time, broken where they may be, always within the picture."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from pack.nodes.engine.film import typeface
from pack.nodes.engine.film.lyric_overlay import SUNG, LyricOverlay, break_rows, split_line
from pack.nodes.engine.film.typeface import find_typeface
from pack.nodes.engine.timeline import Line, Word

FPS = Fraction(24)
JAPANESE = "\u591c\u7a7a\u306b\u8f1d\u304f\u661f\u306e\u3088\u3046\u306b\u3001\u541b\u306e\u58f0\u300c\u305a\u3063\u3068\u300d"
WORDS = (Word(1.0, 1.4, "hold"), Word(1.5, 1.9, "me"), Word(2.0, 2.4, "tonight"))
LINE = Line(1.0, 3.0, "Oh, hold (me) tonight", WORDS)


def blank(width: int = 320, height: int = 180) -> np.ndarray:
    return np.full((height, width, 3), 60, dtype=np.uint8)


def drawn(line: Line, number: int, width: int = 320, height: int = 180) -> np.ndarray:
    return LyricOverlay([line], width, height, FPS).draw(blank(width, height), number)


def texts(line: Line) -> list[str]:
    return ["".join(piece.text for piece in chunk) for chunk in split_line(line)]


def test_a_line_is_shown_from_its_first_frame_to_its_last() -> None:
    overlay = LyricOverlay([LINE], 320, 180, FPS)
    changed = [number for number in range(96) if not np.array_equal(overlay.draw(blank(), number), blank())]
    assert changed == list(range(24, 72))


def test_the_frame_given_is_left_as_it_is() -> None:
    frame = blank()
    LyricOverlay([LINE], 320, 180, FPS).draw(frame, 30)
    assert np.array_equal(frame, blank())


def test_the_word_being_sung_is_coloured() -> None:
    overlay = LyricOverlay([LINE], 640, 360, FPS)
    centres = []
    for time in (1.1, 1.6, 2.1):
        coloured = np.all(np.abs(overlay.draw(blank(640, 360), round(time * 24)).astype(int) - SUNG[:3]) < 12, axis=-1)
        centres.append(np.flatnonzero(coloured.any(axis=0)).mean())
    assert centres[0] < centres[1] < centres[2]


def test_a_line_without_timed_words_is_plain() -> None:
    coloured = np.all(np.abs(drawn(Line(0, 1, "hold me"), 0).astype(int) - SUNG[:3]) < 12, axis=-1)
    assert not coloured.any()


def test_of_two_lines_at_once_the_later_is_shown() -> None:
    overlay = LyricOverlay([Line(0, 3, "a long first line"), Line(1, 2, "b")], 320, 180, FPS)
    widths = [np.ptp(np.flatnonzero((overlay.draw(blank(), number) != 60).any(axis=(0, 2)))) for number in (12, 36, 60)]
    assert widths[1] < widths[0] == widths[2]


@pytest.mark.parametrize(
    "text",
    [
        "word",
        "many words " * 12,
        "M" * 60,
        "M" * 300,
        "tra-la " * 60,
        JAPANESE * 6,
        "\u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd " * 9,
        "!?",
    ],
)
@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320), (64, 64), (16, 8)])
def test_no_letter_touches_the_edge(text: str, width: int, height: int) -> None:
    changed = np.any(drawn(Line(0, 1, text), 0, width, height) != 60, axis=-1)
    assert changed.any()
    assert width < 64 or not (changed[:, 0].any() or changed[:, -1].any() or changed[-1].any())


def test_lines_break_at_spaces_and_between_japanese_letters_but_not_before_closing_marks() -> None:
    assert texts(LINE) == ["Oh,", " ", "hold", " ", "(me)", " ", "tonight"]
    assert [piece.word for chunk in split_line(LINE) for piece in chunk] == [-1, -1, 0, -1, -1, 1, -1, -1, 2]
    chunks = texts(Line(0, 1, JAPANESE))
    assert "".join(chunks) == JAPANESE and "\u306b\u3001" in chunks and "\u300c\u305a\u3063" in chunks and "\u3068\u300d" in chunks


def test_rows_are_filled_and_lose_their_last_space() -> None:
    font = find_typeface("abc").at(20)
    rows = break_rows(split_line(Line(0, 1, "aaa bbb ccc")), font, font.getlength("aaa bbb") + 1)
    assert ["".join(piece.text for piece in row) for row in rows] == ["aaa bbb", "ccc"]


def test_letters_that_no_font_has_are_remarked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeface, "_candidates", lambda: iter(["no such font.ttf", ""]))
    overlay = LyricOverlay([Line(0, 1, "hi \u591c")], 320, 180, FPS)
    assert "\u591c" in overlay.remarks[0] and "Noto" in overlay.remarks[0]
    assert not np.array_equal(overlay.draw(blank(), 0), blank())


def test_english_never_needs_a_font_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typeface, "_candidates", lambda: iter([""]))
    assert find_typeface("Hold me (don't!), 24/7").missing == ""


def test_no_lines_need_no_font() -> None:
    overlay = LyricOverlay([Line(0, 1, "  ")], 320, 180, FPS)
    assert overlay.remarks == () and np.array_equal(overlay.draw(blank(), 0), blank())
