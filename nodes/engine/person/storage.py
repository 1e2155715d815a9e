"""What is kept of a person, and how it is deleted: consent in, a signed receipt and an encrypted set of pictures out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .receipt import Consent, Receipt

if TYPE_CHECKING:
    from .challenge import Outcome
    from .dataset import FaceDataset
    from .ledger import Break


class ConsentError(ValueError):
    """Something that consent does not cover. `code` is for the page's translations, the text one English sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class GalleryPicture:
    index: int  # what finish() takes
    thumbnail: bytes  # JPEG, at most 256 px
    caption: str


@dataclass(frozen=True)
class Summary:
    """One person's standing for the People panel; `name` goes to the page only."""

    receipt_id: str
    name: str | None  # None once withdrawn or expired: it is gone
    status: str  # "valid" | "expiring" | "expired" | "withdrawn" | "damaged"
    level: str | None
    purposes: tuple[str, ...]
    pictures: int
    given: str  # UTC, 2026-11-22T22:39:00Z
    until: str

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Deletion:
    """What a withdrawal or an expiry did."""

    receipt_id: str
    pictures: int
    loras: int
    clips: int
    not_found: tuple[str, ...]  # base names of registered files that are no longer where they were written
    not_deleted: tuple[str, ...]  # base names of files that the system would not delete

    def to_json(self) -> dict[str, Any]: ...


class PersonStore:
    def __init__(self, folder: Path, *, scan_folders: Sequence[Path] = ()) -> None: ...
    def begin_consent(self, consent: Consent) -> str: ...  # consent_id, 32 hex digits; becomes the receipt id
    def cancel(self, consent_id: str) -> None: ...
    def record_attempt(self, consent_id: str, outcome: Outcome) -> None: ...  # passed or refused: one ledger line
    def choose(self, outcome: Outcome) -> tuple[GalleryPicture, ...]: ...  # after record_attempt of a passed outcome
    def finish(self, consent_id: str, keep: Iterable[int]) -> Receipt: ...
    def list(self) -> tuple[Summary, ...]: ...
    def export(self, receipt_id: str) -> bytes: ...
    def withdraw(self, receipt_id: str) -> Deletion: ...
    def expire(self, now: float | None = None) -> tuple[Deletion, ...]: ...
    def verify_ledger(self) -> Break | None: ...  # .line (from 1), .reason
    def open_dataset(self, receipt_id: str, purpose: str) -> FaceDataset: ...
    def standing(self, receipt_id: str) -> str: ...  # changes whenever open_dataset's answer may change
    def note(self, receipt_id: str, event: str, **facts: str | int) -> None: ...  # a ledger line from trainer or renderer
    def register(self, receipt_id: str, kind: str, path: Path) -> None: ...  # "lora" | "clip" written with this receipt's id


PURPOSES: Mapping[str, str] = {}
