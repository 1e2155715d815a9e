"""What happened to whose pictures, in order and for good: an append-only file of JSON lines, each chained to the one before.

A line is canonical JSON: {event, facts, hash, n, previous, receipt, time}. `hash` is the SHA-256 of the line without it,
`previous` the hash of the line before. A second file, the seal, holds number and hash of the last line, so that missing
lines at the end are noticed too. Facts are numbers and short codes from a fixed list: no pictures, no landmarks, no names
of people or files, no addresses. Whoever can write both files can write another history: this finds damage, not forgery
by the machine's owner.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from .folder_lock import locked
from .private_file import canonical, make_private, write_private

EVENTS: Mapping[str, frozenset[str]] = {  # event -> the facts that it may carry
    "notice_shown": frozenset({"language", "version", "sha256"}),
    "consent": frozenset({"purposes", "days"}),
    "attempt": frozenset({"passed", "reason", "level"}),
    "verified": frozenset({"level", "until", "sha256", "pictures"}),
    "picture_written": frozenset({"number", "sha256"}),
    "train_started": frozenset({"steps", "pictures"}),
    "train_ended": frozenset({"steps", "result"}),
    "lora_written": frozenset({"sha256"}),
    "lora_loaded": frozenset(),
    "film_rendered": frozenset({"frames"}),
    "film_compared": frozenset({"frames"}),
    "exported": frozenset(),
    "withdrawn": frozenset(),
    "expired": frozenset(),
    "deleted": frozenset({"kind", "number", "result"}),
    "cancelled": frozenset(),
    "repaired": frozenset({"bytes"}),
}
CODE = re.compile(r"[A-Za-z0-9_.:+-]{0,100}\Z")
START = "0" * 64  # what the first line is chained to


@dataclass(frozen=True)
class Entry:
    number: int
    time: str  # UTC
    event: str
    receipt_id: str | None
    facts: Mapping[str, str | int]
    sound: bool  # False: this line, or the chain into it, was changed


@dataclass(frozen=True)
class Break:
    line: int  # from 1
    reason: str  # "changed", "torn" or "missing"

    def to_json(self) -> dict[str, Any]:
        return {"line": self.line, "reason": self.reason}


@dataclass(frozen=True)
class _Seal:
    n: int
    hash: str


class Ledger:
    """One file; several threads and processes may append to it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seal_path = path.with_suffix(".seal")
        self.lock_path = path.with_suffix(".lock")

    def append(self, event: str, receipt_id: str | None = None, **facts: str | int) -> str:
        """Adds a line, on disk when this returns, and gives its hash. ValueError for facts that do not belong here."""
        _check_facts(event, facts)
        make_private(self.path.parent)
        with locked(self.lock_path):
            last = self._mend()
            return self._write(last, event, receipt_id, facts).hash

    def head(self) -> str:
        """The hash of the last line."""
        if not self.path.exists():
            return START
        with locked(self.lock_path):
            return self._mend().hash

    def read(self) -> tuple[Entry, ...]:
        """All lines in order; a broken one has what can still be read of it, and `sound` False."""
        return self.inspect()[0]

    def verify(self) -> Break | None:
        """The first broken line, or None."""
        return self.inspect()[1]

    def stamp(self) -> tuple[int, ...]:
        """Another value whenever a line was added or a file written."""
        stats = [path.stat() for path in (self.path, self.seal_path) if path.exists()]
        return tuple(number for stat in stats for number in (stat.st_ino, stat.st_size, stat.st_mtime_ns))

    def inspect(self) -> tuple[tuple[Entry, ...], Break | None]:
        """Both of these from one look at the files."""
        if not self.path.exists():
            return (), Break(1, "missing") if self.seal_path.exists() else None
        with locked(self.lock_path):
            data, seal = self.path.read_bytes(), self._read_seal()
        lines = data.split(b"\n")
        tail = lines.pop()
        entries, broken, last = [], None, _Seal(0, START)
        for place, line in enumerate(lines, 1):
            fields = _parse(line)
            sound = fields is not None and (fields["n"], fields["previous"]) == (last.n + 1, last.hash)
            broken = broken if sound or broken else Break(place, "changed")
            entries.append(_entry(fields, place, sound))
            last = _Seal(fields["n"], fields["hash"]) if fields else _Seal(last.n + 1, _digest(line))
        if tail and not broken:
            broken = Break(len(lines) + 1, "torn" if _is_torn(tail) else "changed")
        return tuple(entries), broken or _check_seal(seal, lines, last)

    def _mend(self) -> _Seal:
        """The last line as a seal, after what a crash may have left has been put in order. Call under the lock."""
        data = self.path.read_bytes() if self.path.exists() else b""
        end = data.rfind(b"\n") + 1
        tail, dropped = data[end:], 0
        if tail and _parse(tail):  # whole but for its line end
            self._append_bytes(b"\n")
            data += b"\n"
        elif tail and _is_torn(tail):
            dropped = len(tail)
            with open(self.path, "r+b") as file:
                file.truncate(end)
                os.fsync(file.fileno())
            data = data[:end]
        elif tail:  # a whole line with a changed end: stays as it is, for all to see
            self._append_bytes(b"\n")
            data += b"\n"
        last = self._last(data)
        return self._write(last, "repaired", None, {"bytes": dropped}) if dropped else last

    def _last(self, data: bytes) -> _Seal:
        seal = self._read_seal()
        if not data:
            return seal or _Seal(0, START)
        line = data[:-1].rpartition(b"\n")[2]
        fields = _parse(line)
        last = _Seal(fields["n"], fields["hash"]) if fields else _Seal(data.count(b"\n"), _digest(line))
        if seal and seal.n > last.n:  # lines are missing; go on behind them, so that the gap stays visible
            return seal
        if seal and seal.n == last.n - 1:  # a crash came between line and seal
            write_private(self.seal_path, _seal_bytes(last))
        return last

    def _write(self, last: _Seal, event: str, receipt_id: str | None, facts: Mapping[str, str | int]) -> _Seal:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        fields = {"n": last.n + 1, "time": now, "event": event, "receipt": receipt_id, "facts": dict(facts), "previous": last.hash}
        fields["hash"] = _digest(canonical(fields))
        self._append_bytes(canonical(fields) + b"\n")
        written = _Seal(last.n + 1, fields["hash"])
        write_private(self.seal_path, _seal_bytes(written))
        return written

    def _append_bytes(self, data: bytes) -> None:
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        with os.fdopen(handle, "ab") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())

    def _read_seal(self) -> _Seal | None:
        """None where there is none; a seal that fits no line where it was changed."""
        if not self.seal_path.exists():
            return None
        try:
            fields = json.loads(self.seal_path.read_bytes())
            seal = _Seal(int(fields["n"]), str(fields["hash"]))
            return seal if _seal_bytes(seal) == self.seal_path.read_bytes() else _Seal(0, "")
        except (ValueError, TypeError, KeyError):
            return _Seal(0, "")


