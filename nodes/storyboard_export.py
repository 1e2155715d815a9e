"""StoryboardExport: the plan as text for spreadsheets and editing programs."""

from __future__ import annotations

from comfy_api.latest import io

from .engine.film.edit_list import write_edl, write_otio
from .engine.film.plan import write_csv, write_plan
from .engine.timeline import Timeline, read_fps
from .sockets import TimelineSocket

FORMATS = {
    "json": lambda timeline, fps: write_plan(timeline),
    "csv": lambda timeline, fps: write_csv(timeline),
    "otio": write_otio,
    "edl": write_edl,
}


class StoryboardExport(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="StoryboardExport",
            display_name="Storyboard Export",
            category="music video",
            description="Writes the shots as text: a plan to edit, or cuts and markers for an editing program. Connect Save Text.",
            search_aliases=["shot list", "EDL", "OpenTimelineIO", "markers", "spreadsheet"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="The timeline with shots, from Storyboard Writer."),
                io.Combo.Input("format", options=list(FORMATS),
                               tooltip="json and csv: the plan, which Storyboard Writer reads again. otio (OpenTimelineIO) and edl "
                               "(CMX 3600): cuts and markers for DaVinci Resolve, Premiere, Avid and others."),
                io.Float.Input("fps", default=24.0, min=1.0, max=120.0, step=0.001,
                               tooltip="Frames a second of the film that is edited, for otio and edl."),
            ],
            outputs=[io.String.Output("text", display_name="text", tooltip="The file's text, for Save Text.")],
        )  # fmt: skip

    @classmethod
    def execute(cls, timeline: Timeline, format: str, fps: float) -> io.NodeOutput:
        return io.NodeOutput(FORMATS[format](timeline, read_fps(fps)))
