"""Sounds in which there is no beat to find, so that any beat reported with confidence is invented.

Each is float32 [1, n] at `RATE`, about `duration` seconds, the same for the same seed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

RATE = 22050


def silence(duration: float, seed: int = 0) -> np.ndarray:
    return np.zeros((1, int(duration * RATE)), np.float32)


def white_noise(duration: float, seed: int = 0) -> np.ndarray:
    return _finish(np.random.default_rng(seed).standard_normal(int(duration * RATE)), 0.3)


def pink_noise(duration: float, seed: int = 0) -> np.ndarray:
    spectrum = np.fft.rfft(np.random.default_rng(seed).standard_normal(int(duration * RATE)))
    return _finish(np.fft.irfft(spectrum / np.sqrt(np.arange(1, len(spectrum) + 1)), int(duration * RATE)), 0.5)


def surf(duration: float, seed: int = 0) -> np.ndarray:
    """Noise that swells and ebbs slowly and unevenly."""
    return _finish(pink_noise(duration, seed)[0] * (0.2 + _wander(duration, 2.5, seed)), 0.6)


def sine(duration: float, seed: int = 0) -> np.ndarray:
    t = np.arange(int(duration * RATE)) / RATE
    return _finish(np.sin(2 * np.pi * np.random.default_rng(seed).uniform(100, 900) * t), 0.3)


def drone(duration: float, seed: int = 0) -> np.ndarray:
    """A chord of rich tones that beat against each other and breathe."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(duration * RATE)) / RATE
    root = rng.uniform(55, 120)
    tones = (np.sin(2 * np.pi * root * ratio * k * t + rng.uniform(0, 6)) / k for ratio in (1, 1.002, 1.5, 2.003) for k in range(1, 7))
    return _finish(sum(tones) * (0.6 + 0.4 * _wander(duration, 3.0, seed)), 0.4)


def pad(duration: float, seed: int = 0) -> np.ndarray:
    """Slow chords that melt into each other at no regular time."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(duration * RATE)) / RATE
    track, start = np.zeros(len(t)), 0.0
    while start < duration:
        length = rng.uniform(3, 8)
        envelope = np.clip(np.minimum((t - start) / 1.5, (start + length + 1.5 - t) / 1.5), 0, 1)
        for pitch in rng.choice([48, 52, 55, 57, 60, 62, 64, 67], 3, replace=False):
            track += envelope * np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * t + 3 * np.sin(2 * np.pi * 5 * t))
        start += length
    return _finish(track, 0.4)


def drops(duration: float, seed: int = 0) -> np.ndarray:
    """Clicks at random, as rain on a tin: as many attacks as music has, but no two alike apart."""
    rng = np.random.default_rng(seed)
    track = 0.001 * rng.standard_normal(int(duration * RATE))
    for time in np.cumsum(rng.exponential(0.25, int(duration * 4))):
        t = np.arange(int(0.08 * RATE)) / RATE
        first = int(time * RATE)
        part = track[first : first + len(t)]
        part += (rng.uniform(0.2, 1) * np.sin(2 * np.pi * rng.uniform(300, 3000) * t) * np.exp(-t * 50))[: len(part)]
    return _finish(track, 0.6)


def babble(duration: float, seed: int = 0) -> np.ndarray:
    """Speech-like: syllables of 0.1 to 0.35 s, gliding pitch, vowels and hisses, phrases with pauses between."""
    rng = np.random.default_rng(seed)
    track, time = 0.002 * rng.standard_normal(int(duration * RATE)), 0.2
    while time < duration - 1:
        for _ in range(int(rng.integers(3, 12))):
            sound = _hiss(rng) if rng.random() < 0.3 else _vowel(rng)
            first = int(time * RATE)
            part = track[first : first + len(sound)]
            part += sound[: len(part)]
            time += len(sound) / RATE * rng.uniform(0.8, 1.1)
        time += rng.uniform(0.15, 0.9)
    return _finish(track, 0.6)


def free_time(duration: float, seed: int = 0) -> np.ndarray:
    """Plucked notes whose gaps wander freely between 0.2 and 1.5 s."""
    rng = np.random.default_rng(seed)
    track, time = np.zeros(int(duration * RATE)), 0.3
    while time < duration - 0.5:
        t = np.arange(int(1.2 * RATE)) / RATE
        f = 440 * 2 ** (rng.integers(-18, 10) / 12)
        note = sum(np.sin(2 * np.pi * f * k * t) / k * np.exp(-t * (1.5 + k)) for k in range(1, 7)) * np.minimum(t / 0.004, 1)
        first = int(time * RATE)
        part = track[first : first + len(t)]
        part += rng.uniform(0.4, 1) * note[: len(part)]
        time += float(np.exp(rng.uniform(np.log(0.2), np.log(1.5))))
    return _finish(track, 0.6)


SOUNDS: dict[str, Callable[..., np.ndarray]] = {
    sound.__name__: sound for sound in (silence, white_noise, pink_noise, surf, sine, drone, pad, drops, babble, free_time)
}


def _vowel(rng: np.random.Generator) -> np.ndarray:
    t = np.arange(int(rng.uniform(0.1, 0.35) * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(rng.uniform(90, 220) * (1 + rng.uniform(-0.3, 0.3) * t / t[-1])) / RATE
    formants = rng.uniform((300, 900, 2200), (800, 2000, 3000))
    levels = [sum(np.exp(-(((k * 150 - f) / 200) ** 2)) for f in formants) + 0.05 for k in range(1, 24)]
    tone = sum(level * np.sin(k * phase) for k, level in enumerate(levels, 1))
    return rng.uniform(0.3, 1) * tone * np.abs(np.sin(np.pi * t / t[-1])) ** 0.6


def _hiss(rng: np.random.Generator) -> np.ndarray:
    count = int(rng.uniform(0.05, 0.15) * RATE)
    return 0.5 * np.diff(rng.standard_normal(count + 1)) * np.sin(np.pi * np.arange(count) / count)


def _wander(duration: float, scale: float, seed: int) -> np.ndarray:
    """A smooth random curve in 0..1 that turns about every `scale` seconds."""
    points = np.random.default_rng(seed + 99).random(int(duration / scale) + 3)
    places = np.linspace(0, len(points) - 1.001, int(duration * RATE))
    share = (1 - np.cos(np.pi * (places % 1))) / 2
    return points[places.astype(int)] * (1 - share) + points[places.astype(int) + 1] * share


def _finish(track: np.ndarray, peak: float) -> np.ndarray:
    return (peak * track / np.abs(track).max())[None].astype(np.float32)
