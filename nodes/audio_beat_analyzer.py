"""AudioBeatAnalyzer: what can be heard in a song: tempo, beats, bars, sections and curves."""

from __future__ import annotations

import comfy.utils
from comfy_api.latest import io, ui

from .engine.song.analysis import TEMPI, analyse_song
from .engine.song.metre import METRES
from .engine.song.plot import draw_timeline
from .sockets import TimelineSocket, read_audio, to_image


class AudioBeatAnalyzer(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AudioBeatAnalyzer",
            display_name="Audio Beat Analyzer",
            category="music video",
            description="Listens to a song and finds its tempo, beats, bars, sections, attacks, loudness and mood. "
            "Says how far the beats can be trusted.",
            inputs=[
                io.Audio.Input("audio", tooltip="The song."),
                io.Combo.Input(
                    "metre",
                    options=["auto", *(str(metre) for metre in METRES)],
                    default="auto",
                    advanced=True,
                    tooltip="Beats per bar. Auto hears it; set it if the bars on the plot are wrong.",
                ),
                io.Combo.Input(
                    "tempo",
                    options=list(TEMPI),
                    default="auto",
                    advanced=True,
                    tooltip="Half or double, if the beats are found twice as fast or half as fast as you would clap them.",
                ),
            ],
            outputs=[
                TimelineSocket.Output(
                    display_name="timeline", tooltip="What is heard when: beats, bars, sections, curves. Printed, it is JSON."
                ),
                io.Image.Output(display_name="plot", tooltip="The waveform with its sections, bars, beats and curves."),
                io.Float.Output(display_name="tempo", tooltip="Beats per minute; 0 where there is no pulse."),
            ],
        )

    @classmethod
    def execute(cls, audio: dict, metre: str = "auto", tempo: str = "auto") -> io.NodeOutput:
        samples, sample_rate = read_audio(audio)
        progress = comfy.utils.ProgressBar(100)
        timeline = analyse_song(samples, sample_rate, metre, tempo, progress.update_absolute)
        plot = to_image(draw_timeline(timeline, samples, sample_rate))
        return io.NodeOutput(timeline, plot, timeline.tempo, ui=ui.PreviewImage(plot, cls=cls))
