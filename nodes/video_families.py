"""Which video model a MODEL is: the lengths it makes, and what it begins with. Read from what core knows of the loaded model.

Core's latent formats do not tell pictures from video: Qwen-Image, Krea 2, Anima and others use Wan's latents and Wan's VAE. What
tells them apart is the kind of network that core has recognised in the file (`unet_config["image_model"]`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import video_starts as starts
from .engine.film.frame_grid import MODEL_GRIDS, FrameGrid, unknown_grid

if TYPE_CHECKING:
    from comfy.model_patcher import ModelPatcher
    from comfy.sd import VAE

STILLS = {"qwen_image", "krea2", "anima", "joyimage"}  # one picture in a video's latents
NESTED = {"ltxav", "minimax_h3"}  # picture and sound in one latent
SOUND_MOTION = 73  # pictures before the piece that Wan S2V goes on from, in core's wan_sound_to_video


@dataclass(frozen=True)
class VideoFamily:
    grid: FrameGrid
    begin: starts.Begin = starts.from_noise
    picture: str = "no"  # whether it can begin with one: "no", "may" or "must"
    hears: bool = False  # it is driven by the song
    memory: int = 0  # pictures of the piece before that it goes on from
    continues: bool = False  # its first picture is the last one of those


def is_video_model(model: ModelPatcher, vae: VAE) -> bool:
    """Whether a latent of this model is a piece of film, and the VAE knows how to decode one.

    ValueError for models whose latents hold picture and sound: they need nodes of their own.
    """
    kind, latents = _config(model).get("image_model"), _format(model)
    if kind in NESTED:
        raise ValueError(
            "This model makes picture and sound together, which Beat-Synced Sampler cannot take apart; "
            "draw its shots with its own nodes between Shot Loop Start and Shot Loop End."
        )
    if latents.latent_dimensions != 3 or latents.temporal_downscale_ratio < 2 or (vae.temporal_compression_decode() or 1) < 2:
        return False
    first_frame = getattr(model.model, "image_to_video", False)
    return kind not in STILLS and (kind != "cosmos_predict2" or first_frame)  # without one it is the text-to-image model


def find_family(model: ModelPatcher) -> VideoFamily:
    """How a video model is asked for a shot; one that is not known gets its lengths from its compression in time."""
    config, latents = _config(model), _format(model)
    kind, channels = config.get("image_model"), latents.latent_channels
    if kind == "wan2.1":
        return _find_wan(config, channels)
    known = {
        "ltxv": _chained("ltx", starts.from_ltx, "may"),
        "kandinsky5": _chained("kandinsky", starts.from_kandinsky, "may"),
        "mochi_preview": VideoFamily(MODEL_GRIDS["mochi"]),
        "cosmos": VideoFamily(MODEL_GRIDS["cosmos"]),
        "cosmos_predict2": _chained("cosmos predict2", starts.from_predict2, "must"),
    }
    if kind == "cosmos" and getattr(model.model, "image_to_video", False):
        return _chained("cosmos", starts.from_cosmos, "must")
    if kind == "hunyuan_video":
        if channels == 32:
            return _chained("hunyuan 1.5", starts.from_hunyuan15, "may")
        begins = config.get("in_channels", channels) > channels
        return _chained("hunyuan", starts.from_hunyuan, "must") if begins else VideoFamily(MODEL_GRIDS["hunyuan"])
    if kind == "cogvideox":
        grid = "cogvideox 1.5" if config.get("patch_size_t") else "cogvideox"
        begins = config.get("in_channels", channels) == 2 * channels
        return _chained(grid, starts.from_concat, "must") if begins else VideoFamily(MODEL_GRIDS[grid])
    return known.get(str(kind)) or VideoFamily(unknown_grid(latents.temporal_downscale_ratio))


def _find_wan(config: dict[str, Any], channels: int) -> VideoFamily:
    kind = config.get("model_type")
    if kind == "s2v":
        return VideoFamily(MODEL_GRIDS["wan s2v"], starts.from_wan_sound, "may", hears=True, memory=SOUND_MOTION)
    if kind == "humo":
        return VideoFamily(MODEL_GRIDS["wan humo"], starts.from_wan_humo, "may", hears=True)
    if channels == 48:
        family = _chained("wan 2.2 5b", starts.from_wan22, "may")
        return family if config.get("in_dim", channels) == channels else replace(family, begin=starts.from_noise, picture="no")
    if kind in ("i2v", "t2v") and config.get("in_dim") == 2 * channels + 4:  # latents, the picture's latents, and a mask of 4
        return _chained("wan", starts.from_wan, "must")
    return VideoFamily(MODEL_GRIDS["wan"])


def _chained(grid: str, begin: starts.Begin, picture: str) -> VideoFamily:
    return VideoFamily(MODEL_GRIDS[grid], begin, picture, memory=1, continues=True)


def _config(model: ModelPatcher) -> dict[str, Any]:
    return getattr(getattr(model.model, "model_config", None), "unet_config", {})


def _format(model: ModelPatcher) -> Any:
    return model.get_model_object("latent_format")
