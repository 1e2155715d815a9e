"""Pasted text of any known kind -> a LyricSheet: plain lyrics, LRC, SRT (WebVTT), ASS.

The kind is seen from the text. Byte order marks, any kind of line end, blank lines and metadata are fine. Knows nothing of sound.
"""

from __future__ import annotations

from .ass import looks_like_ass, read_ass
from .lrc import looks_like_lrc, read_lrc
from .sheet import LONGEST_TEXT, LyricError, LyricSheet, read_plain
from .srt import looks_like_srt, read_srt


def read_lyrics(text: str) -> LyricSheet:
    """The sheet in a pasted text; empty where nothing is to be sung. LyricError, in one sentence, names a line it cannot read."""
    if len(text) > LONGEST_TEXT:
        raise LyricError(f"The lyrics have {len(text):,} letters, too many for a song; paste the lyrics of this song only.")
    lines = text.splitlines()
    if looks_like_ass(lines):
        return read_ass(lines)
    if looks_like_srt(lines):
        return read_srt(lines)
    return read_lrc(lines) if looks_like_lrc(lines) else read_plain(lines)
