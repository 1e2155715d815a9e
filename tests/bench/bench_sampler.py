"""What Beat-Synced Sampler costs beside the model: time over its bare evaluations, and memory by the film's length.

Run: python tests/bench/bench_sampler.py overhead [--size 448x256] [--steps 8] [--shots 6]
     python tests/bench/bench_sampler.py memory [--size 256x256] [--fps 4] [--minutes 1 6]
The built-in model does the work through core's sampling, as in a workflow. `overhead` counts and times every call of the
model's network and of the VAE's decoder; what is left of the whole is ours: noise, blending, and as much of
camera, encoding and files as is not done while the network works.
`memory` renders films of both lengths, each in a process of its own, and reads its peak from the system. One step without
guidance is enough there, since every step uses the same memory.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))


def start_comfyui(base: Path) -> None:
    """ComfyUI's modules in this process, on the CPU, with folders of its own."""
    import conftest

    place = conftest.find_comfyui()
    if place is None:
        raise SystemExit("No ComfyUI here; run `python tests/run.py` once, or name yours in COMFYUI_PATH.")
    sys.path.insert(0, str(place))
    sys.argv = ["main.py", "--cpu", "--base-directory", str(base), "--database-url", "sqlite:///:memory:", "--disable-api-nodes"]
    conftest._import_comfyui()


def make_timeline(seconds: float, shot: float) -> Any:
    from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline

    edges = np.append(np.arange(0, seconds - shot / 2, shot), seconds)
    return Timeline(
        seconds,
        beats=tuple(Beat(float(time), n % 4 + 1) for n, time in enumerate(np.arange(0, seconds, 0.5))),
        beat_confidence=0.9,
        downbeat_confidence=0.9,
        curves=(Curve("onset", 50.0, tuple(np.abs(np.sin(np.arange(round(seconds * 50)) / 9)))),),
        shots=tuple(
            Shot(float(a), float(b), "a beach at sunset", n, "sway", "a beach at night")
            for n, (a, b) in enumerate(zip(edges, edges[1:], strict=False))
        ),
    )


class Meter:
    """Counts the calls of a function and the seconds inside it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.calls, self.items, self.seconds = function, 0, 0, 0.0

    def __call__(self, first: Any, *rest: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return self.function(first, *rest, **options)
        finally:
            self.seconds += time.perf_counter() - start
            self.calls += 1
            self.items += len(first) if hasattr(first, "__len__") else 1


def render(folder: Path, timeline: Any, size: tuple[int, int], fps: Fraction, steps: int, cfg: float) -> dict[str, float]:
    import torch
    from pack.nodes import image_model
    from pack.nodes.engine.demo.load import load_demo_model
    from pack.nodes.engine.film.clip_cache import ClipCache
    from pack.nodes.engine.film.render import RenderSettings, render_shots
    from pack.nodes.image_model import HostImageModel, SamplingSettings

    model, clip, vae = load_demo_model()
    host = HostImageModel(model, clip, vae, SamplingSettings(steps, cfg, "euler", "simple", ""), "bench")
    settings = RenderSettings(*size, fps)
    with torch.inference_mode():
        render_shots(make_timeline(0.5, 0.5), settings, host, ClipCache(folder / "warm"), lambda _progress: None)
        network, decoder = Meter(model.model.diffusion_model.forward), Meter(vae.decode)
        sampling = Meter(image_model.comfy.sample.sample)
        model.model.diffusion_model.forward, vae.decode = network, decoder
        image_model.comfy.sample.sample = sampling
        before, start = peak_memory(), time.perf_counter()
        clips = render_shots(timeline, settings, host, ClipCache(folder / "clips"), lambda _progress: None)
        seconds = time.perf_counter() - start
    return {
        "frames": sum(clip.frames for clip in clips), "seconds": seconds, "network": network.seconds, "evaluations": network.items,
        "loop": sampling.seconds - network.seconds, "decoding": decoder.seconds, "peak": peak_memory(), "above": peak_memory() - before,
    }  # fmt: skip


def peak_memory() -> float:
    """The most memory this process ever held, in MiB."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 2**20)


def measure_overhead(size: tuple[int, int], steps: int, shots: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        start_comfyui(Path(folder))
        found = render(Path(folder), make_timeline(shots * 2.0, 2.0), size, Fraction(12), steps, 3.0)
    ours = found["seconds"] - found["network"] - found["loop"] - found["decoding"]
    print(f"{found['frames']} frames of {size[0]}x{size[1]}, {steps} steps: {found['evaluations']} evaluations")
    parts = {"network": found["network"], "core's loop": found["loop"], "decoding": found["decoding"], "all else": ours}
    for name, seconds in parts.items():
        print(f"{name:12s} {seconds:8.2f} s  {100 * seconds / found['network']:6.1f} % of the network's time")


def measure_memory(size: tuple[int, int], fps: int, minutes: list[float]) -> None:
    options = ["--size", f"{size[0]}x{size[1]}", "--fps", str(fps)]
    for length in minutes:
        command = [sys.executable, __file__, "memory", *options, "--one", str(length * 60)]
        found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
        print(f"{length:g} min: {found['frames']} frames in {found['seconds']:.0f} s, peak {found['peak']:.0f} MiB, "
              f"{found['above']:.0f} MiB above the loaded model")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("what", choices=["overhead", "memory"])
    parser.add_argument("--size", default="448x256")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--shots", type=int, default=6)
    parser.add_argument("--fps", type=int, default=4)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1, 6])
    parser.add_argument("--one", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    if options.one:
        with tempfile.TemporaryDirectory() as folder:
            start_comfyui(Path(folder))
            found = render(Path(folder), make_timeline(options.one, 2.0), (width, height), Fraction(options.fps), 1, 1.0)
        print(json.dumps(found))
    elif options.what == "overhead":
        measure_overhead((width, height), options.steps, options.shots)
    else:
        measure_memory((width, height), options.fps, options.minutes)


if __name__ == "__main__":
    main()
