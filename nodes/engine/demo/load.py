"""The built-in model as the three objects ComfyUI works with.

In: the weights beside this file. Out: `DemoModel(model, clip, vae)`: core's ModelPatcher, CLIP and VAE, so every core node works on them.
Device, precision and memory are core's business. It knows nothing of nodes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from .autoencoder import BLOCK, LATENT_CHANNELS, DemoAutoencoder
from .denoiser import make_model_config
from .text import expand_words, make_clip_target

WEIGHTS = Path(__file__).parent / "weights" / "demo_model.safetensors"


class DemoModel(NamedTuple):
    model: Any  # comfy.model_patcher.ModelPatcher
    clip: Any  # comfy.sd.CLIP
    vae: Any  # comfy.sd.VAE


def load_demo_model(disable_dynamic: bool = False) -> DemoModel:
    """Fresh objects from the file; raises ValueError where the weights are missing."""
    weights = _read_weights()
    return DemoModel(_load_denoiser(weights, disable_dynamic), _load_text(weights, disable_dynamic), _load_autoencoder(weights))


def load_denoiser(disable_dynamic: bool = False) -> Any:
    """Only the MODEL; core calls this again where it needs a copy of its own."""
    return _load_denoiser(_read_weights(), disable_dynamic)


def load_text(disable_dynamic: bool = False) -> Any:
    """Only the CLIP's patcher, for the same purpose."""
    return _load_text(_read_weights(), disable_dynamic).patcher


def _read_weights() -> dict[str, Any]:
    from comfy.utils import load_torch_file

    if not WEIGHTS.is_file():
        raise ValueError(f"The built-in model's weights are missing ({WEIGHTS.name}): install the pack again.")
    weights: Any = load_torch_file(str(WEIGHTS))
    return weights


def _part(weights: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}


def _load_denoiser(weights: dict[str, Any], disable_dynamic: bool) -> Any:
    from comfy import model_management, model_patcher

    preview = weights["latents.preview"].float()
    config = make_model_config(preview[:-1].tolist(), preview[-1].tolist())
    unet_weights = _part(weights, "model.diffusion_model.")
    size = sum(value.numel() for value in unet_weights.values())
    device = model_management.get_torch_device()
    dtype = model_management.unet_dtype(model_params=size, supported_dtypes=config.supported_inference_dtypes)
    config.set_inference_dtype(dtype, model_management.unet_manual_cast(dtype, device, config.supported_inference_dtypes))
    offload = model_management.unet_offload_device()
    model = config.get_model({}, device=offload)
    patcher_class = model_patcher.ModelPatcher if disable_dynamic else model_patcher.CoreModelPatcher
    patcher = patcher_class(model, load_device=device, offload_device=offload)
    model.load_model_weights(
        {f"model.diffusion_model.{name}": value for name, value in unet_weights.items()},
        "model.diffusion_model.",
        assign=patcher.is_dynamic(),
    )
    patcher.cached_patcher_init = (load_denoiser, ())
    return patcher


def _load_text(weights: dict[str, Any], disable_dynamic: bool) -> Any:
    from comfy import sd

    table = expand_words(_part(weights, "cond_stage_model."))
    size = sum(value.numel() for value in table.values())
    clip = sd.CLIP(
        make_clip_target(), embedding_directory=_embedding_folders(), parameters=size, state_dict=[table], disable_dynamic=disable_dynamic
    )
    clip.patcher.cached_patcher_init = (load_text, ())
    return clip


def _embedding_folders() -> Any:
    import folder_paths

    return folder_paths.get_folder_paths("embeddings")


def _load_autoencoder(weights: dict[str, Any]) -> Any:
    """Core's VAE picks its network by the weights' names and has none for ours: it is built around a tiny one, then given ours."""
    from comfy import model_management, model_patcher, ops, sd
    from comfy.ldm.models.autoencoder import AutoencoderKL

    tiny = {
        "double_z": True,
        "z_channels": LATENT_CHANNELS,
        "resolution": 32,
        "in_channels": 3,
        "out_ch": 3,
        "ch": 32,
        "ch_mult": [1],
        "num_res_blocks": 1,
        "attn_resolutions": [],
        "dropout": 0.0,
    }
    config = {"ddconfig": tiny, "embed_dim": LATENT_CHANNELS}
    vae: Any = sd.VAE(sd=AutoencoderKL(**config).state_dict(), config={"params": config})
    network = DemoAutoencoder(ops.disable_weight_init).eval().requires_grad_(False)
    network.load_state_dict(_part(weights, "first_stage_model."))
    vae.first_stage_model = network.to(vae.vae_dtype)
    model_management.archive_model_dtypes(network)
    vae.patcher = model_patcher.CoreModelPatcher(network, load_device=vae.device, offload_device=model_management.vae_offload_device())
    vae.downscale_ratio = vae.upscale_ratio = BLOCK
    vae.latent_channels = LATENT_CHANNELS
    vae.memory_used_encode = lambda shape, dtype: 24 * shape[2] * shape[3] * model_management.dtype_size(dtype)
    vae.memory_used_decode = lambda shape, dtype: 40 * BLOCK * BLOCK * shape[2] * shape[3] * model_management.dtype_size(dtype)
    vae.size = None
    vae.model_size()
    return vae
