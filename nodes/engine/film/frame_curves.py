"""The music frame by frame: a Timeline and a frame rate -> one value a frame.

Every array has the shape [frames], on the film's global grid. A beat belongs to the frame nearest to it, so an accent is
never more than half a frame from its beat. Knows nothing of shots' pictures or cameras.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from ..timeline import Timeline, frame_at, frame_span

TRUSTED = 0.3  # below this confidence beats are not shown; accents follow the onsets instead
DECAY = 0.16  # seconds until an accent has fallen to 1/e: over before the next beat at 180 bpm

CURVES = (
    "onset", "loudness", "bass", "beat pulse", "downbeat pulse", "shot progress",
    "valence", "arousal", "brightness", "mode", "roughness",
    "low mids", "mids", "highs", "bass onset", "highs onset", "voice",
)  # fmt: skip


def accents(timeline: Timeline, fps: Fraction, frames: range, downbeats: bool) -> np.ndarray:
    """How strongly each frame is accented, 0..1, shape [frames]: 1 on a beat, then falling away.

    Where the grid cannot be trusted, the onset curve stands in for beats, and there are no downbeats.
    """
    if timeline.beat_confidence < TRUSTED or not timeline.beats:
        return np.zeros(len(frames)) if downbeats else sample_curve(timeline, "onset", fps, frames)
    if downbeats and timeline.downbeat_confidence < TRUSTED:
        return np.zeros(len(frames))
    wanted = [frame_at(beat.time, fps) for beat in timeline.beats if not downbeats or beat.position == 1]
    starts, here = np.array([*wanted], dtype=int), np.arange(frames.start, frames.stop)
    last = np.searchsorted(starts, here, side="right") - 1
    since = np.where(last >= 0, here - starts[np.maximum(last, 0)], np.inf) / float(fps)
    return np.exp(-since / DECAY)


def frame_values(timeline: Timeline, name: str, fps: Fraction) -> np.ndarray:
    """One of CURVES (or any curve of the timeline) at every frame of the film, 0..1, shape [frames]."""
    frames = range(frame_at(timeline.duration, fps))
    if name in ("beat pulse", "downbeat pulse"):
        return accents(timeline, fps, frames, downbeats=name.startswith("downbeat"))
    if name == "shot progress":
        return _shot_progress(timeline, fps, frames)
    return sample_curve(timeline, name, fps, frames)


def write_schedule(values: list[float], tolerance: float = 0.002) -> str:
    """Values, one a frame, as "0:(0.5), 12:(1)": straight lines between the keyframes miss none by more than the
    tolerance, a share of the values' whole range (the "swinging door" of Bristol 1990)."""
    room = tolerance * (max(values, default=0.0) - min(values, default=0.0))
    kept, low, high = [0], -np.inf, np.inf
    for place in range(1, len(values)):
        slope = (values[place] - values[kept[-1]]) / (place - kept[-1])
        if not low <= slope <= high:
            kept, low, high = [*kept, place - 1], -np.inf, np.inf
        reach, rise = place - kept[-1], values[place] - values[kept[-1]]
        low, high = max(low, (rise - room) / reach), min(high, (rise + room) / reach)
    if len(values) > 1:
        kept.append(len(values) - 1)
    return ", ".join(f"{place}:({values[place]:.4g})" for place in kept if values)


def _shot_progress(timeline: Timeline, fps: Fraction, frames: range) -> np.ndarray:
    values = np.zeros(len(frames))
    for shot in timeline.shots:
        span = frame_span(shot, fps)
        values[span.start : span.stop] = np.linspace(0, 1, len(span))
    return values


def sample_curve(timeline: Timeline, name: str, fps: Fraction, frames: range) -> np.ndarray:
    """A curve at each frame: its highest value within the frame's time, so that no attack is missed."""
    curve = timeline.curve(name)
    values = np.asarray(curve.values or (0.0,))
    edges = [round((frame - Fraction(1, 2)) / fps * Fraction(curve.rate)) for frame in range(frames.start, frames.stop + 1)]
    low = np.clip(edges[:-1], 0, len(values) - 1)
    high = np.maximum(np.clip(edges[1:], 1, len(values)), low + 1)
    return np.array([values[a:b].max() for a, b in zip(low, high, strict=True)])


def count_bars(timeline: Timeline, times: np.ndarray) -> np.ndarray:
    """The place of each time counted in bars, continuous; bars of two seconds where none are trusted."""
    downbeats = np.asarray(timeline.downbeats)
    if timeline.downbeat_confidence < TRUSTED or len(downbeats) < 2:
        return times / 2.0
    bar = float(np.median(np.diff(downbeats)))
    known = np.interp(times, downbeats, np.arange(len(downbeats), dtype=float))
    before, after = np.minimum(times - downbeats[0], 0), np.maximum(times - downbeats[-1], 0)
    return known + (before + after) / bar
