"""The alignment of letters is the best there is, and the words found by it are those that were sung."""

from __future__ import annotations

import time

import numpy as np
import pytest
from pack.nodes.engine.song.lyrics import alignment
from pack.nodes.engine.song.lyrics.alignment import align_letters
from pack.nodes.engine.song.lyrics.heard_words import HeardWord
from pack.nodes.engine.song.lyrics.sheet_words import Found, find_words, list_words
from pack.nodes.engine.song.lyrics.spelling import make_speller

SPELL = make_speller("en")


def codes(text: str) -> np.ndarray:
    return np.array([ord(letter) for letter in text], int)


def align(wanted: str, heard: str) -> list[int]:
    return align_letters(codes(wanted), codes(heard), np.zeros(len(wanted), bool), np.zeros(len(heard), bool)).tolist()


class Rules:
    """The same rules in plain words, for two short texts: what an alignment, given by its pairs, is worth."""

    def __init__(self, wanted: str, heard: str, wanted_starts: np.ndarray, heard_starts: np.ndarray) -> None:
        self.wanted, self.heard = wanted, heard
        self.wanted_starts, self.heard_starts = wanted_starts, heard_starts

    def gap(self, starts: np.ndarray, first: int, last: int, more: float) -> float:
        """Letters first..last-1 left out."""
        inside = 0.0 if first >= last or starts[first] else alignment.INSIDE
        return alignment.OPEN + inside + more * (last - first - 1) if last > first else 0.0

    def pair(self, i: int, j: int) -> float:
        if self.wanted[i] != self.heard[j]:
            return alignment.MISMATCH
        return alignment.MATCH + alignment.WORD_START * bool(self.wanted_starts[i] and self.heard_starts[j])

    def before_first(self, i: int, j: int) -> float:
        """What is heard before the first pair is free once nothing was wanted yet."""
        plain = alignment.OPEN + alignment.SKIP_FIRST * (i - 1) if i else 0.0
        free = self.gap(self.wanted_starts, 0, i, alignment.SKIP_WANTED) if j else plain
        return max(free, plain + self.gap(self.heard_starts, 0, j, alignment.SKIP_HEARD))

    def between(self, a: int, b: int, i: int, j: int) -> float:
        wanted = self.gap(self.wanted_starts, a + 1, i, alignment.SKIP_WANTED)
        return wanted + self.gap(self.heard_starts, b + 1, j, alignment.SKIP_HEARD)

    def after_last(self, i: int) -> float:
        return self.gap(self.wanted_starts, i + 1, len(self.wanted), alignment.SKIP_WANTED)

    @property
    def nothing(self) -> float:
        return alignment.OPEN + alignment.SKIP_FIRST * (len(self.wanted) - 1)

    def best(self) -> float:
        """The best over all alignments, by trying for every pair which one came before it."""
        best: dict[tuple[int, int], float] = {}
        for i in range(len(self.wanted)):
            for j in range(len(self.heard)):
                ways = [best[a, b] + self.between(a, b, i, j) for a in range(i) for b in range(j)]
                best[i, j] = max([self.before_first(i, j), *ways]) + self.pair(i, j)
        without = self.gap(self.wanted_starts, 0, len(self.wanted), alignment.SKIP_WANTED)
        return max([*(value + self.after_last(i) for (i, _), value in best.items()), self.nothing, without])

    def worth(self, pairs: list[int]) -> float:
        total, last = 0.0, None
        for i, j in enumerate(pairs):
            if j >= 0:
                total += self.pair(i, j) + (self.before_first(i, j) if last is None else self.between(*last, i, j))
                last = (i, j)
        return self.nothing if last is None else total + self.after_last(last[0])


@pytest.mark.parametrize("seed", range(60))
def test_no_other_alignment_is_better(seed: int) -> None:
    rng = np.random.default_rng(seed)
    wanted, heard = ("".join(rng.choice(list("abc"), int(rng.integers(1, 13)))) for _ in range(2))
    wanted_starts, heard_starts = (rng.random(len(text)) < 0.4 for text in (wanted, heard))
    rules = Rules(wanted, heard, wanted_starts, heard_starts)
    pairs = align_letters(codes(wanted), codes(heard), wanted_starts, heard_starts).tolist()
    assert rules.worth(pairs) == pytest.approx(rules.best())
    kept = [mate for mate in pairs if mate >= 0]
    assert kept == sorted(set(kept))


