"""A Standard MIDI File -> what the bench needs to know of it: notes and tempo in seconds, time signatures."""

from __future__ import annotations

import struct
from collections.abc import Iterator
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
    for tick, _, status, place, _ in _walk_track(data):
        if status == 0xFF:
            length, content = _read_number(data, place + 1)
            _read_meta(data[place], data[content : content + length], tick, score)
        elif status >> 4 == 9 and data[place + 1] > 0:
            score.notes.append((tick, status & 15, data[place], data[place + 1]))


def _walk_track(data: bytes) -> Iterator[tuple[int, int, int, int, int]]:
    """Of each event: its tick, where it begins in the track, its status, where its content begins, and that content's size."""
    place, tick, status = 0, 0, 0
    while place < len(data):
        begin = place
        delta, place = _read_number(data, place)
        tick += delta
        if data[place] & 0x80:
            status, place = data[place], place + 1
        if status == 0xFF:
            length, content = _read_number(data, place + 1)
            size = content - place + length
        elif status in (0xF0, 0xF7):
            length, content = _read_number(data, place)
            size = content - place + length
        else:
            size = 1 if status >> 4 in (0xC, 0xD) else 2
        yield tick, begin, status, place, size
        place += size


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


def cut_midi(path: Path, cut: Path, longest: float) -> None:
    """Writes a score's first seconds; every note ends with them, so that it can be rendered though note-offs are missing."""
    data, score = path.read_bytes(), read_midi(path)
    end = int(np.searchsorted(score.seconds(np.arange(0, score.end + 2)), longest))
    parts, place = [data[:14]], 14
    while place + 8 <= len(data):
        length = struct.unpack(">I", data[place + 4 : place + 8])[0]
        parts.append(_cut_track(data[place + 8 : place + 8 + length], end))
        place += 8 + length
    cut.write_bytes(b"".join(parts))


def _cut_track(data: bytes, end: int) -> bytes:
    last, stop = 0, len(data)
    for tick, begin, status, place, _ in _walk_track(data):
        if tick > end or (status == 0xFF and data[place] == 0x2F):
            stop = begin
            break
        last = tick
    silence = b"".join(bytes((0, 0xB0 | channel, 123, 0)) for channel in range(16))
    track = data[:stop] + _write_number(max(end - last, 0)) + silence[1:] + b"\x00\xff\x2f\x00"
    return b"MTrk" + struct.pack(">I", len(track)) + track


@dataclass(frozen=True)
class Note:
    start: float  # seconds
    length: float
    program: int  # General MIDI from 0; 128 is the drums
    pitch: int
    velocity: int


DRUMS = 128
PULSES, PER_SECOND = 960, 1920  # ticks a quarter, and a second at MIDI's usual 120 quarters a minute


def write_midi(path: Path, notes: list[Note]) -> None:
    """A score as one track whose times are the notes' seconds to half a millisecond; at most 15 programs beside the drums."""
    programs = sorted({note.program for note in notes if note.program != DRUMS})
    channels = {DRUMS: 9, **{program: place + (place >= 9) for place, program in enumerate(programs)}}
    events = [(0, 0, bytes((0xC0 | channels[program], program))) for program in programs]
    for note in notes:
        on, off = (round(max(time, 0.0) * PER_SECOND) for time in (note.start, note.start + note.length))
        events.append((on, 2, bytes((0x90 | channels[note.program], note.pitch, note.velocity))))
        events.append((max(off, on + 1), 1, bytes((0x80 | channels[note.program], note.pitch, 0))))
    track, last = bytearray(), 0
    for tick, _, content in sorted(events):
        track += _write_number(tick - last) + content
        last = tick
    track += b"\x00\xff\x2f\x00"
    path.write_bytes(b"MThd" + struct.pack(">IHHH", 6, 0, 1, PULSES) + b"MTrk" + struct.pack(">I", len(track)) + bytes(track))


def _write_number(number: int) -> bytes:
    parts = [number & 0x7F]
    while number := number >> 7:
        parts.append(number & 0x7F | 0x80)
    return bytes(reversed(parts))
