"""Files that only their owner reads and that are either whole or not there; and JSON that is the same bytes every time."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces, UTF-8. TypeError for floats, which have no single spelling."""
    _refuse_floats(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError("numbers in records are whole; write others as text")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ():
        _refuse_floats(part)


def make_private(folder: Path) -> None:
    """Makes a folder that nobody but its owner can enter (on Windows: as the folder above it allows)."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.name == "posix" and folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def write_private(path: Path, data: bytes) -> None:
    """Writes under a temporary name, syncs, renames: after a crash there is the old file or the new one."""
    waiting = path.with_name(path.name + ".part")
    waiting.unlink(missing_ok=True)
    handle = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(waiting, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a rename or a deletion last through a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
