"""A person's pictures with their captions, for training: they can be had only while the consent holds.

A `FaceDataset` is made from a receipt and checks it as it is made: signature, time, standing, purpose, and the hash of every
picture. It keeps no pictures: each is decrypted when it is asked for, after the consent has been looked at again, so
that nothing lives on in a cache when the person withdraws. There is no other way to make one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from .portraits import write_caption
from .receipt import ConsentError, PictureRecord, Receipt

if TYPE_CHECKING:
    import numpy as np


class Keeper(Protocol):
    """Who has the pictures and knows whether the consent holds: the store."""

    def check(self, receipt: Receipt, purpose: str) -> None:
        """Nothing, or a ConsentError."""
        ...

    def read_picture(self, receipt_id: str, number: int) -> bytes:
        """PNG; ConsentError where it is gone or changed."""
        ...


@dataclass(frozen=True)
class FacePicture:
    """One picture with what a trainer needs to know of it; `read` decrypts it: uint8 RGB [height, width, 3]."""

    sha256: str
    caption: str
    width: int
    height: int
    read: Callable[[], np.ndarray]

    def __repr__(self) -> str:
        return f"FacePicture({self.width} x {self.height})"


class FaceDataset:
    """`purpose` is what it may be used for. Iterates over FacePictures; ConsentError as soon as the consent has ended."""

    def __init__(self, receipt: Receipt, purpose: str, keeper: Keeper) -> None:
        self._receipt, self._keeper, self.purpose = receipt, keeper, purpose
        self.require_consent()
        for number in range(len(receipt.pictures)):
            self._open(number)

    @property
    def receipt_id(self) -> str:
        return self._receipt.receipt_id

    @property
    def trigger(self) -> str:
        return self._receipt.trigger

    @property
    def purposes(self) -> tuple[str, ...]:
        return self._receipt.purposes

    @property
    def level(self) -> str:
        return self._receipt.level

    @property
    def notice_version(self) -> int:
        return int(self._receipt.notice_version)

    @property
    def until(self) -> str:
        return self._receipt.until

    def require_consent(self) -> None:
        """Nothing while the consent holds, else ConsentError. Ask before, during and after long work."""
        self._keeper.check(self._receipt, self.purpose)

    def read(self, number: int) -> np.ndarray:
        """Picture `number` as uint8 RGB [height, width, 3]."""
        self.require_consent()
        return decode_picture(self._open(number))

    def __len__(self) -> int:
        return len(self._receipt.pictures)

    def __iter__(self) -> Iterator[FacePicture]:
        for number, record in enumerate(self._receipt.pictures):
            yield FacePicture(record.sha256, caption_of(self._receipt, record), record.width, record.height, lambda n=number: self.read(n))

    def __repr__(self) -> str:  # printed by preview nodes and logs: nothing of the person
        return f"FaceDataset({len(self)} pictures, receipt {self.receipt_id[:8]}, {self.level}, {self.purpose} until {self.until[:10]})"

    def _open(self, number: int) -> bytes:
        content = self._keeper.read_picture(self.receipt_id, number)
        if hashlib.sha256(content).hexdigest() != self._receipt.pictures[number].sha256:
            raise ConsentError("changed", "A picture is not the one that the person agreed to; please verify again.")
        return content


def caption_of(receipt: Receipt, record: PictureRecord) -> str:
    return write_caption(receipt.trigger, record.framing, record.pose, record.expression)


def encode_picture(picture: np.ndarray) -> bytes:
    """uint8 RGB as PNG: without loss, and without any metadata."""
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    return data.tobytes()


def decode_picture(content: bytes) -> np.ndarray:
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConsentError("changed", "A picture cannot be read any more; please verify again.")
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def encode_thumbnail(picture: np.ndarray, side: int = 256) -> bytes:
    """uint8 RGB as a small JPEG for the page."""
    import cv2

    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return data.tobytes()
