"""What it took to draw: model evaluations and seconds, kept beside each clip and added up for a film.

A clip's numbers lie in a small file beside it, `<clip>.json`, and stay as long as the clip does: a clip that is used again keeps the
numbers of its making. A film's tags hold the evaluations and whose consent its clips name, both the same whoever draws it; seconds
differ from run to run and from machine to machine, so they are never written into a film, whose bytes must not differ.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .clip_source import Clip, FileClip
from .video_frames import read_tags

TAG = "music_video_work"  # of a film
CONSENT = "consent "  # how the comment of a clip or film begins that names receipts


@dataclass(frozen=True)
class ClipWork:
    evaluations: int  # pictures run through the network, with and without the prompt counted as two
    seconds: float  # of the clock, from the first noise to the last encoded frame


@dataclass(frozen=True)
class FilmWork:
    """The sum over those clips that are `known`, of all `clips`; they fill `covered` seconds of the film."""

    evaluations: int
    known: int
    clips: int
    covered: float
    seconds: float | None = None  # None for a film from a file

    def to_tag(self) -> dict[str, str]:
        facts = {name: value for name, value in asdict(self).items() if name != "seconds"}
        return {TAG: json.dumps(facts, sort_keys=True)} if self.known else {}


def write_clip_work(clip: Path, work: ClipWork) -> None:
    """Keeps a clip's numbers. Call before the clip has its name, so that there is no clip without them."""
    place = _beside(clip)
    temporary = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        temporary.write_text(json.dumps({"evaluations": work.evaluations, "seconds": round(work.seconds, 3)}), encoding="utf-8")
        os.replace(temporary, place)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(
            f"A clip's numbers cannot be written into {place.parent} ({error.strerror}); make room there, then run again."
        ) from error


def read_clip_work(clip: Path) -> ClipWork | None:
    """The numbers of a clip's making; None for a clip that came from elsewhere."""
    try:
        found = json.loads(_beside(clip).read_text(encoding="utf-8"))
        return ClipWork(int(found["evaluations"]), float(found["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget_clip_work(folder: Path) -> None:
    """Deletes numbers whose clip is gone."""
    for place in folder.glob("*.mp4.json"):
        if not place.with_suffix("").exists():
            place.unlink(missing_ok=True)


def add_work(clips: Sequence[Clip]) -> FilmWork:
    """What drawing these clips took, as far as it is known."""
    found = [(clip, work) for clip in clips if (path := _path_of(clip)) and (work := read_clip_work(path))]
    covered = sum(clip.facts.duration for clip, _ in found)
    seconds = sum(work.seconds for _, work in found)
    return FilmWork(sum(work.evaluations for _, work in found), len(found), len(clips), round(covered, 6), seconds if found else None)


def read_work(film: Clip) -> FilmWork | None:
    """What a film's own tags tell; None where they tell nothing."""
    try:
        facts = json.loads(_tags_of(film)[TAG])
        work = FilmWork(int(facts["evaluations"]), int(facts["known"]), int(facts["clips"]), float(facts["covered"]))
    except (ValueError, KeyError, TypeError):
        return None
    return work if work.known > 0 and work.covered > 0 and work.evaluations >= 0 else None


def tag_receipts(receipts: Sequence[str]) -> dict[str, str]:
    """The tag by which a file names the consents behind it, so that it can be found and deleted."""
    return {"comment": CONSENT + " ".join(receipts)} if receipts else {}


def read_receipts(clips: Sequence[Clip]) -> tuple[str, ...]:
    """The receipts' ids that clips or films name, each once."""
    texts = [_tags_of(clip).get("comment", "") for clip in clips]
    return tuple(sorted({name for text in texts if text.startswith(CONSENT) for name in text[len(CONSENT) :].split()}))


def _tags_of(clip: Clip) -> Mapping[str, Any]:
    return read_tags(clip.source) if isinstance(clip, FileClip) else {}


def _path_of(clip: Clip) -> Path | None:
    return Path(clip.source) if isinstance(clip, FileClip) and isinstance(clip.source, (str, Path)) else None


def _beside(clip: Path) -> Path:
    return clip.with_name(f"{clip.name}.json")
