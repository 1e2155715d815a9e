"""LRC lyrics, by the line `[mm:ss.xx]` and by the word `<mm:ss.xx>` (enhanced LRC), read and written.

Read: several stamps before a line (it repeats), metadata, `[offset:ms]` (positive: the words come earlier), stamps in any
order, headings, lines without a stamp. A line ends where a stamp says so, else where the next begins, but not longer after its
start than it can take to sing. Written: times in hundredths of a second; what is written reads back as the same times.
Source: https://en.wikipedia.org/wiki/LRC_(file_format).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...timeline import Line, Word
from .letters import count_syllables, normalise
from .sheet import Heading, LyricError, LyricSheet, SheetLine, clean_line, read_heading

_TIME = r"(\d{1,3}):(\d{1,2})(?:[.:,](\d{1,3}))?"
_LONG_TIME = r"(\d{1,2}):(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_STAMP = re.compile(rf"\[(?:{_LONG_TIME}|{_TIME})\]\s?")
_WORD_STAMP = re.compile(rf"<(?:{_LONG_TIME}|{_TIME})>")
_ALMOST_STAMP = re.compile(r"\[\s*-?\d+\s*[:;.][^\]]*\]?")
_ALMOST_WORD_STAMP = re.compile(r"<\s*-?\d+\s*[:;][^>]*>")
_METADATA = re.compile(
    r"\[(ar|ti|al|au|by|re|ve|la|lr|id|length|offset|tool|encoding|language|version|total|hash|sign|qq|kana|#)\s*:(.*)\]", re.I
)

SLOWEST = 0.8  # seconds a syllable is held in lines that do not say when they end
SHORTEST_GUESS, LONGEST_GUESS = 2.0, 8.0  # seconds; of the last line, which nothing ends


@dataclass(frozen=True)
class _Entry:
    """A stamp and what follows it; no text: the line before ends here."""

    start: float
    text: str
    words: tuple[Word, ...] = ()
    end: float | None = None


def looks_like_lrc(lines: Sequence[str]) -> bool:
    return any(_STAMP.match(clean_line(line)) or _ALMOST_STAMP.match(clean_line(line)) for line in lines)


def read_lrc(lines: Sequence[str]) -> LyricSheet:
    """The sheet in the lines of an LRC text; LyricError names a line whose stamp cannot be read."""
    offset = 0.0
    entries: list[_Entry] = []
    loose: list[tuple[int, str]] = []  # lines without a stamp, and how many entries stood before them
    headings: list[tuple[float | None, str]] = []
    for number, line in enumerate(lines, 1):
        text = clean_line(line)
        metadata = _METADATA.fullmatch(text)
        if metadata:
            offset = _read_offset(metadata[2], number) if metadata[1].lower() == "offset" else offset
            continue
        found, label = _read_line(text, number)
        if label is not None:
            headings.append((found[0].start if found else None, label))
        elif text and not found:
            loose.append((len(entries), text))
        if not label and found:
            headings = [(found[0].start if start is None else start, name) for start, name in headings]
        entries += found
    return _assemble(entries, loose, headings, offset)


def _read_offset(text: str, number: int) -> float:
    try:
        return float(text) / 1000
    except ValueError as error:
        raise LyricError(f"Line {number} of the lyrics has an offset that is no number of milliseconds; correct or remove it.") from error


def _read_line(text: str, number: int) -> tuple[list[_Entry], str | None]:
    """The entries of one line, and its label if it is a heading."""
    starts, rest = [], text
    while found := _STAMP.match(rest):
        starts.append(_seconds(found, number))
        rest = rest[found.end() :]
    wrong = _ALMOST_STAMP.match(rest)
    if wrong:
        raise LyricError(f"Line {number} of the lyrics has a time that cannot be read, {wrong[0][:20]}; write it as [mm:ss.xx].")
    label = read_heading(rest) if rest else None
    if label is not None or not starts:
        return [_Entry(start, "") for start in starts], label
    first = _read_words(rest, starts[0], number)
    return [first, *(_shift(first, start - starts[0]) for start in starts[1:])], None


def _seconds(found: re.Match[str], number: int) -> float:
    hours, minutes, seconds, fraction = found.group(1, 2, 3, 4) if found[1] else (0, *found.group(5, 6, 7))
    if int(seconds) >= 60:
        raise LyricError(
            f"Line {number} of the lyrics has {seconds} seconds in {found[0].strip()}; a minute has 60, write it as [mm:ss.xx]."
        )
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + (float(f"0.{fraction}") if fraction else 0.0)


def _read_words(rest: str, start: float, number: int) -> _Entry:
    """A line's text with the words that have stamps; a stamp before nothing ends the word before it."""
    wrong = next((found[0] for found in _ALMOST_WORD_STAMP.finditer(rest) if not _WORD_STAMP.fullmatch(found[0])), None)
    if wrong:
        raise LyricError(f"Line {number} of the lyrics has a time that cannot be read, {wrong[:20]}; write it as <mm:ss.xx>.")
    stamps = list(_WORD_STAMP.finditer(rest))
    if not stamps:
        return _Entry(start, rest)
    times = [start, *(_seconds(stamp, number) for stamp in stamps)]
    edges = [0, *(stamp.end() for stamp in stamps)]
    stops = [*(stamp.start() for stamp in stamps), len(rest)]
    pieces = [rest[edge:stop] for edge, stop in zip(edges, stops, strict=True)]
    words = [
        Word(time, max(time, times[index + 1]) if index + 1 < len(times) else -1.0, clean_line(piece))
        for index, (time, piece) in enumerate(zip(times, pieces, strict=True))
        if normalise(piece)
    ]
    end = None if normalise(pieces[-1]) else times[-1]
    return _Entry(start, clean_line("".join(pieces)), tuple(words), end)


