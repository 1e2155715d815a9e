"""How strong the music is at each moment: a Timeline -> one level from 0, the calmest, to 1, the strongest.

Loudness among all of the song, the loudness of the section, and the curve "arousal", as far as the timeline has them; a
chorus is lifted. Levels of stretches of time are means, so that any stretch is asked in constant time.
Knows nothing of cuts or words.
"""

from __future__ import annotations

import math
import re

import numpy as np

from ..timeline import Curve, Section, Timeline

RATE = 50.0  # values per second
SECTION_SHARE = 0.4  # of the level, beside the loudness of the moment itself
AROUSAL_SHARE = 0.4  # of the level, beside loudness
CHORUS_LIFT = 0.15
# How much of each feeling is its place within the song. Gladness less: the saddest verse of a glad song is not sad.
RELATIVE = {"arousal": 0.5, "valence": 0.25}
FLAT = 0.05  # curves that vary by less than this have nothing to say about where the song is calm

CHORUS = re.compile(r"(chorus|refrain|hook|drop|サビ|副歌)", re.IGNORECASE)
VERSE = re.compile(r"(verse|pre-?chorus|bridge|[ab]メロ|主歌|桥段)", re.IGNORECASE)  # where these are named, a chorus would be too
NO_SONG = re.compile(r"(intro|outro|instrumental|solo|break|interlude|silence|start|end)", re.IGNORECASE)

_NUMBER = re.compile(r"[\s:#._-]*\d+$")


class Intensity:
    """The level of every moment of a song; `choruses` are the parts, as `name_part` calls them, that were lifted."""

    def __init__(self, timeline: Timeline) -> None:
        count = max(1, math.ceil(timeline.duration * RATE))
        times = np.arange(count) / RATE
        loudness = _spread(_sample(timeline, "loudness", times))
        level = loudness
        self.choruses = find_choruses(timeline.sections, times, loudness)
        if timeline.sections:
            level = (1 - SECTION_SHARE) * level + SECTION_SHARE * _section_means(timeline.sections, times, loudness)
        if has_curve(timeline, "arousal"):
            level = (1 - AROUSAL_SHARE) * level + AROUSAL_SHARE * stretch(_sample(timeline, "arousal", times), RELATIVE["arousal"])
        for section in timeline.sections:
            if name_part(section.label) in self.choruses:
                level = level + CHORUS_LIFT * ((times >= section.start) & (times < section.end))
        self._sums = np.concatenate([[0.0], np.cumsum(level)]) / RATE
        self._times = np.arange(count + 1) / RATE

    def sum_until(self, times: np.ndarray) -> np.ndarray:
        """The integral of the level from zero to each time, any shape; differences over lengths are mean levels."""
        return np.interp(times, self._times, self._sums)

    def between(self, start: float, end: float) -> float:
        """The mean level, 0..1, from `start` to `end` in seconds."""
        start, end = max(start, 0.0), min(max(end, start + 1 / RATE), float(self._times[-1]))
        start = min(start, end - 1 / RATE)
        low, high = self.sum_until(np.array([start, end]))
        return float(np.clip((high - low) / (end - start), 0, 1))


def name_part(label: str) -> str:
    """What parts of one kind share: "Verse 1" and "verse 2" are both "verse"."""
    whole = label.strip().lower()
    return _NUMBER.sub("", whole) or whole


def has_curve(timeline: Timeline, name: str) -> bool:
    return any(curve.name == name and curve.values for curve in timeline.curves)


def _sample(timeline: Timeline, name: str, times: np.ndarray) -> np.ndarray:
    """A curve at each time; 0.5 throughout where the timeline has none of that name."""
    found = [curve for curve in timeline.curves if curve.name == name and curve.values]
    curve = found[0] if found else Curve(name, 1.0, (0.5,))
    return np.interp(times * curve.rate, np.arange(len(curve.values)), curve.values)


def _spread(values: np.ndarray) -> np.ndarray:
    """Each value among all: 0 at the song's lowest tenth, 1 at its highest; may go beyond. 0.5 where all are alike."""
    low, high = np.quantile(values, [0.1, 0.9])
    return (values - low) / (high - low) if high - low > FLAT else np.full(len(values), 0.5)


def stretch(values: np.ndarray, relative: float) -> np.ndarray:
    """What the values say, mixed with how they stand among each other: measured emotion keeps near the middle.

    `relative` is the share of the latter, 0..1.
    """
    return (1 - relative) * values + relative * np.clip(_spread(values), 0, 1)


def _section_means(sections: tuple[Section, ...], times: np.ndarray, loudness: np.ndarray) -> np.ndarray:
    """At every moment the mean loudness of all sections of the kind of the one there."""
    means = loudness.copy()
    for part in dict.fromkeys(name_part(section.label) for section in sections):
        inside = _inside([section for section in sections if name_part(section.label) == part], times)
        if inside.any():
            means[inside] = np.clip(loudness[inside].mean(), 0, 1)
    return means


def _inside(sections: list[Section], times: np.ndarray) -> np.ndarray:
    inside = np.zeros(len(times), dtype=bool)
    for section in sections:
        inside |= (times >= section.start) & (times < section.end)
    return inside


def find_choruses(sections: tuple[Section, ...], times: np.ndarray, loudness: np.ndarray) -> frozenset[str]:
    """The parts that are a chorus: those that say so, else, among bare letters, the loudest that comes back.

    `times` in seconds and `loudness` have the shape [moments].
    """
    parts = [name_part(section.label) for section in sections]
    named = frozenset(part for part in parts if CHORUS.match(part))
    if named or any(VERSE.match(part) for part in parts):
        return named
    parts = [part for part in parts if not NO_SONG.match(part)]
    means = {}
    for part in dict.fromkeys(part for part in parts if parts.count(part) > 1):
        inside = _inside([section for section in sections if name_part(section.label) == part], times)
        if inside.any():
            means[part] = float(loudness[inside].mean())
    loudest = max(means, key=lambda part: means[part], default="")
    lifted = bool(loudest) and means[loudest] > float(loudness.mean()) + FLAT
    return frozenset([loudest] if lifted else [])
