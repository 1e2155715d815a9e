"""More scores written by chance and rule: metal, dance music with its breaks, drum machines alone, chamber music."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from .patterns import BASSES, CHORD_ROOTS, CLAP, CLAVES, CLOSED, CRASH, KICK, LEADS, OPEN, PADS, RIDE, SHAKER, SNARE, STICK, TOMS, Writer
from .scores import Score
from .voices import VOICE

BARS = 40
VIOLINS, WINDS, BRASS, CHOIRS = (40, 41, 42, 48, 49), (68, 70, 71, 73, 74), (56, 57, 60, 61), (52, 53, 19)
BLOCKS = (0, 4, 6, 11, 24, 46, 8, 12)  # played in chords
# kick and snare in quarters of a bar of four, with how the cymbals run
METAL = (
    ((0, 2), (1, 3), 2),
    ((0, 0.5, 2, 2.5), (1, 3), 2),
    ((0, 0.75, 1.5, 2, 2.75), (1, 3), 1),  # gallop
    (tuple(place / 4 for place in range(16)), (1, 3), 1),  # double kick
    (tuple(place / 4 for place in range(16)), (2,), 1),  # the same, half as fast to the ear's backbeat
    ((0, 1, 2, 3), (0.5, 1.5, 2.5, 3.5), 2),  # d-beat, polka
    (tuple(place / 2 for place in range(8)), tuple(place / 2 for place in range(8)), 2),  # blast
    ((0, 1.5), (2,), 1),  # breakdown
)


def write_metal(rng: random.Random) -> Score:
    """Distorted guitars, fast feet, a voice; the drums' pattern and the riff change every few bars."""
    writer, bar = Writer(rng, 4), 0
    guitar, bass = rng.choice((29, 30, 30)), rng.choice((33, 34))
    sung = rng.random() < 0.7
    while bar < BARS:
        length = rng.choice((4, 4, 8))
        kicks, snares, run = rng.choice(METAL)
        grain = rng.choice((2, 2, 4))
        riff = [(cell / grain, rng.choice((0, 0, 0, 0, 1, 3, 5, -2))) for cell in range(4 * grain) if cell == 0 or rng.random() < 0.75]
        held = rng.random() < 0.25
        cymbal = rng.choice((CLOSED, OPEN, RIDE, CRASH))
        for place in range(bar, bar + length):
            fill = rng.random() < 0.4 and place == bar + length - 1
            _play_metal_bar(writer, 4.0 * place, (kicks, snares, run), cymbal, place == bar, fill)
            root = writer.chord(place)[0] - 8
            for cell, step in [(0.0, 0)] if held else riff:
                for pitch in (root + step, root + step + 7, root + step + 12):
                    writer.add(4.0 * place + cell, 3.8 if held else 0.9 / grain, guitar, pitch, 100)
                writer.add(4.0 * place + cell, 3.8 if held else 0.9 / grain, bass, root + step - 12, 95)
        if sung:
            _sing(writer, 4.0 * bar, 4.0 * length)
        bar += length
    return writer.finish(1.0, 4, rng.choice(((85, 130), (120, 180), (150, 210))))


def _play_metal_bar(writer: Writer, start: float, pattern: tuple, cymbal: int, first: bool, fill: bool) -> None:
    kicks, snares, run = pattern
    end = 3.0 if fill else 4.0
    for pitch, places in ((KICK, kicks), (SNARE, snares)):
        for place in places:
            if place < end:
                writer.drum(start + place, pitch, 108)
    for cell in range(int(end * run)):
        writer.drum(start + cell / run, cymbal, 92 if cell % run == 0 else 76)
    if first:
        writer.drum(start, CRASH, 115)
    for cell in range(4 if fill else 0):
        writer.drum(start + 3 + cell / 4, writer.rng.choice((SNARE, *TOMS)), 104)


def _sing(writer: Writer, start: float, length: float) -> None:
    """Phrases over some bars, beside the beat as often as on it."""
    rng, pitch = writer.rng, writer.key + 12
    place = start + rng.choice((0, 0.5, 1, 2))
    while place < start + length - 1:
        for _ in range(rng.randint(3, 9)):
            gap = rng.choice((0.25, 0.5, 0.5, 0.5, 0.75, 1, 1, 1.5))
            pitch = max(48, min(76, pitch + rng.choice((-4, -2, -2, -1, 0, 1, 2, 2, 4))))
            writer.add(place, gap * 0.95, VOICE, pitch, rng.randint(80, 115))
            place += gap
        place += rng.choice((0.5, 1, 1.5, 2, 3))


@dataclass(frozen=True)
class _Dance:
    """What stays the same in a piece of dance music; places in quarters, cells in sixteenths or eighths."""

    kicks: tuple[float, ...]
    snares: tuple[float, ...]
    lead: int
    bass: int
    pad: int
    lead_cells: list[bool]
    lead_pitches: list[int]
    bass_cells: list[bool]
    off_bass: bool


