"""A ComfyUI MODEL, CLIP and VAE as the `Student` that `engine.person.lora` trains.

The network in the graph is trained as it is, with every patch that was applied upstream: no copy is loaded and none of its weights
is written. Noise, conditionings and the network's call are core's own. The CLIP is trained along with it where that is wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management
import comfy.model_sampling

from .image_model import HostImageModel, SamplingSettings
from .model_identity import identify_models
from .training_network import NetworkInTraining
from .training_text import TextInTraining

if TYPE_CHECKING:
    import numpy as np
    import torch


@dataclass(frozen=True)
class Spoken:
    """A caption that is encoded anew whenever it is used, because what encodes it is learning."""

    text: str
    latent: torch.Tensor


class HostStudent:
    """See `engine.person.lesson.Student` for the shapes."""

    def __init__(
        self, model: Any, clip: Any, vae: Any, precision: str, size: int, preview: SamplingSettings, text_encoder: bool = False
    ) -> None:
        """`size`: the side of the pictures in pixels. ValueError for parts that are missing or do not fit."""
        self.identity = identify_models([part for part in (model, getattr(clip, "patcher", None)) if part is not None], None, None, ())
        self._drawer = HostImageModel(model, clip, vae, preview, self.identity)  # checks CLIP and VAE
        self._shape = self._drawer.noise_shape(size, size)
        self._size, self._model, self._clip, self._vae, self._preview = size, model, clip, vae, preview
        self._network = NetworkInTraining(model, precision)
        self._base = self._network.base
        self._text = TextInTraining(clip) if text_encoder else None
        self.text_encoders = self._text.network if self._text else None

    def open(self) -> AbstractContextManager[torch.nn.Module]:
        return self._network.open(self._shape, self._text)

    def encode_picture(self, picture: np.ndarray) -> torch.Tensor:
        import torch

        pixels = torch.from_numpy(picture).float()[None] / 255
        latent = self._vae.encode(pixels).float().cpu()
        if latent.ndim < len(self._shape) + 1:
            latent = latent.unsqueeze(2)  # a video model with an image VAE: one frame
        if tuple(latent.shape[1:]) != self._shape:
            raise ValueError(
                f"The VAE does not belong to this model: its latents are {list(latent.shape[1:])}, the model's {[*self._shape]}."
            )
        with torch.inference_mode(False):
            return self._base.process_latent_in(latent.clone())[0]

    def encode_caption(self, text: str, latent: torch.Tensor) -> Any:
        if self._text:
            return Spoken(text, latent)
        return self._network.prepare(self._clip.encode_from_tokens_scheduled(self._clip.tokenize(text)), latent)

    def noise_levels(self) -> torch.Tensor:
        return cast("torch.Tensor", self._base.model_sampling.sigmas)

    def is_flow(self) -> bool:
        return isinstance(self._base.model_sampling, comfy.model_sampling.CONST)

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        return self._base.model_sampling.noise_scaling(sigmas, noise, latents, False)

    def denoise(self, noisy: torch.Tensor, sigmas: torch.Tensor, captions: Sequence[Any]) -> torch.Tensor:
        return self._network.denoise(noisy, sigmas, self._read(captions))

    def _read(self, captions: Sequence[Any]) -> Sequence[Any]:
        """Captions as conditionings: each that is spoken is encoded once a call, with gradients where they are wanted."""
        if self._text is None:
            return captions
        spoken = {caption.text: caption for caption in captions}
        read = {text: self._network.prepare(self._text.encode(text), caption.latent) for text, caption in spoken.items()}
        return [read[caption.text] for caption in captions]

    def steepness(self, sigmas: torch.Tensor) -> torch.Tensor:
        return self._network.steepness(sigmas)

    def draw(self, prompt: str, seed: int, lora: Mapping[str, torch.Tensor]) -> np.ndarray:
        import comfy.sd

        from .engine.film.noise import seeded_noise

        text = self._clip if self._text else None
        patched, patched_text = comfy.sd.load_lora_for_models(self._model, text, dict(lora), 1.0, 1.0)
        drawer = HostImageModel(cast(Any, patched), patched_text or self._clip, self._vae, self._preview, self.identity)
        latents = drawer.sample(seeded_noise(self._shape, seed)[None], drawer.encode_prompt(prompt), seed, lambda *_: None)
        return (drawer.decode(latents)[0].float().clamp(0, 1) * 255 + 0.5).byte().cpu().numpy()

    def kohya_names(self) -> dict[str, str]:
        """The names that other trainers have for modules of a Stable Diffusion UNet and of CLIPs, by path; none for other models."""
        return self._network.kohya_names() | (self._text.kohya_names() if self._text else {})

    def is_out_of_memory(self, error: BaseException) -> bool:
        return comfy.model_management.is_oom(error)
