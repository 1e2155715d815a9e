"""Flashes as WCAG 2.3.1 counts them, on frames whose light is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from pack.nodes.engine.film.flashes import FlashCounter, to_light

FPS = 30
DARK, PALE, WHITE = 0.2, 0.85, 1.0


def count(draw: Callable[[float], np.ndarray], seconds: float = 3.0) -> FlashCounter:
    counter = FlashCounter()
    for number in range(round(seconds * FPS)):
        counter.add(number / FPS, draw(number / FPS).astype(np.float32))
    return counter


def grey(level: float, part: float = 1.0, around: float = DARK) -> np.ndarray:
    """A frame whose left `part` has a level of light."""
    frame = np.full((36, 64, 3), around)
    frame[:, : round(64 * part)] = level
    return frame


def blinking(rate: float, low: float = DARK, high: float = DARK + 0.3, part: float = 1.0) -> Callable[[float], np.ndarray]:
    """As many flashes a second as `rate`."""
    return lambda time: grey(high if (time * rate + 1e-9) % 1 < 0.5 else low, part)


@pytest.mark.parametrize(("rate", "flashes"), [(1, 1), (3, 3), (5, 5), (15, 15)])
def test_flashes_in_a_second(rate: int, flashes: int) -> None:
    found = count(blinking(rate)).general()
    assert found.count == flashes and found.is_safe == (flashes <= 3)
    assert count(blinking(rate)).red().count == 0


def test_a_fast_second_in_a_calm_film_is_found() -> None:
    found = count(lambda time: blinking(5)(time) if 4 <= time < 6 else grey(DARK), 10.0).general()
    assert found.count == 5 and found.time == pytest.approx(4.0, abs=0.2)


def test_small_steps_and_bright_pictures_are_no_flashes() -> None:
    assert count(blinking(5, 0.2, 0.29)).general().count == 0
    assert count(blinking(5, 0.2, 0.31)).general().count == 5
    assert count(blinking(5, PALE, WHITE)).general().count == 0


def test_a_sine_of_light_flashes_too() -> None:
    assert count(lambda time: grey(0.3 + 0.1 * np.sin(2 * np.pi * 5 * time))).general().count == 5
    assert count(lambda time: grey(0.3 + 0.04 * np.sin(2 * np.pi * 5 * time))).general().count == 0


def test_a_slow_fade_is_one_change() -> None:
    assert count(lambda time: grey(0.1 + 0.25 * time)).general().count == 0


def test_a_quarter_of_the_frame_counts_and_a_part_of_it_is_told_apart() -> None:
    assert count(blinking(5, part=0.3)).general().count == 5
    small = count(blinking(5, part=0.15))
    assert small.general("frame").count == 0 and small.general("field").count == 5
    tiny = count(blinking(5, part=0.03))
    assert tiny.general("field").count == 0


def test_a_fine_chequerboard_is_excepted() -> None:
    board = np.indices((180, 320)).sum(axis=0) % 2

    def draw(time: float) -> np.ndarray:
        swapped = board if (time * 5) % 1 < 0.5 else 1 - board
        return np.repeat(swapped[..., None], 3, axis=2) * 0.9

    assert count(draw).general("field").count == 0


def test_saturated_red_flashes() -> None:
    red, green = np.array([0.3, 0.0, 0.0]), np.array([0.0, 0.0892, 0.0])  # of the same luminance

    def draw(time: float) -> np.ndarray:
        return np.broadcast_to(red if (time * 5) % 1 < 0.5 else green, (36, 64, 3))

    found = count(draw)
    assert found.red().count == 5 and found.general().count == 0
    pink = count(lambda time: np.broadcast_to([0.3, 0.15, 0.15] if (time * 5) % 1 < 0.5 else [0.25, 0.15, 0.2], (36, 64, 3)))
    assert pink.red().count == 0


def test_cuts_between_scenes_are_single_changes() -> None:
    left, right = grey(0.8, 0.5), grey(0.8, 0.5)[:, ::-1]
    assert count(lambda time: left if int(time * 2) % 2 else right).general().count == 1


def test_light_is_that_of_srgb() -> None:
    assert to_light(np.array([0, 10, 188, 255], np.uint8)) == pytest.approx([0.0, 10 / 255 / 12.92, 0.5029, 1.0], abs=1e-3)
