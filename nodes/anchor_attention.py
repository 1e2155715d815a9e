"""Frames that look at their shot's anchor: self-attention extended to a reference picture, through core's patch API.

The first picture of every batch is the reference. What a frame's self-attention gathers is mixed with what the same query finds in
the reference, so that fine structure comes from one source (cross-frame attention of Text2Video-Zero, arXiv 2303.13439, and of
StyleAligned, arXiv 2312.02133). Core batches the prompt and the negative one behind the other; each has its own reference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from comfy.model_patcher import ModelPatcher

OVERRIDE = "optimized_attention_override"  # core calls what stands there in place of its attention function
MODE = os.environ.get("AMODE", "cross")


class AnchorAttention:
    """Stands in place of core's attention function; `calls` counts how often the model's self-attention came by."""

    def __init__(self, strength: float, pictures: int = 0) -> None:
        self.strength, self.pictures, self.calls = strength, pictures, 0
        self._is_cross = False

    def attend(self, function: Callable[..., Any], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: Any, **options: Any) -> Any:
        import torch

        own = function(q, k, v, *rest, **options)
        if self._is_cross or q.shape != k.shape or k.shape != v.shape:
            return own
        n = len(options["transformer_options"]["cond_or_uncond"])
        if n * self.pictures != len(q):
            return own
        self.calls += 1
        rows = torch.arange(n).repeat_interleave(self.pictures) * self.pictures
        axis = 2 if options.get("skip_reshape") else 1
        if MODE == "cross":
            other = function(q, k[rows], v[rows], *rest, **options)
        else:
            other = function(q, torch.cat([k, k[rows]], axis), torch.cat([v, v[rows]], axis), *rest, **options)
        return torch.lerp(own, other, self.strength)

    def mark_self(self, n, context, value, extra):
        self._is_cross = False
        return n, context, value

    def mark_cross(self, n, context, value, extra):
        self._is_cross = True
        return n, context, value


def attach(model: ModelPatcher, attention: AnchorAttention) -> ModelPatcher:
    patched = model.clone()
    options = patched.model_options["transformer_options"]
    before = options.get(OVERRIDE)

    def override(function, *args, **kw):
        return attention.attend(function if before is None else partial(before, function), *args, **kw)

    options[OVERRIDE] = override
    patched.set_model_attn1_patch(attention.mark_self)
    patched.set_model_attn2_patch(attention.mark_cross)
    return patched
