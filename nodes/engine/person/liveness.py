"""Frames of a session -> whether one and the same face was there all the time, unbroken.

Counts faces, follows the skin from frame to frame, and compares the face with the one enrolled at the start. It returns refusal codes
and hints, never scores. Depth is judged in `relief`, following the dot in `follow`. What it does not know: a cut between two recordings
of the same person that match well, and a live puppet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .actions import Pose, eye_distance
from .face import Face, FaceTracker
from .likeness import Likeness
from .relief import SkinTrack

FIRST_COUNT_EVERY = 5  # frames between looks for a second face
LOST = 1.0  # seconds without a face
BROKEN = 0.30  # of the skin's corners must live on from frame to frame; the study's lowest was 0.53, a change of person's highest 0.04
LEAP = 0.45  # of the eye distance, median over the face, from one frame to the next
OTHER = 0.50  # distance of likeness; near the front the same performer measured up to 0.47, another from 0.52
KEPT = 0.48  # and what a kept picture must stay under
LIKENESS_EVERY = 0.4
SURE_YAW, SURE_PITCH = 20.0, 12.0  # likeness is judged near the front
FEWEST_CORNERS = 30
SMALLEST, LARGEST = 0.085, 0.62  # eye distance over the picture's width, face height over its height
FEWEST_PIXELS = 28  # eye distance
DARKEST, BRIGHTEST = 0.10, 0.93


@dataclass(frozen=True)
class Sight:
    """What one frame shows: `steady` is how far the face moved, in eye distances; `light` 0..1 the mean of the face."""

    time: float
    picture: np.ndarray
    face: Face
    steady: float
    light: float


class Watch:
    """Watches one session from the moment the face is first seen."""

    def __init__(self, tracker: FaceTracker) -> None:
        self._tracker = tracker
        self._frames = self._crowded = 0
        self._seen: float | None = None
        self._before: Face | None = None
        self._strange = 0
        self._compared = 0.0
        self._likeness: Likeness | None = None
        self._breaks = 0
        self.skin = SkinTrack()
        self.enrolled = False

    def see(self, picture: np.ndarray, time: float) -> tuple[Sight | None, str | None, str | None]:
        """A frame -> (what it shows, a hint, a refusal)."""
        face = self._tracker.find(picture)
        self._frames += 1
        refusal = self._count_faces(picture)
        if refusal or (self._crowded and not self.enrolled):
            return None, "one_person", refusal
        if face is None:
            lost = self.enrolled and self._seen is not None and time - self._seen > LOST
            return None, "face_camera", "face_lost" if lost else None
        steady = _movement(self._before, face)
        refusal = self._check_continuity(picture, face, steady) if self.enrolled else None
        self._seen, self._before = time, face
        return Sight(time, picture, face, steady, light_of(picture, face)), "one_person" if self._crowded else None, refusal

    def enrol(self, sights: Sequence[Sight], neutral: np.ndarray) -> None:
        """The face of these frames is the session's from now on."""
        self._likeness = Likeness(neutral)
        for sight in sights[:: max(1, len(sights) // 5)]:
            self._likeness.enrol(sight.picture, sight.face.points)
        self.mark(sights[-1])
        self._compared = sights[-1].time
        self.enrolled = True

    def mark(self, sight: Sight) -> None:
        """Follows the skin afresh from this frame."""
        self.skin.begin(sight.picture, sight.face)

    def compare(self, sight: Sight, pose: Pose) -> str | None:
        """A refusal where the face has become another's; looks only now and then, and near the front."""
        if sight.time - self._compared < LIKENESS_EVERY and not self._strange:
            return None
        if abs(pose.yaw) > SURE_YAW or abs(pose.pitch) > SURE_PITCH:
            return None
        self._compared = sight.time
        distance = self.distance(sight)
        self._strange = self._strange + 1 if distance is not None and distance > OTHER else 0
        return "person_changed" if self._strange >= 3 else None

    def distance(self, sight: Sight) -> float | None:
        return self._likeness.distance(sight.picture, sight.face.points) if self._likeness else None

    def _count_faces(self, picture: np.ndarray) -> str | None:
        if self._frames % FIRST_COUNT_EVERY == 1 or self._crowded:
            self._crowded = self._crowded + 1 if self._tracker.count(picture) > 1 else 0
        return "two_faces" if self._crowded >= 3 and self.enrolled else None

    def _check_continuity(self, picture: np.ndarray, face: Face, steady: float) -> str | None:
        share = self.skin.follow(picture)
        if self.skin.count < FEWEST_CORNERS:
            self.skin.begin(picture, face)
        if share < BROKEN or steady > LEAP:
            self._strange += 1  # look who it is, at once
            self._breaks += 1
        return "picture_jumped" if self._breaks > 1 or share < BROKEN / 2 else None


def placement_hint(sight: Sight) -> str | None:
    """What to do before the session can begin: distance, light, facing the camera."""
    points, (height, width) = sight.face.points, sight.picture.shape[:2]
    between = eye_distance(points)
    if between < max(SMALLEST * width, FEWEST_PIXELS):
        return "come_closer"
    if float(np.linalg.norm(points[10, :2] - points[152, :2])) > LARGEST * height:
        return "move_back"
    if not DARKEST <= sight.light <= BRIGHTEST:
        return "more_light" if sight.light < DARKEST else "less_light"
    cheeks = points[454, 0] - points[234, 0]
    aside = abs((points[1, 0] - points[234, 0]) / max(float(cheeks), 1e-3) - 0.5)
    across = points[263, :2] - points[33, :2]
    leaning = abs(float(np.degrees(np.arctan2(across[1], across[0]))))
    return "face_camera" if aside > 0.14 or leaning > 14 else None


def light_of(picture: np.ndarray, face: Face) -> float:
    """Mean green of the middle of the face, 0..1."""
    low = np.clip(face.points[[70, 300, 58, 288], :2].min(axis=0).astype(int), 0, None)
    high = np.maximum(face.points[[70, 300, 58, 288], :2].max(axis=0).astype(int), low + 1)
    crop = picture[low[1] : high[1] : 2, low[0] : high[0] : 2, 1]
    return float(crop.mean()) / 255 if crop.size else 0.0


def _movement(before: Face | None, face: Face) -> float:
    """Median way of the mesh's points since the last frame, in eye distances; 0 for the first."""
    if before is None:
        return 0.0
    way = np.linalg.norm(face.points[:, :2] - before.points[:, :2], axis=1)
    return float(np.median(way)) / eye_distance(before.points)
