"""What a video model begins with: prompts, a first picture and the song, as the conditioning and latents that core's own nodes make.

Every function takes a `Scene` and gives a `Start`. Core's nodes are called rather than copied, so that a model is conditioned here
exactly as in a workflow of core's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from comfy.sd import VAE

    from .image_model import Conditioning


@dataclass(frozen=True)
class Scene:
    """What is known of a piece before it is drawn. Pictures are IMAGEs [pictures, height, width, channels]."""

    positive: Conditioning
    negative: Conditioning
    vae: VAE
    latents: torch.Tensor  # zeros [1, channels, frames, height, width]
    width: int
    height: int
    length: int
    picture: torch.Tensor | None = None  # that it begins with, or that shows what it is about
    before: torch.Tensor | None = None  # the pictures that it goes on from
    heard: dict[str, Any] | None = None  # core's AUDIO_ENCODER_OUTPUT
    seen: Any = None  # core's CLIP_VISION_OUTPUT of the picture

    @property
    def prompts(self) -> tuple[Conditioning, Conditioning]:
        return self.positive, self.negative

    @property
    def size(self) -> tuple[int, int, int, int]:
        return self.width, self.height, self.length, 1  # as core's nodes take them, a batch of one last


@dataclass(frozen=True)
class Start:
    positive: Conditioning
    negative: Conditioning
    latents: torch.Tensor  # that are drawn over
    mask: torch.Tensor | None = None  # 0 where they stay
    head: torch.Tensor | None = None  # the first latent frames of the result


Begin = Callable[[Scene], Start]


def from_noise(scene: Scene) -> Start:
    return Start(scene.positive, scene.negative, scene.latents)


def from_wan(scene: Scene) -> Start:
    from comfy_extras.nodes_wan import WanImageToVideo

    return _start(scene, *_run(WanImageToVideo, *scene.prompts, scene.vae, *scene.size, scene.picture, scene.seen))


def from_wan22(scene: Scene) -> Start:
    """The model with 5 billion weights: the first picture stands in the latents."""
    from comfy_extras.nodes_wan import Wan22ImageToVideoLatent

    return _start(scene, *scene.prompts, *_run(Wan22ImageToVideoLatent, scene.vae, *scene.size, start_image=scene.picture))


def from_wan_sound(scene: Scene) -> Start:
    from comfy_extras.nodes_wan import WanSoundImageToVideo

    given = {"ref_image": scene.picture, "audio_encoder_output": scene.heard, "ref_motion": scene.before}
    return _start(scene, *_run(WanSoundImageToVideo, *scene.prompts, scene.vae, *scene.size, **given))


def from_wan_humo(scene: Scene) -> Start:
    from comfy_extras.nodes_wan import WanHuMoImageToVideo

    given = {"ref_image": scene.picture, "audio_encoder_output": scene.heard}
    return _start(scene, *_run(WanHuMoImageToVideo, *scene.prompts, scene.vae, *scene.size, **given))


def from_ltx(scene: Scene) -> Start:
    from comfy_extras.nodes_lt import LTXVImgToVideo

    if scene.picture is None:
        return from_noise(scene)
    return _start(scene, *_run(LTXVImgToVideo, *scene.prompts, scene.picture, scene.vae, *scene.size, strength=1.0))


def from_hunyuan(scene: Scene) -> Start:
    from comfy_extras.nodes_hunyuan import HunyuanImageToVideo

    positive, latent = _run(HunyuanImageToVideo, scene.positive, scene.vae, *scene.size, "v1 (concat)", scene.picture)
    return _start(scene, positive, scene.negative, latent)


def from_hunyuan15(scene: Scene) -> Start:
    from comfy_extras.nodes_hunyuan import HunyuanVideo15ImageToVideo

    return _start(scene, *_run(HunyuanVideo15ImageToVideo, *scene.prompts, scene.vae, *scene.size, scene.picture, scene.seen))


def from_kandinsky(scene: Scene) -> Start:
    """Core gives the picture's latents apart, to be put where the model's own beginning stays noisy."""
    from comfy_extras.nodes_kandinsky5 import Kandinsky5ImageToVideo

    *made, head = _run(Kandinsky5ImageToVideo, *scene.prompts, scene.vae, *scene.size, start_image=scene.picture)
    return replace(_start(scene, *made), head=head.get("samples"))


def from_cosmos(scene: Scene) -> Start:
    from comfy_extras.nodes_cosmos import CosmosImageToVideoLatent

    return _start(scene, *scene.prompts, *_run(CosmosImageToVideoLatent, scene.vae, *scene.size, start_image=scene.picture))


def from_predict2(scene: Scene) -> Start:
    from comfy_extras.nodes_cosmos import CosmosPredict2ImageToVideoLatent

    return _start(scene, *scene.prompts, *_run(CosmosPredict2ImageToVideoLatent, scene.vae, *scene.size, start_image=scene.picture))


def from_concat(scene: Scene) -> Start:
    """CogVideoX, which core has no node for: the picture's latents beside those that are drawn, zeros after the first frame."""
    import comfy.utils
    import node_helpers

    assert scene.picture is not None, "a shot of this model is not planned without a picture"
    pixels = comfy.utils.common_upscale(scene.picture[..., :3].movedim(-1, 1), scene.width, scene.height, "bilinear", "center")
    values = {"concat_latent_image": scene.vae.encode(pixels.movedim(1, -1))}
    positive, negative = (node_helpers.conditioning_set_values(prompt, values) for prompt in scene.prompts)
    return Start(positive, negative, scene.latents)


def _run(node: Any, *values: Any, **named: Any) -> tuple[Any, ...]:
    """What a node of core gives."""
    return node.execute(*values, **named).result


def _start(scene: Scene, positive: Conditioning, negative: Conditioning, latent: dict[str, Any]) -> Start:
    return Start(positive, negative, latent["samples"].to(scene.latents), latent.get("noise_mask"))
