"""What several workers on one device cost: `python tests/bench/bench_workers.py [workers [steps]]`, run inside the tests' environment.

The demo song's film is made three times from nothing: by the plain command, by one worker, by several. Where they share one device
they cannot be faster; what they are slower is the price of the splitting. With OMP_NUM_THREADS=1 each worker computes on one core, so
that the cores stand for devices. Says also whether the films are the same to the last byte.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflows"))

from runner import film, workers  # noqa: E402
from runner.comfyui import installed_comfyui  # noqa: E402

NAMES = ("song", "checkpoint", "style", "prompts", "lyrics", "whisper", "width", "height", "fps", "steps", "seed")


class TimedShares(workers.Shares):
    """Remembers when the first shot was asked for and when the last was finished."""

    first, last = 0.0, 0.0

    def take(self) -> range | None:
        TimedShares.first = TimedShares.first or time.monotonic()
        return super().take()

    def finish(self, share: range) -> None:
        super().finish(share)
        TimedShares.last = time.monotonic()


def make(folder: Path, name: str, count: int, comfyui: Path, steps: int | None) -> tuple[float, bytes]:
    film.BASE = folder / name
    given: dict[str, Any] = {key: None for key in NAMES} | {
        "report": False, "out": folder / f"{name}.mp4", "set": [], "steps": steps,
    }  # fmt: skip
    TimedShares.first = 0.0
    started = time.monotonic()
    path = film.make_film(argparse.Namespace(workflow=ROOT / "workflows" / "quickstart.json", workers=count, **given), comfyui)
    return time.monotonic() - started, path.read_bytes()


def main() -> None:
    several = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else None
    comfyui = Path(os.environ["COMFYUI_PATH"]) if os.environ.get("COMFYUI_PATH") else installed_comfyui()
    comfyui = comfyui or next((ROOT / ".cache").glob("ComfyUI-*"))
    folder = Path(tempfile.mkdtemp(prefix="bench_workers"))
    setattr(workers, "Shares", TimedShares)  # noqa: B010
    draw_by_many, rows, films = film.draw_by_many, [], []
    try:
        for name, count, through in (("plain", 1, 1), ("one worker", 2, 1), (f"{several} workers", several, several)):
            setattr(film, "draw_by_many", lambda url, prompt, _, *rest, n=through: draw_by_many(url, prompt, n, *rest))  # noqa: B010
            total, made = make(folder, name, count, comfyui.resolve(), steps)
            drawing = TimedShares.last - TimedShares.first if TimedShares.first else float("nan")
            rows.append(f"| {name} | {total:.1f} | {drawing:.1f} |")
            films.append(made)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n| | whole command, s | shots being drawn, s |\n|---|---|---|")
    print("\n".join(rows))
    print(f"films identical to the last byte: {all(made == films[0] for made in films)}")


if __name__ == "__main__":
    main()
