"""Pose and expression against the person's own neutral face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from acting import AMOUNTS
from hypothesis import given
from hypothesis import strategies as st
from pack.nodes.engine.person.actions import AXES, Motion, Neutral, find_neutral, fit_rigid, name_action, name_expression, read_motion
from pack.nodes.engine.person.dialogue import ACTIONS
from pack.nodes.engine.person.face import Face
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from performer import Act, Performer, rotation


def face_of(person: Performer, act: Act) -> Face:
    face = MeshTracker().find(person.render(act, noise=2))
    assert face is not None
    return face


@pytest.fixture(scope="module")
def neutral(astronaut: Performer) -> Neutral:
    return find_neutral([face_of(astronaut, Act(yaw=yaw)) for yaw in (-1, 0, 1)])


def motion_of(person: Performer, act: Act, neutral: Neutral) -> Motion:
    return read_motion(face_of(person, act), neutral)


@given(st.floats(-60, 60), st.floats(-40, 40), st.floats(-60, 60), st.floats(0.3, 3))
def test_rigid_fit_is_exact_on_rigid_motion(yaw: float, pitch: float, roll: float, scale: float) -> None:
    points = np.random.default_rng(2).normal(0, 30, (47, 3))
    turn, found = fit_rigid(points, points @ rotation(yaw, pitch, roll).T * scale + [5, -7, 2])
    assert np.allclose(turn, rotation(yaw, pitch, roll), atol=1e-6) and found == pytest.approx(scale, rel=1e-6)


@pytest.mark.parametrize(
    ("axis", "amount", "error"), [("yaw", 20, 4), ("yaw", -20, 4), ("pitch", 15, 5), ("pitch", -15, 5), ("roll", 20, 2)]
)
def test_pose_follows_the_head(astronaut: Performer, neutral: Neutral, axis: str, amount: float, error: float) -> None:
    pose = motion_of(astronaut, Act().with_(**{axis: amount}), neutral).pose
    assert abs(getattr(pose, axis) - amount) < error
    assert all(abs(getattr(pose, other)) < 5 for other in ("yaw", "pitch", "roll") if other != axis)


def test_scale_follows_the_distance(astronaut: Performer, neutral: Neutral) -> None:
    assert motion_of(astronaut, Act(scale=1.4), neutral).pose.scale == pytest.approx(1.4, abs=0.05)


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_named_and_no_other(astronaut: Performer, neutral: Neutral, action: str) -> None:
    axis, amount = AMOUNTS[action]
    act = Act().with_(**{axis: amount + (axis == "scale")})
    done = motion_of(astronaut, act, neutral).done
    assert name_action(done) == action
    assert set(done) == set(ACTIONS) == set(AXES)


def test_rest_is_no_action(astronaut: Performer, neutral: Neutral) -> None:
    motion = motion_of(astronaut, Act(yaw=3, pitch=-2, roll=2), neutral)
    assert name_action(motion.done) is None and max(motion.done.values()) < 0.7 and name_expression(motion.done) == "neutral"


def test_half_a_turn_is_no_turn(astronaut: Performer, neutral: Neutral) -> None:
    assert name_action(motion_of(astronaut, Act(yaw=12), neutral).done) is None


def test_expressions_are_named_for_captions(astronaut: Performer, neutral: Neutral) -> None:
    acts = {"smile": Act(smile=1), "mouth_open": Act(mouth=0.8), "eyes_closed": Act(blink=1), "brows_raised": Act(brows=1)}
    assert {name: name_expression(motion_of(astronaut, act, neutral).done) for name, act in acts.items()} == {name: name for name in acts}


def test_closed_eyes_are_seen_on_a_turned_head_too(astronaut: Performer, neutral: Neutral) -> None:
    assert motion_of(astronaut, Act(yaw=25, blink=1), neutral).eyes < 0.75 < motion_of(astronaut, Act(yaw=25), neutral).eyes


def test_blink_in_the_neutral_second_does_not_spoil_it(astronaut: Performer) -> None:
    open_faces = [face_of(astronaut, Act(yaw=yaw)) for yaw in (-1, 0, 1)]
    blinking = find_neutral([*open_faces, face_of(astronaut, Act(blink=1))])
    assert blinking.expression.eyes == pytest.approx(find_neutral(open_faces).expression.eyes, rel=0.1)


def test_a_backends_own_judgement_goes_first(astronaut: Performer, neutral: Neutral) -> None:
    face = replace(face_of(astronaut, Act()), expressions={"smile": 0.8, "brows": 0.0, "jaw": 0.0})
    rest = replace(neutral, judged={"smile": 0.1, "brows": 0.0, "jaw": 0.0})
    assert name_action(read_motion(face, rest).done) == "smile"
