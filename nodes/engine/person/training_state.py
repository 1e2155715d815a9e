"""A training in progress as one file, so that it goes on after an interruption as if there had been none.

The file is a safetensors file: adapters, optimizer, running mean and the best values so far as tensors, the rest as JSON in its
header, with the receipt's id, so that a withdrawal finds and deletes it. It is written whole or not at all.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .erasure import delete_file
from .private_file import make_private, write_private

if TYPE_CHECKING:
    import torch

SCHEMA = "music_video_training/1"


@dataclass
class Course:
    """How far a training is. Losses are in the order of the steps; `checks` are (step, loss on held-out pictures)."""

    step: int = 0
    losses: list[float] = field(default_factory=list)
    checks: list[tuple[int, float]] = field(default_factory=list)
    best_step: int = 0
    best: list[torch.Tensor] = field(default_factory=list)

    @property
    def best_loss(self) -> float:
        return min((loss for step, loss in self.checks if step == self.best_step), default=float("inf"))


def save_state(path: Path, receipt_id: str, course: Course, parts: dict[str, list[torch.Tensor]], facts: dict[str, Any]) -> None:
    """`parts` are named lists of tensors, `facts` plain JSON values. OSError with one sentence if it cannot; the last state stays."""
    from safetensors.torch import save

    tensors = {f"{name}.{number}": value for name, values in {**parts, "best": course.best}.items() for number, value in enumerate(values)}
    body = {key: value for key, value in asdict(course).items() if key != "best"}
    header = {"schema": SCHEMA, "receipt": receipt_id, "course": json.dumps(body), "facts": json.dumps(facts)}
    data = save({name: value.detach().cpu().contiguous() for name, value in tensors.items()}, header)
    try:
        make_private(path.parent)
        write_private(path, data)
    except OSError as error:
        path.with_name(path.name + ".part").unlink(missing_ok=True)
        raise OSError(
            f"How far the training is cannot be written into {path.parent} ({error.strerror}); see that there is room and that it is "
            "writable, then run again: it goes on from what was written last."
        ) from error


def load_state(path: Path) -> tuple[Course, dict[str, list[torch.Tensor]], dict[str, Any]] | None:
    """What `save_state` kept; None where there is nothing, or not ours, or broken."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            if header.get("schema") != SCHEMA:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError):
        return None
    parts: dict[str, list[torch.Tensor]] = {}
    for name in sorted(tensors, key=lambda name: (name.rpartition(".")[0], int(name.rpartition(".")[2]))):
        parts.setdefault(name.rpartition(".")[0], []).append(tensors[name])
    body = json.loads(header["course"])
    course = Course(body["step"], body["losses"], [(step, loss) for step, loss in body["checks"]], body["best_step"], parts.pop("best", []))
    return course, parts, json.loads(header["facts"])


def forget_state(path: Path | None) -> None:
    if path is not None:
        delete_file(path)
