"""Game music from MIDI scores, by their own tempo maps: OpenTTD's and Simutrans' (Debian: openttd-openmsx, simutrans-data).

Beats follow the time signatures (6/8 and 12/8 are counted in threes); a score whose attacks are weaker on its beats than beside
them is dropped. Bars are known only where one metre lasts and kick, crash and bass notes fall most on its first beat.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from midi import MidiScore, cut_midi, read_midi
from pieces import LONGEST, Piece, Truth, cut_truth, keep_piece, part_of_place, read_mono, stands_on_grid, synthesise

OPENTTD = Path("/usr/share/games/openttd/baseset/openmsx")
SIMUTRANS = Path("/usr/share/games/simutrans/music")
OFF_GRID = ("tttheme2",)  # played freely beside its own tempo map
FEWEST_BEATS = 16
DEEP = 48  # MIDI pitch; below is bass


@dataclass(frozen=True)
class Grid:
    ticks: np.ndarray  # of the beats
    bars: np.ndarray  # of the bars' first beats
    metre: int  # 0 where it changes or is not told


def render_game_scores(folder: Path, part: str) -> list[Piece]:
    chosen = [path for path in sorted(OPENTTD.glob("*.mid")) if part == "test" and path.stem not in OFF_GRID]
    chosen += [path for place, path in enumerate(sorted(SIMUTRANS.glob("*.mid"))) if part_of_place(place) == part]
    made = [keep_piece(folder, "game_score", path.stem, lambda sound, path=path: _play(path, sound)) for path in chosen]
    return [piece for piece in made if piece]


def _play(path: Path, sound: Path) -> Truth | None:
    score = read_midi(path)
    grid = lay_grid(score)
    if grid is None or len(grid.ticks) < FEWEST_BEATS:
        return None
    if not sound.exists():
        cut_midi(path, sound.with_suffix(".mid"), LONGEST)
        synthesise(sound.with_suffix(".mid"), sound)
    mono, rate = read_mono(sound)
    beats = score.seconds(grid.ticks)
    beats = beats[beats < len(mono) / rate]
    if not mono.any() or len(beats) < FEWEST_BEATS or not stands_on_grid(mono, rate, beats):
        return None
    known = grid.metre and agree_on_bars(score, grid)
    return cut_truth(beats, score.seconds(grid.bars) if known else np.zeros(0), grid.metre if known else 0, len(mono) / rate)


def lay_grid(score: MidiScore) -> Grid | None:
    """Beats and bars of the time signatures, quarters where there are none; None where beats are shorter than quarters in odd metres."""
    changes = sorted(dict((tick, (beats, unit)) for tick, beats, unit in score.signatures).items()) or [(0, (0, 4))]
    if changes[0][0] > 0:
        changes = [(0, (0, 4)), *changes]
    ends = [*(tick for tick, _ in changes[1:]), score.end + 1]
    ticks, bars, metres = [], [], set()
    for (start, (count, unit)), end in zip(changes, ends, strict=True):
        quarters = 4 / unit
        if unit > 4 and count % 3 == 0:
            count, quarters = count // 3, quarters * 3
        step = score.ticks_per_quarter * quarters
        if end - start < score.ticks_per_quarter:
            continue  # a pick-up that was given a signature of its own
        if unit > 4 and quarters < 1:
            return None
        ticks.append(np.arange(start, end, step))
        bars.append(np.arange(start, end, step * count) if count else np.zeros(0))
        metres.add(count)
    metre = metres.pop() if len(metres) == 1 else 0
    return Grid(np.concatenate(ticks), np.concatenate(bars), metre) if ticks else None


def agree_on_bars(score: MidiScore, grid: Grid) -> bool:
    """Whether kick, crash and bass notes fall most on the first beat of a time signature's bars."""
    accents = np.zeros(grid.metre)
    first = int(np.searchsorted(grid.ticks, grid.bars[0]))
    near = 0.05 * float(np.diff(grid.ticks).min())
    for tick, channel, pitch, velocity in score.notes:
        beat = int(np.argmin(np.abs(grid.ticks - tick)))
        if abs(grid.ticks[beat] - tick) < near and (pitch in (35, 36, 49, 57) if channel == 9 else pitch < DEEP):
            accents[(beat - first) % grid.metre] += velocity
    return bool(accents.argmax() == 0 and accents[0] > 0)
