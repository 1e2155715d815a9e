"""Whose faces a film was made to show, and how like them they came out: the film's consents, the kept pictures and the frames, joined.

The engine's `film` and `person` do not know each other. Numbers go from here into the report, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from .engine.film.clip_source import Clip
from .engine.film.report import ShotLikeness
from .engine.film.work import read_receipts
from .engine.person.receipt import ID, ConsentError, trigger_word
from .engine.person.resemblance import PURPOSE, Sitter
from .engine.timeline import Timeline, frame_span
from .person_folder import person_store

if TYPE_CHECKING:
    import numpy as np

LOOKS = 7  # frames of each shot
LEFT_OUT = "How like a person the film is was left out: {}"


class FilmPeople:
    """Give it every frame of the film in order (`see`), then `finish`."""

    def __init__(self, film: Clip, timeline: Timeline) -> None:
        self._remarks: list[str] = []
        receipts = [receipt_id for receipt_id in read_receipts([film]) if ID.match(receipt_id)]
        self._sitters = {receipt_id: sitter for receipt_id in receipts if (sitter := self._open(receipt_id)) is not None}
        self._shown = find_shots(timeline, receipts)
        self._looks = dict(_plan(timeline, film.facts.fps)) if self._sitters else {}
        self._kept: list[np.ndarray] = []
        self._found: list[tuple[str, ShotLikeness]] = []

    def see(self, number: int, frame: np.ndarray) -> None:
        """A frame, uint8 RGB [height, width, 3]."""
        if number not in self._looks:
            return
        self._kept.append(frame)
        shot, is_last = self._looks[number]
        if is_last:
            for person, receipt_id in enumerate(list(self._sitters), start=1):
                if shot in self._shown[receipt_id]:
                    self._compare(person, receipt_id, shot)
            self._kept = []

    def finish(self) -> tuple[list[ShotLikeness], list[str]]:
        """What was found, and why something was not; the ledger is told whose pictures were used."""
        for receipt_id in {receipt_id for receipt_id, _ in self._found}:
            frames = sum(shot.frames for owner, shot in self._found if owner == receipt_id)
            person_store().note(receipt_id, "film_compared", frames=frames)
        return [shot for _, shot in self._found], self._remarks

    def _open(self, receipt_id: str) -> Sitter | None:
        from .engine.person.mesh_tracker import MeshTracker

        try:
            return Sitter(person_store().open_dataset(receipt_id, PURPOSE), MeshTracker().find_afresh)
        except ValueError as error:  # a ConsentError too
            self._remarks.append(LEFT_OUT.format(error))
            return None

    def _compare(self, person: int, receipt_id: str, shot: int) -> None:
        try:
            seen = self._sitters[receipt_id].compare(self._kept)
            self._found.append((receipt_id, ShotLikeness(shot, person, seen.frames, seen.found, seen.likeness)))
        except ConsentError as error:  # it ended meanwhile: what was measured is dropped
            self._remarks.append(LEFT_OUT.format(error))
            self._found = [(owner, known) for owner, known in self._found if owner != receipt_id]
            self._shown[receipt_id] = frozenset()


def find_shots(timeline: Timeline, receipt_ids: Sequence[str]) -> dict[str, frozenset[int]]:
    """The shots that name each person; all shots where none names anybody, as the film is then drawn with them throughout."""
    shown = {}
    for receipt_id in receipt_ids:
        name, numbered = trigger_word(receipt_id), enumerate(timeline.shots, start=1)
        shown[receipt_id] = frozenset(number for number, shot in numbered if name in shot.prompt or name in shot.end_prompt)
    every = frozenset(range(1, len(timeline.shots) + 1))
    return shown if any(shown.values()) else {receipt_id: every for receipt_id in receipt_ids}


def _plan(timeline: Timeline, fps: Fraction) -> Iterator[tuple[int, tuple[int, bool]]]:
    """The frames of the film that are looked at, spread over each shot and away from its cuts: its number, and whether it is its last."""
    for number, shot in enumerate(timeline.shots, start=1):
        span = frame_span(shot, fps)
        frames = sorted({span.start + int((look + 0.5) * len(span) / LOOKS) for look in range(LOOKS)}) if len(span) else []
        yield from ((frame, (number, frame == frames[-1])) for frame in frames)
