"""Lyrics in time, and their headings -> names of the song's sections.

Sections that were heard in the music have letters only; here they become intro, verse, chorus, bridge, instrumental, outro, by the
headings, or by where nobody sings and what is sung again. Where nothing was heard, headings become sections: each begins with its first
line, on the nearest downbeat where the bars can be trusted; one without lines begins where the last line before it ends; before the first
there is none. Times are seconds.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ...timeline import Line, Section, Timeline
from .letters import normalise
from .sheet import Heading

TRUSTED = 0.3  # confidence of the downbeats from which a section begins on one
SUNG = 0.15  # share of a section under lines from which it counts as sung
HEARD = re.compile(r"[A-Z]\d*")  # how analysis names sections


def name_sections(timeline: Timeline, headings: Sequence[Heading], placed: Sequence[tuple[int, Line]]) -> Timeline:
    """The timeline with sections that have names. `placed` are the lines with their numbers in the sheet, in order.

    Sections that have names already are left alone.
    """
    if not placed:
        return timeline
    under_headings = _find_parts(timeline, headings, placed) if headings else ()
    if not timeline.sections:
        return replace(timeline, sections=under_headings)
    if not all(HEARD.fullmatch(section.label) for section in timeline.sections):
        return timeline
    lines = [line for _, line in placed]
    if headings:
        sections, labels = timeline.sections, _labels_by_headings(timeline.sections, under_headings, lines)
    else:
        sections = tuple(part for section in timeline.sections for part in _part_at_returns(section, lines, timeline))
        labels = _labels_by_lyrics(sections, lines)
    return replace(timeline, sections=tuple(replace(s, label=label) for s, label in zip(sections, labels, strict=True)))


def _part_at_returns(section: Section, lines: Sequence[Line], timeline: Timeline) -> list[Section]:
    """A section whose first two lines are sung again in it begins anew there: the music may go through two choruses unchanged."""
    texts = [normalise(line.text) for line in lines]
    inside = [place for place, line in enumerate(lines) if _inside(line, section)]
    opening = texts[inside[0] : inside[0] + 2] if inside else []
    if len(opening) < 2 or not all(opening):
        return [section]
    returns = [place for place in inside[2:] if texts[place : place + 2] == opening]
    starts = [section.start, *(_to_downbeat(lines[place].start, timeline) for place in returns), section.end]
    return [Section(start, end, section.label) for start, end in pairwise(starts) if end > start]


def _labels_by_headings(sections: Sequence[Section], parts: Sequence[Section], lines: Sequence[Line]) -> list[str]:
    """To each section the heading that most of it stands under, once somebody sings."""
    labels = _unsung_labels(sections, lines)
    for number, section in enumerate(sections):
        shares = {part: min(part.end, section.end) - max(part.start, section.start) for part in parts}
        if labels[number] is None and max(shares.values()) > 0:
            labels[number] = max(shares, key=shares.__getitem__).label
    return [label or section.label for label, section in zip(labels, sections, strict=True)]


def _labels_by_lyrics(sections: Sequence[Section], lines: Sequence[Line]) -> list[str]:
    """Chorus is the letter whose sections sing most of the same lines; where nothing is sung again the letters stay."""
    labels = _unsung_labels(sections, lines)
    sung = [number for number, label in enumerate(labels) if label is None]
    texts = {number: {normalise(line.text) for line in lines if _inside(line, sections[number])} - {""} for number in sung}
    again: Counter[str] = Counter()
    for first in sung:
        for second in sung:
            if first < second and sections[first].label == sections[second].label:
                again[sections[first].label] += len(texts[first] & texts[second])
    if not any(again.values()):
        return [label or section.label for label, section in zip(labels, sections, strict=True)]
    chorus = again.most_common(1)[0][0]
    choruses = [number for number in sung if sections[number].label == chorus]
    counts = Counter(sections[number].label for number in sung)
    for number in sung:
        letter = sections[number].label
        between = choruses[0] < number < choruses[-1]
        labels[number] = "chorus" if letter == chorus else "bridge" if between and counts[letter] == 1 else "verse"
    return [label or "" for label in labels]


def _unsung_labels(sections: Sequence[Section], lines: Sequence[Line]) -> list[str | None]:
    """Intro, instrumental and outro; None where somebody sings."""
    shares = [_sung_share(section, lines) for section in sections]
    last = len(sections) - 1
    return [
        None if share >= SUNG else "intro" if number == 0 else "outro" if number == last else "instrumental"
        for number, share in enumerate(shares)
    ]


def _sung_share(section: Section, lines: Sequence[Line]) -> float:
    overlaps = (min(line.end, section.end) - max(line.start, section.start) for line in lines)
    return sum(max(overlap, 0.0) for overlap in overlaps) / max(section.end - section.start, 1e-9)


def _inside(line: Line, section: Section) -> bool:
    return section.start <= (line.start + line.end) / 2 < section.end


def _find_parts(timeline: Timeline, headings: Sequence[Heading], placed: Sequence[tuple[int, Line]]) -> tuple[Section, ...]:
    """A section for every heading."""
    starts = [_to_downbeat(_start(heading, following, placed), timeline) for heading, following in pairwise([*headings, None]) if heading]
    edges = [*starts, timeline.duration]
    for index in range(len(starts) - 1, -1, -1):
        edges[index] = min(edges[index], edges[index + 1])
    return tuple(Section(start, end, heading.label) for heading, (start, end) in zip(headings, pairwise(edges), strict=True) if end > start)


def _start(heading: Heading, following: Heading | None, placed: Sequence[tuple[int, Line]]) -> float:
    own = [line.start for number, line in placed if number >= heading.line and (following is None or number < following.line)]
    before = [line.end for number, line in placed if number < heading.line]
    return min(own) if own else max(before, default=0.0)


def _to_downbeat(time: float, timeline: Timeline) -> float:
    downbeats = timeline.downbeats
    if timeline.downbeat_confidence < TRUSTED or len(downbeats) < 2:
        return time
    nearest = min(downbeats, key=lambda downbeat: abs(downbeat - time))
    bar = (downbeats[-1] - downbeats[0]) / (len(downbeats) - 1)
    return nearest if abs(nearest - time) <= bar / 2 else time
