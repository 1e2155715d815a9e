"""The demo song's instruments: numpy in, sounds out.

A sound is float64 [samples] at `RATE`, peak near 1. Times are seconds, pitches MIDI numbers. The noise comes from one seeded
source, so the same calls in the same order make the same sounds.
"""

from __future__ import annotations

import numpy as np

RATE = 44100

noise = np.random.default_rng(124).standard_normal


def frequency(pitch: float) -> float:
    return 440.0 * 2.0 ** ((pitch - 69) / 12)


def seconds(length: float) -> np.ndarray:
    return np.arange(int(length * RATE)) / RATE


def faded(sound: np.ndarray, attack: float = 0.002, release: float = 0.03) -> np.ndarray:
    """The sound without clicks at its ends."""
    for edge, length in ((np.s_[:], attack), (np.s_[::-1], release)):
        count = min(len(sound), max(1, int(length * RATE)))
        sound[edge][:count] *= np.linspace(0, 1, count)
    return sound


def band(sound: np.ndarray, low: float, high: float) -> np.ndarray:
    """The sound between two frequencies in Hz, with gentle flanks."""
    spectrum, f = np.fft.rfft(sound), np.fft.rfftfreq(len(sound), 1 / RATE)
    gain = 1 / np.sqrt(1 + (low / np.maximum(f, 1.0)) ** 6) / np.sqrt(1 + (f / high) ** 6)
    return np.fft.irfft(spectrum * gain, len(sound))


def kick() -> np.ndarray:
    t = seconds(0.34)
    body = np.sin(2 * np.pi * (47 * t + 110 * 0.028 * (1 - np.exp(-t / 0.028)))) * np.exp(-t / 0.13)
    return faded(np.tanh(2.2 * body) + 0.25 * np.exp(-t / 0.004) * noise(len(t)), 0.0005)


def snare() -> np.ndarray:
    t = seconds(0.28)
    body = np.sin(2 * np.pi * 188 * t) * np.exp(-t / 0.05) + 0.5 * np.sin(2 * np.pi * 331 * t) * np.exp(-t / 0.03)
    return faded(0.75 * body + 0.62 * band(noise(len(t)), 1200, 9000) * np.exp(-t / 0.075), 0.0005)


def clap() -> np.ndarray:
    t = seconds(0.3)
    bursts = sum(np.where(t >= delay, np.exp(-(t - delay) / 0.009), 0) for delay in (0.0, 0.011, 0.021))
    return faded(band(noise(len(t)), 900, 5500) * (0.7 * bursts + np.where(t >= 0.021, np.exp(-(t - 0.021) / 0.08), 0)), 0.0005)


def hat(ring: float) -> np.ndarray:
    t = seconds(ring * 5)
    return faded(band(noise(len(t)), 7000, 16000) * np.exp(-t / ring), 0.0005)


def crash() -> np.ndarray:
    t = seconds(2.6)
    return faded(band(noise(len(t)), 2500, 14000) * (np.exp(-t / 0.7) + 0.5 * np.exp(-t / 0.05)), 0.001, 0.5)


def tom(pitch: float) -> np.ndarray:
    t = seconds(0.4)
    return faded(np.sin(2 * np.pi * (pitch * t + 0.6 * (1 - np.exp(-t / 0.04)))) * np.exp(-t / 0.14), 0.001)


def saw(pitch: float, length: float, bright: float, darken: float, vibrato: float = 0.0) -> np.ndarray:
    """Band-limited saw by its partials; the higher a partial, the faster it dies (`darken`), as behind a closing filter."""
    t, f = seconds(length), frequency(pitch)
    phase = 2 * np.pi * (f * t + vibrato * f / 5.5 / 2 / np.pi * np.sin(2 * np.pi * 5.5 * t) * np.minimum(t / 0.35, 1))
    turn = np.exp(1j * (phase + 1.7) - t * darken)
    partial, sound = np.exp(t * darken) * turn, np.zeros(len(t))
    for k in range(1, min(40, int(2.5 * bright / f) + 1) + 1):
        sound += np.imag(partial) / k * np.exp(-((k * f / bright) ** 2) / 2)
        partial *= turn
    return sound


def bass_note(pitch: float, length: float) -> np.ndarray:
    t = seconds(length)
    sound = saw(pitch, length, 1400, 1.2) + 0.45 * np.sin(2 * np.pi * frequency(pitch) * t)
    return faded(np.tanh(1.3 * sound * np.exp(-t / 0.5)), 0.004, 0.02)


def lead_note(pitch: float, length: float) -> np.ndarray:
    sound = saw(pitch, length, 3800, 0.5, 0.008) + saw(pitch + 0.09, length, 3800, 0.5, 0.008) + 0.35 * saw(pitch + 12, length, 3000, 1)
    return faded(0.5 * sound * np.exp(-seconds(length) / 0.9), 0.008, 0.05)


def bell_note(pitch: float, length: float) -> np.ndarray:
    """A two-operator FM bell."""
    t, f = seconds(length), frequency(pitch)
    return faded(np.sin(2 * np.pi * f * t + 2.2 * np.exp(-t / 0.12) * np.sin(2 * np.pi * 3.01 * f * t)) * np.exp(-t / 0.35), 0.001, 0.05)


def pad_note(pitch: float, length: float, bright: float, side: int) -> np.ndarray:
    """Three detuned saws; the detuning differs per side, which makes the width."""
    return faded(np.sum([saw(pitch + side * d, length, bright, 0.0) for d in (-0.11, 0.02, 0.13)], axis=0) / 3, 0.03, 0.12)


def riser(length: float) -> np.ndarray:
    t = seconds(length)
    sweep = t / length
    return faded((band(noise(len(t)), 400, 2500) * (1 - sweep) + band(noise(len(t)), 2500, 12000) * sweep) * sweep**2, 0.01, 0.01)


def room(track: np.ndarray, decay: float) -> np.ndarray:
    """Reverb: convolution with decaying noise, different left and right."""
    t = seconds(decay * 2.5)
    size = 1 << (track.shape[1] + len(t)).bit_length()
    wet = np.empty_like(track)
    for channel in (0, 1):
        answer = band(noise(len(t)), 250, 6500) * np.exp(-t / (decay / 3)) * np.minimum(t / 0.012, 1)
        answer /= np.sqrt(np.sum(answer**2))
        wet[channel] = np.fft.irfft(np.fft.rfft(track[channel], size) * np.fft.rfft(answer, size), size)[: track.shape[1]]
    return wet
