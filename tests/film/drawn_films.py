"""Films with exact truth for the report: still pictures, accents, cuts and clicks where a test wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
from pack.nodes.engine.film.sound_sync import SoundBlock
from pack.nodes.engine.film.video_file import VideoFacts
from pack.nodes.engine.film.video_frames import TimedFrame
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline, frame_at

FPS = Fraction(24)
SIZE = (96, 54)
RATE = 16000
SECONDS = 8.0
BEATS = tuple(0.31 + 0.4837 * n for n in range(16))  # on no frame of any rate


@dataclass(frozen=True)
class DrawnClip:
    """Pictures, uint8 [height, width, 3], as a clip of their own size."""

    pictures: Sequence[np.ndarray]
    fps: Fraction = FPS

    @property
    def facts(self) -> VideoFacts:
        height, width = self.pictures[0].shape[:2]
        return VideoFacts(width, height, self.fps, len(self.pictures), float(len(self.pictures) / self.fps), False)

    def timed_frames(self, size: tuple[int, int]) -> Iterator[TimedFrame]:
        for number, picture in enumerate(self.pictures):
            yield TimedFrame(float(number / self.fps), picture)


def texture(seed: int, low: int = 40, high: int = 200, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A soft coloured pattern, uint8 [height, width, 3], its values from `low` to `high`."""
    import cv2

    noise = np.random.default_rng(seed).uniform(0, 1, (9, 16, 3)).astype(np.float32)
    soft = np.clip(cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    return (low + (high - low) * soft).astype(np.uint8)


def lit(picture: np.ndarray, factor: float) -> np.ndarray:
    return np.clip(picture * factor + 0.5, 0, 255).astype(np.uint8)


def zoomed(picture: np.ndarray, factor: float) -> np.ndarray:
    import cv2

    height, width = picture.shape[:2]
    view = np.array([[1 / factor, 0, (width - 1) / 2 * (1 - 1 / factor)], [0, 1 / factor, (height - 1) / 2 * (1 - 1 / factor)]])
    return cv2.warpAffine(picture, view, (width, height), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT)


def pulses(times: Sequence[float], frames: int, fps: Fraction = FPS, decay: float = 0.16) -> np.ndarray:
    """1 at the frame of each time, falling away after it."""
    wanted = sorted({frame_at(time, fps) for time in times})
    values = np.zeros(frames)
    for start, stop in pairwise([*wanted, frames]):
        if start < frames:
            values[start:stop] = np.exp(-np.arange(max(0, stop - start)) / float(fps) / decay)
    return values


def timeline(seconds: float = SECONDS, cuts: Sequence[float] = (), onsets: Sequence[float] = BEATS) -> Timeline:
    edges = [0.0, *cuts, seconds]
    curve = np.zeros(int(seconds * 50) + 1)
    for onset in onsets:
        if onset < seconds:
            curve[round(onset * 50)] = 1.0
    return Timeline(
        seconds,
        beats=tuple(Beat(time, index % 4 + 1) for index, time in enumerate(BEATS) if time < seconds),
        beat_confidence=0.9,
        downbeat_confidence=0.9,
        onsets=tuple(onset for onset in onsets if onset < seconds),
        curves=(Curve("onset", 50.0, tuple(curve.tolist())),),
        shots=tuple(Shot(start, end, "", index) for index, (start, end) in enumerate(pairwise(edges))) if cuts else (),
    )


def clicks(times: Sequence[float], seconds: float = SECONDS, late: float = 0.0) -> np.ndarray:
    """A short burst of noise at each time, float32 [1, samples]."""
    rng = np.random.default_rng(1)
    samples = rng.normal(0, 0.002, round(seconds * RATE))
    for time in times:
        start = round((time + late) * RATE)
        length = min(1200, len(samples) - start)
        if start >= 0 and length > 0:
            samples[start : start + length] += rng.normal(0, 0.3, length) * np.exp(-np.arange(length) / 300)
    return samples[None].astype(np.float32)


def in_blocks(samples: np.ndarray, start: float = 0.0) -> Iterator[SoundBlock]:
    for first in range(0, samples.shape[1], 1000):
        yield SoundBlock(start + first / RATE, samples[:, first : first + 1000], RATE)
