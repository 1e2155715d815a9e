"""Frames as they arrive -> whether they can be a live camera's, by the server's own clock; and their pixels, safely decoded.

Looks at order, speed, gaps, the session's life and repeated pictures, never at faces.
"""

from __future__ import annotations

import hashlib
from collections import deque

import numpy as np

from .camera_frame import LARGEST_SIDE, FrameError, jpeg_size
from .dialogue import ChallengeError

LIFE = 120.0
GAP = 2.0  # a longer silence leaves room for anything to happen unseen
FASTEST, BURST = 25.0, 10  # frames a second in the long run, and how many may come at once after a stall
LARGEST_JPEG = 1_500_000
SHOWN_AGAIN = 3  # a camera's noise never repeats, but a slow camera shows its last picture twice
FROZEN = 2.0
BAD_PICTURES = 5


class Arrivals:
    """The frames of one session. Every check returns a refusal's code or None."""

    def __init__(self, started: float) -> None:
        self._started = started
        self._sequence = -1
        self._last: float | None = None
        self._allowance = float(BURST)
        self._seen: deque[bytes] = deque(maxlen=2000)
        self._known: set[bytes] = set()
        self._changed = started
        self._repeats = 0
        self._bad = 0

    def check_order(self, sequence: int, received: float) -> str | None:
        """Whether this frame comes in its turn and time."""
        last, self._last = self._last, received
        if received - self._started > LIFE:
            return "expired"
        if sequence != self._sequence + 1 or (last is not None and received < last):
            return "out_of_order"
        self._sequence = sequence
        if last is not None:
            if received - last > GAP:
                return "connection_slow"
            self._allowance = min(BURST, self._allowance + (received - last) * FASTEST)
        self._allowance -= 1
        return "too_fast" if self._allowance < 0 else None

    def is_repeated(self, jpeg: bytes) -> bool:
        """Whether this is the very picture that came just before (a camera slower than the page asks it)."""
        return bool(self._seen) and self._seen[-1] == _hash(jpeg)

    def check_picture(self, jpeg: bytes, received: float) -> str | None:
        """Whether this picture has been shown before: frozen, or a recording in a loop."""
        if self.is_repeated(jpeg):
            return "picture_repeated" if received - self._changed > FROZEN else None
        key = _hash(jpeg)
        self._changed = received
        self._repeats += key in self._known
        self._known.add(key)
        self._seen.append(key)
        return "picture_repeated" if self._repeats > SHOWN_AGAIN else None

    def count_bad(self) -> str | None:
        """One more picture that could not be read."""
        self._bad += 1
        return "bad_pictures" if self._bad > BAD_PICTURES else None


def decode(jpeg: bytes) -> np.ndarray:
    """JPEG -> uint8 RGB [H, W, 3]. Its size is read from the header first, so that nothing huge is ever unpacked."""
    import cv2

    try:
        width, height = jpeg_size(jpeg)
    except FrameError as error:
        raise ChallengeError("not_a_picture") from error
    if len(jpeg) > LARGEST_JPEG or max(width, height) > LARGEST_SIDE or min(width, height) < 1:
        raise ChallengeError("picture_too_large")
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise ChallengeError("not_a_picture")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _hash(jpeg: bytes) -> bytes:
    return hashlib.blake2b(jpeg, digest_size=16).digest()
