"""A ComfyUI MODEL, CLIP and VAE as the `ImageModel` that `engine.film.render` draws with.

Whatever was applied upstream (LoRAs, patches, samplers' options) is kept: sampling goes through
`comfy.sample`, prompts through the CLIP, decoding through the VAE.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management

from .anchor_attention import AnchorAttention
from .evaluation_count import EvaluationCount
from .prompt_blend import Conditioning, blend_conditionings
from .step_sampling import LowNoise, OnStep, StepSampler

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

    def __init__(
        self, model: ModelPatcher, clip: CLIP | None, vae: VAE, settings: SamplingSettings, identity: str, low_noise: LowNoise | None = None
    ) -> None:
        if clip is None:
            raise ValueError("The checkpoint has no text encoder (CLIP); load one with a CLIP loader and connect it to 'clip'.")
        vae.throw_exception_if_invalid()
        self.identity = identity
        self._count = EvaluationCount()
        self.sampler = StepSampler(model, settings, low_noise).checked().with_models(self._count.watch)
        self._model, self._clip, self._vae, self._settings = self.sampler.model, clip, vae, settings
        self._format = cast("LatentFormat", model.get_model_object("latent_format"))
        self._prompts: dict[str, Conditioning] = {}
        self._held: tuple[HostImageModel, list[AnchorAttention]] | None = None

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
        device = self._model.load_device
        most = MOST_FRAMES_ON_CPU if comfy.model_management.is_device_cpu(device) else MOST_FRAMES
        guided = 2 if self._settings.cfg != 1 else 1
        need = self._model.memory_required([guided, *self.noise_shape(width, height)])
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
            attentions, held = [AnchorAttention(model) for model in self.sampler.models], copy(self)
            patched = iter(attentions)
            held.sampler = self.sampler.with_models(lambda _model: next(patched).patched)
            self._held = held, attentions
        held, attentions = self._held
        for attention in attentions:
            attention.shares = tuple(shares)
        return held

    def sample(self, noise: torch.Tensor, prompt: Conditioning, seed: int, on_step: OnStep) -> torch.Tensor:
        import torch

        prompts = prompt, self.encode_prompt(self._settings.negative)
        return self.sampler.run(noise, torch.zeros_like(noise), prompts, seed, range(self.sampler.count), on_step)[0]

    def step_count(self) -> int:
        return self.sampler.count if self._settings.sampler in STEPWISE_SAMPLERS else 0

    def sample_part(
        self, start: torch.Tensor, prompt: Conditioning, seed: int, steps: range, on_step: OnStep
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        prompts, zeros = (prompt, self.encode_prompt(self._settings.negative)), torch.zeros_like(start)
        noise, begun = (zeros, start) if steps.start else (start, zeros)
        latents, seen = self.sampler.run(noise, begun, prompts, seed, steps, on_step)
        if steps.stop >= self.step_count() or seen is None:
            return latents, latents
        return latents, cast("Any", self._model.model).process_latent_out(seen.float()).to(latents)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        pictures = self._vae.decode(latents)
        return pictures.reshape(-1, *pictures.shape[-3:])[..., :3]  # a video VAE gives [batch, 1, height, width, 3]

    def is_out_of_memory(self, error: BaseException) -> bool:
        return comfy.model_management.is_oom(error)
