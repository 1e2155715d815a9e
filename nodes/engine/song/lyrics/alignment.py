"""Two sequences of letters -> which letter of the one is which of the other: one global alignment with affine gaps.

Gotoh, "An improved algorithm for matching biological sequences" (1982), whole rows at a time in numpy. What is heard before the first
and after the last wanted letter costs nothing, long gaps cost little: singers repeat and leave out, recognisers invent and
lose whole lines. The way back is found block by block from kept rows (as Myers and Miller, 1988, trade time for memory), so that
n x m letters need about sqrt(n) x m of memory. Knows nothing of words or times.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

MATCH, MISMATCH = 2.0, -1.0
WORD_START = 0.5  # more, where a word begins on both sides: keeps short words off the inside of long ones
OPEN = -1.2
INSIDE = -0.4  # more, for a gap that begins inside a word: words are left out whole
SKIP_WANTED, SKIP_HEARD = -0.35, -0.175  # for each further letter of a gap
SKIP_FIRST = -0.21  # for each wanted letter before the first that is heard
_MATCHED, _WANTED_GAP, _HEARD_GAP = 0, 1, 2  # how a letter pair was reached

Row = tuple[np.ndarray, np.ndarray, np.ndarray]  # the best sums that end in a pair, a gap of wanted, a gap of heard letters


def align_letters(
    wanted: np.ndarray, heard: np.ndarray, wanted_starts: np.ndarray, heard_starts: np.ndarray,
    check: Callable[[], None] = lambda: None,
) -> np.ndarray:  # fmt: skip
    """For each wanted letter the index of the heard letter that stands for it, or -1; shape [wanted], rising where not -1.

    `wanted` and `heard` are letter codes (int), `*_starts` say where words begin (bool, same shapes). A pair need not be equal:
    a misheard letter still tells when the wanted one was sung. `check` is called now and then and may raise.
    """
    count = len(wanted)
    if not count or not len(heard):
        return np.full(count, -1)
    spacing = max(1, math.isqrt(count))
    row = _first_row(len(heard))
    kept = {0: row}
    for number in range(1, count + 1):
        row, _ = _next_row(row, number, wanted, heard, wanted_starts, heard_starts, trace=False)
        if number % spacing == 0:
            kept[number] = row
            check()
    ends = np.stack(row)
    last = np.unravel_index(int(ends.argmax()), ends.shape)
    return _walk_back(kept, spacing, int(last[0]), int(last[1]), wanted, heard, wanted_starts, heard_starts)


def _first_row(width: int) -> Row:
    nothing = np.full(width + 1, -np.inf)
    matched, heard_gap = nothing.copy(), np.zeros(width + 1)
    matched[0], heard_gap[0] = 0.0, -np.inf
    return matched, nothing, heard_gap


def _next_row(
    row: Row, number: int, wanted: np.ndarray, heard: np.ndarray, wanted_starts: np.ndarray, heard_starts: np.ndarray, trace: bool
) -> tuple[Row, np.ndarray]:
    """The sums after one more wanted letter and, if asked for, from which state each was reached (2 bits a state)."""
    matched, wanted_gap, heard_gap = row
    score = np.where(heard == wanted[number - 1], MATCH, MISMATCH)
    if wanted_starts[number - 1]:
        score = score + WORD_START * (heard_starts & (score > 0))
    before = np.maximum(np.maximum(matched, wanted_gap), heard_gap)
    new_matched = np.empty_like(matched)
    new_matched[0] = -np.inf
    new_matched[1:] = before[:-1] + score
    opening = OPEN if wanted_starts[number - 1] else OPEN + INSIDE
    new_wanted = np.maximum(np.maximum(matched, heard_gap) + opening, wanted_gap + SKIP_WANTED)
    new_wanted[0] = OPEN + SKIP_FIRST * (number - 1)
    # A gap of heard letters begins anywhere to the left: its best sum is a running maximum once its length is charged beforehand.
    slope = SKIP_HEARD * np.arange(len(matched))
    charged = np.maximum(new_matched, new_wanted) + np.append(np.where(heard_starts, OPEN, OPEN + INSIDE), 0.0) - slope
    running = np.maximum.accumulate(charged)
    new_heard = np.empty_like(matched)
    new_heard[0] = -np.inf
    new_heard[1:] = running[:-1] + slope[:-1]
    new_row = (new_matched, new_wanted, new_heard)
    return new_row, _trace_row(row, new_row, opening, charged, running) if trace else matched


def _trace_row(row: Row, new_row: Row, opening: float, charged: np.ndarray, running: np.ndarray) -> np.ndarray:
    matched, wanted_gap, heard_gap = row
    came = np.zeros(len(matched), np.uint8)
    came[1:] = np.stack(row)[:, :-1].argmax(axis=0)
    longer = wanted_gap + SKIP_WANTED >= np.maximum(matched, heard_gap) + opening
    came |= np.where(longer, _WANTED_GAP, np.where(matched >= heard_gap, _MATCHED, _HEARD_GAP)).astype(np.uint8) << 2
    opened_from = np.where(new_row[0] >= new_row[1], _MATCHED, _WANTED_GAP)
    came[1:] |= np.where(charged[:-1] < running[:-1], _HEARD_GAP, opened_from[:-1]).astype(np.uint8) << 4
    return came


def _walk_back(
    kept: dict[int, Row], spacing: int, state: int, column: int,
    wanted: np.ndarray, heard: np.ndarray, wanted_starts: np.ndarray, heard_starts: np.ndarray,
) -> np.ndarray:  # fmt: skip
    pairs = np.full(len(wanted), -1)
    number = len(wanted)
    first, traces = number, np.empty((0, 0), np.uint8)
    while number > 0 and column > 0:
        if number <= first:
            first = (number - 1) // spacing * spacing
            row, rows = kept[first], []
            for later in range(first + 1, number + 1):
                row, came = _next_row(row, later, wanted, heard, wanted_starts, heard_starts, trace=True)
                rows.append(came)
            traces = np.stack(rows)
        came = int(traces[number - first - 1, column])
        if state == _MATCHED:
            pairs[number - 1] = column - 1
            number, column, state = number - 1, column - 1, came & 3
        elif state == _WANTED_GAP:
            number, state = number - 1, came >> 2 & 3
        else:
            column, state = column - 1, came >> 4 & 3
    return pairs
