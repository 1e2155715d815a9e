"""Instruments that no soundfont has, made up by chance: synthesisers, and a voice that sings vowels.

A wavetable with and one without its highs, mixed by an envelope; pitch that slides and vibrates. Samples are float32 mono at
`RATE`, of about the loudness of a soundfont's notes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..recording import RATE

VOICE = 129  # as a program: somebody sings
TABLE = 1024  # samples of one period
HARMONICS = 48
PEAK = 7000.0
VOWELS = ((800, 1200, 2500), (400, 2000, 2600), (300, 2300, 3000), (450, 850, 2400), (320, 750, 2300), (600, 1700, 2500))  # formants, Hz


@dataclass(frozen=True)
class Patch:
    bright: tuple[float, ...]  # weight of each harmonic at the attack
    dull: tuple[float, ...]  # and later
    attack: float  # seconds
    fall: float  # seconds until it is dull
    sustain: float  # 0..1, level held
    vibrato: float  # semitones
    slide: float  # semitones that a note starts away from its pitch
    detune: float  # semitones between two oscillators, 0: one
    breath: float  # noise
    formants: tuple[int, ...] = ()  # of a voice


def choose_patch(rng: np.random.Generator) -> Patch:
    """A synthesiser: saw, square, pulse or a few sines, plucked or held."""
    number = np.arange(1, HARMONICS + 1)
    shape = {
        "saw": 1 / number,
        "square": (number % 2) / number,
        "pulse": np.abs(np.sin(np.pi * number * rng.uniform(0.05, 0.4))) / number,
        "sines": np.exp(-number / rng.uniform(1, 4)) * rng.random(HARMONICS),
    }[str(rng.choice(["saw", "saw", "square", "pulse", "sines"]))]
    dull = shape * np.exp(-number / rng.uniform(1.5, 12))
    plucked = rng.random() < 0.55
    return Patch(
        tuple(shape.tolist()),
        tuple(dull.tolist()),
        attack=float(rng.uniform(0.001, 0.006) if plucked else rng.choice([0.005, 0.02, 0.12])),
        fall=float(rng.uniform(0.04, 0.4)),
        sustain=float(rng.uniform(0, 0.3) if plucked else rng.uniform(0.6, 1)),
        vibrato=float(rng.choice([0, 0, 0.1, 0.25])),
        slide=float(rng.choice([0, 0, 0, -2, 7])),
        detune=float(rng.choice([0, 0.08, 0.2])),
        breath=0.0,
    )


def choose_singer(rng: np.random.Generator) -> Patch:
    """A voice, clean or rough; each note sings another vowel."""
    tilt = 1 / np.arange(1, HARMONICS + 1) ** rng.uniform(0.4, 1.1)
    rough = float(rng.choice([0.02, 0.05, 0.3, 0.8]))
    return Patch(
        tuple(tilt.tolist()),
        tuple(tilt.tolist()),
        attack=float(rng.uniform(0.01, 0.06)),
        fall=1.0,
        sustain=0.9,
        vibrato=float(rng.uniform(0, 0.6)),
        slide=float(rng.uniform(-2, 0.5)),
        detune=0.0,
        breath=rough,
        formants=(1,),
    )


def sing(patch: Patch, pitch: float, length: float, rng: np.random.Generator) -> np.ndarray:
    """One note of `length` seconds."""
    count = int((length + 0.05) * RATE)
    t = np.arange(count) / RATE
    frequency = 440 * 2 ** ((pitch - 69) / 12)
    waver = np.sin(2 * np.pi * (rng.uniform(4.5, 6.5) * t + rng.random())) * np.minimum(t / 0.3, 1)
    bend = patch.slide * np.exp(-t / 0.04) + patch.vibrato * waver
    level = patch.sustain + (1 - patch.sustain) * np.exp(-t / patch.fall)
    envelope = np.minimum(t / patch.attack, 1) * level * np.clip((length + 0.05 - t) / 0.05, 0, 1)
    mix = np.exp(-t / patch.fall)
    bright, dull = (_draw_period(weights, frequency, patch, rng) for weights in (patch.bright, patch.dull))
    sound = np.zeros(count)
    for shift in (0.0, patch.detune) if patch.detune else (0.0,):
        phase = np.cumsum(frequency * 2 ** ((bend + shift) / 12)) / RATE * TABLE
        place = phase.astype(int) % TABLE
        sound += mix * bright[place] + (1 - mix) * dull[place]
    if patch.breath:
        sound += patch.breath * np.abs(sound).max(initial=0) * 0.5 * np.diff(rng.standard_normal(count + 1))
    return (PEAK * envelope * sound / (np.abs(sound).max(initial=0) + 1e-9)).astype(np.float32)


def _draw_period(weights: tuple[float, ...], frequency: float, patch: Patch, rng: np.random.Generator) -> np.ndarray:
    number = np.arange(1, HARMONICS + 1)
    weight = np.array(weights) * (number * frequency < 0.45 * RATE)
    if patch.formants:
        vowel = np.array(VOWELS[int(rng.integers(len(VOWELS)))])[:, None]
        weight = weight * (0.03 + np.exp(-(((number * frequency - vowel) / (0.12 * vowel + 60)) ** 2)).sum(axis=0))
    spectrum = np.zeros(TABLE // 2 + 1, complex)
    spectrum[1 : HARMONICS + 1] = weight * np.exp(2j * np.pi * rng.random(HARMONICS))
    return np.fft.irfft(spectrum, TABLE)
