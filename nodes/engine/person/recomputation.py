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
        block.forward = partial(checkpoint, partial(_on_copies, block.forward), use_reentrant=False)
    try:
        yield
    finally:
        for block in changed:
            vars(block).pop("forward", None)


@contextmanager
def saved_norm_inputs(network: torch.nn.Module) -> Iterator[None]:
    """Some transformers add to their hidden state in place after a norm has kept it for the way back; here norms keep a copy."""
    norms = [module for module in network.modules() if "norm" in type(module).__name__.lower()]
    hooks = [norm.register_forward_pre_hook(lambda _norm, given: (_copy(given[0]), *given[1:])) for norm in norms]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _on_copies(forward: Any, *given: Any, **named: Any) -> Any:
    """What comes in is needed as it was when the block is computed again."""
    return forward(*map(_copy, given), **{name: _copy(value) for name, value in named.items()})


def _copy(value: Any) -> Any:
    import torch

    kept = isinstance(value, torch.Tensor) and value.is_floating_point() and torch.is_grad_enabled()
    return value.clone() if kept else value


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
