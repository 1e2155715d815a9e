"""A random path of a dot, and how well a nose followed it.

The dot walks from place to place for 8 s, a new path for every try. The head's yaw and pitch must follow it with a person's delay; the
chance that they would fit by luck is counted on a thousand other random paths (a permutation test). A recording cannot know the path.
What it does not know: a live puppet, which follows as its player does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

SECONDS = 8
LEAD = 1.0  # the dot waits in the middle first
TAIL = 0.7  # and the head may arrive later
REACH = 0.38  # of the preview's width and height, from its middle
LAGS = np.arange(0.1, 1.55, 0.1)
FITS, LUCK, RANGE = 0.75, 0.01, 20.0  # correlation, permutation p, degrees of yaw from one side to the other
DECOYS = 1000
FEWEST = 30  # frames


@dataclass(frozen=True)
class DotPath:
    """Places [9, 2], -1..1 from the middle: x > 0 to the person's own right (the mirrored preview's right), y > 0 down."""

    places: np.ndarray

    def at(self, time: np.ndarray) -> np.ndarray:
        """Where the dot is [N, 2] at times [N] since it set off; it eases from place to place (minimum jerk)."""
        return walk(self.places[None], time)[0]

    def on_preview(self, time: float) -> tuple[float, float]:
        x, y = self.at(np.array([time]))[0]
        return round(0.5 + REACH * float(x), 4), round(0.5 + REACH * float(y), 4)


def draw_path(random: Random) -> DotPath:
    """A path that nobody can foresee when `random` is the system's."""
    return DotPath(_draw_places(np.random.default_rng(random.getrandbits(128)), 1)[0])


def judge_follow(path: DotPath, times: Sequence[float], angles: Sequence[tuple[float, float]]) -> bool:
    """`times` since the dot set off, `angles` (yaw, pitch) of the head then."""
    time, head = np.array(times), np.array(angles)
    if len(time) < FEWEST or float(np.ptp(np.percentile(head[:, 0], [2, 98]))) < RANGE:
        return False
    fit = float(_fit(path.places[None], time, head)[0])
    decoys = _fit(_draw_places(np.random.default_rng(), DECOYS), time, head)
    return fit >= FITS and (1 + int((decoys >= fit).sum())) / (1 + DECOYS) <= LUCK


def walk(places: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Paths [P, 9, 2] at times [N] -> [P, N, 2]."""
    clock = np.clip(time, 0, SECONDS - 1e-9)
    step = clock.astype(int)
    part = clock - step
    ease = (part**3 * (10 - 15 * part + 6 * part * part))[None, :, None]
    return places[:, step] + (places[:, step + 1] - places[:, step]) * ease


def _draw_places(random: np.random.Generator, count: int) -> np.ndarray:
    """Paths that begin in the middle and never rest: each place at least 0.7 from the last."""
    places = np.zeros((count, SECONDS + 1, 2))
    for step in range(1, SECONDS + 1):
        waiting = np.ones(count, bool)
        while waiting.any():
            places[waiting, step] = random.uniform(-1, 1, (int(waiting.sum()), 2))
            waiting = np.linalg.norm(places[:, step] - places[:, step - 1], axis=1) <= 0.7
    return places


def _fit(places: np.ndarray, time: np.ndarray, head: np.ndarray) -> np.ndarray:
    """The best correlation over all delays, mean of both axes, for each path [P]."""
    best = np.full(len(places), -1.0)
    for lag in LAGS:
        kept = time >= lag
        if kept.sum() < FEWEST:
            continue
        dot = walk(places, time[kept] - lag)
        dot = dot - dot.mean(axis=1, keepdims=True)
        turned = head[kept] - head[kept].mean(axis=0)
        scale = np.sqrt((dot**2).sum(axis=1) * (turned**2).sum(axis=0)) + 1e-9
        best = np.maximum(best, ((dot * turned).sum(axis=1) / scale).mean(axis=1))
    return best
