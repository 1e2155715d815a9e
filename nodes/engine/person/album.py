"""Good frames of a session, few and varied, kept as JPEG in memory until the session has passed.

Bins over yaw, pitch, expression and distance hold five frames each, the sharpest; what is blurred, dark, moving, blinking or not
surely the same person does not get in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .actions import Motion, Pose, name_expression
from .liveness import BRIGHTEST, DARKEST, KEPT, Sight, Watch
from .outcome import Capture

EACH, MOST = 5, 60
LARGEST = MOST * 1280 * 720  # pixels of all pictures together
STEADY = 0.06  # eye distances from frame to frame
OPEN = 0.75  # of the neutral opening; a blink is in no picture
YAWS, PITCHES, NEAR = (-28.0, -20.0, -12.0, -5.0, 5.0, 12.0, 20.0, 28.0), (-7.0, 7.0), 1.15
PATIENCE = 1.1  # a new frame must be this much sharper to take an old one's place
FACE_SIDE = 256


@dataclass(frozen=True)
class _Page:
    jpeg: bytes
    sight: Sight
    pose: Pose
    expression: str
    sharpness: float


class Album:
    def __init__(self) -> None:
        self._bins: dict[tuple[int, int, str, bool], list[_Page]] = {}

    def offer(self, jpeg: bytes, sight: Sight, motion: Motion, watch: Watch) -> None:
        """Keeps the frame if it is good and its bin has nothing better."""
        pose, expression = motion.pose, name_expression(motion.done)
        if expression == "eyes_closed" or motion.eyes < OPEN or sight.steady > STEADY or not DARKEST <= sight.light <= BRIGHTEST:
            return
        where = (int(np.searchsorted(YAWS, pose.yaw)), int(np.searchsorted(PITCHES, pose.pitch)), expression, pose.scale > NEAR)
        pages = self._bins.setdefault(where, [])
        sharpness = sharpness_of(sight)
        worst = min((page.sharpness for page in pages), default=0.0)
        if len(pages) >= EACH and sharpness < worst * PATIENCE:
            return
        distance = watch.distance(sight)
        if distance is None or distance > KEPT:
            return
        if len(pages) < EACH and self._is_full(sight) and not self._thin_out(len(pages)):
            return
        empty = np.empty((0, 0, 3), np.uint8)  # the pixels stay in the JPEG
        pages.append(_Page(jpeg, Sight(sight.time, empty, sight.face, sight.steady, sight.light), pose, expression, sharpness))
        pages.sort(key=lambda page: -page.sharpness)
        del pages[EACH:]

    def _is_full(self, sight: Sight) -> bool:
        count, (height, width) = sum(map(len, self._bins.values())), sight.picture.shape[:2]
        return count >= MOST or (count + 1) * height * width > LARGEST

    def _thin_out(self, count: int) -> bool:
        """Makes room by the least sharp frame of the fullest bin, where that holds two more than a bin with `count`."""
        fullest = max(self._bins.values(), key=len)
        if len(fullest) < count + 2:
            return False
        fullest.pop()
        return True

    def captures(self) -> tuple[Capture, ...]:
        """All of them, in the order they were taken."""
        from .arrival import decode

        pages = sorted((page for pages in self._bins.values() for page in pages), key=lambda page: page.sight.time)
        return tuple(
            Capture(
                picture=decode(page.jpeg),
                face=page.sight.face,
                yaw=page.pose.yaw,
                pitch=page.pose.pitch,
                roll=page.pose.roll,
                scale=page.pose.scale,
                expression=page.expression,
                sharpness=page.sharpness,
                light=page.sight.light,
            )
            for page in pages
        )


def sharpness_of(sight: Sight) -> float:
    """Variance of the Laplacian of the face, brought to 256 pixels."""
    import cv2

    points, picture = sight.face.points, sight.picture
    low = np.clip(points[:, :2].min(axis=0).astype(int), 0, [picture.shape[1] - 2, picture.shape[0] - 2])
    high = np.maximum(points[:, :2].max(axis=0).astype(int), low + 2)
    crop = cv2.cvtColor(np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
    face = cv2.resize(crop, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_LINEAR)
    return float(cv2.Laplacian(face, cv2.CV_32F).var())
