"""What the whole analysis of a song costs: CPU seconds and memory, by its length.

    python tests/bench/bench_analysis_memory.py [--minutes 4 20 60] [--song FILE] [--listener auto]

The song (the demo song, or one of your own) is repeated to each length, stereo at 44.1 kHz. Each is analysed in a process of its own with
one thread, whose memory is the kernel's: with torch and librosa loaded, with the song's samples (which ComfyUI holds anyway), and the
peak of the analysis above both.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEMO_SONG = HERE.parent.parent / "workflows" / "assets" / "demo_song.ogg"
RATE = 44100


def read_memory(name: str) -> float:
    """A figure of this process in MB: VmRSS is what it holds now, VmHWM the most that it ever held."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def measure(song: Path, minutes: float, listener: str) -> dict[str, float]:
    sys.path.insert(0, str(HERE.parent))
    import conftest  # noqa: F401  (loads the pack as ComfyUI does)
    import librosa
    import numpy as np
    import soundfile
    import soxr
    import torch
    from pack.nodes.engine.song.analysis import analyse_song
    from pack.nodes.engine.song.listening import Listening

    torch.set_num_threads(1)
    samples, rate = soundfile.read(song, dtype="float32", always_2d=True)
    part = soxr.resample(samples, rate, RATE).T[:2].astype(np.float32)
    analyse_song(part[:, : 8 * RATE], RATE, listening=Listening(listener))  # loads what is loaded on first use
    libraries = read_memory("VmRSS") - part.nbytes / 2**20
    count = int(minutes * 60 * RATE)
    whole = np.empty((2, count), np.float32)
    for first in range(0, count, part.shape[1]):
        whole[:, first : first + part.shape[1]] = part[:, : count - first]
    before = read_memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # VmHWM starts anew
    begin = time.process_time()
    timeline = analyse_song(whole, RATE, listening=Listening(listener))
    cost = time.process_time() - begin
    assert librosa
    size = len(timeline.to_json()) / 2**20
    return {"cpu": cost, "libraries": libraries, "above": read_memory("VmHWM") - before, "json": size, "sections": len(timeline.sections)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[4, 20, 60])
    parser.add_argument("--song", type=Path, default=DEMO_SONG)
    parser.add_argument("--listener", default="built-in")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        return print(json.dumps(measure(options.song, options.minutes[0], options.listener)))
    print("| minutes | CPU s | MB above libraries and song | libraries, MB | timeline as JSON, MB | sections |\n|---|---|---|---|---|---|")
    for minutes in options.minutes:
        command = [sys.executable, __file__, "--worker", "--minutes", str(minutes)]
        command += ["--song", str(options.song), "--listener", options.listener]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        row = json.loads(answer.splitlines()[-1])
        figures = f"{row['cpu']:.1f} | {row['above']:.0f} | {row['libraries']:.0f} | {row['json']:.2f} | {row['sections']}"
        print(f"| {minutes:g} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
