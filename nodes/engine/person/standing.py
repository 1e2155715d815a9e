"""The ledger's lines -> how each receipt stands: given, until when, ended or not, and whether the record can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .ledger import Entry
from .receipt import read_time

SOON = 14 * 86400.0  # seconds: a consent that ends so soon is shown as expiring


@dataclass(frozen=True)
class Standing:
    receipt_id: str
    sha256: str  # of the receipt
    level: str
    pictures: int
    given_at: str
    retention_until: str
    ended: str | None = None  # "withdrawn" | "expired"
    sound: bool = True  # no line since it was given was changed: none of them can have been a withdrawal

    def is_over(self, now: float) -> bool:
        return bool(self.ended) or read_time(self.retention_until) <= now

    def status(self, now: float) -> str:
        """ "valid", "expiring", "expired", "withdrawn" or "damaged"."""
        if self.ended:
            return self.ended
        if not self.sound:
            return "damaged"
        left = read_time(self.retention_until) - now
        return "expired" if left <= 0 else "expiring" if left < SOON else "valid"


@dataclass(frozen=True)
class Summary:
    """One person's standing for the People panel. `name` is for the page only; None once it is deleted or unreadable."""

    receipt_id: str
    name: str | None = field(repr=False)
    status: str  # "valid", "expiring", "expired", "withdrawn" or "damaged"
    level: str | None
    purposes: tuple[str, ...]
    pictures: int
    given_at: str  # UTC, 2026-11-22T22:39:00Z
    retention_until: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def read_standings(entries: Sequence[Entry], complete: bool) -> dict[str, Standing]:
    """By receipt id. `complete` is False where lines are missing at the ledger's end."""
    standings: dict[str, Standing] = {}
    for entry in entries:
        if not entry.sound:
            standings = {key: replace(standing, sound=False) for key, standing in standings.items()}
        if not entry.receipt_id:
            continue
        if entry.event == "verified" and entry.sound:
            facts = {name: str(value) for name, value in entry.facts.items()}
            standings[entry.receipt_id] = Standing(
                entry.receipt_id, facts["sha256"], facts["level"], int(facts["pictures"]), entry.time, facts["until"]
            )
        elif entry.event in ("withdrawn", "expired") and entry.receipt_id in standings:
            standings[entry.receipt_id] = replace(standings[entry.receipt_id], ended=entry.event)
    return standings if complete else {key: replace(standing, sound=False) for key, standing in standings.items()}
