"""Advanced SubStation Alpha (ASS) karaoke: one event a line, `{\\k}` before every word; written and read.

A `\\k` holds how long its word is sung, in hundredths of a second, counted on from the line's start; a pause is one with no word.
Source: http://www.tcax.org/docs/ass-specs.htm.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...timeline import Line, Word
from .letters import normalise
from .lrc import word_pieces
from .sheet import LyricError, LyricSheet, SheetLine, clean_line

_HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: 1280
PlayResY: 720
WrapStyle: 0
ScaledBorderAndShadow: yes

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, \
ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Karaoke,Noto Sans CJK JP,52,&H0040D0FF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,4,0,2,76,76,50,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_EVENT = re.compile(r"Dialogue:\s*[^,]*,([^,]*),([^,]*),(?:[^,]*,){6}(.*)", re.IGNORECASE)
_TIME = re.compile(r"(\d+):(\d{1,2}):(\d{1,2})\.(\d{1,3})")
_KARAOKE = re.compile(r"\\[kK][fo]?(\d+)")
_OVERRIDE = re.compile(r"(?<!\\)\{([^}]*)\}")


def looks_like_ass(lines: Sequence[str]) -> bool:
    return any(_EVENT.match(clean_line(line)) for line in lines)


def read_ass(lines: Sequence[str]) -> LyricSheet:
    """The sheet in the lines of an ASS text; LyricError names an event whose times cannot be read."""
    kept = []
    for number, line in enumerate(lines, 1):
        event = _EVENT.match(line.strip())
        if event:
            start, end = (_read_time(event[group], number) for group in (1, 2))
            if end < start:
                raise LyricError(f"Line {number} of the lyrics ends before it starts; correct its times.")
            text, words = _read_text(event[3], start)
            if text:
                kept.append(SheetLine(text, start, end, words))
    return LyricSheet(tuple(sorted(kept, key=lambda line: line.start or 0.0)))


def _read_time(text: str, number: int) -> float:
    found = _TIME.fullmatch(text.strip())
    if not found or int(found[2]) >= 60 or int(found[3]) >= 60:
        raise LyricError(f"Line {number} of the lyrics has a time that cannot be read, {text.strip()[:20]}; write it as 0:01:02.50.")
    return int(found[1]) * 3600 + int(found[2]) * 60 + int(found[3]) + float(f"0.{found[4]}")


def _read_text(text: str, start: float) -> tuple[str, tuple[Word, ...]]:
    parts = _OVERRIDE.split(text)
    words, now = [], start
    for tags, piece in zip(parts[1::2], parts[2::2], strict=True):
        length = sum(int(found) for found in _KARAOKE.findall(tags)) / 100
        if length and normalise(_unescape(piece)):
            words.append(Word(round(now, 2), round(now + length, 2), clean_line(_unescape(piece))))
        now += length
    return clean_line(_unescape("".join(parts[::2]))), tuple(words)


def _unescape(text: str) -> str:
    return re.sub(r"\\[Nnh]", " ", text).replace("\\{", "{").replace("\\}", "}")


def write_ass(lines: Sequence[Line]) -> str:
    """A complete ASS file of timed lines, each sung word by word where it has words."""
    events = [f"Dialogue: 0,{_stamp(line.start)},{_stamp(line.end)},Karaoke,,0,0,0,,{_write_text(line)}" for line in lines]
    return _HEADER + "\n".join(events) + ("\n" if events else "")


def _write_text(line: Line) -> str:
    pieces = word_pieces(line) if line.words else [clean_line(line.text)]
    now, text = round(line.start * 100), _escape(pieces[0])
    if not line.words:
        return f"{{\\k{round(line.end * 100) - now}}}{text}"
    for word, piece in zip(line.words, pieces[1:], strict=True):
        start, end = round(word.start * 100), round(word.end * 100)
        pause = f"{{\\k{start - now}}}" if start > now else ""
        text += f"{pause}{{\\k{max(0, end - max(start, now))}}}{_escape(piece)}"
        now = max(now, end)
    return text


def _escape(text: str) -> str:
    return text.replace("\\", "\u2216").replace("{", "\\{").replace("}", "\\}")


def _stamp(time: float) -> str:
    hundredths = round(max(time, 0.0) * 100)
    return f"{hundredths // 360000}:{hundredths // 6000 % 60:02}:{hundredths // 100 % 60:02}.{hundredths % 100:02}"
