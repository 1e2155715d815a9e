"""The beat tracker Beat This! (Foscarin, Schlueter & Widmer, ISMIR 2024), where its package and a checkpoint are installed.

Only its network takes part: a recording in, likelihoods of beats and downbeats 50 times a second out; `listening.py` puts them on our
clock. The package fetches what it does not find, so it is only ever given a file that is there. A song passes through in pieces of half a
minute, as long as those that it learnt from.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .recording import RATE, Progress, Recording

HOP = 441  # samples at RATE between two answers: 20 ms
PIECE, MARGIN = 1455, 16  # frames; with its margins and a border of its own a piece is what the network takes at once
ANSWER_RATE = RATE / HOP
USUAL = "final0"  # the checkpoint that its authors recommend
MISSING_PACKAGE = "The package beat_this is not installed; run pip install beat-this in ComfyUI's Python, or choose another listener."


class ListenerError(ValueError):
    """A listener that cannot be used; the message says why and what to do."""


def is_installed() -> bool:
    return importlib.util.find_spec("beat_this") is not None


def find_checkpoint(places: Sequence[Path]) -> Path | None:
    """A checkpoint in some folders, the usual one if it is among them; None where there is none."""
    found = [file for place in places if place.is_dir() for file in sorted(place.glob("*.ckpt")) if file.stat().st_size]
    found = [file for file in found if file.parent.name == "beat_this" or file.name.startswith("beat_this")]  # a cache holds others too
    return next((file for file in found if USUAL in file.name), found[0] if found else None)


def explain_missing() -> str:
    where = f"put {USUAL}.ckpt (github.com/CPJKU/beat_this) into models/beat_this"
    return f"Beat This! has no checkpoint here; {where}, or choose another listener."


def hear_with_beat_this(recording: Recording, checkpoint: Path, on_progress: Progress) -> np.ndarray:
    """Likelihoods of beat and downbeat, [2, frames], frame k at k / ANSWER_RATE seconds. ListenerError where it cannot be run."""
    network = _load(str(checkpoint), checkpoint.stat().st_mtime_ns)
    total = 1 + round(recording.duration * ANSWER_RATE)
    parts: list[np.ndarray] = []
    for before, samples in _pieces(recording):
        logits = np.stack([answer.cpu().numpy() for answer in network(samples, RATE)])
        parts.append(logits[:, before : before + PIECE])
        on_progress(min(len(parts) * PIECE, total), total)
    logits = np.concatenate(parts, axis=1)[:, :total]
    return 1 / (1 + np.exp(-np.clip(logits, -30, 30)))


def _pieces(recording: Recording) -> Iterator[tuple[int, np.ndarray]]:
    """How many frames of margin a piece begins with, and its samples, [samples]."""
    buffer, before = np.zeros(0, np.float32), 0
    for block in recording.blocks():
        buffer = np.concatenate([buffer, block])
        while len(buffer) >= (need := (before + PIECE + MARGIN) * HOP) + HOP:  # what is left is never nothing
            yield before, buffer[: need - 1]
            buffer, before = buffer[(before + PIECE - MARGIN) * HOP :], MARGIN
    yield before, np.pad(buffer, (0, max(0, 2 * HOP + 1024 - len(buffer))))


@lru_cache(maxsize=1)
def _load(checkpoint: str, changed: int) -> Any:
    """The network from a file; `changed` is when that was, so that a new file is read."""
    if not is_installed():
        raise ListenerError(MISSING_PACKAGE)
    try:
        from beat_this.inference import Audio2Frames  # pyright: ignore[reportMissingImports]
    except (ImportError, OSError) as error:  # OSError: a torchaudio made for another torch
        raise ListenerError(f"The package beat_this cannot be loaded ({error}); mend it with pip, or choose another listener.") from error
    try:
        return Audio2Frames(checkpoint, "cpu")
    except Exception as error:  # what torch and the package raise for a file that is none of theirs is of many kinds
        raise ListenerError(
            f"{Path(checkpoint).name} is no checkpoint of Beat This!, or a damaged one; copy it anew, or choose another listener."
        ) from error
