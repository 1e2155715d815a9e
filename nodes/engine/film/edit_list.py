"""A planned Timeline for editing programs: OpenTimelineIO JSON, or a CMX 3600 edit decision list with markers.

Both describe one film that is as long as the song, cut into its shots, so that the finished film can be conformed to them; shots,
sections and lines of the lyrics are named. Frames come from `frame_at`, as everywhere. OTIO is written by hand after the
schemas of OpenTimelineIO 0.15 and later (Timeline.1, Stack.1, Track.1, Clip.2, Marker.2), the list after CMX 3600 with the
locators that Avid reads and the marker lines that DaVinci Resolve reads. Knows nothing of files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from ..timeline import Shot, Timeline, frame_at, frame_span

TITLE = "Music video"
START_HOUR = 1  # programmes begin at one o'clock; 0:00 would leave no room before them
MOST_EVENTS = 9999
LONGEST_NOTE = 200  # letters of a marker in an edit decision list


@dataclass(frozen=True)
class _Mark:
    start: float
    end: float
    text: str
    colour: str  # a name that OTIO, Avid and Resolve share


def write_otio(timeline: Timeline, fps: Fraction) -> str:
    """The shots as clips, the sections and lines as markers. ValueError without shots."""
    rate = float(fps)
    spans = [(number, shot, frame_span(shot, fps)) for number, shot in enumerate(_shots_of(timeline), start=1)]
    clips = [_clip(f"Shot {number:03d}", span, rate, _settings(shot)) for number, shot, span in spans if len(span)]
    song = _clip("Song", range(0, frame_at(timeline.duration, fps)), rate, {"sha256": timeline.audio_sha256})
    markers = [_marker(mark, fps) for mark in _marks(timeline)]
    document = {
        "OTIO_SCHEMA": "Timeline.1",
        "name": TITLE,
        "global_start_time": _time(0, rate),
        "metadata": {"music_video": {"tempo": timeline.tempo, "metre": timeline.metre}},
        "tracks": {
            "OTIO_SCHEMA": "Stack.1",
            "name": "tracks",
            "metadata": {},
            "source_range": None,
            "effects": [],
            "markers": markers,
            "children": [_track("Shots", "Video", clips), _track("Song", "Audio", [song])],
        },
    }
    return json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _shots_of(timeline: Timeline) -> tuple[Shot, ...]:
    if not timeline.shots:
        raise ValueError("The timeline has no shots yet; connect the timeline that comes out of Storyboard Writer.")
    return timeline.shots


def _settings(shot: Shot) -> dict[str, Any]:
    return {name: value for name, value in asdict(shot).items() if name not in ("start", "end")}


def _marks(timeline: Timeline) -> Iterator[_Mark]:
    for section in timeline.sections:
        yield _Mark(section.start, section.end, section.label, "GREEN")
    for line in timeline.lines:
        yield _Mark(line.start, line.end, line.text, "YELLOW")


def _time(frames: int, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "RationalTime.1", "rate": rate, "value": float(frames)}


def _range(frames: range, rate: float) -> dict[str, Any]:
    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": _time(frames.start, rate), "duration": _time(len(frames), rate)}


def _clip(name: str, frames: range, rate: float, settings: dict[str, Any]) -> dict[str, Any]:
    """A stretch of the film; its media is missing until the editing program is shown the file."""
    missing = {"OTIO_SCHEMA": "MissingReference.1", "name": "", "metadata": {}, "available_range": None}
    return {
        "OTIO_SCHEMA": "Clip.2",
        "name": name,
        "metadata": {"music_video": settings},
        "source_range": _range(frames, rate),
        "effects": [],
        "markers": [],
        "enabled": True,
        "media_references": {"DEFAULT_MEDIA": missing},
        "active_media_reference_key": "DEFAULT_MEDIA",
    }


def _track(name: str, kind: str, clips: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "OTIO_SCHEMA": "Track.1",
        "name": name,
        "kind": kind,
        "metadata": {},
        "source_range": None,
        "effects": [],
        "markers": [],
        "children": clips,
    }


def _marker(mark: _Mark, fps: Fraction) -> dict[str, Any]:
    first = frame_at(mark.start, fps)
    frames = range(first, max(first, frame_at(mark.end, fps)))
    return {"OTIO_SCHEMA": "Marker.2", "name": mark.text, "color": mark.colour, "metadata": {}, "marked_range": _range(frames, float(fps))}


def write_edl(timeline: Timeline, fps: Fraction) -> str:
    """One event a shot, with a marker for the shot and locators for the sections and lines that begin in it.

    Timecode does not drop frames: it counts 24 for 23.976, 30 for 29.97. ValueError without shots, and for frame rates that no
    timecode can count.
    """
    spans = [(shot, frame_span(shot, fps)) for shot in _shots_of(timeline)]
    spans = [(shot, span) for shot, span in spans if len(span)]
    count = _frames_counted(fps)
    if len(spans) > MOST_EVENTS:
        raise ValueError(f"An edit decision list holds {MOST_EVENTS} shots at most, and there are {len(spans)}; choose otio.")
    marks = [(frame_at(mark.start, fps), mark) for mark in _marks(timeline)]
    lines = [f"TITLE: {TITLE}", "FCM: NON-DROP FRAME", ""]
    for number, (shot, span) in enumerate(spans, start=1):
        lines += _event(number, shot, span, count)
        lines += [_locator(frame, mark.colour, mark.text, count) for frame, mark in marks if frame in span]
        lines.append("")
    return "\n".join(lines)


def _frames_counted(fps: Fraction) -> int:
    """How many frames a second the timecode counts."""
    count = round(fps)
    if fps != count and fps != Fraction(count * 1000, 1001) or count > 99:
        raise ValueError(
            f"No timecode counts {float(fps):g} frames a second; choose a whole number up to 99, 23.976, 29.97 or 59.94, or export as otio."
        )
    return count


def _event(number: int, shot: Shot, span: range, count: int) -> list[str]:
    source = f"{_timecode(span.start, count)} {_timecode(span.stop, count)}"
    record = f"{_timecode(span.start, count, START_HOUR)} {_timecode(span.stop, count, START_HOUR)}"
    note = _note(shot.prompt).replace("|", "/")
    return [
        f"{number:03d}  AX       V     C        {source} {record}",
        f"* FROM CLIP NAME: Shot {number:03d}",
        _locator(span.start, "BLUE", shot.prompt, count),
        f" |C:ResolveColorBlue |M:{note} |D:{len(span)}",
    ]


def _locator(frame: int, colour: str, text: str, count: int) -> str:
    return f"* LOC: {_timecode(frame, count, START_HOUR)} {colour:7} {_note(text)}"


def _note(text: str) -> str:
    """One line of limited length."""
    return " ".join(text.split())[:LONGEST_NOTE]


def _timecode(frame: int, count: int, start_hour: int = 0) -> str:
    seconds, frames = divmod(frame, count)
    return f"{start_hour + seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}:{frames:02d}"
