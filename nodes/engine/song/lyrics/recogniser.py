"""What a recogniser of singing has to offer, and the use made of it besides: refined times, and lines out of words heard.

A recogniser is given; this module and those that use it know none. Sound is mono float32 at 16 kHz, times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from .heard_words import HeardSegment, HeardWord
from .letters import is_unspaced, normalise
from .sheet_words import SheetWord

HEARING_RATE = 16000  # Hz
WINDOW = 26.0  # seconds of lines that are refined together; recognisers of this kind hear 30 at a time
LEAD = 1.0  # seconds of sound before the first and after the last of them
FURTHEST = 0.5  # seconds by which refining may move a word that was heard
LONG_LINE, LONG_UNSPACED_LINE = 42, 18  # letters; more are two lines on a screen
PHRASE_PAUSE = 0.8  # seconds of silence that end a line
_STOPS = (".", "!", "?", "\u3002", "\uff01", "\uff1f")


@dataclass(frozen=True)
class Hearing:
    segments: tuple[HeardSegment, ...]
    language: str  # code, as given or as heard


class Recogniser(Protocol):
    @property
    def remark(self) -> str:
        """What had to be done otherwise than asked, in one sentence; empty: nothing."""
        ...

    def hear(
        self, sound: np.ndarray, spans: np.ndarray | None, language: str | None, on_progress: Callable[[float, float], None]
    ) -> Hearing:
        """What is sung in the sound, shape [samples]; only within `spans` [n, 2] of seconds where given."""
        ...

    def time_text(self, sound: np.ndarray, text: str, language: str) -> list[HeardWord]:
        """When each word of a text known to be sung is sung in at most 30 s of sound; its texts joined are the text."""
        ...


def refine_times(
    recogniser: Recogniser, sound: np.ndarray, words: Sequence[SheetWord], starts: np.ndarray, ends: np.ndarray, heard: np.ndarray,
    language: str, on_progress: Callable[[float, float], None],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Starts and ends, shape [words], that the recogniser itself finds for the text; unlikely ones stay as they were."""
    starts, ends = starts.copy(), ends.copy()
    for first, last in _windows(words, starts, ends):
        on_progress(float(starts[first]), len(sound) / HEARING_RATE)
        begin = max(0.0, float(starts[first]) - LEAD)
        piece = sound[int(begin * HEARING_RATE) : int((float(ends[last - 1]) + LEAD) * HEARING_RATE)]
        text = _join([word.text for word in words[first:last]])
        timed = recogniser.time_text(piece, text, language) if len(piece) > HEARING_RATE // 2 else []
        new = _match_letters(words[first:last], timed)
        if new is not None:
            _accept(starts, ends, heard, first, new + begin)
    return starts, ends


def _windows(words: Sequence[SheetWord], starts: np.ndarray, ends: np.ndarray) -> list[tuple[int, int]]:
    """Whole lines in groups that fit into one window; a line too long for one is left alone."""
    edges = [index for index in range(len(words)) if not index or words[index].line != words[index - 1].line] + [len(words)]
    groups: list[tuple[int, int]] = []
    for first, last in zip(edges, edges[1:], strict=False):
        if ends[last - 1] - starts[first] > WINDOW:
            continue
        joined = bool(groups) and groups[-1][1] == first and ends[last - 1] - starts[groups[-1][0]] <= WINDOW
        groups[-1:] = [(groups[-1][0], last)] if joined else [*groups[-1:], (first, last)]
    return groups


def _join(texts: Sequence[str]) -> str:
    return "".join(text if is_unspaced(text) else f" {text}" for text in texts)


def _match_letters(words: Sequence[SheetWord], timed: Sequence[HeardWord]) -> np.ndarray | None:
    """Start and end of each word, shape [words, 2], where the letters of both sides are the same; None where they are not."""
    ours = [normalise(word.text) for word in words]
    theirs = [normalise(word.text) for word in timed]
    if not timed or "".join(ours) != "".join(theirs):
        return None
    places = np.concatenate([[0.0], np.cumsum([len(text) for text in theirs])])
    wanted = np.concatenate([[0], np.cumsum([len(text) for text in ours])])
    found = np.empty((len(words), 2))
    for index in range(len(words)):
        low = min(int(np.searchsorted(places, wanted[index], side="right")) - 1, len(timed) - 1)
        high = max(low, int(np.searchsorted(places, wanted[index + 1], side="left")) - 1)
        for column, (number, letter) in enumerate(((low, wanted[index]), (high, wanted[index + 1]))):
            word = timed[number]
            found[index, column] = word.start + (word.end - word.start) * (letter - places[number]) / max(1, len(theirs[number]))
    return found


def _accept(starts: np.ndarray, ends: np.ndarray, heard: np.ndarray, first: int, new: np.ndarray) -> None:
    """Takes over times that are near those known, or lie between the neighbours of a word that nothing was known of."""
    for index, (start, end) in enumerate(new, first):
        low = starts[index - 1] if index else 0.0
        high = starts[index + 1] if index + 1 < len(starts) else np.inf
        near = abs(start - starts[index]) <= FURTHEST if heard[index] else True
        if near and end > start and low <= start <= high:
            starts[index], ends[index] = start, end


def write_down(words: Sequence[HeardWord]) -> list[str]:
    """Lines of lyrics out of heard words: a line ends at a stop, at a pause, or where it gets too long for a screen."""
    return [_line_text(group) for group in group_words(words)]


def group_words(words: Sequence[HeardWord]) -> list[list[HeardWord]]:
    groups: list[list[HeardWord]] = []
    for word in words:
        last = groups[-1] if groups else []
        text = _line_text([*last, word])
        full = len(text) > (LONG_UNSPACED_LINE if is_unspaced(text) else LONG_LINE)
        stopped = bool(last) and (last[-1].text.strip().endswith(_STOPS) or word.start - last[-1].end > PHRASE_PAUSE)
        if not last or full or stopped:
            groups.append([word])
        else:
            last.append(word)
    return groups


def _line_text(words: Sequence[HeardWord]) -> str:
    """Recognisers write the space before a word into the word, and none where the script has none."""
    spaced = any(word.text.startswith(" ") for word in words)
    joined = (
        "".join(word.text for word in words)
        if spaced or is_unspaced("".join(word.text for word in words))
        else " ".join(word.text for word in words)
    )
    return " ".join(joined.split())
