"""Pictures -> faces with the `mediapipe` package's FaceLandmarker (0.10.30 or later), where the user has put its model.

Its blendshapes judge smile, brows and mouth better than distances between points do. The package carries no model: it is used only with
the one file whose hash is known here. Older packages are left alone, because they would bring an old numpy and protobuf with them. Second
faces are counted by the built-in detector. What it does not know: how sure the model is of a face, so its score is always 1.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import numpy as np

from .face import Face
from .mesh_tracker import MeshTracker, read_model

MODEL = "face_landmarker.task"
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
OLDEST = (0, 10, 30)
FRAME_MS = 80  # the model's own clock; only its order matters
# Outer and inner corner, then two pairs of upper and lower lid, of the right and the left eye.
EYES = ((33, 133, 160, 144, 158, 153), (263, 362, 387, 373, 385, 380))

log = logging.getLogger("music_video")


def is_installed() -> bool:
    """Whether a fitting `mediapipe` is there, without importing it."""
    try:
        version = metadata.version("mediapipe")
    except metadata.PackageNotFoundError:
        return False
    numbers = tuple(int(part) for part in version.split(".")[:3] if part.isdigit())
    if numbers < OLDEST:
        log.info("The installed mediapipe is older than 0.10.30; the built-in face tracker is used.")
    return numbers >= OLDEST


class LandmarkerTracker:
    """A FaceTracker. Not for several threads at once."""

    name = "mediapipe face landmarker"

    def __init__(self, folder: Path) -> None:
        """Raises ValueError where the file in `folder` is not the known model."""
        from mediapipe.tasks.python.core.base_options import BaseOptions  # type: ignore[import-not-found]
        from mediapipe.tasks.python.vision.core.vision_task_running_mode import VisionTaskRunningMode  # type: ignore[import-not-found]
        from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerOptions  # type: ignore[import-not-found]

        base = BaseOptions(model_asset_buffer=read_model(folder / MODEL, SHA256))
        options = FaceLandmarkerOptions(base_options=base, running_mode=VisionTaskRunningMode.VIDEO, output_face_blendshapes=True)
        self._landmarker = FaceLandmarker.create_from_options(options)
        self._counter = MeshTracker()
        self.models: Mapping[str, str] = {MODEL: SHA256, **self._counter.models}
        self._time_ms = 0

    def find(self, picture: np.ndarray) -> Face | None:
        from mediapipe.tasks.python.vision.core.image import Image, ImageFormat  # type: ignore[import-not-found]

        self._time_ms += FRAME_MS
        image = Image(image_format=ImageFormat.SRGB, data=np.ascontiguousarray(picture))
        result = self._landmarker.detect_for_video(image, self._time_ms)
        if not result.face_landmarks:
            return None
        height, width = picture.shape[:2]
        # Depth is in the unit of x, so it is scaled by the width.
        points = np.array([(p.x * width, p.y * height, p.z * width) for p in result.face_landmarks[0]], np.float32)
        shapes = {shape.category_name: float(shape.score) for shape in result.face_blendshapes[0]}
        return Face(points[:468], _openings(points), 1.0, _judge(shapes))

    def count(self, picture: np.ndarray) -> int:
        return self._counter.count(picture)


def _openings(points: np.ndarray) -> tuple[float, float]:
    def gap(first: int, second: int) -> float:
        return float(np.linalg.norm(points[first, :2] - points[second, :2]))

    right, left = ((gap(a, b) + gap(c, d)) / (2 * max(gap(outer, inner), 1e-3)) for outer, inner, a, b, c, d in EYES)
    return right, left


def _judge(shapes: Mapping[str, float]) -> dict[str, float]:
    """The blendshapes that actions ask for, 0..1."""
    outer = (shapes["browOuterUpLeft"] + shapes["browOuterUpRight"]) / 2
    return {
        "smile": (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2,
        "brows": max(shapes["browInnerUp"], outer),
        "jaw": shapes["jawOpen"],
    }
