"""Import the pack as ComfyUI does (from its path, under a name of its own) and offer the real ComfyUI to tests.

Tests say `from pack.nodes.engine.timeline import Timeline`. The repository's root never stays on `sys.path`,
because inside ComfyUI the name `nodes` is ComfyUI's own module. A test that needs ComfyUI's code in this
process takes the fixture `comfy`; one that needs a running server takes `host` (and the marker `host`). Both are
skipped where no ComfyUI source is at hand.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

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
sys.path.append(str(ROOT / "workflows"))  # for `runner`, which both commands are made of


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


class Host:
    """A running ComfyUI with the pack, as a test sees it: plain requests, one at a time."""

    def __init__(self, server: Any) -> None:
        self.server = server
        self.base: Path = server.base

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.server.url + urllib.parse.quote(path, safe="/?&=%"), timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if answer.headers.get_content_type() == "application/json" else body.decode()

    def post(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        """The answer's JSON, also where the server refuses (`error` and `node_errors` say why)."""
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.server.url + path, json.dumps(data).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            body = error.read()
        return json.loads(body) if body else {}

    def queue(self, prompt: dict[str, Any]) -> str:
        answer = self.post("/prompt", {"prompt": prompt})
        assert "prompt_id" in answer and not answer.get("node_errors"), answer  # ComfyUI runs what is left of a wrong prompt
        return answer["prompt_id"]

    def wait(self, run_id: str, seconds: float = 600) -> dict[str, Any]:
        """The run's history entry, once it has ended in whatever way."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            entry = self.get(f"/history/{run_id}").get(run_id)
            if entry:
                return entry
            time.sleep(0.1)
        raise TimeoutError(f"The run did not end in {seconds} s.\n{self.server.log_tail()}")

    def run(self, prompt: dict[str, Any], seconds: float = 600) -> dict[str, Any]:
        """Runs a prompt to success and returns its outputs by node id."""
        entry = self.wait(self.queue(prompt), seconds)
        assert entry["status"]["status_str"] == "success", self.error_of(entry)
        return entry["outputs"]

    def error_of(self, entry: dict[str, Any]) -> str:
        """What a failed run said."""
        return next(data["exception_message"] for kind, data in entry["status"]["messages"] if kind == "execution_error")

    def template(self, name: str) -> dict[str, Any]:
        """A bundled workflow as a prompt, by the runner's own conversion."""
        from runner.graph import to_prompt

        return to_prompt(json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8")), self.get("/object_info"))


@pytest.fixture(scope="session")
def start_host(comfyui_path: Path) -> Iterator[Callable[..., Host]]:
    """Starts a ComfyUI on a base directory of the test's choice; all are stopped at the end."""
    from runner.server import start_server

    hosts: list[Host] = []

    def start(base: Path, *options: str) -> Host:
        hosts.append(Host(start_server(Path(sys.executable), comfyui_path, base, options=options)))
        return hosts[-1]

    yield start
    for host in hosts:
        host.server.stop()


@pytest.fixture(scope="session")
def host(start_host: Callable[..., Host], tmp_path_factory: pytest.TempPathFactory) -> Host:
    """One ComfyUI for all tests that leave it as they found it."""
    return start_host(tmp_path_factory.mktemp("host"))
