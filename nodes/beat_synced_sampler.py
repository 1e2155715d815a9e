"""BeatSyncedSampler: the shots of a timeline, drawn by any image or video model, one clip file a shot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import comfy.samplers
import folder_paths
from comfy_api.latest import InputImpl, io, ui

from .engine.film.clip_cache import ClipCache
from .engine.film.given_curves import read_curves
from .engine.film.motion import BY_STORYBOARD, MOVEMENTS
from .engine.film.render import Clip, RenderSettings, render_shots
from .engine.film.speeds import WALKS
from .engine.film.video_frames import read_first_frames
from .engine.timeline import Timeline, read_fps
from .image_model import SamplingSettings
from .model_choice import ModelChoice
from .person_folder import CLIP_FOLDER
from .personal_receipts import FilmConsents, find_receipts
from .render_progress import ProgressReport
from .shot_cast import ShotCast
from .shot_material import ShotMaterial
from .sockets import TimelineSocket, to_image
from .video_model import VIDEO_LATENTS


class BeatSyncedSampler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="BeatSyncedSampler",
            display_name="Beat-Synced Sampler",
            category="music video",
            description="Draws every shot of the storyboard with your model and moves it with the music. "
            "Finished clips are kept: a rerun draws only what is missing or changed.",
            search_aliases=["music video", "audio reactive", "beat sync", "ksampler"],
            inputs=[
                io.Model.Input("model", tooltip="Any image or video model, with LoRAs and patches as you like."),
                io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
                io.Vae.Input("vae", tooltip="The VAE that belongs to the model."),
                TimelineSocket.Input("timeline", tooltip="A timeline with shots, from Storyboard Writer."),
                io.Int.Input("width", default=768, min=64, max=8192, step=16, tooltip="Width of the film in pixels."),
                io.Int.Input("height", default=448, min=64, max=8192, step=16, tooltip="Height of the film in pixels."),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=0.001,
                               tooltip="Frames a second. 29.97 and 23.976 are taken exactly."),
                io.Int.Input("steps", default=20, min=1, max=200, tooltip="Sampling steps of each frame."),
                io.Float.Input("cfg", default=7.0, min=0.0, max=100.0, step=0.1,
                               tooltip="How strictly the prompt is followed. 1 halves the work."),
                io.Combo.Input("sampler", options=comfy.samplers.KSampler.SAMPLERS, default="euler",
                               tooltip="Choose one without added noise (not ancestral, not sde) for a steady film."),
                io.Combo.Input("scheduler", options=comfy.samplers.KSampler.SCHEDULERS, default="simple",
                               tooltip="How the steps are spread."),
                io.Int.Input("seed", default=0, min=0, max=2**53, control_after_generate=io.ControlAfterGenerate.fixed,
                             tooltip="Added to the seed of every shot."),
                io.String.Input("negative", default="", multiline=True, tooltip="What no shot should show."),
                io.Combo.Input("walk", options=list(WALKS), default="onset",
                               tooltip="What drives the change inside a shot: the attacks in the sound, the beats, time alone, a jump "
                               "on every beat, or slowly the mood."),
                io.Float.Input("walk_amount", default=0.35, min=0.0, max=1.0, step=0.01,
                               tooltip="How far the picture changes inside a shot. 0 holds it still, 1 turns it into another one."),
                io.Int.Input("first_shot", default=1, min=1, max=9999, optional=True, advanced=True, tooltip="Draw from this shot on."),
                io.Int.Input("last_shot", default=0, min=0, max=9999, optional=True, advanced=True,
                             tooltip="Draw up to this shot. 0: to the end."),
                io.Int.Input("batch_frames", default=0, min=0, max=256, optional=True, advanced=True,
                             tooltip="Frames drawn at once. 0: as many as fit into memory; of a video model as many as it can make."),
                io.Float.Input("shared_steps", default=0.9, min=0.0, max=1.0, step=0.05, optional=True,
                               tooltip="The share of the steps that neighbouring frames of a shot take together. 0.9 needs about a "
                               "quarter of the work. 0 draws every frame alone. Samplers that add noise always do."),
                io.Float.Input("steadiness", default=0.0, min=0.0, max=1.0, step=0.05, optional=True,
                               tooltip="How much of the fine structure stays where it is while a shot moves. 0 lets everything "
                               "move, 1 holds the picture still."),
                io.Combo.Input("movement", options=[BY_STORYBOARD, *MOVEMENTS], default=BY_STORYBOARD, optional=True,
                               tooltip="How the whole film moves: camera and walk in one. storyboard: as each shot and 'walk' say."),
                io.Custom("FLOATS").Input("walk_curve", optional=True,
                                          tooltip="Speed of the change at every frame of the film, in place of the walk's. 1 goes the "
                                          "shot's whole way in its time, 0 holds the picture."),
                io.Custom("FLOATS").Input("zoom_curve", optional=True,
                                          tooltip="How much closer the camera is at every frame of the film. 0.1 is a tenth."),
                io.Custom("FLOATS").Input("exposure_curve", optional=True,
                                          tooltip="How much brighter every frame of the film is. 0.1 is a tenth, -0.1 a tenth darker. "
                                          "Weakened where it would flash more than three times a second."),
                io.Custom("FLOATS").Input("prompt_curve", optional=True,
                                          tooltip="How far every frame of the film has gone from its shot's prompt, 0, to its end "
                                          "prompt, 1."),
                io.Image.Input("keyframes", optional=True,
                               tooltip="For image-to-video models: a picture a shot, in order, or one for all, that the shots begin with."),
                io.Audio.Input("audio", optional=True, tooltip="For models that move to sound, such as Wan S2V: the song."),
                io.AudioEncoder.Input("audio_encoder", optional=True,
                                      tooltip="For models that move to sound: the encoder that belongs to the model."),
                io.ClipVision.Input("clip_vision", optional=True,
                                    tooltip="For image-to-video models that see their first picture through it, such as Wan 2.1."),
                io.Combo.Input("video_latents", options=list(VIDEO_LATENTS), default="auto", optional=True, advanced=True,
                               tooltip="Whether the model draws a shot as one piece of film. auto: video models do. off: it draws "
                               "every frame as a picture. on: for a new video model that is taken for an image model."),
                io.Float.Input("anchor_attention", default=0.0, min=0.0, max=1.0, step=0.05, optional=True, advanced=True,
                               tooltip="How much of its fine structure each frame looks up in the shot's first picture. 1 flickers "
                               "least and moves least, and takes about a fifth longer. Off where the model does not allow it."),
                io.Model.Input("low_noise_model", optional=True,
                               tooltip="For models of two halves, such as Wan 2.2 14B: the low-noise half; 'model' is then the other."),
                io.Float.Input("switch_at", default=0.0, min=0.0, max=1.0, step=0.005, optional=True, advanced=True,
                               tooltip="At which noise low_noise_model takes over: 1 is the beginning, 0 the end. 0: where Wan 2.2 does."),
            ],
            outputs=[
                io.Video.Output("clips", display_name="clips", is_output_list=True, tooltip="One clip a shot, in order."),
                io.Image.Output("keyframes", display_name="keyframes", tooltip="The first frame of every shot."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            not_idempotent=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, model: Any, clip: Any, vae: Any, timeline: Timeline, width: int, height: int, fps: float, steps: int, cfg: float,
        sampler: str, scheduler: str, seed: int, negative: str, walk: str, walk_amount: float,
        first_shot: int = 1, last_shot: int = 0, batch_frames: int = 0, shared_steps: float = 0.9, steadiness: float = 0.0,
        movement: str = BY_STORYBOARD, keyframes: Any = None, audio: Any = None, audio_encoder: Any = None, clip_vision: Any = None,
        video_latents: str = "auto", anchor_attention: float = 0.0, low_noise_model: Any = None, switch_at: float = 0.0,
        **curves: list[float] | None,
    ) -> io.NodeOutput:  # fmt: skip
        consents = cls._find_consents(model, low_noise_model, clip)
        settings = RenderSettings(
            width, height, read_fps(fps), seed, walk, walk_amount, batch_frames, first_shot, last_shot, shared_steps, steadiness,
            consents.ids, movement, read_curves(curves), anchor_attention,
        )  # fmt: skip
        sampling, material = SamplingSettings(steps, cfg, sampler, scheduler, negative), ShotMaterial(timeline, audio, keyframes)
        choice = ModelChoice(vae, sampling, material, video_latents, audio_encoder, clip_vision, switch_at, cls.hidden)
        cast = ShotCast(model, low_noise_model, clip, consents.ids, timeline, choice.make)
        cache = ClipCache(Path(folder_paths.get_output_directory()) / CLIP_FOLDER)
        watch = consents.watch(ProgressReport(model, cls.hidden.unique_id))
        with consents.required():
            return cls._show(render_shots(timeline, settings, cast.whole, cache, watch, cast.model_for))

    @classmethod
    def _show(cls, clips: list[Clip]) -> io.NodeOutput:
        keyframes = to_image(read_first_frames([clip.path for clip in clips]))
        return io.NodeOutput([InputImpl.VideoFromFile(str(clip.path)) for clip in clips], keyframes, ui=ui.PreviewImage(keyframes, cls=cls))

    @classmethod
    def _find_consents(cls, model: Any, low_noise: Any, clip: Any) -> FilmConsents:
        patchers = [part for part in (model, low_noise, getattr(clip, "patcher", None)) if part is not None]
        inputs = ("model", "low_noise_model", "clip", "keyframes")
        return FilmConsents(find_receipts(patchers, cls.hidden.dynprompt, cls.hidden.unique_id, inputs))
