"""The denoiser: core's UNet in small, on latents a sixteenth of the picture. It predicts the way from picture to noise (rectified flow).

In: noisy latents [batch, 16, height, width], the noise level times 1000, token vectors [batch, tokens, WIDTH]. Out: noise minus picture.
Besides attending to the tokens it adds the mean of all that are not zero to the time embedding: so few pictures are enough to teach it
to listen. Everything it knows of the prompt comes through that one tensor, so blends and weights of conditionings work as usual.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from .autoencoder import BLOCK, LATENT_CHANNELS
from .text import WIDTH, summarise

SHIFT = 1.5  # more of the few steps at high noise, where the layout is decided
PATCH = 2  # the network works on patches of 2 x 2 latents: a quarter of the places, so a film is done in minutes on a processor
UNET: dict[str, Any] = {
    "image_size": 8, "in_channels": LATENT_CHANNELS * PATCH**2, "out_channels": LATENT_CHANNELS * PATCH**2,
    "model_channels": 96, "channel_mult": (1, 2), "num_res_blocks": [1, 1],
    "transformer_depth": [1, 1], "transformer_depth_middle": 1, "transformer_depth_output": [0, 1, 1, 1],
    "num_heads": -1, "num_head_channels": 32, "context_dim": WIDTH, "use_spatial_transformer": True, "use_linear_in_transformer": True,
    "num_classes": "sequential", "adm_in_channels": WIDTH, "legacy": False, "use_checkpoint": False,
}  # fmt: skip


def make_unet_class() -> Any:
    """Core's `UNetModel` on patches, which takes the summary of its prompt from the token vectors."""
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    class DemoUNet(UNetModel):
        latent_variance: Any

        def __init__(self, **config: Any) -> None:
            super().__init__(**config)
            self.register_buffer("latent_variance", torch.ones(LATENT_CHANNELS))

        def _forward(
            self,
            x: Any,
            timesteps: Any = None,
            context: Any = None,
            y: Any = None,
            control: Any = None,
            transformer_options: Any = None,
            **options: Any,
        ) -> Any:
            given = {} if transformer_options is None else transformer_options
            height, width = x.shape[-2:]
            padded = functional.pad(x, (0, width % PATCH, 0, height % PATCH), mode="replicate")
            patches = super()._forward(
                functional.pixel_unshuffle(padded, PATCH), timesteps, context, summarise(context), control, given, **options
            )
            return functional.pixel_shuffle(patches, PATCH)[..., :height, :width] + self._straight(x, timesteps)

        def _straight(self, x: Any, timesteps: Any) -> Any:
            """The best guess that only scales each channel (Wiener's): the network learns what is beyond it."""
            level = timesteps.float().view(-1, 1, 1, 1) / 1000
            variance = self.latent_variance.float().to(x.device).view(1, -1, 1, 1)
            gain = (level - (1 - level) * variance) / ((1 - level) ** 2 * variance + level**2)
            return gain.to(x.dtype) * x

    return DemoUNet


def make_model_config(latent_rgb: list[list[float]], latent_rgb_bias: list[float]) -> Any:
    """Core's description of the model. `latent_rgb` [16][3] and its bias give live previews."""
    from comfy import latent_formats, model_base, supported_models_base

    class DemoLatents(latent_formats.LatentFormat):
        latent_channels = LATENT_CHANNELS
        spacial_downscale_ratio = BLOCK

        def __init__(self) -> None:
            self.scale_factor = 1.0
            self.latent_rgb_factors = latent_rgb
            self.latent_rgb_factors_bias = latent_rgb_bias

    class DemoModelConfig(supported_models_base.BASE):
        unet_config = UNET
        unet_extra_config = {}
        sampling_settings = {"shift": SHIFT}
        latent_format = DemoLatents
        memory_usage_factor = 0.5

        def model_type(self, state_dict: Any, prefix: str = "") -> Any:
            return model_base.ModelType.FLOW

        def inpaint_model(self) -> bool:
            return False

        def get_model(self, state_dict: Any, prefix: str = "", device: Any = None) -> Any:
            return model_base.BaseModel(self, model_type=self.model_type(state_dict), device=device, unet_model=make_unet_class())

    return DemoModelConfig(UNET)
