"""Frames that come in turn and time, and those that do not."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.person.arrival import Arrivals, decode
from pack.nodes.engine.person.dialogue import ChallengeError
from performer import encode


def check(times: list[float], sequences: list[int] | None = None) -> list[str | None]:
    arrivals = Arrivals(0.0)
    return [arrivals.check_order(sequence, time) for sequence, time in zip(sequences or range(len(times)), times, strict=True)]


@pytest.mark.parametrize("fps", [1, 6, 12, 20])
def test_a_cameras_frames_are_welcome(fps: int) -> None:
    assert set(check([i / fps for i in range(100)])) == {None}


def test_a_stall_of_the_line_is_forgiven_a_flood_is_not() -> None:
    assert set(check([*(i / 12 for i in range(12)), *[2.4] * 6, *(2.5 + i / 12 for i in range(12))])) == {None}
    assert "too_fast" in check([i / 60 for i in range(100)])
    assert "too_fast" in check([0.0] * 12)


@pytest.mark.parametrize("sequences", [[1], [0, 0], [0, 2], [0, 1, 0], [-1]])
def test_sequence_must_count_up_from_zero(sequences: list[int]) -> None:
    assert check([0.1 * i for i in range(len(sequences))], sequences)[-1] == "out_of_order"


def test_time_gaps_and_the_end_of_life() -> None:
    assert check([0.0, 0.1, 0.05])[-1] == "out_of_order"
    assert check([0.0, 2.5])[-1] == "connection_slow"
    assert check([120.1]) == ["expired"]


def test_frozen_and_looping_pictures() -> None:
    arrivals = Arrivals(0.0)
    assert [arrivals.check_picture(b"same", time / 10) for time in range(21)] == [None] * 21  # a slow camera, up to two seconds
    assert arrivals.check_picture(b"same", 2.2) == "picture_repeated"
    arrivals = Arrivals(0.0)
    reasons = [arrivals.check_picture(bytes([index % 5]), index / 10) for index in range(12)]
    assert reasons[:8] == [None] * 8 and reasons[8] == "picture_repeated"


def test_pictures_that_cannot_be_read_are_counted() -> None:
    arrivals = Arrivals(0.0)
    assert [arrivals.count_bad() for _ in range(6)] == [None] * 5 + ["bad_pictures"]


def test_pictures_are_decoded_safely() -> None:
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:, :30] = (250, 10, 10)
    jpeg = encode(picture, 95)
    found = decode(jpeg)
    assert found.shape == (40, 60, 3) and found[20, 5, 0] > 200 > 60 > found[20, 5, 2]
    bomb = bytearray(jpeg)
    place = jpeg.index(b"\xff\xc0")
    bomb[place + 5 : place + 9] = (60000).to_bytes(2, "big") * 2
    with pytest.raises(ChallengeError) as huge:
        decode(bytes(bomb))
    assert huge.value.code == "picture_too_large"
    for wrong in (b"", b"\x89PNG", jpeg[:20], jpeg[:200].replace(b"\xff\xd8", b"\x00\x00")):
        with pytest.raises(ChallengeError) as error:
            decode(wrong)
        assert error.value.code == "not_a_picture"
