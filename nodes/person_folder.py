"""Where this ComfyUI keeps people's consents: the one store that node, routes and the daily sweep share."""

from __future__ import annotations

import logging
import threading
import time
from functools import cache
from pathlib import Path

import folder_paths

from .engine.person.receipt import ConsentError
from .engine.person.storage import PersonStore

CLIP_FOLDER = Path("music_video") / "clips"  # under ComfyUI's output folder: the temporary one is emptied at every start
DAY = 86400.0
TRAININGS = "training"  # in the store: what an interrupted training goes on from
LOOK = 900.0  # seconds between looks at the clock: a machine that slept catches up soon

log = logging.getLogger("music_video")


@cache
def person_store() -> PersonStore:
    """Makes nothing on disk until somebody consents."""
    clips = Path(folder_paths.get_output_directory()) / CLIP_FOLDER
    loras = [Path(folder) for folder in folder_paths.get_folder_paths("loras")]
    folder = Path(folder_paths.get_system_user_directory("music_video"))
    return PersonStore(folder, scan_folders=[*loras, clips, folder / TRAININGS])


def start_sweep() -> None:
    """Deletes what has run out, now and daily, beside everything else."""
    threading.Thread(target=_sweep_daily, name="music-video-consents", daemon=True).start()


def sweep() -> None:
    """One look; whatever hinders it is logged in a sentence without names."""
    try:
        ended = person_store().expire()
    except (ConsentError, OSError) as error:
        log.warning(
            "Consents that have run out could not be looked after: %s", error if isinstance(error, ConsentError) else error.strerror
        )
        return
    if ended:
        log.info("Consents that have ended: %d; their pictures and models were deleted.", len(ended))
    left = sum(len(deletion.not_deleted) for deletion in ended)
    if left:
        log.warning("%d files of ended consents could not be deleted; the next try is tomorrow.", left)


def _sweep_daily() -> None:
    due = 0.0
    while True:
        if time.time() >= due:
            sweep()
            due = time.time() + DAY
        time.sleep(LOOK)
