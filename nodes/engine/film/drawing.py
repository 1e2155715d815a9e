"""One shot's pictures, batch by batch: frame after frame, or with the first steps shared along the shot's way.

In: a shot, its motion, the settings and an `ImageModel`. Out: batches of pictures in order, before the camera moves over them.
A batch that does not fit into memory is tried again in halves. Knows nothing of files or of the order of shots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..timeline import Shot
from .motion import Motion
from .noise import seeded_noise, share_detail, slerp
from .walk import Part, Sharing, Stretch, plan_sharing, walk_stretches

if TYPE_CHECKING:
    import torch

    from .render import ImageModel, RenderSettings

OTHER_NOISE = 0x5DEECE66D  # what the seed is mixed with for the noise at the end of the way


def draw_pictures(
    shot: Shot, motion: Motion, settings: RenderSettings, model: ImageModel, seed: int, report: Callable[..., None]
) -> Iterator[tuple[int, torch.Tensor]]:
    """Pictures [frames, height, width, 3] and the place of their first in the shot."""
    painter, way = _Painter(shot, motion, settings, model, seed), motion.way
    sharing = plan_sharing(model.step_count(), settings.shared_steps) if settings.shared_steps > 0 else None
    if sharing is None:
        yield from _draw_each(way, painter, report)
    else:
        yield from _draw_shared(way, sharing, painter, report)


def _draw_each(walk: np.ndarray, painter: _Painter, report: Callable[..., None]) -> Iterator[tuple[int, torch.Tensor]]:
    def draw(start: int, stop: int) -> torch.Tensor:
        on_step = _step_counter(report, start, stop - start)
        return painter.model.decode(painter.draw_whole(walk[start:stop], on_step))

    yield from painter.in_batches(len(walk), draw)


def _draw_shared(walk: np.ndarray, sharing: Sharing, painter: _Painter, report: Callable[..., None]) -> Iterator[tuple[int, torch.Tensor]]:
    """The bar moves evenly as far as can be known: how many anchors a shot needs shows only while they are drawn."""
    anchors = sharing.trunk / sharing.spacing
    drawn = anchors / (anchors + sharing.tail + 1)  # of a frame's time; 1: decoding takes about as long as a step
    begun = 0

    def draw_anchors(places: np.ndarray) -> Part:
        frames = min(len(walk) - begun, len(places) * sharing.spacing) * drawn
        return painter.draw_anchors(places, range(sharing.trunk), lambda share, latents: report(begun + frames * share, latents))

    for stretch in walk_stretches(walk, sharing, draw_anchors, painter.turns):
        start, count = stretch.frames.start, len(stretch.frames)

        def tell(frames: float, latents: Any, start: int = start, count: int = count) -> None:
            report(start + drawn * count + (1 - drawn) * frames, latents)

        for place, pictures in _finish_stretch(stretch, sharing, painter, tell):
            yield start + place, pictures
        begun = stretch.frames.stop


def _finish_stretch(
    stretch: Stretch, sharing: Sharing, painter: _Painter, tell: Callable[[float, Any], None]
) -> Iterator[tuple[int, torch.Tensor]]:
    steps = range(sharing.trunk, sharing.trunk + sharing.tail)

    def finish(start: int, stop: int) -> torch.Tensor:
        latents = stretch.start_frames(start, stop).latents
        if steps:
            latents = painter.draw_part(latents, stretch.places[start:stop], steps, _step_counter(tell, start, stop - start)).latents
        pictures = painter.model.decode(latents)
        tell(stop, None)
        return pictures

    return painter.in_batches(len(stretch.frames), finish)


class _Painter:
    """A shot's noise and prompts at any place of its way, and batches that fit into memory."""

    def __init__(self, shot: Shot, motion: Motion, settings: RenderSettings, model: ImageModel, seed: int) -> None:
        shape = model.noise_shape(settings.width, settings.height)
        self.model, self.seed, self._motion = model, seed, motion
        self.turns = motion.turns
        self._first_noise = seeded_noise(shape, seed)
        self._last_noise = share_detail(self._first_noise, seeded_noise(shape, seed ^ OTHER_NOISE), settings.steadiness)
        self._amount = min(1.0, settings.walk_amount * shot.strength * motion.reach)
        self._first = model.encode_prompt(shot.prompt)
        self._last = model.encode_prompt(shot.end_prompt) if shot.end_prompt else self._first
        self._size = settings.batch_frames or model.batch_limit(settings.width, settings.height)
        self._size_text = f"{settings.width}x{settings.height}"
        self._share = settings.anchor_attention
        self._reference = motion.way[:1] if settings.anchor_attention > 0 else motion.way[:0]
        self._reference_latents: torch.Tensor | None = None  # after the first steps

    def noise(self, places: np.ndarray) -> torch.Tensor:
        return slerp(self._first_noise, self._last_noise, self._motion.walk_on(places) * self._amount)

    def prompt(self, places: np.ndarray) -> Any:
        weights = self._motion.prompt_on(places)
        return self._first if self._last is self._first else self.model.blend_prompts(self._first, self._last, weights.tolist())

    def draw_whole(self, places: np.ndarray, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        shown = np.concatenate([self._find_reference(places), places])
        latents = self._model_for(shown).sample(self.noise(shown), self.prompt(shown), self.seed, _skip(on_step, len(shown) - len(places)))
        return latents[len(shown) - len(places) :]

    def draw_part(self, start: torch.Tensor, places: np.ndarray, steps: range, on_step: Callable[[int, int, Any], None]) -> Part:
        """Some steps of the pictures at these places. Where they hold to a reference, it takes the steps with them."""
        import torch

        if steps.start:
            reference, kept = self._reference, self._reference_latents
        else:
            reference = self._find_reference(places)
            kept = self.noise(reference)
        shown, extra = np.concatenate([reference, places]), len(reference)
        start = start if kept is None or not extra else torch.cat([kept.to(start), start])
        part = Part(*self._model_for(shown).sample_part(start, self.prompt(shown), self.seed, steps, _skip(on_step, extra)))
        if len(self._reference) and self._reference_latents is None:
            self._reference_latents = part.latents[:1]
        return Part(part.latents[extra:], part.guess[extra:])

    def _model_for(self, shown: np.ndarray) -> ImageModel:
        """A frame is held as far as its prompt is the reference's: else noon would never become night."""
        if not len(self._reference):
            return self.model
        weights = self._motion.prompt_on(shown) if self._last is not self._first else np.zeros(len(shown))
        return self.model.hold_to_first((self._share * (1 - np.abs(weights - weights[0]))).tolist())

    def _find_reference(self, places: np.ndarray) -> np.ndarray:
        """The place of the reference that the batch needs before it: none where it begins with it."""
        return self._reference if len(self._reference) and places[0] != self._reference[0] else self._reference[:0]

    def draw_anchors(self, places: np.ndarray, steps: range, on_share: Callable[[float, Any], None]) -> Part:
        """Pictures at these places after the first steps; `on_share` hears which share of the work is done, and the latents."""
        import torch

        def draw(start: int, stop: int) -> Part:
            def on_step(step: int, count: int, latents: Any) -> None:
                on_share((start + (stop - start) * (step + 1) / count) / len(places), latents)

            return self.draw_part(self.noise(places[start:stop]), places[start:stop], steps, on_step)

        parts = [part for _start, part in self.in_batches(len(places), draw)]
        return Part(torch.cat([part.latents for part in parts]), torch.cat([part.guess for part in parts]))

    def in_batches(self, count: int, draw: Callable[[int, int], Any]) -> Iterator[tuple[int, Any]]:
        start = 0
        while start < count:
            stop = min(start + self._size, count)
            try:
                drawn = draw(start, stop)
            except Exception as error:
                if not self.model.is_out_of_memory(error):
                    raise
                if self._size == 1:
                    raise MemoryError(f"One frame of {self._size_text} does not fit into memory; choose a smaller size.") from error
                self._size = max(1, self._size // 2)
                continue
            yield start, drawn
            start = stop


def _step_counter(report: Callable[..., None], start: int, frames: int) -> Callable[[int, int, Any], None]:
    return lambda step, steps, latents: report(start + frames * (step + 1) / steps, latents)


def _skip(on_step: Callable[[int, int, Any], None], extra: int) -> Callable[[int, int, Any], None]:
    """Shows only pictures of the film."""
    return lambda step, steps, latents: on_step(step, steps, latents[extra:])