def write_dance(rng: random.Random) -> Score:
    """House, techno, trance, breakbeat, dubstep in sections: intro, break without drums, build with a roll, drop."""
    writer, bar = Writer(rng, 4), 0
    kind = rng.choice(("floor", "floor", "broken", "half", "fast"))
    kicks, snares = {
        "floor": ((0, 1, 2, 3), (1, 3)),
        "broken": ((0.0, *sorted({rng.choice((3, 5, 6, 7, 9, 10, 11)) / 4 for _ in range(3)})), (1, 3)),
        "half": ((0, rng.choice((0.75, 1.5, 1.25))), (2,)),
        "fast": ((0, 2.5), (1, 3)),
    }[kind]
    lead, bass, pad = rng.choice(LEADS + PADS), rng.choice((38, 39, 33)), rng.choice((89, 90, 91, 50, 51))
    cells, pitches = [rng.random() < rng.uniform(0.3, 0.7) for _ in range(16)], [rng.choice((0, 3, 7, 12, 15, 19)) for _ in range(16)]
    deep = [rng.random() < 0.5 for _ in range(8)]
    dance = _Dance(kicks, snares, lead, bass, pad, cells, pitches, deep, rng.random() < 0.6)
    while bar < BARS:
        length, part = rng.choice((4, 8)), rng.choice(("full", "full", "full", "drums", "break", "build", "light"))
        for place in range(bar, bar + length):
            _play_dance_bar(writer, dance, part, place, place - bar, length)
        if part in ("full", "break") and rng.random() < 0.35:
            _sing(writer, 4.0 * bar, 4.0 * length)
        bar += length
    return writer.finish(1.0, 4, {"floor": (105, 150), "broken": (90, 140), "half": (130, 150), "fast": (158, 182)}[kind])


def _play_dance_bar(writer: Writer, dance: _Dance, part: str, bar: int, passed: int, length: int) -> None:
    start, chord = 4.0 * bar, writer.chord(bar)
    if part in ("full", "drums"):
        _play_dance_drums(writer, start, dance.kicks, dance.snares, passed == 0)
    elif part == "light":
        _play_dance_drums(writer, start, dance.kicks[:1], (), passed == 0)
    elif part == "build":
        count = 4 if passed < length // 2 else 8 if passed < length - 1 else 16
        for cell in range(count):
            writer.drum(start + 4 * cell / count, SNARE, 70 + 2 * cell)
    for cell in range(8 if part in ("full", "drums") else 0):
        if (cell % 2 if dance.off_bass else dance.bass_cells[cell]) or (not dance.off_bass and cell == 0):
            writer.add(start + cell / 2, 0.4, dance.bass, chord[0] - 5, 100)
    for cell in range(16 if part in ("full", "break", "light", "build") else 0):
        if dance.lead_cells[cell]:
            writer.add(start + cell / 4, 0.22, dance.lead, chord[0] + 24 + dance.lead_pitches[cell], 85)
    for pitch in chord if part != "drums" and bar % writer.hold == 0 else ():
        writer.add(start, 3.9 * writer.hold, dance.pad, pitch + 24, 74)


def _play_dance_drums(writer: Writer, start: float, kicks: tuple, snares: tuple, first: bool) -> None:
    rng = writer.rng
    for place in kicks:
        writer.drum(start + place, KICK, 114)
    for place in snares:
        writer.drum(start + place, SNARE if writer.hold > 1 else CLAP, 100)
    for cell in range(8):
        if cell % 2 or rng.random() < 0.5:
            writer.drum(start + cell / 2, OPEN if cell % 2 and writer.hold < 4 else CLOSED, 82)
    for cell in range(16):
        if rng.random() < 0.3:
            writer.drum(start + cell / 4, rng.choice((CLOSED, SHAKER)), 58)
    if first and rng.random() < 0.6:
        writer.drum(start, CRASH, 108)


def write_machine(rng: random.Random) -> Score:
    """A drum pattern of one or two bars, straight or swung, over and over: drums alone or with a bass."""
    metre = rng.choice((4, 4, 4, 4, 3, 3, 5, 6, 7, 2))
    writer = Writer(rng, metre)
    swing = rng.choice((0.0, 0.0, 0.0, rng.uniform(0, 1 / 6), 1 / 6))
    hats, grain = rng.choice((1, 2, 2, 4)), rng.choice((2, 4))
    snares = {2: (1,), 3: rng.choice(((1, 2), (2,))), 4: rng.choice(((1, 3), (1, 3), (2,))), 5: rng.choice(((2, 4), (1, 4), (3,))),
              6: rng.choice(((2, 5), (3,), (1, 3, 5))), 7: rng.choice(((1, 3, 5), (2, 6), (2, 4, 6)))}[metre]  # fmt: skip
    free = [cell / grain for cell in range(1, metre * grain) if cell / grain not in snares]
    kicks = [0.0] + [place for place in free if rng.random() < rng.choice((0.12, 0.3))]
    ghosts = [cell / 4 for cell in range(metre * 4) if cell % 4 and rng.random() < rng.choice((0.0, 0.1))]
    bass, hat, tonic = rng.random() < 0.6, rng.choice((CLOSED, CLOSED, RIDE, SHAKER, OPEN, CLAVES, STICK)), rng.choice(BASSES)
    lean = 0.15 if rng.random() < 0.3 else 1.0  # patterns that never vary, and patterns that do
    pulse = [cell / hats for cell in range(metre * hats)]
    drums = ((KICK, kicks, 112), (SNARE, snares, 106), (SNARE, ghosts, 52), (hat, pulse, 80))
    for bar in range(2 * BARS):
        start = float(bar * metre)
        for pitch, places, velocity in drums:
            for place in places:
                late = swing if abs(place % 1 - 0.5) < 0.01 else 0.0
                if rng.random() > 0.04 * lean or place == 0:
                    writer.drum(start + place + late, pitch, velocity - (14 if place % 1 else 0))
        if bass:
            _play_machine_bass(writer, start, metre, tonic, writer.chord(bar)[0] - 5)
        if bar % 8 == 7 and rng.random() < 0.5 * lean:
            for cell in range(4):
                writer.drum(start + metre - 1 + cell / 4, rng.choice((SNARE, *TOMS)), 96)
    return writer.finish(1.0, metre, rng.choice(((58, 110), (85, 150), (140, 205))))


