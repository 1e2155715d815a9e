"""A Standard MIDI File -> what the bench needs to know of it: notes and tempo in seconds, time signatures."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np


@dataclass
class MidiScore:
    ticks_per_quarter: int
    tempi: list[tuple[int, int]] = field(default_factory=list)  # (tick, microseconds per quarter)
    signatures: list[tuple[int, int, int]] = field(default_factory=list)  # (tick, beats, unit)
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)  # (tick, channel, pitch, velocity)

    @property
    def end(self) -> int:
        return max((note[0] for note in self.notes), default=0)

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        changes = sorted(dict([(0, 500000), *self.tempi]).items())
        places = np.array([tick for tick, _ in changes], float)
        pace = np.array([tempo for _, tempo in changes]) / 1e6 / self.ticks_per_quarter
        starts = np.concatenate([[0], np.cumsum(np.diff(places) * pace[:-1])])
        index = np.clip(np.searchsorted(places, ticks, side="right") - 1, 0, None)
        return starts[index] + (np.asarray(ticks) - places[index]) * pace[index]


def read_midi(path: Path) -> MidiScore:
    data = path.read_bytes()
    _, _, tracks, division = struct.unpack(">IHHH", data[4:14])
    score = MidiScore(division)
    place = 14
    for _ in range(tracks):
        length = struct.unpack(">I", data[place + 4 : place + 8])[0]
        _read_track(data[place + 8 : place + 8 + length], score)
        place += 8 + length
    score.tempi.sort()
    score.signatures.sort()
    score.notes.sort()
    return score


def _read_track(data: bytes, score: MidiScore) -> None:
    place, tick, status = 0, 0, 0
    while place < len(data):
        delta, place = _read_number(data, place)
        tick += delta
        if data[place] & 0x80:
            status, place = data[place], place + 1
        if status == 0xFF:
            kind = data[place]
            length, place = _read_number(data, place + 1)
            _read_meta(kind, data[place : place + length], tick, score)
            place += length
        elif status in (0xF0, 0xF7):
            length, place = _read_number(data, place)
            place += length
        else:
            if status >> 4 == 9 and data[place + 1] > 0:
                score.notes.append((tick, status & 15, data[place], data[place + 1]))
            place += 1 if status >> 4 in (0xC, 0xD) else 2


def _read_meta(kind: int, content: bytes, tick: int, score: MidiScore) -> None:
    if kind == 0x51:
        score.tempi.append((tick, int.from_bytes(content, "big")))
    elif kind == 0x58:
        score.signatures.append((tick, content[0], 2 ** content[1]))


def _read_number(data: bytes, place: int) -> tuple[int, int]:
    number = 0
    while True:
        number = number << 7 | data[place] & 0x7F
        place += 1
        if data[place - 1] < 0x80:
            return number, place
