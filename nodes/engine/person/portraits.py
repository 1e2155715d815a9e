"""Captures -> portraits: which good frames to keep, cut out and described for training.

Frames are spread over bins of yaw, pitch, expression and distance; within a bin the sharpest come first, and what looks the
same as a picture already taken is passed over. A portrait is a square, level with the eyes, at least 512 px; its words come from
what was measured. It does not know who is shown, and nothing of age, sex, hair or clothes is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .outcome import Capture

FEWEST, MOST = 12, 30  # pictures that are offered; with fewer than FEWEST near-duplicates are let in
SMALLEST, LARGEST = 512, 1024  # pixels of a portrait's side
LEAST_SOURCE = 160  # pixels of the camera's picture under a portrait's side: less is mush
MOST_OUTSIDE = 0.06  # share of a portrait that may lie beyond the camera's picture (it is mirrored in)
RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)  # corners in the mesh
CHEEKS = (234, 454)  # the mesh's outermost points, before the ears
EYE_HEIGHT = {"close-up portrait": 0.45, "portrait": 0.42, "head and shoulders portrait": 0.36}
LEAST_EYE_HEIGHT, MOST_EYE_HEIGHT = 0.3, 0.5  # it may give way that far to the edge of the camera's picture
SIDE = {"close-up portrait": 4.2, "portrait": 5.6, "head and shoulders portrait": 7.4}  # in distances between the eyes
YAW_EDGES, PITCH_EDGES, SCALE_EDGES = (-22.5, -8.0, 8.0, 22.5), (-6.0, 6.0), (1.15,)
EXPRESSIONS = {"neutral": "neutral expression", "smile": "smiling", "mouth_open": "mouth open", "brows_raised": "raised eyebrows"}
SAME = (0.985, 0.995, 1.1)  # correlation of small pictures from which two look the same; loosened in steps
LEAST_OPEN = 0.7  # of this person's usual lid gap
LEAST_SHARP = 0.35  # of this session's good frames
LIGHT = (0.12, 0.92)  # mean of the face


@dataclass(frozen=True)
class Portrait:
    picture: np.ndarray = field(repr=False)  # uint8 RGB [side, side, 3]
    framing: str
    pose: str
    expression: str


@dataclass(frozen=True)
class _Square:
    """Where a portrait lies in the camera's picture: pixels, and the angle (radians) of the line through the eyes."""

    x: float
    y: float
    side: float
    angle: float
    eye_height: float  # 0..1 from the top


@dataclass(frozen=True)
class _Candidate:
    capture: Capture
    framings: tuple[str, ...]  # those for which there is room
    look: np.ndarray


def choose_portraits(captures: Sequence[Capture]) -> tuple[Portrait, ...]:
    """At most 30 portraits, in the order in which they were worth taking; empty where no capture is good enough."""
    good = [_Candidate(capture, framings, _look(capture)) for capture in _good(captures) if (framings := _framings(capture))]
    chosen: list[_Candidate] = []
    for same in SAME:
        chosen = _spread(good, same)
        if len(chosen) >= FEWEST:
            break
    return tuple(_cut(taken.capture, taken.framings[place % len(taken.framings)]) for place, taken in enumerate(chosen))


def write_caption(trigger: str, framing: str, pose: str, expression: str) -> str:
    """A training caption: `photo of zuqvex person, close-up portrait, turned slightly to the left, smiling`."""
    return f"photo of {trigger} person, {framing}, {pose}, {expression}"


def describe_pose(yaw: float, pitch: float) -> str:
    """Degrees in words, as one sees it in the picture: the person's own right is the picture's left."""
    side = "left" if yaw > 0 else "right"
    turned = "three-quarter view facing" if abs(yaw) >= 25 else "turned slightly to the" if abs(yaw) >= 10 else ""
    words = [f"{turned} {side}"] if turned else []
    words += ["looking down" if pitch > 0 else "looking up"] if abs(pitch) >= 8 else []
    return ", ".join(words) or "facing the camera"


def _good(captures: Sequence[Capture]) -> list[Capture]:
    """Those with open eyes, light and sharpness, the sharpest first."""
    if not captures:
        return []
    usual = np.percentile([min(capture.face.eye_openings) for capture in captures], 75)
    sharp = np.percentile([capture.sharpness for capture in captures], 80)
    good = [
        capture
        for capture in captures
        if capture.expression in EXPRESSIONS
        and min(capture.face.eye_openings) >= LEAST_OPEN * usual
        and capture.sharpness >= LEAST_SHARP * sharp
        and LIGHT[0] <= capture.light <= LIGHT[1]
    ]
    return sorted(good, key=lambda capture: -capture.sharpness)


