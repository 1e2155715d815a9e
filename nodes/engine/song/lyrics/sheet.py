"""What a person pastes as lyrics, once read: lines, the headings between them, and times where the text had any.

Times are seconds of the song. Line numbers in messages count from 1, as editors do. Knows nothing of sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...timeline import Word

LONGEST_TEXT = 1_000_000  # characters; the longest opera libretti have a tenth of that

# Marks that steer the direction of text, byte order marks and the like: invisible, but they hide a stamp from a reader.
_INVISIBLE = "\ufeff\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069"
_PARTS = (
    r"intro|verse|pre-?\s?chorus|chorus|post-?\s?chorus|refrain|hook|bridge|middle ?8|breakdown|break|build|drop|solo|interlude|"
    r"instrumental|outro|coda|ad-?libs?|strophe|refrão|estribillo|couplet|"
    r"イントロ|[A-DＡ-Ｄ]メロ|サビ|大サビ|落ちサビ|間奏|アウトロ|前奏|主歌|副歌|桥段|橋段|尾奏|间奏|导歌|導歌"
)
_BRACKETED = re.compile(r"[\[【［](?P<label>[^\[\]【】［］]*)[\]】］]\s*(?:[x×]\s?\d+)?")
_BARE = re.compile(rf"[(（]?\s*(?P<label>(?:{_PARTS})\s*[0-9０-９]*)(?:\s*[x×]\s?\d+)?\s*[)）]?\s*[:：]?", re.IGNORECASE)
_SINGER = re.compile(r"\s*(?:[:：].*|\s[-–—]\s.*)$")
_COUNT = re.compile(r"\s*(?:[(（]?[x×]\s?\d+[)）]?|\d+\s?[x×]|[0-9０-９]+)$")


class LyricError(ValueError):
    """Lyrics that cannot be used; the message names the line and says what to do."""


@dataclass(frozen=True)
class SheetLine:
    """One line to be sung; `start` is None where the text gave no time."""

    text: str
    start: float | None = None
    end: float | None = None
    words: tuple[Word, ...] = ()  # only where the text gave times for words


@dataclass(frozen=True)
class Heading:
    """`[Verse 1]` and the like: what stands before the line with that index (the count of lines: after the last one)."""

    label: str
    line: int


@dataclass(frozen=True)
class LyricSheet:
    lines: tuple[SheetLine, ...] = ()
    headings: tuple[Heading, ...] = ()

    @property
    def timed(self) -> bool:
        """Whether the text came with times of its own (LRC, SRT, ASS)."""
        return any(line.start is not None for line in self.lines)


def clean_line(text: str) -> str:
    """A line without control characters, invisible marks at its ends, and runs of spaces."""
    visible = "".join(" " if ord(letter) < 32 or ord(letter) == 127 else letter for letter in text)
    return " ".join(visible.strip(_INVISIBLE + " \u3000").split())


def read_heading(line: str) -> str | None:
    """The label of a line that names a part of the song, or None for a line to be sung.

    Numbers, repeats and names are left out, so that `[Verse 2: Ann]` and `[Verse 1]` are both "verse" and parts that
    repeat share a label.
    """
    found = _BRACKETED.fullmatch(line) or _BARE.fullmatch(line)
    if not found:
        return None
    label = found["label"].strip().casefold()
    shorter = _COUNT.sub("", _COUNT.sub("", _SINGER.sub("", label)))
    return shorter.strip() or label or "part"


def read_plain(lines: list[str]) -> LyricSheet:
    """Plain lyrics, a line each; blank lines say nothing."""
    kept: list[SheetLine] = []
    headings: list[Heading] = []
    for line in lines:
        text = clean_line(line)
        label = read_heading(text) if text else None
        if label is not None:
            headings.append(Heading(label, len(kept)))
        elif text:
            kept.append(SheetLine(text))
    return LyricSheet(tuple(kept), tuple(headings))
