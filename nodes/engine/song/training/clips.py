"""A score -> a clip of sound as a producer or a bad microphone would have it -> log mel spectrum, with its beats' times.

Everything that may not change where the beats are is left to chance: tempo and how it moves, instruments, key, a melody
on top, drums that drop out, distortion, room, noise, clipping, the microphone's frequency response. The spectrum is the
very one that songs are analysed with. Times in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ..recording import RATE, examine_recording
from ..spectrum import measure_spectrum
from .band import Band
from .scores import DRUMS, LENGTH, PITCH, PROGRAM, START, VELOCITY, Score
from .voices import VOICE

SECONDS = 34.0
GRID = 0.125  # quarters, the grain of a tempo curve
KICKS = (35, 36)
RELATED = ((24, 25, 26, 27, 28), (0, 1, 4, 5, 6), (48, 50, 51, 89), (32, 33, 34, 38, 39), (56, 65, 66, 71, 73), (29, 30, 81, 80, 84))


@dataclass(frozen=True)
class Clip:
    mel: np.ndarray  # float16 [bands, frames]
    beats: np.ndarray  # seconds
    positions: np.ndarray  # int, place in the bar from 1


def make_clip(score: Score, band: Band, rng: np.random.Generator) -> Clip:
    """One performance of a score; chance decides how it is played and recorded."""
    when = choose_timing(score, rng)
    sound = play(vary(score, rng), band, when, rng)
    if not score.metre and rng.random() < 0.5:
        sound = _make_noise(rng) + rng.choice([0, 0, 0.3, 1]) * sound / (np.abs(sound).max() + 1e-9)
    sound = record(sound, rng)
    beats = np.arange(0, score.end + 1e-6, score.step) if score.metre else np.zeros(0)
    times = when(beats)
    kept = (times >= 0) & (times < SECONDS - 0.05)
    positions = np.arange(len(beats)) % max(score.metre, 1) + 1
    mel = measure_spectrum(examine_recording(sound[None].astype(np.float32), RATE), lambda done, total: None).mel
    return Clip(mel, times[kept].astype(np.float32), positions[kept].astype(np.int8))


def _make_noise(rng: np.random.Generator) -> np.ndarray:
    """Noise between white and brown that swells and ebbs at no regular time."""
    count = int(SECONDS * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count)) / np.arange(1, count // 2 + 2) ** rng.uniform(0, 1)
    points = np.cumsum(rng.uniform(0.3, 4, 200))
    swell = np.interp(np.arange(count) / RATE, points, rng.uniform(rng.choice([0.05, 0.3, 0.9]), 1, 200))
    noise = np.fft.irfft(spectrum, count) * swell
    return noise / np.abs(noise).max()


def choose_timing(score: Score, rng: np.random.Generator) -> Callable[[np.ndarray], np.ndarray]:
    """Quarters -> seconds: where the clip starts in the score (perhaps with a pickup), its tempo, and how that moves."""
    low, high = np.log(score.tempi)
    tempo = float(np.exp(rng.uniform(low, high))) * score.step  # quarters a minute
    needed = SECONDS * tempo / 60 * 1.6
    bar = score.step * max(score.metre, 1)
    grid = np.arange(0, max(needed, score.end) + 64, GRID)
    pace = _choose_pace(rng, grid, needed, bar, score.rubato)
    times = np.concatenate([[0.0], np.cumsum(GRID * 60 / tempo / pace)])[: len(grid)]
    latest = max(score.end - SECONDS * tempo / 60, 0)
    start = float(rng.integers(0, int(latest / score.step) + 1)) * score.step if rng.random() < 0.6 else 0.0
    lead = float(rng.uniform(0, 1.2))
    return lambda quarters: lead + np.interp(quarters, grid, times) - np.interp(start, grid, times)


def _choose_pace(rng: np.random.Generator, grid: np.ndarray, needed: float, bar: float, rubato: float) -> np.ndarray:
    """Tempo over the score, 1 is the usual: steady, drifting, a ramp, a jump, or a player's rubato."""
    kind = "rubato" if rng.random() < rubato else rng.choice(["steady", "drift", "ramp", "jump"], p=[0.48, 0.26, 0.15, 0.11])
    pace = np.ones(len(grid))
    if kind == "drift":
        pace += np.cumsum(rng.normal(0, 0.0006, len(grid)))
    elif kind == "ramp":
        first, length = rng.uniform(0, 0.4) * needed, rng.uniform(6, 60)
        pace *= 1 + (rng.uniform(0.72, 1.38) - 1) * np.clip((grid - first) / length, 0, 1)
    elif kind == "jump":
        pace[grid > rng.uniform(0.15, 0.5) * needed] *= rng.choice([0.75, 0.85, 1.15, 1.3])
    elif kind == "rubato":
        phrase = bar * rng.choice([2, 4, 8])
        pace += rng.uniform(0.04, 0.16) * (np.sin(np.pi * (grid % phrase) / phrase) - 0.5) + np.cumsum(rng.normal(0, 0.001, len(grid)))
        pace *= 1 - rng.uniform(0, 0.3) * np.clip((grid % phrase - phrase) / bar + 1, 0, 1)  # slower into a phrase's end
    return np.clip(pace, 0.5, 1.7)


