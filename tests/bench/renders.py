"""All music with known beats for the bench, of every kind, rendered from Debian packages. Nothing of it is kept in the repository.

`apt-get install mma fluidsynth fluid-soundfont-gm openttd-openmsx simutrans-data fretsonfire-songs-sectoid hydrogen libopenmpt0
heroes-sound-tracks tecnoballz-data criticalmass-data pingus-data circuslinux-data`; a package that is absent gives no pieces.
Settings are chosen on the part `dev`; `test` is only measured on. No song stands in both.
"""

from __future__ import annotations

from pathlib import Path

from band_songs import render_band_songs
from chamber_pieces import render_chamber_pieces
from charted_songs import render_charted_songs
from drum_songs import render_drum_songs
from game_scores import render_game_scores
from grooves import render_grooves
from pieces import Piece
from tracker_songs import render_tracker_songs

PARTS = ("dev", "test")
SOURCES = (
    render_grooves,
    render_game_scores,
    render_tracker_songs,
    render_drum_songs,
    render_chamber_pieces,
    render_band_songs,
    render_charted_songs,
)


def render_part(folder: Path, part: str) -> list[Piece]:
    """Every piece of a part, rendered into a folder; what is there already is kept."""
    pieces = []
    for source in SOURCES:
        found = source(folder, part)
        if not found:
            print(f"{source.__name__}: nothing for {part}, its packages may be absent", flush=True)
        pieces += found
    return pieces