def _play_machine_bass(writer: Writer, start: float, metre: int, program: int, root: int) -> None:
    writer.add(start, 0.9, program, root, 100)
    if writer.rng.random() < 0.6:
        writer.add(start + metre // 2, 0.9, program, root + writer.rng.choice((0, 0, 7)), 90)


def write_chamber(rng: random.Random) -> Score:
    """Two to five melodic lines, each at its own pace, cadences at phrase ends, no drums: strings, winds, choir, piano, orchestra."""
    metre = rng.choice((4, 4, 4, 3, 3, 3, 2, 2, 6))
    writer = Writer(rng, metre)
    colour = rng.choice((VIOLINS, WINDS, BRASS, CHOIRS, BLOCKS, VIOLINS + WINDS + BRASS))
    one = rng.choice(colour) if rng.random() < 0.5 else None
    phrase = rng.choice((4, 4, 8))
    for part in range(rng.randint(2, 5)):
        program = one if one is not None else rng.choice(colour)
        usual = (metre, 2.0, 1.0, 1.0, 0.5)[part] if part < 4 else rng.choice((0.5, 0.25))
        _write_line(writer, program, metre, usual, part, phrase)
    if rng.random() < 0.3:
        for bar in range(0, BARS, rng.choice((1, 1, 2, 4))):
            writer.add(float(bar * metre), 0.8, 47, writer.chord(bar)[0], 90)  # timpani
    return replace(writer.finish(1.0, metre, rng.choice(((48, 90), (80, 140), (120, 180)))), rubato=0.5)


def _write_line(writer: Writer, program: int, metre: int, usual: float, part: int, phrase: int) -> None:
    rng, place, motif = writer.rng, 0.0, []
    while place < BARS * metre:
        bar = int(place // metre)
        here = place % metre
        tones = [tone + 12 * (part + 1) // 2 + 5 * part for tone in writer.chord(bar)]
        length = usual * rng.choice((1, 1, 1, 1, 0.5, 2)) if not motif else motif.pop(0)
        if bar % phrase == phrase - 1 and rng.random() < 0.6:
            length = max(metre - here, 0.25)
        if part and rng.random() < 0.06:
            length *= 1.5
        length = max(min(length, metre - here if rng.random() < 0.85 else length), 0.25)
        pitch = rng.choice(tones) if here % 1 == 0 or rng.random() < 0.4 else rng.choice(tones) + rng.choice((-2, -1, 1, 2))
        if rng.random() < 0.93:
            writer.add(place, 0.95 * length, program, pitch, 92 if here == 0 else 82 if here % 1 == 0 else 74)
        if not motif and rng.random() < 0.15:
            motif = [rng.choice((1.0, 0.5, 0.5, 0.25)) for _ in range(4)] * 3
        place += length


def write_hymn(rng: random.Random) -> Score:
    """Chords in the same rhythm in all voices, longer at the ends of lines; often a pickup of one beat."""
    metre = rng.choice((4, 4, 3, 3))
    writer, program, pickup = Writer(rng, metre), rng.choice((19, 0, 52, 48, 21, 61)), rng.random() < 0.4
    for bar in range(BARS):
        start = float(bar * metre)
        rhythm = rng.choice(((1,) * metre, (2,) + (1,) * (metre - 2), (1,) * (metre - 2) + (2,), (1.5, 0.5) + (1,) * (metre - 2)))
        if bar % 4 == 3:
            rhythm = (metre - 1, 1) if pickup else (metre,)
        place = start
        for length in rhythm:
            degree = rng.choice(CHORD_ROOTS) if place > start else writer.degrees[bar % len(writer.degrees)]
            for step, octave in ((0, 0), (4, 12), (0, 24), (2, 24)):
                pitch = writer.key + writer.scale[(degree + step) % 7] + octave
                writer.add(place, 0.97 * length, program, pitch, 92 if place == start else 82)
            place += length
    return replace(writer.finish(1.0, metre, (60, 120)), rubato=0.4)
