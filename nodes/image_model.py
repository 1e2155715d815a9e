"""A ComfyUI MODEL, CLIP and VAE as the `ImageModel` that `engine.film.render` draws with.

Whatever was applied upstream (LoRAs, patches, samplers' options) is kept: sampling goes through
`comfy.sample`, prompts through the CLIP, decoding through the VAE.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management
import comfy.sample
import comfy.samplers
import comfy.utils

from .anchor_attention import AnchorAttention
from .evaluation_count import EvaluationCount
from .prompt_blend import Conditioning, blend_conditionings

if TYPE_CHECKING:
    import torch
    from comfy.latent_formats import LatentFormat
    from comfy.model_patcher import ModelPatcher
    from comfy.sd import CLIP, VAE

# Samplers of core that add no noise and choose no steps of their own, so that their steps may be taken in parts.
STEPWISE_SAMPLERS = {
    "euler", "euler_cfg_pp", "heun", "heunpp2", "exp_heun_2_x0", "dpm_2", "lms", "dpmpp_2m", "dpmpp_2m_cfg_pp", "ipndm", "ipndm_v",
    "deis", "res_multistep", "res_multistep_cfg_pp", "gradient_estimation", "gradient_estimation_cfg_pp", "ddim", "uni_pc", "uni_pc_bh2",
}  # fmt: skip

MEMORY_SHARE = 0.5  # of the device's memory that one batch may take; weights and decoding need the rest
MOST_FRAMES = 16  # larger batches gain nothing more and make an interrupt slow
MOST_FRAMES_ON_CPU = 4


@dataclass(frozen=True)
class SamplingSettings:
    steps: int
    cfg: float
    sampler: str
    scheduler: str
    negative: str


class HostImageModel:
    """Draws frames with core's sampling functions; see `engine.film.render.ImageModel` for the shapes."""

    def __init__(self, model: ModelPatcher, clip: CLIP | None, vae: VAE, settings: SamplingSettings, identity: str) -> None:
        if clip is None:
            raise ValueError("The checkpoint has no text encoder (CLIP); load one with a CLIP loader and connect it to 'clip'.")
        vae.throw_exception_if_invalid()
        self.identity = identity
        self._count = EvaluationCount()
        self.model, self._clip, self._vae, self._settings = self._count.watch(model), clip, vae, settings
        self._format = cast("LatentFormat", model.get_model_object("latent_format"))
        self._prompts: dict[str, Conditioning] = {}
        self._held: tuple[HostImageModel, AnchorAttention] | None = None

    @property
    def evaluations(self) -> int:
        return self._count.rows

    def noise_shape(self, width: int, height: int) -> tuple[int, ...]:
        ratio = self._format.spacial_downscale_ratio
        for name, size in (("width", width), ("height", height)):
            if size < 2 * ratio or size % ratio:
                nearest = max(2, round(size / ratio)) * ratio
                raise ValueError(f"The {name} of {size} does not suit this model, which needs a multiple of {ratio}; choose {nearest}.")
        depth = (1,) * (self._format.latent_dimensions - 2)
        return (self._format.latent_channels, *depth, height // ratio, width // ratio)

    def batch_limit(self, width: int, height: int) -> int:
        """Frames at once by the device's whole memory, not by what is free now, so that a rerun batches alike."""
        device = self.model.load_device
        most = MOST_FRAMES_ON_CPU if comfy.model_management.is_device_cpu(device) else MOST_FRAMES
        guided = 2 if self._settings.cfg != 1 else 1
        need = self.model.memory_required([guided, *self.noise_shape(width, height)])
        return max(1, min(most, int(cast(float, comfy.model_management.get_total_memory(device)) * MEMORY_SHARE / max(need, 1))))

    def encode_prompt(self, text: str) -> Conditioning:
        if text not in self._prompts:
            self._prompts[text] = self._clip.encode_from_tokens_scheduled(self._clip.tokenize(text))
        return self._prompts[text]

    def blend_prompts(self, first: Conditioning, last: Conditioning, weights: list[float]) -> Conditioning:
        return blend_conditionings(first, last, weights)

    def hold_to_first(self, shares: Sequence[float]) -> HostImageModel:
        """One clone for all batches: core keeps it loaded, and says once a film what the model cannot do."""
        if self._held is None:
            attention, held = AnchorAttention(self.model), copy(self)
            held.model = attention.patched
            self._held = held, attention
        held, attention = self._held
        attention.shares = tuple(shares)
        return held

    def sample(self, noise: torch.Tensor, prompt: Conditioning, seed: int, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        import torch

        settings = self._settings
        return comfy.sample.sample(
            self.model, noise, settings.steps, settings.cfg, settings.sampler, settings.scheduler,
            prompt, self.encode_prompt(settings.negative), torch.zeros_like(noise),
            callback=lambda step, denoised, _x, steps: on_step(step, steps, denoised), disable_pbar=True, seed=seed,
        )  # fmt: skip

    def step_count(self) -> int:
        settings = self._settings
        if settings.sampler not in STEPWISE_SAMPLERS:
            return 0
        sampler = comfy.samplers.KSampler(
            self.model, settings.steps, self.model.load_device, settings.sampler, settings.scheduler, 1.0, self.model.model_options
        )
        return len(sampler.sigmas) - 1

    def sample_part(
        self, start: torch.Tensor, prompt: Conditioning, seed: int, steps: range, on_step: Callable[[int, int, Any], None]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Core takes the noise that is left as a part of the latents, whatever the model's way of adding noise."""
        import torch

        settings, zeros, seen = self._settings, torch.zeros_like(start), []

        def on_core_step(step: int, denoised: torch.Tensor, _x: Any, count: int) -> None:
            seen[:] = [denoised]
            on_step(step, count, denoised)

        latents = comfy.sample.sample(
            self.model, zeros if steps.start else start, settings.steps, settings.cfg, settings.sampler, settings.scheduler,
            prompt, self.encode_prompt(settings.negative), start if steps.start else zeros, disable_noise=steps.start > 0,
            start_step=steps.start, last_step=steps.stop, callback=on_core_step, disable_pbar=True, seed=seed,
        )  # fmt: skip
        if steps.stop >= self.step_count() or not seen:
            return latents, latents
        return latents, cast("Any", self.model.model).process_latent_out(seen[0].float()).to(latents)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        pictures = self._vae.decode(latents)
        return pictures.reshape(-1, *pictures.shape[-3:])[..., :3]  # a video VAE gives [batch, 1, height, width, 3]

    def is_out_of_memory(self, error: BaseException) -> bool:
        return comfy.model_management.is_oom(error)
