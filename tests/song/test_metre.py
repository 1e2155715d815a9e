"""How evidence becomes bars: exact patterns, a pickup, and a metre that was given."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.song.metre import BY_ATTACKS, METRES, Hearing, choose_metre, compare_metres, weigh_beats

BEATS = 60


def make_hearing(metre: int, pickup: int) -> Hearing:
    """Every first beat sounds like one, and everything repeats after a bar."""
    places = (np.arange(BEATS) - pickup) % metre
    cues = np.where(places == 0, 1.5, -0.4)[:, None] * np.ones((1, len(BY_ATTACKS.cues)))
    attacks = np.eye(metre)[places]
    return Hearing(cues, attacks - attacks.mean(axis=0), np.random.default_rng(0).normal(size=(BEATS, 12)))


@pytest.mark.parametrize("metre", [3, 4, 5, 7])
@pytest.mark.parametrize("pickup", [0, 2])
def test_bars_that_repeat_are_found(metre, pickup):
    hearing = make_hearing(metre, pickup)
    bars = choose_metre(hearing, weigh_beats(hearing.cues, BY_ATTACKS), BY_ATTACKS)
    assert bars.metre == metre and bars.margin > 0
    assert np.flatnonzero(bars.positions == 1)[-3:].tolist() == [at for at in range(BEATS) if (at - pickup) % metre == 0][-3:]


def test_a_given_metre_is_kept():
    hearing = make_hearing(4, 1)
    bars = choose_metre(hearing, weigh_beats(hearing.cues, BY_ATTACKS), BY_ATTACKS, (3,))
    assert bars.metre == 3 and set(bars.positions) == {1, 2, 3}


def test_repetition_after_a_bar_speaks_for_it():
    hearing = make_hearing(5, 0)
    repeats = compare_metres(hearing, weigh_beats(hearing.cues, BY_ATTACKS))[:, 1]
    assert METRES[int(repeats.argmax())] == 5
