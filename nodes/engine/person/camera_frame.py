"""A message from the page's camera, bytes -> CameraFrame, refused before anything decodes it.

A message is 4 bytes of sequence number (big endian), 32 bytes of nonce, then one baseline or progressive JPEG.
Sizes are checked on the JPEG's own header, so that a small file which claims a huge picture never reaches a
decoder. The module looks at no pixel and knows no session: whether the nonce is the right one, the challenge says.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

NONCE_BYTES = 32
HEADER_BYTES = 4 + NONCE_BYTES
LARGEST_JPEG = 600_000  # bytes; 1280x720 at quality 90 needs about 200,000
LARGEST_MESSAGE = HEADER_BYTES + LARGEST_JPEG
LARGEST_SIDE = 1920
SMALLEST_SIDE = 160
RATE = 20  # frames a second; the page sends 10 to 12
_FRAME_MARKERS = frozenset({0xC0, 0xC1, 0xC2})  # the kinds of JPEG that cameras and pages write
_BARE_MARKERS = frozenset({0x01, *range(0xD0, 0xD9)})  # they carry no length


class FrameError(ValueError):
    """A message that is no camera frame. `code` names the reason; the text is one sentence for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class CameraFrame:
    sequence: int
    nonce: str  # 64 hex digits
    jpeg: bytes


def read_frame(message: bytes) -> CameraFrame:
    """Takes a message apart. Raises FrameError if it is too short, too long, or holds no JPEG of a sane size."""
    if len(message) <= HEADER_BYTES:
        raise FrameError("empty_frame", "The camera sent an empty picture.")
    if len(message) > LARGEST_MESSAGE:
        raise FrameError("frame_too_large", "The camera's pictures are too large. Choose a smaller camera resolution.")
    jpeg = message[HEADER_BYTES:]
    width, height = jpeg_size(jpeg)
    if not (SMALLEST_SIDE <= min(width, height) and max(width, height) <= LARGEST_SIDE):
        raise FrameError("frame_size", f"The camera's pictures must have {SMALLEST_SIDE} to {LARGEST_SIDE} pixels a side.")
    return CameraFrame(int.from_bytes(message[:4], "big"), message[4:HEADER_BYTES].hex(), jpeg)


def jpeg_size(jpeg: bytes) -> tuple[int, int]:
    """(width, height) as the JPEG's header states them. Raises FrameError if the header is not sound."""
    broken = FrameError("not_a_picture", "The camera sent something that is not a JPEG picture.")
    if jpeg[:3] != b"\xff\xd8\xff":
        raise broken
    place = 2
    while place + 9 <= len(jpeg):
        if jpeg[place] != 0xFF:
            raise broken
        marker = jpeg[place + 1]
        if marker in _FRAME_MARKERS:
            return int.from_bytes(jpeg[place + 7 : place + 9], "big"), int.from_bytes(jpeg[place + 5 : place + 7], "big")
        if marker == 0xFF:  # a fill byte
            place += 1
        elif marker in _BARE_MARKERS:
            place += 2
        else:
            length = int.from_bytes(jpeg[place + 2 : place + 4], "big")
            if length < 2 or marker in (0x00, 0xD9, 0xDA):
                raise broken
            place += 2 + length
    raise broken


class RateGate:
    """Lets at most `rate` frames a second through, counted over the last two seconds."""

    def __init__(self, rate: int = RATE) -> None:
        self._times: deque[float] = deque(maxlen=2 * rate)

    def admit(self, now: float) -> None:
        """Takes note of a frame at `now` (seconds). Raises FrameError if frames come faster than any camera's."""
        if len(self._times) == self._times.maxlen and now - self._times[0] < 2:
            raise FrameError("too_fast", "The pictures come faster than a camera takes them.")
        self._times.append(now)
