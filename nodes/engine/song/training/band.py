"""Who plays a score: a soundfont's instruments, and in their place, by chance, real drums, drum machines, synthesisers, a voice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..recording import RATE
from .instruments import APART, DRUM_PITCHES, PITCHES, Bank
from .kits import Kit, make_drum_machine
from .scores import DRUMS, PROGRAM, Score
from .voices import VOICE, Patch, choose_patch, choose_singer, sing

FADE = 0.05  # seconds after a note's end


@dataclass(frozen=True)
class Band:
    bank: Bank
    drums: Kit  # in place of the bank's
    patches: dict[int, Patch]  # in place of the bank's programs
    pumps: bool = False  # everything else gives way to the kick, as in dance music

    def strike(self, kit: int, pitch: int) -> np.ndarray:
        if pitch in self.drums:
            return self.drums[pitch]
        return self.bank.drums[kit, min(max(pitch - DRUM_PITCHES[0], 0), len(DRUM_PITCHES) - 1)]

    def sustain(self, program: int, pitch: float, length: float, rng: np.random.Generator) -> np.ndarray:
        if program in self.patches:
            return sing(self.patches[program], pitch, min(length, APART), rng)
        nearest = int(np.argmin(np.abs(np.array(PITCHES) - pitch)))
        ratio = 2 ** ((pitch - PITCHES[nearest]) / 12)
        size = int(min(length + FADE, (APART - 0.02) / ratio) * RATE)
        sound = np.interp(np.arange(size) * ratio, np.arange(self.bank.melodic.shape[2]), self.bank.melodic[program, nearest])
        fade = min(int(FADE * RATE), size)
        sound[-fade:] *= np.linspace(1, 0, fade)
        return sound


def choose_band(score: Score, banks: Sequence[Bank], kits: Sequence[Kit], rng: np.random.Generator) -> Band:
    bank = banks[int(rng.choice(len(banks), p=_shares(len(banks))))]
    drums: Kit = {}
    lot = rng.random()
    if lot < 0.35 and kits:
        drums = kits[int(rng.integers(len(kits)))]
    elif lot < 0.6:
        drums = make_drum_machine(rng)
    patches = {VOICE: choose_singer(rng)}
    share = float(rng.choice([0, 0, 0, 0.5, 1]))
    for program in np.unique(score.notes[:, PROGRAM]).astype(int).tolist():
        if program not in (DRUMS, VOICE) and rng.random() < share:
            patches[program] = choose_patch(rng)
    return Band(bank, drums, patches, pumps=share > 0 and rng.random() < 0.4)


def _shares(banks: int) -> np.ndarray:
    """The last one, whose sounds are the thinnest, plays rarely."""
    weights = np.array([1.0] * (banks - 1) + [0.35]) if banks > 1 else np.ones(1)
    return weights / weights.sum()
