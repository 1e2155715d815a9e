"""Skin tracked through a turn of the head -> whether it has the depth of a face, or is flat or bent paper.

Corners in the skin are followed from frame to frame (Lucas-Kanade, forwards and back). That alone shows cuts and swaps: then they all
die at once. From the neutral face to the turned one a flat print moves as a plane (a homography), a bent print as a plane plus smooth
bending about one axis; a nose and cheeks leave, beyond that, the relief that the mesh's own depth lets expect. What it does not know: a
mask, or the recording of a head, which have true depth.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from .actions import RIGID, eye_distance, fit_rigid
from .face import Face

CORNERS = 300
ENOUGH = 50  # corners that must live through a turn to judge it
WIDTH = 640  # tracking works on a picture brought to this width
REACH = 80  # pixels of that picture that a corner may move from frame to frame; the search itself ends at about 68
# Measured on performers and prints: heads leave a plane by .017 and more, flat prints by up to .008; of the relief to be expected heads
# show .35 to .88, also with less depth and poor cameras, and prints bent by 90 to 140 degrees up to .07.
PLANE, RELIEF = 0.015, 0.22
SHOWN = 15.0  # degrees of yaw from which depth shows
MOVING = ((33, 133, 159, 145), (263, 362, 386, 374), (61, 291, 0, 17, 13, 14))


@dataclass(frozen=True)
class Reading:
    """One frame of a turn: the residual over the eye distance that a plane leaves, and the share of the expected relief (1 = all)."""

    yaw: float
    plane: float
    relief: float


class SkinTrack:
    """Corners in the skin, followed from call to call."""

    def __init__(self) -> None:
        self._grey: np.ndarray | None = None
        self._start = self._now = np.empty((0, 2), np.float32)
        self._depth = np.empty(0, np.float32)
        self._unit = self._zoom = 1.0  # eye distance at the start in tracked pixels; tracked pixels per pixel
        self._face: Face | None = None

    def begin(self, picture: np.ndarray, face: Face) -> None:
        """Takes fresh corners in the face."""
        self._grey, self._zoom = _bring_to_width(picture)
        points = face.points * self._zoom
        self._face, self._unit = face, eye_distance(points)
        self._start = self._now = _find_corners(self._grey, points[:, :2])
        self._depth = _depth_at(self._start, points)

    def follow(self, picture: np.ndarray) -> float:
        """Share of the corners that live on into this picture, 0..1."""
        import cv2

        grey, _ = _bring_to_width(picture)
        before, self._grey = self._grey, grey
        if before is None or before.shape != grey.shape or len(self._now) == 0:
            self._keep(np.zeros(len(self._now), bool), self._now)
            return 0.0
        corner, around = _surroundings(self._now, grey.shape)  # pyramids of whole pictures would take most of a frame's time
        before, grey, now = before[around], grey[around], self._now - corner
        window = {"winSize": (17, 17), "maxLevel": 3, "criteria": (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 0.03)}
        ahead, found, _ = cv2.calcOpticalFlowPyrLK(before, grey, now, None, **window)  # type: ignore[call-overload]
        back, found_back, _ = cv2.calcOpticalFlowPyrLK(grey, before, ahead, None, **window)  # type: ignore[call-overload]
        alive = (found.ravel() > 0) & (found_back.ravel() > 0) & (np.linalg.norm(back - now, axis=1) < 1.0)
        self._keep(alive, ahead + corner)
        return float(alive.mean())

    @property
    def count(self) -> int:
        return len(self._now)

    def read(self, face: Face, yaw: float) -> Reading | None:
        """What the tracked skin says of depth while the head stands at this yaw (degrees); None where too few corners live."""
        if self.count < ENOUGH or self._face is None:
            return None
        turn, scale = fit_rigid(self._face.points[list(RIGID)], face.points[list(RIGID)])
        ahead = np.c_[self._start, self._depth] @ turn.T[:, :2] * scale
        gain = min(_relief_gain(self._start, self._now, ahead, self._unit, axis) for axis in (0, 1))
        return Reading(abs(yaw), _plane_residual(self._start, self._now) / self._unit, gain)

    def _keep(self, alive: np.ndarray, now: np.ndarray) -> None:
        self._start, self._now, self._depth = self._start[alive], now[alive], self._depth[alive]


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
        return plane >= PLANE and float(np.median([reading.relief for reading in wide])) >= RELIEF


def _bring_to_width(picture: np.ndarray) -> tuple[np.ndarray, float]:
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    zoom = WIDTH / picture.shape[1]
    if zoom == 1:
        return grey, 1.0
    return cv2.resize(grey, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_CUBIC), zoom


def _surroundings(points: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, tuple[slice, slice]]:
    """The upper left corner (x, y) of the part of a picture that the points can reach, and its rows and columns."""
    limit = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(points.min(axis=0)).astype(int) - REACH, 0, limit - 1)
    high = np.clip(np.ceil(points.max(axis=0)).astype(int) + REACH, low + 1, limit)
    return low.astype(np.float32), (slice(low[1], high[1]), slice(low[0], high[0]))


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


def _relief_gain(start: np.ndarray, now: np.ndarray, ahead: np.ndarray, unit: float, axis: int) -> float:
    """How much of the relief that the mesh's depth lets expect is there: 1 for a head as deep as its mesh, 0 for paper.

    From the motion of the corners (`now`) and from the expected one (`ahead`) all that a plane bent smoothly along one axis can do is
    taken away (11 terms). What is left of both is compared point by point, so that noise, which knows nothing of the mesh, falls out.
    """
    place = (start - start.mean(axis=0)) / unit
    v, w = place[:, axis], place[:, 1 - axis]
    terms = np.stack([np.ones_like(v), v, w, v * w, v**2, v**3, v**4, v**5, v * v * w, w * w, v**3 * w], axis=1).astype(np.float64)
    both, kept = np.concatenate([now, ahead], axis=1).astype(np.float64), np.ones(len(v), bool)
    left = both
    for _ in range(3):
        weights, *_ = np.linalg.lstsq(terms[kept], both[kept], rcond=None)
        left = both - terms @ weights
        errors = np.linalg.norm(left[:, :2], axis=1)
        kept = errors <= np.percentile(errors, 92)
    seen, expected = left[kept, :2], left[kept, 2:]
    return float((seen * expected).sum() / max(float((expected**2).sum()), 1e-9))


def _depth_at(places: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Depth of the mesh at places [N, 2] in the picture, from its four nearest points."""
    gaps = ((places[:, None] - points[None, :, :2]) ** 2).sum(axis=-1)
    near = np.argsort(gaps, axis=1)[:, :4]
    weights = 1 / (np.take_along_axis(gaps, near, axis=1) + 1.0)
    return ((points[near, 2] * weights).sum(axis=1) / weights.sum(axis=1)).astype(np.float32)


def _trimmed_rms(errors: np.ndarray, share: float) -> float:
    best = np.sort(errors)[: max(1, int(share * len(errors)))]
    return float(np.sqrt((best**2).mean()))
