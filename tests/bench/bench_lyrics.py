"""How exactly lyrics lie on a song: against a simulated recogniser, and without one from a vocals stem.

Run: python tests/bench/bench_lyrics.py [--songs N] [--first SEED]
Songs, their stems and the recogniser's mistakes are made by `sung_lyrics.py` (own lyrics in English, Japanese, Chinese; 30 % of the words
wrong, lost or invented, times off by 45 ms, a line lost, a phrase said twice, a loop in the instrumental part). No real recogniser and no
real voice took part: what this measures is the alignment, not Whisper. "Heard" are the words that the recogniser had right.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import conftest  # noqa: E402, F401  (loads the pack as ComfyUI does)
import sung_lyrics  # noqa: E402

OUTSIDE = 0.2  # seconds by which a word may leave the singing
LANGUAGES = ("en", "ja", "zh")
HARD = {"wrong": 0.25, "lost": 0.25, "invented": 0.15, "jitter": 0.08}  # half of the words, and later or earlier


@dataclass
class Score:
    heard: list[float] = field(default_factory=list)  # errors of word starts, seconds
    all: list[float] = field(default_factory=list)
    words: int = 0
    outside: int = 0
    in_breaks: int = 0
    left_out: int = 0
    seconds: float = 0.0

    def row(self, name: str) -> str:
        heard, everything = np.array(self.heard), np.array(self.all)
        within = [f"{np.median(errors):.3f} | {np.mean(errors <= 0.3) * 100:.1f} %" for errors in (heard, everything)]
        cost = self.seconds / self.words * 1000
        return f"| {name} | {self.words} | {' | '.join(within)} | {self.outside} | {self.in_breaks} | {self.left_out} | {cost:.1f} |"


def outside_singing(song: sung_lyrics.Song, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """How far, in seconds, each word's start or end lies from all singing."""
    spans = song.spans
    times = np.stack([starts, ends])[..., None]
    return np.maximum(np.maximum(spans[:, 0] - times, times - spans[:, 1]), 0).min(axis=-1).max(axis=0)


def score_aligned(language: str, seed: int, score: Score, with_stem: bool, mistakes: dict[str, float]) -> None:
    from pack.nodes.engine.song.lyrics.aligner import match_lyrics
    from pack.nodes.engine.song.lyrics.heard_words import choose_words
    from pack.nodes.engine.song.lyrics.reader import read_lyrics
    from pack.nodes.engine.song.lyrics.voice import hear_stem

    song = sung_lyrics.sing(language, seed)
    voice = hear_stem(sung_lyrics.record_stem(song, seed), sung_lyrics.RATE) if with_stem else None
    misheard = sung_lyrics.mishear(song, seed, **mistakes)
    begin = time.process_time()
    openings = frozenset(heading.line for heading in read_lyrics(song.text).headings)
    words, placed, _ = match_lyrics(song.lines, choose_words(misheard.segments, voice), language, voice, song.duration, openings=openings)
    score.seconds += time.process_time() - begin
    assert placed is not None and len(words) == len(song.words)
    kept = np.array([word.line not in placed.left_out for word in words])
    errors = np.abs(placed.starts - song.spans[:, 0])
    right = np.array([index in misheard.right for index in range(len(words))])
    score.heard += errors[kept & right].tolist()
    score.all += errors[kept].tolist()
    score.words += len(words)
    score.left_out += int((~kept).sum())
    score.outside += int((outside_singing(song, placed.starts, placed.ends) > OUTSIDE)[kept].sum())
    middles = (placed.starts + placed.ends)[kept] / 2
    score.in_breaks += sum(int(((middles > first + OUTSIDE) & (middles < last - OUTSIDE)).sum()) for first, last in song.breaks)


def score_drafts(language: str, songs: range) -> str:
    """Without a recogniser: how far lines are off, from the stem."""
    from pack.nodes.engine.song.lyrics.aligner import LyricRequest, Sound, align_lyrics
    from pack.nodes.engine.timeline import Timeline

    errors: list[float] = []
    in_breaks = 0
    for seed in songs:
        song = sung_lyrics.sing(language, seed)
        stem = Sound(sung_lyrics.record_stem(song, seed), sung_lyrics.RATE)
        lines = align_lyrics(Timeline(stem.duration), stem, LyricRequest(song.text, language), stem).lines
        truth = [next(word.start for word in song.words if word.line == number) for number in range(len(song.lines))]
        errors += [abs(line.start - start) for line, start in zip(lines, truth, strict=True)]
        middles = np.array([(word.start + word.end) / 2 for line in lines for word in line.words])
        in_breaks += sum(int(((middles > first + OUTSIDE) & (middles < last - OUTSIDE)).sum()) for first, last in song.breaks)
    found = np.array(errors)
    return f"| {language} | {len(found)} | {np.median(found):.2f} | {found.mean():.2f} | {np.mean(found <= 1) * 100:.0f} % | {in_breaks} |"


def score_other(language: str, songs: range, mistakes: dict[str, float]) -> str:
    """The share heard of the right lyrics and of another song's: they must not overlap."""
    from pack.nodes.engine.song.lyrics.aligner import share_heard
    from pack.nodes.engine.song.lyrics.heard_words import choose_words
    from pack.nodes.engine.song.lyrics.sheet_words import find_words, list_words
    from pack.nodes.engine.song.lyrics.spelling import make_speller

    spell = make_speller(language)
    shares: tuple[list[float], list[float]] = ([], [])
    for seed in songs:
        song = sung_lyrics.sing(language, seed)
        heard = choose_words(sung_lyrics.mishear(song, seed, **mistakes).segments)
        for rows, share in zip((song.lines, sung_lyrics.OTHER[language].splitlines()), shares, strict=True):
            words = list_words(rows, spell)
            share.append(share_heard(words, find_words(words, heard, spell)))
    ranges = [f"{min(share) * 100:.0f} to {max(share) * 100:.0f} %" for share in shares]
    return f"| {language} | {' | '.join(ranges)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--songs", type=int, default=20, help="songs of each language")
    parser.add_argument(
        "--first", type=int, default=1000, help="the first song's seed; those below 200 were at hand when the rules were made"
    )
    options = parser.parse_args()
    songs = range(options.first, options.first + options.songs)
    print("| lyrics | words | median, heard | in 0.3 s, heard | median, all | in 0.3 s, all | outside | in breaks | left out | ms a word |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for name, with_stem, mistakes in (("with stem", True, {}), ("mix only", False, {}), ("with stem, hardly heard", True, HARD)):
        for language in LANGUAGES:
            score = Score()
            for seed in songs:
                score_aligned(language, seed, score, with_stem, mistakes)
            print(score.row(f"{language}, {name}"), flush=True)
    print("\n| no recogniser, stem | lines | median start error, s | mean | in 1 s | words in breaks |\n|---|---|---|---|---|---|")
    for language in LANGUAGES:
        print(score_drafts(language, songs), flush=True)
    print("\n| share of letters heard | right lyrics | another song's |\n|---|---|---|")
    for language in LANGUAGES:
        print(score_other(language, songs, {}), flush=True)
        print(score_other(language, songs, HARD).replace("|", "| hardly heard:", 1), flush=True)


if __name__ == "__main__":
    main()
