"""The lines to be sung as words in one row, and where heard words put them in time.

Two steps meet here: which wanted letter is which heard letter (`alignment`), and which of those finds are worth believing. What
stays unknown is filled in `placement`. Times are seconds; unknown ones are NaN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from .alignment import align_letters
from .heard_words import HeardWord
from .letters import count_syllables, split_words
from .spelling import Speller

HEARD = 0.34  # share of a word's letters that must be heard
SURE = 0.6  # share from which a word is believed whatever stands around it
AROUND = 3  # words on either side that count as its company
FORSAKEN, POOR = 0.15, 0.3  # share heard of the company, below which a find is chance; for words heard in part
OF_LINE, SHORT_LINE = 0.15, 6  # share of a line's letters that must be heard to believe any of them, unless it has fewer letters
APART = 4.0  # seconds; a silence within a line longer than this parts it
HOLD = 1.5  # seconds between the letters of one word, at most
TOGETHER = 60  # words that are spelt in one go, for the sake of their context


@dataclass(frozen=True)
class SheetWord:
    line: int
    text: str
    letters: str
    syllables: float


@dataclass(frozen=True)
class Found:
    """For every wanted word: when it was heard (NaN where not), which share of it, how surely; shape [words] each."""

    starts: np.ndarray
    ends: np.ndarray
    shares: np.ndarray
    trust: np.ndarray

    @property
    def heard(self) -> np.ndarray:
        return ~np.isnan(self.starts)


def list_words(lines: Sequence[str], spell: Speller) -> list[SheetWord]:
    """All words of the lines in order, spelt as they are compared."""
    words = []
    for number, line in enumerate(lines):
        texts = [piece.text for piece in split_words(line)]
        for text, letters in zip(texts, spell(texts), strict=True):
            words.append(SheetWord(number, text, letters, count_syllables(text)))
    return words


def find_words(words: Sequence[SheetWord], heard: Sequence[HeardWord], spell: Speller, check: Callable[[], None] = lambda: None) -> Found:
    """Where the wanted words were heard. `check` is called now and then and may raise."""
    wanted, owners, starts = _letter_row([word.letters for word in words])
    letters, times, trust, begins = _heard_row(heard, spell)
    pairs = align_letters(wanted, letters, starts, begins, check)
    found = _collect(len(words), owners, pairs, wanted, letters, times, trust)
    return _disbelieve(words, found)


def _letter_row(spelt: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Letter codes of all words in a row, whose word each is, and whether it begins one."""
    joined = "".join(spelt)
    owners = np.repeat(np.arange(len(spelt)), [len(letters) for letters in spelt])
    starts = np.concatenate([[True], owners[1:] != owners[:-1]]) if len(owners) else np.zeros(0, bool)
    return np.array([ord(letter) for letter in joined], np.int64), owners, starts


def _heard_row(heard: Sequence[HeardWord], spell: Speller) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Letter codes of what was heard, each letter's start and end, its probability, and whether it begins a word."""
    pieces = [(piece.text, index) for index, word in enumerate(heard) for piece in split_words(word.text)]
    spelt: list[str] = []
    for first in range(0, len(pieces), TOGETHER):
        spelt += spell([text for text, _ in pieces[first : first + TOGETHER]])
    letters, owners, starts = _letter_row(spelt)
    word_of = np.array([index for _, index in pieces], int)[owners] if len(owners) else owners
    count = np.bincount(word_of, minlength=len(heard))[word_of] if len(owners) else owners
    first_of = np.searchsorted(word_of, word_of) if len(owners) else owners
    rank = np.arange(len(owners)) - first_of
    begin = np.array([word.start for word in heard], float)[word_of] if len(owners) else np.zeros(0)
    length = (np.array([word.end for word in heard], float)[word_of] - begin) if len(owners) else np.zeros(0)
    times = np.stack([begin + length * rank / np.maximum(count, 1), begin + length * (rank + 1) / np.maximum(count, 1)], axis=1)
    trust = np.array([word.probability for word in heard], float)[word_of] if len(owners) else np.zeros(0)
    return letters, times, trust, starts


