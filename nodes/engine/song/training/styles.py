"""Musical MIDI Accompaniment's styles -> scores: an arranger's bands in hundreds of grooves, with exact bars.

Whole families of styles are kept from training: `dev` serves to choose settings, `test` only to measure. Needs the
program mma (Debian: `mma`); its styles are under the GPL, and only what was learnt from them is kept.
"""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .scores import Score, read_notes

LIBRARY = Path("/usr/share/mma/lib")
COLLECTIONS = ("stdlib", "casio", "yamaha", "kara", "zoom")
HELD_OUT = {
    "test": "blues|boog|polka|march|samba|salsa|mambo|merengue|calypso|soul|rb|r.b|rnb|ska|twist|vienese|french|popwaltz|rockwaltz|"
    "8beat|beat8|spiritual|lullaby|54|rave|trance|metal|foxtrot|quickstep|tango|zydeco|68swing|funk|afro",
    "dev": "countr|cntry|bossa|broadway|disco|rhumba|hip.?hop|serenade|hymn|folk|jive|punk|reggae|western|mellow|gypsy|34",
}
PACES = (  # (words in a style's name, slowest, fastest beat per minute)
    ("slow|ballad|bald|hymn|spiritual|lullaby|ambient", 56, 92),
    ("fast|bebop|quickstep|polka|samba|metal|dnb|punk", 140, 205),
    ("swing|jazz|waltz", 95, 185),
    ("", 80, 155),
)
PROGRESSIONS = (
    "C Am F G7;Am F C G;Dm7 G7 CM7 A7;Em C G D;C7 F7 C7 G7;Gm Eb Bb F;A D E7 A;Fm Db Ab Eb;Bm G D A;E B C#m A;Cm Fm G7 Cm;D D G A"
).split(";")


@dataclass(frozen=True)
class Style:
    path: Path
    grooves: tuple[str, ...]
    quarters: int  # a bar
    compound: bool  # 6/8: beats of three of MMA's "quarters"

    @property
    def name(self) -> str:
        return f"{self.path.parent.name} {self.path.stem}"


def list_styles(part: str) -> list[Style]:
    """All styles of `train`, `dev` or `test`."""
    paths = [path for folder in COLLECTIONS for path in sorted((LIBRARY / folder).glob("*.mma"))]
    return [style for path in paths if part_of(path.stem) == part and (style := _read_style(path))]


def part_of(stem: str) -> str:
    return next((part for part, words in HELD_OUT.items() if re.search(words, stem, re.IGNORECASE)), "train")


def _read_style(path: Path) -> Style | None:
    text = path.read_text(errors="replace")
    grooves = re.findall(r"^\s*DefGroove\s+(\S+)", text, re.MULTILINE | re.IGNORECASE)
    grooves = [name for name in grooves if not re.search("intro|end|fill|metro", name, re.IGNORECASE)]
    bar = re.search(r"^\s*Time\s+(\d+)", text, re.MULTILINE | re.IGNORECASE)
    if not grooves or not bar or re.search("metro|none|intro|ending|count$", path.stem):
        return None
    quarters = int(bar.group(1))
    signed = re.search(r"^\s*Timesig\s+6[ /]8", text, re.MULTILINE | re.IGNORECASE) is not None
    return Style(path, tuple(grooves), quarters, quarters == 6 and signed)


def arrange(style: Style, seed: int, folder: Path, bars: int = 40) -> Score | None:
    """One groove of a style over random chords; None where mma refuses it."""
    rng = random.Random(f"{style.name} {seed}")
    script, midi = folder / "groove.mma", folder / "groove.mid"
    midi.unlink(missing_ok=True)
    script.write_text("\n".join(_script(style, rng, bars)))
    subprocess.run(["timeout", "30", "mma", "-f", str(midi), str(script)], check=False, capture_output=True)
    if not midi.exists():
        return None
    step = 3.0 if style.compound else 1.0
    low, high = next((low, high) for words, low, high in PACES if re.search(words, style.path.stem))
    if style.compound:
        low, high = min(low, 60), min(high, 130)
    return Score(read_notes(midi), step, round(style.quarters / step), (low, high))


def _script(style: Style, rng: random.Random, bars: int) -> list[str]:
    groove = f"{style.path.parent.name}/{style.path.stem}:{rng.choice(style.grooves)}"
    chords, hold = rng.choice(PROGRESSIONS).split(), rng.choice([1, 1, 1, 2, 2, 4])
    lines = ["Tempo 120", f"Groove {groove}"]
    for bar in range(bars):
        chord = chords[bar // hold % len(chords)]
        lines.append(f"{bar + 1} {chord}" + (f" {rng.choice(chords)}" if rng.random() < 0.1 else ""))
    return lines
