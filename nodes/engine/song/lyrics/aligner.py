"""A song, its lyrics as pasted, and a recogniser if there is one -> the Timeline with lines and words in time.

Pasted times (LRC, SRT, ASS) are taken as they are. Pasted text is aligned to what the recogniser hears; without one it is spread
over the singing, and the timeline says that this is a draft. Without text the recogniser's own words are the lyrics. A vocals stem
says in each case where nobody sings. This module is the order of the steps; each lives in its own. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ...timeline import Curve, Line, Timeline, Word
from ..recording import Progress, examine_recording, ignore_progress
from ..singing import VOICE
from .edits import apply_edits, read_edits
from .heard_words import HeardWord, choose_words
from .letters import count_syllables, guess_language, split_words
from .parts import name_sections
from .placement import FAR_TRUST, Placed, draft_words, make_lines, place_words, put_in_order
from .reader import read_lyrics
from .recogniser import HEARING_RATE, Recogniser, refine_times, write_down
from .sheet import LyricError, LyricSheet, SheetLine
from .sheet_words import Found, SheetWord, find_words, list_words
from .spelling import make_speller
from .voice import Voice, hear_anything, hear_mix, hear_stem, trace_voice

AUTO = "auto"
STEPS = 100  # of progress
HEARD_BY = 80  # of them, once everything is heard
BELONGS = 0.35  # share of the words that must be heard, or the lyrics may be another song's
MOST_SYLLABLES = 20.0  # a second of the song; nobody sings so fast
STEM_TRUST, MIX_TRUST = 0.3, 0.1  # how far a draft's times are trusted
LENGTHS_DIFFER = 1.0  # seconds by which stem and song may differ

NOTHING = "There are no lyrics to align: paste them into lyrics, or choose a Whisper model that writes down what it hears."
NOTHING_HEARD = "The recogniser heard no words in this song; connect its vocals, choose a larger model, or paste the lyrics."
NOBODY_SINGS = "Nobody sings in the vocals that are connected, so no words were placed; connect the singer's track."
STEM_DRAFT = (
    "These times are a draft: the lines were spread over the singing without being recognised; choose a Whisper model for exact ones."
)
MIX_DRAFT = (
    "These times are only a rough draft, guessed from the mix; choose a Whisper model, connect the singer's track to vocals, or paste LRC."
)


NOT_HEARD = (
    "None of these words were heard in this song, so their times are only a draft; "
    "check that the lyrics belong to it and to their language."
)
NOTHING_AUDIBLE = "The song is silent, so no words were placed."


@dataclass(frozen=True)
class LyricRequest:
    text: str = ""  # as pasted, of any kind that `reader` knows
    language: str = AUTO
    edits: str = ""  # JSON, see `edits`


@dataclass(frozen=True)
class Sound:
    """Samples [channels, samples], float32, and their rate in Hz."""

    samples: np.ndarray
    sample_rate: int

    @property
    def duration(self) -> float:
        return self.samples.shape[-1] / self.sample_rate


@dataclass(frozen=True)
class _Aligned:
    lines: tuple[tuple[int, Line], ...]  # with their numbers in the sheet
    remarks: tuple[str, ...] = ()


def align_lyrics(
    timeline: Timeline, song: Sound, request: LyricRequest, vocals: Sound | None = None,
    load_recogniser: Callable[[], Recogniser] | None = None, on_progress: Progress = ignore_progress,
) -> Timeline:  # fmt: skip
    """The timeline with the song's lines, and a stem's own curve `voice`. LyricError for nothing to align or an unreadable text.

    `load_recogniser` is called only if something has to be heard. `on_progress(done, total)` may raise to stop. Drafts, lyrics of
    another song and lines left out are remarks, not errors.
    """
    sheet, edits = read_lyrics(request.text), read_edits(request.edits)
    if not sheet.lines and not sheet.headings and load_recogniser is None:
        raise LyricError(NOTHING)
    voice = _hear_vocals(song, vocals)
    aligned = _align(sheet, song, vocals, voice, load_recogniser, request, _Steps(on_progress))
    lines, lost = apply_edits([line for _, line in aligned.lines], edits, song.duration)
    remarks = aligned.remarks
    if lost:
        remarks += (f"{lost} of {len(edits)} edits no longer fit the lyrics and were left out; look at their line, word and text.",)
    result = replace(timeline, lines=tuple(lines), remarks=(*timeline.remarks, *remarks), curves=_choose_curves(timeline.curves, voice))
    numbered = [(number, line) for (number, _), line in zip(aligned.lines, lines, strict=True)]
    on_progress(STEPS, STEPS)
    return name_sections(result, sheet.headings, numbered)


def _choose_curves(curves: tuple[Curve, ...], voice: Voice | None) -> tuple[Curve, ...]:
    """The curves, with what a stem says of the voice in place of what the mix did."""
    if voice is None:
        return curves
    return (*(curve for curve in curves if curve.name != VOICE), trace_voice(voice))


class _Steps:
    """Progress of the two long steps, hearing and refining, as parts of the whole."""

    def __init__(self, report: Progress) -> None:
        self._report = report

    def hearing(self, done: float, total: float) -> None:
        self._report(int(HEARD_BY * done / max(total, 1e-9)), STEPS)

    def refining(self, done: float, total: float) -> None:
        self._report(int(HEARD_BY + (STEPS - HEARD_BY) * done / max(total, 1e-9)), STEPS)

    def check(self) -> None:
        self._report(HEARD_BY, STEPS)


def _hear_vocals(song: Sound, vocals: Sound | None) -> Voice | None:
    if vocals is None:
        return None
    if abs(vocals.duration - song.duration) > LENGTHS_DIFFER:
        raise LyricError(
            f"The vocals last {vocals.duration:.2f} s and the song {song.duration:.2f} s; "
            "connect the vocals that were separated from this song."
        )
    return hear_stem(vocals.samples, vocals.sample_rate)


def _align(
    sheet: LyricSheet, song: Sound, vocals: Sound | None, voice: Voice | None, load_recogniser: Callable[[], Recogniser] | None,
    request: LyricRequest, steps: _Steps,
) -> _Aligned:  # fmt: skip
    if sheet.timed:
        return _take_times(sheet, song.duration)
    silent = bool(sheet.lines) and not any(split_words(line.text) for line in sheet.lines)
    if silent or (load_recogniser is None and not sheet.lines):
        return _Aligned(())  # headings only, or signs that nobody sings
    if voice is not None and not voice.seconds:
        return _Aligned((), (NOBODY_SINGS,))
    _check_amount(sheet, song.duration)
    openings = frozenset(heading.line for heading in sheet.headings)
    job = _Job(tuple(line.text for line in sheet.lines), openings, song, voice, request.language)
    return _draft(job) if load_recogniser is None else _listen(job, _listenable(vocals or song), load_recogniser(), steps)


@dataclass(frozen=True)
class _Job:
    """Lines to be placed, and what is known beside."""

    texts: tuple[str, ...]
    openings: frozenset[int]  # numbers of the lines that open a part of the song
    song: Sound
    voice: Voice | None
    language: str  # as chosen


def _listen(job: _Job, sound: np.ndarray, recogniser: Recogniser, steps: _Steps) -> _Aligned:
    """The lines where the recogniser hears them; its own where none were pasted."""
    language = guess_language("\n".join(job.texts)) if job.language == AUTO else job.language
    hearing = recogniser.hear(sound, None if job.voice is None else job.voice.spans, language, steps.hearing)
    audible = job.voice if job.voice is not None else hear_anything(job.song.samples, job.song.sample_rate)
    heard = choose_words(hearing.segments, audible)
    remarks = tuple(filter(None, [recogniser.remark]))
    if not heard and not job.texts:
        return _Aligned((), (*remarks, NOTHING_HEARD))
    refiner = recogniser if job.texts else None  # its own words have been timed by it already
    told = replace(job, texts=job.texts or tuple(write_down(heard)), language=hearing.language)
    aligned = _match(told, heard, sound, refiner, steps) or replace(_draft(told), remarks=(NOT_HEARD,))
    return replace(aligned, remarks=(*remarks, *aligned.remarks))


def _match(job: _Job, heard: Sequence[HeardWord], sound: np.ndarray, refiner: Recogniser | None, steps: _Steps) -> _Aligned | None:
    """The lines where they were heard; None where not one of their words was."""
    words, placed, remarks = match_lyrics(job.texts, heard, job.language, job.voice, job.song.duration, steps.check, job.openings)
    if placed is None:
        return None
    if refiner is not None:
        known = placed.trust > FAR_TRUST
        starts, ends = refine_times(refiner, sound, words, placed.starts, placed.ends, known, job.language, steps.refining)
        starts, ends = put_in_order(starts, ends, job.song.duration, job.voice)
        placed = replace(placed, starts=starts, ends=ends)
    return _Aligned(_number(job.texts, words, placed), remarks)


def match_lyrics(
    texts: Sequence[str], heard: Sequence[HeardWord], language: str | None, voice: Voice | None, duration: float,
    check: Callable[[], None] = lambda: None, openings: frozenset[int] = frozenset(),
) -> tuple[list[SheetWord], Placed | None, tuple[str, ...]]:  # fmt: skip
    """The words of the lines, a time for each (None where not one was heard), and what there is to say about it."""
    spell = make_speller(language)
    words = list_words(texts, spell)
    found = find_words(words, heard, spell, check)
    share = share_heard(words, found)
    remarks = ()
    if share < BELONGS:
        remarks = (
            f"Only {share * 100:.0f} % of these words were heard in this song; check that the lyrics belong to it and to their language.",
        )
    if not found.heard.any():
        return words, None, remarks
    placed = place_words(words, found, voice, duration, openings)
    if placed.left_out:
        numbers = ", ".join(f"'{texts[number][:30]}'" for number in sorted(placed.left_out)[:3])
        remarks += (
            f"Lines that were not heard and have no room between their neighbours were left out ({len(placed.left_out)}): {numbers}.",
        )
    return words, placed, remarks


def share_heard(words: Sequence[SheetWord], found: Found) -> float:
    """The share of all letters, 0..1, that was heard of words that are believed to be heard."""
    letters = np.array([len(word.letters) for word in words], float)
    return float((found.shares * letters).sum() / max(letters.sum(), 1.0))


def _draft(job: _Job) -> _Aligned:
    """Lines spread over the singing that a stem, or else the mix, lets one hear."""
    words = list_words(job.texts, make_speller(None if job.language == AUTO else job.language))
    if not words:
        return _Aligned(())
    known = job.voice if job.voice is not None else hear_mix(job.song.samples, job.song.sample_rate)
    if not known.seconds:
        return _Aligned((), (NOTHING_AUDIBLE,))
    placed = draft_words(words, known, STEM_TRUST if known.trusted else MIX_TRUST, job.openings)
    return _Aligned(_number(job.texts, words, placed), (STEM_DRAFT if known.trusted else MIX_DRAFT,))


def _number(texts: Sequence[str], words: Sequence[SheetWord], placed: Placed) -> tuple[tuple[int, Line], ...]:
    numbers = sorted({word.line for word in words} - placed.left_out)
    return tuple(zip(numbers, make_lines(texts, words, placed), strict=True))


def _listenable(sound: Sound) -> np.ndarray:
    """The sound as recognisers want it: mono, 16 kHz, float32 [samples]."""
    return np.concatenate(list(examine_recording(sound.samples, sound.sample_rate).blocks(HEARING_RATE)))


def _check_amount(sheet: LyricSheet, duration: float) -> None:
    syllables = sum(count_syllables(line.text) for line in sheet.lines)
    if syllables > MOST_SYLLABLES * duration:
        raise LyricError(
            f"The lyrics have {syllables:,.0f} syllables, more than can be sung in {duration:.0f} s; paste the lyrics of this song only."
        )


def _take_times(sheet: LyricSheet, duration: float) -> _Aligned:
    """Pasted times as they are; lines without one share the time up to the next that has one."""
    timed = _fill_untimed(sheet.lines, duration)
    kept = [(number, line) for number, line in enumerate(timed) if line.start < duration]
    late = len(timed) - len(kept)
    begins = "1 line begins" if late == 1 else f"{late} lines begin"
    remarks = (f"{begins} after the end of the song ({duration:.1f} s) and had to be left out; is it another version?",) if late else ()
    return _Aligned(tuple((number, _cut_line(line, duration)) for number, line in kept), remarks)


def _cut_line(line: Line, duration: float) -> Line:
    words = tuple(replace(word, end=min(word.end, duration)) for word in line.words if word.start < duration)
    return replace(line, end=min(line.end, duration), words=words)


def _fill_untimed(lines: Sequence[SheetLine], duration: float) -> list[Line]:
    filled: list[Line] = []
    waiting: list[SheetLine] = []
    begin = 0.0
    for line in [*lines, SheetLine("", duration, duration)]:
        if line.start is None:
            waiting.append(line)
            continue
        whole = sum(count_syllables(other.text) for other in waiting) or 1.0
        for other in waiting:
            end = begin + max(0.0, line.start - begin) * count_syllables(other.text) / whole
            filled.append(Line(begin, end, other.text))
            whole, begin = whole - count_syllables(other.text) or 1.0, end
        waiting = []
        begin = line.start if line.end is None else line.end
        if line.text:
            filled.append(Line(line.start, begin, line.text, tuple(Word(word.start, word.end, word.text) for word in line.words)))
    return filled
