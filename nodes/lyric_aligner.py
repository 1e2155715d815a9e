"""LyricAligner: when which line and word of the lyrics is sung."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import comfy.model_management
import comfy.utils
from comfy_api.latest import io

from .engine.song.lyrics.aligner import AUTO, LyricRequest, Sound, align_lyrics
from .engine.song.lyrics.ass import write_ass
from .engine.song.lyrics.lrc import write_lrc
from .engine.song.lyrics.srt import write_srt
from .engine.timeline import Timeline, require_song
from .sockets import TimelineSocket, read_audio
from .whisper_folder import NONE, explain_choice, list_choices, recogniser_loader

LANGUAGES = (
    "en", "ja", "zh", "ko", "es", "fr", "de", "it", "pt", "ru", "uk", "pl", "nl", "sv", "da", "no", "fi", "cs", "sk", "hu", "ro", "bg",
    "hr", "sr", "sl", "el", "tr", "ar", "he", "fa", "hi", "ur", "bn", "ta", "te", "th", "vi", "id", "ms", "tl", "sw", "ca", "la",
)  # fmt: skip


class LyricAligner(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="LyricAligner",
            display_name="Lyric Aligner",
            category="music video",
            description="Finds when each line and word of the lyrics is sung. Takes pasted lyrics, LRC, SRT or ASS; with a Whisper model "
            "it listens to the song, and writes the lyrics down if none are pasted.",
            search_aliases=["lyrics", "karaoke", "subtitles", "lrc", "srt", "whisper", "transcribe"],
            inputs=[
                TimelineSocket.Input("timeline", tooltip="The song's timeline, from Audio Beat Analyzer."),
                io.Audio.Input("audio", tooltip="The song that the timeline was made from."),
                io.Combo.Input("language", options=[AUTO, *LANGUAGES], default=AUTO,
                               tooltip="The language that is sung. Auto sees it from the letters or hears it; say it where you know it."),
                io.Combo.Input("model", options=list_choices(), default=NONE,
                               tooltip="The Whisper model that listens. none: pasted times are taken as they are, plain text is a draft. "
                               "A size that is not in models/faster-whisper is fetched there on the first run: tiny 75 MB, "
                               "base 145 MB, small 484 MB, medium 1.5 GB, large-v3 3.1 GB, large-v3-turbo 1.6 GB."),
                io.String.Input("lyrics", default="", multiline=True, optional=True,
                                tooltip="The lyrics: plain text with [Verse] and the like, LRC, SRT or ASS. Empty: the model writes down "
                                "what it hears."),
                io.Audio.Input("vocals", optional=True,
                               tooltip="The singer's track alone, from any node that separates a song. Makes everything better: words lie "
                               "only where somebody sings."),
                io.String.Input("edits", default="", multiline=True, optional=True, advanced=True,
                                tooltip="Times of words set by hand, as JSON; laid over the result of every run. The help shows how."),
            ],
            outputs=[
                TimelineSocket.Output("timeline_out", display_name="timeline", tooltip="The same timeline, with lines and words."),
                io.String.Output("lrc", display_name="lrc", tooltip="The lyrics as LRC with a time for every word."),
                io.String.Output("srt", display_name="srt", tooltip="The lyrics as SRT subtitles."),
                io.String.Output("ass", display_name="ass", tooltip="The lyrics as ASS karaoke."),
            ],
            hidden=[io.Hidden.unique_id],
            is_output_node=True,
        )  # fmt: skip

    @classmethod
    def validate_inputs(cls, model: str | None) -> bool | str:
        """Stands for core's check of the list, so that a model that has left it is refused in one sentence."""
        return (model and explain_choice(model)) or True

    @classmethod
    def execute(
        cls, timeline: Timeline, audio: dict[str, Any], language: str, model: str, lyrics: str = "", vocals: dict[str, Any] | None = None,
        edits: str = "",
    ) -> io.NodeOutput:  # fmt: skip
        song = Sound(*read_audio(audio))
        require_song(timeline, song.samples, song.sample_rate)
        stem = None if vocals is None else Sound(*read_audio(vocals))
        loader = recogniser_loader(model, cls.hidden.unique_id)
        aligned = align_lyrics(timeline, song, LyricRequest(lyrics, language, edits), stem, loader, progress_report())
        lrc = write_lrc(aligned.lines)
        said = aligned.remarks[len(timeline.remarks) :]
        shown = {"music_video_lyrics": [lrc], "music_video_remarks": list(said)}
        return io.NodeOutput(aligned, lrc, write_srt(aligned.lines), write_ass(aligned.lines), ui=shown)


def progress_report() -> Callable[[int, int], None]:
    """The bar on the node; stops at once when the run is interrupted."""
    bar = comfy.utils.ProgressBar(100)

    def report(done: int, total: int) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        bar.update_absolute(done, total)

    return report
