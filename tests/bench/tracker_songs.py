"""Electronic and game music from tracker modules, whose rows are exact in time (Debian: libopenmpt0 plays them; the songs are
heroes-sound-tracks, tecnoballz-data, criticalmass-data, pingus-data and circuslinux-data).

Four rows are a beat, or twice or half as many where that is too fast or slow to tap; sixteen from a pattern's start are a bar,
where the bass agrees. A song that jumps out of that grid, or is played beside it, is dropped.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pieces import LONGEST, RATE, Piece, Truth, cut_truth, keep_piece, part_of_place, stands_on_bars, stands_on_grid

LIBRARY = "libopenmpt.so.0"
GAMES = Path("/usr/share/games")
ELECTRONIC = ("heroes/mod/*.xm", "tecnoballz/musics/*.mod", "criticalmass/*.xm")
GAME = ("pingus/data/music/*.it", "pingus/data/music/*.s3m", "circuslinux/data/music/*.mod")
STEP = 64  # samples between two looks at the row that is played
SLOWEST, FASTEST = 70.0, 180.0  # beats per minute that four rows may be
METRE = 4
FEWEST_BEATS = 32
LEAP = 0.3  # share by which a beat may be longer or shorter than usual: more is a pause, or rows that mean something else
TWINS = ("area1-game2",)  # the same song again, which would stand in both parts


@dataclass(frozen=True)
class Rows:
    times: np.ndarray  # when each row that was played began
    numbers: np.ndarray  # its place in its pattern


def render_tracker_songs(folder: Path, part: str) -> list[Piece]:
    try:
        player = ctypes.CDLL(LIBRARY)
    except OSError:
        return []
    made = []
    for kind, patterns in (("electronic", ELECTRONIC), ("game_module", GAME)):
        paths = [path for pattern in patterns for path in sorted(GAMES.glob(pattern)) if path.stem not in TWINS]
        chosen = [path for place, path in enumerate(paths) if part_of_place(place) == part]
        made += [keep_piece(folder, kind, path.stem, lambda sound, path=path: _play(player, path, sound)) for path in chosen]
    return [piece for piece in made if piece]


def _play(player: ctypes.CDLL, path: Path, sound: Path) -> Truth | None:
    import soundfile

    samples, rows = _render(player, path)
    grid = lay_grid(rows)
    if grid is None or not samples.any():
        return None
    soundfile.write(sound, samples, RATE)
    beats, first = grid
    mono = samples.mean(axis=1)
    if not stands_on_grid(mono, RATE, beats):
        return None
    known = stands_on_bars(mono, RATE, beats[first:], METRE)
    return cut_truth(beats, beats[first::METRE] if known else np.zeros(0), METRE if known else 0, len(mono) / RATE)


def lay_grid(rows: Rows) -> tuple[np.ndarray, int] | None:
    """Beats, and which of them is the first of a bar; None where rows are skipped or beats not even enough to tap."""
    jumps = np.diff(rows.numbers)
    starts = np.flatnonzero(rows.numbers == 0)
    if len(rows.times) < 8 or not len(starts) or not np.all((jumps == 1) | (rows.numbers[1:] == 0)):
        return None
    per_beat = 4
    tempo = 60 / (per_beat * float(np.median(np.diff(rows.times))))
    while tempo > FASTEST:
        tempo, per_beat = tempo / 2, per_beat * 2
    while tempo < SLOWEST and per_beat > 1:
        tempo, per_beat = tempo * 2, per_beat // 2
    if np.any(np.diff(starts) % (per_beat * METRE)):
        return None
    beats = rows.times[starts[0] % per_beat :: per_beat]
    if len(beats) < FEWEST_BEATS:
        return None
    gaps = np.diff(beats) / np.median(np.diff(beats))
    return (beats, starts[0] // per_beat % METRE) if np.all(np.abs(gaps - 1) <= LEAP) else None


def _render(player: ctypes.CDLL, path: Path) -> tuple[np.ndarray, Rows]:
    """A song's samples, [samples, 2], and its rows."""
    content = path.read_bytes()
    module = _open(player, content)
    if not module:
        return np.zeros((0, 2), np.float32), Rows(np.zeros(0), np.zeros(0, int))
    block, parts, times, numbers, last = np.zeros((STEP, 2), np.float32), [], [], [], (-1, -1)
    place = ctypes.c_void_p(block.ctypes.data)
    for step in range(int(LONGEST * RATE / STEP)):
        if player.openmpt_module_read_interleaved_float_stereo(module, RATE, ctypes.c_size_t(STEP), place) < STEP:
            break
        parts.append(block.copy())
        now = (player.openmpt_module_get_current_order(module), player.openmpt_module_get_current_row(module))
        if now != last:
            times.append(step * STEP / RATE)
            numbers.append(now[1])
        last = now
    player.openmpt_module_destroy(module)
    return np.concatenate(parts or [np.zeros((0, 2), np.float32)]), Rows(np.array(times), np.array(numbers, int))


def _open(player: ctypes.CDLL, content: bytes) -> ctypes.c_void_p:
    player.openmpt_module_create_from_memory2.restype = ctypes.c_void_p
    nothing = ctypes.c_void_p(None)
    module = player.openmpt_module_create_from_memory2(content, ctypes.c_size_t(len(content)), *[nothing] * 7)
    return ctypes.c_void_p(module)
