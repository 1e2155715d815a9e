"""One writer at a time on a folder, over threads and processes: an advisory lock on a small file.

A lock ends with its process, so a crash never leaves one behind. It does not hold people off who edit files by hand.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

WAIT = 30.0  # seconds until another process is taken to hang


class LockedError(TimeoutError):
    """Another process has held the lock for too long."""


@contextmanager
def locked(path: Path, wait: float = WAIT) -> Iterator[None]:
    """Holds the lock file `path`, which it makes where needed; LockedError after `wait` seconds."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _wait_for(handle, time.monotonic() + wait)
        try:
            yield
        finally:
            _release(handle)
    finally:
        os.close(handle)


def _wait_for(handle: int, deadline: float) -> None:
    while not _try(handle):
        if time.monotonic() > deadline:
            raise LockedError("Another program has been using the consent records for too long; close other ComfyUI windows and try again.")
        time.sleep(0.005)


if os.name == "nt":
    import msvcrt

    def _try(handle: int) -> bool:
        try:
            os.lseek(handle, 0, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]
        except OSError:
            return False
        return True

    def _release(handle: int) -> None:
        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # pyright: ignore[reportAttributeAccessIssue]

else:
    import fcntl

    def _try(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _release(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_UN)
