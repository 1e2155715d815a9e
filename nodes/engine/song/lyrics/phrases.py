"""Lines and when somebody sings -> a first draft of where each line lies, without knowing a word of what is sung.

Dynamic programming over places where a line may begin: beginnings of phrases cost least, a line costs by how far the singing it
gets is from what its syllables ask for. Pauses cost nothing, so that instrumental parts stay empty. Times are seconds.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .voice import FIRST, LAST, Voice

STEP = 0.25  # seconds of singing between two places
FEWEST_PLACES = 4  # for each line
MOST_PLACES = 6000  # in all, which bounds the work for long recordings
LATE_START, GOOD_PAUSE = 1.2, 0.5  # cost of beginning inside a phrase; what a second of silence before the line is worth
WITHIN, LONGEST_WITHIN = 1.0, 5.0  # cost of a second of silence within a line, and of how many seconds at most
OPENING = 1.0  # how much better still a pause is before a line that opens a part
MISFIT = 10.0  # cost of the squared log of singing got over singing asked for
SKIPPED = 0.5  # cost of a syllable's length of singing before the first line
STRETCH = 4.0  # a line gets at most this many times what it asks for
OVERSTAY = 2.0  # and is shown at most this many times


class Stretch(NamedTuple):
    start: float
    end: float


def spread_lines(syllables: np.ndarray, voice: Voice, pace: float | None = None, opening: np.ndarray | None = None) -> list[Stretch]:
    """Where lines of so many syllables, shape [lines], lie: in order, apart, and within the singing.

    `pace` is the seconds a syllable is sung; without it the lines share all the singing there is. `opening`, bool of the same
    shape, says which lines open a part of the song: long pauses lie before them. Lines for which there is no singing at all get
    empty stretches at its end.
    """
    syllables = np.asarray(syllables, float)
    if not len(syllables):
        return []
    if voice.seconds <= 0:
        return [Stretch(voice.duration, voice.duration)] * len(syllables)
    fair = voice.seconds / float(syllables.sum())
    wanted = syllables * (fair if pace is None else min(pace, fair))
    places = _find_places(voice, len(syllables))
    opens = np.zeros(len(syllables), bool) if opening is None else opening
    chosen = _choose_places(wanted, places, opens, voice.seconds, pace or fair)
    sung = places.sung
    edges = np.append(sung[chosen], voice.seconds)
    lengths = np.minimum(np.diff(edges), OVERSTAY * wanted)
    starts, ends = voice.time_at(edges[:-1], FIRST), voice.time_at(edges[:-1] + lengths, LAST)
    return [Stretch(float(start), float(max(start, end))) for start, end in zip(starts, ends, strict=True)]


class _Places(NamedTuple):
    """Where a line may begin, shape [places] each."""

    sung: np.ndarray  # seconds of singing before it
    entry: np.ndarray  # what it costs to begin there
    silence: np.ndarray  # what the pause before it costs a line that does not end there


def _find_places(voice: Voice, lines: int) -> _Places:
    step = max(min(STEP, voice.seconds / (FEWEST_PLACES * lines)), voice.seconds / MOST_PLACES)
    begins = voice.sung_before(voice.spans[:, 0])
    sung = np.unique(np.round(np.concatenate([begins, np.arange(0, voice.seconds, step)]), 6))
    sung = sung[sung < voice.seconds - 1e-6]
    after = np.clip(np.searchsorted(begins, sung), 0, len(begins) - 1)
    nearest = np.minimum(np.abs(sung - begins[after]), np.abs(sung - begins[np.maximum(after - 1, 0)]))
    pauses = voice.spans[:, 0] - np.concatenate([[0.0], voice.spans[:-1, 1]])
    place = np.clip(np.searchsorted(begins, sung + 1e-6, side="right") - 1, 0, None)
    silence = np.where(np.abs(begins[place] - sung) < 1e-5, pauses[place], 0.0)
    entry = LATE_START * np.minimum(nearest / STEP, 1) - GOOD_PAUSE * np.minimum(silence, 1)
    return _Places(sung, entry, WITHIN * np.minimum(silence, LONGEST_WITHIN))


def _choose_places(wanted: np.ndarray, places: _Places, opening: np.ndarray, total: float, pace: float) -> np.ndarray:
    """The cheapest rising choice of places, one a line."""
    sung, entry, silence = places
    lines, count = len(wanted), len(sung)
    crossed = np.cumsum(silence)
    cost = SKIPPED * sung / pace + entry
    came = np.zeros((lines, count), np.int32)
    for line in range(1, lines):
        reach = max(STRETCH * wanted[line - 1], 20 * STEP)
        # The pauses within a line are those crossed between its place and the next line's, without the one that ends it.
        cost, came[line] = _step(cost - crossed, sung, wanted[line - 1], reach)
        cost = cost + crossed - silence + entry - OPENING * opening[line] * silence
    cost = cost + MISFIT * np.log(np.maximum(total - sung, 0.05) / wanted[-1]) ** 2 + crossed[-1] - crossed
    chosen = np.zeros(lines, int)
    chosen[-1] = int(cost.argmin())
    for line in range(lines - 1, 0, -1):
        chosen[line - 1] = came[line, chosen[line]]
    return chosen


def _step(cost: np.ndarray, sung: np.ndarray, wanted: float, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """From the costs of one line's places to those of the next line's, and where each came from."""
    count = len(sung)
    # Places that nothing reaches still need a way back: an even spacing, at a price nobody pays by choice.
    best, came = np.full(count, np.inf), np.maximum(np.arange(count) - 1, 0)
    best[1:] = cost[:-1] + 1e6
    for ahead in range(1, count):
        length = sung[ahead:] - sung[:-ahead]
        if float(length.min()) > reach:
            break
        tried = cost[:-ahead] + MISFIT * np.log(np.maximum(length, 0.05) / wanted) ** 2
        tried[length > reach] = np.inf
        better = tried < best[ahead:]
        best[ahead:][better] = tried[better]
        came[ahead:][better] = np.flatnonzero(better)
    return best, came
