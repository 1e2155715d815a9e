"""Makes the clips that the network learns from, and reads them again.

Clip number n is the same whenever it is made: styles and written scores by lot, a soundfont, chance seeded by n.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from .band import choose_band
from .clips import Clip, make_clip
from .instruments import FONTS, make_bank
from .kits import read_hydrogen_kits
from .repertoire import write_score
from .scores import Score
from .styles import Style, arrange, list_styles

LOG = logging.getLogger("music_video")
RARE = 3  # how much oftener styles in three come, of which there are few


def make_clips(work: Path, first: int, end: int) -> None:
    """Clips `first` to `end` - 1 in `work`/clips; those there already are kept."""
    folder = work / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    banks, kits = [make_bank(font, work / "bank") for font in FONTS], read_hydrogen_kits()
    styles = [style for style in list_styles("train") for _ in range(1 if style.quarters == 4 else RARE)]
    np.random.default_rng(0).shuffle(styles)
    with tempfile.TemporaryDirectory() as scratch:
        for number in range(first, end):
            path = folder / f"{number:05d}.npz"
            if path.exists():
                continue
            score = _choose_score(number, styles, Path(scratch))
            rng = np.random.default_rng(number)
            clip = make_clip(score, choose_band(score, banks, kits, rng), rng)
            np.savez(path.with_suffix(".part.npz"), mel=clip.mel, beats=clip.beats, positions=clip.positions)
            path.with_suffix(".part.npz").rename(path)
            if number % 50 == 0:
                LOG.info("clip %d", number)


def _choose_score(number: int, styles: list[Style], scratch: Path) -> Score:
    score = arrange(styles[number // 5 % len(styles)], number, scratch) if number % 5 < 2 else None
    return score or write_score(number)


def read_clips(work: Path, known: Collection[int] = ()) -> Iterator[tuple[int, Clip]]:
    """The clips there are by number, without those known already."""
    for path in sorted((work / "clips").glob("[0-9]*[0-9].npz")):
        if int(path.stem) not in known:
            with np.load(path) as held:
                yield int(path.stem), Clip(held["mel"], held["beats"], held["positions"])
