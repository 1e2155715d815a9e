"""Tiny models of ComfyUI's own classes with random weights, and a way to run a node in this process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parent))

from tiny_models import SeededPrompts, make_dit, make_unet, make_vae, patch_model  # noqa: E402


@pytest.fixture(scope="session", params=["sd15", "sdxl", "flux"])
def tiny(request: pytest.FixtureRequest, comfy: SimpleNamespace) -> SimpleNamespace:
    """`model`, `clip` and `vae` of one family, a few hundred thousand weights in all."""
    model = make_dit() if request.param == "flux" else make_unet(request.param)
    vae = make_vae(16 if request.param == "flux" else 4)
    return SimpleNamespace(family=request.param, model=patch_model(model), clip=SeededPrompts(48, 64), vae=vae)


@pytest.fixture
def run_node(comfy: SimpleNamespace) -> Callable[..., Any]:
    """Runs a V3 node as the host does: on a locked clone of its class, in inference mode."""
    from comfy_api.internal import make_locked_method_func

    def run(node: Any, **inputs: Any) -> Any:
        clone = node.PREPARE_CLASS_CLONE(None)
        with torch.inference_mode():
            return make_locked_method_func(node, node.FUNCTION, clone)(**inputs)

    return run


@pytest.fixture
def stopped_in_the_second_clip(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AbstractContextManager[None]:
    """Within it somebody stops the run while the second clip is drawn; the first is there afterwards, and nothing half done."""
    import comfy.model_management

    clips = tmp_path / "output" / "music_video" / "clips"

    def stop() -> None:
        if any(path.suffix == ".part" for path in clips.glob(".*")) and any(clips.glob("*.mp4")):
            raise comfy.model_management.InterruptProcessingException

    @contextmanager
    def watch() -> Iterator[None]:
        monkeypatch.setattr(comfy.model_management, "throw_exception_if_processing_interrupted", stop)
        with pytest.raises(comfy.model_management.InterruptProcessingException):
            yield
        assert [path.suffixes for path in sorted(clips.iterdir())] == [[".mp4"], [".mp4", ".json"]]

    return watch()
