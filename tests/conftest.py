"""Import the pack as ComfyUI does (from its path, under a name of its own) and offer the real ComfyUI to tests.

Tests say `from pack.nodes.engine.timeline import Timeline`. The repository's root never stays on `sys.path`,
because inside ComfyUI the name `nodes` is ComfyUI's own module. A test that needs ComfyUI's code in this
process takes the fixture `comfy`; it is skipped where no ComfyUI source is at hand.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parent.parent


def load_pack() -> ModuleType:
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != ROOT]
    spec = importlib.util.spec_from_file_location("pack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec and spec.loader
    pack = importlib.util.module_from_spec(spec)
    sys.modules["pack"] = pack
    spec.loader.exec_module(pack)
    return pack


load_pack()


def find_comfyui() -> Path | None:
    """The ComfyUI that the tests use: the one in COMFYUI_PATH, else the source that the set-up keeps in `.cache`."""
    places = [Path(os.environ["COMFYUI_PATH"])] if os.environ.get("COMFYUI_PATH") else []
    places += sorted((ROOT / ".cache").glob("ComfyUI-*"))
    return next((place.resolve() for place in places if (place / "main.py").is_file()), None)


@pytest.fixture(scope="session")
def comfyui_path() -> Path:
    """The folder of ComfyUI's source."""
    place = find_comfyui()
    if place is None:
        pytest.skip("no ComfyUI source here; `python tests/run.py` fetches it, or name yours in COMFYUI_PATH")
    return place


@pytest.fixture(scope="session")
def comfy(comfyui_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """ComfyUI's modules in this process, on the CPU, with a base directory of their own (`comfy.base`).

    After this fixture `import comfy.sd`, `import nodes`, `import folder_paths` mean ComfyUI's.
    """
    base = tmp_path_factory.mktemp("comfyui")
    for name in ("models", "input", "output", "temp", "user", "custom_nodes"):
        (base / name).mkdir()
    before = list(sys.argv)
    sys.path.insert(0, str(comfyui_path))
    sys.argv = ["main.py", "--cpu", "--base-directory", str(base), "--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            modules = _import_comfyui()
        yield SimpleNamespace(root=comfyui_path, base=base, **modules)
    finally:
        sys.argv = before


def _import_comfyui() -> dict[str, ModuleType]:
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.cli_args
    import execution
    import folder_paths
    import nodes
    import server

    return {"execution": execution, "folder_paths": folder_paths, "nodes": nodes, "server": server}
