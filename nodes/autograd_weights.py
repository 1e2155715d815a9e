"""Weights that core loaded in inference mode, made readable for gradients without a copy, and put back untouched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@contextmanager
def readable_weights(network: torch.nn.Module) -> Iterator[None]:
    """Inside, every inference tensor of the network is an ordinary tensor on the same memory, and nothing asks for gradients.

    Afterwards the very same objects are in their places. Call it outside inference mode.
    """
    import torch

    swapped: list[tuple[dict[str, Any], str, Any]] = []
    asking = [parameter for parameter in network.parameters() if parameter.requires_grad]
    try:
        for parameter in asking:
            parameter.requires_grad_(False)
        for module in network.modules():
            for table in (module._parameters, module._buffers):
                for name, tensor in table.items():
                    if tensor is not None and tensor.is_inference():
                        swapped.append((table, name, tensor))
                        table[name] = _view(tensor)
        yield
    finally:
        for table, name, tensor in swapped:
            table[name] = tensor
        for parameter in asking:
            with torch.inference_mode(parameter.is_inference()):  # elsewhere torch forbids to ask on these
                parameter.requires_grad_(True)


def _view(tensor: torch.Tensor) -> Any:
    """The same memory as a tensor of its own. Kinds of tensors that are not torch's own (quantized ones) stay."""
    import torch

    if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
        return tensor
    view = torch.empty(0, dtype=tensor.dtype, device=tensor.device)
    view.set_(tensor.untyped_storage(), tensor.storage_offset(), tensor.size(), tensor.stride())
    return torch.nn.Parameter(view, requires_grad=False) if isinstance(tensor, torch.nn.Parameter) else view


def ordinary(value: Any) -> Any:
    """Gradients cannot pass tensors that were made in inference mode; a copy is an ordinary one."""
    import torch

    if isinstance(value, torch.Tensor):
        return value.clone() if value.is_inference() else value
    return [ordinary(item) for item in value] if isinstance(value, list) else value
