"""What a person is told before they agree: the notice in their language, and the hash that their receipt holds.

The texts lie in `notices/<version>/<language>.json`. A text that people have agreed to is never edited: a change is a new
version in a new folder, and the old one stays, so that an old receipt can always be read beside what it was given for.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .private_file import canonical

VERSION = "2"
LANGUAGES = ("en", "ja", "zh")
PURPOSES = ("train_lora", "make_images", "make_videos")
FOLDER = Path(__file__).parent / "notices"


@dataclass(frozen=True)
class Paragraph:
    title: str
    text: str


@dataclass(frozen=True)
class Notice:
    version: str
    language: str
    title: str
    paragraphs: tuple[Paragraph, ...]
    purposes: tuple[tuple[str, str], ...]  # (code, label), each ticked by itself
    adult: str  # label of the box that says "18 or older"
    agree: str  # label of the button
    name: str  # label of the field for the name
    retention: str  # label of the choice of days
    sha256: str

    def to_json(self) -> dict[str, Any]:
        return {
            "version": self.version,
            "language": self.language,
            "title": self.title,
            "paragraphs": [{"title": part.title, "text": part.text} for part in self.paragraphs],
            "purposes": [{"id": code, "label": label} for code, label in self.purposes],
            "adult": self.adult,
            "agree": self.agree,
            "name": self.name,
            "retention": self.retention,
            "retention_days": [7, 30, 90, 365, 1095],
            "default_days": 90,
            "sha256": self.sha256,
        }


@cache
def notice_text(language: str, version: str = VERSION) -> Notice:
    """The notice; English for a language that it was not written in (`.language` says which one it is)."""
    chosen = language if language in LANGUAGES else "en"
    text = json.loads((FOLDER / version / f"{chosen}.json").read_text(encoding="utf-8"))
    paragraphs = tuple(Paragraph(**part) for part in text["paragraphs"])
    purposes = tuple((code, text["purposes"][code]) for code in PURPOSES)
    digest = hashlib.sha256(canonical(text)).hexdigest()
    labels = {label: text[label] for label in ("title", "adult", "agree", "name", "retention")}
    return Notice(version=version, language=chosen, paragraphs=paragraphs, purposes=purposes, sha256=digest, **labels)
