"""`python workflows/run.py` as a person types it: a film from one command, and a clean end on Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.host, pytest.mark.slow]
ROOT = Path(__file__).resolve().parents[2]
SMALL = ["--width", "128", "--height", "64", "--fps", "4", "--steps", "1", "--set", "BeatSyncedSampler.cfg=1"]


@pytest.fixture
def command(comfyui_path: Path) -> list[str]:
    return [sys.executable, "-u", str(ROOT / "workflows" / "run.py")]


@pytest.fixture
def inside(comfyui_path: Path) -> dict[str, str]:
    """The tests already run in the environment that the command would make."""
    return {**os.environ, "MUSIC_VIDEO_COMFYUI": str(comfyui_path)}


def test_one_command_makes_a_film(command: list[str], inside: dict[str, str], tmp_path: Path) -> None:
    song, film = tmp_path / "my song.ogg", tmp_path / "my film.mp4"
    song.write_bytes((ROOT / "workflows" / "assets" / "demo_song.ogg").read_bytes())
    words = tmp_path / "my song.lrc"
    words.write_text("[00:01.00]Lights over the sea\n[00:09.00]Dance with me", encoding="utf-8")
    result = subprocess.run(
        [*command, *SMALL, "--song", str(song), "--lyrics", str(words), "--out", str(film)],
        env=inside,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.strip().splitlines()[-1] == str(film.resolve())
    assert film.stat().st_size > 10_000
    assert "Lyric Aligner" in result.stdout and "Beat-Synced Sampler" in result.stdout and " 100 %" in result.stdout


def test_an_impossible_wish_is_one_sentence(command: list[str], inside: dict[str, str]) -> None:
    result = subprocess.run([*command, "--set", "Nobody.x=1"], env=inside, capture_output=True, text=True, timeout=300)
    assert result.returncode == 1
    assert "no node Nobody" in result.stderr and "Traceback" not in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that one process may send another for this")
def test_ctrl_c_stops_the_server_too(command: list[str], inside: dict[str, str]) -> None:
    before = set((ROOT / ".cache" / "run").glob("temp-*"))  # what a hard kill left there some other day
    seed = str(time.time_ns() % 10**9)
    with subprocess.Popen([*command, "--steps", "150", "--seed", seed], env=inside, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "Beat-Synced Sampler" in line:
                break
        time.sleep(3)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
    assert set((ROOT / ".cache" / "run").glob("temp-*")) <= before, "the server's temporary folder goes with it"
