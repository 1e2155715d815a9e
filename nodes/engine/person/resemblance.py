"""A person's kept pictures, and frames of a film -> how much the faces in them look like that person.

The measure is a session's own (`likeness`): edges of the unrolled face, compared by their directions. It is no face recognition: it was
tried with two software people, says nothing of look-alikes, and means less the further a film's style is from a photograph. Only
numbers leave; the pictures' textures live as long as the `Sitter`, and every shot asks for the consent again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from .dataset import FaceDataset
from .face import Face
from .likeness import Likeness
from .receipt import ConsentError

FIRST_NOTICE = 2  # of which on the notice says that videos may be compared with the pictures
PURPOSE = "make_videos"


@dataclass(frozen=True)
class Resemblance:
    """Of some frames those in which a face was `found`; `likeness` is their median, None where there is none.

    1 is the same texture, 0 nothing in common. What it comes to depends on the style more than on anything else, so that only shots of
    one style can be compared (numbers in tests/bench/RESULTS.md).
    """

    frames: int
    found: int
    likeness: float | None


class Sitter:
    """Somebody with whom frames are compared. ConsentError without a consent that covers it; ValueError where no face is found."""

    def __init__(self, dataset: FaceDataset, find: Callable[[np.ndarray], Face | None]) -> None:
        """`find` gives the largest face of a picture, uint8 RGB [height, width, 3]."""
        if dataset.notice_version < FIRST_NOTICE:
            raise ConsentError("other_purpose", "The person agreed before such comparisons were a part of it; ask them, and verify again.")
        self._dataset, self._find = dataset, find
        pictures = ((record.caption, record.read()) for record in dataset)
        looks = [(caption, picture, face.points) for caption, picture in pictures if (face := find(picture)) is not None]
        if not looks:
            raise ValueError("No face is found in the person's own pictures; verify again in better light.")
        rested = [points for caption, _, points in looks if "facing the camera" in caption and "neutral" in caption]
        self._likeness = Likeness(rested[0] if rested else looks[0][2])
        for _, picture, points in looks:
            self._likeness.enrol(picture, points)

    def compare(self, frames: Iterable[np.ndarray]) -> Resemblance:
        """Frames of one shot, uint8 RGB [height, width, 3]; of several faces in one the largest counts."""
        self._dataset.require_consent()
        faces = [(frame, self._find(frame)) for frame in frames]
        distances = [self._likeness.distance(frame, face.points) for frame, face in faces if face is not None]
        seen = [1 - distance for distance in distances if distance is not None]
        return Resemblance(len(faces), len(distances), float(np.median(seen)) if seen else None)
