"""How well each movement shows the music: the demo song's film in every one of them, measured as Video Report measures it.

Run: python tests/bench/bench_motion.py [--size 224x128] [--fps 12] [--steps 6] [--movements pulse dream] [--save FOLDER] [--colour]
The demo song's own storyboard, drawn by the built-in model through core's sampling, cut together from the finished clips. `halfway`
counts accents halfway between beats: what chance gives. `flicker` is in percent of full scale with motion taken out, `drift` the
median over the shots of the change of colour (CIE Lab) and of contrast from a shot's first third to its last. `asked` are the flashes
in any one second of the frames that came to the flash limiter, `held` how many of them it changed. `strobe` and `prompt strobe` are
the storyboard's film with a curve from outside that goes to and fro six times a second, in exposure or between a shot's two prompts.
`--save` writes a contact sheet a movement, one row a shot. `--colour` tells apart shots whose prompt changes, which should drift, and
those whose does not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from bench_sampler import start_comfyui
from bench_walk import plan_demo_song

COLUMNS = ("movement", "beats", "halfway", "onsets", "cuts", "flicker", "general", "red", "colour", "contrast", "asked", "held")
STROBES = {"strobe": "exposure", "prompt strobe": "prompt"}
STROBE_RATE = 6  # a second
TILES = 8  # of a shot's row in a contact sheet


@dataclass(frozen=True)
class Joined:
    """Clip files one after the other as one clip, flashes held back as Video Assembler does."""

    paths: list[Path]
    fps: Fraction

    @property
    def facts(self) -> Any:
        from pack.nodes.engine.film.video_file import VideoFacts, probe_video

        parts = [probe_video(path) for path in self.paths]
        frames = sum(part.frames for part in parts)
        return VideoFacts(parts[0].width, parts[0].height, self.fps, frames, float(frames / self.fps), False)

    def timed_frames(self, size: tuple[int, int]) -> Iterator[Any]:
        from pack.nodes.engine.film.flash_limit import FlashLimiter
        from pack.nodes.engine.film.video_file import read_frames
        from pack.nodes.engine.film.video_frames import TimedFrame, scale_frame

        limiter = FlashLimiter(self.fps)
        frames = (frame for path in self.paths for frame in read_frames(path))
        for number, frame in enumerate(frames):
            yield TimedFrame(float(number / self.fps), scale_frame(limiter.show(frame), size))


class Watch:
    """Counts the frames that the limiter changed, and the flashes of those that came to it."""

    def __init__(self, fps: Fraction) -> None:
        from pack.nodes.engine.film.flash_limit import FlashLimiter
        from pack.nodes.engine.film.flashes import to_light
        from pack.nodes.engine.film.flicker import shrink

        self.fps, show = fps, FlashLimiter.show
        self.begin()

        def watched(limiter: Any, frame: np.ndarray) -> np.ndarray:
            self.counter.add(float(self.seen / self.fps), to_light(shrink(frame)))
            shown = show(limiter, frame)
            self.seen, self.held = self.seen + 1, self.held + (shown is not frame)
            return shown

        FlashLimiter.show = watched  # type: ignore[method-assign]

    def begin(self) -> None:
        from pack.nodes.engine.film.flashes import FlashCounter

        self.held, self.seen, self.counter = 0, 0, FlashCounter()


def choose_motion(timeline: Any, fps: Fraction, name: str) -> dict[str, Any]:
    from pack.nodes.engine.film.given_curves import GivenCurves
    from pack.nodes.engine.timeline import frame_at

    if name not in STROBES:
        return {"movement": name}
    times = np.arange(frame_at(timeline.duration, fps)) / float(fps)
    return {"given": GivenCurves(**{STROBES[name]: tuple(1.0 * ((times * STROBE_RATE + 1e-6) % 1 < 0.5))})}


def draw(timeline: Any, host: Any, settings: Any, folder: Path) -> list[Path]:
    from pack.nodes.engine.film.clip_cache import ClipCache
    from pack.nodes.engine.film.render import render_shots

    return [clip.path for clip in render_shots(timeline, settings, host, ClipCache(folder), lambda _progress: None)]


def measure(timeline: Any, paths: list[Path], fps: Fraction) -> Any:
    from pack.nodes.engine.film.report import measure_film

    return measure_film(Joined(paths, fps), None, timeline, lambda _done, _total: None).report


def to_row(name: str, report: Any, asked: int, held: int) -> list[str]:
    drifts = [(shot.colour, abs(shot.contrast)) for shot in report.shots if shot.colour is not None]
    colour, contrast = np.median(np.array(drifts), axis=0)
    flashes = report.flashes
    return [
        name, f"{report.beats.hits}/{report.beats.beats} {report.beats.rate:.0%}", f"{report.beats.halfway}/{report.beats.beats}",
        f"{report.onsets.correlation:.2f}", f"{report.cuts_in_time}/{len(report.cuts.cuts)}",
        f"{100 * report.flicker:.2f} ({100 * report.flicker_high:.2f})",
        *(f"{flashes[f'{kind} in frame'].count} ({flashes[f'{kind} in field'].count})" for kind in ("general", "red")),
        f"{colour:.1f}", f"{contrast:.0%}", str(asked), str(held),
    ]  # fmt: skip


def tell_drift(timeline: Any, report: Any) -> None:
    for changes in (True, False):
        shots = [seen for shot, seen in zip(timeline.shots, report.shots, strict=True) if bool(shot.end_prompt) == changes]
        rows = [(seen.colour, abs(seen.contrast)) for seen in shots if seen.colour is not None]
        if rows:
            print(f"  prompt changes: {changes}; shots {len(rows)}; median colour, contrast: {np.median(np.array(rows), axis=0).round(3)}")


def save_sheet(path: Path, clips: list[Path]) -> None:
    from pack.nodes.engine.film.video_file import read_frames

    rows = []
    for clip in clips:
        frames = list(read_frames(clip))
        chosen = [frames[int(place)] for place in np.linspace(0, len(frames) - 1, TILES)]
        rows.append(np.concatenate([cv2.resize(frame, (160, 160 * frame.shape[0] // frame.shape[1])) for frame in chosen], axis=1))
    cv2.imwrite(str(path), np.concatenate(rows)[..., ::-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n\n")[0])
    parser.add_argument("--size", default="224x128")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--fps", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--movements", nargs="+")
    parser.add_argument("--save", type=Path, help="a folder for contact sheets and clips")
    parser.add_argument("--colour", action="store_true")
    options = parser.parse_args()
    width, height = map(int, options.size.split("x"))
    with tempfile.TemporaryDirectory() as base:
        start_comfyui(Path(base))
        import torch
        from pack.nodes.engine.demo.load import load_demo_model
        from pack.nodes.engine.film.motion import BY_STORYBOARD, MOVEMENTS
        from pack.nodes.engine.film.render import RenderSettings
        from pack.nodes.image_model import HostImageModel, SamplingSettings

        timeline, fps = plan_demo_song(), Fraction(options.fps)
        watch = Watch(fps)
        model, clip, vae = load_demo_model()
        host = HostImageModel(model, clip, vae, SamplingSettings(options.steps, 3.0, "euler", "simple", ""), "bench")
        print(" | ".join(COLUMNS))
        for name in options.movements or [BY_STORYBOARD, *MOVEMENTS, *STROBES]:
            watch.begin()
            with torch.inference_mode():
                settings = RenderSettings(width, height, fps, options.seed, walk_amount=0.35, **choose_motion(timeline, fps, name))
                paths = draw(timeline, host, settings, options.save / name if options.save else Path(base) / name)
            asked, held = watch.counter.most(), watch.held
            report = measure(timeline, paths, fps)
            print(" | ".join(to_row(name, report, asked, held)))
            sys.stdout.flush()
            if options.colour:
                tell_drift(timeline, report)
            if options.save:
                save_sheet(options.save / f"{name}.png", paths)


if __name__ == "__main__":
    main()
