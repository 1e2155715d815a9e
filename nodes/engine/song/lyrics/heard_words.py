"""What a recogniser says it heard -> the words worth believing.

Recognisers of speech, led astray by music, repeat themselves without end, put a sentence into a moment, and hear words where
nobody sings. Times are seconds of the song. Knows nothing of the lyrics wanted.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from .letters import normalise
from .voice import Voice

COMPRESSIBLE = 2.4  # the ratio above which Whisper's own authors distrust a text (Radford et al. 2022, section 4.5)
MOSTLY_SILENT, UNLIKELY = 0.6, -1.0  # no-speech probability and mean log probability, from the same place
FASTEST = 30.0  # letters a second; the fastest rap on record has about 25
LOOP = 4  # repeats in a row: fewer are a refrain
LOOP_WORDS = 8  # the longest repeated phrase looked for
DOUBTFUL = 0.5  # mean probability below which a long repetition is not believed
SUNG_SHARE = 0.3  # of a word, at least, must lie where somebody sings
MARGIN = 0.15  # seconds by which a word may begin too early or end too late


@dataclass(frozen=True)
class HeardWord:
    start: float
    end: float
    text: str
    probability: float = 1.0  # 0..1


@dataclass(frozen=True)
class HeardSegment:
    """A stretch of words as the recogniser gave them, with its own doubts."""

    words: tuple[HeardWord, ...]
    no_speech: float = 0.0  # probability that nobody speaks, 0..1
    log_probability: float = 0.0  # mean over the text


def choose_words(segments: Sequence[HeardSegment], voice: Voice | None = None) -> list[HeardWord]:
    """The words of the segments that can be believed, in order of time; with `voice`, only such where somebody sings."""
    words = [word for segment in segments if _is_credible(segment) for word in segment.words if normalise(word.text)]
    words.sort(key=lambda word: (word.start, word.end))
    words = drop_loops(drop_bursts(words))
    return words if voice is None else [word for word in words if _is_sung(word, voice)]


def _is_credible(segment: HeardSegment) -> bool:
    """Not where the recogniser itself thinks nobody speaks, nor a text that says the same all over again very fast."""
    if segment.no_speech > MOSTLY_SILENT and segment.log_probability < UNLIKELY:
        return False
    if not segment.words:
        return False
    text = " ".join(word.text for word in segment.words).encode()
    seconds = max(segment.words[-1].end - segment.words[0].start, 0.01)
    return len(text) / len(zlib.compress(text)) <= COMPRESSIBLE or len(text) / seconds < FASTEST / 2


def drop_bursts(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Without words that no mouth could sing: four and more in a row faster than `FASTEST` letters a second."""
    kept = [True] * len(words)
    lengths = [len(normalise(word.text)) for word in words]
    for first in range(len(words) - 3):
        seconds = max(word.end for word in words[first : first + 4]) - words[first].start
        if sum(lengths[first : first + 4]) > FASTEST * max(seconds, 1e-3):
            kept[first : first + 4] = [False] * 4
    return [word for word, keep in zip(words, kept, strict=True) if keep]


def drop_loops(words: Sequence[HeardWord]) -> list[HeardWord]:
    """Without long repetitions that are hardly believed, but for words of the first round that are; clear ones are the song's own."""
    kept: list[HeardWord] = []
    texts = [normalise(word.text) for word in words]
    place = 0
    while place < len(words):
        length, rounds = _find_loop(texts, place)
        stretch = words[place : place + length * rounds]
        believed = sum(word.probability for word in stretch) / len(stretch)
        doubted = rounds > LOOP and believed < DOUBTFUL
        kept += [word for word in stretch[:length] if word.probability >= DOUBTFUL] if doubted else stretch
        place += length * rounds
    return kept


def _find_loop(texts: Sequence[str], place: int) -> tuple[int, int]:
    """The phrase at a place that repeats over the longest stretch: its words and its rounds; (1, 1) where none does."""
    best = (1, 1)
    for length in range(1, LOOP_WORDS + 1):
        phrase, rounds = texts[place : place + length], 1
        while texts[place + rounds * length : place + (rounds + 1) * length] == phrase:
            rounds += 1
        if rounds > LOOP and length * rounds > best[0] * best[1]:
            best = (length, rounds)
    return best


def _is_sung(word: HeardWord, voice: Voice) -> bool:
    """Whether enough of a word lies where somebody sings, a little lateness forgiven."""
    length = max(word.end - word.start, 0.02)
    sung = float(voice.sung_before(word.end + MARGIN) - voice.sung_before(word.start - MARGIN))
    return sung >= SUNG_SHARE * min(length, 0.5)
