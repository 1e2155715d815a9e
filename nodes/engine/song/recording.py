"""A song as the user gives it -> mono blocks fit for listening.

In: float32 samples [channels, samples] at any rate, which may be off-centre, over full scale, damaged in places,
out of phase between the sides or surround. Out: blocks of mono samples at `RATE`, centred, peak at 0.9.
Never holds a second copy of the song. Knows nothing of beats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

RATE = 22050  # Hz; beats and harmony live below 10 kHz
SHORTEST, LONGEST = 0.5, 2 * 3600.0  # seconds
SILENCE = 1e-5  # -100 dB: a peak below this is no sound
BLOCK = 1 << 18  # samples; a few seconds, so that progress is smooth
CANCELLED = 10 ** (-20 / 10)  # a mix this much weaker than its strongest channel has cancelled itself out

PERCENT = 100
Progress = Callable[[int, int], None]  # how much is done, and of how much


def ignore_progress(done: int, total: int) -> None:
    """For who does not ask."""


def share_progress(progress: Progress, first: int, last: int) -> Progress:
    """Reports one stage's progress as a stretch of the whole, in percent."""
    return lambda done, total: progress(first + (last - first) * done // max(total, 1), PERCENT)


@dataclass(frozen=True)
class Recording:
    samples: np.ndarray  # as given, [channels, samples]
    sample_rate: int
    weights: np.ndarray  # how much of each channel goes into the mono mix
    centre: float  # the mix's DC offset
    peak: float  # of the centred mix; 0 for silence
    remarks: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        return self.samples.shape[1] / self.sample_rate

    @property
    def silent(self) -> bool:
        return self.peak < SILENCE

    @property
    def gain(self) -> float:
        """What the samples are multiplied with; 0 for silence."""
        return 0.0 if self.silent else 0.9 / self.peak

    def blocks(self, rate: int = RATE) -> Iterator[np.ndarray]:
        """The mono mix at `rate` Hz in order, float32, a few seconds each."""
        import soxr

        stream = soxr.ResampleStream(self.sample_rate, rate, 1, dtype="float32")
        total = self.samples.shape[1]
        for first in range(0, total, BLOCK):
            mono = (self.weights @ _sound(self.samples, first) - self.centre) * self.gain
            yield stream.resample_chunk(mono.astype(np.float32), last=first + BLOCK >= total)


def examine_recording(samples: np.ndarray, sample_rate: int, on_progress: Progress = ignore_progress) -> Recording:
    """Checks a song and finds how to listen to it; ValueError with the remedy where it cannot be used."""
    samples = np.atleast_2d(samples)
    _check_shape(samples, sample_rate)
    damaged, lows, highs, sums, powers = _measure_channels(samples, on_progress)
    total = samples.shape[1]
    if damaged == samples.size:
        raise ValueError("The song holds no valid samples (all are NaN or infinite). Render or load the audio again.")
    chosen = _choose_weights(powers, sums, total)
    remarks = ()
    if damaged:
        remarks = (f"{damaged} samples of the song are damaged (NaN or infinite) and were heard as silence.",)
    centre = float(chosen @ sums[:-1]) / total
    row = -1 if np.count_nonzero(chosen) == len(chosen) else int(np.argmax(chosen))
    peak = float(max(highs[row] - centre, centre - lows[row]))
    return Recording(samples, sample_rate, chosen, centre, peak, remarks)


def _check_shape(samples: np.ndarray, sample_rate: int) -> None:
    if samples.ndim != 2 or samples.size == 0:
        raise ValueError("The song is empty. Connect audio with sound in it.")
    if not 4000 <= sample_rate <= 768000:
        raise ValueError(f"The song's sample rate is {sample_rate} Hz; convert it to one from 8000 to 192000 Hz.")
    duration = samples.shape[1] / sample_rate
    if duration < SHORTEST:
        raise ValueError(f"The song lasts only {duration:.2f} s; connect one of at least {SHORTEST} s.")
    if duration > LONGEST:
        raise ValueError(f"The song lasts {duration / 3600:.1f} hours; cut it to {LONGEST / 3600:.0f} hours at most.")


def _sound(samples: np.ndarray, first: int) -> np.ndarray:
    block = samples[:, first : first + BLOCK].astype(np.float64)
    return np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)


def _measure_channels(samples: np.ndarray, on_progress: Progress) -> tuple[int, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Count of damaged samples, then lowest, highest, sum and sum of squares of each channel and, last, of their mean."""
    damaged = 0
    lows = np.full(len(samples) + 1, np.inf)
    highs = -lows
    sums, powers = np.zeros(len(lows)), np.zeros(len(lows))
    for first in range(0, samples.shape[1], BLOCK):
        on_progress(first, samples.shape[1])
        damaged += int(np.count_nonzero(~np.isfinite(samples[:, first : first + BLOCK])))
        block = _sound(samples, first)
        block = np.vstack([block, block.mean(axis=0)])
        lows, highs = np.minimum(lows, block.min(axis=1)), np.maximum(highs, block.max(axis=1))
        sums, powers = sums + block.sum(axis=1), powers + np.square(block).sum(axis=1)
    return damaged, lows, highs, sums, powers


def _choose_weights(powers: np.ndarray, sums: np.ndarray, total: int) -> np.ndarray:
    """All channels alike, unless they cancel each other out (sides in opposite phase): then the strongest alone."""
    channels = len(powers) - 1
    power = powers - sums**2 / total
    strongest = int(np.argmax(power[:-1]))
    if power[-1] < CANCELLED * power[strongest]:
        return np.eye(channels)[strongest]
    return np.full(channels, 1.0 / channels)
