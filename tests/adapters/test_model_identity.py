"""The identity of a model: the same for the same pictures, another for any other."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

INPUTS = ("model", "clip", "vae")


class Graph:
    """The part of core's DynamicPrompt that is read."""

    def __init__(self, nodes: dict[str, Any]) -> None:
        self.nodes = nodes

    def get_node(self, node_id: str) -> dict[str, Any]:
        return self.nodes[node_id]


def graph(prefix: str = "", strength: float = 1.0, picture: str = "face.png") -> Graph:
    """A sampler behind a loader and a style adapter that takes a picture; `prefix` renames every node."""
    loader, style, image = f"{prefix}1", f"{prefix}2", f"{prefix}3"
    return Graph(
        {
            loader: {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
            image: {"class_type": "LoadImage", "inputs": {"image": picture}},
            style: {"class_type": "StyleAdapter", "inputs": {"model": [loader, 0], "image": [image, 0], "strength": strength}},
            "me": {"class_type": "BeatSyncedSampler", "inputs": {"model": [style, 0], "clip": [loader, 1], "vae": [loader, 2], "steps": 9}},
        }
    )


def identify(tiny: SimpleNamespace, nodes: Graph | None = None, model: Any = None) -> str:
    from pack.nodes.model_identity import identify_models

    return identify_models([model or tiny.model, tiny.vae.patcher], nodes, "me", INPUTS)  # type: ignore[arg-type]


def test_it_is_the_same_again_and_for_a_clone_and_after_loading(tiny: SimpleNamespace) -> None:
    import comfy.model_management

    before = identify(tiny)
    assert identify(tiny) == before == identify(tiny, model=tiny.model.clone())
    comfy.model_management.load_models_gpu([tiny.model])
    assert identify(tiny) == before


def test_a_patch_and_its_strength_count_even_while_baked_into_the_weights(tiny: SimpleNamespace) -> None:
    import comfy.model_management

    name, weight = next((name, value) for name, value in tiny.model.model.state_dict().items() if value.ndim == 2)
    patched = tiny.model.clone()
    patched.add_patches({name: ("diff", (torch.ones_like(weight),))}, 0.5)
    plain, before = identify(tiny), identify(tiny, model=patched)
    comfy.model_management.load_models_gpu([patched])
    assert identify(tiny, model=patched) == before != plain
    assert identify(tiny) == plain, "the plain model, while another's patch lies in the shared weights"
    comfy.model_management.load_models_gpu([tiny.model])


def test_the_workflow_behind_the_inputs_counts_without_its_numbering(tiny: SimpleNamespace) -> None:
    base = identify(tiny, graph())
    assert identify(tiny, graph(prefix="7:")) == base
    assert identify(tiny, graph(strength=0.5)) != base
    nodes = graph()
    nodes.nodes["me"]["inputs"]["steps"] = 12
    assert identify(tiny, nodes) == base, "what is not behind the model is the sampler's own business"


def test_another_picture_under_the_same_name_counts(tiny: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import folder_paths

    monkeypatch.setattr(folder_paths, "input_directory", str(tmp_path))
    missing = identify(tiny, graph())
    (tmp_path / "face.png").write_bytes(b"one")
    one = identify(tiny, graph())
    (tmp_path / "face.png").write_bytes(b"another")
    assert len({missing, one, identify(tiny, graph())}) == 3