def _check_facts(event: str, facts: Mapping[str, str | int]) -> None:
    if event not in EVENTS or not EVENTS[event].issuperset(facts):
        raise ValueError(f"The ledger knows no event {event!r} with {sorted(facts)}.")
    for name, value in facts.items():
        if not isinstance(value, int) and not (isinstance(value, str) and CODE.match(value)):
            raise ValueError(f"The ledger takes numbers and short codes only; {name} is neither.")


def _check_seal(seal: _Seal | None, lines: list[bytes], last: _Seal) -> Break | None:
    """Whether the file ends where the seal says; the last line may be younger than the seal (a crash came between)."""
    if seal is None:
        return Break(len(lines) + 1, "missing") if len(lines) > 1 else None
    if seal == last:
        return None
    before = _parse(lines[-2]) if len(lines) > 1 else {"n": 0, "hash": START}
    if before and (seal.n, seal.hash) == (before["n"], before["hash"]) and lines:
        return None
    return Break(len(lines) + 1, "missing")


def _parse(line: bytes) -> dict[str, Any] | None:
    """The fields of a line that is exactly what was once written, else None."""
    try:
        fields = json.loads(line)
        if set(fields) != {"n", "time", "event", "receipt", "facts", "previous", "hash"} or canonical(fields) != line:
            return None
        unsigned = {name: value for name, value in fields.items() if name != "hash"}
        return fields if _digest(canonical(unsigned)) == fields["hash"] else None
    except (ValueError, TypeError, RecursionError):
        return None


def _is_torn(tail: bytes) -> bool:
    """Whether a write was cut off: the beginning of a line, or the zeros that some disks leave."""
    try:
        json.JSONDecoder().raw_decode(tail.rstrip(b"\0").decode(errors="replace"))
    except ValueError:
        return True
    return False


def _entry(fields: dict[str, Any] | None, place: int, sound: bool) -> Entry:
    if fields is None:
        return Entry(place, "", "unreadable", None, {}, False)
    return Entry(fields["n"], fields["time"], fields["event"], fields["receipt"], fields["facts"], sound)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _seal_bytes(seal: _Seal) -> bytes:
    return canonical({"n": seal.n, "hash": seal.hash})
