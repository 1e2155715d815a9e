"""TimelineCurves: the music as one number a frame, for other packs' nodes."""

from __future__ import annotations

from comfy_api.latest import io

from .engine.film.frame_curves import CURVES, frame_values, write_schedule
from .engine.timeline import Timeline, read_fps
from .sockets import TimelineSocket


class TimelineCurves(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="TimelineCurves",
            display_name="Timeline Curves",
            category="music video",
            description="Turns the music into one number a frame, to drive hook keyframes, schedules and other packs' nodes.",
            search_aliases=["audio reactive", "schedule", "keyframes", "float list"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="The song's timeline."),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=0.001,
                               tooltip="Frames a second of the film that follows the curve."),
                io.Combo.Input("curve", options=list(CURVES), default="onset", tooltip="What to follow."),
                io.Float.Input("low", default=0.0, min=-1000.0, max=1000.0, step=0.01,
                               tooltip="The number where the curve is lowest."),
                io.Float.Input("high", default=1.0, min=-1000.0, max=1000.0, step=0.01,
                               tooltip="The number where the curve is highest."),
            ],
            outputs=[
                io.Custom("FLOATS").Output("floats", display_name="FLOATS",
                                           tooltip="For core's hook keyframes and other nodes that take FLOATS."),
                io.Float.Output("values", display_name="float list", is_output_list=True, tooltip="One number a frame."),
                io.String.Output("schedule", display_name="schedule",
                                 tooltip="Text such as 0:(0.50), 12:(1.00), for prompt and value schedulers."),
            ],
        )  # fmt: skip

    @classmethod
    def execute(cls, timeline: Timeline, fps: float, curve: str, low: float, high: float) -> io.NodeOutput:
        values = [round(low + (high - low) * float(value), 4) for value in frame_values(timeline, curve, read_fps(fps))]
        return io.NodeOutput(values, values, write_schedule(values))
