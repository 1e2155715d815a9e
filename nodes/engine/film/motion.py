"""How a shot moves with the music: a Timeline, a frame rate and a movement -> one value a frame.

Every array has the shape [frames] and starts at the shot's first frame on the film's global grid. A movement is a camera
and what drives the change of the picture, by name for the whole film or as each shot says; curves from outside may take
the place of any part of it. Knows nothing of models or pictures; `render` applies what is planned here.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from fractions import Fraction

import numpy as np

from ..timeline import Shot, Timeline, frame_span
from .flash_limit import limit_exposure
from .frame_curves import accents, count_bars
from .given_curves import GivenCurves
from .speeds import plan_walk, walk_by_speed

WIDEST = 2.4  # the film's sides may be in this proportion before a rolled picture shows its mirrored border
BY_STORYBOARD = "storyboard"  # the movement that leaves each shot its own


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
class Movement:
    """What every shot of a film does."""

    camera: Preset
    walk: str  # one of speeds.WALKS
    follow: float | None = None  # share of the change that the music drives; None: as is usual for the walk
    reach: float = 1.0  # factor on how far the picture changes


MOVEMENTS = {
    "pulse": Movement(PRESETS["pulse"], "onset", follow=0.9),
    "drift": Movement(PRESETS["drift"], "onset", follow=0.5),
    "cut hard": Movement(PRESETS["still"], "jump", follow=0.95, reach=3.0),
    "dream": Movement(Preset(push=0.08, pan=0.5, sway=0.012), "flow"),
}


@dataclass(frozen=True)
class Motion:
    """The movement of one shot, one value a frame."""

    walk: np.ndarray  # 0..1, place on the way from the shot's first noise and prompt to its last
    zoom: np.ndarray  # 1 and more
    pan: np.ndarray  # -1..1, left to right within the room that the zoom leaves
    roll: np.ndarray  # radians
    exposure: np.ndarray  # factor on the picture's brightness
    prompt: np.ndarray | None = None  # 0..1, weight of the last prompt where it does not follow the walk
    reach: float = 1.0  # factor on how far the noise travels in the shot

    def __len__(self) -> int:
        return len(self.walk)

    @property
    def way(self) -> np.ndarray:
        """Places 0..1 that rise with every change of the picture: the walk, unless the prompt goes its own way."""
        if self.prompt is None:
            return self.walk
        passed = np.cumsum(np.abs(np.diff(self.walk, prepend=self.walk[:1])) + np.abs(np.diff(self.prompt, prepend=self.prompt[:1])))
        return passed / passed[-1] if len(passed) and passed[-1] > 0 else passed

    @property
    def turns(self) -> np.ndarray | None:
        """Places of the way where the prompt turns back or stops; None where it follows the walk."""
        if self.prompt is None:
            return None
        direction = np.sign(np.diff(self.prompt))
        return self.way[1:-1][direction[1:] != direction[:-1]]

    def walk_on(self, places: np.ndarray) -> np.ndarray:
        """The walk at places of the way."""
        return places if self.prompt is None else np.interp(places, self.way, self.walk)

    def prompt_on(self, places: np.ndarray) -> np.ndarray:
        """The weight of the last prompt at places of the way."""
        return places if self.prompt is None else np.interp(places, self.way, self.prompt)

    def to_numbers(self) -> dict[str, list[float] | float]:
        """Everything that is planned, as plain numbers."""
        return {name: np.round(values, 6).tolist() for name, values in asdict(self).items() if values is not None}


def plan_motion(
    timeline: Timeline, shot: Shot, fps: Fraction, walk: str = "onset", movement: str = BY_STORYBOARD, given: GivenCurves | None = None
) -> Motion:
    """The movement of a shot: the camera follows `shot.motion`, one of PRESETS, and `walk`, one of WALKS, drives the change,
    unless `movement` names one of MOVEMENTS. Curves that are given go before both."""
    plan = _choose_movement(shot, walk, movement)
    preset, frames, given = plan.camera, frame_span(shot, fps), given or GivenCurves()
    times = np.array([float(frame / fps) for frame in frames])
    progress = np.linspace(0.0, 1.0, len(frames)) if len(frames) > 1 else np.zeros(len(frames))
    beat, downbeat = accents(timeline, fps, frames, downbeats=False), accents(timeline, fps, frames, downbeats=True)
    pulse = shot.strength * (preset.beat_zoom * beat + (preset.downbeat_zoom - preset.beat_zoom) * downbeat)
    push = abs(preset.push) * (progress if preset.push >= 0 else 1 - progress)
    direction = 1 if shot.seed % 2 else -1
    roll = direction * shot.strength * preset.sway * np.sin(np.pi * count_bars(timeline, times))
    room = abs(preset.pan) * 0.12 + WIDEST * np.abs(roll)  # a panned or rolled picture must be larger than its frame
    lift = min(shot.strength, 1.3) * preset.exposure * np.maximum(downbeat, 0.5 * beat)
    return Motion(
        walk=walk_by_speed(given.walk_at(frames)) if given.walk else plan_walk(timeline, shot, fps, plan.walk, plan.follow),
        zoom=1.0 + room + (given.zoom_at(frames) if given.zoom else push + pulse),
        pan=direction * preset.pan * (2 * progress - 1),
        roll=roll,
        exposure=limit_exposure(1.0 + (given.exposure_at(frames) if given.exposure else lift), fps),
        prompt=given.prompt_at(frames) if given.prompt else None,
        reach=plan.reach,
    )


def _choose_movement(shot: Shot, walk: str, movement: str) -> Movement:
    if movement in MOVEMENTS:
        return MOVEMENTS[movement]
    if movement != BY_STORYBOARD:
        raise ValueError(f"There is no movement '{movement}'; choose one of: {', '.join([BY_STORYBOARD, *MOVEMENTS])}.")
    if shot.motion not in PRESETS:
        raise ValueError(f"A shot asks for the motion '{shot.motion}', which does not exist; choose one of: {', '.join(PRESETS)}.")
    return Movement(PRESETS[shot.motion], walk)
