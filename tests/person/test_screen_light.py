"""The screen's colours on a face, by numbers alone."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from pack.nodes.engine.person.screen_light import COUNT, HOLD, PALETTE, SECONDS, TAIL, ColourRow, draw_colours, judge_light

TIMES = np.arange(0, SECONDS + TAIL, 1 / 12)


def skin(row: ColourRow, share: float, seed: int, delay: float = 0.2) -> list[np.ndarray]:
    """The logarithm of skin lit by the room and, to `share`, by the screen, with a slow drift and noise."""
    random = np.random.default_rng(seed)
    drift = np.cumsum(random.normal(0, 0.004, (len(TIMES), 3)), axis=0)
    values = []
    for time, slow in zip(TIMES, drift, strict=True):
        colour = row.at(max(time - delay, 0.0))
        shine = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        values.append(np.log(0.4 * (1 + share * shine)) + slow + random.normal(0, 0.003, 3))
    return values


@pytest.mark.parametrize("share", [0.3, 0.1])
def test_a_lit_face_passes(share: float) -> None:
    for seed in range(5):
        row = draw_colours(Random(seed))
        assert judge_light(row, TIMES.tolist(), skin(row, share, seed, delay=0.1 + 0.1 * seed))


def test_a_face_that_our_light_does_not_reach_fails() -> None:
    rows = [draw_colours(Random(seed)) for seed in range(20)]
    assert not any(judge_light(row, TIMES.tolist(), skin(row, 0.0, seed)) for seed, row in enumerate(rows))


def test_a_recording_lit_by_other_colours_fails() -> None:
    rows = [draw_colours(Random(seed)) for seed in range(21)]
    assert not any(judge_light(rows[i], TIMES.tolist(), skin(rows[i + 1], 0.3, i)) for i in range(20))


def test_colours_are_kind_to_eyes() -> None:
    """At most three changes a second, and no saturated red (WCAG 2.3.1)."""
    assert 1 / HOLD <= 3
    for colour in PALETTE:
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        assert red / max(red + green + blue, 1) < 0.8
    row = draw_colours(Random(1))
    assert len(row.colours) == COUNT and all(a != b for a, b in zip(row.colours, row.colours[1:], strict=False))
