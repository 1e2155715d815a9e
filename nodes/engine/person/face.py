"""Pictures -> where the face is: the one small interface to the face models.

`open_tracker` chooses between two backends: MediaPipe's own models run by OpenCV (always there), and the `mediapipe` package
where it and its model file are installed. Points are MediaPipe's 468 mesh points in pixels. Left and right are the person's own;
the picture is as the camera sees it (not mirrored). What it does not know: whether the face is alive, or whose it is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

log = logging.getLogger("music_video")


@dataclass(frozen=True)
class Face:
    """One face in one picture. `points` float32 [468, 3] pixels (x right, y down, z negative towards the camera, same unit);
    `eye_openings`: lid gap over eye width, right and left (either may be a frame old); `expressions`: the backend's own judgements
    0..1 ("smile", "brows", "jaw"), empty where it has none; `score` 0..1."""

    points: np.ndarray = field(repr=False)
    eye_openings: tuple[float, float]
    score: float
    expressions: Mapping[str, float] = field(default_factory=dict)


class FaceTracker(Protocol):
    """Finds the largest face, keeping track of it from call to call. `models`: file name -> SHA-256, for the receipt."""

    @property
    def name(self) -> str: ...

    @property
    def models(self) -> Mapping[str, str]: ...

    def find(self, picture: np.ndarray) -> Face | None:
        """The face in a uint8 RGB picture [H, W, 3], or None."""
        ...

    def count(self, picture: np.ndarray) -> int:
        """How many faces are anywhere in the picture."""
        ...


def open_tracker(models_folder: Path | None = None) -> FaceTracker:
    """The best backend at hand; `models_folder` is where a user may have put `face_landmarker.task`."""
    from .landmarker_tracker import MODEL, LandmarkerTracker, is_installed
    from .mesh_tracker import MeshTracker

    if models_folder is not None and (models_folder / MODEL).is_file() and is_installed():
        try:
            return LandmarkerTracker(models_folder)
        except (ValueError, RuntimeError, ImportError, OSError) as error:
            log.warning("MediaPipe's face landmarker could not be used (%s); the built-in face tracker is.", type(error).__name__)
    return MeshTracker()
