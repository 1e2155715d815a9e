"""What the words of a line of lyrics show: a line in English, Japanese or Chinese -> images in English.

The words stand in `words/imagery.json`. English is matched by whole words, Japanese and Chinese wherever a word stands,
the longest first. It knows words, not meaning: "not a cloud" is a cloud. Knows nothing of shots.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

WORDS = Path(__file__).parent / "words"
SLOTS = ("place", "time", "weather", "detail", "action", "face")
LANGUAGES = ("en", "ja", "zh")

_KANA = re.compile(r"[\u3041-\u30ff\uff66-\uff9d]")
_HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Image:
    """Something to show, and the ways to say it."""

    slot: str  # one of SLOTS
    say: tuple[str, ...]
    indoors: bool = False
    valence: float = 0.0  # how much it gladdens (up to 0.5) or saddens (down to -0.5) the line


@cache
def read_words(name: str) -> dict[str, Any]:
    """One of the JSON files in `words/`, without its ending."""
    return json.loads((WORDS / f"{name}.json").read_text(encoding="utf-8"))


def find_language(lines: Iterable[str]) -> str:
    """ "ja" where there is any kana, "zh" where there are Chinese characters only, else "en"."""
    text = " ".join(lines)
    return "ja" if _KANA.search(text) else "zh" if _HAN.search(text) else "en"


def find_images(line: str, language: str) -> tuple[Image, ...]:
    """The images of a line in the order of its words, each once. English words are found in every language."""
    found: list[tuple[int, Image]] = []
    for spoken in dict.fromkeys(("en", language)):
        pattern, images = _imagery(spoken)
        for match in pattern.finditer(_plain(line)):
            found += [(match.start(), image) for image in images[match.group()]]
    return tuple(dict.fromkeys(image for _, image in sorted(found, key=lambda pair: pair[0]) if image.slot != "none"))


def speaks_of_someone(line: str, language: str) -> bool:
    """Whether a line says I, you, we, he or she."""
    return any(_addressed(spoken).search(_plain(line)) for spoken in dict.fromkeys(("en", language)))


def _plain(line: str) -> str:
    return line.lower().replace("\u2019", "'")


@cache
def _imagery(language: str) -> tuple[re.Pattern[str], dict[str, list[Image]]]:
    images: dict[str, list[Image]] = {}
    for entry in read_words("imagery")["images"]:
        image = Image(entry["slot"], tuple(entry.get("say", ())), entry.get("indoors", False), entry.get("valence", 0.0))
        for word in entry[language]:
            images.setdefault(word, []).append(image)
    return _any_of(images, language), images


@cache
def _addressed(language: str) -> re.Pattern[str]:
    return _any_of(read_words("imagery")["addressed"][language], language)


def _any_of(words: Iterable[str], language: str) -> re.Pattern[str]:
    either = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    return re.compile(rf"(?<![\w'])(?:{either})(?![\w'])" if language == "en" else either)
