"""Tiny models of ComfyUI's own classes with random weights: what a test gives to a node in place of a checkpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class SeededPrompts:
    """Stands where a CLIP would: embeddings drawn from the text itself, as many tokens as it has words."""

    patcher = None

    def __init__(self, width: int, pooled: int, masked: bool = False) -> None:
        self.width, self.pooled, self.masked, self.encoded = width, pooled, masked, 0

    def tokenize(self, text: str) -> str:
        return text

    def encode_from_tokens_scheduled(self, text: str) -> list[list[Any]]:
        self.encoded += 1
        generator = torch.Generator().manual_seed(sum(text.encode()))
        tokens = torch.randn(1, 4 + len(text.split()), self.width, generator=generator)
        options = {"pooled_output": torch.randn(1, self.pooled, generator=generator)}
        return [[tokens, options | ({"attention_mask": torch.ones(1, tokens.shape[1])} if self.masked else {})]]


def draw_weights(module: torch.nn.Module, dtype: torch.dtype = torch.float32) -> None:
    """Core's layers leave their memory as it is until a checkpoint is loaded."""
    generator = torch.Generator().manual_seed(0)
    for name, parameter in module.named_parameters():
        is_scale = parameter.ndim == 1 and name.endswith("weight")
        parameter.data = (torch.randn(parameter.shape, generator=generator) * 0.05 + (1.0 if is_scale else 0.0)).to(dtype)


def patch_model(model: Any) -> Any:
    import comfy.model_management
    import comfy.model_patcher

    draw_weights(model.diffusion_model, model.get_dtype())
    return comfy.model_patcher.ModelPatcher(model.eval(), comfy.model_management.get_torch_device(), torch.device("cpu"))


def make_halves(make: Callable[[], Any]) -> tuple[Any, Any]:
    """Two models of one kind whose weights differ a little."""
    high, low = patch_model(make()), patch_model(make())
    generator = torch.Generator().manual_seed(7)
    for weight in low.model.diffusion_model.parameters():
        weight.data += 0.05 * torch.randn(weight.shape, generator=generator).to(weight)
    return high, low


