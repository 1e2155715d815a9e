"""AudioBeatAnalyzer: what can be heard in a song: tempo, beats, bars, sections and curves."""

from __future__ import annotations

from pathlib import Path

import comfy.utils
import folder_paths
from comfy_api.latest import io, ui

from .engine.song.analysis import TEMPI, analyse_song
from .engine.song.clap_mood import BUILT_IN, MOODS
from .engine.song.listening import AUTO, LISTENERS, Listening
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
                io.Combo.Input(
                    "listener",
                    options=list(LISTENERS),
                    default=AUTO,
                    optional=True,
                    advanced=True,
                    tooltip="Who hears the beats. Auto: Beat This! if it is installed with a checkpoint in models/beat_this, "
                    "else the built-in network. Attacks: no network at all.",
                ),
                io.Combo.Input(
                    "mood",
                    options=list(MOODS),
                    default=BUILT_IN,
                    optional=True,
                    advanced=True,
                    tooltip="Who judges how happy and how excited the music sounds. Built-in: from mode, tempo, loudness and other cues. "
                    "CLAP: a network whose folder lies in models/clap, 5 s of processor time a minute of music.",
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
    def execute(cls, audio: dict, metre: str = "auto", tempo: str = "auto", listener: str = AUTO, mood: str = BUILT_IN) -> io.NodeOutput:
        samples, sample_rate = read_audio(audio)
        progress = comfy.utils.ProgressBar(100)
        listening = Listening(listener, checkpoint_places(), mood, model_places("clap"))
        timeline = analyse_song(samples, sample_rate, metre, tempo, progress.update_absolute, listening)
        plot = to_image(draw_timeline(timeline, samples, sample_rate))
        return io.NodeOutput(timeline, plot, timeline.tempo, ui=ui.PreviewImage(plot, cls=cls))


def checkpoint_places() -> tuple[Path, ...]:
    """Where a checkpoint of Beat This! may lie: models/beat_this, folders that extra_model_paths.yaml names so, and its own cache."""
    import torch

    return (*model_places("beat_this"), Path(torch.hub.get_dir()) / "checkpoints")


def model_places(name: str) -> tuple[Path, ...]:
    """The folder in ComfyUI's models, and those that extra_model_paths.yaml gives that name."""
    named = folder_paths.folder_names_and_paths.get(name, ([],))[0]
    return (Path(folder_paths.models_dir) / name, *map(Path, named))
