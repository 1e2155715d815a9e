"""Where the film cuts: a Timeline and limits in seconds -> the edges of the shots.

Cuts lie on downbeats where the bars can be trusted, else on beats, else on onsets or at even times; a remark then says
so. No cut lies inside a sung word. Borders of sections are preferred, and shots are longer in calm and shorter in strong
passages. All times are seconds. Knows nothing of what the shots show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ..timeline import Timeline
from .frame_curves import TRUSTED
from .intensity import Intensity

# Seconds that a shot lasts where the song is calmest and where it is strongest.
PACES = {"calm": (8.0, 4.0), "balanced": (5.0, 2.0), "lively": (3.5, 1.0)}

# What a cut costs, measured in squared octaves by which a shot misses the length that its music asks for.
OFF_BAR = 10.0  # on a beat within a bar
WEAK_ONSET = 2.0  # on an onset that is nothing beside the strongest
ONSET_SPREAD = 0.04  # seconds; an onset's peak in its curve may lie this far from its time
OFF_MUSIC = 12.0  # at a moment that is only needed to keep a shot within its limits
IN_WORD = 60.0  # only where a word is longer than any shot may be
IN_LINE = 0.5  # between two words of one line
IN_UNTIMED_LINE = 1.5  # in a line whose words have no times
AT_LINE = -0.5  # just before a line begins
AT_BORDER = -3.0  # on the border; less the farther off, where a word is sung across it
BORDER_REACH = 2.5  # seconds
AT_CHANGE = -1.5  # times how much the level changes there
DRAFT = 0.3  # confidence that no word of a draft exceeds: lines spread over the singing without having been recognised
LINE_LEAD = 0.4  # a cut this much before a line belongs to it
EVEN_STEP = 0.5  # seconds between places where the music offers none at all
SAME = 1e-6  # seconds that mean nothing

GUESSED_WORDS = "The times of the words are only a draft, so cuts may fall into words; align the lyrics with a recogniser to avoid that."


@dataclass(frozen=True)
class Limits:
    """How long shots may be and how long they would best be."""

    shortest: float
    longest: float
    pace: str  # one of PACES


@dataclass(frozen=True)
class Cuts:
    """The edges of the shots, from zero to the end of the song, and what the person should know about them."""

    edges: tuple[float, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class _Places:
    """Where cuts may lie, in order, and what each costs: two arrays of the shape [places]."""

    times: np.ndarray
    costs: np.ndarray


def choose_cuts(timeline: Timeline, limits: Limits, intensity: Intensity) -> Cuts:
    """The cheapest edges that keep to the limits; a song shorter than two shots is one shot."""
    places, remark = _musical_places(timeline)
    words = _Blocks(timeline)
    good = _keep(places, (places.times > SAME) & (places.times < timeline.duration - SAME) & ~words.hold(places.times))
    good = _add_borders(good, timeline, words)
    remarks = [*([remark] if remark else []), *([GUESSED_WORDS] if words.draft else [])]
    tries = (
        lambda: _fill_gaps(good, timeline.duration, limits, words),
        lambda: _merge(good, _fine_places(timeline, limits, words, within_words=False)),
        lambda: _merge(good, _fine_places(timeline, limits, words, within_words=True)),
    )
    for offer in tries:
        offered = offer()
        edges = _cheapest_way(_priced(offered, timeline, intensity), timeline.duration, limits, intensity)
        if edges:
            return Cuts(edges, (*remarks, *_word_remarks(edges, words, limits)))
    return Cuts((0.0, timeline.duration), tuple(remarks))


def _musical_places(timeline: Timeline) -> tuple[_Places, str]:
    """Where the music asks for cuts, by what can be trusted in it, and a remark if that is not its bars."""
    if timeline.beats and timeline.beat_confidence >= TRUSTED:
        times = [beat.time for beat in timeline.beats]
        if timeline.downbeats and timeline.downbeat_confidence >= TRUSTED:
            return _places(times, [0.0 if beat.position == 1 else OFF_BAR for beat in timeline.beats]), ""
        return _places(times, 0.0), "The bars of this song are uncertain, so the film cuts on beats."
    if timeline.onsets and len(timeline.onsets) >= timeline.duration / 4:
        return _places(timeline.onsets, _onset_costs(timeline)), "This song has no steady beat, so the film cuts where new sounds begin."
    return _places([], 0.0), "This song has neither beats nor clear onsets, so the film cuts by time."


def _onset_costs(timeline: Timeline) -> np.ndarray:
    """The weaker an onset, the dearer, shape [onsets]; all alike where the timeline has no curve of them."""
    curve = next((curve for curve in timeline.curves if curve.name == "onset" and curve.values), None)
    if curve is None:
        return np.zeros(len(timeline.onsets))
    around = np.asarray(timeline.onsets)[:, None] + np.array([-ONSET_SPREAD, 0.0, ONSET_SPREAD])
    heights = np.interp(around * curve.rate, np.arange(len(curve.values)), curve.values).max(axis=1)
    return WEAK_ONSET * (1 - heights / max(float(heights.max()), SAME))


class _Blocks:
    """The stretches that words fill; words that overlap are one. Words whose times are only a draft fill none."""

    def __init__(self, timeline: Timeline) -> None:
        words = [word for line in timeline.lines for word in line.words if word.end - word.start > 2 * SAME]
        self.draft = bool(words) and max(word.confidence for word in words) <= DRAFT
        spans = [] if self.draft else sorted((word.start, word.end) for word in words)
        joined: list[tuple[float, float]] = []
        for start, end in spans:
            if joined and start < joined[-1][1] - SAME:
                joined[-1] = (joined[-1][0], max(joined[-1][1], end))
            else:
                joined.append((start, end))
        self.starts = np.array([start for start, _ in joined])
        self.ends = np.array([end for _, end in joined])

    def hold(self, times: np.ndarray) -> np.ndarray:
        """Whether each time lies inside a word, shape of `times`; its edges do not."""
        return self._depths(times) > SAME

    def costs(self, times: np.ndarray) -> np.ndarray:
        """The deeper inside a word, the dearer: 0 outside."""
        depths = self._depths(times)
        return np.where(depths > SAME, IN_WORD * (1 + depths), 0.0)

    def _depths(self, times: np.ndarray) -> np.ndarray:
        if not len(self.starts):
            return np.zeros(len(times))
        last = np.clip(np.searchsorted(self.starts, times, side="right") - 1, 0, None)
        return np.maximum(np.minimum(times - self.starts[last], self.ends[last] - times), 0.0)

    def edges(self) -> np.ndarray:
        """Where a cut disturbs no word: both ends of every word and the middle of every rest between two."""
        return np.concatenate([self.starts, self.ends, (self.ends[:-1] + self.starts[1:]) / 2])


def _places(times: object, costs: object) -> _Places:
    array = np.asarray(times, dtype=float)
    return _Places(array, np.broadcast_to(np.asarray(costs, dtype=float), array.shape))


def _keep(places: _Places, wanted: np.ndarray) -> _Places:
    return _Places(places.times[wanted], places.costs[wanted])


def _merge(one: _Places, other: _Places) -> _Places:
    """All places in order; of those at one time the cheapest."""
    times, costs = np.concatenate([one.times, other.times]), np.concatenate([one.costs, other.costs])
    order = np.lexsort((costs, times))
    times, costs = times[order], costs[order]
    new = np.diff(times, prepend=-1.0) > SAME
    return _Places(times[new], costs[new])


def _add_borders(places: _Places, timeline: Timeline, words: _Blocks) -> _Places:
    """Makes a place of every border of a section that has none near; where bars are trusted they are always near."""
    borders = np.array([section.start for section in timeline.sections if SAME < section.start < timeline.duration - SAME])
    if not len(borders):
        return places
    near = np.array([np.min(np.abs(places.times - border), initial=math.inf) < 1.0 for border in borders])
    free = borders[~near & ~words.hold(borders)]
    return _merge(places, _places(free, 0.0))


def _fill_gaps(places: _Places, duration: float, limits: Limits, words: _Blocks) -> _Places:
    """Extra places at even times, moved off words, wherever none lies near enough to keep to the longest shot."""
    reach = limits.longest / 2 if len(places.times) else min(limits.longest / 2, EVEN_STEP)
    extra: list[float] = []
    for start, end in pairwise([0.0, *places.times.tolist(), duration]):
        pieces = math.ceil((end - start) / reach)
        extra += [start + (end - start) * piece / pieces for piece in range(1, pieces)]
    filled = np.array(extra)
    held = words.hold(filled)
    if held.any():
        edges = np.sort(words.edges())
        after = np.clip(np.searchsorted(edges, filled[held]), 1, len(edges) - 1)
        before_is_nearer = filled[held] - edges[after - 1] < edges[after] - filled[held]
        filled[held] = np.where(before_is_nearer, edges[after - 1], edges[after])
    filled = filled[(filled > SAME) & (filled < duration - SAME) & ~words.hold(filled)]
    return _merge(places, _places(filled, OFF_MUSIC if len(places.times) else 0.0))


def _fine_places(timeline: Timeline, limits: Limits, words: _Blocks, within_words: bool) -> _Places:
    """Places close enough together that the limits can be kept, at a price; those within words dearest of all."""
    step = (limits.longest - limits.shortest) / 8
    times = np.concatenate([np.arange(step, timeline.duration, step), words.edges()])
    times = np.sort(times[(times > SAME) & (times < timeline.duration - SAME)])
    if not within_words:
        times = times[~words.hold(times)]
    return _merge(_places([], 0.0), _places(times, OFF_MUSIC + words.costs(times)))


def _priced(places: _Places, timeline: Timeline, intensity: Intensity) -> _Places:
    """The places with what lines, borders and changes of the music there add to or take from their cost."""
    times, costs = places.times, places.costs.copy()
    if not len(times):
        return places
    after = intensity.sum_until(np.minimum(times + 2, timeline.duration)) - intensity.sum_until(times)
    before = intensity.sum_until(times) - intensity.sum_until(np.maximum(times - 2, 0))
    rests = np.minimum(timeline.duration - times, 2), np.minimum(times, 2)
    costs += AT_CHANGE * np.abs(after / np.maximum(rests[0], SAME) - before / np.maximum(rests[1], SAME)).clip(0, 1)
    for line in timeline.lines:
        costs[(times > line.start + SAME) & (times < line.end - SAME)] += IN_LINE if line.words else IN_UNTIMED_LINE
        costs[(times >= line.start - LINE_LEAD) & (times <= line.start + SAME)] += AT_LINE
    for section in timeline.sections:
        distance = np.abs(times - section.start) + places.costs / OFF_BAR  # a bar a second off is as near as a beat that fits
        nearest = int(np.argmin(distance))
        if section.start > SAME and distance[nearest] < BORDER_REACH:
            costs[nearest] += AT_BORDER * (1 - abs(times[nearest] - section.start) / BORDER_REACH)
    return _Places(times, costs)


def _cheapest_way(places: _Places, duration: float, limits: Limits, intensity: Intensity) -> tuple[float, ...]:
    """The cheapest edges from zero to the end over the places, no step beyond the limits; empty where there are none.

    Dynamic programming: a shot costs the squared octaves by which it misses the length that its music asks for, in
    proportion to its length, and a cut costs what its place does.
    """
    times = np.concatenate([[0.0], places.times, [duration]])
    costs = np.concatenate([[0.0], places.costs, [0.0]])
    sums = intensity.sum_until(times)
    first = np.searchsorted(times, times - limits.longest - SAME)
    last = np.searchsorted(times, times - limits.shortest + SAME, side="right")
    best, came = np.full(len(times), math.inf), np.zeros(len(times), dtype=int)
    best[0] = 0.0
    calm, strong = PACES[limits.pace]
    for end in range(1, len(times)):
        a, b = first[end], min(last[end], end)
        if a >= b:
            continue
        lengths = times[end] - times[a:b]
        levels = np.clip((sums[end] - sums[a:b]) / lengths, 0, 1)
        wanted = np.clip(calm * (strong / calm) ** levels, limits.shortest, limits.longest)
        ways = best[a:b] + np.log2(lengths / wanted) ** 2 * lengths / wanted
        nearest = int(np.argmin(ways))
        best[end], came[end] = ways[nearest] + costs[end], a + nearest
    return _trace(times, came, best)


def _trace(times: np.ndarray, came: np.ndarray, best: np.ndarray) -> tuple[float, ...]:
    if math.isinf(best[-1]):
        return ()
    path = [len(times) - 1]
    while path[-1] != 0:
        path.append(int(came[path[-1]]))
    return tuple(float(times[place]) for place in reversed(path))


def _word_remarks(edges: tuple[float, ...], words: _Blocks, limits: Limits) -> list[str]:
    cuts = np.array(edges[1:-1])
    inside = cuts[words.hold(cuts)]
    if not len(inside):
        return []
    return [
        f"At {inside[0]:.1f} s a cut lies inside a sung word, because no shot may be longer than {limits.longest:g} s; "
        "raise 'longest', or correct the times of the words."
    ]
