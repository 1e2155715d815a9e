"""How a shot moves with the music: a Timeline and a frame rate -> one value a frame.

Every array has the shape [frames] and starts at the shot's first frame on the film's global grid. A beat
belongs to the frame nearest to it, so an accent is never more than half a frame from its beat. Knows
nothing of models or pictures; `render` applies what is planned here.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ..timeline import Shot, Timeline, frame_at, frame_span

TRUSTED = 0.3  # below this confidence beats are not shown; accents follow the onsets instead
DECAY = 0.16  # seconds until an accent has fallen to 1/e: over before the next beat at 180 bpm
WIDEST = 2.4  # the film's sides may be in this proportion before a rolled picture shows its mirrored border
IDLE_SHARE = 0.25  # share of a shot's way that passes evenly, so that silence does not freeze the picture

WALKS = ("onset", "beat", "even")
CURVES = (
    "onset", "loudness", "bass", "beat pulse", "downbeat pulse", "shot progress",
    "valence", "arousal", "brightness", "mode", "roughness",
    "low mids", "mids", "highs", "bass onset", "highs onset", "voice",
)  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """How strongly each movement of the camera takes part; zooms as shares of the picture's size."""

    beat_zoom: float = 0.0
    downbeat_zoom: float = 0.0
    push: float = 0.0  # slow zoom from the first to the last frame; negative pulls back
    pan: float = 0.0  # sideways way over the shot, as a share of the room that the zoom leaves
    sway: float = 0.0  # radians of roll, one swing in two bars
    exposure: float = 0.0  # brightness lift on accents; kept under a tenth, the WCAG 2.3.1 threshold of a flash


PRESETS = {
    "pulse": Preset(beat_zoom=0.035, downbeat_zoom=0.07, push=0.03, exposure=0.07),
    "drift": Preset(beat_zoom=0.008, downbeat_zoom=0.02, push=0.05, pan=0.8, exposure=0.03),
    "push": Preset(beat_zoom=0.02, downbeat_zoom=0.04, push=0.16, exposure=0.05),
    "pull": Preset(beat_zoom=0.02, downbeat_zoom=0.04, push=-0.16, exposure=0.05),
    "sway": Preset(beat_zoom=0.02, downbeat_zoom=0.05, push=0.02, sway=0.03, exposure=0.05),
    "still": Preset(),
}


@dataclass(frozen=True)
class Motion:
    """The movement of one shot, one value a frame."""

    walk: np.ndarray  # 0..1, place on the way from the shot's first noise and prompt to its last
    zoom: np.ndarray  # 1 and more
    pan: np.ndarray  # -1..1, left to right within the room that the zoom leaves
    roll: np.ndarray  # radians
    exposure: np.ndarray  # factor on the picture's brightness

    def __len__(self) -> int:
        return len(self.walk)


def plan_motion(timeline: Timeline, shot: Shot, fps: Fraction, walk: str = "onset") -> Motion:
    """The movement of a shot: `walk` is one of WALKS, the camera follows `shot.motion`, one of PRESETS."""
    if shot.motion not in PRESETS:
        raise ValueError(f"A shot asks for the motion '{shot.motion}', which does not exist; choose one of: {', '.join(PRESETS)}.")
    preset, frames = PRESETS[shot.motion], frame_span(shot, fps)
    times = np.array([float(frame / fps) for frame in frames])
    progress = np.linspace(0.0, 1.0, len(frames)) if len(frames) > 1 else np.zeros(len(frames))
    beat, downbeat = accents(timeline, fps, frames, downbeats=False), accents(timeline, fps, frames, downbeats=True)
    pulse = shot.strength * (preset.beat_zoom * beat + (preset.downbeat_zoom - preset.beat_zoom) * downbeat)
    push = abs(preset.push) * (progress if preset.push >= 0 else 1 - progress)
    direction = 1 if shot.seed % 2 else -1
    roll = direction * shot.strength * preset.sway * np.sin(np.pi * _bars(timeline, times))
    room = abs(preset.pan) * 0.12 + WIDEST * np.abs(roll)  # a panned or rolled picture must be larger than its frame
    return Motion(
        walk=_WALKS[walk](timeline, shot, fps),
        zoom=1.0 + push + pulse + room,
        pan=direction * preset.pan * (2 * progress - 1),
        roll=roll,
        exposure=1.0 + min(shot.strength, 1.3) * preset.exposure * np.maximum(downbeat, 0.5 * beat),
    )


def accents(timeline: Timeline, fps: Fraction, frames: range, downbeats: bool) -> np.ndarray:
    """How strongly each frame is accented, 0..1, shape [frames]: 1 on a beat, then falling away.

    Where the grid cannot be trusted, the onset curve stands in for beats, and there are no downbeats.
    """
    if timeline.beat_confidence < TRUSTED or not timeline.beats:
        return np.zeros(len(frames)) if downbeats else _sample(timeline, "onset", fps, frames)
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
    return _sample(timeline, name, fps, frames)


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


def _sample(timeline: Timeline, name: str, fps: Fraction, frames: range) -> np.ndarray:
    """A curve at each frame: its highest value within the frame's time, so that no attack is missed."""
    curve = timeline.curve(name)
    values = np.asarray(curve.values or (0.0,))
    edges = [round((frame - Fraction(1, 2)) / fps * Fraction(curve.rate)) for frame in range(frames.start, frames.stop + 1)]
    low = np.clip(edges[:-1], 0, len(values) - 1)
    high = np.maximum(np.clip(edges[1:], 1, len(values)), low + 1)
    return np.array([values[a:b].max() for a, b in zip(low, high, strict=True)])


def _walk_onset(timeline: Timeline, shot: Shot, fps: Fraction) -> np.ndarray:
    """Accumulated onset energy from cut to cut (the "onset spherical interpolation" of arXiv 2502.02610)."""
    energy = _sample(timeline, "onset", fps, frame_span(shot, fps))
    mean = energy.mean() if len(energy) else 0.0
    return _accumulate(energy + (IDLE_SHARE / (1 - IDLE_SHARE) * mean if mean > 0 else 1.0))


def _walk_beat(timeline: Timeline, shot: Shot, fps: Fraction) -> np.ndarray:
    """A step on every beat, at rest shortly before the next."""
    steps = accents(timeline, fps, frame_span(shot, fps), downbeats=False)
    return _accumulate(steps + 0.02)


def _walk_even(timeline: Timeline, shot: Shot, fps: Fraction) -> np.ndarray:
    return _accumulate(np.ones(len(frame_span(shot, fps))))


_WALKS = {"onset": _walk_onset, "beat": _walk_beat, "even": _walk_even}


def _accumulate(steps: np.ndarray) -> np.ndarray:
    """Steps into frames -> places on the way: 0 at the first frame, 1 at the last."""
    if len(steps) < 2:
        return np.zeros(len(steps))
    way = np.concatenate([[0.0], np.cumsum(steps[1:])])
    return way / way[-1] if way[-1] > 0 else np.linspace(0.0, 1.0, len(steps))


def _bars(timeline: Timeline, times: np.ndarray) -> np.ndarray:
    """The place of each time counted in bars, continuous; bars of two seconds where none are trusted."""
    downbeats = np.asarray(timeline.downbeats)
    if timeline.downbeat_confidence < TRUSTED or len(downbeats) < 2:
        return times / 2.0
    bar = float(np.median(np.diff(downbeats)))
    known = np.interp(times, downbeats, np.arange(len(downbeats), dtype=float))
    before, after = np.minimum(times - downbeats[0], 0), np.maximum(times - downbeats[-1], 0)
    return known + (before + after) / bar
