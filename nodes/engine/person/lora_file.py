"""A personal LoRA as a file that names its receipt: written whole or not at all, and told from every other file.

The header of the safetensors file carries the receipt's id and hash, so that every loader can ask whether the consent still
holds and a withdrawal finds the file under any name. Nothing in it says who the person is.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .erasure import HEADER_LIMIT
from .ledger import Ledger
from .private_file import sync_folder
from .receipt import ID

if TYPE_CHECKING:
    import torch

RECEIPT, RECEIPT_HASH = "music_video_receipt", "music_video_receipt_sha256"  # names in the header
SPARE = 50 * 2**20  # bytes that stay free on the disk


@dataclass(frozen=True)
class PersonalLora:
    path: Path
    receipt_id: str
    trigger: str


def write_lora(folder: Path, name: str, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str]) -> Path:
    """Writes `name.safetensors`, or with a number behind the name where that exists. OSError with one sentence if it cannot."""
    from safetensors.torch import save

    data = save(dict(tensors), dict(metadata))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < len(data) + SPARE:
            raise OSError(f"The disk of the LoRA folder is too full for {len(data) // 2**20 + 1} MB; make room there, then run again.")
        return _write(folder, name, data)
    except OSError as error:
        if error.strerror is None:
            raise
        raise OSError(
            f"The LoRA cannot be written into {folder} ({error.strerror}); see that there is room and that it is writable, then run again."
        ) from error


def read_header(path: Path) -> dict[str, str]:
    """The texts in a safetensors file's header; empty where there are none or it is not such a file."""
    try:
        with open(path, "rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 0 < size <= HEADER_LIMIT:
                return {}
            texts = json.loads(file.read(size)).get("__metadata__", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return {key: text for key, text in texts.items() if isinstance(text, str)} if isinstance(texts, dict) else {}


def receipt_in(metadata: Mapping[str, object] | None) -> str | None:
    """The receipt's id that a LoRA's metadata name, if it is a personal one."""
    found = (metadata or {}).get(RECEIPT)
    return found if isinstance(found, str) and ID.match(found) else None


def find_loras(folders: Sequence[Path]) -> tuple[PersonalLora, ...]:
    """All personal LoRAs below the folders, whatever they are called."""
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*.safetensors")):
            header = read_header(path)
            receipt_id = receipt_in(header)
            if receipt_id:
                found.append(PersonalLora(path, receipt_id, header.get("trigger", "")))
    return tuple(found)


def written_hashes(ledger: Ledger, receipt_id: str) -> frozenset[str]:
    """SHA-256 of every LoRA that was written with this receipt, by the ledger's undamaged lines."""
    entries = [entry for entry in ledger.read() if entry.receipt_id == receipt_id and entry.event == "lora_written" and entry.sound]
    return frozenset(str(entry.facts["sha256"]) for entry in entries)


def _write(folder: Path, name: str, data: bytes) -> Path:
    waiting, path = folder / f".{name}.{os.getpid()}.part", None
    try:
        with open(waiting, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path = _claim(folder, name)
        os.replace(waiting, path)
    except BaseException:
        for unfinished in (waiting, *([path] if path else [])):
            unfinished.unlink(missing_ok=True)
        raise
    sync_folder(folder)
    return path


def _claim(folder: Path, name: str) -> Path:
    """A name that nobody has, held by an empty file until it is replaced."""
    number = 1
    while True:
        path = folder / (f"{name}.safetensors" if number == 1 else f"{name}_{number}.safetensors")
        try:
            path.open("xb").close()
            return path
        except FileExistsError:
            number += 1
