"""Which written scores there are to play, and how often each kind comes."""

from __future__ import annotations

import random
from collections.abc import Callable

from .ensembles import write_chamber, write_dance, write_hymn, write_machine, write_metal
from .patterns import write_alone, write_band, write_broken, write_clicks, write_compound, write_floor, write_free
from .scores import Score

WRITERS: tuple[tuple[Callable[[random.Random], Score], float], ...] = (  # and how often each
    (write_band, 0.14),
    (write_metal, 0.13),
    (write_dance, 0.12),
    (write_floor, 0.04),
    (write_broken, 0.06),
    (write_machine, 0.1),
    (write_compound, 0.09),
    (write_alone, 0.09),
    (write_chamber, 0.12),
    (write_hymn, 0.03),
    (write_clicks, 0.04),
    (write_free, 0.04),
)


def write_score(seed: int) -> Score:
    rng = random.Random(seed)
    writers, weights = zip(*WRITERS, strict=True)
    return rng.choices(writers, weights)[0](rng)
