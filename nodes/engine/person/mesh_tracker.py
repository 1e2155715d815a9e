"""Pictures -> faces with MediaPipe's detector, face mesh and iris models, run by OpenCV (4.10 and later, 5 too).

The recipe is MediaPipe's own face mesh graph: detect once, then cut the next crop from the last points. Agreement with MediaPipe
0.10.21 was measured at 0.2 % of the distance between the eyes. What it does not know: faces smaller than about a tenth of the
picture's height, which the short-range detector misses.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .face import Face

if TYPE_CHECKING:
    import cv2

FOLDER = Path(__file__).parent / "models"
MODELS: Mapping[str, str] = {
    "face_detection_short_range.tflite": "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "face_landmark.tflite": "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "iris_landmark.tflite": "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
}
DETECTOR_SIDE = 128
MESH_SIDE = 192
EYE_SIDE = 64
MESH_OUTPUTS = ("conv2d_21", "conv2d_31")  # the points, and whether there is a face
FACE_MARGIN = 1.5  # the crop is this much larger than the box around the points, as in MediaPipe's graph
EYE_MARGIN = 2.3
CERTAIN = 0.5
# Outer and inner corner of the right and the left eye.
EYE_CORNERS = ([33, 133], [362, 263])


@dataclass(frozen=True)
class Region:
    """A square turned by `angle` (radians) around its `centre`, in pixels."""

    centre: np.ndarray
    side: float
    angle: float


@dataclass(frozen=True)
class Detection:
    """A face found by the detector: `box` is x0, y0, x1, y1; `points` [6, 2] begin with the right and the left eye."""

    score: float
    box: np.ndarray
    points: np.ndarray


def read_model(path: Path, sha256: str) -> bytes:
    """The file's bytes, once its hash is right."""
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ValueError(f"The face model {path.name} is not the file this pack was made with; please install the pack again.")
    return data


