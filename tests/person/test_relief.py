"""Depth of a head, of flat paper and of bent paper; skin that lives on and skin that does not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from acting import Camera, ease
from attacks import hold_sheet
from pack.nodes.engine.person.actions import find_neutral, find_pose
from pack.nodes.engine.person.mesh_tracker import MeshTracker
from pack.nodes.engine.person.relief import SkinTrack, Turn
from performer import Act, Performer


def shoot(picture: np.ndarray, camera: Camera, seed: int) -> np.ndarray:
    found = cv2.imdecode(np.frombuffer(camera.shoot(picture, np.random.default_rng(seed)), np.uint8), cv2.IMREAD_COLOR)
    assert found is not None
    return np.ascontiguousarray(found[..., ::-1])


def turn_of(film: Callable[[float], np.ndarray], widest: float, camera: Camera = Camera()) -> Turn:  # noqa: B008
    """What a swing to `widest` degrees and a short hold show of depth."""
    tracker, skin, turn = MeshTracker(), SkinTrack(), Turn()
    picture = shoot(film(0), camera, 0)
    faces = [face for face in (tracker.find(picture), tracker.find(picture)) if face]
    neutral = find_neutral(faces)
    skin.begin(picture, faces[-1])
    for index in range(1, 9):
        picture = shoot(film(widest * ease(index / 5)), camera, index)
        face = tracker.find(picture)
        skin.follow(picture)
        if face is None:
            continue
        yaw = find_pose(face, neutral).yaw
        reading = skin.read(face, yaw) if abs(yaw) > 12 else None
        if reading:
            turn.readings.append(reading)
    return turn


@pytest.mark.parametrize("camera", [Camera(), Camera(width=320)], ids=["640 pixels", "320 pixels"])
def test_a_head_is_solid(astronaut: Performer, camera: Camera) -> None:
    assert turn_of(lambda yaw: astronaut.render(Act(yaw=yaw)), 28, camera).is_solid()


def test_a_head_with_glasses_is_solid(hopper: Performer) -> None:
    assert turn_of(lambda yaw: hopper.render(Act(yaw=yaw)), -28).is_solid()


@pytest.mark.parametrize("camera", [Camera(), Camera(width=320)], ids=["640 pixels", "320 pixels"])
def test_a_bent_print_is_not(astronaut: Performer, camera: Camera) -> None:
    photograph = astronaut.render(Act(smile=0.3))
    turn = turn_of(lambda yaw: hold_sheet(photograph, Act(yaw=yaw), 110), 48, camera)
    assert turn.readings and turn.is_solid() is False


def test_a_flat_print_does_not_even_seem_to_turn(astronaut: Performer) -> None:
    photograph = astronaut.render(Act(smile=0.3))
    assert turn_of(lambda yaw: hold_sheet(photograph, Act(yaw=yaw)), 45).is_solid() is None


def test_skin_lives_on_in_the_same_face_and_dies_with_another(astronaut: Performer, hopper: Performer) -> None:
    first, moved, other = astronaut.render(), astronaut.render(Act(yaw=6, x=5)), hopper.render()
    face = MeshTracker().find(first)
    assert face is not None
    skin = SkinTrack()
    skin.begin(first, face)
    assert skin.follow(moved) > 0.7
    skin.begin(first, face)
    assert skin.follow(other) < 0.15


def test_a_picture_of_another_size_ends_the_track(astronaut: Performer) -> None:
    picture = astronaut.render()
    face = MeshTracker().find(picture)
    assert face is not None
    skin = SkinTrack()
    skin.begin(picture, face)
    assert skin.follow(picture[:, :400].copy()) == 0 and skin.count == 0
    assert skin.read(face, 20) is None and skin.follow(picture) == 0
