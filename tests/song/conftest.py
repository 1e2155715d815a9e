"""Fixtures of the song tests: synthesised loops and sounds without a beat (shared with the bench), and the demo song."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parent.parent
DEMO_SONG = TESTS.parent / "workflows" / "assets" / "demo_song.ogg"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, TESTS / "bench" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def drum_loops() -> ModuleType:
    return _load("drum_loops")


@pytest.fixture(scope="session")
def no_pulse() -> ModuleType:
    return _load("no_pulse")


@pytest.fixture(scope="session")
def sung_lyrics() -> ModuleType:
    return _load("sung_lyrics")


@pytest.fixture(scope="session")
def singer(sung_lyrics: ModuleType) -> ModuleType:
    return _load("singer")  # which imports the songs that it sings


@pytest.fixture(scope="session")
def demo_song() -> tuple[np.ndarray, int, dict[str, Any]]:
    """Samples [channels, n], rate in Hz, and the truth."""
    import soundfile

    samples, rate = soundfile.read(DEMO_SONG, dtype="float32", always_2d=True)
    return samples.T, rate, json.loads(DEMO_SONG.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def beat_score():
    """F of two lists of times at 70 ms (mir_eval), nothing trimmed."""
    import mir_eval

    return lambda truth, found: mir_eval.beat.f_measure(np.asarray(truth, float), np.asarray(found, float))