def test_what_is_heard_around_costs_nothing() -> None:
    assert align("hello", "xxxxhelloyyyy") == [4, 5, 6, 7, 8]
    assert align("helloworld", "hellozzzzzzworld") == [0, 1, 2, 3, 4, 11, 12, 13, 14, 15]
    assert align("abcdworld", "world")[4:] == [0, 1, 2, 3, 4]


def test_nothing_to_align() -> None:
    assert align("", "abc") == [] and align("abc", "") == [-1, -1, -1]


@pytest.mark.slow
def test_long_texts_are_quick_and_small() -> None:
    import tracemalloc

    rng = np.random.default_rng(1)
    wanted = rng.integers(97, 123, 5000)
    heard = np.concatenate([wanted[:2000], rng.integers(97, 123, 1500), wanted[2000:]])
    flat = np.zeros(len(wanted), bool)
    tracemalloc.start()
    begin = time.process_time()
    pairs = align_letters(wanted, heard, flat, np.zeros(len(heard), bool))
    assert time.process_time() - begin < 10
    assert tracemalloc.get_traced_memory()[1] < 30e6, "a whole table would take 32 million cells of several bytes"
    tracemalloc.stop()
    assert np.mean(pairs == np.where(np.arange(5000) < 2000, np.arange(5000), np.arange(5000) + 1500)) > 0.995


def test_aligning_can_be_stopped() -> None:
    class StopError(Exception):
        pass

    def stop() -> None:
        raise StopError

    flat = np.zeros(50, bool)
    with pytest.raises(StopError):
        align_letters(np.arange(50), np.arange(50), flat, flat, stop)


def find(lines: list[str], heard: list[tuple[float, str]]) -> tuple[list[str], Found]:
    words = list_words(lines, SPELL)
    return [word.text for word in words], find_words(words, [HeardWord(at, at + 0.4, text, 0.8) for at, text in heard], SPELL)


def test_words_get_the_times_of_what_was_heard() -> None:
    texts, found = find(["Carry me home", "over the water"], [(1, "carry"), (2, "me"), (3, "home"), (5, "over"), (6, "the"), (7, "water")])
    assert texts == ["Carry", "me", "home", "over", "the", "water"]
    assert found.starts.tolist() == [1, 2, 3, 5, 6, 7] and found.ends[0] == pytest.approx(1.4)
    assert found.shares.tolist() == [1] * 6 and found.trust[0] == pytest.approx(0.8)


def test_words_run_together_or_apart() -> None:
    _, found = find(["every body knows", "a lighthouse"], [(1, "everybody"), (2, "knows"), (3, "a"), (4, "light"), (5, "house")])
    assert found.starts.tolist() == pytest.approx([1, 1 + 0.4 * 5 / 9, 2, 3, 4]) and found.ends[-1] == pytest.approx(5.4)


def test_a_misheard_word_between_heard_ones_has_its_time() -> None:
    _, found = find(["hold me very tight now"], [(1, "hold"), (2, "me"), (3, "bury"), (4, "tight"), (5, "now")])
    assert found.starts[2] == pytest.approx(3, abs=0.15) and 0 < found.shares[2] < 1
    _, found = find(["ab cd xy ef gh"], [(1, "ab"), (2, "cd"), (3, "qq"), (4, "ef"), (5, "gh")])
    assert found.starts[2] == 3 and found.shares[2] == 0


def test_a_repeated_chorus_goes_to_its_own_place() -> None:
    chorus = ["hold me tonight", "never let me go"]
    sung = [(10.0 + index, word) for index, word in enumerate("hold me tonight never let me go".split())]
    verse = [(30.0 + index, word) for index, word in enumerate("all the lamps went out".split())]
    again = [(50.0 + index, word) for index, word in enumerate("hold me tonight never let me go".split())]
    _, found = find([*chorus, "all the lamps went out", *chorus], [*sung, *verse, *again])
    assert found.starts.tolist() == [*range(10, 17), *range(30, 35), *range(50, 57)]
    _, once = find(["all the lamps went out", *chorus], [*sung, *verse, *again])
    assert once.starts.tolist() == [*range(30, 35), *range(50, 57)], "what is sung before the first line is not asked for"


def test_chance_finds_are_not_believed() -> None:
    _, found = find(
        ["the mountains tumble and the kingdoms fall"], [(float(at), word) for at, word in enumerate("we sold the car".split())]
    )
    assert not found.heard.any()
    _, found = find(["so carry me home tonight"], [(1, "so"), (30, "carry"), (30.5, "me"), (31, "home"), (31.5, "tonight")])
    assert not found.heard[0] and found.starts[1:].tolist() == [30, 30.5, 31, 31.5], "a word 30 s before its line is another one"
