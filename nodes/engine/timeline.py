"""The plan of a music video: what is heard when, and what is shown when.

Every stage takes a Timeline and returns a richer one with `dataclasses.replace`. Nothing here is ever
changed in place, because ComfyUI hands the same cached object to every node downstream.

Conventions: times are seconds from the first sample of the song, frame rates are `Fraction`, curve values
lie in 0..1. `frame_at` is the only place where seconds become frames. A Timeline is small and printable:
`str(timeline)` is its JSON, and no arrays or tensors live inside. It knows nothing of pictures or models.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

SCHEMA = "timeline/1"


class TimelineError(ValueError):
    """A timeline, or its JSON, that cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Beat:
    time: float
    position: int  # place in the bar: 1 is the downbeat; 0 where the bars are unknown


@dataclass(frozen=True)
class Curve:
    """One value of the music over time, sampled at a fixed rate from time zero."""

    name: str
    rate: float  # values per second
    values: tuple[float, ...]  # 0..1

    def at(self, time: float) -> float:
        """The value at a time, linear between samples and constant beyond the ends; 0 for an empty curve."""
        if not self.values:
            return 0.0
        place = min(max(time * self.rate, 0.0), len(self.values) - 1.0)
        left = min(int(place), len(self.values) - 1)
        right = min(left + 1, len(self.values) - 1)
        return self.values[left] + (self.values[right] - self.values[left]) * (place - left)


@dataclass(frozen=True)
class Section:
    start: float
    end: float
    label: str  # parts that repeat share a label


@dataclass(frozen=True)
class Word:
    start: float
    end: float
    text: str
    confidence: float = 1.0


@dataclass(frozen=True)
class Line:
    """One line of the lyrics."""

    start: float
    end: float
    text: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class Shot:
    """A stretch of the film between two cuts: what it shows and how it moves."""

    start: float
    end: float
    prompt: str
    seed: int
    motion: str = "pulse"  # the name of a preset of `film.motion`
    end_prompt: str = ""  # what the shot turns into while it lasts; empty: nothing else
    strength: float = 1.0  # how strongly the picture follows the music, 0..2


@dataclass(frozen=True)
class Timeline:
    duration: float
    sample_rate: int = 0
    audio_sha256: str = ""  # of the samples this was made from, see `hash_samples`
    tempo: float = 0.0  # beats per minute; 0 where there is no pulse
    metre: int = 0  # beats per bar; 0 where unknown
    beat_confidence: float = 0.0  # how far the beats can be trusted, 0..1
    downbeat_confidence: float = 0.0  # how far the bars can be trusted, 0..1
    beats: tuple[Beat, ...] = ()
    onsets: tuple[float, ...] = ()
    curves: tuple[Curve, ...] = ()
    sections: tuple[Section, ...] = ()
    lines: tuple[Line, ...] = ()
    shots: tuple[Shot, ...] = ()
    remarks: tuple[str, ...] = ()  # what a stage has to say to the person, one sentence each

    def __str__(self) -> str:
        return self.to_json()

    @property
    def downbeats(self) -> tuple[float, ...]:
        return tuple(beat.time for beat in self.beats if beat.position == 1)

    def curve(self, name: str) -> Curve:
        """The curve of that name; `TimelineError` names those there are."""
        for curve in self.curves:
            if curve.name == name:
                return curve
        known = ", ".join(curve.name for curve in self.curves) or "none"
        raise TimelineError(f"This timeline has no curve '{name}'; it has: {known}. Choose one of those, or analyse the song again.")

    def to_json(self) -> str:
        """JSON with one line for each beat, curve, section and shot, so that people can read and compare it."""
        return write_object(SCHEMA, _plain(self))

    @classmethod
    def from_json(cls, text: str) -> Timeline:
        """Reads what `to_json` wrote; `TimelineError` says what is wrong and where."""
        return read_timeline(parse_object(text, SCHEMA))


def frame_at(time: float, fps: Fraction) -> int:
    """The frame nearest to a time. The only place where seconds become frames."""
    return round(Fraction(time) * fps)


def read_fps(fps: float) -> Fraction:
    """The exact frame rate behind a number: 29.97 is 30000/1001, 23.976 is 24000/1001, 12.5 is 25/2.

    Raises ValueError outside 1..240.
    """
    if not math.isfinite(fps) or not 1 <= fps <= 240:
        raise ValueError(f"The frame rate is {fps}; choose one from 1 to 240 frames per second.")
    ntsc = Fraction(round(fps * 1.001) * 1000, 1001)
    if abs(float(ntsc) - fps) < 0.005 and abs(fps - round(fps)) > 0.005:
        return ntsc
    return Fraction(fps).limit_denominator(1000)


