"""Shots become clips: a Timeline and a model -> one video file a shot.

An image model comes in as an `ImageModel`: its prompts, noise, sampling and decoding. A shot's way leads from one noise and
prompt to another, paced by the music (`drawing`). A `VideoModel` draws a shot as a whole (`video_shots`). Then the camera of
`motion` moves over the pictures. Frames stream: one batch, or one piece of a video, is in memory at a time. Knows nothing of ComfyUI.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..timeline import Shot, Timeline, TimelineError, frame_at, frame_span
from .camera import move_camera
from .clip_cache import ClipCache, clip_key
from .drawing import draw_pictures
from .flash_limit import FlashLimiter
from .frame_grid import Piece
from .given_curves import GivenCurves
from .motion import BY_STORYBOARD, Motion, plan_motion
from .speeds import WALKS
from .video_shots import VideoModel, describe_pieces, draw_video, plan_shot
from .work import ClipWork, tag_receipts, write_clip_work

if TYPE_CHECKING:
    import numpy as np
    import torch
    from typing_extensions import TypeIs

    from .video_file import VideoFileWriter

BY_WALK = ("walk", "prompt", "reach")  # what of a shot's motion only image models follow
RENDER_VERSION = 4  # part of every clip's key: raise it when the same settings give another picture


class ImageModel(Protocol):
    """What rendering needs of a model. Latents are float32 [frames, ...], pictures [frames, height, width, 3] in 0..1."""

    identity: str  # changes whenever the same noise and prompt would give another picture

    @property
    def evaluations(self) -> int:
        """Pictures run through the network so far; with and without the prompt are two."""
        ...

    def noise_shape(self, width: int, height: int) -> tuple[int, ...]:
        """The shape of one frame's latent; ValueError for a size that the model cannot make."""
        ...

    def batch_limit(self, width: int, height: int) -> int:
        """How many frames fit into memory at once, at least 1."""
        ...

    def encode_prompt(self, text: str) -> Any: ...

    def blend_prompts(self, first: Any, last: Any, weights: list[float]) -> Any:
        """One prompt a frame: `first` where the weight is 0, `last` where it is 1."""
        ...

    def sample(self, noise: torch.Tensor, prompt: Any, seed: int, on_step: Callable[[int, int, Any], None]) -> torch.Tensor: ...

    def step_count(self) -> int:
        """How many steps a picture takes; 0 where they cannot be taken in parts."""
        ...

    def sample_part(
        self, start: torch.Tensor, prompt: Any, seed: int, steps: range, on_step: Callable[[int, int, Any], None]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Some of the steps, from noise (at step 0) or from what an earlier part gave: the latents, and the picture seen in them."""
        ...

    def hold_to_first(self, shares: Sequence[float]) -> ImageModel:
        """The same model for one batch: each picture takes its share, 0..1, of its fine structure from the first one."""
        ...

    def decode(self, latents: torch.Tensor) -> torch.Tensor: ...

    def is_out_of_memory(self, error: BaseException) -> bool: ...


@dataclass(frozen=True)
class RenderSettings:
    width: int
    height: int
    fps: Fraction
    seed: int = 0  # added to every shot's own
    walk: str = "onset"  # one of speeds.WALKS
    walk_amount: float = 0.5  # how far the noise travels in a shot; 1: to an unrelated one
    batch_frames: int = 0  # frames sampled at once; 0: as many as fit
    first_shot: int = 1
    last_shot: int = 0  # 0: to the end
    shared_steps: float = 0.9  # of the steps that neighbouring frames of a shot share; 0: every frame is drawn alone
    steadiness: float = 0.0  # of the fine structure that stays where it is within a shot
    receipts: tuple[str, ...] = ()  # ids of the consents behind the model; every clip names them, so that it can be found and deleted
    movement: str = BY_STORYBOARD  # or one of motion.MOVEMENTS, which goes before `walk` and the shots' own
    given: GivenCurves = GivenCurves()  # curves from outside, which go before both
    anchor_attention: float = 0.0  # of what a frame's self-attention finds, taken from the shot's first picture


@dataclass(frozen=True)
class Clip:
    number: int  # of its shot, from 1
    path: Path
    frames: int


@dataclass(frozen=True)
class Progress:
    """Where a render is; `done` and `total` count frames, finished clips left out."""

    done: float
    total: int
    shot: int
    latents: Any = None  # what the sampler has so far, after a step
    frame: np.ndarray | None = None  # the newest finished frame, uint8 [height, width, 3], after a batch


@dataclass(frozen=True)
class _Job:
    number: int
    shot: Shot
    motion: Motion
    model: ImageModel | VideoModel
    key: str
    pieces: tuple[Piece, ...] = ()  # that a video model draws


def render_shots(
    timeline: Timeline,
    settings: RenderSettings,
    model: ImageModel | VideoModel,
    cache: ClipCache,
    on_progress: Callable[[Progress], None],
    model_for: Callable[[Shot], ImageModel | VideoModel] | None = None,
) -> list[Clip]:
    """Renders the shots asked for, reusing finished clips, in the order of the film; `model_for` may name another model for a shot.

    Whatever `on_progress` raises (an interrupt) leaves finished clips as they are and nothing half-written.
    """
    if _is_video(model):
        model.check_size(settings.width, settings.height)
    else:
        model.noise_shape(settings.width, settings.height)
    jobs = _plan_jobs(timeline, settings, model_for or (lambda _shot: model))
    cache.prepare()
    waiting = [job for job in jobs if cache.find(job.key) is None]
    total, done, furthest = sum(len(job.motion) for job in waiting), 0, 0.0
    for job in waiting:

        def report(frames: float, latents: Any, frame: np.ndarray | None = None, job: _Job = job, before: int = done) -> None:
            nonlocal furthest  # frames are drawn in part before the first is finished
            furthest = max(furthest, before + frames)
            on_progress(Progress(furthest, total, job.number, latents, frame))

        _render_clip(job, settings, cache, report)
        done += len(job.motion)
    on_progress(Progress(total, total, jobs[-1].number))
    return [Clip(job.number, cache.path(job.key), len(job.motion)) for job in jobs]


def _is_video(model: ImageModel | VideoModel) -> TypeIs[VideoModel]:
    return hasattr(model, "grid")


def _plan_jobs(timeline: Timeline, settings: RenderSettings, model_for: Callable[[Shot], ImageModel | VideoModel]) -> list[_Job]:
    if settings.walk not in WALKS:
        raise ValueError(f"There is no walk '{settings.walk}'; choose one of: {', '.join(WALKS)}.")
    settings.given.check(frame_at(timeline.duration, settings.fps), settings.fps)
    jobs = []
    for number, shot in _chosen_shots(timeline, settings):
        if len(frame_span(shot, settings.fps)) == 0:
            raise TimelineError(
                f"Shot {number} ({shot.start:.3f} to {shot.end:.3f} s) is shorter than a frame "
                f"at {float(settings.fps):g} frames per second; lengthen it in the plan or raise the frame rate."
            )
        motion, model = plan_motion(timeline, shot, settings.fps, settings.walk, settings.movement, settings.given), model_for(shot)
        if _is_video(model):
            pieces = plan_shot(timeline, shot, settings, model)
            looks = {"video": describe_pieces(pieces, shot, number, settings, model)}
        else:
            pieces, looks = (), _looks(shot, settings)
        jobs.append(_Job(number, shot, motion, model, _key(shot, motion, settings, model.identity, looks), pieces))
    return jobs


def _chosen_shots(timeline: Timeline, settings: RenderSettings) -> list[tuple[int, Shot]]:
    count = len(timeline.shots)
    if count == 0:
        raise TimelineError("The timeline has no shots yet; put Storyboard Writer between Audio Beat Analyzer and this node.")
    last = settings.last_shot or count
    if not 1 <= settings.first_shot <= last <= count:
        raise ValueError(
            f"Shots {settings.first_shot} to {last} are asked for, but the film has shots 1 to {count}; correct first_shot and last_shot."
        )
    return list(enumerate(timeline.shots, start=1))[settings.first_shot - 1 : last]


def _key(shot: Shot, motion: Motion, settings: RenderSettings, identity: str, looks: dict[str, Any]) -> str:
    """Everything that shapes a clip. The music is in the motion: an edit elsewhere in the song keeps the clip."""
    consents = {"receipts": settings.receipts} if settings.receipts else {}
    moves = motion.to_numbers()
    if "video" in looks:  # a video model moves by itself
        moves = {name: values for name, values in moves.items() if name not in BY_WALK}
    return clip_key(
        consents
        | looks
        | {
            "version": RENDER_VERSION,
            "model": identity,
            "prompts": [shot.prompt, shot.end_prompt],
            "seed": _seed(shot, settings),
            "size": [settings.width, settings.height],
            "fps": str(settings.fps),
            "motion": moves,
        }
    )


def _looks(shot: Shot, settings: RenderSettings) -> dict[str, Any]:
    """What shapes the pictures of an image model alone."""
    anchored = {"anchor_attention": settings.anchor_attention} if settings.anchor_attention > 0 else {}  # other clips keep their names
    return anchored | {
        "walk_amount": settings.walk_amount,
        "strength": shot.strength,
        "sharing": [settings.shared_steps, settings.steadiness],
        "batch_frames": settings.batch_frames,
    }


def _seed(shot: Shot, settings: RenderSettings) -> int:
    return (shot.seed + settings.seed) % 2**63


def _draw(job: _Job, settings: RenderSettings, report: Callable[..., None]) -> Iterator[tuple[int, torch.Tensor]]:
    seed = _seed(job.shot, settings)
    if _is_video(job.model):
        return draw_video(job.shot, job.number, job.pieces, settings, job.model, seed, report)
    return draw_pictures(job.shot, job.motion, settings, job.model, seed, report)


def _render_clip(job: _Job, settings: RenderSettings, cache: ClipCache, report: Callable[..., None]) -> None:
    """The camera moves over one batch and encodes it while the model draws the next; an error there stops the drawing at the next batch."""
    from concurrent.futures import ThreadPoolExecutor

    from .video_file import CLIP, VideoFileWriter

    path, begun, before = cache.path(job.key), time.monotonic(), job.model.evaluations
    file = VideoFileWriter(path, settings.width, settings.height, settings.fps, CLIP, metadata=tag_receipts(settings.receipts))
    limiter = FlashLimiter(settings.fps)
    with file, ThreadPoolExecutor(1, "clip") as camera:
        filmed = None
        for start, pictures in _draw(job, settings, report):
            if filmed is not None:
                report(start + len(pictures), None, filmed.result())
            filmed = camera.submit(_film, file, limiter, pictures, job.motion, start)
        if filmed is not None:
            report(len(job.motion), None, filmed.result())
        write_clip_work(path, ClipWork(job.model.evaluations - before, time.monotonic() - begun))


def _film(file: VideoFileWriter, limiter: FlashLimiter, pictures: torch.Tensor, motion: Motion, start: int) -> np.ndarray:
    """Writes a batch as the camera sees it, flashes held back, and returns its last frame."""
    shown = [limiter.show(frame) for frame in move_camera(pictures, motion, start)]
    for frame in shown:
        file.write(frame)
    return shown[-1]
