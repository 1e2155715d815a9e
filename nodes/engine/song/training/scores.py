"""A piece of music as notes in beats, and how a MIDI file becomes one.

Time in a score is in quarter notes from the first bar's start; `clips.py` decides how long a quarter lasts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DRUMS = 128  # as a program: notes of channel 10
START, LENGTH, PROGRAM, PITCH, VELOCITY = range(5)  # columns of `notes`


@dataclass(frozen=True)
class Score:
    notes: np.ndarray  # [notes, 5]: start and length in quarters, program, pitch, velocity
    step: float  # quarters a beat: 1.5 in 6/8
    metre: int  # beats a bar
    tempi: tuple[float, float]  # beats per minute at which people would tap these beats
    kit: int = 0  # index into instruments.KITS
    rubato: float = 0.15  # how likely it is played with one

    @property
    def end(self) -> float:
        return float(self.notes[:, START].max()) if len(self.notes) else 0.0


def read_notes(path: Path) -> np.ndarray:
    """A Standard MIDI File's notes, as in `Score`."""
    data = path.read_bytes()
    _, _, tracks, division = struct.unpack(">IHHH", data[4:14])
    place, notes = 14, []
    for _ in range(tracks):
        length = struct.unpack(">I", data[place + 4 : place + 8])[0]
        notes += _read_track(data[place + 8 : place + 8 + length])
        place += 8 + length
    rows = np.array(sorted(notes), float).reshape(-1, 5)
    rows[:, [START, LENGTH]] /= division
    return rows


def _read_track(data: bytes) -> list[tuple[int, int, int, int, int]]:
    """(start, length, program, pitch, velocity), times in ticks."""
    programs, sounding, notes = [0] * 16, {}, []
    for tick, status, first, second in _events(data):
        kind, channel = status >> 4, status & 15
        if kind == 0xC:
            programs[channel] = first
        elif kind in (8, 9) and (channel, first) in sounding:
            start, velocity = sounding.pop((channel, first))
            notes.append((start, tick - start, DRUMS if channel == 9 else programs[channel], first, velocity))
        if kind == 9 and second > 0:
            sounding[channel, first] = (tick, second)
    return notes


def _events(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(tick, status, first byte, second byte) of the channel messages of a track."""
    place, tick, status = 0, 0, 0
    while place < len(data):
        delta, place = _read_number(data, place)
        tick += delta
        if data[place] & 0x80:
            status, place = data[place], place + 1
        if status >= 0xF0:
            length, place = _read_number(data, place + (status == 0xFF))
            place += length
            continue
        size = 1 if status >> 4 in (0xC, 0xD) else 2
        yield tick, status, data[place], data[place + size - 1]
        place += size


def _read_number(data: bytes, place: int) -> tuple[int, int]:
    number = 0
    while True:
        number = number << 7 | data[place] & 0x7F
        place += 1
        if data[place - 1] < 0x80:
            return number, place
