"""The desk between the page and the engine: consent -> camera session -> gallery -> receipt.

Goes in: a person's consent, then camera messages. Comes out: guidance for the page, and at the end a receipt. It ties
every session to the consent it was opened for and holds nothing longer than that takes; what lasts is the store's.
It knows no HTTP. All calls may come from worker threads and may block; a session judges one message at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .camera_frame import RateGate, read_frame

if TYPE_CHECKING:
    from .challenge import Challenge, Guidance, SessionMaker
    from .receipt import Consent, Receipt
    from .storage import GalleryPicture, PersonStore

WAITING = 1800  # a consent that comes to nothing is forgotten after half an hour, with its pictures
CONSENTS = 30  # waiting at once: more is no person, and every one is a line in the ledger


class ReceptionError(ValueError):
    """Something asked for out of turn. `code` names the reason; the text is one sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class _Waiting:
    since: float
    gallery: tuple[GalleryPicture, ...] = ()


@dataclass
class _Visit:
    challenge: Challenge
    consent_id: str
    gate: RateGate = field(default_factory=RateGate)
    lock: threading.Lock = field(default_factory=threading.Lock)
    watched: bool = False
    recorded: bool = False


class Reception:
    def __init__(self, store: PersonStore, maker: SessionMaker, clock: Callable[[], float] = time.monotonic) -> None:
        self._store, self._maker, self._clock = store, maker, clock
        self._waiting: dict[str, _Waiting] = {}
        self._visits: dict[str, _Visit] = {}
        self._lock = threading.Lock()

    def take_consent(self, consent: Consent) -> str:
        """Keeps a consent and returns its id. Raises ConsentError where it is incomplete, ReceptionError where too many wait."""
        self._forget_old()
        with self._lock:
            if len(self._waiting) >= CONSENTS:
                raise ReceptionError("too_many_consents", "Too many people wait to be verified; please try again in half an hour.")
            consent_id = self._store.begin_consent(consent)
            self._waiting[consent_id] = _Waiting(self._clock())
        return consent_id

    def open_session(self, consent_id: str, *, relaxed: bool, colours: bool, follow: bool) -> Challenge:
        """A new session under a consent. Raises ReceptionError for an unknown consent, ChallengeError while the maker pauses."""
        self._find_waiting(consent_id)
        challenge = self._maker.start(relaxed=relaxed, colours=colours, follow=follow)
        for session_id in [key for key, visit in list(self._visits.items()) if visit.challenge.outcome and not visit.watched]:
            self.leave(session_id)  # opened, and run out without a camera
        with self._lock:
            self._visits[challenge.session_id] = _Visit(challenge, consent_id)
        return challenge

    def watch(self, session_id: str) -> Challenge:
        """Claims a session for one camera. Raises where there is none, or where another camera has it."""
        visit = self._find_visit(session_id)
        with self._lock:
            if visit.watched:
                raise ReceptionError("camera_in_use", "This session already has a camera.")
            visit.watched = True
        return visit.challenge

    def receive(self, session_id: str, message: bytes) -> Guidance:
        """Judges one camera message. Raises FrameError or ChallengeError for what is no frame of this session."""
        visit = self._find_visit(session_id)
        with visit.lock:
            now = self._clock()
            visit.gate.admit(now)
            frame = read_frame(message)
            guidance = visit.challenge.receive(frame.jpeg, frame.sequence, frame.nonce, now)
            self._record(visit)
            return guidance

    def swap(self, session_id: str) -> Guidance:
        """Replaces the present action. Raises ChallengeError where none can be swapped."""
        visit = self._find_visit(session_id)
        with visit.lock:
            return visit.challenge.swap()

    def leave(self, session_id: str) -> None:
        """Ends a session, finished or not; what it held is forgotten."""
        with self._lock:
            visit = self._visits.pop(session_id, None)
        if visit is None:
            return
        with visit.lock:
            self._maker.close(session_id)
            self._record(visit)

    def gallery(self, consent_id: str) -> tuple[GalleryPicture, ...]:
        """The pictures that would be kept. Raises ReceptionError where no session has passed."""
        gallery = self._find_waiting(consent_id).gallery
        if not gallery:
            raise ReceptionError("not_verified", "There are no pictures yet; please finish the camera session first.")
        return gallery

    def finish(self, consent_id: str, keep: Iterable[int]) -> Receipt:
        """Keeps the chosen pictures and returns the signed receipt. Raises ConsentError where too few were chosen."""
        self.gallery(consent_id)
        receipt = self._store.finish(consent_id, keep)
        with self._lock:
            self._waiting.pop(consent_id, None)
        return receipt

    def cancel(self, consent_id: str) -> None:
        """Forgets a consent that came to nothing, with its pictures and sessions."""
        self._find_waiting(consent_id)
        for session_id in [key for key, visit in list(self._visits.items()) if visit.consent_id == consent_id]:
            self.leave(session_id)
        with self._lock:
            known = self._waiting.pop(consent_id, None)
        if known:
            self._store.cancel(consent_id)

    def _record(self, visit: _Visit) -> None:
        outcome = visit.challenge.outcome
        waiting = self._waiting.get(visit.consent_id)
        if outcome is None or visit.recorded or waiting is None:
            return
        visit.recorded = True
        self._store.record_attempt(visit.consent_id, outcome)
        if outcome.passed:
            waiting.gallery = self._store.choose(visit.consent_id, outcome)

    def _find_visit(self, session_id: str) -> _Visit:
        visit = self._visits.get(session_id)
        if visit is None:
            raise ReceptionError("unknown_session", "There is no such session; please start a new one.")
        return visit

    def _find_waiting(self, consent_id: str) -> _Waiting:
        waiting = self._waiting.get(consent_id)
        if waiting is None:
            raise ReceptionError("unknown_consent", "There is no such consent; please start again.")
        return waiting

    def _forget_old(self) -> None:
        now = self._clock()
        for consent_id in [key for key, waiting in list(self._waiting.items()) if now - waiting.since > WAITING]:
            with suppress(ReceptionError):  # cancelled by its own page meanwhile
                self.cancel(consent_id)
