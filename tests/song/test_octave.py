"""Ways to count a drum loop whose beats are exactly known, and the choice among them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.song import octave
from pack.nodes.engine.song.activations import Activations, hear_attacks
from pack.nodes.engine.song.beats import Pulse, find_related_pulses
from pack.nodes.engine.song.curves import measure_attack
from pack.nodes.engine.song.listening import hear_with_network
from pack.nodes.engine.song.metre import METRES
from pack.nodes.engine.song.octave import Count, choose_count, list_counts, measure_alternation
from pack.nodes.engine.song.recording import RATE, examine_recording, ignore_progress
from pack.nodes.engine.song.spectrum import FRAME_RATE, Spectrum, measure_spectrum


def hear(loop: Any, network: bool = True) -> tuple[Spectrum, Activations]:
    spectrum = measure_spectrum(examine_recording(loop.samples, RATE), ignore_progress)
    attacks = hear_attacks(spectrum)
    return spectrum, hear_with_network(spectrum, attacks, ignore_progress) if network else attacks


def make_pulse(times: np.ndarray) -> Pulse:
    return Pulse(np.round(times * FRAME_RATE).astype(int), times)


def count(loop: Any, pulse: Pulse, network: bool = True) -> list[Count]:
    spectrum, activations = hear(loop, network)
    return list_counts(spectrum, activations, pulse, measure_attack(spectrum), METRES, ignore_progress)


@pytest.mark.parametrize("network", (True, False))
@pytest.mark.parametrize("wrong", (0.5, 2.0))
def test_a_decoder_that_took_the_wrong_layer_is_put_right(wrong: float, network: bool, drum_loops: Any):
    loop = drum_loops.drum_loop(110, 4, 30)
    spectrum, activations = hear(loop, network)
    attack = measure_attack(spectrum)
    (pulse,) = find_related_pulses(activations, make_pulse(loop.beats), [wrong], ignore_progress)
    chosen, chance = octave.count_beats(spectrum, activations, pulse, attack, METRES, ignore_progress)
    assert chosen.pulse.tempo == pytest.approx(110, rel=0.02)
    assert chance > 0.5


def test_every_layer_within_reach_is_counted_once_and_the_decoders_comes_first(drum_loops: Any):
    loop = drum_loops.drum_loop(120, 4, 30)
    counts = count(loop, make_pulse(loop.beats))
    tempi = sorted(one.pulse.tempo for one in counts)
    assert counts[0].pulse.tempo == pytest.approx(120, rel=0.02)
    assert tempi == pytest.approx([40, 60, 80, 120, 180, 240], rel=0.17)


def test_no_layer_is_slower_or_faster_than_people_tap(drum_loops: Any):
    for tempo in (50, 200):
        loop = drum_loops.drum_loop(tempo, 4, 40)
        tempi = [one.pulse.tempo for one in count(loop, make_pulse(loop.beats))]
        assert all(octave.SLOWEST_COUNT * 0.9 <= found <= octave.FASTEST_COUNT * 1.1 for found in tempi)


def test_a_pulse_too_short_to_judge_stays_as_it_is(drum_loops: Any):
    loop = drum_loops.drum_loop(120, 4, 8.0)
    counts = count(loop, make_pulse(loop.beats[:5]))
    assert len(counts) == 1
    assert not counts[0].evidence.any()


def test_chances_are_those_of_a_conditional_logit(drum_loops: Any):
    loop = drum_loops.drum_loop(120, 4, 20)
    one = count(loop, make_pulse(loop.beats))[0]
    weights = np.zeros(len(octave.BY_NETWORK))
    weights[0] = 1.0
    counts = [Count(one.pulse, one.bars, np.eye(len(weights))[0] * score) for score in (0.0, np.log(2.0), np.log(5.0))]
    chosen, chance = choose_count(counts, weights)
    assert chosen is counts[2]
    assert chance == pytest.approx(5 / 8)


def test_beats_that_were_left_out_show_in_the_evidence(drum_loops: Any):
    loop = drum_loops.drum_loop(100, 4, 30)
    counts = count(loop, make_pulse(loop.beats))
    half, right = (min(counts, key=lambda one, tempo=tempo: abs(one.pulse.tempo - tempo)).evidence for tempo in (50, 100))
    between, explained = 1, 5
    assert half[between] > right[between] + 0.2
    assert right[explained] > half[explained] + 0.2


def test_hats_between_drums_alternate_and_kick_and_snare_do_not(drum_loops: Any):
    loop = drum_loops.drum_loop(100, 4, 30)
    spectrum, _ = hear(loop)
    eighths = np.sort(np.concatenate([loop.beats, (loop.beats[:-1] + loop.beats[1:]) / 2]))
    assert measure_alternation(spectrum, eighths) > 0.5 > measure_alternation(spectrum, loop.beats)
