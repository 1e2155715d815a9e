"""SubRip (SRT) subtitles read and written; WebVTT, its near relative, is read too.

One cue is one line of lyrics; its rows are joined, tags (`<i>`, `{\\an8}`) are dropped. Times are thousandths of a second.
Sources: https://en.wikipedia.org/wiki/SubRip, https://www.w3.org/TR/webvtt1/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...timeline import Line
from .sheet import Heading, LyricError, LyricSheet, SheetLine, clean_line, read_heading

_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[,.](\d{1,3})"
_ARROW = re.compile(rf"{_TIME}\s*-->\s*{_TIME}(?:\s.*)?")
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<\d[\d:.]*>|\{\\[^}]*\}")


def looks_like_srt(lines: Sequence[str]) -> bool:
    return any("-->" in line for line in lines)


def read_srt(lines: Sequence[str]) -> LyricSheet:
    """The sheet in the lines of an SRT or WebVTT text; LyricError names a line whose times cannot be read."""
    cues: list[tuple[float, float, list[str]]] = []
    for number, line in enumerate(lines, 1):
        text = clean_line(line)
        if "-->" in text:
            if cues and cues[-1][2] and cues[-1][2][-1].isdecimal():
                cues[-1][2].pop()  # the number of the cue that begins here
            cues.append((*_read_times(text, number), []))
        elif cues:
            cues[-1][2].append(text)
    kept: list[SheetLine] = []
    headings: list[Heading] = []
    for start, end, rows in sorted(cues, key=lambda cue: cue[0]):
        text = clean_line(_TAG.sub("", " ".join(_rows_of_cue(rows))))
        label = read_heading(text) if text else None
        if label is not None:
            headings.append(Heading(label, len(kept)))
        elif text:
            kept.append(SheetLine(text, start, end))
    return LyricSheet(tuple(kept), tuple(headings))


def _rows_of_cue(rows: list[str]) -> list[str]:
    """What stands before the first blank row; behind it come numbers, notes and nothing."""
    return rows[: rows.index("")] if "" in rows else rows


def _read_times(text: str, number: int) -> tuple[float, float]:
    found = _ARROW.fullmatch(text)
    if not found:
        raise LyricError(f"Line {number} of the lyrics has times that cannot be read; write them as 00:01:02,500 --> 00:01:04,000.")
    parts = found.groups()
    start, end = (_seconds(parts[first : first + 4], number) for first in (0, 4))
    if end < start:
        raise LyricError(f"Line {number} of the lyrics ends before it starts; correct its times.")
    return start, end


def _seconds(parts: tuple[str | None, ...], number: int) -> float:
    hours, minutes, seconds = (int(part or 0) for part in parts[:3])
    if seconds >= 60 or minutes >= 60:
        raise LyricError(f"Line {number} of the lyrics has a minute or second above 59; write its times as 00:01:02,500 --> 00:01:04,000.")
    return hours * 3600 + minutes * 60 + seconds + float(f"0.{parts[3]}")


def write_srt(lines: Sequence[Line]) -> str:
    """SRT of timed lines, one cue each."""
    cues = [f"{number}\n{_stamp(line.start)} --> {_stamp(line.end)}\n{clean_line(line.text)}\n" for number, line in enumerate(lines, 1)]
    return "\n".join(cues)


def _stamp(time: float) -> str:
    thousandths = round(max(time, 0.0) * 1000)
    seconds = thousandths // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{thousandths % 1000:03}"
