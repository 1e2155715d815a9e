"""What speaks for beats at another pace, by exact likelihoods; and that the two listeners are judged apart."""

from __future__ import annotations

import numpy as np
import pytest
from pack.nodes.engine.song import confidence
from pack.nodes.engine.song.activations import Activations
from pack.nodes.engine.song.beats import Pulse

RATE = 100.0


def make_heard(period: int, heights: tuple[float, ...], network: bool = True) -> Activations:
    """Likelihoods that peak every `period` frames over 30 s, at these heights in turn."""
    beat = np.full(int(30 * RATE), 0.01)
    for place, frame in enumerate(range(0, len(beat), period)):
        beat[frame] = heights[place % len(heights)]
    return Activations(RATE, beat, beat, beat / 3 if network else None)


def make_pulse(period: int) -> Pulse:
    frames = np.arange(0, int(30 * RATE), period)
    return Pulse(frames, frames / RATE)


def test_beats_that_were_left_out_raise_doubt():
    heard = make_heard(50, (0.9,))
    assert confidence.describe_doubt(make_pulse(50), heard, 0.5) == pytest.approx([0.0, 0.01, 0.0])
    assert confidence.describe_doubt(make_pulse(100), heard, 0.5) == pytest.approx([0.0, 0.9, 1.0])


def test_an_unusual_tempo_raises_doubt_either_way():
    heard = make_heard(25, (0.9,))
    slow, fast = (confidence.describe_doubt(make_pulse(period), heard, 0.5)[2] for period in (100, 25))
    assert slow == fast == pytest.approx(1.0)


def test_a_likelier_way_to_count_is_trusted_more():
    heard, attack = make_heard(50, (0.9,)), np.ones(int(30 * RATE))
    trusts = [confidence.trust_beats(make_pulse(50), heard, attack, chance) for chance in (0.3, 0.6, 0.97)]
    assert trusts == sorted(trusts)
    assert trusts[2] > 0.8


def test_a_pace_chosen_by_hand_is_not_doubted():
    heard, attack = make_heard(50, (0.7,)), np.ones(int(30 * RATE))
    doubted, chosen = (confidence.trust_beats(make_pulse(100), heard, attack, chance) for chance in (0.1, None))
    assert chosen > doubted + 0.1


@pytest.mark.parametrize("network", (True, False))
def test_each_listener_weighs_every_fact(network: bool):
    facts = confidence.describe_facts(make_pulse(50), make_heard(50, (0.9,), network), 1.0, 0.5)
    model = confidence.BY_NETWORK if network else confidence.BY_ATTACKS
    assert len(facts) == len(model.beats)
