"""Made-up captures of nobody: textured heads at known places, so that consent, storage and choice are tested without a face."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
from pack.nodes.engine.person.notice import VERSION
from pack.nodes.engine.person.outcome import Outcome, StepResult
from pack.nodes.engine.person.receipt import Consent

RIGHT_EYE, LEFT_EYE = (33, 133), (263, 362)


def make_picture(seed: int, height: int = 480, width: int = 640) -> np.ndarray:
    """A soft random picture; another seed looks like another frame."""
    small = np.random.default_rng(seed).integers(40, 216, (height // 16, width // 16, 3), dtype=np.uint8)
    return np.kron(small, np.ones((16, 16, 1), np.uint8))


def make_face(x: float, y: float, between: float, angle: float = 0.0, opening: float = 0.3) -> Any:
    """Mesh points with the eyes' middle at (x, y), `between` pixels apart, the line through them turned by `angle` radians."""
    points = np.zeros((468, 3), np.float32)
    along = np.array([np.cos(angle), np.sin(angle), 0])
    for (outer, inner), side in ((RIGHT_EYE, -1), (LEFT_EYE, 1)):
        middle = np.array([x, y, 0]) + side * between / 2 * along
        points[outer], points[inner] = middle + side * between * 0.2 * along, middle - side * between * 0.2 * along
    for cheek, side in ((234, -1), (454, 1)):
        points[cheek] = np.array([x, y, 0]) + side * between * 1.1 * along
    return SimpleNamespace(points=points, eye_openings=(opening, opening), score=1.0)


def make_capture(seed: int = 0, **facts: Any) -> Any:
    values: dict[str, Any] = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "scale": 1.0, "expression": "neutral", "sharpness": 1.0, "light": 0.5}
    values |= {"picture": make_picture(seed), "face": make_face(320, 220, 60)} | facts
    return SimpleNamespace(**values)


@lru_cache(maxsize=1)
def make_captures() -> tuple[Any, ...]:
    """Twenty different frames over poses and expressions."""
    poses = itertools.product((-30.0, -15.0, 0.0, 15.0, 30.0), (-12.0, 0.0), ("neutral", "smile"))
    return tuple(make_capture(seed, yaw=yaw, pitch=pitch, expression=face) for seed, (yaw, pitch, face) in enumerate(poses))


def make_outcome(captures: Sequence[Any] | None = None, session_id: str = "a" * 32) -> Outcome:
    steps = (StepResult("action", "turn_left", True, 1.25), StepResult("follow", None, True, 8.0))
    taken = make_captures() if captures is None else tuple(captures)
    return Outcome(True, "L2", None, steps, taken, "test tracker", {"face.tflite": "0" * 64}, session_id)


def make_refusal(reason: str = "too_slow") -> Outcome:
    return Outcome(False, None, reason, (), (), "test tracker", {}, "b" * 32)


def make_consent(**changes: Any) -> Consent:
    values: dict[str, Any] = {
        "name": "Aiko Example",
        "purposes": ("train_lora", "make_videos"),
        "language": "ja",
        "notice_version": VERSION,
    }
    return Consent(**{**values, "retention_days": 90, "adult": True, **changes})


def verify_somebody(store: Any, **changes: Any) -> Any:
    """The whole way to a receipt."""
    consent_id = store.begin_consent(make_consent(**changes))
    outcome = make_outcome()
    store.record_attempt(consent_id, outcome)
    gallery = store.choose(consent_id, outcome)
    return store.finish(consent_id, [picture.index for picture in gallery][:10])
