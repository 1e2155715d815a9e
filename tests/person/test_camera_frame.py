"""Camera messages: sound ones come apart exactly, everything else is refused with a code before it is decoded."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.nodes.engine.person.camera_frame import HEADER_BYTES, LARGEST_JPEG, RATE, FrameError, RateGate, jpeg_size, read_frame
from PIL import Image

NONCE = "ab" * 32


def jpeg(width: int = 320, height: int = 240, **options: object) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, 150)).save(sink, "JPEG", **options)
    return sink.getvalue()


def message(picture: bytes, sequence: int = 7) -> bytes:
    return sequence.to_bytes(4, "big") + bytes.fromhex(NONCE) + picture


def refusal(data: bytes) -> str:
    with pytest.raises(FrameError) as caught:
        read_frame(data)
    assert str(caught.value).endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"quality": 30}, {"exif": b"Exif\0\0" + b"x" * 900}, {"comment": b"c" * 5000}]
)
def test_sound_message_comes_apart(options: dict[str, object]) -> None:
    picture = jpeg(640, 480, **options)
    frame = read_frame(message(picture, 123456))
    assert (frame.sequence, frame.nonce, frame.jpeg) == (123456, NONCE, picture)
    assert jpeg_size(picture) == (640, 480)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_frame"),
        (message(b""), "empty_frame"),
        (b"x" * 10, "empty_frame"),
        (message(b"\x89PNG\r\n\x1a\n" + b"0" * 200), "not_a_picture"),
        (message(b"\xff\xd8\xff"), "not_a_picture"),
        (message(b"\xff\xd8\xff" + b"\xff" * 5000), "not_a_picture"),
        (message(jpeg() + b"0" * LARGEST_JPEG), "frame_too_large"),
        (message(jpeg(40, 30)), "frame_size"),
        (message(jpeg(2000, 200)), "frame_size"),
    ],
)
def test_unsound_message_is_refused(data: bytes, code: str) -> None:
    assert refusal(data) == code


def test_picture_that_claims_to_be_huge_is_refused() -> None:
    """A decompression bomb: a few hundred bytes whose header says 65,000 pixels a side."""
    bomb = bytearray(jpeg())
    start = bomb.index(b"\xff\xc0")
    bomb[start + 5 : start + 9] = (65000).to_bytes(2, "big") * 2
    assert refusal(message(bytes(bomb))) == "frame_size"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_noise_never_breaks_the_reader(noise: bytes) -> None:
    for data in (noise, message(noise), message(b"\xff\xd8\xff" + noise)):
        try:
            frame = read_frame(data)
        except FrameError:
            continue
        assert data[HEADER_BYTES:] == frame.jpeg


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_cut_and_bent_headers_never_break_the_reader(data: st.DataObject) -> None:
    picture = bytearray(jpeg())
    for _ in range(data.draw(st.integers(1, 6))):
        picture[data.draw(st.integers(0, min(len(picture) - 1, 700)))] = data.draw(st.integers(0, 255))
    bent = bytes(picture[: data.draw(st.integers(0, len(picture)))])
    try:
        width, height = jpeg_size(bent)
    except FrameError:
        return
    assert 0 <= width < 65536 and 0 <= height < 65536


def test_rate_gate_passes_a_camera_and_stops_a_flood() -> None:
    gate = RateGate()
    for index in range(300):
        gate.admit(index / 15)
    flood = RateGate()
    with pytest.raises(FrameError) as caught:
        for index in range(1000):
            flood.admit(index / 1000)
    assert caught.value.code == "too_fast"
    flood.admit(10.0)  # and is patient afterwards


def test_rate_gate_allows_a_short_burst() -> None:
    """A network that held frames back delivers them at once."""
    gate = RateGate()
    for _ in range(2 * RATE):
        gate.admit(1.0)
