"""How much memory a film takes to assemble, by its length: a film of 1 minute and one of 6, side by side.

Run: python tests/bench/bench_assembler_memory.py [--size 1280x720] [--fps 24] [--minutes 1 6]
Each film is assembled in a process of its own from synthetic clip files (a moving pattern; one second each, cut at random
places); its peak is what the system counted (resource.getrusage). The song is held as ComfyUI holds it, as float32 samples,
which is 21 MB a minute and not the assembler's: so the peak is also given less those samples.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

SAMPLE_RATE = 44100
CLIPS = 6  # files; the film's shots use them in turn


def draw(number: int, index: int, width: int, height: int) -> np.ndarray:
    """A coloured pattern that drifts, so that the encoder has something to do."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    phase = index / 6 + number
    shades = [np.sin(x / 37 + phase), np.sin(y / 29 - phase), np.sin((x + y) / 53 + 2 * phase)]
    return (np.stack(shades, axis=-1) * 120 + 128).astype(np.uint8)


def make_clips(folder: Path, width: int, height: int, fps: Fraction) -> None:
    from pack.nodes.engine.film.video_file import CLIP, VideoFileWriter

    for number in range(CLIPS):
        with VideoFileWriter(folder / f"{number}.mp4", width, height, fps, CLIP) as file:
            for index in range(round(fps) * 3):
                file.write(draw(number, index, width, height))


def assemble(folder: Path, seconds: float, fps: Fraction) -> dict[str, float]:
    """Assembles one film and measures this process; called in a process of its own."""
    import resource

    from pack.nodes.engine.film.assemble import FilmSettings, assemble_film
    from pack.nodes.engine.film.clip_source import FileClip
    from pack.nodes.engine.timeline import Shot, Timeline

    edges = [*np.arange(0, seconds - 1.5, 2.0137), seconds]
    shots = tuple(Shot(float(start), float(end), "", 0) for start, end in zip(edges, edges[1:], strict=False))
    song = np.random.default_rng(0).random((2, round(seconds * SAMPLE_RATE)), dtype=np.float32)  # drawn in place: no peak of its own
    song -= 0.5
    clips = [FileClip(folder / f"{number % CLIPS}.mp4") for number in range(len(shots))]
    settings = FilmSettings(transition="crossfade", short_clips="hold last frame", fps=fps)
    start = time.perf_counter()
    film = assemble_film(
        Timeline(seconds, shots=shots), clips, song, SAMPLE_RATE, folder / f"film{seconds:g}.mp4", settings, lambda *_: None
    )
    taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    size = film.path.stat().st_size / 2**20
    return {"frames": film.frames, "seconds": taken, "peak": peak, "less_song": peak - song.nbytes / 2**20, "size": size}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="1280x720")
    parser.add_argument("--fps", type=int, default=24)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 6])
    parser.add_argument("--one", nargs=2, metavar=("FOLDER", "SECONDS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    import conftest  # noqa: F401  loads the pack as ComfyUI does

    if options.one:
        sys.stdout.write(json.dumps(assemble(Path(options.one[0]), float(options.one[1]), Fraction(options.fps))))
        return
    width, height = map(int, options.size.split("x"))
    print(f"{width}x{height}, {options.fps} frames a second, crossfades, MP4")
    print("| minutes | frames | frames a second | peak MB | less the song, MB | file MB |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        make_clips(Path(name), width, height, Fraction(options.fps))
        found = []
        for minutes in options.minutes:
            command = [sys.executable, __file__, "--fps", str(options.fps), "--one", name, str(minutes * 60)]
            found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
            row = found[-1]
            rate, memory = row["frames"] / row["seconds"], f"{row['peak']:.0f} | {row['less_song']:.0f}"
            print(f"| {minutes:g} | {row['frames']} | {rate:.1f} | {memory} | {row['size']:.1f} |", flush=True)
    difference = found[-1]["less_song"] - found[0]["less_song"]
    print(f"\nThe longest film takes {difference:+.1f} MB against the shortest, the song's own samples left out.")


if __name__ == "__main__":
    main()
