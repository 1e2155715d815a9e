"""Chance -> the actions of a session: at least one turn and one expression, never the same axis twice running, none twice."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from random import Random

from .actions import AXES, EXPRESSIONS, TURNS
from .dialogue import ACTIONS

STEPS = 5


def draw_routine(random: Random, steps: int = STEPS) -> list[str]:
    """A fair draw among all fitting sequences (36,000 or so of five)."""
    while True:
        routine = random.sample(ACTIONS, steps)
        if is_fit(routine):
            return routine


def replace_action(routine: Sequence[str], step: int, seen: Collection[str], random: Random) -> list[str] | None:
    """The routine with another action at `step`, none of those `seen` before; None where there is none that fits."""
    for action in random.sample(ACTIONS, len(ACTIONS)):
        changed = [*routine[:step], action, *routine[step + 1 :]]
        if action not in seen and is_fit(changed):
            return changed
    return None


def is_fit(routine: Sequence[str]) -> bool:
    axes = [AXES[action] for action in routine]
    calm = all(axis != following for axis, following in zip(axes, axes[1:], strict=False))
    return calm and len(set(routine)) == len(routine) and any(a in TURNS for a in routine) and any(a in EXPRESSIONS for a in routine)
