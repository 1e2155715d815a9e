"""Which actions a session asks for, and how they may be swapped."""

from __future__ import annotations

from random import Random

from pack.nodes.engine.person.actions import AXES, EXPRESSIONS, TURNS
from pack.nodes.engine.person.dialogue import ACTIONS
from pack.nodes.engine.person.routine import draw_routine, is_fit, replace_action


def test_every_routine_has_a_turn_an_expression_and_changing_axes() -> None:
    random = Random(1)
    for _ in range(500):
        routine = draw_routine(random)
        assert len(routine) == len(set(routine)) == 5 and set(routine) & set(TURNS) and set(routine) & set(EXPRESSIONS)
        assert all(AXES[a] != AXES[b] for a, b in zip(routine, routine[1:], strict=False))


def test_routines_use_every_action_in_every_place() -> None:
    random = Random(2)
    routines = [draw_routine(random) for _ in range(2000)]
    assert all({routine[place] for routine in routines} == set(ACTIONS) for place in range(5))
    assert len({tuple(routine) for routine in routines}) > 1900


def test_a_swapped_action_is_never_asked_again() -> None:
    random = Random(3)
    for _ in range(200):
        routine, step = draw_routine(random), random.randrange(5)
        changed = replace_action(routine, step, routine[: step + 1], random)
        assert changed is not None and is_fit(changed) and changed[step] not in routine
        assert changed[:step] + changed[step + 1 :] == routine[:step] + routine[step + 1 :]


def test_the_only_turn_can_only_become_the_other_turn() -> None:
    routine = ["smile", "turn_left", "close_eyes", "look_up", "open_mouth"]
    assert all((replace_action(routine, 1, routine[:2], Random(seed)) or [])[1] == "turn_right" for seed in range(20))


def test_nothing_fits_when_all_has_been_seen() -> None:
    assert replace_action(draw_routine(Random(4)), 0, ACTIONS, Random(4)) is None
