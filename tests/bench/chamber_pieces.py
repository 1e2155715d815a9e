"""Chamber music as classical scores are played: no drums, and a pulse that breathes. Written by chance and rule, exact by nature.

Periods of eight bars over functional harmony for piano, strings, winds, harp or organ; waltzes, chorales, broken chords, canons and
6/8. The player lingers at the ends of phrases, wanders by some percent, and no two hands strike quite together.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from midi import Note, write_midi
from pieces import LONGEST, Piece, Truth, cut_truth, keep_made_up, synthesise

COUNT = 32
CADENCES = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 2), (3, 0, 4, 0), (5, 1, 4, 0), (0, 1, 4, 4))  # degrees of four bars
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)
BANDS = ((0, 0), (0, 0), (40, 42), (48, 48), (73, 46), (19, 19), (71, 70), (6, 6), (68, 0))  # programs of melody and accompaniment
# metre, division of a beat, slowest and fastest, textures
FORMS = (
    (3, 2, 84, 170, ("waltz", "broken")),
    (4, 2, 60, 132, ("broken", "chorale", "steady")),
    (4, 4, 52, 96, ("broken", "chorale")),
    (2, 2, 70, 140, ("steady", "broken")),
    (2, 3, 50, 108, ("broken", "waltz")),
)
RHYTHMS = {2: ((2,), (1, 1), (1, 1)), 3: ((3,), (2, 1), (1, 1, 1)), 4: ((4,), (2, 2), (3, 1), (2, 1, 1))}  # divisions of a beat
LEAD = 0.4  # seconds before the first beat


def render_chamber_pieces(folder: Path, part: str) -> list[Piece]:
    return keep_made_up(folder, "chamber", part, COUNT, _play)


def _play(seed: int, sound: Path) -> Truth:
    rng = random.Random(f"chamber {seed}")
    metre, division, slowest, fastest, textures = rng.choice(FORMS)
    tempo = rng.uniform(slowest, fastest)
    bars = int((LONGEST - 4) * tempo / 60 / metre) // 4 * 4
    times = pace_beats(rng, bars * metre + 1, metre, tempo)
    notes = write_piece(rng, times, metre, division, rng.choice(textures))
    write_midi(sound.with_suffix(".mid"), notes)
    synthesise(sound.with_suffix(".mid"), sound)
    return cut_truth(times, times[::metre], metre)


def pace_beats(rng: random.Random, count: int, metre: int, tempo: float) -> np.ndarray:
    """When each beat falls: a pace that wanders, and slows before each fourth and eighth bar line."""
    freedom, linger = rng.choice((0.01, 0.03, 0.06)), rng.choice((0.0, 0.1, 0.25))
    wander, paces = 0.0, []
    for beat in range(count - 1):
        wander = 0.8 * wander + rng.gauss(0, freedom)
        left = 4 * metre - beat % (4 * metre)
        late = linger * (1.0 if beat // (4 * metre) % 2 else 0.5) * max(0, metre + 1 - left) / metre
        paces.append(60 / tempo * (1 + wander) * (1 + late))
    return LEAD + np.concatenate([[0.0], np.cumsum(paces)])


def write_piece(rng: random.Random, times: np.ndarray, metre: int, division: int, texture: str) -> list[Note]:
    key, scale = rng.randrange(48, 58), rng.choice((MAJOR, MINOR))
    melody, support = rng.choice(BANDS)
    chords = [degree for _ in range(len(times) // metre // 4 + 1) for degree in rng.choice(CADENCES)]
    themes = [[rng.choice(RHYTHMS[division]) for _ in range(metre)] for _ in range(2)]
    step, notes = 4, []
    for beat in range(len(times) - 1):
        bar, place = divmod(beat, metre)
        chord = [key + scale[(chords[bar] + third) % 7] for third in (0, 2, 4)]
        moments = np.linspace(times[beat], times[beat + 1], division, endpoint=False)
        gap = float(times[beat + 1] - times[beat])
        for offset, pitch, length in _accompany(texture, place, division, chord):
            notes.append(_strike(rng, moments[offset], length * gap, support, pitch, 62 + 8 * (place == 0)))
        cell = themes[bar // 4 % 2][place] if bar % 4 < 3 or place == 0 else (division,)
        for offset, length in zip(np.cumsum((0, *cell[:-1])).tolist(), cell, strict=True):
            step = max(0, min(13, step + rng.choice((-2, -1, -1, 1, 1, 2, 3))))
            if offset == 0 and place == 0:  # a chord's own note on the first beat
                step = min(range(14), key=lambda tried: (abs(tried - step), (tried - chords[bar]) % 7 not in (0, 2, 4)))
            pitch = key + 12 + scale[step % 7] + 12 * (step // 7)
            notes.append(_strike(rng, moments[offset], 0.95 * length / division * gap, melody, pitch, 84 + rng.randint(-8, 8)))
    return notes


def _accompany(texture: str, place: int, division: int, chord: list[int]) -> list[tuple[int, int, float]]:
    """Of one beat: (division, pitch, length in beats)."""
    low = chord[0] - 12
    if texture == "waltz":
        return [(0, low, 0.9)] if place == 0 else [(0, pitch, 0.6) for pitch in chord]
    if texture == "chorale":
        return [(0, pitch, 0.95) for pitch in (low, *chord)]
    if texture == "steady":
        return [(0, low if place % 2 == 0 else chord[2] - 12, 0.5), *((division // 2, pitch, 0.4) for pitch in chord[1:])]
    order = (chord[0] if place else low, chord[2], chord[1], chord[2])
    return [(offset, order[offset], 1 / division) for offset in range(division)]


def _strike(rng: random.Random, time: float, length: float, program: int, pitch: int, velocity: int) -> Note:
    return Note(time + rng.gauss(0, 0.006), max(length, 0.05), program, pitch, velocity + rng.randint(-6, 6))
