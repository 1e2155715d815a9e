"""Starts verification sessions and finds them again: few at once, each for two minutes, and none for a while after several failures."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from .arrival import LIFE
from .dialogue import ChallengeError
from .face import FaceTracker

if TYPE_CHECKING:
    from .challenge import Challenge

MOST = 8
FAILURES, WITHIN, PAUSE = 5, 180.0, 1800.0
REMEMBERED = 180.0  # after its start a session can be found this long; it may hold pictures


class SessionMaker:
    """All calls may come from any thread."""

    def __init__(self, open_tracker: Callable[[], FaceTracker], clock: Callable[[], float] = time.monotonic) -> None:
        self._open_tracker, self._clock = open_tracker, clock
        self._sessions: dict[str, Challenge] = {}
        self._counted: set[str] = set()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._paused_until = float("-inf")
        self._lock = Lock()

    def start(self, *, relaxed: bool = False, colours: bool = False, follow: bool = True) -> Challenge:
        """A new session. Raises ChallengeError while too many are open or after too many failures."""
        from .challenge import Challenge

        with self._lock:
            now = self._clock()
            self._sweep(now)
            if now < self._paused_until:
                raise ChallengeError("paused")
            if sum(session.outcome is None for session in self._sessions.values()) >= MOST:
                raise ChallengeError("too_many_sessions")
            session = Challenge(self._open_tracker(), now, relaxed=relaxed, colours=colours, follow=follow)
            self._sessions[session.session_id] = session
            return session

    def find(self, session_id: str) -> Challenge:
        """The session, open or just finished. Raises ChallengeError where there is none."""
        with self._lock:
            self._sweep(self._clock())
            if session_id not in self._sessions:
                raise ChallengeError("unknown_session")
            return self._sessions[session_id]

    def close(self, session_id: str) -> None:
        """Ends and forgets a session. One left after its first action was shown counts as a failure, or trying would cost nothing."""
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                return
            session.leave()
            self._count(session, self._clock())
            self._forget(session_id)

    def _sweep(self, now: float) -> None:
        for session_id, session in list(self._sessions.items()):
            if session.outcome is None and now - session.started > LIFE:
                session.expire()
            self._count(session, now)
            if session.outcome is not None and now - session.started > REMEMBERED:
                self._forget(session_id)

    def _count(self, session: Challenge, now: float) -> None:
        if session.outcome is None or session.session_id in self._counted:
            return
        self._counted.add(session.session_id)
        if session.outcome.passed or not session.has_begun:
            return
        self._failures.append(now)
        if len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN:
            self._paused_until = now + PAUSE
            self._failures.clear()

    def _forget(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        self._counted.discard(session_id)