def _shift(entry: _Entry, by: float) -> _Entry:
    words = tuple(replace(word, start=word.start + by, end=word.end + by if word.end >= 0 else -1.0) for word in entry.words)
    return replace(entry, start=entry.start + by, words=words, end=None if entry.end is None else entry.end + by)


def _assemble(entries: list[_Entry], loose: list[tuple[int, str]], headings: list[tuple[float | None, str]], offset: float) -> LyricSheet:
    """Lines in the order of their times, each with an end; lines without a stamp stay behind the one they stood behind."""
    order = sorted(range(len(entries)), key=lambda index: entries[index].start)
    starts = [entries[index].start for index in order]
    behind: dict[int, list[str]] = {}
    for count, text in loose:
        behind.setdefault(count - 1, []).append(text)
    lines = [SheetLine(text) for text in behind.get(-1, [])]
    for place, index in enumerate(order):
        entry = entries[index]
        if entry.text:
            later = next((number for number in range(place + 1, len(order)) if starts[number] > entry.start), None)
            after = None if later is None else entries[order[later]]
            lines.append(_end_line(entry, after, offset))
        lines += [SheetLine(text) for text in behind.get(index, [])]
    placed = []
    for start, label in headings:
        moment = float("inf") if start is None else max(0.0, start - offset)
        first = next((number for number, line in enumerate(lines) if line.start is not None and line.start >= moment - 1e-9), len(lines))
        placed.append(Heading(label, first))
    return LyricSheet(tuple(lines), tuple(sorted(placed, key=lambda heading: heading.line)))


def _end_line(entry: _Entry, after: _Entry | None, offset: float) -> SheetLine:
    syllables = count_syllables(entry.text)
    if entry.end is not None:
        end = max(entry.end, entry.start)
    elif after is None:
        end = entry.start + min(max(SLOWEST / 2 * syllables, SHORTEST_GUESS), LONGEST_GUESS)
    elif after.text:
        end = min(after.start, max(entry.start + max(SLOWEST * syllables, LONGEST_GUESS), *(word.start for word in entry.words), 0.0))
    else:
        end = after.start
    moved = [max(0.0, time - offset) for time in (entry.start, end)]
    words = tuple(
        Word(max(0.0, word.start - offset), max(0.0, (max(end, word.start) if word.end < 0 else word.end) - offset), word.text)
        for word in entry.words
    )
    return SheetLine(entry.text, moved[0], moved[1], words)


def write_lrc(lines: Sequence[Line], by_word: bool = True) -> str:
    """LRC of timed lines; with `by_word` every word that has a time gets a stamp, and pauses and ends too."""
    written: list[str] = []
    for index, line in enumerate(lines):
        words = by_word and line.words
        written.append(f"[{_stamp(line.start)}]{_write_words(line) if words else clean_line(line.text)}")
        following = lines[index + 1].start if index + 1 < len(lines) else float("inf")
        if not words and _hundredths(line.end) < (_hundredths(following) if following < float("inf") else float("inf")):
            written.append(f"[{_stamp(line.end)}]")  # an empty line takes the words off the screen
    return "\n".join(written) + "\n" if written else ""


def _write_words(line: Line) -> str:
    pieces = word_pieces(line)
    text, now = pieces[0], line.words[0].start
    for word, piece in zip(line.words, pieces[1:], strict=True):
        if _hundredths(word.start) > _hundredths(now):
            text += f"<{_stamp(now)}>" + (" " if text.endswith(" ") else "")
        text += f"<{_stamp(word.start)}>{piece}"
        now = word.end
    return f"{text}<{_stamp(line.end)}>" if _hundredths(now) == _hundredths(line.end) else f"{text}<{_stamp(now)}><{_stamp(line.end)}>"


def word_pieces(line: Line) -> list[str]:
    """The line's text cut at its words: what stands before the first one, then each word with what follows it."""
    text = clean_line(line.text)
    cuts, place = [], 0
    for word in line.words:
        wanted = clean_line(word.text)
        found = text.find(wanted, place)
        if found < 0:  # an edited word that the line does not have: the words alone are the line
            return ["", *(f"{clean_line(other.text)} " for other in line.words[:-1]), clean_line(line.words[-1].text)]
        cuts.append(found)
        place = found + len(wanted)
    edges = [0, *cuts, len(text)]
    return [text[start:end] for start, end in zip(edges, edges[1:], strict=False)]


def _hundredths(time: float) -> int:
    return round(time * 100)


def _stamp(time: float) -> str:
    hundredths = _hundredths(max(time, 0.0))
    return f"{hundredths // 6000:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
