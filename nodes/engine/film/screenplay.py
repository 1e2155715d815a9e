"""Shots written by a language model: a planned Timeline -> a brief to send, and its answer -> the Timeline with those shots.

The brief tells the song's sections, feelings, lines and shots with their times, and the form of the answer. The answer may have
prose, code fences or a train of thought around it, be cut off, and be JSON or numbered lines; whatever it says of a shot is
checked and taken, every other shot keeps its prompt, and a remark says so. Talks to no model itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace

from ..timeline import Shot, Timeline
from .answer import Direction, read_answer
from .intensity import Intensity, name_part
from .lexicon import read_words
from .moments import Moment, find_moments
from .motion import PRESETS
from .prompts import PERSON, find_emotion, join_words, name_person
from .storyboard import Wishes, add_remarks, tell_apart

MOST_NAMED = 12  # shots or stretches of shots in one remark


def write_brief(timeline: Timeline, wishes: Wishes) -> str:
    """What a language model has to know to write the shots of a planned timeline, in English, with times as m:ss.s."""
    intensity = Intensity(timeline)
    edges = [timeline.shots[0].start, *(shot.end for shot in timeline.shots)] if timeline.shots else []
    moments = find_moments(timeline, edges, intensity)
    words = read_words("screenplay")
    parts = [
        words["task"],
        "\n".join(_tell_song(timeline, wishes)),
        "\n".join(["SECTIONS", *_tell_sections(timeline, intensity)]) if timeline.sections else "",
        "\n".join(["LYRICS", *(f"{_clock(line.start)} {_quote(line.text)}" for line in timeline.lines)]) if timeline.lines else "",
        "\n".join(["SHOTS", *(_tell_shot(moment, shot) for moment, shot in zip(moments, timeline.shots, strict=True))]),
        "\n".join(words["rules"]).format(count=len(timeline.shots), person=PERSON, motions=", ".join(PRESETS)),
        words["form"],
    ]
    return "\n\n".join(part for part in parts if part)


def _tell_song(timeline: Timeline, wishes: Wishes) -> list[str]:
    metre = f", {timeline.metre} beats a bar" if timeline.metre else ""
    tempo = f", {timeline.tempo:.0f} beats per minute{metre}" if timeline.tempo else ""
    told = [f"SONG: {_clock(timeline.duration)} long{tempo}."]
    if wishes.style.strip():
        told.append(f"STYLE of all shots, added to every prompt by the program, so leave it out: {wishes.style.strip()}")
    if wishes.scene_list:
        told.append("SCENES the film is made of: " + " / ".join(wishes.scene_list))
    return told


def _tell_sections(timeline: Timeline, intensity: Intensity) -> list[str]:
    """One row a section: when, its label, and how it feels."""
    ordered = sorted(timeline.sections, key=lambda section: section.start)
    rows = []
    for section in ordered:
        (moment,) = find_moments(timeline, (section.start, max(section.end, section.start + 0.1)), intensity)
        lift = " (chorus)" if name_part(section.label) in intensity.choruses and "chorus" not in section.label.lower() else ""
        rows.append(f"{_clock(section.start)}-{_clock(section.end)} {section.label}{lift}: {_tell_feeling(moment)}")
    return rows


def _tell_feeling(moment: Moment) -> str:
    name = find_emotion(moment.valence, moment.arousal)["name"]
    measured = f" (valence {moment.valence:.2f}, arousal {moment.arousal:.2f})" if moment.felt else ""
    return f"{name}{measured}, energy {moment.level:.1f}"


def _tell_shot(moment: Moment, shot: Shot) -> str:
    where = f" {moment.label}," if moment.label else ""
    sung = f"; sung: {_quote(moment.lines[0])}" if moment.lines else ""
    return f"{moment.number + 1}. {_clock(shot.start)}-{_clock(shot.end)}{where} {_tell_feeling(moment)}, camera {shot.motion}{sung}"


def _clock(seconds: float) -> str:
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"


def _quote(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def apply_screenplay(timeline: Timeline, text: str, style: str, person: str) -> Timeline:
    """A planned timeline with the prompts and motions that an answer gives to its shots, the style added to each.

    Shots that the answer leaves out, or says nothing usable about, stay as they are; remarks name them. Never raises for
    what the text says.
    """
    directions, remarks = read_answer(text, len(timeline.shots))
    if not directions:
        return replace(timeline, remarks=add_remarks(timeline.remarks, [*remarks, _NOTHING]))
    absent = bool(person) and not any(PERSON in f"{given.prompt}{given.end_prompt}" for given in directions.values())
    shots: list[Shot] = []
    for number, shot in enumerate(timeline.shots, start=1):
        given = directions.get(number)
        shots.append(_direct(shot, given, style, person, absent) if given else shot)
    remarks += _spot_unknown_motions(directions)
    missing = [number for number in range(1, len(shots) + 1) if number not in directions]
    if missing:
        remarks.append(f"The screenplay says nothing usable about {name_shots(missing)}; there the plan's own prompts are kept.")
    if absent:
        remarks.append(f"The screenplay names {PERSON} in no shot, so the person is where the plan had them.")
    return replace(timeline, shots=tell_apart(shots), remarks=add_remarks(timeline.remarks, remarks))


_NOTHING = (
    "The screenplay was not understood, so the plan's own prompts are kept; ask for JSON as the brief says, "
    "or for lines such as 'Shot 1: ...'."
)


def _direct(shot: Shot, given: Direction, style: str, person: str, absent: bool) -> Shot:
    subject = f"{PERSON}, " if absent and f"{person} person" in shot.prompt else ""

    def finish(scene: str) -> str:
        return name_person(join_words(subject + scene, "" if style.strip().lower() in scene.lower() else style), person)

    return replace(
        shot,
        prompt=finish(given.prompt),
        end_prompt=finish(given.end_prompt) if given.end_prompt else "",
        motion=given.motion if given.motion in PRESETS else shot.motion,
    )


def _spot_unknown_motions(directions: dict[int, Direction]) -> list[str]:
    wrong = [number for number, given in directions.items() if given.motion and given.motion not in PRESETS]
    if not wrong:
        return []
    verb = "asks" if len(wrong) == 1 else "ask"
    known = ", ".join(PRESETS)
    return [f"In the screenplay {name_shots(wrong)} {verb} for a motion that does not exist, so the plan's is kept; there are: {known}."]


def name_shots(numbers: Iterable[int]) -> str:
    """ "shot 4", "shots 3, 7 to 9"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    if len(runs) == 1 and len(runs[0]) == 1:
        return f"shot {runs[0][0]}"
    named = [_name_run(run) for run in runs[:MOST_NAMED]]
    return f"shots {', '.join(named)}" + (" and others" if len(runs) > MOST_NAMED else "")


def _name_run(run: Sequence[int]) -> str:
    return str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}"
