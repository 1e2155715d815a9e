"""The end of a consent: a person's folder, and all that was made from it, is deleted, each with a line in the ledger."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .erasure import delete_file, find_named, names_receipt
from .keys import DamagedError, KeyRing
from .ledger import Ledger
from .person_files import KEY, MadeFile, PersonFiles, picture_name


@dataclass(frozen=True)
class Deletion:
    """What a withdrawal or an expiry did. The names are for the page only."""

    receipt_id: str
    pictures: int
    loras: int
    clips: int
    not_found: tuple[str, ...] = ()  # files that were written with this receipt and are no longer where they were
    not_deleted: tuple[str, ...] = ()  # files that the system would not delete

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def remove(
    files: PersonFiles, keys: KeyRing, scan_folders: Sequence[Path], ledger: Ledger, lock: Callable[[], AbstractContextManager[None]]
) -> Deletion:  # fmt: skip
    """Deletes everything. Works without the keys too, and may be called again: what is gone already is no error.

    The person's own folder goes last, because it holds the list of the rest: a deletion that was cut off can be taken up
    again. Only that is done under the `lock`; to look through many models takes long.
    """
    receipt_id, made = files.receipt_id, read_made(files, keys)
    named = {file.path.resolve(): file.kind for file in find_named(scan_folders, [receipt_id])}
    lost = [file for file in made if not _is_ours(file, receipt_id)]
    named |= {file.path.resolve(): file.kind for file in made if file not in lost}
    gone, stuck = {"lora": 0, "clip": 0}, []
    for path, kind in named.items():
        deleted = delete_file(path)
        gone[kind] += deleted
        stuck += [] if deleted else [path.name]
        _note(ledger, receipt_id, kind, "done" if deleted else "failed")
    for file in lost:
        _note(ledger, receipt_id, file.kind, "not_found")
    with lock():
        pictures, left = destroy(files, ledger)
    return Deletion(receipt_id, pictures, gone["lora"], gone["clip"], tuple(file.path.name for file in lost), (*stuck, *left))


def destroy(files: PersonFiles, ledger: Ledger) -> tuple[int, tuple[str, ...]]:
    """Deletes a person's folder, its key first. Gives the number of pictures and the names of what would not go. Call under the lock."""
    numbers = files.numbers()
    stuck = files.destroy() if files.exists() else ()
    if numbers:
        _note(ledger, files.receipt_id, "key", "failed" if KEY in stuck else "done")
    for number in numbers:
        _note(ledger, files.receipt_id, "picture", "failed" if picture_name(number) in stuck else "done", number)
    return sum(picture_name(number) not in stuck for number in numbers), stuck


def read_made(files: PersonFiles, keys: KeyRing) -> tuple[MadeFile, ...]:
    """The files that were registered; none where the list cannot be read any more."""
    try:
        return files.read_made(keys.master()) if files.exists() else ()
    except DamagedError:
        return ()


def _is_ours(made: MadeFile, receipt_id: str) -> bool:
    """Whether the file is still where it was written, and not another one under its name."""
    return made.path.is_file() and names_receipt(made.path, receipt_id)


def _note(ledger: Ledger, receipt_id: str, kind: str, result: str, number: int = 0) -> None:
    ledger.append("deleted", receipt_id, kind=kind, result=result, number=number)
