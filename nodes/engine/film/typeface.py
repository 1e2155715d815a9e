"""Letters -> a font of this machine that has them all, or the one that has most.

Looks for well-known fonts by name, then through the system's font folders, and falls back on the font that comes with
Pillow (letters of English only). Knows nothing of lyrics or films.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

# Bold ones first: they read best over pictures. Pillow finds them by name in the folders of each system.
WELL_KNOWN = (
    "DejaVuSans-Bold.ttf", "NotoSans-Bold.ttf", "LiberationSans-Bold.ttf", "segoeuib.ttf", "arialbd.ttf", "Arial Bold.ttf",
    "NotoSansCJK-Bold.ttc", "NotoSansCJK-Regular.ttc", "YuGothB.ttc", "msyhbd.ttc", "msyh.ttc", "malgunbd.ttf", "malgun.ttf", "meiryob.ttc",
    "Hiragino Sans GB.ttc", "PingFang.ttc", "AppleSDGothicNeo.ttc", "Arial Unicode.ttf", "wqy-microhei.ttc", "DroidSansFallbackFull.ttf",
    "NotoSansArabic-Bold.ttf", "NotoSansHebrew-Bold.ttf", "NotoSansDevanagari-Bold.ttf", "NotoSansThai-Bold.ttf", "Nirmala.ttc",
)  # fmt: skip
_PROBE_SIZE = 24  # pixels; large enough that no two letters look alike by chance
_NO_LETTER = "\U0010ffff"  # no font draws this, so it shows how a missing letter looks


@dataclass(frozen=True)
class Typeface:
    """A font file, or Pillow's own font where the name is empty."""

    name: str
    missing: str = ""  # the letters asked for that it lacks

    def at(self, size: int) -> FreeTypeFont:
        from PIL import ImageFont

        font = ImageFont.truetype(self.name, size) if self.name else ImageFont.load_default(size)
        assert isinstance(font, ImageFont.FreeTypeFont)
        return font


def find_typeface(text: str) -> Typeface:
    """The first font that has every letter of a text, else the one that lacks the fewest."""
    letters = "".join(sorted({letter for letter in text if unicodedata.category(letter)[0] in "LNPS"}))  # those that leave a mark
    best: Typeface | None = None
    for name in _candidates():
        missing = _missing_letters(name, letters)
        if missing is None:
            continue
        if not missing:
            return Typeface(name)
        if best is None or len(missing) < len(best.missing):
            best = Typeface(name, missing)
    return best or Typeface("", letters)


def _candidates() -> Iterator[str]:
    yield from WELL_KNOWN
    yield ""
    for folder in _font_folders():
        yield from (str(path) for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".ttf", ".ttc", ".otf"))


def _font_folders() -> list[Path]:
    home = Path.home()
    if sys.platform == "win32":
        folders = [
            Path(os.environ.get("WINDIR", "C:/Windows")) / "Fonts",
            Path(os.environ.get("LOCALAPPDATA", home)) / "Microsoft/Windows/Fonts",
        ]
    elif sys.platform == "darwin":
        folders = [Path("/System/Library/Fonts"), Path("/Library/Fonts"), home / "Library/Fonts"]
    else:
        folders = [Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), home / ".local/share/fonts"]
    return [folder for folder in folders if folder.is_dir()]


def _missing_letters(name: str, letters: str) -> str | None:
    """The letters that a font lacks; None where there is no such font."""
    try:
        font = Typeface(name).at(_PROBE_SIZE)
    except OSError:
        return None
    nothing = _drawing(font, _NO_LETTER)
    return "".join(letter for letter in letters if _drawing(font, letter) in (nothing, b""))


def _drawing(font: FreeTypeFont, letter: str) -> bytes:
    mask: Any = font.getmask(letter)
    return bytes(mask)