def _framings(capture: Capture) -> tuple[str, ...]:
    """The framings for which the camera's picture has enough room and pixels."""
    return tuple(name for name in SIDE if _fits(_square(capture, name), capture.picture.shape))


def _spread(good: Sequence[_Candidate], same: float) -> list[_Candidate]:
    """Round after round the best of every bin that does not look like one already taken."""
    bins: dict[tuple[int | str, ...], list[_Candidate]] = {}
    for candidate in reversed(good):
        bins.setdefault(_bin(candidate.capture), []).append(candidate)
    taken: list[_Candidate] = []
    while any(bins.values()) and len(taken) < MOST:
        for queue in bins.values():
            while queue and len(taken) < MOST:
                candidate = queue.pop()
                if all(float(candidate.look @ other.look) < same for other in taken):
                    taken.append(candidate)
                    break
    return taken


def _bin(capture: Capture) -> tuple[int | str, ...]:
    edges = ((capture.yaw, YAW_EDGES), (capture.pitch, PITCH_EDGES), (capture.scale, SCALE_EDGES))
    return (*(int(np.searchsorted(marks, value)) for value, marks in edges), capture.expression)


def _look(capture: Capture) -> np.ndarray:
    """A small grey picture of the head as a unit vector: what two pictures have in common, whatever the exposure."""
    import cv2

    small = _warp(capture.picture, _square(capture, "portrait"), 128)
    grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()
    grey -= grey.mean()
    return grey / max(float(np.linalg.norm(grey)), 1e-6)


def _square(capture: Capture, framing: str) -> _Square:
    points = capture.face.points
    right, left = points[list(RIGHT_EYE)].mean(0), points[list(LEFT_EYE)].mean(0)
    middle, line = (right + left) / 2, left - right
    side = SIDE[framing] * float(np.linalg.norm(line))  # in depth too, so that a turned head is not cut closer
    along = line[:2] / np.linalg.norm(line[:2])
    # A turned head lies behind its eyes, as seen from the camera: its middle is between eyes and ears.
    middle = middle[:2] + along * float((points[list(CHEEKS), :2].mean(0) - middle[:2]) @ along) * 0.75
    room_below = (capture.picture.shape[0] - middle[1]) / side
    eye_height = min(max(EYE_HEIGHT[framing], 1 - room_below), MOST_EYE_HEIGHT, max(middle[1] / side, LEAST_EYE_HEIGHT))
    return _Square(float(middle[0]), float(middle[1]), side, float(np.arctan2(line[1], line[0])), float(eye_height))


def _fits(square: _Square, shape: tuple[int, ...]) -> bool:
    if square.side < LEAST_SOURCE:
        return False
    steps = np.linspace(0, 1, 21)
    grid = _place(square, np.stack(np.meshgrid(steps, steps), -1).reshape(-1, 2))
    outside = (grid < 0).any(-1) | (grid[:, 0] > shape[1]) | (grid[:, 1] > shape[0])
    return float(outside.mean()) <= MOST_OUTSIDE


def _place(square: _Square, places: np.ndarray) -> np.ndarray:
    """Places in the square ([n, 2], 0..1 from its top left) as pixels of the camera's picture."""
    cos, sin = np.cos(square.angle), np.sin(square.angle)
    offsets = (places - [0.5, square.eye_height]) * square.side
    return offsets @ np.array([[cos, sin], [-sin, cos]]) + [square.x, square.y]


def _cut(capture: Capture, framing: str) -> Portrait:
    square = _square(capture, framing)
    side = int(np.clip(round(square.side / 8) * 8, SMALLEST, LARGEST))
    pose = describe_pose(capture.yaw, capture.pitch)
    return Portrait(_warp(capture.picture, square, side), framing, pose, EXPRESSIONS[capture.expression])


def _warp(picture: np.ndarray, square: _Square, side: int) -> np.ndarray:
    """The square as a picture of its own, `side` pixels wide."""
    import cv2

    source = _place(square, np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])).astype(np.float32)
    target = np.array([[0, 0], [side, 0], [0, side]], np.float32)
    blurred = picture
    if square.side > side:  # fewer pixels than the camera's: average first, or fine patterns turn into coarse ones
        spread = 0.4 * square.side / side
        blurred = cv2.GaussianBlur(picture, (0, 0), spread)
    matrix = cv2.getAffineTransform(source, target)
    return cv2.warpAffine(blurred, matrix, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
