"""A ComfyUI video MODEL, CLIP and VAE as the `VideoModel` that `engine.film.video_shots` draws with.

Sampling goes through `comfy.sample`, as for pictures, so patches, LoRAs and samplers are the user's. What the model begins with comes
from core's own nodes (`video_starts`), its lengths from `video_families`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import comfy.model_management

from .image_model import MEMORY_SHARE, HostImageModel, SamplingSettings
from .video_families import VideoFamily, find_family, is_video_model
from .video_starts import Scene

if TYPE_CHECKING:
    import torch
    from comfy.model_patcher import ModelPatcher
    from comfy.sd import CLIP, VAE

    from .engine.film.video_shots import VideoRequest
    from .shot_material import ShotMaterial
    from .step_sampling import LowNoise

VIDEO_LATENTS = ("auto", "on", "off")
TILE, TILE_OVERLAP = 512, 64  # pixels; these four are the defaults of core's VAE Decode (Tiled)
TILE_FRAMES, TILE_FRAMES_OVERLAP = 64, 8


def choose_model(
    model: ModelPatcher, clip: CLIP | None, vae: VAE, settings: SamplingSettings, identity: str, video_latents: str,
    material: ShotMaterial, audio_encoder: Any = None, clip_vision: Any = None, low_noise: LowNoise | None = None,
) -> HostImageModel | HostVideoModel:  # fmt: skip
    """A video model draws a shot as a whole, any other frame by frame; `video_latents` is one of VIDEO_LATENTS."""
    still = HostImageModel(model, clip, vae, settings, identity, low_noise)
    video = is_video_model(model, vae)
    if video_latents == "on" and not video and cast("Any", model.get_model_object("latent_format")).latent_dimensions != 3:
        raise ValueError("This model makes single pictures and no video; set video_latents to auto.")
    if video_latents == "on" or (video and video_latents == "auto"):
        return HostVideoModel(still, vae, settings, find_family(model), material, audio_encoder, clip_vision)
    if material.has_pictures:
        raise ValueError("An image model does not begin with a picture; disconnect 'keyframes', or connect an image-to-video model.")
    return still


class HostVideoModel:
    """Draws pieces of film with core's sampling functions; see `engine.film.video_shots.VideoModel` for the shapes."""

    def __init__(
        self, still: HostImageModel, vae: VAE, settings: SamplingSettings, family: VideoFamily, material: ShotMaterial,
        audio_encoder: Any, clip_vision: Any,
    ) -> None:  # fmt: skip
        self.identity, self.grid, self.memory, self.continues = still.identity, family.grid, family.memory, family.continues
        self.is_out_of_memory = still.is_out_of_memory
        self._still, self._vae, self._settings = still, vae, settings
        self._family, self._material, self._encoder, self._vision = family, material, audio_encoder, clip_vision
        if family.picture == "no" and material.has_pictures:
            raise ValueError("This video model cannot begin with a picture; disconnect 'keyframes', or connect an image-to-video model.")
        if family.picture == "must" and not material.has_pictures:
            raise ValueError("This is an image-to-video model; connect a picture a shot, or one for all, to 'keyframes'.")
        if family.hears and (audio_encoder is None or not material.has_sound):
            raise ValueError("This model moves to the song; connect the song to 'audio' and Load Audio Encoder to 'audio_encoder'.")

    @property
    def evaluations(self) -> int:
        return self._still.evaluations

    def check_size(self, width: int, height: int) -> None:
        self._still.noise_shape(width, height)

    def latent_shape(self, length: int, width: int, height: int) -> tuple[int, ...]:
        channels, *_depth, rows, columns = self._still.noise_shape(width, height)
        return (1 + (length - 1) // self.grid.step, channels, rows, columns)

    def describe_material(self, shot: int, begin: float, seconds: float) -> list[str]:
        heard = self._material.mark_sound(begin, seconds) if self._family.hears else ""
        return [self._material.mark_picture(shot), heard]

    def draw(self, request: VideoRequest, noise: torch.Tensor, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        noise = noise.movedim(0, 1)[None]
        start = self._family.begin(self._set_scene(request, noise))
        prompts, sampler = (start.positive, start.negative), self._still.sampler
        latents, _seen = sampler.run(noise, start.latents, prompts, request.seed, range(sampler.count), on_step, start.mask)
        if start.head is not None:
            latents[:, :, : start.head.shape[2]] = start.head.to(latents)
        return self._decode(latents, request)

    def _set_scene(self, request: VideoRequest, noise: torch.Tensor) -> Scene:
        import torch

        picture = self._material.keyframe(request.shot)
        if self.continues and request.before is not None:
            picture = request.before[-1:]
        if picture is not None:
            picture = picture[..., :3]
        seen = self._vision.encode_image(picture, crop=True) if self._vision is not None and picture is not None else None
        return Scene(
            self._still.encode_prompt(request.prompt), self._still.encode_prompt(self._settings.negative), self._vae,
            torch.zeros_like(noise), request.width, request.height, request.length, picture, request.before,
            self._hear(request), seen,
        )  # fmt: skip

    def _hear(self, request: VideoRequest) -> dict[str, Any] | None:
        sound = self._material.sound(request.begin, request.seconds) if self._family.hears else None
        return self._encoder.encode_audio(sound["waveform"], sound["sample_rate"]) if sound else None

    def _decode(self, latents: torch.Tensor, request: VideoRequest) -> torch.Tensor:
        """Whole where the device has room for it, else in tiles of space and time; by all its memory, so that a rerun decodes alike."""
        vae = self._vae
        need = cast("Any", vae.memory_used_decode)(latents.shape, vae.vae_dtype)
        if need <= cast(float, comfy.model_management.get_total_memory(vae.device)) * MEMORY_SHARE:
            pictures = vae.decode(latents)
        else:
            pictures = self._decode_tiled(latents)
        pictures = pictures.reshape(-1, *pictures.shape[-3:])[: request.length, ..., :3]
        if pictures.shape[:3] != (request.length, request.height, request.width):
            found = "x".join(str(size) for size in pictures.shape[:3])
            raise ValueError(
                f"The VAE made {found} (frames, height, width) of a latent for {request.length}x{request.height}x{request.width}; "
                "connect the VAE that belongs to this video model."
            )
        return pictures.float()

    def _decode_tiled(self, latents: torch.Tensor) -> torch.Tensor:
        space, time = cast(int, self._vae.spacial_compression_decode()), self._vae.temporal_compression_decode() or 1
        return self._vae.decode_tiled(
            latents, tile_x=TILE // space, tile_y=TILE // space, overlap=TILE_OVERLAP // space,
            tile_t=max(2, TILE_FRAMES // time), overlap_t=max(1, TILE_FRAMES_OVERLAP // time),
        )  # fmt: skip
