"""Who is in which shot: the model with a person's LoRA draws the shots that name them, the same model without it the others.

A person is named by their trigger word. Only patches that carry a receipt's mark can be taken out, which is what Personal LoRA
Loader and LoRA Trainer apply; whatever else was applied upstream stays. A film that names nobody is drawn as the graph says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any
from uuid import uuid4

from .engine.film.render import ImageModel
from .engine.film.video_shots import VideoModel
from .engine.person.receipt import trigger_word
from .engine.timeline import Shot, Timeline
from .personal_receipts import marks_in

DrawingModel = ImageModel | VideoModel
MakeModel = Callable[[Any, Any, Any], DrawingModel]  # of core's MODEL, the MODEL that finishes for it, if any, and CLIP


class ShotCast:
    """`whole` is the model as it was given; `model_for` gives the one that draws a shot."""

    def __init__(self, model: Any, low_noise: Any, clip: Any, receipt_ids: tuple[str, ...], timeline: Timeline, make: MakeModel) -> None:
        self._models, self._clip, self._make = (model, low_noise), clip, make
        self._ids, self._names = frozenset(receipt_ids), [trigger_word(receipt_id) for receipt_id in receipt_ids]
        self._is_told_apart = any(self._is_named(shot) for shot in timeline.shots)
        self.whole = make(model, low_noise, clip)

    def model_for(self, shot: Shot) -> DrawingModel:
        return self.whole if self._is_named(shot) or not self._is_told_apart else self._empty

    def _is_named(self, shot: Shot) -> bool:
        return any(name in text for name in self._names for text in (shot.prompt, shot.end_prompt))

    @cached_property
    def _empty(self) -> DrawingModel:
        models, clip = [model and remove_people(model, self._ids) for model in self._models], self._clip
        text = getattr(clip, "patcher", None)
        if text is not None and (plain := remove_people(text, self._ids)) is not text:
            clip = clip.clone()
            clip.patcher = plain
        same = clip is self._clip and all(plain is model for plain, model in zip(models, self._models, strict=True))
        return self.whole if same else self._make(models[0], models[1], clip)


def remove_people(patcher: Any, receipt_ids: frozenset[str]) -> Any:
    """A clone of a core ModelPatcher without the patches that carry these receipts; itself where there are none."""
    kept = {key: [patch for patch in patches if not receipt_ids.intersection(marks_in(patch))] for key, patches in patcher.patches.items()}
    if all(len(kept[key]) == len(patches) for key, patches in patcher.patches.items()):
        return patcher
    clone = patcher.clone()
    clone.patches = {key: patches for key, patches in kept.items() if patches}
    clone.patches_uuid = uuid4()  # by which core knows that the loaded weights are not this clone's
    return clone
