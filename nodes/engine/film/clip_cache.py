"""Finished clips, found again by what shaped them.

The name of a clip is the SHA-256 of everything that went into it, so a rerun after a crash, an interrupt
or an edit renders only what is missing or changed. Files appear under their final name only when whole.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from .work import forget_clip_work

KEPT_DAYS = 30  # a clip that no film has used for so long is deleted
LEAST_FREE_BYTES = 100 * 2**20  # less than this and a render is not even begun


def clip_key(shape: dict[str, Any]) -> str:
    """The name of a clip: SHA-256 over plain values (text, numbers, lists, dicts) that shaped it."""
    return hashlib.sha256(json.dumps(shape, sort_keys=True, allow_nan=False).encode()).hexdigest()


class ClipCache:
    """A folder of clips; several processes may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        """Makes the folder and tries it; OSError with one sentence if a clip could not be written there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.folder):
                pass
            free = shutil.disk_usage(self.folder).free
        except OSError as error:
            raise OSError(f"Clips cannot be written into {self.folder} ({error.strerror}); make that folder writable.") from error
        if free < LEAST_FREE_BYTES:
            raise OSError(f"The disk of {self.folder} is full ({free // 2**20} MB free); make room there, then run again.")
        self._forget_old()

    def path(self, key: str) -> Path:
        return self.folder / f"{key}.mp4"

    def find(self, key: str) -> Path | None:
        """The finished clip of that name, marked as used now, or None."""
        path = self.path(key)
        if not path.is_file() or path.stat().st_size == 0:
            return None
        os.utime(path)
        return path

    def _forget_old(self) -> None:
        limit = time.time() - KEPT_DAYS * 86400
        for path in self.folder.glob("*.mp4"):
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
        forget_clip_work(self.folder)
