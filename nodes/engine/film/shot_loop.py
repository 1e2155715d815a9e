"""A Timeline's shots, one by one, for drawing with nodes of the user's own: what each shot needs, and its frames -> one clip file.

Frames come back at any rate and in any number; the clip has exactly the frames that its shot owns on the film's grid.
One shot is planned at a time and one frame written at a time. Knows nothing of models or ComfyUI.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from pathlib import Path

import numpy as np

from ..timeline import Shot, Timeline, TimelineError, frame_span
from .clip_source import SHORT_CLIPS, Clip, frames_on_grid, is_short
from .frame_grid import next_length
from .video_file import CLIP, VideoFileWriter
from .work import tag_receipts

# The lengths that video models make, as step and first: Wan and Hunyuan 4n+1, LTX 8n+1 (ComfyUI's nodes_wan.py and nodes_lt.py).
FRAME_GRIDS = {"any": (1, 1), "4n+1": (4, 1), "8n+1": (8, 1), "17k+5": (17, 5)}


@dataclass(frozen=True)
class LoopSettings:
    fps: Fraction  # of the film
    model_fps: Fraction = Fraction(0)  # what the nodes make; 0: as the film
    frame_grid: str = "any"  # one of FRAME_GRIDS
    seed: int = 0  # added to every shot's own
    first_shot: int = 1
    last_shot: int = 0  # 0: to the end


@dataclass(frozen=True)
class LoopShot:
    """What the nodes between start and end need to know of a shot."""

    number: int  # from 1
    prompt: str
    end_prompt: str  # what it turns into; the prompt itself where it stays as it is
    seed: int
    start: float  # of its first frame
    frames: int  # that it owns on the film's grid
    length: int  # frames that the nodes should make: as long at their own rate, and a number that the model can do
    seconds: float  # of `length` frames
    keyframe: str = ""  # SHA-256 of the picture that it begins with, where there is one
    sound: str = ""  # SHA-256 of what is heard, where the song is there


@dataclass(frozen=True)
class ShotLoop:
    fps: Fraction
    model_fps: Fraction
    shots: tuple[LoopShot, ...]


def plan_loop(timeline: Timeline, settings: LoopSettings) -> ShotLoop:
    """The shots asked for; TimelineError or ValueError, in one sentence, where there are none such."""
    model_fps = settings.model_fps or settings.fps
    shots = [_plan_shot(number, shot, settings, model_fps) for number, shot in _choose_shots(timeline, settings)]
    return ShotLoop(settings.fps, model_fps, tuple(shots))


def _choose_shots(timeline: Timeline, settings: LoopSettings) -> list[tuple[int, Shot]]:
    count = len(timeline.shots)
    if count == 0:
        raise TimelineError("The timeline has no shots yet; put Storyboard Writer between Audio Beat Analyzer and this node.")
    first, last = settings.first_shot, settings.last_shot or count
    if not 1 <= first <= last <= count:
        raise ValueError(f"Shots {first} to {last} are asked for, but the film has shots 1 to {count}; correct first_shot and last_shot.")
    return list(enumerate(timeline.shots, start=1))[first - 1 : last]


def _plan_shot(number: int, shot: Shot, settings: LoopSettings, model_fps: Fraction) -> LoopShot:
    span = frame_span(shot, settings.fps)
    if len(span) == 0:
        raise TimelineError(
            f"Shot {number} ({shot.start:.3f} to {shot.end:.3f} s) is shorter than a frame "
            f"at {float(settings.fps):g} frames per second; lengthen it in the plan or raise the frame rate."
        )
    length = round_up(ceil(len(span) * model_fps / settings.fps), settings.frame_grid)
    return LoopShot(
        number,
        shot.prompt,
        shot.end_prompt or shot.prompt,
        (shot.seed + settings.seed) % 2**63,
        float(span.start / settings.fps),
        len(span),
        length,
        float(length / model_fps),
    )


def round_up(frames: int, frame_grid: str) -> int:
    """The smallest number of frames on the grid that is not below `frames`."""
    return next_length(frames, *FRAME_GRIDS[frame_grid])


def cut_sound(samples: np.ndarray, rate: int, begin: float, seconds: float) -> np.ndarray:
    """What is heard for so many seconds from `begin` on: [channels, samples], silent beyond the song's end."""
    start, count = round(begin * rate), max(1, round(seconds * rate))
    part = samples[:, start : start + count]
    return np.pad(part, ((0, 0), (0, count - part.shape[1])))


def write_clip(
    path: Path, source: Clip, loop: ShotLoop, shot: LoopShot, short_clips: str, receipts: tuple[str, ...], on_frame: Callable[[], None]
) -> None:
    """Writes the frames that were made for a shot as its clip, trimmed or filled to its exact length.

    `receipts` are the consents behind the frames: the file names them, so that it can be found and deleted. Whatever
    `on_frame` raises leaves nothing under `path`. ValueError for too few frames where `short_clips` says stop.
    """
    if short_clips == "stop" and is_short(source, shot.frames, loop.fps):
        raise ValueError(_short_sentence(source, loop, shot))
    facts = source.facts
    size = facts.width - facts.width % 2, facts.height - facts.height % 2  # video needs even sizes
    with VideoFileWriter(path, *size, loop.fps, CLIP, metadata=tag_receipts(receipts)) as file:
        for frame in frames_on_grid(source, shot.frames, 0, 0, loop.fps, size, short_clips):
            on_frame()
            file.write(frame)


def _short_sentence(source: Clip, loop: ShotLoop, shot: LoopShot) -> str:
    facts = source.facts
    return (
        f"Shot {shot.number} needs {float(shot.frames / loop.fps):.2f} s, but {facts.frames} frames came for it, which last "
        f"{facts.duration:.2f} s; connect 'frames' of Shot Loop Start to the node that sets the length ({shot.length} here), "
        f"or choose {', '.join(SHORT_CLIPS[1:-1])} or {SHORT_CLIPS[-1]} for short clips."
    )
