"""Our socket types, and the only place where ComfyUI's AUDIO and IMAGE become arrays and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from comfy_api.latest import io

from .engine.timeline import Timeline

if TYPE_CHECKING:
    import torch


@io.comfytype(io_type="MUSIC_VIDEO_TIMELINE")
class TimelineSocket(io.ComfyTypeIO):
    Type = Timeline


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


def to_image(frames: np.ndarray) -> torch.Tensor:
    """uint8 frames [n, height, width, 3] or one frame [height, width, 3] as an IMAGE in 0..1."""
    import torch

    batch = frames if frames.ndim == 4 else frames[None]
    return torch.from_numpy(batch.astype(np.float32) / 255.0)


def from_image(image: torch.Tensor) -> np.ndarray:
    """An IMAGE as uint8 frames [n, height, width, 3]; transparency is laid on black."""
    batch = image.detach().float().cpu()
    if batch.ndim == 3:
        batch = batch[None]
    if batch.shape[-1] == 4:
        batch = batch[..., :3] * batch[..., 3:]
    return (batch.nan_to_num().clamp(0, 1) * 255 + 0.5).byte().numpy()
