"""The same face, and another one, within a session."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.person.face import Face
from pack.nodes.engine.person.likeness import Likeness, triangles
from pack.nodes.engine.person.liveness import KEPT, OTHER
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from performer import Act, Performer


def look(person: Performer, act: Act, seed: int) -> tuple[np.ndarray, Face]:
    picture = person.render(act, noise=2.5, random=np.random.default_rng(seed))
    face = MeshTracker().find(picture)
    assert face is not None
    return picture, face


@pytest.fixture(scope="module")
def likeness(astronaut: Performer) -> Likeness:
    looks = [look(astronaut, Act(yaw=yaw), seed) for seed, yaw in enumerate((-1, 0, 2))]
    known = Likeness(looks[0][1].points)
    for picture, face in looks:
        known.enrol(picture, face.points)
    return known


@pytest.mark.parametrize(
    "act", [Act(), Act(yaw=18), Act(yaw=-18), Act(pitch=10), Act(roll=20), Act(smile=1), Act(mouth=0.8), Act(scale=1.4)]
)
def test_the_same_person_in_other_poses(astronaut: Performer, likeness: Likeness, act: Act) -> None:
    picture, face = look(astronaut, act, 9)
    distance = likeness.distance(picture, face.points)
    assert distance is not None and distance < KEPT


def test_the_same_person_in_other_light(astronaut: Performer, likeness: Likeness) -> None:
    picture, face = look(astronaut, Act(yaw=4), 9)
    dim = np.clip(picture * [0.5, 0.55, 0.6], 0, 255).astype(np.uint8)
    assert (likeness.distance(dim, face.points) or 2) < KEPT


@pytest.mark.parametrize("act", [Act(), Act(yaw=12), Act(roll=-10), Act(smile=1)])
def test_another_person_is_another(hopper: Performer, likeness: Likeness, act: Act) -> None:
    picture, face = look(hopper, act, 9)
    assert (likeness.distance(picture, face.points) or 0) > OTHER


def test_a_face_that_is_not_seen_is_not_judged(likeness: Likeness, astronaut: Performer) -> None:
    picture, face = look(astronaut, Act(), 9)
    edge_on = face.points.copy()
    edge_on[:, 0] = edge_on[:, 0].mean()
    assert likeness.distance(picture, edge_on) is None


def test_triangles_are_those_of_the_mesh() -> None:
    assert triangles().shape == (854, 3) and set(triangles().ravel()) <= set(range(468))
