"""Receipt ids in, the model files and clips that name them out; and their deletion.

A LoRA names its receipt in the header of its safetensors file, a clip in its container's tags, and those lie at a file's beginning or
end. Only these parts are read. A file that was renamed is found; one that was moved out of the folders is not.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LORA_TYPES = {".safetensors", ".part"}  # the second is what a killed process was writing: its header may be there already
CLIP_TYPES = {".mp4", ".mov", ".mkv", ".webm"}
HEADER_LIMIT = 16 * 2**20  # of a safetensors file; its own limit is 100 MB, ours are far smaller
TAG_BYTES = 256 * 2**10  # at either end of a clip


@dataclass(frozen=True)
class NamedFile:
    kind: str  # "lora" | "clip"
    path: Path
    receipt_id: str


def find_named(folders: Sequence[Path], receipt_ids: Iterable[str]) -> tuple[NamedFile, ...]:
    """Every LoRA and clip below the folders that names one of the receipts."""
    wanted = [(receipt_id, receipt_id.encode()) for receipt_id in receipt_ids]
    found = []
    for path in _files(folders) if wanted else ():
        text = _naming_part(path)
        kind = "lora" if path.suffix.lower() in LORA_TYPES else "clip"
        found += [NamedFile(kind, path, receipt_id) for receipt_id, name in wanted if name in text]
    return tuple(found)


def names_receipt(path: Path, receipt_id: str) -> bool:
    return receipt_id.encode() in _naming_part(path)


def delete_file(path: Path) -> bool:
    """Deletes a file, and what it points to if it is a link; whether it is gone."""
    try:
        target = path.resolve()
        target.unlink(missing_ok=True)
        path.unlink(missing_ok=True)
    except OSError:
        return False
    return True


def hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(2**20):
            digest.update(chunk)
    return digest.hexdigest()


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    seen: set[Path] = set()
    for folder in folders:
        for place, _, names in os.walk(folder):
            for name in sorted(names):
                path = Path(place, name)
                if path.suffix.lower() in LORA_TYPES | CLIP_TYPES and path.resolve() not in seen:
                    seen.add(path.resolve())
                    yield path


def _naming_part(path: Path) -> bytes:
    """The bytes in which a file would name a receipt; empty where it cannot be read."""
    try:
        with open(path, "rb") as file:
            if path.suffix.lower() in LORA_TYPES:
                return file.read(min(int.from_bytes(file.read(8), "little"), HEADER_LIMIT))
            start = file.read(TAG_BYTES)
            file.seek(max(os.fstat(file.fileno()).st_size - TAG_BYTES, 0))
            return start + b"\n" + file.read(TAG_BYTES)
    except OSError:
        return b""
