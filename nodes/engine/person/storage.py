"""What is kept of a person, and how it is deleted: a consent and a passed challenge in, a receipt and a dataset out.

    folder/                0700, under the host's private system-user directory
        ledger.jsonl       what happened when (ledger.py), with its seal and its lock
        keys/              master.key, signing.key (keys.py)
        people/<id>/       key, receipt, 00.picture ... (person_files.py), all encrypted

Session frames and landmarks are never written. All methods block (disk, cryptography) and may be called from any thread
and from several processes on one folder. It does not know who calls: whoever reaches the routes may list and withdraw.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .dataset import FaceDataset, decode_picture, encode_thumbnail
from .erasure import find_named, hash_file
from .export import Holdings, write_export
from .folder_lock import locked
from .keys import KeyRing
from .ledger import Break, Ledger
from .notice import notice_text
from .pending import Desk, GalleryPicture, prepare
from .person_files import MadeFile, PersonFiles
from .private_file import make_private
from .receipt import ID, Consent, ConsentError, Receipt, issue, verify
from .refusals import DAMAGED, ENDED, TOO_FEW, UNKNOWN, plain_refusals, require_packages
from .removal import Deletion, destroy, read_made, remove
from .standing import Standing, Summary, read_standings

if TYPE_CHECKING:
    from .outcome import Outcome

FEWEST_KEPT = 8  # fewer do not make a usable model of a face


class PersonStore:
    def __init__(self, folder: Path, *, scan_folders: Sequence[Path] = ()) -> None:
        """`scan_folders` are searched, with all below them, for LoRAs and clips that name a receipt."""
        self.folder, self.scan_folders = folder, tuple(scan_folders)
        self.ledger = Ledger(folder / "ledger.jsonl")
        self._keys = KeyRing(folder / "keys")
        self._desk = Desk()
        self._seen: tuple[tuple[int, ...], dict[str, Standing]] = ((), {})

    def begin_consent(self, consent: Consent) -> str:
        """Keeps a complete consent and gives its id, which becomes the receipt's. ConsentError says what is missing."""
        consent = consent.checked()
        with plain_refusals():
            require_packages()  # before a person is led through all of it in vain
        pending = self._desk.add(consent)
        notice = notice_text(consent.language)
        with self._changing():
            self.ledger.append("notice_shown", pending.consent_id, language=notice.language, version=notice.version, sha256=notice.sha256)
            self.ledger.append("consent", pending.consent_id, purposes="+".join(consent.purposes), days=consent.retention_days)
        return pending.consent_id

    def cancel(self, consent_id: str) -> None:
        """Forgets a consent that came to nothing, and its pictures."""
        if self._desk.remove(consent_id):
            with self._changing():
                self.ledger.append("cancelled", consent_id)

    def record_attempt(self, consent_id: str, outcome: Outcome) -> None:
        """Notes a finished session, passed or refused."""
        pending = self._desk.find(consent_id)
        with self._changing():
            self.ledger.append("attempt", consent_id, passed=int(outcome.passed), reason=outcome.reason or "", level=outcome.level or "")
        if outcome.passed:
            pending.outcome, pending.candidates = outcome, ()

    def choose(self, consent_id: str, outcome: Outcome) -> tuple[GalleryPicture, ...]:
        """The pictures that would be kept, for the person to prune. Needs `record_attempt` of the same outcome before."""
        pending = self._desk.find(consent_id)
        if pending.outcome is None or pending.outcome.session_id != outcome.session_id:
            raise ConsentError("not_verified", "There is no passed session for this consent; please do the check first.")
        if not pending.candidates:
            candidates = prepare(outcome.captures)
            if len(candidates) < FEWEST_KEPT:
                raise ConsentError("too_few_pictures", TOO_FEW)
            pending.candidates, pending.outcome = candidates, replace(pending.outcome, captures=())
        return pending.gallery()

    def finish(self, consent_id: str, keep: Iterable[int]) -> Receipt:
        """Encrypts the pictures that the person kept and signs the receipt. ConsentError "too_few_pictures" below eight."""
        with self._changing():  # and looks under the lock: two clicks at once must not finish twice
            pending, wanted = self._desk.find(consent_id), set(keep)
            kept = [candidate for index, candidate in enumerate(pending.candidates) if index in wanted]
            if pending.outcome is None or len(kept) != len(wanted):
                raise ConsentError("not_verified", "These pictures are not part of this session; please start again.")
            if len(kept) < FEWEST_KEPT:
                raise ConsentError("too_few_pictures", f"Please keep at least {FEWEST_KEPT} pictures.")
            self._keys.make()
            records = [candidate.record for candidate in kept]
            head, key = self.ledger.head(), self._keys.signing()
            receipt = issue(consent_id, pending.consent, pending.outcome, records, head, key, time.time())
            self._write(receipt, [candidate.png for candidate in kept])
            self._desk.remove(consent_id)
        return receipt

    def list(self) -> tuple[Summary, ...]:
        """All receipts, the newest first, also those that have ended."""
        standings = self._standings()
        ids = [*reversed(standings), *(receipt_id for receipt_id in self._stored() if receipt_id not in standings)]
        return tuple(self._summary(receipt_id, standings.get(receipt_id)) for receipt_id in ids)

    def receipt(self, receipt_id: str) -> Receipt:
        """The receipt, if it holds; else ConsentError with the reason ("withdrawn", "expired", "changed", ...)."""
        standing = self._standing(receipt_id)
        if standing.ended:
            raise ConsentError(standing.ended, ENDED[standing.ended])
        if not standing.sound:
            raise ConsentError("ledger_damaged", DAMAGED)
        receipt = self._read_receipt(receipt_id)
        with plain_refusals():
            verify(receipt, self._keys.public(), time.time())
        if receipt.sha256 != standing.sha256 or receipt.receipt_id != receipt_id:
            raise ConsentError("changed", "This receipt is not the one that the ledger names; please verify again.")
        return receipt

    def thumbnails(self, receipt_id: str) -> tuple[bytes, ...]:
        """The kept pictures as small JPEGs, in their order."""
        numbers = range(len(self.receipt(receipt_id).pictures))
        return tuple(encode_thumbnail(decode_picture(self.read_picture(receipt_id, number))) for number in numbers)

    def open_dataset(self, receipt_id: str, purpose: str) -> FaceDataset:
        """The pictures for one purpose. ConsentError unless signature, time, standing, purpose and every picture are right."""
        return FaceDataset(self.receipt(receipt_id), purpose, self)

    def check(self, receipt: Receipt, purpose: str) -> None:
        """Nothing while this receipt holds for the purpose, else ConsentError."""
        if self.receipt(receipt.receipt_id).sha256 != receipt.sha256:
            raise ConsentError("changed", "This receipt is not the one that is kept here; please verify again.")
        if purpose not in receipt.purposes:
            raise ConsentError("other_purpose", "This person has not agreed to this use; ask them, and verify again.")

    def read_picture(self, receipt_id: str, number: int) -> bytes:
        """PNG. For FaceDataset, which checks its hash."""
        with plain_refusals():
            return self._files(receipt_id).read_picture(self._keys.master(), number)

    def standing(self, receipt_id: str) -> str:
        """A text that changes whenever the answer of `open_dataset` may change; never an error."""
        standing = self._standings().get(receipt_id)
        if standing is None:
            return "unknown"
        return f"{standing.status(time.time())} {standing.sha256} {self._files(receipt_id).exists()}"

    def verify_ledger(self) -> Break | None:
        """The ledger's first broken line, or None."""
        return self.ledger.verify()

    def note(self, receipt_id: str, event: str, **facts: str | int) -> None:
        """One line in the ledger, such as "train_started"; see ledger.EVENTS."""
        self._standing(receipt_id)
        with self._changing():
            self.ledger.append(event, receipt_id, **facts)

    def register(self, receipt_id: str, kind: str, path: Path) -> None:
        """Remembers a "lora" or a "clip" that was written with this receipt's id in it, so that it can be deleted."""
        self.receipt(receipt_id)
        with self._changing():
            self._files(receipt_id).add_made(self._keys.master(), MadeFile(kind, path.resolve(), hash_file(path)))
            if kind == "lora":
                self.ledger.append("lora_written", receipt_id, sha256=hash_file(path))

    def export(self, receipt_id: str) -> bytes:
        """A zip with everything that is held on the person, also where the records were damaged and nothing may be used any more."""
        standing = self._standings().get(receipt_id)
        if standing and standing.ended:
            raise ConsentError(standing.ended, ENDED[standing.ended])
        receipt = self._read_receipt(receipt_id)
        pictures = [self.read_picture(receipt_id, number) for number in range(len(receipt.pictures))]
        found = [file.path.resolve() for file in find_named(self.scan_folders, [receipt_id])]
        made = [file.path for file in read_made(self._files(receipt_id), self._keys) if file.path not in found]
        entries = [entry for entry in self.ledger.read() if entry.receipt_id == receipt_id]
        notice = notice_text(receipt.body["notice"]["language"], receipt.body["notice"]["version"])
        with self._changing():
            public = self._keys.public().public_bytes_raw().hex()
            self.ledger.append("exported", receipt_id)
        return write_export(Holdings(receipt, public, notice, pictures, entries, [*found, *made]))

    def withdraw(self, receipt_id: str) -> Deletion:
        """Ends a consent at once and deletes everything. May be repeated; it needs neither keys nor an undamaged ledger."""
        self._desk.remove(receipt_id)
        with self._changing():
            standing = self._standings().get(receipt_id)
            if standing is None and receipt_id not in self._stored():
                raise ConsentError("unknown_receipt", UNKNOWN)
            if standing is None or not standing.ended:  # from this line on nothing can be opened, whatever happens to the deletion
                self.ledger.append("withdrawn", receipt_id)
        return self._remove(receipt_id)

    def expire(self, now: float | None = None) -> tuple[Deletion, ...]:
        """Deletes what has run out, finishes deletions that were cut off, and finds files of ended consents that came back."""
        if not self.folder.exists():
            return ()
        with self._changing():
            clock = time.time() if now is None else now
            over = {key: standing for key, standing in self._standings().items() if standing.is_over(clock)}
            new = [key for key, standing in over.items() if not standing.ended]
            for key in new:
                self.ledger.append("expired", key)
            self._tidy()
        with plain_refusals():
            back = {file.receipt_id for file in find_named(self.scan_folders, over)}
        return tuple(self._remove(key) for key in over if key in new or key in back or self._files(key).exists())

    def _tidy(self) -> None:
        """Deletes what a crash left: folders that were being written, and those that no line of a whole ledger speaks of."""
        for leftover in self._people.glob(".new-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        if self.ledger.verify() is None:
            for key in set(self._stored()) - set(self._standings()):
                destroy(self._files(key), self.ledger)

    @property
    def _people(self) -> Path:
        return self.folder / "people"

    def _files(self, receipt_id: str) -> PersonFiles:
        if not ID.match(receipt_id):  # it becomes a part of a path
            raise ConsentError("unknown_receipt", UNKNOWN)
        return PersonFiles(self._people / receipt_id, receipt_id)

    def _stored(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self._people.glob("*") if ID.match(path.name)))

    def _standings(self) -> dict[str, Standing]:
        """By receipt id; read anew whenever the ledger has changed."""
        with plain_refusals():
            stamp = self.ledger.stamp()
            if not stamp or stamp != self._seen[0]:
                entries, broken = self.ledger.inspect()
                complete = broken is None or broken.reason == "torn" or broken.line <= len(entries)
                self._seen = (stamp, read_standings(entries, complete))
        return self._seen[1]

    def _standing(self, receipt_id: str) -> Standing:
        standing = self._standings().get(receipt_id)
        if standing is None:
            stored = isinstance(receipt_id, str) and receipt_id in self._stored()
            raise ConsentError("ledger_damaged", DAMAGED) if stored else ConsentError("unknown_receipt", UNKNOWN)
        return standing

    def _write(self, receipt: Receipt, pictures: Sequence[bytes]) -> None:
        make_private(self._people)
        files = self._files(receipt.receipt_id)
        try:
            files.create(self._keys.master(), receipt.to_json().encode(), pictures)
            self.ledger.append("verified", receipt.receipt_id, level=receipt.level, until=receipt.until, sha256=receipt.sha256,
                               pictures=len(pictures))  # fmt: skip
            for number, record in enumerate(receipt.pictures):
                self.ledger.append("picture_written", receipt.receipt_id, number=number, sha256=record.sha256)
        except BaseException:
            if files.exists():
                files.destroy()
            raise

    def _remove(self, receipt_id: str) -> Deletion:
        with plain_refusals():
            return remove(self._files(receipt_id), self._keys, self.scan_folders, self.ledger, self._changing)

    def _read_receipt(self, receipt_id: str) -> Receipt:
        """What lies there, whether it still holds or not; ConsentError where there is nothing or it is not whole."""
        files = self._files(receipt_id)
        if not files.exists():
            raise ConsentError("unknown_receipt", UNKNOWN)
        with plain_refusals():
            return Receipt.from_json(files.read_receipt(self._keys.master()))

    def _summary(self, receipt_id: str, standing: Standing | None) -> Summary:
        name, purposes, status = None, (), standing.status(time.time()) if standing else "damaged"
        try:
            if status not in ENDED:
                body = self._read_receipt(receipt_id).body
                name, purposes = body["subject"]["name"], tuple(body["purposes"])
                self.receipt(receipt_id)
        except ConsentError:
            status = "damaged"
        if standing is None:
            return Summary(receipt_id, name, status, None, purposes, 0, "", "")
        return Summary(receipt_id, name, status, standing.level, purposes, standing.pictures, standing.given_at, standing.retention_until)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the store's lock."""
        with plain_refusals():
            make_private(self.folder)
            with locked(self.folder / "store.lock"):
                yield
