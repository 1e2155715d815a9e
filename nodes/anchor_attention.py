"""Frames that look at their shot's anchor: self-attention mixed with attention to a reference picture, through core's patch API.

The first picture of every batch is the reference. Each frame's queries look into themselves and into the reference's keys and values,
and take a share of what they find there, so that fine structure comes from one source (cross-frame attention: Text2Video-Zero,
arXiv 2303.13439). Core puts the prompt's and the negative prompt's batches one behind the other; each has its own reference.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from comfy.model_patcher import ModelPatcher

log = logging.getLogger("music_video")
OVERRIDE = "optimized_attention_override"  # core calls what stands here in place of its attention, whatever the architecture
Attention = Callable[..., Any]  # core's: (q, k, v, heads, mask=None, ..., skip_reshape=False) -> [batch, ...]


class AnchorAttention:
    """Stands in place of core's attention in a clone of the model, `patched`.

    `shares`, 0..1, say how much each picture of the batch that is sampled next takes from the first.
    """

    def __init__(self, model: ModelPatcher) -> None:
        self.shares: Sequence[float] = ()
        self.calls = 0  # of self-attention, in the batch that is being sampled
        self._fewest_tokens = 1
        self._is_cross, self._is_told = False, False
        self._network = model.get_model_object("diffusion_model")
        self.patched = self._patch(model)

    def _patch(self, model: ModelPatcher) -> ModelPatcher:
        from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel
        from comfy.patcher_extension import WrappersMP

        patched = model.clone()
        options = patched.model_options["transformer_options"]
        patched.add_wrapper(WrappersMP.OUTER_SAMPLE, self._sample)
        options[OVERRIDE] = partial(self.attend, options.get(OVERRIDE))
        if isinstance(self._network, UNetModel):  # others call patches of these names too, but in other ways
            patched.set_model_attn1_patch(partial(self._note_kind, False))
            patched.set_model_attn2_patch(partial(self._note_kind, True))
        return patched

    def _note_kind(self, is_cross: bool, query: Any, key: Any, value: Any, _options: dict[str, Any]) -> tuple[Any, Any, Any]:
        """A UNet's small levels may have as many places as the prompt has tokens: its two kinds of attention say which they are."""
        self._is_cross = is_cross
        return query, key, value

    def _sample(self, sample: Callable[..., Any], noise: torch.Tensor, *rest: Any, **options: Any) -> Any:
        """Around core's sampling of one batch; `noise` is [pictures, ..., height, width]."""
        self.calls = 0
        self._fewest_tokens = count_tokens(self._network, *noise.shape[-2:])
        latents = sample(noise, *rest, **options)
        if not self.calls and not self._is_told:
            self._is_told = True
            log.warning("anchor_attention: %s has no attention that can be extended; it is off.", type(self._network).__name__)
        return latents

    def attend(
        self, before: Attention | None, attention: Attention, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *rest: Any, **options: Any
    ) -> Any:
        """`before` is an override that was there already, such as a faster attention; it is kept."""
        import torch

        ask = attention if before is None else partial(before, attention)
        rows = self._find_references(q, k, v, options)
        if rows is None:
            return ask(q, k, v, *rest, **options)
        self.calls += 1
        own = ask(q, k, v, *rest, **options) if min(self.shares[1:], default=1) < 1 else None
        heads, masks = rest[:1], rest[1:2]
        if "mask" in options:
            options = options | {"mask": choose_masks(options["mask"], rows)}
        found = ask(q, k[rows], v[rows], *heads, *(choose_masks(mask, rows) for mask in masks), *rest[2:], **options)
        if own is None:
            return found
        shares = torch.tensor(self.shares, dtype=own.dtype, device=own.device).repeat(len(own) // len(self.shares))
        return torch.lerp(own, found, shares.view(-1, *[1] * (own.ndim - 1)))

    def _find_references(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, options: dict[str, Any]) -> torch.Tensor | None:
        """Which row of the batch each row looks at; None where this is not the self-attention of the pictures of one batch."""
        import torch

        places = q.shape[2 if options.get("skip_reshape") else 1]
        is_self = not self._is_cross and q.ndim == k.ndim and k.shape[-2] == v.shape[-2] == q.shape[-2] and places >= self._fewest_tokens
        prompts = len(options.get("transformer_options", {}).get("cond_or_uncond", ()))
        pictures = len(self.shares)
        if not is_self or not pictures or not len(q) == len(k) == prompts * pictures:
            return None
        return torch.arange(prompts, device=q.device).repeat_interleave(pictures) * pictures


def choose_masks(mask: Any, rows: torch.Tensor) -> Any:
    """A mask belongs to the keys: each picture gets that of its reference, where masks differ within the batch."""
    return mask[rows] if mask is not None and mask.ndim > 2 and len(mask) == len(rows) else mask


def count_tokens(network: Any, height: int, width: int) -> int:
    """Tokens of a picture in a transformer, by its patches; fewer are a prompt among itself. 1 for a UNet, which has several levels."""
    patch = getattr(network, "patch_size", None)
    if patch is None:
        return 1
    rows, columns = (patch, patch) if isinstance(patch, int) else tuple(patch)[-2:]
    return math.ceil(height / rows) * math.ceil(width / columns)
