"""Headings of the lyrics -> sections of the timeline, where it has none yet.

What was heard in the music (`sections` found by analysis) is better than what a heading says, so nothing is done where there is
any. A section begins with its first line, on the nearest downbeat where the bars can be trusted; a heading without lines begins
where the last line before it ends. Before the first heading there is no section. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ..timeline import Line, Section, Timeline
from .lyric_sheet import Heading

TRUSTED = 0.3  # confidence of the downbeats from which a section begins on one


def add_parts(timeline: Timeline, headings: Sequence[Heading], placed: Sequence[tuple[int, Line]]) -> Timeline:
    """The timeline with a section for every heading. `placed` are the lines with their numbers in the sheet, in order."""
    if timeline.sections or not headings or not placed:
        return timeline
    starts = [_to_downbeat(_start(heading, following, placed), timeline) for heading, following in pairwise([*headings, None]) if heading]
    edges = [*starts, timeline.duration]
    for index in range(len(starts) - 1, -1, -1):
        edges[index] = min(edges[index], edges[index + 1])
    sections = tuple(
        Section(start, end, heading.label) for heading, (start, end) in zip(headings, pairwise(edges), strict=True) if end > start
    )
    return replace(timeline, sections=sections)


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
