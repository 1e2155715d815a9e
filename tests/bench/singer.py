"""A synthetic singer for the songs of `sung_lyrics.py`: a voice that glides, trembles and hisses, alone or before a band.

Harmonics of a gliding pitch with vibrato pass through vowels' formants, a new vowel each syllable; words begin with a short hiss. It is
no person: what is measured with it says how well moving pitch in the middle of a mix is told from instruments, not more.
Samples are float32 at `RATE`, times seconds.
"""

from __future__ import annotations

import numpy as np
import sung_lyrics

RATE = 22050
STEP = 110  # samples between two settings of the voice: 5 ms
VOWELS = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410), (640, 1190, 2390))  # formants, Hz
SCALE = (0, 2, 4, 5, 7, 9, 11, 12, 14)


def sing_aloud(song: sung_lyrics.Song, seed: int) -> np.ndarray:
    """The voice alone, [samples], a peak of about 0.5; a low or a high singer by seed."""
    rng = np.random.default_rng([seed, 77])
    track = np.zeros(int(song.duration * RATE))
    root, vibrato, rate = float(rng.choice([55, 62, 65])) - 12 * (rng.random() < 0.4), rng.uniform(0.25, 0.8), rng.uniform(4.8, 6.5)
    place = 4
    last = root + SCALE[place]
    for word in song.words:
        syllables = max(1, round(sung_lyrics.count_syllables(word.text)))
        edges = np.linspace(word.start, word.end, syllables + 1)
        for start, end in zip(edges[:-1], edges[1:], strict=True):
            place = int(np.clip(place + rng.integers(-2, 3), 0, len(SCALE) - 1))
            note = root + SCALE[place]
            sound = _syllable(last, note, end - start, vibrato, rate, rng)
            first = int(start * RATE)
            part = track[first : first + len(sound)]
            part += sound[: len(part)]
            last = note
    return (0.5 * track / np.abs(track).max()).astype(np.float32)


def _syllable(before: float, note: float, length: float, vibrato: float, rate: float, rng: np.random.Generator) -> np.ndarray:
    count = max(int(length * RATE), 4 * STEP)
    steps = np.arange(0, count + STEP, STEP) / RATE
    glide = (before - note) * np.exp(-steps / rng.uniform(0.02, 0.06))
    tremble = vibrato * np.clip((steps - 0.15) / 0.2, 0, 1) * np.sin(2 * np.pi * rate * steps + rng.uniform(0, 6))
    drift = 0.12 * np.cumsum(rng.standard_normal(len(steps))) / np.sqrt(np.arange(1, len(steps) + 1) * 5)
    pitch = 440 * 2 ** ((note + glide + tremble + drift - 69) / 12)
    moments = np.arange(count) / STEP
    frequency = np.interp(moments, np.arange(len(steps)), pitch)
    phase = 2 * np.pi * np.cumsum(frequency) / RATE
    formants = np.array(VOWELS[int(rng.integers(len(VOWELS)))]) * rng.uniform(0.95, 1.15)
    sound = np.zeros(count)
    for harmonic in range(1, int(min(40, 5000 / pitch.min())) + 1):
        level = _formant_level(harmonic * pitch, formants) / harmonic**0.6
        sound += np.interp(moments, np.arange(len(steps)), level) * np.sin(harmonic * phase)
    edge = np.clip(np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.025 * RATE), 0, 1)
    sound *= edge * rng.uniform(0.6, 1.0)
    if rng.random() < 0.6:  # a consonant
        hiss = min(int(rng.uniform(0.03, 0.08) * RATE), count)
        sound[:hiss] = 0.3 * sound[:hiss] + 0.4 * np.diff(rng.standard_normal(hiss + 1)) * np.hanning(hiss)
    return sound


def _formant_level(frequency: np.ndarray, formants: np.ndarray) -> np.ndarray:
    widths, gains = np.array([90.0, 110, 170]), np.array([1.0, 0.6, 0.35])
    return (gains / (1 + np.square((frequency[:, None] - formants) / widths))).sum(axis=1) + 0.02


def join_band(voice: np.ndarray, band: np.ndarray, level: float) -> np.ndarray:
    """Voice in the middle of a band [2, samples], [2, samples]; `level` is the voice's in dB against the band's, both while they sound."""
    band = np.tile(band, (1, -(-len(voice) // band.shape[1])))[:, : len(voice)]
    sung = np.abs(voice) > 0.01
    gain = 10 ** (level / 20) * float(np.sqrt(np.square(band.mean(axis=0)).mean())) / float(np.sqrt(np.square(voice[sung]).mean()))
    late = int(0.013 * RATE)  # a little room, wider than the voice
    room = 0.12 * gain * np.stack([np.roll(voice, late), np.roll(voice, 2 * late)])
    mix = band + gain * voice + room
    return (0.9 * mix / np.abs(mix).max()).astype(np.float32)
