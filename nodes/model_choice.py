"""What draws a film: the model of the graph as the renderer's image or video model, with an identity for its clips."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .image_model import SamplingSettings
from .model_identity import identify_models
from .step_sampling import LowNoise
from .video_model import choose_model

if TYPE_CHECKING:
    from .engine.film.render import ImageModel
    from .engine.film.video_shots import VideoModel
    from .shot_material import ShotMaterial


@dataclass(frozen=True)
class ModelChoice:
    """All that stands beside a MODEL and its CLIP on the node."""

    vae: Any
    sampling: SamplingSettings
    material: ShotMaterial
    video_latents: str  # one of video_model.VIDEO_LATENTS
    audio_encoder: Any
    clip_vision: Any
    switch_at: float  # at which level of noise the second model takes over, if there is one
    hidden: Any  # the node's own: which node of which prompt it is

    def make(self, model: Any, low_noise: Any, clip: Any) -> ImageModel | VideoModel:
        """`low_noise` is the MODEL that takes the last steps, or None."""
        others = (getattr(part, "patcher", None) for part in (clip, self.vae, self.audio_encoder, self.clip_vision))
        patchers = [part for part in (model, *others, low_noise) if part is not None]
        second = () if low_noise is None else ("low_noise_model",)
        models = identify_models(patchers, self.hidden.dynprompt, self.hidden.unique_id, ("model", "clip", "vae", *second))
        identity = f"{models}:{self.sampling}" + (f":{self.switch_at}" if second else "")  # other clips keep their names
        return choose_model(
            model, clip, self.vae, self.sampling, identity, self.video_latents, self.material, self.audio_encoder, self.clip_vision,
            None if low_noise is None else LowNoise(low_noise, self.switch_at),
        )  # fmt: skip
