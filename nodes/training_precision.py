"""What a model computes in while it is trained: a word from the node -> a torch type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import comfy.model_management

if TYPE_CHECKING:
    import torch

PRECISIONS = ("auto", "fp32", "bf16")


def choose_precision(precision: str, patcher: Any) -> torch.dtype | None:
    """What to compute in; None: what the model computes in anyway. fp16 is never trained in: small gradients vanish."""
    import torch

    usual, device = patcher.model.get_dtype_inference(), patcher.load_device
    if precision == "auto":
        bf16 = comfy.model_management.should_use_bf16(device)
        precision = "bf16" if bf16 else "fp32"
    wanted = torch.bfloat16 if precision == "bf16" else torch.float32
    return None if wanted == usual else wanted
