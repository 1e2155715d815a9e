"""The report on the built-in model: how plainly prompts steer it, and what it looks like.

Prints each probe's number for made and drawn pictures, the places read back, how much blocks show, what the autoencoder
loses, the time a frame takes, and writes a contact sheet (JPEG) of prompts with two seeds each.
Usage: python tests/bench/report_demo_model.py [SHEET.jpg]
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
SHEET = (
    "a beach by day, sunny, no people",
    "wide shot, a woman with red hair singing on a beach at sunset, warm colours",
    "mountains under a starry sky, no people",
    "close-up, a woman with long blonde hair, smiling, in a meadow by day",
    "a city street at night, neon colours",
    "medium shot, a man in a red jacket singing on stage",
    "a forest in the snow, no people",
    "close-up portrait of a man, eyes closed, in the rain, cold colours",
    "an open road in a storm with lightning",
    "full body, a woman in a yellow dress dancing in a meadow, joyful",
    "a desert at sunset, no people",
    "a woman in a blue dress, hands in the air, at a party in a club, energetic",
    "a forest in the morning mist",
    "close-up, a sad woman with black hair in a room at night, melancholy",
    "outer space with a planet",
    "a man walking on a long road, black and white",
)


def start_comfyui() -> None:
    """ComfyUI's modules and the pack, as the tests have them."""
    import importlib.util

    sources = [Path(os.environ.get("COMFYUI_PATH", "-")), *sorted((ROOT / ".cache").glob("ComfyUI-*"))]
    source = next((path for path in sources if (path / "main.py").is_file()), None)
    if source is None:
        raise SystemExit("No ComfyUI source here; set COMFYUI_PATH to its folder.")
    sys.path[:] = [str(source), str(ROOT / "tests" / "demo"), *(entry for entry in sys.path if Path(entry).resolve() != ROOT)]
    sys.argv = ["main.py", "--cpu", "--base-directory", tempfile.mkdtemp()]
    import comfy.options

    comfy.options.enable_args_parsing()
    spec = importlib.util.spec_from_file_location("pack", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    assert spec and spec.loader
    sys.modules["pack"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules["pack"])
    logging.disable(logging.INFO)


def write_sheet(painter: Any, path: Path, seeds: range = range(2)) -> None:
    """Two prompts a row, each with its words above its pictures."""
    from steering import SIZE

    width, height, line = SIZE[0] * 5 // 8, SIZE[1] * 5 // 8, 16
    sheet = Image.new("RGB", (width * len(seeds) * 2, (height + line) * (len(SHEET) // 2)), (24, 24, 28))
    draw = ImageDraw.Draw(sheet)
    for number, prompt in enumerate(SHEET):
        x, y = (number % 2) * width * len(seeds), (number // 2) * (height + line)
        draw.text((x + 4, y + 2), prompt, fill=(235, 235, 235))
        for place, picture in enumerate(painter.paint(prompt, seeds)):
            small = Image.fromarray((picture * 255).round().astype(np.uint8)).resize((width, height), Image.Resampling.LANCZOS)
            sheet.paste(small, (x + place * width, y + line))
    sheet.save(path, quality=82, optimize=True)


def print_seams(painter: Any, count: int = 48) -> None:
    """Blocks and sharpness of made pictures beside drawn ones; what encoding and decoding lose."""
    from seams import draw_scenes, draw_textures, paint_prompts, round_trip, seam_strength, sharpness, weave

    scenes, textures, made = draw_scenes(count), draw_textures(count // 2), paint_prompts(painter, count)
    print(f"{'pictures':42} {'seams':>6} {'weave':>6} {'sharpness':>10} {'PSNR':>6}")
    for name, pictures in (("drawn scenes", scenes), ("textures", textures), ("made (6 steps, guidance 3)", made)):
        print(f"{name:42} {seam_strength(pictures):6.2f} {weave(pictures):6.2f} {sharpness(pictures):10.2f}")
    for name, pictures in (("drawn scenes, encoded and decoded", scenes), ("textures, encoded and decoded", textures)):
        back = round_trip(painter, pictures)
        print(f"{name:42} {back.seams:6.2f} {back.weave:6.2f} {back.sharpness:10.2f} {back.psnr:6.2f}")


def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo_model_sheet.jpg")
    start_comfyui()
    from steering import PLACE_PROMPTS, PROBES, Painter, measure_probe, read_places

    painter = Painter()
    print(f"{'probe':42} {'made':>15} {'drawn':>15}  strength  right way")
    for probe in PROBES:
        found = measure_probe(painter, probe, range(4))
        made, drawn = (f"{more:7.3f}{less:8.3f}" for more, less in (found.made, found.drawn))
        print(f"{probe.name:42} {made} {drawn}  {found.strength:8.2f}  {found.share:8.0%}")
    places = {place: painter.paint(f"{prompt} by day, no people", range(3)) for place, prompt in PLACE_PROMPTS.items()}
    print(f"places read back: {read_places(places):.0%} of {3 * len(places)}")
    print_seams(painter)
    start = time.perf_counter()
    painter.paint("a beach", range(8))
    print(f"a frame of 448 x 256 at 8 steps with guidance, decoded, in batches of 8: {(time.perf_counter() - start) / 8 * 1000:.0f} ms")
    write_sheet(painter, path)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