class MeshTracker:
    """The built-in FaceTracker. Not for several threads at once."""

    name = "mediapipe models, opencv"
    models = MODELS

    def __init__(self) -> None:
        self._detector, self._mesh, self._iris = (_load_net(FOLDER / name, sha) for name, sha in MODELS.items())
        self._anchors = _detector_anchors()
        self._region: Region | None = None
        self._openings: list[float] = []
        self._next_eye = 0

    def find(self, picture: np.ndarray) -> Face | None:
        region, self._region = self._region, None
        face = self._read_mesh(picture, region) if region else None
        if face is None:  # the first picture, or the track was lost
            detections = self._detect(picture)
            if not detections:
                return None
            self._openings = []
            largest = max(detections, key=lambda detection: (detection.box[2] - detection.box[0]) * detection.score)
            face = self._read_mesh(picture, _region_of_detection(largest))
        if face is not None:
            self._region = _region_of_points(face.points)
        return face

    def find_afresh(self, picture: np.ndarray) -> Face | None:
        """Like `find`, for pictures that do not follow each other."""
        self._region = None
        return self.find(picture)

    def count(self, picture: np.ndarray) -> int:
        """The detector takes a flag for a face now and then; the mesh model, asked too, does not."""
        detections = self._detect(picture)
        if len(detections) < 2:
            return len(detections)
        return sum(self._presence(picture, _region_of_detection(detection)) >= CERTAIN for detection in detections)

    def _presence(self, picture: np.ndarray, region: Region) -> float:
        """How surely there is a face in the region, 0..1."""
        crop, _ = _crop(picture, region, MESH_SIDE)
        return _chance(_run(self._mesh, crop / 255.0, MESH_OUTPUTS)[1])

    def _detect(self, picture: np.ndarray) -> list[Detection]:
        import cv2

        height, width = picture.shape[:2]
        zoom = DETECTOR_SIDE / max(height, width)
        size = (max(1, round(width * zoom)), max(1, round(height * zoom)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if zoom < 1 else cv2.INTER_LINEAR)
        border = np.array([(DETECTOR_SIDE - size[0]) // 2, (DETECTOR_SIDE - size[1]) // 2])
        square = np.zeros((DETECTOR_SIDE, DETECTOR_SIDE, 3), np.uint8)
        square[border[1] : border[1] + size[1], border[0] : border[0] + size[0]] = small
        boxes, scores = _run(self._detector, square / 127.5 - 1, ("regressors", "classificators"))
        chance = 1 / (1 + np.exp(-np.clip(scores.reshape(-1), -80, 80)))
        sure = chance > CERTAIN
        values = boxes.reshape(-1, 8, 2)[sure] / DETECTOR_SIDE  # centre, size, then six points
        values[:, 0] += self._anchors[sure]
        values[:, 2:] += self._anchors[sure][:, None]
        values[:, [0, *range(2, 8)]] = (values[:, [0, *range(2, 8)]] * DETECTOR_SIDE - border) / zoom
        values[:, 1] *= DETECTOR_SIDE / zoom
        return _join_overlapping(values, chance[sure])

    def _read_mesh(self, picture: np.ndarray, region: Region) -> Face | None:
        crop, matrix = _crop(picture, region, MESH_SIDE)
        raw, presence = _run(self._mesh, crop / 255.0, MESH_OUTPUTS)
        score = _chance(presence)
        if score < CERTAIN:
            return None
        raw = raw.reshape(468, 3)
        points = np.empty((468, 3), np.float32)
        points[:, :2] = raw[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        points[:, 2] = raw[:, 2] * region.side / MESH_SIDE
        self._read_eyes(picture, points)
        return Face(points, (self._openings[0], self._openings[1]), score)

    def _read_eyes(self, picture: np.ndarray, points: np.ndarray) -> None:
        """Both eyes of a face just found, then one a call in turn: eyes close together, and an eye takes as long as the whole mesh."""
        angle = _region_of_points(points).angle
        if not self._openings:
            self._openings = [self._read_eye(picture, points, eye, angle) for eye in (0, 1)]
        else:
            self._openings[self._next_eye] = self._read_eye(picture, points, self._next_eye, angle)
            self._next_eye = 1 - self._next_eye

    def _read_eye(self, picture: np.ndarray, points: np.ndarray, eye: int, angle: float) -> float:
        """How open an eye is: gap over width. The model knows right eyes (0); a left one (1) is mirrored for it."""
        first, second = points[EYE_CORNERS[eye], :2]
        side = max(float(np.abs(first - second).max()) * EYE_MARGIN, 1.0)
        crop, _ = _crop(picture, Region((first + second) / 2, side, angle), EYE_SIDE)
        contour = _run(self._iris, (crop[:, ::-1] if eye else crop) / 255.0, ("output_eyes_contours_and_brows",))[0]
        lids = contour.reshape(71, 3)[:16, :2]  # 0..8 the lower lid from corner to corner, 9..15 the upper
        gap = np.linalg.norm(lids[10:15] - lids[2:7], axis=1).mean()
        return float(gap / max(float(np.linalg.norm(lids[0] - lids[8])), 1e-3))


def _load_net(path: Path, sha256: str) -> cv2.dnn.Net:
    import cv2

    data = read_model(path, sha256)
    if hasattr(
        cv2.dnn, "ENGINE_CLASSIC"
    ):  # OpenCV 5: its new engine loses the second output, and only a path (not bytes) may ask for the old
        return cv2.dnn.readNetFromTFLite(plain_name(path), engine=cv2.dnn.ENGINE_CLASSIC)
    return cv2.dnn.readNetFromTFLite(np.frombuffer(data, np.uint8))


def plain_name(path: Path) -> str:
    """A name in ASCII where there is one: on Windows OpenCV cannot open others, and there people's folders carry their names."""
    if not str(path).isascii():
        with suppress(ValueError):  # another drive
            seen_from_here = os.path.relpath(path)
            return seen_from_here if seen_from_here.isascii() else str(path)
    return str(path)


def _run(net: cv2.dnn.Net, picture: np.ndarray, names: tuple[str, ...]) -> list[np.ndarray]:
    net.setInput(np.ascontiguousarray(picture.astype(np.float32).transpose(2, 0, 1)[None]))
    return [np.asarray(output) for output in net.forward(names)]


def _chance(output: np.ndarray) -> float:
    return float(1 / (1 + np.exp(-np.clip(output.ravel()[0], -80, 80))))


def _detector_anchors() -> np.ndarray:
    """Where the detector's 896 answers stand: float32 [896, 2], 0..1 of its square (16x16 cells twice, 8x8 cells six times)."""
    cells = []
    for stride, repeats in ((8, 2), (16, 6)):
        count = DETECTOR_SIDE // stride
        cells += [((x + 0.5) / count, (y + 0.5) / count) for y in range(count) for x in range(count) for _ in range(repeats)]
    return np.array(cells, np.float32)


def _join_overlapping(values: np.ndarray, chance: np.ndarray) -> list[Detection]:
    """Answers that overlap by more than 30 % become one, weighted by their chance (MediaPipe's weighted suppression)."""
    corners = np.concatenate([values[:, 0] - values[:, 1] / 2, values[:, 0] + values[:, 1] / 2], axis=1)
    areas = np.prod(np.maximum(values[:, 1], 0), axis=1)
    free = np.ones(len(chance), bool)
    found = []
    for index in np.argsort(-chance):
        if not free[index]:
            continue
        overlap = np.minimum(corners[index, 2:], corners[:, 2:]) - np.maximum(corners[index, :2], corners[:, :2])
        shared = np.prod(np.clip(overlap, 0, None), axis=1)
        group = (shared / (areas + areas[index] - shared + 1e-9) > 0.3) & free
        group[index] = True
        free &= ~group
        weights = chance[group] / chance[group].sum()
        box, points = np.tensordot(weights, corners[group], 1), np.tensordot(weights, values[group][:, 2:], 1)
        found.append(Detection(float(chance[index]), box, points))
    return found


def _crop(picture: np.ndarray, region: Region, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The region as a square picture, and the matrix [2, 3] from its pixels back to the picture's (MediaPipe's: no half-pixel shift)."""
    import cv2

    cosine, sine = np.cos(region.angle), np.sin(region.angle)
    unit, half = region.side / side, region.side / 2
    left = region.centre[0] - (cosine - sine) * half
    top = region.centre[1] - (sine + cosine) * half
    matrix = np.array([[cosine * unit, -sine * unit, left], [sine * unit, cosine * unit, top]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(picture, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE), matrix


def _region_of_detection(detection: Detection) -> Region:
    across = detection.points[1] - detection.points[0]
    size = max(detection.box[2] - detection.box[0], detection.box[3] - detection.box[1])
    return Region((detection.box[:2] + detection.box[2:]) / 2, size * FACE_MARGIN, float(np.arctan2(across[1], across[0])))


def _region_of_points(points: np.ndarray) -> Region:
    across = points[263, :2] - points[33, :2]
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = points[:, :2] @ turn.T
    low, high = upright.min(axis=0), upright.max(axis=0)
    return Region(turn.T @ ((low + high) / 2), float((high - low).max()) * FACE_MARGIN, angle)
