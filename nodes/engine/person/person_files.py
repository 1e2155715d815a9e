"""One person's folder: the key, the receipt, the pictures and the list of what was made from them, all sealed.

A folder appears under its final name only when whole. Without `key` nothing in it can be read any more.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .keys import DamagedError, new_key, seal, unseal
from .private_file import canonical, make_private, sync_folder, write_private

KEY, RECEIPT, MADE = "key", "receipt", "made"


@dataclass(frozen=True)
class MadeFile:
    """A file that was made from a person's pictures, as it was when it was written."""

    kind: str  # "lora" | "clip"
    path: Path
    sha256: str


class PersonFiles:
    """`master` opens the folder's own key; it is only needed for reading and writing, never for deleting."""

    def __init__(self, folder: Path, receipt_id: str) -> None:
        self.folder, self.receipt_id = folder, receipt_id

    def exists(self) -> bool:
        return self.folder.is_dir()

    def create(self, master: bytes, receipt: bytes, pictures: Sequence[bytes]) -> None:
        """Writes everything, all or nothing."""
        waiting = self.folder.with_name(f".new-{self.receipt_id}")
        shutil.rmtree(waiting, ignore_errors=True)
        make_private(waiting)
        key = new_key()
        files = PersonFiles(waiting, self.receipt_id)
        files._seal(key, RECEIPT, receipt)
        for number, picture in enumerate(pictures):
            files._seal(key, picture_name(number), picture)
        write_private(waiting / KEY, seal(master, key, self._meaning(KEY)))
        waiting.rename(self.folder)
        sync_folder(self.folder.parent)

    def read_receipt(self, master: bytes) -> bytes:
        return self._unseal(self._key(master), RECEIPT)

    def read_picture(self, master: bytes, number: int) -> bytes:
        return self._unseal(self._key(master), picture_name(number))

    def read_made(self, master: bytes) -> tuple[MadeFile, ...]:
        if not (self.folder / MADE).exists():
            return ()
        rows = json.loads(self._unseal(self._key(master), MADE))
        return tuple(MadeFile(row["kind"], Path(row["path"]), row["sha256"]) for row in rows)

    def add_made(self, master: bytes, made: MadeFile) -> None:
        known = [other for other in self.read_made(master) if other.path != made.path]
        rows = [{"kind": file.kind, "path": str(file.path), "sha256": file.sha256} for file in [*known, made]]
        self._seal(self._key(master), MADE, canonical(rows))

    def numbers(self) -> tuple[int, ...]:
        """The pictures that lie there."""
        return tuple(sorted(int(path.stem) for path in self.folder.glob("*.picture") if path.stem.isdigit()))

    def destroy(self) -> tuple[str, ...]:
        """Deletes the key first, then the rest. Gives the names of what the system would not delete."""
        stuck = []
        key = self.folder / KEY
        for path in [key, *sorted(set(self.folder.iterdir()) - {key})]:
            try:
                _overwrite(path) if path == key else None
                path.unlink(missing_ok=True)
            except OSError:
                stuck.append(path.name)
        if not stuck:
            self.folder.rmdir()
            sync_folder(self.folder.parent)
        return tuple(stuck)

    def _key(self, master: bytes) -> bytes:
        return unseal(master, self._read(KEY), self._meaning(KEY))

    def _read(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            raise DamagedError("A stored file is missing or cannot be read.") from None

    def _unseal(self, key: bytes, name: str) -> bytes:
        return unseal(key, self._read(name), self._meaning(name))

    def _seal(self, key: bytes, name: str, content: bytes) -> None:
        write_private(self.folder / name, seal(key, content, self._meaning(name)))

    def _meaning(self, name: str) -> str:
        return f"{self.receipt_id}/{name}"


def picture_name(number: int) -> str:
    return f"{number:02d}.picture"


def _overwrite(path: Path) -> None:
    """What little can be done where a disk does not really delete."""
    if path.exists():
        with open(path, "r+b") as file:
            file.write(b"\0" * path.stat().st_size)
            file.flush()
