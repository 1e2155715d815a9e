"""Plans of shots as people edit them: shots -> JSON or CSV, and back into a Timeline.

A plan is understood in either form. CSV may come from a spreadsheet: commas, semicolons or tabs, decimal commas beside the
latter two, a byte order mark. A prompt that a spreadsheet would take for a formula is written with an apostrophe before it,
which is taken off again. Every mistake is a TimelineError that names the shot or the row. Times are seconds.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import asdict, fields, replace
from typing import Any

from ..timeline import Shot, Timeline, TimelineError, parse_object, read_record, write_object
from .motion import PRESETS
from .prompts import name_person

PLAN_SCHEMA = "plan/1"
COLUMNS = tuple(field.name for field in fields(Shot))
NEEDED = ("start", "end", "prompt", "seed")  # the fields of a Shot that have no default
NUMBER = "shot"  # a column of CSV that is there to be read only
SNAP = 0.002  # seconds by which the edges of an edited plan may miss each other; people round
LONGEST_PROMPT = 10_000  # letters; more is a damaged file
MARK = "\ufeff"
FORMULA = re.compile(r"'*[=+\-@\t\r]")


def write_plan(timeline: Timeline) -> str:
    """The shots as JSON, one a line, ready to be edited."""
    return write_object(PLAN_SCHEMA, {"shots": [asdict(shot) for shot in timeline.shots]})


def write_csv(timeline: Timeline) -> str:
    """The shots as CSV (RFC 4180, but with plain line feeds), one a row under a row of names, ready for a spreadsheet.

    It begins with a byte order mark, without which Excel misreads every letter beyond ASCII.
    """
    text = io.StringIO()
    text.write(MARK)
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)  # any text in quotes: Python before 3.13 forgets "\\r"
    writer.writerow([NUMBER, *COLUMNS])
    for number, shot in enumerate(timeline.shots, start=1):
        values = asdict(shot).values()
        writer.writerow([number, *(_disarm(value) if isinstance(value, str) else value for value in values)])
    return text.getvalue()


def _disarm(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _rearm(text: str) -> str:
    return text[1:] if text.startswith("'") and FORMULA.match(text) else text


def apply_plan(timeline: Timeline, text: str, person: str = "") -> Timeline:
    """The timeline with the shots of an edited plan, JSON or CSV, `{person}` in it written as the trigger word says.

    TimelineError says which shot or row is wrong and how to mend it.
    """
    shots = _join_edges(read_plan(text), timeline.duration)
    for number, shot in enumerate(shots, start=1):
        _check_shot(number, shot)
    shots = [replace(shot, prompt=name_person(shot.prompt, person), end_prompt=name_person(shot.end_prompt, person)) for shot in shots]
    return replace(timeline, shots=tuple(shots))


def read_plan(text: str) -> list[Shot]:
    """The shots of a plan in JSON or CSV as they stand there."""
    text = text.lstrip(f"{MARK} \t\r\n")
    return _read_csv(text) if _looks_like_csv(text) else _read_json(text)


def _looks_like_csv(text: str) -> bool:
    """Whether the first row names at least two of our columns; JSON begins with a bracket."""
    first = re.split(r"[,;\t]", text.split("\n", 1)[0].lower())
    return not text.startswith(("{", "[")) and len({name.strip(' "\r') for name in first} & set(COLUMNS)) >= 2


def _read_json(text: str) -> list[Shot]:
    data = parse_object(text, PLAN_SCHEMA)
    if set(data) != {"shots"} or not isinstance(data["shots"], list) or not data["shots"]:
        raise TimelineError(
            'A plan holds "schema" and a list of at least one shot in "shots", and nothing else; correct it or empty the box.'
        )
    return [read_record(Shot, item, f"shot {number}") for number, item in enumerate(data["shots"], start=1)]


def _read_csv(text: str) -> list[Shot]:
    separator = max(",;\t", key=text.split("\n", 1)[0].count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    names: list[str] = []
    shots: list[Shot] = []
    number = 0
    try:
        for number, row in enumerate(rows, start=1):  # noqa: B007, the row of an error is told below
            if not names:
                names = _read_names(row)
            elif any(cell.strip() for cell in row):
                shots.append(_read_row(names, row, number, decimal_comma=separator != ","))
    except csv.Error as error:
        raise TimelineError(f"Row {number + 1} of the plan's CSV is damaged ({error}); check the quotes there.") from error
    if not shots:
        raise TimelineError("The plan's CSV has no shot below its first row; add at least one, or empty the box.")
    return shots


def _read_names(row: list[str]) -> list[str]:
    names = [cell.strip().lower() for cell in row]
    unknown = [name for name in names if name and name not in (*COLUMNS, NUMBER)]
    if unknown:
        raise TimelineError(f"Row 1 of the plan's CSV has an unknown column '{unknown[0][:40]}'; there may be: {', '.join(COLUMNS)}.")
    twice = [name for name in names if name and names.count(name) > 1]
    if twice:
        raise TimelineError(f"Row 1 of the plan's CSV has the column '{twice[0]}' twice; take one out.")
    missing = [name for name in NEEDED if name not in names]
    if missing:
        raise TimelineError(f"Row 1 of the plan's CSV lacks the column '{missing[0]}'; add it.")
    return names


def _read_row(names: list[str], row: list[str], number: int, decimal_comma: bool) -> Shot:
    place = f"Row {number} of the plan's CSV"
    if any(cell.strip() for cell in row[len(names) :]):
        raise TimelineError(f"{place} has more cells than row 1 has names; put a prompt that holds the separator into quotes.")
    values: dict[str, Any] = {}
    for name, cell in zip(names, row, strict=False):
        if not name or name == NUMBER or (cell.strip() == "" and name not in ("prompt", "end_prompt")):
            continue
        values[name] = _read_cell(name, cell, place, decimal_comma)
    missing = [name for name in NEEDED if name not in values]
    if missing:
        raise TimelineError(f"{place} has no {missing[0]}; fill that cell in.")
    return Shot(**values)


def _read_cell(name: str, cell: str, place: str, decimal_comma: bool) -> Any:
    kind = next(field.type for field in fields(Shot) if field.name == name)
    if kind == "str":
        if len(cell) > LONGEST_PROMPT or "\0" in cell:
            raise TimelineError(f"{place} has a {name} of {len(cell)} letters that cannot be one; shorten it.")
        return _rearm(cell) if name != "motion" else cell.strip()
    text = cell.strip().replace(",", ".") if decimal_comma else cell.strip()
    pattern = r"-?\d{1,19}" if kind == "int" else r"-?\d{1,19}(\.\d*)?(e-?\d{1,2})?|-?\.\d+"
    if not re.fullmatch(pattern, text, re.ASCII | re.IGNORECASE):
        wanted = "a whole number" if kind == "int" else "a number"
        raise TimelineError(f"{place} has '{cell.strip()[:40]}' as its {name}; write {wanted} there.")
    return int(text) if kind == "int" else float(text)


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
