"""ShotLoopEnd: the frames of every shot, drawn by the nodes since Shot Loop Start -> one VIDEO clip a shot.

The nodes between are not run as they stand there: `frames` is lazy, and core's node expansion runs a copy of them for each shot
that has no clip yet, one after the other. `ShotClip` writes what a copy made, `ShotLoopNext` goes on.
"""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .engine.film.clip_source import SHORT_CLIPS
from .engine.film.shot_loop import ShotLoop
from .loop_clips import clip_cache, draw_shot, plan_clips
from .personal_receipts import require_consent
from .sockets import ShotLoopSocket


class ShotLoopEnd(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ShotLoopEnd",
            display_name="Shot Loop End",
            category="music video",
            description="Collects what your own nodes drew: one clip a shot, exactly as long as the shot. "
            "Finished clips are kept: a rerun draws only what is missing or changed.",
            search_aliases=["for each shot", "loop", "bring your own workflow", "video model", "music video"],
            inputs=[
                ShotLoopSocket.Input("loop", tooltip="From Shot Loop Start."),
                io.MultiType.Input("frames", [io.Image, io.Video], lazy=True, raw_link=True,
                                   tooltip="The frames of a shot, as pictures or as a video, from your nodes."),
                io.Combo.Input("short_clips", options=list(SHORT_CLIPS),
                               tooltip="What to do where fewer frames come than the shot needs. What is too much is cut off."),
                io.Float.Input("frames_fps", default=0.0, min=0.0, max=240.0, step=0.001, advanced=True,
                               tooltip="Frames a second of the pictures that come here, where nodes in the loop change it, "
                               "such as frame interpolation. 0: as Shot Loop Start says."),
            ],
            outputs=[io.Video.Output("clips", display_name="clips", is_output_list=True,
                                     tooltip="One clip a shot, in order, for Video Assembler.")],
            hidden=[io.Hidden.unique_id, io.Hidden.dynprompt],
            not_idempotent=True,
            enable_expand=True,
        )  # fmt: skip

    @classmethod
    def execute(cls, loop: ShotLoop, frames: Any, short_clips: str, frames_fps: float) -> io.NodeOutput:
        prompt, node_id = cls.hidden.dynprompt, cls.hidden.unique_id
        clips = plan_clips(prompt, node_id, loop, short_clips, frames_fps)
        require_consent(clips.receipts, "make_videos")
        clip_cache().prepare()
        shot = clips.missing()
        if shot is None:
            return io.NodeOutput(clips.videos())
        graph, link = draw_shot(prompt, node_id, clips, shot)
        return io.NodeOutput(link, expand=graph)
