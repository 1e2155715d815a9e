"""What the film shows when: a Timeline and a few wishes -> the same Timeline with shots.

Cuts lie on downbeats where the bars can be trusted, else on beats, else on onsets or at even times; the
remarks then say so. Shots are longer in calm and shorter in loud passages. A plan can be written as JSON,
edited by hand and applied again. Knows nothing of pictures or models.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left, bisect_right
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from ..timeline import Curve, Shot, Timeline, TimelineError, parse_object, read_record, write_object
from .motion import PRESETS, TRUSTED

PLAN_SCHEMA = "plan/1"
BY_MUSIC = "by music"

# Seconds that a shot lasts where the song is calmest and where it is loudest.
PACES = {"calm": (8.0, 4.0), "balanced": (5.0, 2.0), "lively": (3.5, 1.0)}

FRAMINGS = ("wide shot", "medium shot", "close-up")
PORTRAITS = ("head and shoulders portrait", "portrait", "close-up portrait")  # what a face was learnt from; farther off it is lost
PERSON = "{person}"  # in a scene or a plan
MOODS = ((0.3, "calm, soft light"), (0.7, ""), (1.01, "energetic, vivid colours"))
MOTIONS = ((0.3, ("drift", "push")), (0.7, ("sway", "push", "pulse")), (1.01, ("pulse", "pull", "pulse", "sway")))

SNAP = 0.002  # seconds by which the edges of an edited plan may miss each other; people round


@dataclass(frozen=True)
class Brief:
    """What the person wishes for."""

    style: str
    scenes: str  # one a line; "a -> b" turns into b within the shot
    pace: str = "balanced"  # one of PACES
    motion: str = BY_MUSIC  # or one of motion.PRESETS
    seed: int = 0
    shortest: float = 0.8
    longest: float = 8.0
    person: str = ""  # the trigger word of who shall be in the film


def write_storyboard(timeline: Timeline, brief: Brief) -> Timeline:
    """The timeline with shots from zero to its end; ValueError for wishes that cannot be met."""
    if brief.pace not in PACES:
        raise ValueError(f"There is no pace '{brief.pace}'; choose one of: {', '.join(PACES)}.")
    if brief.longest < 2 * brief.shortest:
        limits = f"'longest' ({brief.longest:g} s) must be at least twice 'shortest' ({brief.shortest:g} s)"
        raise ValueError(f"{limits}, or no cut can be placed.")
    if timeline.duration <= 0:
        raise TimelineError("The timeline has no length; connect Audio Beat Analyzer with a song.")
    scenes = _cast([line.strip() for line in brief.scenes.splitlines() if line.strip()], brief.person)
    if not scenes:
        raise ValueError("There is no scene to show; write at least one line into 'prompts'.")
    places, remark = _cut_places(timeline)
    levels = _Levels(timeline)
    edges = _choose_cuts(timeline, brief, places, levels)
    shots = [_write_shot(number, start, end, scenes, brief, levels) for number, (start, end) in enumerate(pairwise(edges))]
    return replace(timeline, shots=tuple(shots), remarks=(*timeline.remarks, *([remark] if remark else [])))


@dataclass(frozen=True)
class _Place:
    time: float
    cost: float  # 0 for the best kind of place to cut


def _cut_places(timeline: Timeline) -> tuple[list[_Place], str]:
    """Where cuts may lie, by what can be trusted in the song, and a remark if that is not its bars."""
    if timeline.beats and timeline.beat_confidence >= TRUSTED:
        if timeline.downbeats and timeline.downbeat_confidence >= TRUSTED:
            return [_Place(beat.time, 0.0 if beat.position == 1 else 4.0) for beat in timeline.beats], ""
        return [_Place(beat.time, 0.0) for beat in timeline.beats], "The bars of this song are uncertain, so the film cuts on beats."
    if len(timeline.onsets) >= timeline.duration / 4:
        return [_Place(time, 0.0) for time in timeline.onsets], "This song has no steady beat, so the film cuts where new sounds begin."
    return [], "This song has neither beats nor clear onsets, so the film cuts by time."


class _Levels:
    """How loud each moment is among all moments of the song: 0 the calmest, 1 the loudest."""

    def __init__(self, timeline: Timeline) -> None:
        found = [curve for curve in timeline.curves if curve.name == "loudness"]
        self._curve = found[0] if found else Curve("loudness", 1.0, (0.5,))
        self._sums = np.concatenate([[0.0], np.cumsum(self._curve.values)])
        self._low, self._high = np.quantile(self._curve.values, [0.1, 0.9])

    def between(self, start: float, end: float) -> float:
        last = len(self._sums) - 1
        a = min(max(int(start * self._curve.rate), 0), last - 1)
        b = min(max(int(end * self._curve.rate), a + 1), last)
        level = (self._sums[b] - self._sums[a]) / (b - a)
        spread = self._high - self._low
        return float(np.clip((level - self._low) / spread, 0, 1)) if spread > 0.05 else 0.5


def _choose_cuts(timeline: Timeline, brief: Brief, places: list[_Place], levels: _Levels) -> list[float]:
    """The cheapest way from zero to the end over the places, no step shorter or longer than wished.

    Dynamic programming: a shot costs the squared octaves by which it misses the length that its loudness asks
    for, a cut the cost of its place, less a bonus where the loudness changes or a section begins.
    """
    inside = [place for place in places if 0 < place.time < timeline.duration]
    inside = _fill_gaps(inside, timeline.duration, brief)
    stops = [_Place(0.0, 0.0), *inside, _Place(timeline.duration, 0.0)]
    times = [stop.time for stop in stops]
    borders = [section.start for section in timeline.sections]
    best, came = [0.0] + [math.inf] * (len(stops) - 1), [0] * len(stops)
    for end in range(1, len(stops)):
        entry = stops[end].cost - _change(times[end], timeline.duration, levels, borders) if end < len(stops) - 1 else 0.0
        first = bisect_left(times, times[end] - brief.longest - 1e-9)
        last = bisect_right(times, times[end] - brief.shortest + 1e-9)
        for start in range(first, min(last, end)):
            cost = best[start] + entry + _misfit(times[start], times[end], brief, levels)
            if cost < best[end]:
                best[end], came[end] = cost, start
    return _trace(times, came, best)


def _misfit(start: float, end: float, brief: Brief, levels: _Levels) -> float:
    calm, loud = PACES[brief.pace]
    wanted = calm * (loud / calm) ** levels.between(start, end)
    wanted = min(max(wanted, brief.shortest), brief.longest)
    return math.log2((end - start) / wanted) ** 2 * (end - start) / wanted


def _change(time: float, duration: float, levels: _Levels, borders: list[float]) -> float:
    step = abs(levels.between(time, min(time + 2, duration)) - levels.between(max(time - 2, 0), time))
    return 1.5 * step + (3.0 if any(abs(time - border) < 0.1 for border in borders) else 0.0)


def _fill_gaps(places: list[_Place], duration: float, brief: Brief) -> list[_Place]:
    """Extra places at even times wherever none lies near enough to keep to the longest shot, at a price."""
    filled: list[_Place] = []
    edges = [0.0, *(place.time for place in places), duration]
    for number, (start, end) in enumerate(pairwise(edges)):
        pieces = math.ceil((end - start) / (brief.longest / 2)) if end - start > brief.longest / 2 else 1
        cost = 6.0 if places else 0.0
        filled += [_Place(start + (end - start) * piece / pieces, cost) for piece in range(1, pieces)]
        if number < len(places):
            filled.append(places[number])
    return filled


def _trace(times: list[float], came: list[int], best: list[float]) -> list[float]:
    if math.isinf(best[-1]):  # a song shorter than two shots
        return [times[0], times[-1]]
    path = [len(times) - 1]
    while path[-1] != 0:
        path.append(came[path[-1]])
    return [times[place] for place in reversed(path)]


def _cast(scenes: list[str], trigger: str) -> list[str]:
    """Puts the person where scenes say `{person}`; a person whom no scene mentions is in every one."""
    if trigger and not any(PERSON in scene for scene in scenes):
        scenes = [" -> ".join(f"{PERSON}, {half.strip()}" for half in scene.split("->", 1) if half.strip()) for scene in scenes]
    return [name_person(scene, trigger) for scene in scenes]


def name_person(prompt: str, trigger: str) -> str:
    """Writes a person as the captions did that their LoRA was trained on: `{person}` becomes `zuqvex person`."""
    return prompt.replace(PERSON, f"{trigger} person" if trigger else "a person")


def _write_shot(number: int, start: float, end: float, scenes: list[str], brief: Brief, levels: _Levels) -> Shot:
    level = levels.between(start, end)
    first, _, last = scenes[number % len(scenes)].partition("->")
    framings = PORTRAITS if brief.person and f"{brief.person} person" in first else FRAMINGS
    framing = framings[(number + number // len(scenes)) % len(framings)]
    mood, motions = _by_level(MOODS, level), _by_level(MOTIONS, level)
    return Shot(
        start=start,
        end=end,
        prompt=_join(framing, first, brief.style, mood),
        end_prompt=_join(framing, last, brief.style, mood) if last.strip() else "",
        seed=_shot_seed(brief.seed, number),
        motion=motions[number % len(motions)] if brief.motion == BY_MUSIC else brief.motion,
        strength=round(0.6 + 0.6 * level, 3),
    )


def _by_level(table: Any, level: float) -> Any:
    return next(value for limit, value in table if level < limit)


def _join(*parts: str) -> str:
    return ", ".join(part.strip(" ,") for part in parts if part.strip(" ,"))


def _shot_seed(seed: int, number: int) -> int:
    """A seed of its own for every shot, small enough for JavaScript to keep exactly."""
    return int.from_bytes(hashlib.sha256(f"{seed}:{number}".encode()).digest()[:6], "big")


def write_plan(timeline: Timeline) -> str:
    """The shots as JSON, one a line, ready to be edited."""
    return write_object(PLAN_SCHEMA, {"shots": [asdict(shot) for shot in timeline.shots]})


def apply_plan(timeline: Timeline, text: str, person: str = "") -> Timeline:
    """The timeline with the shots of an edited plan, `{person}` in it written as the trigger word says.

    TimelineError says which shot is wrong and how to mend it.
    """
    data = parse_object(text, PLAN_SCHEMA)
    if set(data) != {"shots"} or not isinstance(data["shots"], list) or not data["shots"]:
        raise TimelineError(
            'A plan holds "schema" and a list of at least one shot in "shots", and nothing else; correct it or empty the box.'
        )
    shots = [read_record(Shot, item, f"shot {number}") for number, item in enumerate(data["shots"], start=1)]
    shots = _join_edges(shots, timeline.duration)
    for number, shot in enumerate(shots, start=1):
        _check_shot(number, shot)
    shots = [replace(shot, prompt=name_person(shot.prompt, person), end_prompt=name_person(shot.end_prompt, person)) for shot in shots]
    return replace(timeline, shots=tuple(shots))


def _check_shot(number: int, shot: Shot) -> None:
    if shot.end <= shot.start:
        raise TimelineError(f"Shot {number} ends at {shot.end:.3f} s, before it starts at {shot.start:.3f} s; correct its start or end.")
    if shot.motion not in PRESETS:
        raise TimelineError(f"Shot {number} has the motion '{shot.motion}'; choose one of: {', '.join(PRESETS)}.")
    if not 0 <= shot.seed < 2**63:
        raise TimelineError(f"Shot {number} has the seed {shot.seed}; choose a whole number from 0 to {2**63 - 1}.")
    if not 0 <= shot.strength <= 2:
        raise TimelineError(f"Shot {number} has the strength {shot.strength:g}; choose one from 0 to 2.")


def _join_edges(shots: list[Shot], duration: float) -> list[Shot]:
    """Shots whose edges meet exactly, from zero to the end; a hair's breadth is closed, more is an error."""
    edge, joined = 0.0, []
    for number, shot in enumerate(shots, start=1):
        if abs(shot.start - edge) > SNAP:
            kind = "overlaps the one before" if shot.start < edge else "leaves a gap after the one before"
            raise TimelineError(f"Shot {number} {kind}: it starts at {shot.start:.3f} s but must start at {edge:.3f} s.")
        last = number == len(shots)
        if last and abs(shot.end - duration) > SNAP:
            raise TimelineError(f"The last shot ends at {shot.end:.3f} s, but the song ends at {duration:.3f} s; make them meet.")
        joined.append(replace(shot, start=edge, end=duration if last else shot.end))
        edge = shot.end
    return joined
