"""Frames -> guidance -> outcome: one verification session from its first frame to its verdict."""

from __future__ import annotations

from .dialogue import ACTIONS, HINTS, REASONS, ChallengeError, Guidance
from .outcome import Capture, Outcome, StepResult

__all__ = ["ACTIONS", "HINTS", "REASONS", "Capture", "Challenge", "ChallengeError", "Guidance", "Outcome", "SessionMaker", "StepResult"]


class Challenge:
    """One session. `receive` is called once for every frame, in order, from any one thread at a time."""

    session_id: str
    nonce: str
    outcome: Outcome | None

    def receive(self, jpeg: bytes, sequence: int, nonce: str, received: float) -> Guidance:
        """Judges one frame. `received`: the server's clock in seconds. Raises ChallengeError for breaches of the protocol."""
        raise NotImplementedError

    def swap(self) -> Guidance:
        """Replaces the present action by another; at most twice in a session."""
        raise NotImplementedError


class SessionMaker:
    """Starts and finds sessions."""
