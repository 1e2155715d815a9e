"""Makes the built-in model's weights from nothing: `python nodes/engine/demo/train.py STAGE --minutes M --work FOLDER`.

Stages, in order: autoencoder (seconds), decoder, pictures, text, denoiser, drawn, repair, export. Decoder, pictures, denoiser,
drawn and repair resume where they stopped; the first three may run side by side. `unpack` lays the released weights into the
work folder, to go on from them.
Needs torch and ComfyUI's source (COMFYUI_PATH, or .cache/ComfyUI-* beside the repository's files).
weights/README.md tells the run that was made.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
STAGES = ("autoencoder", "decoder", "pictures", "text", "denoiser", "drawn", "repair", "export", "unpack")


def _add_paths() -> None:
    """Core from its source, told to use the CPU; the package `demo` from here."""
    root = HERE.parents[2]
    sources = [os.environ.get("COMFYUI_PATH", ""), *map(str, sorted((root / ".cache").glob("ComfyUI-*"), reverse=True))]
    source = next((path for path in sources if path and (Path(path) / "comfy").is_dir()), None)
    if source is None:
        raise SystemExit("ComfyUI's source was not found; set COMFYUI_PATH to its folder.")
    sys.path[:0] = [source, str(HERE.parent)]
    import comfy.options

    sys.argv[1:] = ["--cpu"]
    comfy.options.enable_args_parsing()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--work", type=Path, default=HERE.parents[2] / ".cache" / "demo_training")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--count", type=int, default=12000, help="pictures to draw")
    parser.add_argument("--rate", type=float, default=2e-3, help="the denoiser's learning rate; lower when going on after an end")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0, help="0: as torch likes")
    options = parser.parse_args()
    _add_paths()
    options.work.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        handlers=[logging.StreamHandler(), logging.FileHandler(options.work / "training.log")],
    )
    import torch

    logging.getLogger().setLevel(logging.WARNING)  # core tells much
    logging.getLogger("music_video").setLevel(logging.INFO)
    if options.threads:
        torch.set_num_threads(options.threads)
    _run(options)


def _run(options: argparse.Namespace) -> None:
    from demo.training import compression, diffusion, drawn, language, pictures, release, repair

    stage, work, timed = options.stage, options.work, {"minutes": options.minutes, "seed": options.seed}
    if stage == "autoencoder":
        compression.fit_encoder(work, options.seed)
    elif stage == "decoder":
        compression.train_decoder(work, **timed)
    elif stage == "pictures":
        pictures.draw_pictures(work, count=options.count, seed=options.seed)
    elif stage == "text":
        language.train_text(work, seed=options.seed)
    elif stage == "denoiser":
        diffusion.train_denoiser(work, rate=options.rate, **timed)
    elif stage == "drawn":
        drawn.redraw_pictures(work, count=options.count, seed=options.seed)
    elif stage == "repair":
        repair.repair_decoder(work, **timed)
    elif stage == "unpack":
        release.unpack_weights(HERE / "weights", work)
    else:
        release.write_weights(work, HERE / "weights")


if __name__ == "__main__":
    main()