def make_vae(channels: int) -> Any:
    import comfy.sd
    from comfy.ldm.models.autoencoder import AutoencoderKL

    blocks = {"double_z": True, "z_channels": channels, "resolution": 64, "in_channels": 3, "out_ch": 3, "ch": 32,
              "ch_mult": [1, 1, 1, 1], "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.0}  # fmt: skip
    shape = {"ddconfig": blocks, "embed_dim": channels}
    coder = AutoencoderKL(**shape)
    draw_weights(coder)
    vae = comfy.sd.VAE(sd=coder.state_dict(), config={"params": shape})
    vae.latent_channels = channels
    return vae


def make_clip(family: str) -> Any:
    """Core's CLIP L, and for SDXL its CLIP G too; 48 numbers a token, as `make_unet` takes them, and 32 pooled ones for SDXL."""
    import comfy.sd
    from comfy import sd1_clip, sdxl_clip, supported_models_base

    widths = {"clip_l": 16, "clip_g": 32} if family == "sdxl" else {"clip_l": 48}
    shape = {"num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    options = {f"{name}_model_config": {**shape, "hidden_size": width} for name, width in widths.items()}
    kinds = (sdxl_clip.SDXLTokenizer, sdxl_clip.SDXLClipModel) if family == "sdxl" else (sd1_clip.SD1Tokenizer, sd1_clip.SD1ClipModel)
    clip = comfy.sd.CLIP(supported_models_base.ClipTarget(*kinds), model_options=options)
    draw_weights(clip.cond_stage_model)
    return clip


def build(config: Any, dtype: torch.dtype) -> Any:
    """As core's loaders do: weights in this type, reckoned with in fp32 as everywhere on a CPU."""
    config.set_inference_dtype(dtype, None if dtype == torch.float32 else torch.float32)
    return config.get_model({}, device="cpu")


def make_unet(family: str, pooled: int = 64, dtype: torch.dtype = torch.float32) -> Any:
    import comfy.supported_models

    shape = {"image_size": 32, "in_channels": 4, "out_channels": 4, "model_channels": 32, "num_res_blocks": [1, 1],
             "transformer_depth": [1, 1], "transformer_depth_output": [1, 1, 1, 1], "channel_mult": [1, 2], "context_dim": 48,
             "transformer_depth_middle": 1, "use_spatial_transformer": True, "use_linear_in_transformer": False, "legacy": False,
             "dtype": torch.float32}  # fmt: skip
    if family == "sdxl":  # pooled prompts beside six sizes of 256
        shape |= {"num_classes": "sequential", "adm_in_channels": pooled + 6 * 256, "use_linear_in_transformer": True}
        config = comfy.supported_models.SDXL(shape)
        config.unet_config |= {"num_heads": 4, "num_head_channels": -1}
    else:
        config = comfy.supported_models.SD15(shape | {"adm_in_channels": None})
        config.unet_config["num_heads"] = 4
    return build(config, dtype)


def make_dit(dtype: torch.dtype = torch.float32) -> Any:
    import comfy.supported_models

    shape = {"image_model": "flux", "in_channels": 16, "out_channels": 16, "patch_size": 2, "vec_in_dim": 64, "context_in_dim": 48,
             "hidden_size": 64, "mlp_ratio": 2.0, "num_heads": 2, "depth": 1, "depth_single_blocks": 1, "axes_dim": [8, 12, 12],
             "txt_ids_dims": [], "theta": 10000, "qkv_bias": True, "guidance_embed": False, "dtype": torch.float32}  # fmt: skip
    return build(comfy.supported_models.FluxSchnell(shape), dtype)


def make_wan(kind: str = "t2v", **shape: Any) -> Any:
    """Core's Wan 2.1, and what was made of it: `kind` is core's model type, `shape` whatever else differs."""
    import comfy.supported_models

    classes = {"i2v": "WAN21_I2V", "s2v": "WAN22_S2V", "humo": "WAN21_HuMo", "t2v 2.2": "WAN22_T2V"}
    values = {"image_model": "wan2.1", "model_type": kind.split()[0], "in_dim": 16, "out_dim": 16, "dim": 48, "ffn_dim": 64, "freq_dim": 32,
              "text_dim": 48, "num_heads": 2, "num_layers": 1, "text_len": 16, "dtype": torch.float32} | shape  # fmt: skip
    return getattr(comfy.supported_models, classes.get(kind, "WAN21_T2V"))(values).get_model({}, device="cpu")


def make_wan_vae(dim: int = 8) -> Any:
    """Core's VAE of Wan 2.1, four times smaller in time and eight times in space, recognised by its weights as a file's would be."""
    import comfy.sd
    from comfy.ldm.wan.vae import WanVAE

    coder = WanVAE(dim=dim, z_dim=16, dim_mult=[1, 2, 4, 4], num_res_blocks=2, attn_scales=[], temperal_downsample=[False, True, True])
    draw_weights(coder)
    return comfy.sd.VAE(sd=coder.state_dict())


VIDEO_SHAPES: dict[str, dict[str, Any]] = {
    "LTXV": {"image_model": "ltxv", "in_channels": 128, "cross_attention_dim": 64, "attention_head_dim": 32, "num_attention_heads": 2,
             "caption_channels": 48, "num_layers": 1},
    "CosmosI2VPredict2": {"image_model": "cosmos_predict2", "max_img_h": 64, "max_img_w": 64, "max_frames": 32, "in_channels": 17,
                          "out_channels": 16, "patch_spatial": 2, "patch_temporal": 1, "model_channels": 64, "num_blocks": 1,
                          "num_heads": 2, "crossattn_emb_channels": 48, "pos_emb_cls": "rope3d"},
    "Kandinsky5": {"image_model": "kandinsky5", "in_text_dim": 48, "in_text_dim2": 64, "time_dim": 32, "model_dim": 32, "ff_dim": 64,
                   "num_text_blocks": 1, "num_visual_blocks": 1, "axes_dims": (8, 12, 12), "visual_embed_dim": 132},
    "CogVideoX_I2V": {"image_model": "cogvideox", "in_channels": 32, "out_channels": 16, "num_attention_heads": 2,
                      "attention_head_dim": 32, "num_layers": 1, "time_embed_dim": 32, "text_embed_dim": 48,
                      "use_rotary_positional_embeddings": True},
    "HunyuanVideoI2V": {"image_model": "hunyuan_video", "in_channels": 33, "out_channels": 16, "vec_in_dim": 64, "context_in_dim": 48,
                        "hidden_size": 64, "mlp_ratio": 2.0, "num_heads": 2, "depth": 1, "depth_single_blocks": 1,
                        "axes_dim": [8, 12, 12], "theta": 256, "patch_size": [1, 2, 2], "qkv_bias": True, "guidance_embed": True,
                        "byt5": False, "meanflow": False, "use_cond_type_embedding": False, "vision_in_dim": None,
                        "meanflow_sum": False},
}  # fmt: skip


def make_video(name: str, **shape: Any) -> Any:
    """One of core's video models by the name of its class in `comfy.supported_models`, all others than Wan."""
    import comfy.supported_models

    config = getattr(comfy.supported_models, name)(VIDEO_SHAPES[name] | {"dtype": torch.float32} | shape)
    return config.get_model({}, device="cpu")


def make_ltx_vae() -> Any:
    """Core's VAE of LTX-Video, eight times smaller in time and 32 times in space, with few channels."""
    import json

    import comfy.sd
    from comfy.ldm.lightricks.vae.causal_video_autoencoder import VideoVAE

    some: list[Any] = ["res_x", {"num_layers": 1}]
    blocks = [some, ["compress_all", {}], some, ["compress_all", {}], ["compress_all", {}], some]
    shape = {"dims": 3, "latent_channels": 128, "encoder_blocks": blocks, "decoder_blocks": blocks,
             "norm_layer": "pixel_norm", "patch_size": 4, "latent_log_var": "uniform", "encoder_base_channels": 16,
             "decoder_base_channels": 16, "causal_decoder": False, "timestep_conditioning": False}  # fmt: skip
    coder = VideoVAE(config=shape)
    draw_weights(coder)
    for name, buffer in coder.named_buffers():
        buffer.fill_(1.0 if "std" in name else 0.0)
    return comfy.sd.VAE(sd=coder.state_dict(), metadata={"config": json.dumps({"vae": shape})})
