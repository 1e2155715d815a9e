"""A MODEL's denoising through core's sampling functions: all steps of a schedule or some of them, by one model or by two.

Of two models the second takes over at the first step whose noise is below a level, as in a chain of core's KSampler (Advanced): the
same steps, and no new noise between. Wan 2.2 with 14 billion weights comes in two such halves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import comfy.model_sampling
import comfy.sample
import comfy.samplers

if TYPE_CHECKING:
    import torch
    from comfy.model_patcher import ModelPatcher

    from .image_model import SamplingSettings
    from .prompt_blend import Conditioning

WAN_SWITCH = {"t2v": 0.875, "i2v": 0.9}  # noise at which Wan 2.2's own code changes from one half to the other
PROMPT_SHAPE = ("image_model", "context_dim", "text_dim", "context_in_dim", "adm_in_channels", "in_dim", "in_channels")

OnStep = Callable[[int, int, Any], None]


class LowNoise(NamedTuple):
    """The model that finishes what another began. `switch_at` is a level of noise, 0..1; 0: as the model was made for."""

    model: ModelPatcher
    switch_at: float


@dataclass(frozen=True)
class StepSampler:
    model: ModelPatcher
    settings: SamplingSettings
    low_noise: LowNoise | None = None

    @property
    def models(self) -> list[ModelPatcher]:
        return [self.model] if self.low_noise is None else [self.model, self.low_noise.model]

    def checked(self) -> StepSampler:
        """ValueError where the second model cannot go on from the first, or one of them would have nothing to do."""
        if self.low_noise is not None:
            require_pair(self.model, self.low_noise.model)
            if not 0 < self.switch < self.count:
                raise ValueError(
                    f"All {self.count} steps lie on one side of switch_at, so one of the two models has nothing to do; "
                    "take more steps, another scheduler or another switch_at."
                )
        return self

    def with_models(self, change: Callable[[ModelPatcher], ModelPatcher]) -> StepSampler:
        """The same with another model in the place of each."""
        low_noise = self.low_noise and self.low_noise._replace(model=change(self.low_noise.model))
        return replace(self, model=change(self.model), low_noise=low_noise)

    @cached_property
    def count(self) -> int:
        """How many steps a picture takes."""
        return len(self._noise_levels) - 1

    @cached_property
    def switch(self) -> int:
        """The first step that the second model takes; `count` where there is none."""
        if self.low_noise is None:
            return self.count
        limit = find_boundary(self.model, self.low_noise.switch_at)
        return next((step for step, sigma in enumerate(self._noise_levels[:-1]) if float(sigma) < limit), self.count)

    def run(
        self, noise: torch.Tensor, latents: torch.Tensor, prompts: tuple[Conditioning, Conditioning], seed: int, steps: range,
        on_step: OnStep, mask: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor | None]:  # fmt: skip
        """Latents after these steps, and the clean picture that the model saw in them last. From a later step than the first, `noise` is 0
        and in the latents already: core takes what is left of it as a part of them, whatever the model's way of adding noise.
        """
        import torch

        seen: list[torch.Tensor] = []
        for model, part in self._parts(steps):

            def on_core_step(step: int, denoised: torch.Tensor, _x: Any, _count: int, before: int = part.start - steps.start) -> None:
                seen[:] = [denoised]
                on_step(before + step, len(steps), denoised)

            settings = self.settings
            latents = comfy.sample.sample(
                model, noise, settings.steps, settings.cfg, settings.sampler, settings.scheduler, *prompts, latents,
                disable_noise=part.start > 0, start_step=part.start, last_step=part.stop, noise_mask=mask, callback=on_core_step,
                disable_pbar=True, seed=seed,
            )  # fmt: skip
            noise = torch.zeros_like(noise)
        return latents, seen[0] if seen else None

    def _parts(self, steps: range) -> list[tuple[ModelPatcher, range]]:
        """Which model takes which of the steps."""
        parts = zip(self.models, (range(0, self.switch), range(self.switch, self.count)), strict=False)
        shares = [(model, range(max(part.start, steps.start), min(part.stop, steps.stop))) for model, part in parts]
        return [(model, share) for model, share in shares if share]

    @cached_property
    def _noise_levels(self) -> torch.Tensor:
        model, settings = self.model, self.settings
        options = (settings.sampler, settings.scheduler, 1.0, model.model_options)
        return comfy.samplers.KSampler(model, settings.steps, model.load_device, *options).sigmas


def find_boundary(model: ModelPatcher, level: float) -> float:
    """The sigma at a level of noise; that of Wan 2.2's own code for 0. ValueError where nothing is known of the model."""
    config = read_config(model)
    if not level and config.get("image_model") == "wan2.1":
        begins = config.get("in_dim", 0) > config.get("out_dim", 16)  # core takes Wan 2.2's image-to-video halves for text-to-video ones
        level = WAN_SWITCH["i2v" if begins else "t2v"]
    if not level:
        raise ValueError("It is not known at which noise the second model takes over from this one; set switch_at, 0.2 for example.")
    sampling = cast("Any", model.get_model_object("model_sampling"))
    return level if isinstance(sampling, comfy.model_sampling.CONST) else float(sampling.percent_to_sigma(1 - level))


def require_pair(model: ModelPatcher, low_noise: ModelPatcher) -> None:
    """ValueError where the second model cannot go on from the first: other latents, or prompts of another text encoder."""
    first, last = (
        [part.get_model_object("latent_format").latent_channels, *(read_config(part).get(name) for name in PROMPT_SHAPE)]
        for part in (model, low_noise)
    )
    if first != last:
        raise ValueError(
            "The models at 'model' and 'low_noise_model' do not belong together (their latents or prompts differ); "
            "connect the high-noise and the low-noise half of one model."
        )


def read_config(model: ModelPatcher) -> dict[str, Any]:
    """What core has recognised of a network in its file."""
    return getattr(getattr(model.model, "model_config", None), "unet_config", {})
