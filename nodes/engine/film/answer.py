"""What a language model answered: text of any kind -> what it says of each shot, by number, and what was odd about it.

Understood are JSON (an object with "shots", a list, an object by number, or loose objects, also cut off or with a comma too
many) and numbered lines such as "Shot 3: ...", with anything around them. Where a shot is told twice the last one counts.
Knows nothing of a timeline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

MOST_LETTERS = 400_000  # of an answer; the rest is not read
MOST_FAILURES = 2_000  # brackets that begin no JSON; a text with more of them is none
LONGEST_PROMPT = 800  # letters of one prompt; text encoders read far less

NUMBER_KEYS = ("shot", "shot_number", "number", "no", "id", "index", "scene_number")
PROMPT_KEYS = ("prompt", "image_prompt", "description", "text", "scene", "visual", "visuals", "image")

_THOUGHT_ENDS = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_PERSON = re.compile(r"[{\[<]+\s*person\s*[}\]>]+", re.IGNORECASE)
_ARROW = re.compile(r"\s*(?:->|\u2192)\s*")
_SPARE_COMMA = re.compile(r",(\s*[}\]])")
_NAME = r"(?:shot|scene|ショット|カット|シーン|第|镜头|鏡頭|分镜|分鏡|场景|場景)"
_TIMES = r"(?:个镜头|個鏡頭|镜头|鏡頭|镜|鏡|カット)?[\s*_]*(?:\([^()\n]*\)|\[[^\[\]\n]*\]|（[^（）\n]*）)?[\s*_]*"
_WORDS = r"[:.)：、\u2013\u2014-](?!\d)[\s*_]*(.*)"
_NAMED_LINE = re.compile(rf"[\W_]*{_NAME}\s*(?:no\.?|number|#)?[\s:]*(\d{{1,4}})\s*{_TIMES}(?:{_WORDS}|$)", re.IGNORECASE)
_BARE_LINE = re.compile(rf"[\W_]*(\d{{1,4}})\s*{_TIMES}{_WORDS}")
_LABEL = re.compile(r"[\W_]*(?:image\s+)?(?:prompt|description|visuals?)[\s*_]*:[\s*_]*", re.IGNORECASE)


@dataclass(frozen=True)
class Direction:
    """What an answer says of one shot."""

    prompt: str
    end_prompt: str = ""
    motion: str = ""  # as it stands there; it need not exist


def read_answer(text: str, count: int) -> tuple[dict[int, Direction], list[str]]:
    """What a text says of the shots 1 to `count`, and a sentence for each thing that could not be used as it stands."""
    text = _THOUGHT_ENDS.split(text[:MOST_LETTERS])[-1]
    told = list(_read_json(text)) or list(_read_lines(text))
    numbers = {number for number, _ in told}
    first = 0 if 0 in numbers and count not in numbers else 1  # some count from zero
    found, beyond, shortened = {}, set(), set()
    for number, given in told:
        place = number - first + 1
        prompt, end_prompt = _clean(given.prompt), _clean(given.end_prompt)
        if not 1 <= place <= count:
            beyond.add(number)
        elif prompt:
            found[place] = Direction(_shorten(prompt), _shorten(end_prompt), given.motion)
            if max(len(prompt), len(end_prompt)) > LONGEST_PROMPT:
                shortened.add(place)
    return found, _tell_oddities(beyond, shortened, count)


def _tell_oddities(beyond: set[int], shortened: set[int], count: int) -> list[str]:
    remarks = []
    if beyond:
        remarks.append(f"The screenplay tells of shot {min(beyond)}, but the film has the shots 1 to {count}; what is beyond was left out.")
    if shortened:
        remarks.append(f"The screenplay's prompt for shot {min(shortened)} is longer than {LONGEST_PROMPT} letters and was cut.")
    return remarks


def _read_json(text: str) -> Iterator[tuple[int, Direction]]:
    for value in _find_json(_SPARE_COMMA.sub(r"\1", text)):
        yield from _read_value(value)


def _find_json(text: str) -> Iterator[Any]:
    """Every JSON object or list in a text that does not lie within another one."""
    decoder, place, failures = json.JSONDecoder(strict=False), 0, 0
    while failures < MOST_FAILURES:
        begin = re.compile(r"[{\[]").search(text, place)
        if begin is None:
            return
        try:
            value, place = decoder.raw_decode(text, begin.start())
        except (ValueError, RecursionError):
            place, failures = begin.end(), failures + 1
            continue
        yield value


def _read_value(value: Any) -> Iterator[tuple[int, Direction]]:
    """The shots in a JSON value: one object, a list of them, a list of texts in order, or an object by number."""
    if isinstance(value, list):
        for place, item in enumerate(value, start=1):
            if isinstance(item, str):
                yield place, _split(item)
            elif isinstance(item, dict):
                yield from _read_object(item, place)
    elif isinstance(value, dict):
        yield from _read_object(value, None)


def _read_object(item: dict[str, Any], place: int | None) -> Iterator[tuple[int, Direction]]:
    fields = {str(key).strip().lower().replace(" ", "_"): value for key, value in item.items()}
    inner = next((fields[key] for key in ("shots", "screenplay", "scenes") if isinstance(fields.get(key), (list, dict))), None)
    if inner is not None:
        yield from _read_value(inner)
        return
    prompt = next((fields[key] for key in PROMPT_KEYS if isinstance(fields.get(key), str)), None)
    number = next((_whole(fields[key]) for key in (*NUMBER_KEYS, "scene") if _whole(fields.get(key)) is not None), place)
    if prompt is not None and number is not None:
        given, end = _split(prompt), fields.get("end_prompt")
        motion = fields.get("motion")
        yield (
            number,
            Direction(
                given.prompt, end if isinstance(end, str) else given.end_prompt, motion.strip().lower() if isinstance(motion, str) else ""
            ),
        )
        return
    for key, told in fields.items():  # {"1": "...", "shot 2": {...}}
        by_name = re.fullmatch(rf"(?:{_NAME}_*)?(\d{{1,4}})", key, re.IGNORECASE)
        if by_name and isinstance(told, str):
            yield int(by_name[1]), _split(told)
        elif by_name and isinstance(told, dict):
            yield from _read_object(told, int(by_name[1]))


def _whole(value: Any) -> int | None:
    """The number in 3, "3", "03" or "Shot 3"."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10_000:
        return value
    found = re.fullmatch(rf"\s*{_NAME}?[\s#]*(\d{{1,4}})\s*", value, re.IGNORECASE) if isinstance(value, str) else None
    return int(found[1]) if found else None


