"""Everything that is held on one person, as a zip for that person."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .dataset import caption_of
from .ledger import Entry
from .notice import Notice
from .receipt import Receipt

MOST_BYTES = 256 * 2**20  # of model files and clips that go into the zip; the rest is listed
README = """This is everything that is held on you under one consent.

receipt.json     what you agreed to and what was checked, signed; public_key.txt is the key (Ed25519, hex) that checks it
notice.txt       what you were told
pictures/        your pictures, each with the words that describe it for training
ledger.jsonl     what was done when, in order
made/            model files and clips made from your pictures, as far as they are still where they were written
made.txt         the list of these files

To have all of it deleted, withdraw in the People panel, or ask whoever runs the installation to do it.
"""


@dataclass(frozen=True)
class Holdings:
    """`made` are paths of files that name the receipt; `public_key` is hex."""

    receipt: Receipt
    public_key: str
    notice: Notice
    pictures: Sequence[bytes]
    entries: Sequence[Entry]
    made: Sequence[Path]


def write_export(holdings: Holdings) -> bytes:
    """A zip. File names in it say nothing of the person."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", README)
        archive.writestr("receipt.json", holdings.receipt.to_json())
        archive.writestr("public_key.txt", holdings.public_key + "\n")
        archive.writestr("notice.txt", _write_notice(holdings.notice))
        archive.writestr("ledger.jsonl", "".join(_write_entry(entry) for entry in holdings.entries))
        for number, (content, record) in enumerate(zip(holdings.pictures, holdings.receipt.pictures, strict=True)):
            archive.writestr(f"pictures/{number:02d}.png", content, zipfile.ZIP_STORED)
            archive.writestr(f"pictures/{number:02d}.txt", caption_of(holdings.receipt, record) + "\n")
        archive.writestr("made.txt", _add_made(archive, holdings.made))
    return buffer.getvalue()


def _add_made(archive: zipfile.ZipFile, paths: Sequence[Path]) -> str:
    """Adds the files as far as they fit, and gives the list of all."""
    room, lines = MOST_BYTES, []
    for number, path in enumerate(paths):
        size = path.stat().st_size if path.is_file() else 0
        state = "in this zip" if 0 < size <= room else "too large for this zip" if size else "not found"
        if state == "in this zip":
            archive.write(path, f"made/{number:02d}-{path.name}", zipfile.ZIP_STORED)
            room -= size
        lines.append(f"{path.name}\t{size} bytes\t{state}\n")
    return "".join(lines)


def _write_notice(notice: Notice) -> str:
    parts = [notice.title, *(f"{part.title}\n{part.text}" for part in notice.paragraphs)]
    labels = [*(label for _, label in notice.purposes), notice.adult]
    return "\n\n".join([*parts, *labels]) + f"\n\n(version {notice.version}, SHA-256 {notice.sha256})\n"


def _write_entry(entry: Entry) -> str:
    return json.dumps({"n": entry.number, "time": entry.time, "event": entry.event, "facts": dict(entry.facts)}, sort_keys=True) + "\n"
