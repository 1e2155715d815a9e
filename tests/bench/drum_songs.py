"""Drum patterns: Hydrogen's demo songs, rendered by its own program (Debian: hydrogen). Only measured on: their licence is not told.

A bar is 192 ticks, a beat 48; a song that changes its tempo or has bars of other lengths is dropped.
"""

from __future__ import annotations

import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
from pieces import Piece, Truth, cut_truth, keep_piece, read_mono, stands_on_grid

SONGS = Path("/usr/share/hydrogen/data/demo_songs")
BAR, METRE = 192, 4  # ticks, beats


def render_drum_songs(folder: Path, part: str) -> list[Piece]:
    songs = sorted(SONGS.glob("*.h2song")) if part == "test" else []
    made = [keep_piece(folder, "drums", path.stem, lambda sound, path=path: _play(path, sound)) for path in songs]
    return [piece for piece in made if piece]


def _play(path: Path, sound: Path) -> Truth | None:
    tempo = read_tempo(path.read_text(encoding="utf-8", errors="replace"))
    if tempo is None:
        return None
    subprocess.run(["timeout", "90", "h2cli", "-d", "auto", "-s", str(path), "-o", str(sound)], check=False, capture_output=True)
    mono, rate = read_mono(sound)
    beats = np.arange(0, len(mono) / rate, 60 / tempo)
    if not stands_on_grid(mono, rate, beats):
        return None
    return cut_truth(beats, beats[::METRE], METRE)


def read_tempo(song: str) -> float | None:
    """Beats per minute of a song file; None where the tempo moves or a pattern is not one bar long."""
    root = ElementTree.fromstring(song)
    moves = root.findtext("isTimelineActivated") == "true" and root.find("BPMTimeLine/newBPM") is not None
    sizes = {int(size.text or 0) for size in root.iterfind("patternList/pattern/size")}
    return None if moves or sizes != {BAR} else float(root.findtext("bpm") or 0) or None
