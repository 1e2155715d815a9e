"""What a finished session hands on: whether it passed, how, and the good frames. Held in memory only, never stored as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from .face import Face


@dataclass(frozen=True)
class StepResult:
    """One step of the session: `kind` is "action", "continuity", "relief", "person", "follow" or "colours"; `seconds` how long it took."""

    kind: str
    action: str | None
    passed: bool
    seconds: float


@dataclass(frozen=True)
class Capture:
    """One good frame: `picture` uint8 RGB [H, W, 3], angles in degrees relative to the person's own neutral (yaw > 0 turns to their own
    right, pitch > 0 down, roll > 0 to their own left), `scale` relative to neutral (> 1 closer), `expression` one of "neutral", "smile",
    "mouth_open", "eyes_closed", "brows_raised"; `sharpness` (> 0, higher is sharper) and `light` (mean of the face, 0..1)."""

    picture: np.ndarray = field(repr=False)
    face: Face = field(repr=False)
    yaw: float
    pitch: float
    roll: float
    scale: float
    expression: str
    sharpness: float
    light: float


@dataclass(frozen=True)
class Outcome:
    """`level` is "L1" or "L2" where it passed; `reason` is a key of REASONS where it did not. `captures` is empty unless passed."""

    passed: bool
    level: str | None
    reason: str | None
    steps: tuple[StepResult, ...]
    captures: tuple[Capture, ...] = field(repr=False)
    tracker: str
    models: Mapping[str, str]
    session_id: str
