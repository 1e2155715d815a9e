"""What Beat-Synced Sampler shows while it draws: the bar, a live preview, and the time that is left."""

from __future__ import annotations

import time
from typing import Any

import comfy.model_management
import comfy.utils
import latent_preview

from .engine.film.render import Progress
from .status_line import show_status

PREVIEW_SIZE = 512  # pixels, the longer side


class ProgressReport:
    """Shows a render on the node: the bar, a live preview and the time that is left. Raises when the user stops the run."""

    def __init__(self, model: Any, node_id: str | None) -> None:
        self._node_id, self._bar, self._start = node_id, None, time.monotonic()
        self._previewer = latent_preview.get_previewer(model.load_device, model.get_model_object("latent_format"))
        self._told = 0.0

    def __call__(self, progress: Progress) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        if progress.total == 0:
            show_status(self._node_id, "Every clip was finished already.")
            return
        self._bar = self._bar or comfy.utils.ProgressBar(100 * progress.total, node_id=self._node_id)
        self._bar.update_absolute(round(100 * progress.done), 100 * progress.total, self._preview(progress))
        self._tell_time_left(progress)

    def _preview(self, progress: Progress) -> Any:
        """The newest finished frame; between batches the sampler's latents, where previews of them are switched on."""
        from PIL import Image

        if progress.frame is not None:
            return ("JPEG", Image.fromarray(progress.frame), PREVIEW_SIZE)
        if self._previewer is not None and progress.latents is not None:
            return self._previewer.decode_latent_to_preview_image("JPEG", progress.latents)
        return None

    def _tell_time_left(self, progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done >= progress.total
        if progress.done <= 0 or (now - self._told < 1 and not finished):
            return
        self._told = now
        if finished:
            show_status(self._node_id, f"{progress.total} frames drawn in {describe_seconds(now - self._start)}.")
            return
        left = (now - self._start) / progress.done * (progress.total - progress.done)
        text = f"Shot {progress.shot}, frame {int(progress.done)} of {progress.total}, {describe_seconds(left)} left"
        show_status(self._node_id, text)


def describe_seconds(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
