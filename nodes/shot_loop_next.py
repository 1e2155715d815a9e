"""ShotLoopNext: Shot Loop End's own helper; a shot is finished -> its memory is freed and the next one is drawn."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from .loop_body import copies_of
from .loop_clips import LoopClips, draw_shot
from .loop_memory import forget_results
from .personal_receipts import require_consent


class ShotLoopNext(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="ShotLoopNext",
            display_name="Shot Loop Next",
            category="music video",
            description="Part of Shot Loop End, which adds it by itself.",
            inputs=[
                io.AnyType.Input("clips", tooltip="The loop that it goes on with."),
                io.String.Input("end", tooltip="The Shot Loop End that it works for."),
                io.Int.Input("done", tooltip="The number of the shot that is finished."),
                io.Video.Input("clip", tooltip="The clip of that shot."),
            ],
            outputs=[io.AnyType.Output("all_clips", display_name="all_clips", tooltip="The clips of all shots, as one list.")],
            hidden=[io.Hidden.dynprompt],
            not_idempotent=True,
            enable_expand=True,
            is_dev_only=True,
        )  # fmt: skip

    @classmethod
    def execute(cls, clips: LoopClips, end: str, done: int, clip: Any) -> io.NodeOutput:
        prompt = cls.hidden.dynprompt
        forget_results(copies_of(prompt, end, done))
        shot = clips.missing(done)
        if shot is None:
            return io.NodeOutput(clips.videos())
        require_consent(clips.receipts, "make_videos")
        graph, link = draw_shot(prompt, end, clips, shot)
        return io.NodeOutput(link, expand=graph)
