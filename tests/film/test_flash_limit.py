"""The limiter of flashes, on frames whose flashes are known: strobes become safe, calm frames stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from drawn_films import texture, zoomed
from pack.nodes.engine.film.flash_limit import FlashLimiter, limit_exposure
from pack.nodes.engine.film.flashes import FlashCounter, to_light

FPS = 24
SECONDS = 4


def shown(draw: Callable[[float], np.ndarray], fps: int = FPS) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What goes into the limiter and what comes out."""
    limiter = FlashLimiter(Fraction(fps))
    frames = [draw(number / fps) for number in range(SECONDS * fps)]
    return frames, [limiter.show(frame) for frame in frames]


def flashes(frames: list[np.ndarray], fps: int = FPS) -> int:
    counter = FlashCounter()
    for number, frame in enumerate(frames):
        counter.add(number / fps, to_light(frame))
    return counter.most()


def strobe(rate: float, low: int = 60, high: int = 200, part: float = 1.0) -> Callable[[float], np.ndarray]:
    """A grey frame whose left `part` flashes `rate` times a second."""

    def draw(time: float) -> np.ndarray:
        frame = np.full((54, 96, 3), low, np.uint8)
        frame[:, : round(96 * part)] = high if (time * rate + 1e-9) % 1 < 0.5 else low
        return frame

    return draw


@pytest.mark.slow
@pytest.mark.parametrize("rate", [4, 5, 6, 8, 12])
@pytest.mark.parametrize("part", [1.0, 0.3, 0.15])
def test_a_strobe_becomes_safe(rate: int, part: float) -> None:
    before, after = shown(strobe(rate, part=part))
    assert flashes(before) == rate
    assert flashes(after) <= 3


def test_red_flashes_are_limited_too() -> None:
    def draw(time: float) -> np.ndarray:
        frame = np.zeros((54, 96, 3), np.uint8)
        frame[:, :, 0 if (time * 6 + 1e-9) % 1 < 0.5 else 1] = 148
        return frame

    before, after = shown(draw)
    assert flashes(before) == 6 and flashes(after) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("fps", [24, 30, 60])
def test_a_strobe_is_evened_out_rather_than_frozen(fps: int) -> None:
    """After its three flashes the film stands near the strobe's mean light and still moves."""
    _, after = shown(strobe(6), fps)
    late = np.array([frame[0, 0, 0] for frame in after[fps:]], float)
    assert 80 < late.mean() < 180 and late.std() > 0.5


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_up_to_three_flashes_pass_bit_for_bit(rate: int) -> None:
    before, after = shown(strobe(rate))
    assert flashes(before) == rate
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_calm_pictures_pass_bit_for_bit() -> None:
    scene = texture(3)

    def draw(time: float) -> np.ndarray:
        return zoomed(scene, 1.05 + 0.05 * np.sin(7 * time))

    before, after = shown(draw)
    assert all(a is b for a, b in zip(before, after, strict=True))


def test_frames_pass_whole_again_after_a_strobe() -> None:
    before, after = shown(lambda time: strobe(8)(time) if time < 1.5 else strobe(1)(0.0))
    assert not np.array_equal(before[20], after[20])
    assert np.array_equal(before[-1], after[-1])


def test_noise_that_flickers_is_held_back() -> None:
    rng = np.random.default_rng(1)
    before, after = shown(lambda _: np.full((54, 96, 3), rng.integers(0, 255), np.uint8))
    assert flashes(before) > 3 and flashes(after) <= 3


def accents_at(rate: float, height: float, fps: int = FPS) -> np.ndarray:
    times = np.arange(SECONDS * fps) / fps
    return 1 + height * np.exp(-((times + 1e-9) % (1 / rate)) / 0.05)


def test_slow_or_faint_accents_are_left_alone() -> None:
    for exposure in (accents_at(2.0, 0.3), accents_at(3.0, 0.3), accents_at(6.0, 0.02), np.ones(50), np.ones(1)):
        assert limit_exposure(exposure, Fraction(FPS)) is exposure


@pytest.mark.parametrize("rate", [4.0, 6.0])
@pytest.mark.parametrize("height", [0.1, 0.5, -0.5])
def test_fast_accents_are_weakened_alike(rate: float, height: float) -> None:
    exposure = accents_at(rate, height)
    limited = limit_exposure(exposure, Fraction(FPS))
    share = (limited - 1) / (exposure - 1)
    assert share.std() < 1e-9 and 0.05 < share[0] < 1.0
    for grey in (60, 130, 200, 230):
        frames = [np.full((36, 64, 3), min(255, int(grey * factor)), np.uint8) for factor in limited]
        assert flashes(frames) <= 3
