"""The poses of the software person as pictures, for the page's pretended camera: drawn once, kept by pytest's cache."""

from __future__ import annotations

import base64
import hashlib
import inspect
import json
from pathlib import Path

SHAPES = {"blink": 1.0, "mouth": 0.8, "smile": 1.0, "brows": 1.0, "closer": 0.45}
NEUTRAL = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, **dict.fromkeys(SHAPES, 0.0)}
STEP = 2.5  # degrees from pose to pose


def poses() -> list[dict[str, float]]:
    """Every pose that the dot and the actions lead through."""
    wide = [round(STEP * i, 1) for i in range(-12, 13)]
    flat = [(yaw, pitch) for yaw in wide for pitch in wide if abs(yaw) <= 22.5 and abs(pitch) <= 12.5]
    flat += [(yaw, 0.0) for yaw in wide if abs(yaw) > 22.5] + [(0.0, pitch) for pitch in wide if 12.5 < abs(pitch) <= 20]
    made = [{**NEUTRAL, "yaw": yaw, "pitch": pitch} for yaw, pitch in flat]
    made += [{**NEUTRAL, "roll": roll} for roll in wide if 0 < abs(roll) <= 22.5]
    for name, most in SHAPES.items():
        made += [{**NEUTRAL, name: round(most * part / 6, 3)} for part in range(1, 7)]
    return made


def draw_poses(folder: Path) -> str:
    """JSON for the page: every pose with its JPEG. Drawn anew when the performer or the poses have changed."""
    import performer

    source = inspect.getsource(performer) + json.dumps(poses())
    kept = folder / f"sitter-{hashlib.sha256(source.encode()).hexdigest()[:16]}.json"
    if not kept.is_file():
        person = performer.Performer(performer.photographs()["astronaut"])
        drawn = [{**pose, "jpeg": base64.b64encode(_draw(performer, person, pose)).decode()} for pose in poses()]
        kept.write_text(json.dumps(drawn), encoding="utf-8")
    return kept.read_text(encoding="utf-8")


def _draw(performer, person, pose: dict[str, float]) -> bytes:
    act = {name: value for name, value in pose.items() if name != "closer"}
    return performer.encode(person.render(performer.Act(**act, scale=1 + pose["closer"])), 92)
