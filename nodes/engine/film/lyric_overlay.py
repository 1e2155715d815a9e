"""Lyrics -> words drawn on the frames of a film, each line while it is sung, the word being sung in colour.

A line is shown from the frame nearest to its start to the frame nearest to its end. Text is set in rows centred near the
lower edge; it is broken between words (between any two letters in Chinese, Japanese and Korean) and made smaller
until all of it lies within the picture. Frames are uint8 RGB [height, width, 3]. Knows nothing of files or shots.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..timeline import Line, frame_at
from .typeface import Typeface, find_typeface

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

log = logging.getLogger("music_video")

PLAIN, SUNG, OUTLINE = (255, 255, 255, 255), (255, 208, 64, 255), (0, 0, 0, 255)
SIDE_MARGIN = 0.06  # of the width, on each side
FOOT_MARGIN = 0.07  # of the height
GREATEST_HEIGHT = 0.4  # of the picture, for all rows together
LETTER_HEIGHT = 1 / 14  # of the shorter side
LEAST_SIZE = 6  # pixels; smaller letters are specks


class Piece(NamedTuple):
    """Letters of one colour, and the number of the timed word they belong to (-1: none)."""

    text: str
    word: int


class Patch(NamedTuple):
    """A drawn part of the picture: colours already multiplied with how much they cover, 0..255."""

    top: int
    left: int
    colours: np.ndarray  # uint16 [height, width, 3]
    clearness: np.ndarray  # uint16 [height, width, 1]; 255 where the picture shows through


class LyricOverlay:
    """Draws lines of a song on frames of one size; `remarks` says which letters no font here has."""

    def __init__(self, lines: Sequence[Line], width: int, height: int, fps: Fraction) -> None:
        self._lines = [line for line in lines if line.text.strip()]
        self._width, self._height, self._fps = width, height, fps
        self._typefaces = _choose_typefaces(self._lines)
        self._drawn: tuple[tuple[int, int], Patch] | None = None  # the last patch: it serves until the word changes
        self.remarks = _missing_remarks(self._typefaces)

    def draw(self, frame: np.ndarray, number: int) -> np.ndarray:
        """The frame with that number in the film, with the words that are sung on it; the frame given stays as it is."""
        found = self._find_line(number)
        if found < 0:
            return frame
        key = (found, self._sung_word(self._lines[found], number))
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = (key, self._draw_patch(self._lines[found], self._typefaces[found], key[1]))
        return _lay_over(frame, self._drawn[1])

    def _find_line(self, number: int) -> int:
        """The line that started last and is still sung, or -1."""
        for index in reversed(range(len(self._lines))):
            start = frame_at(self._lines[index].start, self._fps)
            if start <= number < max(start + 1, frame_at(self._lines[index].end, self._fps)):
                return index
        return -1

    def _sung_word(self, line: Line, number: int) -> int:
        return sum(frame_at(word.start, self._fps) <= number for word in line.words) - 1

    def _draw_patch(self, line: Line, typeface: Typeface, sung: int) -> Patch:
        from PIL import Image, ImageDraw

        rows, font = self._set_rows(split_line(line), typeface)
        outline = _outline(font)
        row_height = _row_height(font)
        image = Image.new("RGBA", (self._width, min(self._height, row_height * len(rows))))
        pen = ImageDraw.Draw(image)
        for index, row in enumerate(rows):
            x = (self._width - _row_width(row, font)) / 2
            for piece in _drawable(row):
                colour = SUNG if piece.word >= 0 and piece.word == sung else PLAIN
                pen.text((x, index * row_height + outline), piece.text, font=font, fill=colour, stroke_width=outline, stroke_fill=OUTLINE)
                x += font.getlength(piece.text)
        top = max(0, self._height - round(self._height * FOOT_MARGIN) - image.height)
        return _to_patch(image, top)

    def _set_rows(self, chunks: list[list[Piece]], typeface: Typeface) -> tuple[list[list[Piece]], FreeTypeFont]:
        """Rows and the largest letters with which they fit; at the least size even words are broken."""
        size = max(LEAST_SIZE, round(min(self._width, self._height) * LETTER_HEIGHT))
        while True:
            font = typeface.at(size)
            room = self._width * (1 - 2 * SIDE_MARGIN) - 2 * _outline(font)
            if size <= LEAST_SIZE:
                letters = [[Piece(letter, piece.word)] for chunk in chunks for piece in chunk for letter in piece.text]
                return break_rows(letters, font, room)[: max(1, self._height // _row_height(font))], font
            rows = break_rows(chunks, font, room)
            tall = _row_height(font) * len(rows) > self._height * GREATEST_HEIGHT
            if not tall and all(_row_width(row, font) <= room for row in rows):
                return rows, font
            size = max(LEAST_SIZE, round(size * 0.9 - 0.5))


def _choose_typefaces(lines: Sequence[Line]) -> list[Typeface]:
    """One typeface for all lines if one has every letter, else the best for each line."""
    if not lines:
        return []
    common = find_typeface("".join(line.text for line in lines))
    return [find_typeface(line.text) if common.missing else common for line in lines]


def _missing_remarks(typefaces: Sequence[Typeface]) -> tuple[str, ...]:
    missing = "".join(sorted({letter for typeface in typefaces for letter in typeface.missing}))
    if not missing:
        return ()
    remark = f"No font on this machine has the letters {missing[:12]}; install one (Noto Sans CJK has most) to see them in the film."
    log.warning(remark)
    return (remark,)


def split_line(line: Line) -> list[list[Piece]]:
    """A line's text in chunks between which it may be broken; spaces are chunks of their own."""
    text = " ".join(line.text.split())
    owners = _word_owners(text, line)
    chunks: list[list[Piece]] = []
    for place, letter in enumerate(text):
        if place == 0 or _may_break(text[place - 1], letter):
            chunks.append([Piece(letter, owners[place])])
        elif owners[place] == owners[place - 1]:
            chunks[-1][-1] = Piece(chunks[-1][-1].text + letter, owners[place])
        else:
            chunks[-1].append(Piece(letter, owners[place]))
    return chunks