def frame_span(shot: Shot, fps: Fraction) -> range:
    """The frames of the film that a shot owns, counted from the song's zero."""
    return range(frame_at(shot.start, fps), frame_at(shot.end, fps))


def hash_samples(samples: np.ndarray, sample_rate: int) -> str:
    """SHA-256 of a song's samples, shape [channels, samples], float32, and its rate in Hz."""
    import numpy as np

    digest = hashlib.sha256(f"{samples.shape}@{sample_rate}".encode())
    digest.update(np.ascontiguousarray(samples, dtype="<f4").data)
    return digest.hexdigest()


def require_song(timeline: Timeline, samples: np.ndarray, sample_rate: int) -> None:
    """Raises TimelineError if the timeline was made from other samples (shape [channels, samples])."""
    if timeline.audio_sha256 and timeline.audio_sha256 != hash_samples(samples, sample_rate):
        theirs = samples.shape[-1] / sample_rate
        raise TimelineError(
            f"This timeline was made from another song ({timeline.duration:.2f} s) than the audio beside it ({theirs:.2f} s); "
            "connect the same audio that went into Audio Beat Analyzer."
        )


def write_object(schema: str, data: dict[str, Any]) -> str:
    """A JSON object with a schema tag; lists of objects get one line an item."""
    body = [f'"schema": {json.dumps(schema)}'] + [f"{json.dumps(key)}: {_write_value(value)}" for key, value in data.items()]
    return "{\n " + ",\n ".join(body) + "\n}"


def _write_value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n  " + ",\n  ".join(_write_value(item) for item in value) + "\n ]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def parse_object(text: str, schema: str) -> dict[str, Any]:
    """The JSON object in a text whose "schema" is the one named; TimelineError otherwise."""
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise TimelineError(f"This is no JSON: {error.msg} in line {error.lineno}, column {error.colno}. Correct it there.") from error
    except RecursionError as error:
        raise TimelineError("This JSON is nested too deeply to be a plan of ours; paste what Storyboard Writer shows.") from error
    if not isinstance(data, dict):
        raise TimelineError("This JSON is no object; paste the whole plan, from the first { to the last }.")
    if data.get("schema") != schema:
        raise TimelineError(f'The "schema" of this JSON is {data.get("schema")!r}, but this version reads "{schema}" only.')
    return {key: value for key, value in data.items() if key != "schema"}


def read_timeline(data: dict[str, Any]) -> Timeline:
    timeline = read_record(Timeline, data, "timeline")
    if timeline.duration < 0:
        raise TimelineError("timeline.duration is negative; it must be the length of the song in seconds.")
    return timeline


_LISTS: dict[str, type] = {
    "beats": Beat, "curves": Curve, "sections": Section, "lines": Line, "words": Word, "shots": Shot,
}  # fmt: skip


def read_record(kind: type, data: Any, place: str) -> Any:
    """One of the dataclasses above from a JSON object; every mistake is a TimelineError that names its place."""
    if not isinstance(data, dict):
        raise TimelineError(f"{place} must be an object with named fields.")
    known = {field.name: field for field in fields(kind)}
    unknown = sorted(set(data) - set(known))
    if unknown:
        raise TimelineError(f"{place} has an unknown field '{unknown[0]}'; it may have: {', '.join(known)}.")
    values = {name: _read_value(known[name].type, name, value, f"{place}.{name}") for name, value in data.items()}
    try:
        return kind(**values)
    except TypeError as error:
        missing = [name for name, field in known.items() if name not in values and field.default is MISSING]
        raise TimelineError(f"{place} lacks the field '{missing[0]}'; add it.") from error


def _read_value(annotation: Any, name: str, value: Any, place: str) -> Any:
    if name in _LISTS:
        return tuple(read_record(_LISTS[name], item, f"{place}[{index}]") for index, item in enumerate(_list(value, place)))
    if annotation == "tuple[float, ...]":
        return tuple(_number(item, f"{place}[{index}]") for index, item in enumerate(_list(value, place)))
    if annotation == "tuple[str, ...]":
        return tuple(_text(item, f"{place}[{index}]") for index, item in enumerate(_list(value, place)))
    if annotation == "float":
        return _number(value, place)
    if annotation == "int":
        return _whole(value, place)
    return _text(value, place)


def _list(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise TimelineError(f"{place} must be a list.")
    return value


def _number(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TimelineError(f"{place} must be a finite number, but is {value!r}.")
    return float(value)


def _whole(value: Any, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TimelineError(f"{place} must be a whole number, but is {value!r}.")
    return value


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise TimelineError(f"{place} must be text in quotes, but is {value!r}.")
    return value


def _plain(record: Any) -> Any:
    """Dataclasses as dicts and tuples as lists."""
    if isinstance(record, tuple):
        return [_plain(item) for item in record]
    if hasattr(record, "__dataclass_fields__"):
        return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}
    return record
