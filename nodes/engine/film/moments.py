"""What the song does during each shot: a Timeline and the edges of shots -> one Moment a shot.

Knows nothing of prompts; `prompts` turns moments into pictures.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..timeline import Curve, Line, Section, Timeline
from .intensity import RELATIVE, Intensity, has_curve, name_part, stretch
from .lexicon import Image, find_images, find_language, speaks_of_someone

LEAST_OVERLAP = 0.25  # seconds of a line within a shot for it to be that shot's line; less is a breath
EMOTION_RATE = 4.0  # values per second; feelings change slowly


@dataclass(frozen=True)
class Moment:
    """What is heard during one shot."""

    number: int  # of the shot, from 0
    start: float
    end: float
    label: str  # of the section's kind, as `name_part` calls it; empty where there are none
    step: int  # which shot of its section, from 0
    chorus: bool
    level: float  # how strong the music is, 0..1
    valence: float  # sad 0 .. 1 glad
    arousal: float  # calm 0 .. 1 excited
    felt: bool  # whether the timeline knows valence or arousal; else they are guesses from lyrics and level
    lines: tuple[str, ...]  # sung, the longest heard first
    images: tuple[Image, ...]  # of the first of those lines that has any
    someone: bool  # whether the lines say I, you, we, he or she


def find_moments(timeline: Timeline, edges: Sequence[float], intensity: Intensity) -> list[Moment]:
    """One Moment for every two neighbours among `edges` (seconds, rising)."""
    language = find_language(line.text for line in timeline.lines)
    emotion = _Emotion(timeline)
    sections = sorted(timeline.sections, key=lambda section: section.start)
    moments: list[Moment] = []
    for number, (start, end) in enumerate(pairwise(edges)):
        label = _label_at(sections, (start + end) / 2)
        lines = _lines_within(timeline.lines, start, end)
        # One line's images make one picture; what the next line speaks of belongs to the next shot.
        images = next((found for line in lines if (found := find_images(line, language))), ())
        level = intensity.between(start, end)
        valence, arousal = emotion.between(start, end, level)
        moments.append(
            Moment(
                number=number,
                start=start,
                end=end,
                label=label,
                step=moments[-1].step + 1 if moments and moments[-1].label == label else 0,
                chorus=label in intensity.choruses,
                level=level,
                valence=min(max(valence + sum(image.valence for image in images), 0.0), 1.0),
                arousal=arousal,
                felt=emotion.known,
                lines=lines,
                images=images,
                someone=any(speaks_of_someone(line, language) for line in lines),
            )
        )
    return moments


class _Emotion:
    """Valence and arousal of any stretch, 0..1; where a curve is missing, the middle and the level."""

    def __init__(self, timeline: Timeline) -> None:
        self._curves = {
            name: _slow(timeline.curve(name), timeline.duration) for name in ("valence", "arousal") if has_curve(timeline, name)
        }
        self.known = bool(self._curves)

    def between(self, start: float, end: float, level: float) -> tuple[float, float]:
        values = {"valence": 0.5, "arousal": level}
        for name, curve in self._curves.items():
            first = min(int(start * EMOTION_RATE), len(curve) - 1)
            values[name] = float(curve[first : max(int(end * EMOTION_RATE), first + 1)].mean())
        return values["valence"], values["arousal"]


def _slow(curve: Curve, duration: float) -> np.ndarray:
    times = np.arange(max(1, round(duration * EMOTION_RATE))) / EMOTION_RATE
    return stretch(np.interp(times * curve.rate, np.arange(len(curve.values)), curve.values), RELATIVE[curve.name])


def _label_at(sections: Sequence[Section], time: float) -> str:
    place = bisect_right([section.start for section in sections], time) - 1
    return name_part(sections[place].label) if place >= 0 and time < sections[place].end else ""


def _lines_within(lines: Sequence[Line], start: float, end: float) -> tuple[str, ...]:
    overlaps = [(min(line.end, end) - max(line.start, start), line) for line in lines if line.start < end and line.end > start]
    heard = [(overlap, line) for overlap, line in overlaps if overlap >= min(LEAST_OVERLAP, 0.5 * (line.end - line.start))]
    return tuple(line.text.strip() for _, line in sorted(heard, key=lambda pair: -pair[0]) if line.text.strip())