def vary(score: Score, rng: np.random.Generator) -> Score:
    """The same bars in other clothes: key, instruments, a melody, drums or everything else left out for a while."""
    notes = score.notes.copy()
    drums = notes[:, PROGRAM] == DRUMS
    notes[~drums, PITCH] += rng.integers(-5, 7)
    if rng.random() < 0.4:
        for program in set(notes[~drums, PROGRAM].tolist()) - {VOICE}:
            group = next((group for group in RELATED if program in group), RELATED[int(rng.integers(len(RELATED)))])
            notes[notes[:, PROGRAM] == program, PROGRAM] = rng.choice(group)
    kept = np.ones(len(notes), bool)
    if rng.random() < 0.15 and not drums.all():
        kept &= ~drums
    elif rng.random() < 0.1 and drums.sum() > 0.3 * len(notes):
        kept &= drums
    if rng.random() < 0.35:
        first, length = rng.uniform(0, 60), rng.uniform(4, 24)
        kept &= ~((drums if rng.random() < 0.6 else ~drums) & (notes[:, START] >= first) & (notes[:, START] < first + length))
    notes = notes[kept]
    if rng.random() < 0.4 and score.metre:
        notes = np.concatenate([notes, _improvise(score, rng)])
    return replace(score, notes=notes)


def _improvise(score: Score, rng: np.random.Generator) -> np.ndarray:
    """A melody of free rhythm over the whole score, as a singer's: often beside the beat."""
    instruments = [52, 54, 65, 66, 71, 73, 56, 40, 80, 81, 26, *[VOICE] * 10]
    program, place, pitch = rng.choice(instruments), 4 * score.step, 62 + rng.integers(0, 10)
    rows = []
    while place < score.end:
        length = score.step * rng.choice([0.25, 0.5, 0.5, 0.5, 0.75, 1, 1, 1.5, 2, 3])
        if rng.random() < 0.8:
            pitch = int(np.clip(pitch + rng.choice([-4, -2, -2, -1, 0, 1, 2, 2, 4]), 52, 84))
            rows.append((place, 0.92 * length, program, pitch, rng.integers(70, 118)))
        place += length
    return np.array(rows, float).reshape(-1, 5)


def play(score: Score, band: Band, when: Callable[[np.ndarray], np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """The score's sound, float64 [samples] of SECONDS; loose or tight as the players are."""
    tracks = np.zeros((2, int(SECONDS * RATE)))  # drums, and all else
    loose = float(rng.choice([0, 0.003, 0.007, 0.012]))
    starts = when(score.notes[:, START]) + rng.normal(0, loose, len(score.notes))
    ends = when(score.notes[:, START] + score.notes[:, LENGTH])
    balance = {program: float(np.exp(rng.normal(0, 0.35))) for program in np.unique(score.notes[:, PROGRAM]).tolist()}
    for note, start, end in zip(score.notes, starts.tolist(), ends.tolist(), strict=True):
        if not 0 <= start < SECONDS:
            continue
        if note[PROGRAM] == DRUMS:
            sound = band.strike(score.kit, int(note[PITCH]))
        else:
            sound = band.sustain(int(note[PROGRAM]), note[PITCH], max(end - start, 0.05), rng)
        part = tracks[int(note[PROGRAM] != DRUMS), int(start * RATE) :][: len(sound)]
        part += (note[VELOCITY] / 127) ** 1.7 * balance[note[PROGRAM]] * sound[: len(part)]
    if rng.random() < 0.3:  # an amplifier's distortion
        level = np.abs(tracks[1]).max() + 1e-9
        tracks[1] = level * np.tanh(tracks[1] / level * rng.uniform(3, 25)) * rng.uniform(0.3, 0.9)
    if band.pumps:
        kicks = starts[(score.notes[:, PROGRAM] == DRUMS) & np.isin(score.notes[:, PITCH], KICKS)]
        tracks[1] *= _give_way(kicks, float(rng.uniform(0.3, 0.95)), float(rng.uniform(0.08, 0.3)))
    return tracks.sum(axis=0)


def _give_way(kicks: np.ndarray, depth: float, recovery: float) -> np.ndarray:
    """The gain of a compressor that the kick drives, [samples]."""
    moments = np.arange(int(SECONDS * RATE)) / RATE
    kicks = np.sort(np.append(kicks, -10.0))
    since = moments - kicks[np.searchsorted(kicks, moments, side="right") - 1]
    return 1 - depth * np.exp(-np.maximum(since, 0) / recovery)


def record(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Room, frequency response, noise, compression and clipping."""
    sound = sound / (np.abs(sound).max() + 1e-9)
    if rng.random() < 0.45:
        sound = _reverberate(sound, rng)
    if rng.random() < 0.6:
        sound = _colour(sound, rng)
    if rng.random() < 0.35:
        sound = sound + rng.choice([0.001, 0.004, 0.012, 0.03]) * rng.standard_normal(len(sound)) * np.std(sound) * 5
    sound = sound / (np.abs(sound).max() + 1e-9)
    if rng.random() < 0.35:
        sound = np.tanh(sound * rng.uniform(1.5, 6))
    return 0.9 * sound


def _reverberate(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    from scipy.signal import fftconvolve

    length = int(RATE * rng.uniform(0.2, 1.6))
    tail = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 6.9))
    wet = fftconvolve(sound, tail / np.sqrt((tail**2).sum()))[: len(sound)]
    return sound + rng.uniform(0.05, 0.5) * wet * np.std(sound) / (np.std(wet) + 1e-9)


def _colour(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random smooth frequency response, +-10 dB; sometimes a telephone's or a small loudspeaker's."""
    spectrum = np.fft.rfft(sound)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(sound), 1 / RATE), 20) / 20)
    decibels = np.interp(octaves, np.linspace(0, 9.2, 8), rng.normal(0, 5, 8))
    if rng.random() < 0.2:
        decibels -= 12 * np.maximum(np.log2(rng.uniform(80, 350) / 20) - octaves, 0)
    if rng.random() < 0.2:
        decibels -= 12 * np.maximum(octaves - np.log2(rng.uniform(2500, 8000) / 20), 0)
    return np.fft.irfft(spectrum * 10 ** (decibels / 20), len(sound))
