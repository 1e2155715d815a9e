"""Faces of one session -> whether they are the same face: texture unrolled from the mesh and compared by the directions of its edges.

The layout of the unrolled face is the person's own neutral mesh, so nothing is shipped and nothing outlives the session. In the study two
people were told apart without error against 15 frames, from two photographs: it says nothing about look-alikes, and is good within one
session only (same camera, same light). It is not face recognition and keeps no template.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

SIDE = 128
FACING = 0.35  # a triangle counts while it looks at least this much towards the camera
ENOUGH = 1500  # pixels that two frames must share
MOVING = ((33, 133, 159, 145), (263, 362, 386, 374), (61, 291, 0, 17))  # eyes and mouth: they change by themselves


@dataclass(frozen=True)
class Texture:
    """Edges of the unrolled face, float32 [2, 16384] over the root of their lengths; these roots [16384]; what was seen [16384].

    Where nothing was seen all three are 0, so that comparing two faces is three dot products.
    """

    edges: np.ndarray
    roots: np.ndarray
    seen: np.ndarray

    @classmethod
    def of(cls, across: np.ndarray, down: np.ndarray, seen: np.ndarray) -> Texture:
        edges, mask = np.stack([across.ravel(), down.ravel()]), seen.ravel().astype(np.float32)
        roots = np.sqrt(np.hypot(edges[0], edges[1])) * mask
        return cls(edges * mask / np.maximum(roots, 1e-6), roots, mask)


@lru_cache(maxsize=1)
def triangles() -> np.ndarray:
    """The mesh's 854 triangles, int [854, 3]."""
    path = Path(__file__).parent / "models" / "face_mesh_triangles.json"
    return np.array(json.loads(path.read_text(encoding="utf-8")))


class Likeness:
    """Compares faces with those enrolled in the same session."""

    def __init__(self, neutral: np.ndarray) -> None:
        """`neutral`: the person's resting mesh, float [468, 3]."""
        self._layout = _lay_out(neutral)
        self._corner, self._share = _fill_layout(self._layout)
        self._sides = np.sign(normals_ahead(neutral))  # a resting face shows all of its triangles' outer sides
        self._inside = self._corner >= 0
        self._kept = self._inside & _still_parts(self._layout)
        self._enrolled: list[Texture] = []

    def enrol(self, picture: np.ndarray, points: np.ndarray) -> None:
        self._enrolled.append(self._unroll(picture, points))

    def distance(self, picture: np.ndarray, points: np.ndarray) -> float | None:
        """0 (the same) to 2: the median against the enrolled; None where too little of the face is seen."""
        texture = self._unroll(picture, points)
        distances = [compare(texture, known) for known in self._enrolled]
        known = [distance for distance in distances if distance is not None]
        return float(np.median(known)) if known else None

    def _unroll(self, picture: np.ndarray, points: np.ndarray) -> Texture:
        import cv2

        mesh = triangles()
        places = np.full((SIDE, SIDE, 2), -1, np.float32)
        places[self._inside] = (points[mesh[self._corner[self._inside]], :2] * self._share[self._inside][..., None]).sum(axis=1)
        low, high = _bounds(points, picture.shape)
        grey = cv2.cvtColor(np.ascontiguousarray(picture[low[1] : high[1], low[0] : high[0]]), cv2.COLOR_RGB2GRAY)
        flat = cv2.remap(grey, places - low.astype(np.float32), None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
        smooth = cv2.GaussianBlur(flat.astype(np.float32), (0, 0), 1.0)
        seen = self._kept.copy()
        facing = normals_ahead(points) * self._sides
        seen[self._inside] &= facing[self._corner[self._inside]] > FACING
        return Texture.of(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1), seen)


def compare(first: Texture, second: Texture) -> float | None:
    """1 minus the mean cosine between the edges of two unrolled faces, strong edges counting more; None where too little is shared."""
    if first.seen @ second.seen < ENOUGH:
        return None
    weights = float(first.roots @ second.roots)
    return float(1 - (first.edges.ravel() @ second.edges.ravel()) / max(weights, 1e-6))


def normals_ahead(points: np.ndarray) -> np.ndarray:
    """How much each triangle's normal points along the camera's axis, -1..1 [854]; which side that is depends on how it is wound."""
    a, b, c = (points[triangles()[:, i]] for i in range(3))
    normals = np.cross(b - a, c - a)
    return normals[:, 2] / (np.linalg.norm(normals, axis=1) + 1e-9)


def _bounds(points: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    limit = np.array([shape[1], shape[0]])
    low = np.clip(np.floor(points[:, :2].min(axis=0)).astype(int) - 2, 0, limit - 2)
    high = np.clip(np.ceil(points[:, :2].max(axis=0)).astype(int) + 3, low + 2, limit)
    return low, high


def _lay_out(neutral: np.ndarray) -> np.ndarray:
    """The neutral mesh upright in a square of 128 pixels, float32 [468, 2]."""
    across = neutral[263, :2] - neutral[33, :2]
    angle = np.arctan2(across[1], across[0])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    flat = (neutral[:, :2] - neutral[:, :2].mean(axis=0)) @ turn.T
    low, high = flat.min(axis=0), flat.max(axis=0)
    return ((flat - low) / (high - low) * (SIDE - 8) + 4).astype(np.float32)


def _fill_layout(layout: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per pixel of the layout: its triangle (-1 outside) and its shares of the three corners."""
    import cv2

    which = np.full((SIDE, SIDE), -1, np.int32)
    for index, corners in enumerate(triangles()):
        cv2.fillConvexPoly(which, np.round(layout[corners]).astype(np.int32), index)
    inside = which >= 0
    y, x = np.nonzero(inside)
    a, b, c = (layout[triangles()[which[inside], i]].astype(np.float64) for i in range(3))
    area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1])
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)
    second = ((x - a[:, 0]) * (c[:, 1] - a[:, 1]) - (y - a[:, 1]) * (c[:, 0] - a[:, 0])) / area
    third = ((y - a[:, 1]) * (b[:, 0] - a[:, 0]) - (x - a[:, 0]) * (b[:, 1] - a[:, 1])) / area
    shares = np.zeros((SIDE, SIDE, 3), np.float32)
    # Rounded outlines reach a little beyond their triangle; clipped shares stay on it.
    share = np.clip(np.stack([1 - second - third, second, third], axis=1), 0, 1)
    shares[inside] = share / np.maximum(share.sum(axis=1, keepdims=True), 1e-6)
    return which, shares


def _still_parts(layout: np.ndarray) -> np.ndarray:
    kept = np.ones((SIDE, SIDE), bool)
    for part in MOVING:
        low, high = layout[list(part)].min(axis=0).astype(int), layout[list(part)].max(axis=0).astype(int)
        kept[max(low[1] - 4, 0) : high[1] + 4, max(low[0] - 3, 0) : high[0] + 3] = False
    return kept
