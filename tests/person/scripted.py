"""A face tracker that reads its faces from a script instead of pictures: sessions in a moment, with exact truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pack.nodes.engine.person.face import Face
from performer import Act, encode, rotation


class ScriptedTracker:
    """Moves one resting mesh as `act` says; `faces` is how many people are there."""

    name = "script"
    models: Mapping[str, str] = {"script": "0" * 64}

    def __init__(self, rest: Face) -> None:
        self.rest, self.act, self.faces = rest, Act(), 1

    def find(self, picture: np.ndarray) -> Face | None:
        if self.faces == 0:
            return None
        act, points = self.act, self.rest.points.copy()
        size = float(np.linalg.norm(points[10] - points[152]))
        points[14, 1] += act.mouth * 0.2 * size
        points[[61, 291]] += np.array([[-1, -1, 0], [1, -1, 0]]) * 0.05 * size * act.smile
        points[[105, 66, 334, 296], 1] -= act.brows * 0.05 * size
        middle = points.mean(axis=0)
        points = (points - middle) @ rotation(act.yaw, act.pitch, act.roll).T * act.scale + middle
        openings = tuple(opening * (1 - 0.7 * act.blink) for opening in self.rest.eye_openings)
        return Face(points.astype(np.float32), (openings[0], openings[1]), 1.0)

    def count(self, picture: np.ndarray) -> int:
        return self.faces


class Stills:
    """JPEGs of one picture, each with its own grain."""

    def __init__(self, picture: np.ndarray) -> None:
        self._picture, self._random = picture.astype(np.int16), np.random.default_rng(0)

    def next(self) -> bytes:
        grain = self._random.integers(-2, 3, self._picture.shape[:2], dtype=np.int16)[..., None]
        return encode(np.clip(self._picture + grain, 0, 255).astype(np.uint8), 90)
