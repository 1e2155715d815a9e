"""VideoAssembler: the clips of all shots and the song -> one finished film in the output folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import comfy.model_management
import comfy.utils
import folder_paths
from comfy.cli_args import args
from comfy_api.latest import io, ui

from .engine.film.assemble import LYRICS, TRANSITIONS, FilmSettings, assemble_film, film_size
from .engine.film.clip_source import SHORT_CLIPS, Clip
from .engine.film.video_formats import FILM_FORMATS
from .engine.film.work import add_work, read_receipts, tag_receipts
from .engine.timeline import Timeline, read_fps
from .sockets import TimelineSocket, read_audio, read_clip, to_film
from .status_line import show_status


class VideoAssembler(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="VideoAssembler",
            display_name="Video Assembler",
            category="music video",
            description="Cuts the clips to the beats of the timeline, lays the song under them and saves the film in the output folder.",
            search_aliases=["music video", "combine clips", "concatenate video", "mux audio", "export film"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="The timeline that the clips were made from."),
                io.MultiType.Input("clips", [io.Video, io.Image],
                                   tooltip="One clip a shot, in order, or one for the whole film. Videos or picture batches of any size."),
                io.Audio.Input("audio", tooltip="The song that the timeline was made from."),
                io.Combo.Input("format", options=list(FILM_FORMATS),
                               tooltip="MP4 plays everywhere. MOV and MKV are for editing; browsers do not show them."),
                io.Combo.Input("transition", options=list(TRANSITIONS),
                               tooltip="How one shot gives way to the next. A crossfade is half done on the beat."),
                io.Float.Input("transition_seconds", default=0.5, min=0.0, max=10.0, step=0.05, advanced=True,
                               tooltip="How long a crossfade takes; at most half of the shorter shot on either side."),
                io.Combo.Input("short_clips", options=list(SHORT_CLIPS), advanced=True,
                               tooltip="What to do with a clip that is shorter than its shot."),
                io.Combo.Input("lyrics", options=list(LYRICS), tooltip="Shows the words of the timeline, if it has any."),
                io.Int.Input("width", default=0, min=0, max=16384, step=2, advanced=True,
                             tooltip="Width of the film in pixels. 0: as the first clip."),
                io.Int.Input("height", default=0, min=0, max=16384, step=2, advanced=True,
                             tooltip="Height of the film. 0: as the first clip. Clips of another shape fill the frame and are cropped."),
                io.Float.Input("fps", default=0.0, min=0.0, max=240.0, step=0.001,
                               tooltip="Frames a second. 0: as the first clip. 29.97 and 23.976 are taken exactly."),
                io.Int.Input("quality", default=80, min=1, max=100, advanced=True,
                             tooltip="More is better and larger. MKV is lossless anyway."),
                io.String.Input("filename_prefix", default="music_video/film",
                                tooltip="Name of the film in the output folder; may hold %year% and the like."),
            ],
            outputs=[io.Video.Output("video", tooltip="The saved film, as a file. Save Video can copy an MP4 without encoding it again.")],
            hidden=[io.Hidden.unique_id, io.Hidden.prompt, io.Hidden.extra_pnginfo],
            not_idempotent=True,
            is_input_list=True,
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    def execute(
        cls, timeline: list[Timeline], clips: list[Any], audio: list[Any], format: list[str], transition: list[str],
        transition_seconds: list[float], short_clips: list[str], lyrics: list[str], width: list[int], height: list[int], fps: list[float],
        quality: list[int], filename_prefix: list[str],
    ) -> io.NodeOutput:  # fmt: skip
        rate = read_fps(fps[0]) if fps[0] else Fraction(0)
        settings = FilmSettings(
            FILM_FORMATS[format[0]], transition[0], transition_seconds[0], short_clips[0], lyrics[0], width[0], height[0], rate, quality[0]
        )
        samples, sample_rate = read_audio(audio[0])
        sources = [read_clip(clip, rate) for clip in clips]
        place = choose_place(filename_prefix[0], sources, settings)
        work = add_work(sources)
        tags = cls._tags(work.to_tag() | tag_receipts(read_receipts(sources)))
        film = assemble_film(timeline[0], sources, samples, sample_rate, place.path, settings, progress_report(), tags)
        show_status(cls.hidden.unique_id, " ".join(film.remarks))
        preview = ui.PreviewVideo([ui.SavedResult(place.path.name, place.subfolder, io.FolderType.output)])
        return io.NodeOutput(to_film(film.path, work), ui=preview)

    @classmethod
    def _tags(cls, made: dict[str, str]) -> dict[str, str]:
        """How the film was made, and the graph that made it as core's own nodes store it, so that the film opens as a workflow."""
        if args.disable_metadata:
            return {}
        tags = {**(cls.hidden.extra_pnginfo or {}), **({"prompt": cls.hidden.prompt} if cls.hidden.prompt else {})}
        return made | {name: json.dumps(value) for name, value in tags.items()}


class Place(NamedTuple):
    path: Path
    subfolder: str  # of the output folder, as the page asks for it


def choose_place(prefix: str, clips: list[Clip], settings: FilmSettings) -> Place:
    """The next free name under ComfyUI's output folder; ValueError for a prefix that leads out of it or is no name."""
    size = film_size(clips, settings)
    if "\0" in prefix or not Path(prefix).name.strip(". "):
        raise ValueError("The file name prefix is no name for a file; write a plain one, such as music_video/film.")
    try:
        folder, name, number, subfolder, _ = folder_paths.get_save_image_path(prefix, folder_paths.get_output_directory(), *size)
    except OSError as error:
        raise ValueError(f"The folder of the file name prefix cannot be used ({error.strerror}); choose another prefix.") from error
    except Exception as error:  # core raises a bare Exception here, with the server's own paths in its text
        raise ValueError("The file name prefix leads out of the output folder; write a plain one, such as music_video/film.") from error
    return Place(Path(folder) / f"{name}_{number:05}_{settings.format.suffix}", subfolder)


def progress_report() -> Callable[[int, int], None]:
    """Counts frames on the node and stops at once when the run is interrupted."""
    bar = comfy.utils.ProgressBar(1)

    def report(done: int, total: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return report
