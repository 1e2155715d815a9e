"""The network of a ComfyUI MODEL while it is trained: loaded whole, readable for gradients, called as core's samplers call it.

It is the one in the graph, with every patch that was applied upstream: no copy is loaded and none of its weights is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management
import comfy.model_patcher
import comfy.patcher_extension
import comfy.sampler_helpers
import comfy.samplers

from .autograd_weights import ordinary, readable_weights
from .engine.person.adapters import PREFIX
from .engine.person.lesson import UNFIT
from .engine.person.recomputation import saved_norm_inputs
from .training_precision import choose_precision
from .training_text import TextInTraining, clone_whole

if TYPE_CHECKING:
    import torch

    from .image_model import Conditioning


class NetworkInTraining:
    """`base` is core's BaseModel, with the network as its `diffusion_model`."""

    def __init__(self, model: Any, precision: str) -> None:
        self._model, self.patcher = model, clone_whole(model)
        dtype = choose_precision(precision, self.patcher)
        if dtype is not None:
            self.patcher.set_model_compute_dtype(dtype)
        self.base = self.patcher.model

    @contextmanager
    def open(self, shape: tuple[int, ...], text: TextInTraining | None) -> Iterator[torch.nn.Module]:
        """The network on its device, ready for gradients, text encoders beside it; afterwards all are as they were, whatever happened."""
        import torch

        patcher, management = self.patcher, cast(Any, comfy.model_management)
        patchers = [patcher, text.patcher] if text else [patcher]
        management.load_models_gpu(patchers, memory_required=patcher.memory_required([4, *shape]) * 3, force_full_load=True)
        try:
            with torch.inference_mode(False), torch.enable_grad(), ExitStack() as stack:
                for network in (self.base, *([text.network] if text else [])):
                    stack.enter_context(readable_weights(network))
                    stack.enter_context(_kept_for_gradients(network))
                patcher.pre_run()
                management.in_training = True
                self._options = self._call_options()
                yield self.base.diffusion_model
        finally:
            management.in_training = False
            patcher.cleanup()
            if patcher.is_clone(self._model) and patcher.object_patches.keys() != self._model.object_patches.keys():
                management.unload_model_and_clones(patcher)  # the precision was for training only

    def _call_options(self) -> dict[str, Any]:
        """Upstream's patches and wrappers, as core's samplers hand them to the network."""
        options = comfy.model_patcher.create_model_options_clone(self.patcher.model_options)
        given = options.setdefault("transformer_options", {})
        comfy.patcher_extension.merge_nested_dicts(given.setdefault("wrappers", {}), self.patcher.wrappers, copy_dict1=False)
        given.setdefault("optimized_attention_override", _attend)
        return given

    def prepare(self, encoded_text: Conditioning, latent: torch.Tensor) -> dict[str, Any]:
        """What the network is called with, made by the model's own rules."""
        conds = comfy.sampler_helpers.convert_cond(encoded_text)
        device = self.patcher.load_device
        noise = latent[None].to(device)
        try:
            encoded = comfy.samplers.encode_model_conds(self.base.extra_conds, conds, noise, device, "positive", latent_image=noise)
        except (AttributeError, KeyError, TypeError) as error:  # what this model needs is not there, as SDXL's pooled prompt
            raise ValueError(UNFIT) from error
        parts = encoded[0]["model_conds"]
        return {name: part.process_cond(batch_size=1, area=None, device=device) for name, part in parts.items()}

    def denoise(self, noisy: torch.Tensor, sigmas: torch.Tensor, prepared: Sequence[Any]) -> torch.Tensor:
        """In one call where what was prepared fits beside each other, else in several."""
        import torch

        groups: list[list[int]] = []
        for place, one in enumerate(prepared):
            last = groups[-1] if groups else None
            if last and comfy.samplers.cond_equal_size(prepared[last[0]], one):
                last.append(place)
            else:
                groups.append([place])
        return torch.cat([self._call(noisy[group], sigmas[group], [prepared[place] for place in group]) for group in groups])

    def _call(self, noisy: torch.Tensor, sigmas: torch.Tensor, prepared: list[Any]) -> torch.Tensor:
        options = dict(self._options) | {"cond_or_uncond": [0], "sigmas": sigmas, "uuids": []}
        conds = {name: ordinary(value) for name, value in comfy.samplers.cond_cat(prepared).items()}
        return self.base.apply_model(noisy, sigmas, **conds, transformer_options=options).float()

    def steepness(self, sigmas: torch.Tensor) -> torch.Tensor:
        import torch

        one = torch.ones_like(sigmas)
        believe = self.base.model_sampling.calculate_denoised
        return (believe(sigmas, one, 0 * one) - believe(sigmas, 0 * one, 0 * one)).abs()

    def kohya_names(self) -> dict[str, str]:
        """The names that other trainers have for modules of a Stable Diffusion UNet, by path; none for other models."""
        import comfy.utils

        known = comfy.utils.unet_to_diffusers(self.base.model_config.unet_config)
        names = {path: f"lora_unet_{name}" for name, path in known.items() if path.endswith(".weight")}
        return {PREFIX + path.removesuffix(".weight"): name.removesuffix(".weight") for path, name in names.items()}


def _attend(usual: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
    """torch's own attention, which always has gradients: some quicker kinds have none, and core's for a CPU takes far more memory."""
    from comfy.ldm.modules.attention import attention_pytorch

    return attention_pytorch(*args, **kwargs)


def _kept_for_gradients(network: torch.nn.Module) -> AbstractContextManager[None]:
    is_unet = hasattr(getattr(network, "diffusion_model", None), "input_blocks")
    return nullcontext() if is_unet else saved_norm_inputs(getattr(network, "diffusion_model", network))