def _collect(
    count: int, owners: np.ndarray, pairs: np.ndarray, wanted: np.ndarray, letters: np.ndarray, times: np.ndarray, trust: np.ndarray
) -> Found:
    """Letters to words: the time of a word is that of its letters that lie close together."""
    found = Found(np.full(count, np.nan), np.full(count, np.nan), np.zeros(count), np.zeros(count))
    edges = np.searchsorted(owners, np.arange(count + 1))
    for word, (first, last) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        places = np.arange(first, last)[pairs[first:last] >= 0]
        if not len(places):
            continue
        mates = pairs[places]
        equal = wanted[places] == letters[mates]
        apart = np.flatnonzero(times[mates[1:], 0] - times[mates[:-1], 1] > HOLD) + 1
        groups = np.split(np.arange(len(mates)), apart)
        group = max(groups, key=lambda rows: int(equal[rows].sum()))
        found.starts[word] = times[mates[group[0]], 0]
        found.ends[word] = times[mates[group[-1]], 1]
        # Letters strewn over much more than the word's length are found in any text.
        found.shares[word] = equal[group].sum() / max(last - first, mates[group[-1]] - mates[group[0]] + 1)
        found.trust[word] = found.shares[word] * float(trust[mates[group]].mean())
    return found


def _disbelieve(words: Sequence[SheetWord], found: Found) -> Found:
    """Without finds that are chance: too few letters, alone among words that were not heard, or far from their line."""
    lines = np.array([word.line for word in words], int)
    letters = np.array([max(1, len(word.letters)) for word in words], float)
    shares = found.shares
    company = _company(shares, letters)
    good = (shares >= HEARD) & (company >= FORSAKEN) & ((shares >= SURE) | (company >= POOR))
    good &= ~_stray(lines, letters, found, good)
    lengths = np.bincount(lines, letters)
    of_line = np.bincount(lines, np.where(good, shares * letters, 0.0)) / np.maximum(lengths, 1)
    good &= (of_line >= OF_LINE)[lines] | (lengths < SHORT_LINE)[lines]
    # A misheard word between heard neighbours of its line was still sung when something was heard.
    paired = ~np.isnan(found.starts) & ~good
    beside = np.zeros(len(words), bool)
    beside[1:-1] = good[:-2] & good[2:] & (lines[:-2] == lines[1:-1]) & (lines[2:] == lines[1:-1])
    good |= paired & beside
    blank = np.where(good, 0.0, np.nan)
    return Found(found.starts + blank, found.ends + blank, np.where(good, shares, 0.0), np.where(good, found.trust, 0.0))


def _company(shares: np.ndarray, letters: np.ndarray) -> np.ndarray:
    """The share of the letters around each word, itself left out, that were heard; shape [words]."""
    if len(shares) == 1:
        return np.ones(1)
    window = np.ones(2 * AROUND + 1)
    window[AROUND] = 0
    middle = slice(AROUND, AROUND + len(shares))
    return np.convolve(shares * letters, window)[middle] / np.convolve(letters, window)[middle]


def _stray(lines: np.ndarray, letters: np.ndarray, found: Found, good: np.ndarray) -> np.ndarray:
    """Finds that a long silence parts from the better part of their line."""
    stray = np.zeros(len(lines), bool)
    edges = np.searchsorted(lines, np.arange(lines[-1] + 2)) if len(lines) else np.zeros(1, int)
    for first, last in zip(edges[:-1], edges[1:], strict=True):
        places = np.arange(first, last)[good[first:last]]
        if len(places) < 2:
            continue
        apart = np.flatnonzero(found.starts[places[1:]] - found.ends[places[:-1]] > APART) + 1
        runs = np.split(places, apart)
        weights = [float((found.shares[run] * letters[run]).sum()) for run in runs]
        for run, weight in zip(runs, weights, strict=True):
            stray[run] = weight < max(weights) / 2
    return stray
