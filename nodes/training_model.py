"""A ComfyUI MODEL, CLIP and VAE as the `Student` that `engine.person.lora` trains.

The network in the graph is trained as it is, with every patch that was applied upstream: no copy is loaded and none of its weights
is written. Noise, conditionings and the network's call are core's own. The CLIP is trained along with it where that is wanted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management
import comfy.model_patcher
import comfy.model_sampling
import comfy.patcher_extension
import comfy.sampler_helpers
import comfy.samplers

from .autograd_weights import ordinary, readable_weights
from .engine.person.adapters import PREFIX
from .engine.person.lesson import UNFIT
from .engine.person.recomputation import saved_norm_inputs
from .image_model import Conditioning, HostImageModel, SamplingSettings
from .model_identity import identify_models
from .training_precision import choose_precision
from .training_text import TextInTraining, clone_whole

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
        self._patcher = clone_whole(model)
        dtype = choose_precision(precision, self._patcher)
        if dtype is not None:
            self._patcher.set_model_compute_dtype(dtype)
        self._base = self._patcher.model
        self._text = TextInTraining(clip) if text_encoder else None
        self.text_encoders = self._text.network if self._text else None

    @contextmanager
    def open(self) -> Iterator[torch.nn.Module]:
        import torch

        patcher, management = self._patcher, cast(Any, comfy.model_management)
        patchers = [patcher, self._text.patcher] if self._text else [patcher]
        management.load_models_gpu(patchers, memory_required=patcher.memory_required([4, *self._shape]) * 3, force_full_load=True)
        try:
            with torch.inference_mode(False), torch.enable_grad(), ExitStack() as stack:
                for network in (self._base, *([self.text_encoders] if self.text_encoders else [])):
                    stack.enter_context(readable_weights(network))
                    stack.enter_context(_kept_for_gradients(network))
                patcher.pre_run()
                management.in_training = True
                self._options = self._call_options()
                yield self._base.diffusion_model
        finally:
            management.in_training = False
            patcher.cleanup()
            if self._patcher.is_clone(self._model) and self._patcher.object_patches.keys() != self._model.object_patches.keys():
                management.unload_model_and_clones(patcher)  # the precision was for training only

    def _call_options(self) -> dict[str, Any]:
        """Upstream's patches and wrappers, as core's samplers hand them to the network."""
        options = comfy.model_patcher.create_model_options_clone(self._patcher.model_options)
        given = options.setdefault("transformer_options", {})
        comfy.patcher_extension.merge_nested_dicts(given.setdefault("wrappers", {}), self._patcher.wrappers, copy_dict1=False)
        given.setdefault("optimized_attention_override", _attend)
        return given

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
        return self._condition(self._clip.encode_from_tokens_scheduled(self._clip.tokenize(text)), latent)

    def _condition(self, encoded_text: Conditioning, latent: torch.Tensor) -> dict[str, Any]:
        """What the network is called with, made by the model's own rules."""
        conds = comfy.sampler_helpers.convert_cond(encoded_text)
        device = self._patcher.load_device
        noise = latent[None].to(device)
        try:
            encoded = comfy.samplers.encode_model_conds(self._base.extra_conds, conds, noise, device, "positive", latent_image=noise)
        except (AttributeError, KeyError, TypeError) as error:  # what this model needs is not there, as SDXL's pooled prompt
            raise ValueError(UNFIT) from error
        parts = encoded[0]["model_conds"]
        return {name: part.process_cond(batch_size=1, area=None, device=device) for name, part in parts.items()}

    def noise_levels(self) -> torch.Tensor:
        return cast("torch.Tensor", self._base.model_sampling.sigmas)

    def is_flow(self) -> bool:
        return isinstance(self._base.model_sampling, comfy.model_sampling.CONST)

    def add_noise(self, latents: torch.Tensor, noise: torch.Tensor, sigmas: torch.Tensor) -> torch.Tensor:
        return self._base.model_sampling.noise_scaling(sigmas, noise, latents, False)

    def denoise(self, noisy: torch.Tensor, sigmas: torch.Tensor, captions: Sequence[Any]) -> torch.Tensor:
        """In one call where the captions fit beside each other, else in several."""
        import torch

        captions = self._read(captions)
        groups: list[list[int]] = []
        for place, caption in enumerate(captions):
            last = groups[-1] if groups else None
            if last and comfy.samplers.cond_equal_size(captions[last[0]], caption):
                last.append(place)
            else:
                groups.append([place])
        return torch.cat([self._call(noisy[group], sigmas[group], [captions[place] for place in group]) for group in groups])

    def _read(self, captions: Sequence[Any]) -> Sequence[Any]:
        """Captions as conditionings: each that is spoken is encoded once a call, with gradients where they are wanted."""
        if self._text is None:
            return captions
        spoken = {caption.text: caption for caption in captions}
        read = {text: self._condition(self._text.encode(text), caption.latent) for text, caption in spoken.items()}
        return [read[caption.text] for caption in captions]

    def _call(self, noisy: torch.Tensor, sigmas: torch.Tensor, captions: list[Any]) -> torch.Tensor:
        options = dict(self._options) | {"cond_or_uncond": [0], "sigmas": sigmas, "uuids": []}
        conds = {name: ordinary(value) for name, value in comfy.samplers.cond_cat(captions).items()}
        return self._base.apply_model(noisy, sigmas, **conds, transformer_options=options).float()

    def steepness(self, sigmas: torch.Tensor) -> torch.Tensor:
        import torch

        one = torch.ones_like(sigmas)
        believe = self._base.model_sampling.calculate_denoised
        return (believe(sigmas, one, 0 * one) - believe(sigmas, 0 * one, 0 * one)).abs()

    def draw(self, prompt: str, seed: int, lora: Mapping[str, torch.Tensor]) -> np.ndarray:
        import comfy.sd

        from .engine.film.render import seeded_noise

        text = self._clip if self._text else None
        patched, patched_text = comfy.sd.load_lora_for_models(self._model, text, dict(lora), 1.0, 1.0)
        drawer = HostImageModel(cast(Any, patched), patched_text or self._clip, self._vae, self._preview, self.identity)
        latents = drawer.sample(seeded_noise(self._shape, seed)[None], drawer.encode_prompt(prompt), seed, lambda *_: None)
        return (drawer.decode(latents)[0].float().clamp(0, 1) * 255 + 0.5).byte().cpu().numpy()

    def kohya_names(self) -> dict[str, str]:
        """The names that other trainers have for modules of a Stable Diffusion UNet and of CLIPs, by path; none for other models."""
        import comfy.utils

        known = comfy.utils.unet_to_diffusers(self._base.model_config.unet_config)
        names = {path: f"lora_unet_{name}" for name, path in known.items() if path.endswith(".weight")}
        network = {PREFIX + path.removesuffix(".weight"): name.removesuffix(".weight") for path, name in names.items()}
        return network | (self._text.kohya_names() if self._text else {})

    def is_out_of_memory(self, error: BaseException) -> bool:
        return comfy.model_management.is_oom(error)


def _attend(usual: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
    """torch's own attention, which always has gradients: some quicker kinds have none, and core's for a CPU takes far more memory."""
    from comfy.ldm.modules.attention import attention_pytorch

    return attention_pytorch(*args, **kwargs)


def _kept_for_gradients(network: torch.nn.Module) -> AbstractContextManager[None]:
    is_unet = hasattr(getattr(network, "diffusion_model", None), "input_blocks")
    return nullcontext() if is_unet else saved_norm_inputs(getattr(network, "diffusion_model", network))
