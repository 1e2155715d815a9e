"""What a MODEL, CLIP and VAE are, as one hash: the same hash, the same pictures.

A clip on disk is used again only under the same identity. It is made of a sample of every weight, the
patches on top of them, and the part of the workflow that leads to the three inputs, which covers what
weights do not show (a sampling patch, an image for a style adapter).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths

if TYPE_CHECKING:
    import torch
    from comfy_execution.graph import DynamicPrompt

SAMPLED_VALUES = 64  # of every weight; a trained difference touches all of a tensor


def identify_models(patchers: list[Any], prompt: DynamicPrompt | None, node_id: str | None, inputs: tuple[str, ...]) -> str:
    """SHA-256 over core ModelPatchers and the graph behind the named inputs of one node."""
    digest = hashlib.sha256()
    for patcher in patchers:
        _add_weights(digest, patcher)
        _add_patches(digest, patcher.patches)
        digest.update(json.dumps(_describe(patcher.model_options), sort_keys=True).encode())
    if prompt is not None and node_id is not None:
        links = prompt.get_node(node_id)["inputs"]
        ancestry = [describe_source(prompt, links.get(name), {}) for name in inputs]
        digest.update(json.dumps(ancestry, sort_keys=True).encode())
    return digest.hexdigest()


def _add_weights(digest: hashlib._Hash, patcher: Any) -> None:
    """Weights as they are without patches: core bakes patches into a loaded model and keeps the originals in `backup`."""
    for name, weight in sorted(patcher.model.state_dict().items()):
        original = patcher.backup.get(name)
        _add_tensor(digest, name, weight if original is None else original.weight)


def _add_patches(digest: hashlib._Hash, patches: dict[str, list[Any]]) -> None:
    for name in sorted(patches):
        for patch in patches[name]:
            _add_value(digest, name, patch)


def _add_value(digest: hashlib._Hash, name: str, value: Any) -> None:
    """Patches are tuples of numbers, tensors and core's weight adapters, nested at will."""
    import torch

    if isinstance(value, torch.Tensor):
        _add_tensor(digest, name, value)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _add_value(digest, name, item)
    elif hasattr(value, "weights"):
        _add_value(digest, f"{name}:{type(value).__name__}", value.weights)
    else:
        digest.update(f"{name}={_describe(value)}".encode())


def _add_tensor(digest: hashlib._Hash, name: str, tensor: torch.Tensor) -> None:
    flat = tensor.detach().reshape(-1)
    sample = flat[:: max(1, flat.numel() // SAMPLED_VALUES)]
    digest.update(f"{name}:{tuple(tensor.shape)}:{tensor.dtype}".encode())
    digest.update(sample.float().cpu().contiguous().numpy().tobytes())


def _describe(value: Any) -> Any:
    """Plain values as they are; of anything else its kind only, for an address would differ on every run."""
    if isinstance(value, dict):
        return {str(key): _describe(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_describe(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return getattr(value, "__qualname__", type(value).__qualname__)


def describe_source(prompt: DynamicPrompt, link: Any, seen: dict[str, Any], known: Mapping[tuple[str, int], Any] | None = None) -> Any:
    """The nodes behind a link, without their ids, so that renumbering a workflow keeps its clips.

    Of an output whose value is `known` it is that value that counts, and not the nodes behind it.
    """
    if not (isinstance(link, list) and len(link) == 2 and isinstance(link[0], str)):
        return _describe(_with_file_state(link))
    source, slot = link
    if known and (source, slot) in known:
        return ["known", known[source, slot]]
    if source not in seen:
        seen[source] = None  # a loop cannot be; this only stops a broken graph
        node = prompt.get_node(source)
        values = {name: describe_source(prompt, value, seen, known) for name, value in sorted(node["inputs"].items())}
        text = json.dumps([node["class_type"], values], sort_keys=True)
        seen[source] = hashlib.sha256(text.encode()).hexdigest()
    return [seen[source], slot]


def _with_file_state(value: Any) -> Any:
    """A name of a file in the input folder, with its size and date: the same name may hold another picture."""
    if not isinstance(value, str) or not value or len(value) > 255 or "\n" in value:
        return value
    path = Path(folder_paths.get_input_directory()) / value
    try:
        state = path.stat()
    except (OSError, ValueError):
        return value
    return [value, state.st_size, state.st_mtime_ns] if path.is_file() else value
