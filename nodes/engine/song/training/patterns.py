"""Scores written by chance and rule: what Musical MIDI Accompaniment has little of.

Riffs and double kicks, four on the floor, broken beats, odd metres, 6/8 and 12/8, one instrument alone, metronomes, and
notes at free times, in which there is no beat to find.
"""

from __future__ import annotations

import random

import numpy as np

from .scores import DRUMS, Score

BARS = 40
KICK, STICK, SNARE, CLAP, CLOSED, OPEN, CRASH, RIDE, BELL, SHAKER, CLAVES = 36, 37, 38, 39, 42, 46, 49, 51, 56, 70, 75
TOMS = (41, 45, 47, 50)
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
CHORD_ROOTS = (0, 0, 3, 4, 5, 4, 1, 2)  # degrees of the scale, the usual ones more often
GUITARS, KEYS, PADS = (24, 25, 26, 27, 28, 29, 30), (0, 1, 4, 5, 6, 16), (48, 50, 51, 89, 90, 91)  # General MIDI programs from 0
BASSES, LEADS = (32, 33, 34, 38, 39), (80, 81, 40, 56, 65, 73, 52, 53, 85)

Notes = list[tuple[float, float, int, int, int]]


class Writer:
    """Collects a score's notes; its key, chords and chance."""

    def __init__(self, rng: random.Random, quarters: float) -> None:
        self.rng, self.quarters, self.notes = rng, quarters, Notes()
        self.key, self.scale = rng.randrange(36, 48), rng.choice((MAJOR, MINOR))
        self.degrees = [rng.choice(CHORD_ROOTS) for _ in range(rng.choice((2, 4, 4, 4, 8)))]
        self.hold = rng.choice((1, 1, 1, 2, 2, 4))  # bars a chord

    def add(self, start: float, length: float, program: int, pitch: int, velocity: int) -> None:
        self.notes.append((start, length, program, pitch, max(20, min(127, velocity + self.rng.randint(-8, 8)))))

    def drum(self, start: float, pitch: int, velocity: int = 100) -> None:
        self.add(start, 0.25, DRUMS, pitch, velocity)

    def chord(self, bar: int) -> tuple[int, int, int]:
        """Root, third and fifth of a bar's chord, in the octave of the bass."""
        degree = self.degrees[bar // self.hold % len(self.degrees)]
        root, third, fifth = (self.key + self.scale[(degree + step) % 7] + 12 * ((degree + step) // 7) for step in (0, 2, 4))
        return root, third, fifth

    def finish(self, step: float, metre: int, tempi: tuple[float, float]) -> Score:
        return Score(
            np.array(sorted(self.notes), float).reshape(-1, 5), step, metre, tempi, self.rng.choice((0, 0, 0, 1, 2, 2, 3, 4, 5, 6))
        )


def write_band(rng: random.Random) -> Score:
    """Rock, punk or metal: a riff that repeats, drums that change from section to section."""
    metre = rng.choice((4,) * 8 + (3, 3, 3, 5, 7, 6, 2))
    writer, bar = Writer(rng, metre), 0
    guitar, bass = rng.choice((29, 30, 30, 27, 25, 28)), rng.choice(BASSES)
    while bar < BARS:
        length = rng.choice((4, 4, 8))
        _write_section(writer, range(bar, bar + length), metre, guitar, bass)
        bar += length
    return writer.finish(1.0, metre, rng.choice(((80, 125), (100, 160), (140, 205))))


def _write_section(writer: Writer, bars: range, metre: int, guitar: int, bass: int) -> None:
    rng = writer.rng
    cells = metre * rng.choice((2, 2, 4))
    riff = [cell == 0 or rng.random() < 0.65 for cell in range(cells)]
    moves = [rng.choice((0, 0, 0, 0, 1, 3, -2)) for _ in range(cells)]
    kit = _choose_kit(writer, metre)
    for bar in bars:
        start, (root, _, fifth) = bar * metre, writer.chord(bar)
        for cell in np.flatnonzero(riff).tolist():
            place, length = start + cell * metre / cells, 0.9 * metre / cells
            for pitch in (root + moves[cell], fifth + moves[cell]):
                writer.add(place, length, guitar, pitch + 4, 100 if cell == 0 else 85)
            writer.add(place, length, bass, root + moves[cell] - 8, 95)
        if rng.random() < 0.9:
            _write_bar(writer, start, metre, kit, first=bar == bars[0], last=bar == bars[-1])


def _choose_kit(writer: Writer, metre: int) -> dict[str, list[float] | int]:
    """Where the drums fall in each bar of a section, in quarters."""
    rng = writer.rng
    snares = {2: [1.0], 3: [1.0, 2.0], 4: [1.0, 3.0], 5: [2.0, 4.0], 6: [2.0, 5.0], 7: [1.0, 3.0, 5.0]}[metre]
    if rng.random() < 0.15 and metre == 4:
        snares = [2.0]
    if rng.random() < 0.2 and metre == 3:
        snares = [2.0]
    kicks = [0.0] + [place / 2 for place in range(1, 2 * metre) if rng.random() < 0.28 and place / 2 not in snares]
    if rng.random() < 0.12:
        kicks = [place / 4 for place in range(4 * metre)]  # double kick
    grain = rng.choice((1, 2, 2, 2, 4))
    hats = [place / grain for place in range(metre * grain)] if rng.random() < 0.85 else []
    return {"snares": snares, "kicks": kicks, "hats": hats, "hat": rng.choice((CLOSED, CLOSED, OPEN, RIDE, SHAKER))}


def _write_bar(writer: Writer, start: float, metre: int, kit: dict, first: bool, last: bool) -> None:
    rng = writer.rng
    fill = metre - rng.choice((1, 1, 2)) if last and rng.random() < 0.6 else metre
    for pitch, places, velocity in ((KICK, kit["kicks"], 110), (SNARE, kit["snares"], 108)):
        for place in places:
            if place < fill:
                writer.drum(start + place, pitch, velocity)
    for place in kit["hats"]:
        writer.drum(start + place, kit["hat"], 92 if place % 1 == 0 else 70)
    if first and rng.random() < 0.8:
        writer.drum(start, CRASH, 112)
    for step in range(int((metre - fill) * 4)):
        writer.drum(start + fill + step / 4, rng.choice((SNARE, *TOMS)), 95)


def write_floor(rng: random.Random) -> Score:
    """House, techno, trance: a kick on every beat, claps on two and four, off-beat hats; the kick rests now and then."""
    writer = Writer(rng, 4)
    lead, bass, off = rng.choice(LEADS + PADS), rng.choice((38, 39, 33)), rng.random() < 0.8
    cells = [rng.random() < 0.45 for _ in range(16)]
    pitches = [rng.choice((0, 7, 12, 15, 19)) for _ in range(16)]
    resting = {section for section in range(BARS // 4) if rng.random() < 0.2}
    for bar in range(BARS):
        start, chord = 4 * bar, writer.chord(bar)
        for beat in range(4):
            if bar // 4 not in resting:
                writer.drum(start + beat, KICK, 115)
            if beat % 2 and rng.random() < 0.95:
                writer.drum(start + beat, CLAP, 95)
            if off:
                writer.drum(start + beat + 0.5, OPEN, 85)
            writer.add(start + beat + (0.5 if off else 0), 0.4, bass, chord[0] - 5, 100)
        for cell in range(16):
            if cells[cell]:
                writer.add(start + cell / 4, 0.22, lead, chord[0] + 24 + pitches[cell], 85)
        for pitch in chord if bar % writer.hold == 0 else ():
            writer.add(start, 3.9 * writer.hold, 89, pitch + 24, 70)
    return writer.finish(1.0, 4, (112, 150))


def write_broken(rng: random.Random) -> Score:
    """Hip-hop, trap, drum and bass: syncopated kicks under a steady backbeat."""
    fast = rng.random() < 0.4
    writer = Writer(rng, 4)
    kicks = [0.0] + [place / 4 for place in range(1, 16) if place not in (4, 12) and rng.random() < 0.22]
    grain, keys, bass = rng.choice((2, 4, 4)), rng.choice(KEYS + PADS), rng.choice(BASSES)
    hits = [0.0] + [place / 2 for place in range(1, 8) if rng.random() < 0.3]
    for bar in range(BARS):
        start, chord = 4 * bar, writer.chord(bar)
        for place in kicks:
            writer.drum(start + place, KICK, 112)
            writer.add(start + place, 0.6, bass, chord[0] - 5, 100)
        for place in (1, 3):
            writer.drum(start + place, SNARE if fast else rng.choice((SNARE, CLAP)), 108)
        for place in range(4 * grain):
            if rng.random() < 0.92:
                writer.drum(start + place / grain, CLOSED, 88 if place % grain == 0 else 68)
        for place in hits:
            for pitch in chord:
                writer.add(start + place, 0.45, keys, pitch + 20, 78)
    return writer.finish(1.0, 4, (158, 182) if fast else (68, 110))


def write_compound(rng: random.Random) -> Score:
    """6/8 and 12/8: every beat in three."""
    metre = rng.choice((2, 2, 4))
    writer, quarters = Writer(rng, 1.5 * metre), 1.5 * metre
    keys, bass, arpeggio, drums = rng.choice(KEYS + GUITARS[:4]), rng.choice(BASSES), rng.random() < 0.6, rng.random() < 0.75
    for bar in range(int(BARS * 4 / metre)):
        start, chord = quarters * bar, writer.chord(bar)
        for eighth in range(3 * metre):
            place = start + eighth / 2
            if drums:
                writer.drum(place, CLOSED, 92 if eighth % 3 == 0 else 70)
            if arpeggio or eighth % 3 == 0:
                pitches = (chord[(0, 1, 2, 1, 2, 1)[eighth % 6] % 3],) if arpeggio else chord
                for pitch in pitches:
                    writer.add(place, 0.5 if arpeggio else 1.4, keys, pitch + 12 * (1 + eighth % 3 // 2), 90 if eighth % 3 == 0 else 72)
        for beat in range(metre):
            if drums:
                writer.drum(start + 1.5 * beat, SNARE if beat % 2 else KICK, 106)
            if beat % 2 == 0 or rng.random() < 0.4:
                writer.add(start + 1.5 * beat, 1.3, bass, chord[0] if beat % 2 == 0 else chord[2] - 12, 95)
    return writer.finish(1.5, metre, (44, 110))


def write_alone(rng: random.Random) -> Score:
    """One or two instruments without drums: chords, broken chords, a bass, a melody over them."""
    metre = rng.choice((4, 4, 4, 3, 3, 3, 2, 5, 6))
    writer, program = Writer(rng, metre), rng.choice(KEYS + GUITARS[:3] + PADS + (46, 48, 71, 19, 11))
    shape = rng.choice(("block", "broken", "stride", "strum"))
    grain = rng.choice((1, 2, 2))
    for bar in range(BARS):
        start, chord = bar * metre, writer.chord(bar)
        for cell in range(metre * grain):
            place, on_first = start + cell / grain, cell == 0
            loud = 98 if on_first else 84 if cell % grain == 0 else 70
            if shape == "broken":
                writer.add(place, 1.5 / grain, program, chord[(0, 2, 1, 2)[cell % 4]] + 12 + 12 * (cell % 4 > 1), loud)
            elif on_first and shape in ("block", "stride"):
                writer.add(place, 0.9 if shape == "stride" else metre * 0.95, program, chord[0], loud)
            elif shape == "strum" or (shape == "stride" and cell % grain == 0) or (shape == "block" and rng.random() < 0.25):
                if rng.random() < 0.85:
                    for pitch in chord:
                        writer.add(place, 0.8 / grain, program, pitch + 15, loud)
    return writer.finish(1.0, metre, (60, 150))


def write_clicks(rng: random.Random) -> Score:
    """A metronome, a count or a lone percussionist; the first beat is louder or other, sometimes not at all."""
    metre = rng.choice((4, 4, 4, 3, 3, 2, 5, 6, 7))
    writer, sound = Writer(rng, metre), rng.choice((STICK, BELL, CLAVES, 76, 33, 34, 54, CLAP, RIDE, CLOSED))
    other = rng.choice((sound, sound, sound + 1 if sound < 80 else sound, KICK, 35))
    between = rng.choice((0, 0, 1))
    for bar in range(2 * BARS):
        for beat in range(metre):
            writer.drum(bar * metre + beat, other if beat == 0 else sound, 118 if beat == 0 else 88)
            if between:
                writer.drum(bar * metre + beat + 0.5, rng.choice((SHAKER, CLOSED)), 62)
    return writer.finish(1.0, metre, (60, 205))


def write_free(rng: random.Random) -> Score:
    """Notes at free times, sparse or dense, of one instrument or of several: no beat, metre 0."""
    writer, place = Writer(rng, 4), 0.0
    programs = [rng.choice((*KEYS, *GUITARS, *PADS, *LEADS, DRUMS, 122, 124)) for _ in range(rng.choice((1, 1, 2, 3)))]
    gap, spread = rng.uniform(0.15, 1.2), rng.uniform(0.5, 1.0)
    while place < 120:
        program = rng.choice(programs)
        pitch = rng.randrange(35, 60) if program == DRUMS else writer.key + 12 * rng.randrange(3) + rng.choice(writer.scale)
        writer.add(place, rng.uniform(0.2, 3.0), program, pitch, rng.randint(50, 110))
        place += gap * float(np.exp(spread * rng.gauss(0, 1)))
    return writer.finish(1.0, 0, (110, 130))
