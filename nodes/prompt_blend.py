"""Blends of two prompts, as one of core's CONDITIONING with an item for every frame."""

from __future__ import annotations

from typing import Any

Conditioning = Any  # core's CONDITIONING: [[embedding [batch, tokens, width], options], ...]


def blend_conditionings(first: Conditioning, last: Conditioning, weights: list[float]) -> Conditioning:
    """One conditioning a frame, as a batch that core uses item by item: `first` at weight 0, `last` at 1.

    Embeddings and pooled vectors are blended in a straight line, as core's ConditioningAverage does; the
    shorter prompt is padded with zeros. Options that have no blend (areas, controls, masks) are those of `first`.
    """
    import torch

    blended = []
    for (a, a_options), (b, b_options) in zip(first, last, strict=False):
        weight = torch.tensor(weights, dtype=a.dtype, device=a.device)
        tokens = max(a.shape[1], b.shape[1])
        a, b = (torch.nn.functional.pad(x, (0, 0, 0, tokens - x.shape[1])) for x in (a, b.to(a)))
        options = dict(a_options)
        pooled, other = a_options.get("pooled_output"), b_options.get("pooled_output")
        if pooled is not None and other is not None:
            options["pooled_output"] = torch.lerp(pooled, other.to(pooled), weight.to(pooled)[:, None])
        blended.append([torch.lerp(a, b, weight[:, None, None]), options])
    return blended
