"""Gradient checkpointing for any network: its blocks forget what they computed and compute it again on the way back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextmanager
def recomputing(network: torch.nn.Module, wanted: bool) -> Iterator[None]:
    """Inside, the blocks are recomputed; afterwards they are as they were."""
    from torch.utils.checkpoint import checkpoint

    changed = find_blocks(network) if wanted else []
    for block in changed:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False)
    try:
        yield
    finally:
        for block in changed:
            vars(block).pop("forward", None)


def find_blocks(network: torch.nn.Module) -> list[Any]:
    """The repeated parts: members of the network's lists, or of the sequences in those lists."""
    import torch

    blocks: list[Any] = []
    for child in network.children():
        if isinstance(child, (torch.nn.ModuleList, torch.nn.Sequential)):
            for member in child:
                inner = isinstance(member, (torch.nn.ModuleList, torch.nn.Sequential))
                blocks += list(member.children()) if inner else [member]
    return [block for block in blocks if sum(1 for _ in block.children())]
