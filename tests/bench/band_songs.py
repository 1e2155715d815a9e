"""Rock songs with a singer, as a stand-in for recordings that may not be used here: written by chance and rule, exact by nature.

Verses and choruses of distorted guitars, bass, drums with fills, half time and double kicks; a voice that sings syllables beside the
beat; all driven into a loud master. The players' tempo drifts by some percent and nobody is exact.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from midi import DRUMS, Note, write_midi
from pieces import LONGEST, RATE, Piece, Truth, cut_truth, keep_made_up, synthesise

COUNT = 24
METRES = (4, 4, 4, 4, 4, 4, 3, 4, 4, 6, 4, 7)
KICK, SNARE, CLOSED, OPEN, CRASH, RIDE, TOMS = 36, 38, 42, 46, 49, 51, (50, 47, 45, 41)
MINOR = (0, 3, 5, 7, 8, 10)
GUITARS, BASSES = (29, 30, 30, 27), (33, 34)
VOWELS = ((750, 1200, 2500), (450, 1900, 2600), (320, 2200, 3000), (500, 900, 2500), (350, 800, 2300))  # Hz of three formants
LEAD = 0.5  # seconds before the first beat


def render_band_songs(folder: Path, part: str) -> list[Piece]:
    return keep_made_up(folder, "band", part, COUNT, _play)


def _play(seed: int, sound: Path) -> Truth:
    import soundfile

    rng = random.Random(f"band {seed}")
    metre = METRES[seed // 2 % len(METRES)]
    times = _pace_beats(rng, metre, rng.uniform(78, 205))
    midi, dry = sound.with_suffix(".mid"), sound.with_suffix(".dry.wav")
    write_midi(midi, write_band(rng, times, metre))
    synthesise(midi, dry)
    band = soundfile.read(dry, dtype="float32", always_2d=True)[0][: int(LONGEST * RATE)].mean(axis=1)
    dry.unlink()
    voice = sing(np.random.default_rng(seed), times, len(band))
    mix = band / (np.abs(band).max() + 1e-9) + rng.uniform(0.3, 0.6) * voice
    soundfile.write(sound, 0.9 * np.tanh(rng.uniform(1.5, 5) * mix), RATE)
    return cut_truth(times, times[::metre], metre)


def _pace_beats(rng: random.Random, metre: int, tempo: float) -> np.ndarray:
    count = int((LONGEST - 2) * tempo / 60 / metre) * metre
    drift = np.cumsum([rng.gauss(0, 0.004) for _ in range(count)])
    return LEAD + np.concatenate([[0.0], np.cumsum(60 / tempo * (1 + np.clip(drift, -0.05, 0.05)))])[:-1]


def write_band(rng: random.Random, times: np.ndarray, metre: int) -> list[Note]:
    key, guitar, bass = rng.randrange(38, 48), rng.choice(GUITARS), rng.choice(BASSES)
    notes, bars = [], len(times) // metre
    styles = {name: _choose_style(rng, metre) for name in ("verse", "chorus", "bridge")}
    order = ("verse", "chorus", "verse", "chorus", "bridge", "chorus")
    for bar in range(bars):
        style = styles[order[bar // 8 % len(order)]]
        resting = bar < 4 and rng.random() < 0.3
        for place in range(metre):
            beat = bar * metre + place
            gap = float(times[beat + 1] - times[beat]) if beat + 1 < len(times) else float(times[-1] - times[-2])
            root = key + MINOR[style["chords"][bar % 4]]
            played = _play_guitars(rng, style, place, root, guitar, bass)
            if not resting:
                played += _play_drums(rng, style, place, metre, fill=bar % 8 == 7, first=bar % 8 == 0)
            notes += [Note(times[beat] + share * gap + rng.gauss(0, 0.007), length * gap, *rest) for share, length, *rest in played]
    return notes


def _choose_style(rng: random.Random, metre: int) -> dict:
    snares = {3: (1, 2), 4: (1, 3), 6: (2, 5), 7: (1, 3, 5)}[metre]
    if metre == 4 and rng.random() < 0.25:
        snares = (2,)  # half time
    kicks = {(0, 0.0)} | {(place, rng.choice((0.0, 0.5))) for place in range(metre) if place not in snares and rng.random() < 0.6}
    if rng.random() < 0.15:
        kicks = {(place, share / 4) for place in range(metre) for share in range(4)}
    riff = [[share / 4 for share in range(0, 4, 4 // rng.choice((1, 2, 2, 4))) if rng.random() < 0.8] for _ in range(metre)]
    hats = rng.choice((1, 2, 2))
    return {
        "snares": snares, "kicks": kicks, "riff": riff, "hats": hats, "hat": rng.choice((CLOSED, OPEN, RIDE)),
        "chords": [rng.choice((0, 0, 1, 2, 3, 4, 5)) for _ in range(4)],
    }  # fmt: skip


def _play_guitars(rng: random.Random, style: dict, place: int, root: int, guitar: int, bass: int) -> list[tuple]:
    played = []
    for share in style["riff"][place]:
        loud = 108 if share == 0 and place == 0 else 92
        played += [(share, 0.3, guitar, root + step, loud + rng.randint(-8, 8)) for step in (0, 7, 12)]
        played.append((share, 0.3, bass, root - 12, 100))
    return played


def _play_drums(rng: random.Random, style: dict, place: int, metre: int, fill: bool, first: bool) -> list[tuple]:
    if fill and place == metre - 1:
        return [(share / 4, 0.2, DRUMS, rng.choice((SNARE, *TOMS)), 105) for share in range(4)]
    played = [(share, 0.2, DRUMS, KICK, 112) for at, share in style["kicks"] if at == place]
    played += [(share / style["hats"], 0.2, DRUMS, style["hat"], 88 - 18 * (share > 0)) for share in range(style["hats"])]
    if place in style["snares"]:
        played.append((0, 0.2, DRUMS, SNARE, 115))
    if first and place == 0:
        played.append((0, 0.2, DRUMS, CRASH, 115))
    return played


def sing(rng: np.random.Generator, times: np.ndarray, count: int) -> np.ndarray:
    """A voice's samples, peak 1: phrases of syllables that begin on, before or after eighths, with consonants, glides and vibrato."""
    voice = np.zeros(count)
    beat = int(rng.integers(8, 20))
    while beat < len(times) - 12:
        pitch = rng.uniform(55, 64)
        for _ in range(int(rng.integers(4, 11))):
            gap = float(times[beat + 1] - times[beat])
            start = times[beat] + rng.choice((0, 0.5)) * gap + rng.normal(0, 0.04)
            pitch = float(np.clip(pitch + rng.choice((-3, -2, 0, 0, 2, 3, 5)), 50, 72))
            syllable = _utter(rng, pitch, gap * rng.choice((0.5, 1, 1.5)))
            part = voice[max(int(start * RATE), 0) :][: len(syllable)]
            part += syllable[: len(part)]
            beat += int(rng.choice((0, 1, 1, 1, 2)))
            if beat >= len(times) - 4:
                break
        beat += int(rng.integers(2, 9))
    return voice / (np.abs(voice).max() + 1e-9)


def _utter(rng: np.random.Generator, pitch: float, length: float) -> np.ndarray:
    t = np.arange(int(length * RATE)) / RATE
    glide = pitch - 2 * np.exp(-t / 0.04) * rng.uniform(0, 1) + 0.3 * np.minimum(t / 0.4, 1) * np.sin(2 * np.pi * 5.5 * t)
    frequency = 440 * 2 ** ((glide - 69) / 12)
    phase, formants = 2 * np.pi * np.cumsum(frequency) / RATE, VOWELS[int(rng.integers(len(VOWELS)))]
    tone = np.zeros(len(t))
    for harmonic in range(1, 20):
        level = sum(np.exp(-((harmonic * frequency.mean() - formant) ** 2) / 2 / 150**2) for formant in formants) + 0.03
        tone += level * np.sin(harmonic * phase)
    hiss = np.diff(rng.standard_normal(len(t) + 1)) * np.exp(-t / 0.03) * rng.choice((0, 0.3, 0.8))
    return (tone + hiss) * np.clip(np.minimum(t / 0.03, (t[-1] - t) / 0.06), 0, 1)
