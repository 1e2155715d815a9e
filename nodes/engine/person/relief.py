"""Skin tracked through a turn of the head -> whether it has the depth of a face, or is flat or bent paper.

Corners in the skin are followed from frame to frame (Lucas-Kanade, forwards and back). That alone shows cuts and swaps: then they all
die at once. From the neutral face to the turned one a flat print moves as a plane (a homography), a bent print as a plane plus smooth
bending about one axis; a nose and cheeks do neither. What it does not know: a mask, or the recording of a head, which have true depth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .actions import eye_distance
from .face import Face

CORNERS = 300
ENOUGH = 50  # corners that must live through a turn to judge it
LARGEST_WIDTH = 640  # tracking works on a picture no wider than this
PLANE, RELIEF = 0.015, 0.029  # study: heads .017+ and .034-.046; flat prints up to .008, bent prints .020-.024
SHOWN = 15.0  # degrees of yaw from which depth shows
MOVING = ((33, 133, 159, 145), (263, 362, 386, 374), (61, 291, 0, 17, 13, 14))


@dataclass(frozen=True)
class Reading:
    """One frame of a turn: residuals over the eye distance that a plane and a bent sheet leave; `bent` is also over sin(yaw)."""

    yaw: float
    plane: float
    bent: float


class SkinTrack:
    """Corners in the skin, followed from call to call."""

    def __init__(self) -> None:
        self._grey: np.ndarray | None = None
        self._start = self._now = np.empty((0, 2), np.float32)
        self._unit = 1.0  # eye distance at the start, in tracked pixels

    def begin(self, picture: np.ndarray, face: Face) -> None:
        """Takes fresh corners in the face."""
        grey, zoom = _shrink(picture)
        self._grey, self._unit = grey, eye_distance(face.points) * zoom
        self._start = self._now = _find_corners(grey, face.points[:, :2] * zoom)

    def follow(self, picture: np.ndarray) -> float:
        """Share of the corners that live on into this picture, 0..1."""
        import cv2

        grey, _ = _shrink(picture)
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape or len(self._now) == 0:
            self._start = self._now = self._now[:0]
            return 0.0
        window = {"winSize": (17, 17), "maxLevel": 3}
        ahead, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, self._now, None, **window)  # type: ignore[call-overload]
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey, before, ahead, None, **window)  # type: ignore[call-overload]
        alive = (found.ravel() > 0) & (found_back.ravel() > 0) & (np.linalg.norm(back - self._now, axis=1) < 1.0)
        share = float(alive.mean())
        self._start, self._now = self._start[alive], ahead[alive]
        return share

    @property
    def count(self) -> int:
        return len(self._now)

    def read(self, yaw: float) -> Reading | None:
        """What the tracked skin says of depth at this yaw (degrees), None where too few corners live."""
        if self.count < ENOUGH:
            return None
        sine = max(abs(float(np.sin(np.deg2rad(yaw)))), 1e-3)
        bent = min(_bend_residual(self._start, self._now, self._unit, axis) for axis in (0, 1)) / self._unit / sine
        return Reading(abs(yaw), _plane_residual(self._start, self._now) / self._unit, bent)


@dataclass
class Turn:
    """The readings of one turn step."""

    readings: list[Reading] = field(default_factory=list)

    def is_solid(self) -> bool | None:
        """Whether a head turned; None where too little was seen."""
        shown = [reading for reading in self.readings if reading.yaw >= SHOWN]
        if len(shown) < 2:
            return None
        widest = max(reading.yaw for reading in shown)
        wide = [reading for reading in shown if reading.yaw >= 0.7 * widest]
        plane = float(np.median([reading.plane for reading in wide]))
        return plane >= PLANE and float(np.median([reading.bent for reading in wide])) >= RELIEF


def _shrink(picture: np.ndarray) -> tuple[np.ndarray, float]:
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    zoom = min(1.0, LARGEST_WIDTH / picture.shape[1])
    return (grey if zoom == 1 else cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)), zoom


def _find_corners(grey: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Corners float32 [N, 2] inside the face, but not in eyes and mouth, which move by themselves."""
    import cv2

    mask = np.zeros_like(grey)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 255)
    for part in MOVING:
        x, y, width, height = cv2.boundingRect(np.round(points[list(part)]).astype(np.int32))
        cv2.rectangle(mask, (x - 4, y - 6), (x + width + 4, y + height + 6), 0, -1)
    found = cv2.goodFeaturesToTrack(grey, CORNERS, 0.002, 3, mask=mask)
    return np.empty((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def _plane_residual(start: np.ndarray, now: np.ndarray) -> float:
    """Pixels (rms of the best 90 %) that one homography leaves."""
    import cv2

    matrix, _ = cv2.findHomography(start, now, cv2.LMEDS)
    if matrix is None:
        return 0.0
    errors = np.linalg.norm(cv2.perspectiveTransform(start[:, None].astype(np.float64), matrix)[:, 0] - now, axis=1)
    return _trimmed_rms(errors, 0.9)


def _bend_residual(start: np.ndarray, now: np.ndarray, unit: float, axis: int) -> float:
    """Pixels (rms of the best 92 %) that a plane bent smoothly along one axis leaves: 11 terms, fitted three times without outliers."""
    place = (start - start.mean(axis=0)) / unit
    v, w = place[:, axis], place[:, 1 - axis]
    terms = np.stack([np.ones_like(v), v, w, v * w, v**2, v**3, v**4, v**5, v * v * w, w * w, v**3 * w], axis=1).astype(np.float64)
    kept, errors = np.ones(len(v), bool), np.zeros(len(v))
    for _ in range(3):
        weights, *_ = np.linalg.lstsq(terms[kept], now[kept].astype(np.float64), rcond=None)
        errors = np.linalg.norm(now - terms @ weights, axis=1)
        kept = errors <= np.percentile(errors, 92)
    return _trimmed_rms(errors, 0.92)


def _trimmed_rms(errors: np.ndarray, share: float) -> float:
    best = np.sort(errors)[: max(1, int(share * len(errors)))]
    return float(np.sqrt((best**2).mean()))
