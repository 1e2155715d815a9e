"""One shot's pictures from a video model: piece by piece on the model's frame grid, frame by frame on the film's.

In: a shot, its pieces (`frame_grid`), the settings and a `VideoModel`. Out: batches of pictures in order, before the camera moves over
them. One piece is in memory at a time. A piece goes on from the pictures before it where the model can, else from the same noise.
Knows nothing of ComfyUI, files or the order of shots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..timeline import Shot, Timeline, frame_at, frame_span
from .frame_curves import TRUSTED
from .frame_grid import FrameGrid, Piece, plan_pieces

if TYPE_CHECKING:
    import torch

    from .render import RenderSettings

BATCH = 16  # frames that are handed to the camera at once


@dataclass(frozen=True)
class VideoRequest:
    """What a video model is asked for: `length` pictures of width x height."""

    shot: int  # its number, from 1
    prompt: str
    seed: int
    length: int  # on the model's grid
    width: int
    height: int
    begin: float  # seconds of the song at the first picture
    seconds: float  # that the pictures last
    before: torch.Tensor | None  # the pictures that these go on from, [up to `memory`, height, width, 3]; None: a shot begins


class VideoModel(Protocol):
    """What rendering needs of a video model. Pictures are float32 [frames, height, width, 3] in 0..1."""

    identity: str  # changes whenever the same request would give other pictures
    grid: FrameGrid
    memory: int  # how many pictures of what came before it wants to see when a shot goes on; 0: none
    continues: bool  # its first picture is the last one of those

    @property
    def evaluations(self) -> int:
        """Latents run through the network so far, each a whole piece; with and without the prompt are two."""
        ...

    def check_size(self, width: int, height: int) -> None:
        """ValueError for a size that the model cannot make."""
        ...

    def latent_shape(self, length: int, width: int, height: int) -> tuple[int, ...]:
        """The shape of the noise, [latent frames, channels, height, width]."""
        ...

    def describe_material(self, shot: int, begin: float, seconds: float) -> list[str]:
        """Hashes of the picture and the sound that the shot is drawn with; ValueError where the model lacks one."""
        ...

    def draw(self, request: VideoRequest, noise: torch.Tensor, on_step: Callable[[int, int, Any], None]) -> torch.Tensor: ...

    def is_out_of_memory(self, error: BaseException) -> bool: ...


def plan_shot(timeline: Timeline, shot: Shot, settings: RenderSettings, model: VideoModel) -> tuple[Piece, ...]:
    """The pieces of a shot, parted on beats that can be trusted; `batch_frames` limits how long they are."""
    span = frame_span(shot, settings.fps)
    trusted = timeline.beats if timeline.beat_confidence >= TRUSTED else ()
    beats = [frame_at(beat.time, settings.fps) - span.start for beat in trusted]
    return plan_pieces(len(span), settings.fps, model.grid.limited(settings.batch_frames), beats, model.continues)


def describe_pieces(pieces: Sequence[Piece], shot: Shot, number: int, settings: RenderSettings, model: VideoModel) -> list[Any]:
    """All that shapes the pictures beside the prompt and the seed, as plain values for the clip's name."""
    seconds = float(len(frame_span(shot, settings.fps)) / settings.fps)
    begin = float(frame_span(shot, settings.fps).start / settings.fps)
    drawn = [[piece.start, piece.stop, piece.length, str(model.grid.fps)] for piece in pieces]
    return [drawn, model.describe_material(number, begin, seconds)]


def draw_video(
    shot: Shot, number: int, pieces: Sequence[Piece], settings: RenderSettings, model: VideoModel, seed: int, report: Callable[..., None]
) -> Iterator[tuple[int, torch.Tensor]]:
    """Pictures [frames, height, width, 3] and the place of their first in the shot."""
    before: torch.Tensor | None = None
    for piece in pieces:
        prompt = _prompt(shot, last=piece is pieces[-1])
        request = _request(shot, number, piece, prompt, settings, model, seed, before)
        pictures = _draw(request, model, lambda share, latents, piece=piece: report(piece.start + share * len(piece.shown), latents))
        if model.memory:
            shown = piece.shown[-1] + 1
            before = pictures[max(0, shown - model.memory) : shown].clone()  # a view would keep the whole piece in memory
        for start in range(0, len(piece.shown), BATCH):
            yield piece.start + start, pictures[list(piece.shown[start : start + BATCH])]
        del pictures


def _prompt(shot: Shot, last: bool) -> str:
    """A video model shows a change when it is told of it; the last piece of a shot is where it ends."""
    return f"{shot.prompt}, turning into {shot.end_prompt}" if shot.end_prompt and last else shot.prompt


def _request(
    shot: Shot, number: int, piece: Piece, prompt: str, settings: RenderSettings, model: VideoModel, seed: int, before: torch.Tensor | None
) -> VideoRequest:
    fps = settings.fps
    first = frame_span(shot, fps).start + piece.start - (1 if before is not None and model.continues else 0)
    seconds = float(piece.length / (model.grid.fps or fps))
    return VideoRequest(number, prompt, seed, piece.length, settings.width, settings.height, float(first / fps), seconds, before)


def _draw(request: VideoRequest, model: VideoModel, on_share: Callable[[float, Any], None]) -> torch.Tensor:
    noise = family_noise(model.latent_shape(request.length, request.width, request.height), request.seed)
    try:
        return model.draw(request, noise, lambda step, steps, latents: on_share((step + 1) / steps, latents))
    except Exception as error:
        if not model.is_out_of_memory(error):
            raise
        size = f"{request.length} frames of {request.width}x{request.height}"
        raise MemoryError(f"{size} do not fit into memory at once; choose a smaller size, or fewer batch_frames.") from error


def family_noise(shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """Standard normal noise [frames, ...]; a longer one of the same seed begins with the shorter, so that pieces of a shot are kin."""
    import torch

    generator = torch.Generator("cpu").manual_seed(seed % 2**63)
    return torch.stack([torch.randn(shape[1:], generator=generator, device="cpu") for _ in range(shape[0])])
