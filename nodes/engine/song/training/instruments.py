"""A soundfont -> every instrument's notes as samples, so that a score becomes sound by adding them up.

fluidsynth plays each note once, dry; after that a clip of music costs a tenth of a second instead of several. Samples are
int16, mono, at `RATE`. Needs the program fluidsynth (Debian: `fluidsynth`) and a General MIDI soundfont.
"""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..recording import RATE

SOUNDS = Path("/usr/share/sounds")
FONTS = (
    SOUNDS / "sf2/FluidR3_GM.sf2",
    SOUNDS / "sf2/TimGM6mb.sf2",
    SOUNDS / "sf3/MuseScore_General_Lite.sf3",
    SOUNDS / "sf2/OPL-3_FM_128M.sf2",
)
PROGRAMS = 128
PITCHES = tuple(range(28, 93, 5))  # a note in between is its neighbour played faster or slower
DRUM_PITCHES = tuple(range(27, 88))
KITS = (0, 8, 16, 24, 25, 32, 40)  # General Standard's kits, by program on channel 10
TICKS = 480  # per quarter note of half a second
HELD, APART = 1.5, 2.0  # seconds a note is held, and until the next


@dataclass(frozen=True)
class Bank:
    melodic: np.ndarray  # int16 [PROGRAMS, PITCHES, samples]
    drums: np.ndarray  # int16 [KITS, DRUM_PITCHES, samples]


def make_bank(font: Path, folder: Path) -> Bank:
    """The font's notes, from the folder if they are there already."""
    folder.mkdir(parents=True, exist_ok=True)
    notes = {"melodic": _melodic_notes(), "drums": _drum_notes()}
    parts = []
    for name, played in notes.items():
        path = folder / f"{font.stem} {name}.npy"
        if not path.exists():
            np.save(path, _play(played, font, folder))
        rows = np.load(path, mmap_mode="r")
        width = len(PITCHES) if name == "melodic" else len(DRUM_PITCHES)
        parts.append(rows.reshape(-1, width, rows.shape[1]))
    return Bank(*parts)


def _melodic_notes() -> list[tuple[int, int, int]]:
    return [(0, program, pitch) for program in range(PROGRAMS) for pitch in PITCHES]


def _drum_notes() -> list[tuple[int, int, int]]:
    return [(9, kit, pitch) for kit in KITS for pitch in DRUM_PITCHES]


def _play(notes: list[tuple[int, int, int]], font: Path, folder: Path) -> np.ndarray:
    """Each (channel, program, pitch) for APART seconds, int16 [notes, samples]."""
    score, sound = folder / "notes.mid", folder / "notes.raw"
    score.write_bytes(_write_midi(notes))
    command = ["timeout", "900", "fluidsynth", "-ni", "-q", "-R", "0", "-C", "0", "-g", "0.7", "-r", str(RATE), "-T", "raw"]
    command += ["-O", "s16", "-F", str(sound), str(font), str(score)]
    subprocess.run(command, check=True, capture_output=True)
    length = int(APART * RATE)
    played = np.fromfile(sound, np.int16).reshape(-1, 2)
    played = np.pad(played, ((0, max(0, len(notes) * length - len(played))), (0, 0)))[: len(notes) * length]
    sound.unlink()
    return played.mean(axis=1).astype(np.int16).reshape(len(notes), length)


def _write_midi(notes: list[tuple[int, int, int]]) -> bytes:
    held, pause = round(HELD * 2 * TICKS), round((APART - HELD) * 2 * TICKS)
    track = b""
    for channel, program, pitch in notes:
        track += bytes([0, 0xC0 | channel, program, 0, 0x90 | channel, pitch, 110])
        # all sound off after the pause, so that no note rings into the next
        track += _number(held) + bytes([0x80 | channel, pitch, 0]) + _number(pause) + bytes([0xB0 | channel, 120, 0])
    track += bytes([0, 0xFF, 0x2F, 0])
    return struct.pack(">4sIHHH", b"MThd", 6, 0, 1, TICKS) + struct.pack(">4sI", b"MTrk", len(track)) + track


def _number(value: int) -> bytes:
    """A MIDI variable-length quantity."""
    digits = [value & 0x7F]
    while value := value >> 7:
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))