def _read_lines(text: str) -> Iterator[tuple[int, Direction]]:
    """Numbered lines; what follows one belongs to it until a blank line or the next number."""
    lines = text.splitlines()
    header = _NAMED_LINE if any(_NAMED_LINE.match(line) for line in lines) else _BARE_LINE
    number: int | None = None
    said = ""
    for line in [*lines, ""]:
        found = header.match(line)
        if found or (not line.strip() and said):
            if number is not None and said:
                yield number, _split(said)
            number, said = (int(found[1]), found[2] or "") if found else (None, "")
        elif number is not None:
            said = f"{said} {line}".strip()


def _split(scene: str) -> Direction:
    first, *rest = _ARROW.split(scene, maxsplit=1)
    return Direction(first, rest[0] if rest else "")


def _clean(prompt: str) -> str:
    """One line of plain words: no marks of formatting, no label before it, `{person}` as we write it."""
    words = " ".join("".join(letter if letter.isprintable() else " " for letter in prompt).split())
    words = _LABEL.sub("", words, count=1) if _LABEL.match(words) else words
    return _PERSON.sub("{person}", words).replace("*", "").replace("`", "").strip(" \"'_,\u201c\u201d\u300c\u300d")


def _shorten(prompt: str) -> str:
    return prompt if len(prompt) <= LONGEST_PROMPT else prompt[:LONGEST_PROMPT].rsplit(" ", 1)[0].strip(" ,")
