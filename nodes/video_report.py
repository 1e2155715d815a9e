"""VideoReport: a finished film measured against its timeline, as text, numbers and a picture."""

from __future__ import annotations

from fractions import Fraction

from comfy_api.latest import Input, io, ui

from .engine.film.report import add_likeness, measure_film
from .engine.film.report_plot import draw_report
from .engine.film.report_text import write_numbers, write_text
from .engine.timeline import Timeline
from .film_people import FilmPeople
from .sockets import TimelineSocket, film_work, read_clip, read_film_sound, to_image
from .video_assembler import progress_report


class VideoReport(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VideoReport",
            display_name="Video Report",
            category="music video",
            description="Measures a finished film against its timeline: cuts, sound, beats, flicker, drift, frozen and black frames, "
            "and whether it flashes too much to be safe; also what drawing took, and how like their person shots came out.",
            search_aliases=["quality check", "sync check", "photosensitive", "WCAG flash test", "beat accuracy", "video metrics"],
            inputs=[
                io.Video.Input("video", tooltip="The finished film, with its sound."),
                TimelineSocket.Input("timeline", tooltip="The timeline that the film was made from."),
            ],
            outputs=[
                io.String.Output("report", display_name="report", tooltip="What was measured, one line each."),
                io.String.Output("numbers", display_name="numbers", tooltip="Everything that was measured, as JSON."),
                io.Image.Output("plot", display_name="plot", tooltip="The picture's changes over the song's attacks, with cuts and beats."),
            ],
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    def execute(cls, video: Input.Video, timeline: Timeline) -> io.NodeOutput:
        clip = read_clip(video, Fraction(0))
        people = FilmPeople(clip, timeline)
        measured = measure_film(clip, read_film_sound(video), timeline, progress_report(), film_work(video), people.see)
        measured = add_likeness(measured, *people.finish())
        text, plot = write_text(measured.report), to_image(draw_report(measured, timeline))
        shown = {**ui.PreviewImage(plot, cls=cls).as_dict(), "text": (text,)}
        return io.NodeOutput(text, write_numbers(measured.report), plot, ui=shown)
