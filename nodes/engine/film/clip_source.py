"""Clips from anywhere -> frames on the film's own grid and of the film's own size.

A clip is a video file (or a part of one) or an array of pictures. Its frames are chosen by time: on every frame of
the film the clip shows what it would show at that moment, whatever its own frame rate. Pictures of another shape fill
the frame and are cropped evenly at the edges. One frame is in memory at a time. Knows nothing of shots or songs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import islice
from typing import Protocol

import numpy as np

from .video_frames import Source, TimedFrame, VideoFacts, probe_video, read_timed_frames, scale_frame

SHORT_CLIPS = ("stop", "hold last frame", "loop", "slow down")  # what to do with a clip that is shorter than its shot


class Clip(Protocol):
    @property
    def facts(self) -> VideoFacts: ...

    def timed_frames(self, size: tuple[int, int]) -> Iterator[TimedFrame]:
        """Every frame with its time from the clip's start, scaled to `size` (width, height)."""
        ...


@dataclass(frozen=True)
class FileClip:
    """The part of a video file from `start` on for `duration` seconds (0: to its end)."""

    source: Source
    start: float = 0.0
    duration: float = 0.0

    @property
    def facts(self) -> VideoFacts:
        return self._facts

    @cached_property
    def _facts(self) -> VideoFacts:
        return probe_video(self.source, self.start, self.duration)

    def timed_frames(self, size: tuple[int, int]) -> Iterator[TimedFrame]:
        return read_timed_frames(self.source, self.start, self.duration, size)


@dataclass(frozen=True)
class PictureClip:
    """Pictures as a clip: an array [frames, height, width, 1, 3 or 4], floats in 0..1 or whole numbers of 8 or 16 bits.

    Transparency is laid on black.
    """

    pictures: np.ndarray
    fps: Fraction

    @property
    def facts(self) -> VideoFacts:
        frames, height, width = self.pictures.shape[:3]
        return VideoFacts(width, height, self.fps, frames, float(frames / self.fps), False)

    def timed_frames(self, size: tuple[int, int]) -> Iterator[TimedFrame]:
        for index, picture in enumerate(self.pictures):
            yield TimedFrame(float(index / self.fps), scale_frame(to_pixels(picture), size))


def to_pixels(picture: np.ndarray) -> np.ndarray:
    """One picture [height, width, 1, 3 or 4] of any depth as uint8 RGB [height, width, 3]."""
    if np.issubdtype(picture.dtype, np.floating):
        unit = np.clip(np.nan_to_num(picture.astype(np.float32)), 0, 1)
    else:
        unit = picture.astype(np.float32) / np.iinfo(picture.dtype).max
    if unit.shape[-1] == 4:
        unit = unit[..., :3] * unit[..., 3:]
    if unit.shape[-1] == 1:
        unit = np.repeat(unit, 3, axis=-1)
    return (unit * 255 + 0.5).astype(np.uint8)


def is_short(clip: Clip, frames: int, fps: Fraction) -> bool:
    """Whether a clip ends more than half a frame before `frames` frames of the film do."""
    return clip.facts.duration < float((frames - Fraction(1, 2)) / fps)


def frames_on_grid(
    clip: Clip, frames: int, before: int, after: int, fps: Fraction, size: tuple[int, int], short_clips: str
) -> Iterator[np.ndarray]:
    """The clip as `before + frames + after` frames of the film, uint8 RGB [height, width, 3] of `size` (width, height).

    The clip's first frame is the first of the `frames` and stands still in the ones before; those after come from
    the rest of a longer clip. A clip that ends early holds its last frame, starts again ("loop") or, for "slow down",
    is stretched over its `frames`.
    """
    width, height = size
    short = is_short(clip, frames, fps)
    pace = clip.facts.duration / float(frames / fps) if short and short_clips == "slow down" else 1.0
    chosen = _at_times(clip, fps, pace, _cover(clip.facts, size), short and short_clips == "loop")
    for index, pixels in enumerate(islice(chosen, frames + after)):
        cropped = _crop(pixels, width, height)
        if index == 0:
            yield from (cropped for _ in range(before))
        yield cropped


def _at_times(clip: Clip, fps: Fraction, pace: float, size: tuple[int, int], loop: bool) -> Iterator[np.ndarray]:
    """What the clip shows on each frame of the film, without end."""
    tolerance = 0.25 / float(fps)  # stored times are rounded, in Matroska to a millisecond
    passed = 0.0
    upcoming = clip.timed_frames(size)
    current = next(upcoming)
    following = next(upcoming, None)
    index = 0
    while True:
        time = float(index / fps) * pace - passed
        if loop and time >= clip.facts.duration - tolerance:
            passed += clip.facts.duration
            upcoming = clip.timed_frames(size)
            current, following = next(upcoming), next(upcoming, None)
            continue
        while following is not None and following.time <= time + tolerance:
            current, following = following, next(upcoming, None)
        yield current.pixels
        index += 1


def _cover(facts: VideoFacts, size: tuple[int, int]) -> tuple[int, int]:
    """The smallest size of the clip's own shape that covers the frame."""
    width, height = size
    scale = max(width / facts.width, height / facts.height)
    return max(width, round(facts.width * scale)), max(height, round(facts.height * scale))


def _crop(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]
