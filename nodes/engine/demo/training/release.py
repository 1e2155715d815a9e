"""Stage 5: the weights that the pack ships.

In: what the other stages left in the work folder. Out: `demo_model.safetensors`, float16, with the keys a checkpoint has
(`model.diffusion_model.`, `cond_stage_model.`, `first_stage_model.`), and how latents look as colours, for previews.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from ..picture import draw_scene
from ..scene import sample_scene
from .compression import load_autoencoder

_log = logging.getLogger("music_video")
WEIGHTS_NAME = "demo_model.safetensors"


def fit_preview(work: Path) -> dict[str, Tensor]:
    """Least squares from latents to the mean colour of their block, -1..1: [17, 3], the last row the constant."""
    model, rng = load_autoencoder(work), np.random.default_rng(0)
    codes, colours = [], []
    for _ in range(60):
        pixels = torch.from_numpy(draw_scene(sample_scene(rng), 448, 256, rng)).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.no_grad():
            codes.append(model.encode(pixels)[0].flatten(1).T)
        colours.append(functional.avg_pool2d(pixels, 16)[0].flatten(1).T)
    known = torch.cat(codes)
    known = torch.cat([known, torch.ones(len(known), 1)], dim=1)
    return {"preview": torch.linalg.lstsq(known, torch.cat(colours)).solution}


def _text_weights(work: Path) -> dict[str, Tensor]:
    saved = torch.load(work / "text.pt")
    weights = dict(saved["weights"])
    words = weights.pop("text_model.embeddings.token_embedding.weight")
    return {**weights, "words": words, "tokens": torch.tensor(saved["tokens"], dtype=torch.int32)}


def write_weights(work: Path, folder: Path) -> None:
    parts = {
        "model.diffusion_model.": torch.load(work / "denoiser.pt")["average"],
        "cond_stage_model.": _text_weights(work),
        "first_stage_model.": load_autoencoder(work).state_dict(),
        "latents.": fit_preview(work),
    }
    tensors = {prefix + name: value for prefix, part in parts.items() for name, value in part.items()}
    half = {name: value.half().contiguous() if value.is_floating_point() else value for name, value in tensors.items()}
    folder.mkdir(exist_ok=True)
    save_file(half, folder / WEIGHTS_NAME, metadata={"format": "pt", "made_by": "nodes/engine/demo/train.py"})
    _log.info("wrote %s, %.1f MB", WEIGHTS_NAME, (folder / WEIGHTS_NAME).stat().st_size / 1e6)


def unpack_weights(folder: Path, work: Path) -> None:
    """The way back: released weights as the work folder's files, so that any stage can go on from them."""
    weights = load_file(folder / WEIGHTS_NAME)

    def part(prefix: str) -> dict[str, Tensor]:
        chosen = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        return {name: value.float() if value.is_floating_point() else value for name, value in chosen.items()}

    text, unet = part("cond_stage_model."), part("model.diffusion_model.")
    words, tokens = text.pop("words"), text.pop("tokens").tolist()
    text["text_model.embeddings.token_embedding.weight"] = words
    torch.save({"weights": text, "tokens": tokens}, work / "text.pt")
    torch.save({"weights": unet, "average": unet, "step": 0}, work / "denoiser.pt")
    torch.save({"weights": part("first_stage_model."), "step": 0}, work / "autoencoder.pt")
