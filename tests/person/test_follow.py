"""The dot's path and the nose that follows it, by numbers alone."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from pack.nodes.engine.person.follow import SECONDS, TAIL, DotPath, draw_path, judge_follow


def head(path: DotPath, seed: int, *, lag: float = 0.4, gain: float = 1.0, noise: float = 2.0, fps: float = 12) -> tuple[list, list]:
    """Times and angles of a head that follows a path as people do."""
    random = np.random.default_rng(seed)
    times = np.arange(0, SECONDS + TAIL, 1 / fps) + random.uniform(0, 0.02)
    dots = path.at(times - lag)
    sway = np.cumsum(random.normal(0, 0.5, (len(times), 2)), axis=0)
    sway -= np.linspace(sway[0], sway[-1], len(times))
    angles = dots * [18 * gain, 10 * gain] + noise * sway / max(float(sway.std()), 1e-6)
    return times.tolist(), [(float(yaw), float(pitch)) for yaw, pitch in angles]


@pytest.mark.parametrize("seed", range(10))
def test_a_head_that_follows_passes(seed: int) -> None:
    path = draw_path(Random(seed))
    lag, gain, fps = 0.2 + 0.06 * seed, 0.8 + 0.04 * seed, (6, 10, 12, 15)[seed % 4]
    assert judge_follow(path, *head(path, seed, lag=lag, gain=gain, fps=fps))


def test_a_recorded_walk_after_another_dot_fails() -> None:
    paths = [draw_path(Random(seed)) for seed in range(21)]
    assert not any(judge_follow(paths[i], *head(paths[i + 1], i)) for i in range(20))


def test_a_head_that_hardly_moves_fails_however_well_it_fits() -> None:
    path = draw_path(Random(1))
    assert not judge_follow(path, *head(path, 1, gain=0.3, noise=0))


def test_a_mirrored_walk_fails() -> None:
    path = draw_path(Random(2))
    times, angles = head(path, 2)
    assert not judge_follow(path, times, [(-yaw, pitch) for yaw, pitch in angles])


def test_too_few_frames_fail() -> None:
    path = draw_path(Random(3))
    assert not judge_follow(path, *head(path, 3, fps=2))


def test_path_begins_in_the_middle_stays_on_the_preview_and_moves_smoothly() -> None:
    path = draw_path(Random(4))
    places = np.array([path.on_preview(time) for time in np.arange(0, SECONDS + 1, 0.05)])
    assert tuple(places[0]) == (0.5, 0.5) and places.min() >= 0.1 and places.max() <= 0.9
    assert np.abs(np.diff(places, axis=0)).max() < 0.1
    assert np.ptp(places, axis=0).min() > 0.2
