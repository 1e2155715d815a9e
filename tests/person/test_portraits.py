"""Which frames are kept, how they are cut, and what is said of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.person.portraits import (
    EYE_HEIGHT,
    FEWEST,
    LARGEST,
    MOST,
    SMALLEST,
    choose_portraits,
    describe_pose,
    write_caption,
)
from sitting import LEFT_EYE, RIGHT_EYE, make_capture, make_captures, make_face


def mark_eyes(capture: Any) -> Any:
    """Paints the eyes: the person's right one red, the left one blue, on grey."""
    import cv2

    capture.picture[:] = 128
    for corners, colour in ((RIGHT_EYE, (255, 0, 0)), (LEFT_EYE, (0, 0, 255))):
        x, y = capture.face.points[list(corners), :2].mean(0)
        cv2.circle(capture.picture, (round(x), round(y)), 5, colour, -1)
    return capture


def find(picture: np.ndarray, colour: int) -> np.ndarray:
    """Where the paint of a channel lies: x, y in 0..1 of the picture."""
    rest = picture[..., 2 - colour].astype(int)
    rows, columns = np.nonzero(picture[..., colour].astype(int) - rest > 120)
    return np.array([columns.mean(), rows.mean()]) / picture.shape[0]


@pytest.mark.parametrize("degrees", [-35, -10, 0, 20])
@pytest.mark.parametrize(("x", "y", "between"), [(320, 220, 60), (250, 250, 45), (340, 200, 70)])
def test_eyes_are_level_and_in_their_place(degrees: float, x: float, y: float, between: float) -> None:
    capture = mark_eyes(make_capture(face=make_face(x, y, between, np.deg2rad(degrees)), roll=degrees))
    (portrait,) = choose_portraits([capture])
    right, left = find(portrait.picture, 0), find(portrait.picture, 2)
    assert right[0] < 0.5 < left[0], "the person's right eye is on the picture's left: not mirrored"
    assert abs(right[1] - left[1]) < 0.01 and abs((right + left)[0] / 2 - 0.5) < 0.01
    assert EYE_HEIGHT[portrait.framing] - 0.07 < right[1] < 0.51
    assert SMALLEST <= len(portrait.picture) <= LARGEST and portrait.picture.shape[0] == portrait.picture.shape[1]


def test_a_large_face_gives_a_large_portrait() -> None:
    import cv2

    capture = make_capture(picture=cv2.resize(make_capture().picture, (1920, 1080)), face=make_face(960, 500, 190))
    (portrait,) = choose_portraits([capture])
    assert portrait.picture.shape == (800, 800, 3)


def test_tiny_faces_and_faces_at_the_edge_are_left_out() -> None:
    assert not choose_portraits([make_capture(face=make_face(320, 220, 20))])
    assert not choose_portraits([make_capture(face=make_face(40, 220, 60))])
    assert not choose_portraits([make_capture(face=make_face(320, 460, 60))])
    assert choose_portraits([make_capture(face=make_face(320, 220, 60))])


@pytest.mark.parametrize(
    "fault",
    [{"light": 0.05}, {"light": 0.97}, {"sharpness": 0.2}, {"expression": "eyes_closed"}, {"face": make_face(320, 220, 60, 0, 0.15)}],
)
def test_bad_frames_are_left_out(fault: dict[str, Any]) -> None:
    good = list(make_captures())
    with_fault = [make_capture(100, **fault, yaw=-30.0, pitch=12.0), *good]
    assert len(choose_portraits(with_fault)) == len(choose_portraits(good)) == len(good)


def test_no_captures_no_portraits() -> None:
    assert choose_portraits([]) == ()


def test_what_looks_the_same_is_taken_once() -> None:
    captures = [
        make_capture(seed, yaw=yaw, sharpness=1 + 0.001 * turn) for turn in range(4) for seed, yaw in enumerate(np.linspace(-30, 30, 14))
    ]
    assert len(choose_portraits(captures)) == 14


def test_too_few_are_made_up_with_lookalikes_but_the_different_come_first() -> None:
    captures = [make_capture(seed % 5, yaw=seed % 5 * 15 - 30.0) for seed in range(40)]
    portraits = choose_portraits(captures)
    assert len(portraits) >= FEWEST
    assert len({portrait.pose for portrait in portraits[:5]}) == 5


def test_rare_poses_and_expressions_are_not_crowded_out() -> None:
    """Sixty sharp frames of the same look into the camera leave room for each of the others."""
    crowd = [make_capture(seed, sharpness=2.0) for seed in range(60)]
    rare = [make_capture(200 + n, yaw=30.0 * n - 30, pitch=-12.0, expression="smile", sharpness=0.9) for n in range(3)]
    portraits = choose_portraits(crowd + rare)
    assert len(portraits) == MOST and Counter(portrait.expression for portrait in portraits)["smiling"] == 3


def test_within_a_pose_the_sharpest_comes_first() -> None:
    captures = [make_capture(seed, sharpness=1 + seed / 100) for seed in range(40)]
    portraits = choose_portraits(captures)
    (sharpest,) = choose_portraits([captures[-1]])
    assert np.array_equal(portraits[0].picture, sharpest.picture)


@pytest.mark.parametrize(
    ("yaw", "pitch", "says"),
    [
        (0, 0, "facing the camera"),
        (9.9, -7.9, "facing the camera"),
        (15, 0, "turned slightly to the left"),
        (-15, 0, "turned slightly to the right"),
        (40, 0, "three-quarter view facing left"),
        (-26, 12, "three-quarter view facing right, looking down"),
        (0, -12, "looking up"),
    ],
)
def test_poses_in_words(yaw: float, pitch: float, says: str) -> None:
    """Yaw above zero is the person's own right, which is the picture's left."""
    assert describe_pose(yaw, pitch) == says


def test_captions_name_the_trigger_and_guess_nothing() -> None:
    caption = write_caption("zuqvex", "portrait", describe_pose(20, 0), "smiling")
    assert caption == "photo of zuqvex person, portrait, turned slightly to the left, smiling"
