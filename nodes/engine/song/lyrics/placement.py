"""Words of which some were heard -> a time for every one of them, and the lines of the timeline.

Words that were not heard share the time between their neighbours by their syllables, on a clock that runs only while somebody
sings where a vocals stem says when that is. Whole lines that were not heard are spread over the phrases between (`phrases`). Every
word says how far to trust its time. Times are seconds of the song.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ...timeline import Line, Word
from .phrases import spread_lines
from .sheet_words import SURE, Found, SheetWord
from .voice import FIRST, LAST, Voice, everywhere

USUAL_PACE, FASTEST_PACE, SLOWEST_PACE = 0.25, 0.08, 0.6  # seconds a syllable
ROOMY = 1.5  # times the need: in less, words simply share the room
CROWDED = 0.05  # seconds a syllable: nobody sings a line in less
LONGEST_WORD = 2.5  # times the pace: what a word lasts that was not heard
SHORTEST_WORD = 0.02  # seconds
NEAR_TRUST, FAR_TRUST = 0.5, 0.1  # of the heard words beside it in its line; where no word of the line was heard


@dataclass(frozen=True)
class Placed:
    starts: np.ndarray  # [words], seconds
    ends: np.ndarray
    trust: np.ndarray  # 0..1
    left_out: frozenset[int]  # numbers of lines that were neither heard nor have room


def place_words(
    words: Sequence[SheetWord], found: Found, voice: Voice | None, duration: float, openings: frozenset[int] = frozenset()
) -> Placed:
    """A time for every word. `voice` is when somebody sings, where a stem tells; `openings` are lines that open a part of the
    song. At least one word has to be found.
    """
    clock = voice if voice is not None and voice.trusted and voice.seconds else everywhere(duration)
    filler = _Filler(words, found, clock, openings)
    heard = np.flatnonzero(found.heard)
    edges = [-1, *heard.tolist(), len(words)]
    for left, right in zip(edges, edges[1:], strict=False):
        if right - left > 1:
            filler.fill(left + 1, right)
    starts, ends = put_in_order(filler.starts, filler.ends, duration, voice)
    return Placed(starts, ends, _fill_trust(words, found), frozenset(filler.left_out))


def put_in_order(starts: np.ndarray, ends: np.ndarray, duration: float, voice: Voice | None) -> tuple[np.ndarray, np.ndarray]:
    """Starts that rise and lie in the song; ends that lie behind them and, where possible, not behind the next start.

    With `voice` every word is kept within the span of singing that it shares most with.
    """
    if voice is not None and len(starts):
        held = np.array([voice.hold(start, end) for start, end in zip(starts, ends, strict=True)])
        starts, ends = held[:, 0], held[:, 1]
    starts = np.clip(np.maximum.accumulate(starts), 0, duration)
    following = np.append(starts[1:], duration)
    ends = np.minimum(np.maximum(ends, starts + SHORTEST_WORD), np.where(following > starts, following, duration))
    return starts, np.clip(np.maximum(ends, starts), 0, duration)


class _Filler:
    """Gives times to stretches of words that were not heard, in seconds of the clock."""

    def __init__(self, words: Sequence[SheetWord], found: Found, clock: Voice, openings: frozenset[int]) -> None:
        self.clock, self.openings = clock, openings
        self.starts, self.ends = found.starts.copy(), found.ends.copy()
        self.lines = np.array([word.line for word in words], int)
        self.weights = np.array([word.syllables for word in words], float)
        self.left_out: set[int] = set()
        self.pace = self._usual_pace(found)

    def _usual_pace(self, found: Found) -> float:
        sure = found.shares >= SURE
        if not sure.any():
            return USUAL_PACE
        return float(np.clip(np.median((found.ends - found.starts)[sure] / self.weights[sure]), FASTEST_PACE, SLOWEST_PACE))

    def fill(self, first: int, last: int) -> None:
        """Words first..last-1, between a heard word before (or the song's start) and one behind (or its end)."""
        begin = float(self.clock.sung_before(self.ends[first - 1])) if first else 0.0
        stop = float(self.clock.sung_before(self.starts[last])) if last < len(self.lines) else self.clock.seconds
        stop = max(begin, stop)
        before = self.lines[first - 1] if first else -1
        behind = self.lines[last] if last < len(self.lines) else self.lines[-1] + 1
        numbers = self.lines[first:last]
        if before == behind:
            return self._share(np.arange(first, last), begin, stop)
        head = first + np.flatnonzero(numbers == before)
        middle = first + np.flatnonzero((numbers != before) & (numbers != behind))
        tail = first + np.flatnonzero(numbers == behind)
        need = self.pace * float(self.weights[first:last].sum())
        if stop - begin <= ROOMY * need and first and last < len(self.lines):
            self._squeeze(head, middle, tail, begin, stop)
        else:
            self._lay(head, middle, tail, begin, stop)

    def _squeeze(self, head: np.ndarray, middle: np.ndarray, tail: np.ndarray, begin: float, stop: float) -> None:
        """Not much room: all share it; without the lines that were not heard if they could not be sung in it."""
        both = np.concatenate([head, middle, tail])
        if len(middle) and stop - begin < CROWDED * float(self.weights[both].sum()):
            self.left_out.update(self.lines[middle].tolist())
            self._share(middle, stop, stop)
            both = np.concatenate([head, tail])
        self._share(both, begin, stop)

    def _lay(self, head: np.ndarray, middle: np.ndarray, tail: np.ndarray, begin: float, stop: float) -> None:
        """Room to spare: the rest of a line follows its heard words, the beginning of one leads up to them."""
        room = stop - begin
        ahead = min(self.pace * float(self.weights[head].sum()), room / 2)
        behind = min(self.pace * float(self.weights[tail].sum()), room / 2)
        self._share(head, begin, begin + ahead)
        self._share(tail, stop - behind, stop)
        if len(middle):
            self._part(middle, begin + ahead, stop - behind)

    def _part(self, middle: np.ndarray, begin: float, stop: float) -> None:
        """Where nothing tells when somebody sings, a break lies before the line that opens a part: lines keep to their part."""
        opening = np.flatnonzero(np.isin(self.lines[middle], list(self.openings)))
        edge = int(opening[0]) if len(opening) else 0
        need = [ROOMY * self.pace * float(self.weights[part].sum()) for part in (middle[:edge], middle[edge:])]
        if self.clock.trusted or not len(opening) or sum(need) >= stop - begin:
            return self._spread(middle, begin, stop)
        if edge:
            self._spread(middle[:edge], begin, begin + need[0])
        self._spread(middle[edge:], stop - need[1], stop)

    def _spread(self, middle: np.ndarray, begin: float, stop: float) -> None:
        numbers, line_of = np.unique(self.lines[middle], return_inverse=True)
        syllables = np.bincount(line_of, self.weights[middle])
        need = ROOMY * self.pace * float(syllables.sum())
        if stop - begin < CROWDED * float(syllables.sum()):
            self.left_out.update(numbers.tolist())
            return self._share(middle, stop, stop)
        if not self.clock.trusted and middle[0] == 0:
            begin = max(begin, stop - need)  # nothing tells where singing begins: just before the first line heard
        elif not self.clock.trusted and middle[-1] + 1 == len(self.lines):
            stop = min(stop, begin + need)
        times = np.array([self.clock.time_at(begin, FIRST), self.clock.time_at(stop, LAST)])
        part = self.clock.spans.clip(times[0], max(times))
        part = Voice(part[part[:, 1] > part[:, 0]], float(times[1]))
        for number, stretch in enumerate(spread_lines(syllables, part, self.pace)):
            edges = self.clock.sung_before(np.array(stretch))
            self._share(middle[line_of == number], float(edges[0]), float(edges[1]))

    def _share(self, chosen: np.ndarray, begin: float, stop: float) -> None:
        """The words share begin..stop (on the clock) by their syllables."""
        if not len(chosen):
            return
        whole = np.concatenate([[0.0], np.cumsum(self.weights[chosen])])
        edges = begin + (stop - begin) * whole / whole[-1]
        lengths = np.minimum(np.diff(edges), LONGEST_WORD * self.pace * self.weights[chosen])
        self.starts[chosen] = self.clock.time_at(edges[:-1], FIRST)
        self.ends[chosen] = np.maximum(self.clock.time_at(edges[:-1] + lengths, LAST), self.starts[chosen])


def _fill_trust(words: Sequence[SheetWord], found: Found) -> np.ndarray:
    """Heard words as they were found; the others by how well their line was heard."""
    lines = np.array([word.line for word in words], int)
    count = np.bincount(lines)
    mean = np.bincount(lines, found.trust) / np.maximum(count, 1)
    return np.where(found.heard, np.maximum(found.trust, FAR_TRUST), np.maximum(FAR_TRUST, NEAR_TRUST * mean[lines]))


def draft_words(words: Sequence[SheetWord], voice: Voice, trust: float, openings: frozenset[int] = frozenset()) -> Placed:
    """Times for words of which none was heard: lines over phrases, words over lines. `openings` are lines that open a part."""
    lines = np.array([word.line for word in words], int)
    numbers, line_of = np.unique(lines, return_inverse=True)
    weights = np.array([word.syllables for word in words], float)
    nothing = np.full(len(words), np.nan)
    filler = _Filler(words, Found(nothing, nothing.copy(), np.zeros(len(words)), np.zeros(len(words))), voice, openings)
    filler.pace = np.inf  # a line has the length that `spread_lines` gave it
    opening = np.isin(numbers, list(openings))
    for number, stretch in enumerate(spread_lines(np.bincount(line_of, weights), voice, opening=opening)):
        edges = voice.sung_before(np.array(stretch))
        filler._share(np.flatnonzero(line_of == number), float(edges[0]), float(edges[1]))
    starts, ends = put_in_order(filler.starts, filler.ends, voice.duration, voice)
    return Placed(starts, ends, np.full(len(words), trust), frozenset())


def make_lines(texts: Sequence[str], words: Sequence[SheetWord], placed: Placed) -> list[Line]:
    """The timeline's lines; a text without a word to sing, or left out, is none."""
    timed: dict[int, list[Word]] = {}
    for index, word in enumerate(words):
        if word.line not in placed.left_out:
            start, end = (round(float(edge[index]), 3) for edge in (placed.starts, placed.ends))
            timed.setdefault(word.line, []).append(Word(start, end, word.text, round(float(placed.trust[index]), 3)))
    return [Line(group[0].start, max(word.end for word in group), texts[number], tuple(group)) for number, group in sorted(timed.items())]
