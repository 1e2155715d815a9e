"""ShotClip: Shot Loop End's own helper; the frames that were drawn for a shot -> its clip on the disk."""

from __future__ import annotations

from typing import Any

import comfy.model_management
from comfy_api.latest import InputImpl, io

from .engine.film.shot_loop import write_clip
from .engine.timeline import read_fps
from .loop_clips import LoopClips, clip_cache
from .personal_receipts import FilmConsents, find_receipts
from .sockets import read_clip


class ShotClip(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ShotClip",
            display_name="Shot Clip",
            category="music video",
            description="Part of Shot Loop End, which adds it by itself.",
            inputs=[
                io.AnyType.Input("clips", tooltip="The loop that it works for."),
                io.Int.Input("number", tooltip="The shot's number."),
                io.MultiType.Input("frames", [io.Image, io.Video], tooltip="The frames that were drawn for the shot."),
                io.String.Input("key", tooltip="The name of the clip."),
            ],
            outputs=[io.Video.Output("clip", display_name="clip", tooltip="The finished clip.")],
            not_idempotent=True,
            is_input_list=True,
            accept_all_inputs=True,
            is_dev_only=True,
        )  # fmt: skip

    @classmethod
    def execute(cls, clips: list[LoopClips], number: list[int], frames: list[Any], key: list[str], **models: list[Any]) -> io.NodeOutput:
        """`models` are those that the nodes in the loop took: a person's LoRA may have come in with them."""
        plan, path = clips[0], clip_cache().path(key[0])
        shot = next(shot for shot in plan.loop.shots if shot.number == number[0])
        fps = read_fps(plan.frames_fps) if plan.frames_fps else plan.loop.model_fps
        found = find_receipts([_patcher(model) for values in models.values() for model in values], None, None, ())
        consents = FilmConsents(tuple(sorted({*plan.receipts, *found})), shot.frames)
        with consents.required():
            interruption = comfy.model_management.throw_exception_if_processing_interrupted
            write_clip(path, read_clip(join_pictures(frames), fps), plan.loop, shot, plan.short_clips, consents.ids, interruption)
        return io.NodeOutput(InputImpl.VideoFromFile(str(path)))


def join_pictures(frames: list[Any]) -> Any:
    """One batch of what came as a list; nodes in the loop may hand out pictures one by one."""
    import torch

    return frames[0] if len(frames) == 1 or not isinstance(frames[0], torch.Tensor) else torch.cat(frames)


def _patcher(model: Any) -> Any:
    """The ModelPatcher of a MODEL, a CLIP or a GUIDER."""
    return getattr(model, "patcher", None) or getattr(model, "model_patcher", None) or model
