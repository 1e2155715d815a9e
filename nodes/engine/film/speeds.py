"""How a shot's picture changes: what drives it and how strongly -> each frame's place on the shot's way, 0..1.

The music gives a speed at every frame; the rest of the way passes evenly, so that silence does not freeze the picture.
Every array has the shape [frames]. Knows nothing of what lies on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from ..timeline import Shot, Timeline, frame_span
from .frame_curves import TRUSTED, accents, sample_curve
from .intensity import has_curve

SMOOTHED = 2.0  # seconds over which the flow forgets single notes
MOODS = ("loudness", "arousal", "valence")


class Driver(NamedTuple):
    speed: Callable[[Timeline, range, Fraction], np.ndarray]  # of frames of the film, 0 and more
    follow: float  # share of the way that the music drives


def _onset(timeline: Timeline, frames: range, fps: Fraction) -> np.ndarray:
    """Accumulated onset energy from cut to cut (the "onset spherical interpolation" of arXiv 2502.02610)."""
    return sample_curve(timeline, "onset", fps, frames)


def _beat(timeline: Timeline, frames: range, fps: Fraction) -> np.ndarray:
    """A step on every beat, at rest shortly before the next."""
    return accents(timeline, fps, frames, downbeats=False)


def _even(timeline: Timeline, frames: range, fps: Fraction) -> np.ndarray:
    return np.ones(len(frames))


def _jump(timeline: Timeline, frames: range, fps: Fraction) -> np.ndarray:
    """All of a beat's step in its one frame, a downbeat's twice as far; strong onsets where no beats can be trusted."""
    beat, downbeat = (accents(timeline, fps, frames, downbeats) for downbeats in (False, True))
    if timeline.beat_confidence < TRUSTED or not timeline.beats:
        return beat**4
    steps = 1.0 * (beat == 1) + 1.0 * (downbeat == 1)
    steps[:1] = 0  # there the cut itself is the accent
    return steps


def _flow(timeline: Timeline, frames: range, fps: Fraction) -> np.ndarray:
    """Slow, by the mood around each moment; easing in after the cut and out before the next."""
    window = np.hanning(2 * round(SMOOTHED * fps / 2) + 3)
    around = range(frames.start - len(window) // 2, frames.stop + len(window) // 2)
    moods = [sample_curve(timeline, name, fps, around) for name in MOODS if has_curve(timeline, name)] or [np.ones(len(around))]
    level = np.convolve(np.mean(moods, axis=0), window / window.sum(), mode="valid")
    return level * np.sin(np.pi * (np.arange(len(frames)) + 0.5) / max(1, len(frames)))


DRIVERS = {
    "onset": Driver(_onset, 0.75),
    "beat": Driver(_beat, 0.94),
    "even": Driver(_even, 1.0),
    "jump": Driver(_jump, 0.85),
    "flow": Driver(_flow, 0.9),
}
WALKS = tuple(DRIVERS)


def plan_walk(timeline: Timeline, shot: Shot, fps: Fraction, walk: str, follow: float | None = None) -> np.ndarray:
    """The places of a shot's frames, 0 at the first and 1 at the last.

    `walk` is one of WALKS, `follow` the share of the way that the music drives, where it is not as usual.
    """
    driver, frames = DRIVERS[walk], frame_span(shot, fps)
    share = driver.follow if follow is None else follow
    speed = driver.speed(timeline, frames, fps)
    mean = speed.mean() if len(speed) else 0.0
    return _accumulate(share * speed / mean + (1 - share) if mean > 0 else np.ones(len(frames)))


def walk_by_speed(speed: np.ndarray) -> np.ndarray:
    """Places at given speeds: 1 throughout goes the whole way in the shot's time, less goes a part of it; at most the whole."""
    way = np.concatenate([[0.0], np.cumsum(speed[1:])])
    return np.minimum(way / max(1, len(speed) - 1), 1.0)


def _accumulate(steps: np.ndarray) -> np.ndarray:
    if len(steps) < 2:
        return np.zeros(len(steps))
    way = np.concatenate([[0.0], np.cumsum(steps[1:])])
    return way / way[-1]