def _may_break(before: str, after: str) -> bool:
    """Around spaces, and between letters of Chinese, Japanese and Korean, but not before a closing mark or after an opening one."""
    if before == " " or after == " ":
        return True
    wide = unicodedata.east_asian_width(before) in "WF" or unicodedata.east_asian_width(after) in "WF"
    closing = (
        unicodedata.category(after) in ("Pe", "Pf", "Po", "Lm") or after in "\u3041\u3043\u3045\u3047\u3049\u3063\u3083\u3085\u3087"
    )  # small kana
    return wide and not closing and unicodedata.category(before) not in ("Ps", "Pi")


def _word_owners(text: str, line: Line) -> list[int]:
    """For every letter the number of the timed word it belongs to, or -1; all -1 where the words are not in the text."""
    owners = [-1] * len(text)
    place = 0
    for number, word in enumerate(line.words):
        wanted = " ".join(word.text.split())
        found = text.find(wanted, place)
        if found < 0 or not wanted:
            continue
        place = found + len(wanted)
        owners[found:place] = [number] * len(wanted)
    return owners


def break_rows(chunks: Sequence[Sequence[Piece]], font: FreeTypeFont, room: float) -> list[list[Piece]]:
    """Fills rows up to `room` pixels; a space at a break is dropped."""
    rows: list[list[Piece]] = [[]]
    used = 0.0
    for chunk in chunks:
        width, is_space = _row_width(chunk, font), not chunk[0].text.strip()
        if rows[-1] and not is_space and used + width > room:
            rows.append([])
            used = 0.0
        if rows[-1] or not is_space:
            rows[-1].extend(chunk)
            used += width
    return [_without_space(row) for row in rows if row]


def _without_space(row: list[Piece]) -> list[Piece]:
    return row[:-1] if not row[-1].text.strip() else row


def _row_width(row: Sequence[Piece], font: FreeTypeFont) -> float:
    return sum(font.getlength(piece.text) for piece in row)


def _row_height(font: FreeTypeFont) -> int:
    ascent, descent = font.getmetrics()
    return ascent + descent + 2 * _outline(font)


def _outline(font: FreeTypeFont) -> int:
    return max(1, round(font.size / 12))


def _drawable(row: list[Piece]) -> list[Piece]:
    """Scripts that run from right to left are drawn a row at a time, without colour: their order is the font engine's."""
    text = "".join(piece.text for piece in row)
    if any(unicodedata.bidirectional(letter) in ("R", "AL", "AN") for letter in text):
        return [Piece(text, -1)]
    return row


def _to_patch(image: object, top: int) -> Patch:
    pixels = np.asarray(image).astype(np.uint16)
    covered = pixels[..., 3:]
    columns = np.flatnonzero(covered.any(axis=(0, 2)))
    left, right = (int(columns[0]), int(columns[-1]) + 1) if len(columns) else (0, 1)
    part = pixels[:, left:right]
    return Patch(top, left, part[..., :3] * part[..., 3:], 255 - part[..., 3:])


def _lay_over(frame: np.ndarray, patch: Patch) -> np.ndarray:
    drawn = frame.copy()
    height, width = patch.colours.shape[:2]
    place = drawn[patch.top : patch.top + height, patch.left : patch.left + width]
    place[:] = ((place * patch.clearness + patch.colours + 127) // 255).astype(np.uint8)
    return drawn
