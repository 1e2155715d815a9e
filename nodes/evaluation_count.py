"""Counts what a MODEL is asked for: pictures, or whole video latents, run through the network; guidance counts each twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import comfy.patcher_extension

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher


class EvaluationCount:
    """`watch` gives a clone of a core ModelPatcher whose rows are added to `rows`."""

    def __init__(self) -> None:
        self.rows = 0

    def watch(self, model: ModelPatcher) -> ModelPatcher:
        clone = model.clone()
        clone.add_wrapper_with_key(comfy.patcher_extension.WrappersMP.APPLY_MODEL, "music_video_count", self._count)
        return clone

    def _count(self, apply: Any, latents: Any, *values: Any, **named: Any) -> Any:
        self.rows += len(latents)
        return apply(latents, *values, **named)
