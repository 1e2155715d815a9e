"""Shots become clips: a Timeline and an image model -> one video file a shot.

The model comes in as an `ImageModel`: its prompts, noise, sampling and decoding. A shot's way leads from one noise and
prompt to another, paced by the music (`drawing`); then the camera of `motion` moves over the pictures. Frames stream: one
batch is in memory at a time. Knows nothing of ComfyUI.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..timeline import Shot, Timeline, TimelineError, frame_at, frame_span
from .clip_cache import ClipCache, clip_key
from .drawing import draw_pictures
from .flash_limit import FlashLimiter
from .given_curves import GivenCurves
from .motion import BY_STORYBOARD, Motion, plan_motion
from .speeds import WALKS

if TYPE_CHECKING:
    import numpy as np
    import torch

    from .video_file import VideoFileWriter

RENDER_VERSION = 4  # part of every clip's key: raise it when the same settings give another picture


class ImageModel(Protocol):
    """What rendering needs of a model. Latents are float32 [frames, ...], pictures [frames, height, width, 3] in 0..1."""

    identity: str  # changes whenever the same noise and prompt would give another picture

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
    model: ImageModel
    key: str


def render_shots(
    timeline: Timeline,
    settings: RenderSettings,
    model: ImageModel,
    cache: ClipCache,
    on_progress: Callable[[Progress], None],
    model_for: Callable[[Shot], ImageModel] | None = None,
) -> list[Clip]:
    """Renders the shots asked for, reusing finished clips, in the order of the film; `model_for` may name another model for a shot.

    Whatever `on_progress` raises (an interrupt) leaves finished clips as they are and nothing half-written.
    """
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


def _plan_jobs(timeline: Timeline, settings: RenderSettings, model_for: Callable[[Shot], ImageModel]) -> list[_Job]:
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
        motion = plan_motion(timeline, shot, settings.fps, settings.walk, settings.movement, settings.given)
        model = model_for(shot)
        jobs.append(_Job(number, shot, motion, model, _key(shot, motion, settings, model.identity)))
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


def _key(shot: Shot, motion: Motion, settings: RenderSettings, identity: str) -> str:
    """Everything that shapes a clip. The music is in the motion: an edit elsewhere in the song keeps the clip."""
    given: dict[str, Any] = {"receipts": settings.receipts} if settings.receipts else {}
    if settings.anchor_attention > 0:  # no part of other clips' keys, which keep their names
        given["anchor_attention"] = settings.anchor_attention
    return clip_key(
        given
        | {
            "version": RENDER_VERSION,
            "model": identity,
            "prompts": [shot.prompt, shot.end_prompt],
            "seed": _seed(shot, settings),
            "size": [settings.width, settings.height],
            "fps": str(settings.fps),
            "walk_amount": settings.walk_amount,
            "strength": shot.strength,
            "sharing": [settings.shared_steps, settings.steadiness],
            "batch_frames": settings.batch_frames,
            "motion": motion.to_numbers(),
        }
    )


def _seed(shot: Shot, settings: RenderSettings) -> int:
    return (shot.seed + settings.seed) % 2**63


def _render_clip(job: _Job, settings: RenderSettings, cache: ClipCache, report: Callable[..., None]) -> None:
    """The camera moves over one batch and encodes it while the model draws the next; an error there stops the drawing at the next batch."""
    from concurrent.futures import ThreadPoolExecutor

    from .video_file import CLIP, VideoFileWriter

    tags = {"comment": "consent " + " ".join(settings.receipts)} if settings.receipts else {}
    file = VideoFileWriter(cache.path(job.key), settings.width, settings.height, settings.fps, CLIP, metadata=tags)
    limiter = FlashLimiter(settings.fps)
    with file, ThreadPoolExecutor(1, "clip") as camera:
        filmed = None
        for start, pictures in draw_pictures(job.shot, job.motion, settings, job.model, _seed(job.shot, settings), report):
            if filmed is not None:
                report(start + len(pictures), None, filmed.result())
            filmed = camera.submit(_film, file, limiter, pictures, job.motion, start)
        if filmed is not None:
            report(len(job.motion), None, filmed.result())


def _film(file: VideoFileWriter, limiter: FlashLimiter, pictures: torch.Tensor, motion: Motion, start: int) -> np.ndarray:
    """Writes a batch as the camera sees it, flashes held back, and returns its last frame."""
    shown = [limiter.show(frame) for frame in move_camera(pictures, motion, start)]
    for frame in shown:
        file.write(frame)
    return shown[-1]


def move_camera(pictures: torch.Tensor, motion: Motion, start: int) -> np.ndarray:
    """Zoom, pan, roll and exposure on pictures [frames, height, width, 3] in 0..1 -> uint8 array of that shape.

    `start` is the place of the first picture in the shot. The sampling positions are those of the camera, so
    a zoom of 2 reads the middle half of the picture.
    """
    import cv2
    import numpy as np

    count, height, width = (int(size) for size in pictures.shape[:3])
    part = slice(start, start + count)
    frames = np.nan_to_num(pictures.float().cpu().numpy())  # a new array: what the model gave stays as it was
    if np.any(motion.zoom[part] != 1) or np.any(motion.roll[part] != 0):
        how = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        for frame, view in zip(frames, to_pixels(camera_views(motion, part, width / height), width, height), strict=True):
            frame[:] = cv2.warpAffine(frame, view, (width, height), flags=how, borderMode=cv2.BORDER_REFLECT)
    frames *= motion.exposure[part].astype(np.float32).reshape(-1, 1, 1, 1) * 255
    return np.clip(frames + 0.5, 0, 255, out=frames).astype(np.uint8)


def camera_views(motion: Motion, part: slice, aspect: float) -> np.ndarray:
    """Where the corners of each frame lie in its picture, as matrices [frames, 2, 3] on coordinates -1..1.

    `aspect` is width over height: a roll must turn in pixels, not in those coordinates.
    """
    import numpy as np

    zoom, roll, pan = motion.zoom[part], motion.roll[part], motion.pan[part]
    views = np.zeros((len(zoom), 2, 3), dtype=np.float32)
    views[:, 0, 0] = views[:, 1, 1] = np.cos(roll) / zoom
    views[:, 0, 1], views[:, 1, 0] = -np.sin(roll) / zoom / aspect, np.sin(roll) / zoom * aspect
    views[:, 0, 2] = pan * (1 - 1 / zoom)
    return views


def to_pixels(views: np.ndarray, width: int, height: int) -> np.ndarray:
    """`camera_views` for pixel centres counted from the upper left one, float64 [frames, 2, 3]."""
    import numpy as np

    half = np.array([width / 2, height / 2])
    centre = half - 0.5
    turned = views[:, :, :2] * half[:, None] / half
    shifts = centre + views[:, :, 2] * half - turned @ centre
    return np.concatenate([turned, shifts[:, :, None]], axis=2).astype(np.float64)
