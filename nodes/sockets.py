"""Our socket types, and the only place where ComfyUI's AUDIO and IMAGE become arrays and back."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from comfy_api.latest import Input, InputImpl, io

from .engine.film.clip_source import Clip, FileClip, PictureClip
from .engine.film.shot_loop import ShotLoop
from .engine.film.sound_sync import SoundBlock, read_sound
from .engine.film.video_frames import probe_video
from .engine.film.work import FilmWork, read_work
from .engine.person.dataset import FaceDataset
from .engine.timeline import Timeline

if TYPE_CHECKING:
    import torch


WORK = "music_video_work"  # on a VIDEO: what drawing it took


@io.comfytype(io_type="MUSIC_VIDEO_TIMELINE")
class TimelineSocket(io.ComfyTypeIO):
    Type = Timeline


@io.comfytype(io_type="MUSIC_VIDEO_FACE_DATASET")
class FaceDatasetSocket(io.ComfyTypeIO):
    Type = FaceDataset


@io.comfytype(io_type="MUSIC_VIDEO_SHOT_LOOP")
class ShotLoopSocket(io.ComfyTypeIO):
    Type = ShotLoop


def read_audio(audio: dict[str, Any] | None) -> tuple[np.ndarray, int]:
    """The first song of an AUDIO: float32 samples [channels, samples] and the rate in Hz.

    ValueError for the AUDIO of a video without sound, an empty batch or no samples.
    """
    if audio is None:
        raise ValueError("There is no sound: the audio input came from a video without a sound track. Connect a song.")
    waveform = audio["waveform"]
    if waveform.ndim != 3 or 0 in waveform.shape:
        raise ValueError(f"The audio is empty (its shape is {list(waveform.shape)}). Connect a song with sound in it.")
    return waveform[0].detach().cpu().float().numpy(), int(audio["sample_rate"])


def to_audio(samples: np.ndarray, rate: int) -> dict[str, Any]:
    """Samples [channels, samples] as core's AUDIO."""
    import torch

    return {"waveform": torch.from_numpy(np.ascontiguousarray(samples))[None], "sample_rate": rate}


def to_image(frames: np.ndarray) -> torch.Tensor:
    """uint8 frames [n, height, width, 3] or one frame [height, width, 3] as an IMAGE in 0..1."""
    import torch

    batch = frames if frames.ndim == 4 else frames[None]
    return torch.from_numpy(batch.astype(np.float32) / 255.0)


def read_clip(value: Input.Video | torch.Tensor, picture_fps: Fraction) -> Clip:
    """A VIDEO, or an IMAGE batch that plays at `picture_fps`, as a clip; a file is only opened when its frames are wanted."""
    if isinstance(value, InputImpl.VideoFromComponents):
        components = value.get_components()
        return PictureClip(components.images.cpu().float().numpy(), Fraction(components.frame_rate))
    if isinstance(value, Input.Video):
        return FileClip(value.get_stream_source(), *value.get_active_trim_window())
    if value is None or value.ndim != 4 or 0 in value.shape:
        raise ValueError("One of the clips is empty; connect clips that have at least one frame.")
    if not picture_fps:
        raise ValueError("Pictures have no frame rate of their own; set fps to the one that they play at.")
    return PictureClip(value.detach().cpu().float().numpy(), picture_fps)


def to_film(path: Path, work: FilmWork) -> Input.Video:
    """A finished film as a VIDEO that knows, as long as this process lives, what its drawing took."""
    video = InputImpl.VideoFromFile(str(path))
    setattr(video, WORK, work if work.known else None)
    return video


def film_work(video: Input.Video) -> FilmWork | None:
    """What drawing a film took: as Video Assembler left it, else as its file tells, which knows no seconds."""
    return getattr(video, WORK, None) or read_work(read_clip(video, Fraction(0)))


def read_film_sound(video: Input.Video) -> Iterable[SoundBlock] | None:
    """The sound of a VIDEO piece by piece, its time counted from the first frame; None where it has none."""
    if isinstance(video, InputImpl.VideoFromComponents):
        audio = video.get_components().audio
        return None if audio is None else [SoundBlock(0.0, *read_audio(dict(audio)))]
    source, window = video.get_stream_source(), video.get_active_trim_window()
    return read_sound(source, *window) if probe_video(source).has_sound else None
