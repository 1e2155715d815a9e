"""ShotLoopStart: the shots of a timeline, handed one after the other to the nodes between it and Shot Loop End."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io

from .engine.film.shot_loop import FRAME_GRIDS, LoopSettings, LoopShot, plan_loop
from .engine.timeline import Timeline, read_fps
from .loop_body import SHOT_OUTPUTS, find_end
from .shot_material import ShotMaterial
from .sockets import ShotLoopSocket, TimelineSocket

if TYPE_CHECKING:
    import torch


class ShotLoopStart(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ShotLoopStart",
            display_name="Shot Loop Start",
            category="music video",
            description="Draws the shots with nodes of your own: whatever stands between this node and Shot Loop End is run once "
            "for every shot, one shot in memory at a time.",
            search_aliases=["for each shot", "loop", "bring your own workflow", "video model", "music video"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="A timeline with shots, from Storyboard Writer."),
                io.Audio.Input("audio", optional=True, tooltip="The song, if nodes in the loop should hear the shot's part of it."),
                io.Image.Input("keyframes", optional=True,
                               tooltip="A picture a shot, in order, or one for all: what image-to-video nodes in the loop begin with."),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=0.001,
                               tooltip="Frames a second of the film. 29.97 and 23.976 are taken exactly."),
                io.Float.Input("model_fps", default=0.0, min=0.0, max=120.0, step=0.001,
                               tooltip="Frames a second that the nodes in the loop make, such as 16 for Wan. 0: as the film."),
                io.Combo.Input("frame_grid", options=list(FRAME_GRIDS), default="any",
                               tooltip="Lengths that the video model can make: 4n+1 for Wan and Hunyuan, 8n+1 for LTX. "
                               "Shot Loop End cuts off what is too much."),
                io.Int.Input("seed", default=0, min=0, max=2**53, control_after_generate=io.ControlAfterGenerate.fixed,
                             tooltip="Added to the seed of every shot."),
                io.Int.Input("first_shot", default=1, min=1, max=9999, advanced=True, tooltip="Draw from this shot on."),
                io.Int.Input("last_shot", default=0, min=0, max=9999, advanced=True, tooltip="Draw up to this shot. 0: to the end."),
            ],
            outputs=[
                ShotLoopSocket.Output("loop", display_name="loop", tooltip="For Shot Loop End."),
                io.Float.Output("fps_out", display_name="fps", tooltip="Frames a second that the nodes in the loop should make."),
                io.String.Output("prompt", display_name="prompt", tooltip="What the shot shows."),
                io.String.Output("end_prompt", display_name="end_prompt", tooltip="What the shot turns into, or the prompt again."),
                io.Int.Output("shot_seed", display_name="seed", tooltip="The shot's own seed."),
                io.Int.Output("frames", display_name="frames", tooltip="How many frames to make: the length, batch size or amount."),
                io.Float.Output("seconds", display_name="seconds", tooltip="How long these frames last."),
                io.Image.Output("keyframe", display_name="keyframe", tooltip="The shot's own picture."),
                io.Audio.Output("audio_slice", display_name="audio", tooltip="What is heard while these frames play."),
                io.Int.Output("number", display_name="number", tooltip="The shot's number, from 1."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            not_idempotent=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, timeline: Timeline, fps: float, model_fps: float, frame_grid: str, seed: int, first_shot: int, last_shot: int,
        audio: dict[str, Any] | None = None, keyframes: torch.Tensor | None = None,
    ) -> io.NodeOutput:  # fmt: skip
        rate = read_fps(model_fps) if model_fps else Fraction(0)
        loop = plan_loop(timeline, LoopSettings(read_fps(fps), rate, frame_grid, seed, first_shot, last_shot))
        material = ShotMaterial(timeline, audio, keyframes)
        if find_end(cls.hidden.dynprompt, cls.hidden.unique_id) is not None:
            loop = replace(loop, shots=tuple(mark(material, shot) for shot in loop.shots))
            # Nodes that hang on this one beside the loop, such as previews, are run in it, once for every shot.
            return io.NodeOutput(loop, float(loop.model_fps), *[blocker()] * len(SHOT_OUTPUTS))
        shot = loop.shots[0]
        return io.NodeOutput(
            loop, float(loop.model_fps), shot.prompt, shot.end_prompt, shot.seed, shot.length, shot.seconds,
            keyframe_of(material, shot), sound_of(material, shot), shot.number,
        )  # fmt: skip


def keyframe_of(material: ShotMaterial, shot: LoopShot) -> Any:
    picture = material.keyframe(shot.number)
    return blocker("Shot Loop Start has no pictures to hand out; connect its input 'keyframes'.") if picture is None else picture


def sound_of(material: ShotMaterial, shot: LoopShot) -> Any:
    return material.sound(shot.start, shot.seconds) or blocker("Shot Loop Start has no song to hand out; connect its input 'audio'.")


def mark(material: ShotMaterial, shot: LoopShot) -> LoopShot:
    """The shot with the hashes of its material, by which its clip is known."""
    return replace(shot, keyframe=material.mark_picture(shot.number), sound=material.mark_sound(shot.start, shot.seconds))


def blocker(message: str | None = None) -> Any:
    """Core's way of not running whatever takes this value."""
    from comfy_execution.graph_utils import ExecutionBlocker

    return ExecutionBlocker(message)
