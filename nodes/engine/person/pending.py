"""Consents on their way to a receipt, in memory only: who agreed to what, and the pictures they may still prune."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .dataset import encode_picture, encode_thumbnail
from .portraits import choose_portraits, write_caption
from .receipt import Consent, ConsentError, PictureRecord, trigger_word

if TYPE_CHECKING:
    from .outcome import Capture, Outcome

LIFE = 2400.0  # seconds until an unfinished consent is forgotten with its pictures
MOST = 64  # at once; the oldest goes


@dataclass(frozen=True)
class GalleryPicture:
    """A picture that the person may keep or take out. `thumbnail` is a JPEG; `index` is what finish() takes."""

    index: int
    thumbnail: bytes
    caption: str

    def __repr__(self) -> str:
        return f"GalleryPicture({self.index})"


@dataclass(frozen=True)
class Candidate:
    """A picture as it would be stored."""

    record: PictureRecord
    png: bytes
    thumbnail: bytes

    def __repr__(self) -> str:
        return "Candidate()"


@dataclass
class Pending:
    consent_id: str
    consent: Consent
    since: float
    outcome: Outcome | None = None  # the last one that passed
    candidates: tuple[Candidate, ...] = ()

    def gallery(self) -> tuple[GalleryPicture, ...]:
        trigger = trigger_word(self.consent_id)
        return tuple(
            GalleryPicture(index, candidate.thumbnail, write_caption(trigger, record.framing, record.pose, record.expression))
            for index, candidate in enumerate(self.candidates)
            for record in (candidate.record,)
        )


def prepare(captures: Sequence[Capture]) -> tuple[Candidate, ...]:
    """The best of the captures as they would be stored."""
    candidates = []
    for portrait in choose_portraits(captures):
        png = encode_picture(portrait.picture)
        height, width = portrait.picture.shape[:2]
        record = PictureRecord(hashlib.sha256(png).hexdigest(), width, height, portrait.framing, portrait.pose, portrait.expression)
        candidates.append(Candidate(record, png, encode_thumbnail(portrait.picture)))
    return tuple(candidates)


class Desk:
    """All pending consents of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: dict[str, Pending] = {}

    def add(self, consent: Consent) -> Pending:
        pending = Pending(secrets.token_hex(16), consent, time.monotonic())
        with self._lock:
            self._forget_old()
            while len(self._pending) >= MOST:
                del self._pending[next(iter(self._pending))]
            self._pending[pending.consent_id] = pending
        return pending

    def find(self, consent_id: Any) -> Pending:
        with self._lock:
            self._forget_old()
            pending = self._pending.get(consent_id) if isinstance(consent_id, str) else None
        if pending is None:
            raise ConsentError("unknown_consent", "This consent is not open any more; please start again.")
        return pending

    def remove(self, consent_id: str) -> Pending | None:
        with self._lock:
            return self._pending.pop(consent_id, None)

    def _forget_old(self) -> None:
        limit = time.monotonic() - LIFE
        for consent_id in [key for key, pending in self._pending.items() if pending.since < limit]:
            del self._pending[consent_id]
