"""Dance and swing grooves with exact bars: Musical MIDI Accompaniment's styles over random chords (Debian: mma).

Blues, latin, march, waltz, swing, 5/4, 6/8 ...; every fifth piece changes its tempo. Only families of styles that the beat network
never learnt from: `dev` and `test` are theirs.
"""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from midi import MidiScore, read_midi
from pieces import LONGEST, Piece, Truth, cut_truth, keep_piece, synthesise

if TYPE_CHECKING:
    from pack.nodes.engine.song.training.styles import Style

CHORDS = "C Am F G Dm Em E7 A7 D7 G7 Bb Fmaj7 Cmaj7 Gm".split()
PACES = (
    ("slow|ballad|hymn|spiritual", 58, 88),
    ("fast|bebop|quickstep|polka|samba", 150, 210),
    ("swing|jazz|waltz", 95, 180),
    ("", 84, 150),
)


def render_grooves(folder: Path, part: str) -> list[Piece]:
    from pack.nodes.engine.song.training.styles import list_styles

    made = [keep_piece(folder, f"groove {part}", style.name, lambda sound, style=style: _play(style, sound)) for style in list_styles(part)]
    return [piece for piece in made if piece]


def _play(style: Style, sound: Path) -> Truth | None:
    rng = random.Random(style.name)
    low, high = next((low, high) for words, low, high in PACES if re.search(words, style.path.stem))
    tempo = rng.uniform(low, high) * (3 if style.compound and high < 200 else 1)
    midi = sound.parent / f"{style.name}.mid"
    groove = f"{style.path.parent.name}/{style.path.stem}:{rng.choice(style.grooves)}"
    lines = _groove_lines(rng, groove, tempo, max(8, int(LONGEST * tempo / 60 / style.quarters)))
    midi.with_suffix(".mma").write_text("\n".join(lines))
    subprocess.run(["mma", "-f", str(midi), str(midi.with_suffix(".mma"))], check=False, capture_output=True)
    if not midi.exists():
        return None
    synthesise(midi, sound)
    return _grid(read_midi(midi), style.quarters, 3 if style.compound else 1)


def _groove_lines(rng: random.Random, groove: str, tempo: float, bars: int) -> list[str]:
    lines = [f"Tempo {tempo:.0f}", f"Groove {groove}"]
    progression = [rng.choice(CHORDS) for _ in range(8)]
    moves = rng.random() < 0.2
    for bar in range(bars):
        if moves and bar == bars // 4:
            lines.append(f"Tempo {tempo * rng.choice([0.8, 1.25]):.0f} {bars // 3}")
        lines.append(f"{bar + 1} {progression[bar % 8]}")
    return lines


def _grid(score: MidiScore, quarters: int, step: int) -> Truth:
    """Beats every `step` quarters from tick zero, bars of `quarters` quarters."""
    ticks = np.arange(0, score.end + 1, score.ticks_per_quarter * step)
    bars = np.arange(0, score.end + 1, score.ticks_per_quarter * quarters)
    return cut_truth(score.seconds(ticks), score.seconds(bars), quarters // step)
