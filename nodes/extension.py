"""The pack's nodes in the order of the pipeline: the table of contents."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import folder_paths
from comfy_api.latest import ComfyExtension, io

from .audio_beat_analyzer import AudioBeatAnalyzer
from .beat_synced_sampler import BeatSyncedSampler
from .charcha_verify import CharchaVerify
from .demo_model_loader import DemoModelLoader
from .lora_trainer import LoRATrainer
from .lyric_aligner import LyricAligner
from .person_folder import start_sweep
from .personal_lora_loader import PersonalLoraLoader
from .shot_clip import ShotClip
from .shot_loop_end import ShotLoopEnd
from .shot_loop_next import ShotLoopNext
from .shot_loop_start import ShotLoopStart
from .storyboard_export import StoryboardExport
from .storyboard_writer import StoryboardWriter
from .timeline_curves import TimelineCurves
from .verification_routes import add_routes
from .video_assembler import VideoAssembler
from .video_report import VideoReport

DEMO_SONG = Path(__file__).parent.parent / "workflows" / "assets" / "demo_song.ogg"

log = logging.getLogger("music_video")


class PersonalMusicVideo(ComfyExtension):
    async def on_load(self) -> None:
        add_routes()
        start_sweep()
        await asyncio.to_thread(offer_demo_song)

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        return [
            AudioBeatAnalyzer,
            LyricAligner,
            StoryboardWriter,
            CharchaVerify,
            LoRATrainer,
            PersonalLoraLoader,
            DemoModelLoader,
            BeatSyncedSampler,
            ShotLoopStart,
            ShotLoopEnd,
            ShotClip,
            ShotLoopNext,
            VideoAssembler,
            VideoReport,
            TimelineCurves,
            StoryboardExport,
        ]


def offer_demo_song() -> None:
    """Puts the demo song where core's LoadAudio finds it, so that a template runs as it is opened."""
    target = Path(folder_paths.get_input_directory()) / DEMO_SONG.name
    if target.exists():
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DEMO_SONG, target)
    except OSError as error:
        log.warning("The demo song could not be copied into the input folder (%s); the templates need a song of your own.", error.strerror)
