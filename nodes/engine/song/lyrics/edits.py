"""Times of words set by hand: kept as JSON beside the node, laid over whatever was found, run after run.

    {"schema": "lyric-edits/1", "edits": [{"line": 3, "word": 2, "text": "night", "start": 12.3, "end": 12.6},
                                          {"line": 4, "text": "Oh", "start": 14}]}

Lines and words count from 1. `text` is what stood there when it was edited: an edit whose text is no longer there is left out,
and a remark says so. Without `word` the edit moves a whole line, its words with it. `start` or `end` may be left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...timeline import Line, TimelineError, Word, parse_object
from .letters import normalise

SCHEMA = "lyric-edits/1"
SHORTEST = 0.01  # seconds; no word is edited away


@dataclass(frozen=True)
class Edit:
    line: int
    text: str
    start: float | None = None
    end: float | None = None
    word: int = 0  # 0: the whole line


def read_edits(text: str) -> list[Edit]:
    """The edits in a JSON text, none in an empty one; TimelineError says what is wrong and where."""
    if not text.strip():
        return []
    data = parse_object(text, SCHEMA)
    items = data.get("edits")
    if not isinstance(items, list):
        raise TimelineError('The edits of the lyrics need a list called "edits"; see the help of Lyric Aligner for an example.')
    return [_read_edit(item, f"edits[{index}]") for index, item in enumerate(items)]


def _read_edit(item: object, place: str) -> Edit:
    known = {"line": int, "word": int, "text": str, "start": (int, float), "end": (int, float)}
    if not isinstance(item, dict) or "line" not in item or "text" not in item or not {"start", "end"} & set(item):
        raise TimelineError(f'{place} of the lyrics needs "line", "text" and a "start" or an "end".')
    for name, value in item.items():
        if name not in known or isinstance(value, bool) or not isinstance(value, known[name]) or not _is_finite(value):
            raise TimelineError(
                f'{place} of the lyrics has a "{name}" that it cannot have; it takes line and word (from 1), text, start, end.'
            )
    edit = Edit(**item)
    if edit.line < 1 or edit.word < 0 or min(edit.start or 0, edit.end or 0) < 0:
        raise TimelineError(f"{place} of the lyrics has a number below its least: lines count from 1, times from 0.")
    if edit.start is not None and edit.end is not None and edit.end <= edit.start:
        raise TimelineError(f"{place} of the lyrics ends before it starts; correct its times.")
    return edit


def _is_finite(value: object) -> bool:
    """JSON as Python reads it may hold NaN and Infinity."""
    return not isinstance(value, float) or math.isfinite(value)


def apply_edits(lines: Sequence[Line], edits: Sequence[Edit], duration: float) -> tuple[list[Line], int]:
    """The lines with the edits laid over them, and how many edits found their text no longer."""
    edited, lost = list(lines), 0
    for edit in edits:
        line = edited[edit.line - 1] if edit.line <= len(edited) else None
        if line is None or not _matches(line, edit):
            lost += 1
            continue
        edited[edit.line - 1] = _edit_word(line, edit, duration) if edit.word else _move_line(line, edit, duration)
    return edited, lost


def _matches(line: Line, edit: Edit) -> bool:
    if edit.word > len(line.words):
        return False
    current = line.words[edit.word - 1].text if edit.word else line.text
    return normalise(current) == normalise(edit.text) if edit.word else normalise(current).startswith(normalise(edit.text))


def _edit_word(line: Line, edit: Edit, duration: float) -> Line:
    """One word moved; its neighbours give way."""
    words = list(line.words)
    index = edit.word - 1
    start = min(words[index].start if edit.start is None else float(edit.start), duration - SHORTEST)
    end = min(max(words[index].end if edit.end is None else float(edit.end), start + SHORTEST), duration)
    words[index] = replace(words[index], start=start, end=end, confidence=1.0)
    for number, word in enumerate(words):
        if number < index and word.end > start:
            words[number] = replace(word, start=min(word.start, start), end=start)
        elif number > index and word.start < end:
            words[number] = replace(word, start=end, end=max(word.end, end))
    return replace(line, start=min(words[0].start, start), end=max(word.end for word in words), words=tuple(words))


def _move_line(line: Line, edit: Edit, duration: float) -> Line:
    """A line moved, or stretched where both ends are given; its words keep their places within it."""
    length = line.end - line.start
    start = float(edit.start) if edit.start is not None else (float(edit.end or 0) - length if edit.end is not None else line.start)
    start = min(max(start, 0.0), duration - SHORTEST)
    end = float(edit.end) if edit.end is not None else start + length
    end = min(max(end, start + SHORTEST), duration)
    factor = (end - start) / length if length > 0 else 1.0

    def move(time: float) -> float:
        return min(start + (time - line.start) * factor, duration)

    words = tuple(Word(move(word.start), move(word.end), word.text, 1.0) for word in line.words)
    return replace(line, start=start, end=end, words=words)
