"""Several servers draw one film with Ray: the same bytes as one server's, also when a worker dies in the middle."""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest
from runner import film
from runner.comfyui import SetupError

pytestmark = [pytest.mark.host, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
SMALL = {"width": 128, "height": 64, "fps": 6.0, "steps": 4, "seed": 21}
NAMES = ("song", "out", "checkpoint", "style", "prompts", "lyrics", "whisper", "report", *SMALL)


def film_in_thread(arguments: argparse.Namespace, comfyui: Path) -> Path:
    """Where the browser's tests ran before, their event loop is still running in this thread."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(film.make_film, arguments, comfyui).result()


@pytest.fixture(scope="module")
def ray() -> Any:
    return pytest.importorskip("ray", reason="Ray is an optional package: pip install ray")


@pytest.fixture
def filmed(comfyui_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes the demo song's film in a folder of its own, so that no clip is there before."""

    def make_film(name: str, workers: int, **wishes: Any) -> Path:
        monkeypatch.setattr(film, "BASE", tmp_path / name)
        given = {key: None for key in NAMES} | SMALL | {"out": tmp_path / f"{name}.mp4", "set": ["BeatSyncedSampler.cfg=1"]} | wishes
        arguments = argparse.Namespace(workflow=ROOT / "workflows" / "quickstart.json", workers=workers, **given)
        return film_in_thread(arguments, comfyui_path)

    return make_film


@pytest.fixture(scope="module")
def one_machine(comfyui_path: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("one")
        patch.setattr(film, "BASE", folder / "base")
        given = {key: None for key in NAMES} | SMALL | {"out": folder / "one.mp4", "set": ["BeatSyncedSampler.cfg=1"]}
        arguments = argparse.Namespace(workflow=ROOT / "workflows" / "quickstart.json", workers=1, **given)
        return film_in_thread(arguments, comfyui_path).read_bytes()


def servers_of(base: Path) -> list[psutil.Process]:
    """The ComfyUI servers that run on a folder, oldest first: the first is the one that plans and joins."""
    found = []
    for process in psutil.process_iter(["cmdline", "create_time"]):
        words = process.info["cmdline"] or []
        if "--base-directory" in words and str(base) in words:
            found.append(process)
    return sorted(found, key=lambda process: process.info["create_time"])


def test_two_workers_make_the_same_film(ray: Any, filmed: Callable[..., Path], one_machine: bytes, tmp_path: Path) -> None:
    assert filmed("two", 2).read_bytes() == one_machine
    assert not servers_of(tmp_path / "two") and not ray.is_initialized()


@pytest.mark.parametrize("victim", ["server", "worker"])
def test_a_dead_workers_shots_go_to_the_others(
    ray: Any, filmed: Callable[..., Path], one_machine: bytes, tmp_path: Path, victim: str
) -> None:
    base, killed = tmp_path / victim, []

    def kill_one() -> None:
        deadline = time.monotonic() + 300
        while not list((base / "output" / "music_video" / "clips").glob("*.mp4")) and time.monotonic() < deadline:
            time.sleep(0.05)
        server = servers_of(base)[-1]
        process = server if victim == "server" else server.parent()
        assert process is not None
        process.kill()
        killed.append(process.pid)

    thread = threading.Thread(target=kill_one)
    thread.start()
    made = filmed(victim, 2).read_bytes()
    thread.join()
    assert killed and made == one_machine
    assert not servers_of(base)


def test_what_no_worker_can_draw_is_one_sentence(ray: Any, filmed: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(film.FilmError, match=r"^Beat-Synced Sampler: The width of 104 does not suit"):
        filmed("odd", 2, width=104)
    assert not servers_of(tmp_path / "odd")


def test_without_ray_it_says_what_to_install(filmed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SetupError, match="pip install ray"):
        filmed("none", 2)
