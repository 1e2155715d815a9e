"""What sharing steps between neighbouring frames saves and costs: the same shots frame by frame, shared, and steadied.

Run: python tests/bench/bench_walk.py [--size 256x160] [--steps 20] [--fps 12] [--shots 1 2 3] [--seconds 2]
     [--ways shared 'anchor 1'] [--save FOLDER]
The demo song's own storyboard, drawn by the built-in model through core's sampling. Evaluations are counted at the network, guidance
counted twice as it costs. Flicker is the warped-frame error: the mean difference, in grey levels, of a frame to the one before moved
along Farneback's optical flow. Change is the mean difference without that. Both are measured on the bare pictures, where nothing but
the walk moves, and, as `film`, after the camera. `music` is the correlation of the change with the onset curve. `reach` is the largest
mean difference of a frame to the shot's first: what is left of the walk, with which flicker must be compared, for a shorter walk
flickers less too. `apart` is the mean difference to the frame-by-frame film. Percentages are beside the row `shared`.
`core` times core's own KSampler on the same batches, per evaluation.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from bench_sampler import Meter, start_comfyui

ROOT = Path(__file__).resolve().parents[2]
SCENES = """a woman with long dark hair singing on a beach at sunset
a woman with red hair in a desert at noon, blue sky -> a woman with red hair in a desert at night
a girl with pink hair singing on a stage, neon colours
a woman in a red dress dancing on a beach by day"""


class Way(NamedTuple):
    shared_steps: float = 0.9
    steadiness: float = 0.0
    anchor_attention: float = 0.0
    walk_amount: float = 0.35


WAYS = {
    "frame by frame": Way(0.0),
    "shared": Way(),
    "steadiness 0.5": Way(steadiness=0.5),
    "steadiness 0.8": Way(steadiness=0.8),
    "anchor 0.5": Way(anchor_attention=0.5),
    "anchor 1": Way(anchor_attention=1.0),
    "anchor 0.5, steadiness 0.5": Way(steadiness=0.5, anchor_attention=0.5),
    "anchor 1, steadiness 0.5": Way(steadiness=0.5, anchor_attention=1.0),
    "anchor 1, steadiness 0.8": Way(steadiness=0.8, anchor_attention=1.0),
    "shorter walk, 0.25": Way(walk_amount=0.25),
    "shorter walk, 0.15": Way(walk_amount=0.15),
}


class Row(NamedTuple):
    evaluations: float  # a second of film
    seconds: float
    flicker: float
    change: float
    music: float
    film_flicker: float
    film_music: float
    sharpness: float
    reach: float
    apart: float


def plan_demo_song() -> Any:
    import soundfile
    from pack.nodes.engine.film.storyboard import Wishes, write_storyboard
    from pack.nodes.engine.song.analysis import analyse_song

    samples, rate = soundfile.read(ROOT / "workflows" / "assets" / "demo_song.ogg", dtype="float32", always_2d=True)
    return write_storyboard(analyse_song(samples.T, rate, "auto", "auto", lambda *_: None), Wishes("soft illustration", SCENES))


def to_grey(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor((frame * 255).clip(0, 255).astype(np.uint8), cv2.COLOR_RGB2GRAY)


def measure_flicker(frames: np.ndarray) -> float:
    """Warped-frame error, grey levels: what optical flow cannot explain from one frame to the next."""
    rows, columns = np.mgrid[: frames.shape[1], : frames.shape[2]].astype(np.float32)
    errors = []
    for before, after in zip(frames, frames[1:], strict=False):
        flow = cv2.calcOpticalFlowFarneback(to_grey(after), to_grey(before), np.zeros((1,)), 0.5, 3, 15, 3, 5, 1.2, 0)
        moved = cv2.remap(before, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        errors.append(np.abs(moved - after).mean() * 255)
    return float(np.mean(errors))


def measure_change(frames: np.ndarray) -> np.ndarray:
    return np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3)) * 255


def measure_reach(frames: np.ndarray) -> float:
    return float(np.abs(frames - frames[0]).mean(axis=(1, 2, 3)).max() * 255)


def measure_sharpness(frames: np.ndarray) -> float:
    return float(np.mean([cv2.Laplacian(to_grey(frame).astype(np.float32), cv2.CV_32F).var() for frame in frames]))


class Bench:
    def __init__(self, size: tuple[int, int], steps: int, fps: Fraction, seconds: float, ways: list[str]) -> None:
        from pack.nodes.engine.demo.load import load_demo_model
        from pack.nodes.image_model import HostImageModel, SamplingSettings

        self.size, self.fps, self.seconds, self.steps, self.ways = size, fps, seconds, steps, ways
        self.model, clip, vae = load_demo_model()
        self.network = Meter(self.model.model.diffusion_model.forward)
        self.model.model.diffusion_model.forward = self.network
        self.host = HostImageModel(self.model, clip, vae, SamplingSettings(steps, 3.0, "euler", "simple", ""), "bench")

    def draw(self, timeline: Any, shot: Any, way: Way) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        """The bare pictures, the film's frames, the onset curve at each, and the seconds that drawing took."""
        from pack.nodes.engine.film.camera import move_camera
        from pack.nodes.engine.film.drawing import draw_pictures
        from pack.nodes.engine.film.frame_curves import frame_values
        from pack.nodes.engine.film.motion import plan_motion
        from pack.nodes.engine.film.render import RenderSettings
        from pack.nodes.engine.timeline import frame_span

        shot = replace(shot, end=min(shot.end, shot.start + self.seconds))
        settings = RenderSettings(*self.size, self.fps, **way._asdict())
        motion = plan_motion(timeline, shot, self.fps)
        start = time.perf_counter()
        pictures = [batch for _, batch in draw_pictures(shot, motion, settings, self.host, shot.seed, lambda *_: None)]
        seconds, place, film = time.perf_counter() - start, 0, []
        for batch in pictures:
            film.append(move_camera(batch, motion, place))
            place += len(batch)
        span = frame_span(shot, self.fps)
        onsets = np.asarray(frame_values(timeline, "onset", self.fps))[span.start : span.stop]
        return np.concatenate([batch.float().numpy() for batch in pictures]), np.concatenate(film) / np.float32(255), onsets, seconds

    def compare(self, timeline: Any, shot: Any, folder: Path | None, name: str) -> dict[str, Row]:
        rows, base, kept = {}, None, []
        for title in self.ways:
            self.network.items = 0
            bare, film, onsets, seconds = self.draw(timeline, shot, WAYS[title])
            base = bare if base is None else base
            rows[title] = Row(
                self.network.items / (len(bare) / float(self.fps)), seconds, measure_flicker(bare), float(measure_change(bare).mean()),
                correlate(measure_change(bare), onsets), measure_flicker(film), correlate(measure_change(film), onsets),
                measure_sharpness(bare), measure_reach(bare), float(np.abs(bare - base).mean() * 255),
            )  # fmt: skip
            kept.append(bare[:: max(1, len(bare) // 8)][:8])
        if folder is not None:
            sheet = np.concatenate([np.concatenate(list(row), axis=1) for row in kept])
            cv2.imwrite(str(folder / f"{name}.png"), (sheet[..., ::-1] * 255).clip(0, 255).astype(np.uint8))
        return rows

    def time_core(self, timeline: Any, batch: int = 4) -> tuple[float, float]:
        """Seconds per evaluation of core's KSampler and of our shared steps, in batches of one size, alternating."""
        import comfy.sample
        import torch
        from pack.nodes.engine.film.noise import seeded_noise

        prompt, empty = (self.host.encode_prompt(text) for text in (timeline.shots[0].prompt, ""))
        noise = torch.stack([seeded_noise(self.host.noise_shape(*self.size), seed) for seed in range(batch)])
        took: dict[str, list[float]] = {"core": [], "ours": []}
        for _ in range(5):
            for name in took:
                self.network.items, start = 0, time.perf_counter()
                if name == "core":
                    comfy.sample.sample(self.model, noise, self.steps, 3.0, "euler", "simple", prompt, empty, torch.zeros_like(noise),
                                        disable_pbar=True, seed=0)  # fmt: skip
                else:
                    trunk = round(0.9 * self.steps)
                    part, _seen = self.host.sample_part(noise, prompt, 0, range(trunk), lambda *_: None)
                    self.host.sample_part(part, prompt, 0, range(trunk, self.steps), lambda *_: None)
                took[name].append((time.perf_counter() - start) / self.network.items)
        return min(took["core"]), min(took["ours"])


def correlate(change: np.ndarray, onsets: np.ndarray) -> float:
    return float(np.corrcoef(change, onsets[1:])[0, 1])


def print_table(found: list[dict[str, Row]]) -> None:
    print("| " + " | ".join(["", *Row._fields]) + " |")
    means = {title: Row(*np.mean([rows[title] for rows in found], axis=0)) for title in found[0]}
    base = means.get("shared", next(iter(means.values())))
    for title, mean in means.items():
        cells = [f"{value:.3f}" for value in mean[2:]]
        cells[0], cells[3] = (
            f"{cells[0]} ({mean.flicker / base.flicker - 1:+.0%})",
            f"{cells[3]} ({mean.film_flicker / base.film_flicker - 1:+.0%})",
        )
        print(
            f"| {title} | {mean.evaluations:.0f} ({mean.evaluations / base.evaluations:.2f}) | {mean.seconds:.1f} | "
            + " | ".join(cells)
            + " |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--size", default="256x160")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--fps", type=int, default=12)
    parser.add_argument("--shots", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each shot")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS), metavar="WAY")
    parser.add_argument("--save", type=Path, help="a folder for contact sheets, one row a way")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as base:
        start_comfyui(Path(base))
        import torch

        timeline = plan_demo_song()
        bench = Bench((width, height), options.steps, Fraction(options.fps), options.seconds, options.ways)
        found = []
        with torch.inference_mode():
            for number in options.shots:
                found.append(bench.compare(timeline, timeline.shots[number - 1], options.save, f"shot {number}"))
                print(f"after shot {number}:")
                print_table(found)
                sys.stdout.flush()
            core, ours = bench.time_core(timeline)
        print(f"core's KSampler {core * 1000:.2f} ms an evaluation, ours in parts {ours * 1000:.2f} ms ({ours / core:.3f})")


if __name__ == "__main__":
    main()
