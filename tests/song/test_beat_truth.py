"""The bench's truth: grids that scores, tracker songs and drum songs are read by, and the arithmetic of its fits."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench"


@pytest.fixture(scope="module", autouse=True)
def bench():
    sys.path.insert(0, str(BENCH))
    yield
    sys.path.remove(str(BENCH))


def make_score(signatures: list[tuple[int, int, int]], end: int):
    from midi import MidiScore

    return MidiScore(100, signatures=signatures, notes=[(0, 0, 60, 90), (end, 0, 60, 90)])


def test_beats_follow_the_time_signature():
    from game_scores import lay_grid

    waltz = lay_grid(make_score([(0, 3, 4)], 899))
    assert np.diff(waltz.ticks).tolist() == [100] * 8 and waltz.bars.tolist() == [0, 300, 600] and waltz.metre == 3
    jig = lay_grid(make_score([(0, 6, 8)], 899))
    assert np.diff(jig.ticks).tolist() == [150] * 5 and jig.metre == 2


def test_a_pickup_of_its_own_signature_moves_the_grid():
    from game_scores import lay_grid

    grid = lay_grid(make_score([(0, 1, 8), (50, 4, 4)], 1000))
    assert grid.ticks[0] == grid.bars[0] == 50 and grid.metre == 4


def test_bars_that_change_or_are_not_told_are_unknown():
    from game_scores import lay_grid

    assert lay_grid(make_score([(0, 4, 4), (400, 3, 4)], 1000)).metre == 0
    assert lay_grid(make_score([], 1000)).metre == 0
    assert lay_grid(make_score([(0, 7, 16)], 1000)) is None


def test_a_cut_score_keeps_its_first_seconds(tmp_path):
    from midi import Note, cut_midi, read_midi, write_midi

    write_midi(tmp_path / "whole.mid", [Note(0.5 * place, 0.4, 128 if place % 2 else 0, 60, 90) for place in range(20)])
    whole = read_midi(tmp_path / "whole.mid")
    assert whole.seconds(np.array([note[0] for note in whole.notes])) == pytest.approx(0.5 * np.arange(20))
    cut_midi(tmp_path / "whole.mid", tmp_path / "cut.mid", 4.2)
    assert read_midi(tmp_path / "cut.mid").notes == [note for note in whole.notes if note[0] <= 4.2 * 1920]


def test_rows_of_a_tracker_song_become_beats():
    from tracker_songs import Rows, lay_grid

    rows = Rows(np.arange(256) * 0.12, np.arange(256) % 64)
    beats, first = lay_grid(rows)
    assert np.diff(beats) == pytest.approx(np.full(63, 0.48)) and first == 0
    assert np.diff(lay_grid(Rows(rows.times / 2, rows.numbers))[0]) == pytest.approx(np.full(31, 0.48))
    assert lay_grid(Rows(rows.times, np.where(rows.numbers == 5, 9, rows.numbers))) is None
    pause = np.where(np.arange(256) > 100, rows.times + 3, rows.times)
    assert lay_grid(Rows(pause, rows.numbers)) is None


def test_tempo_of_a_drum_song():
    from drum_songs import read_tempo

    song = "<song><bpm>98</bpm><patternList><pattern><size>{}</size></pattern></patternList>{}</song>"
    assert read_tempo(song.format(192, "")) == 98
    assert read_tempo(song.format(96, "")) is None
    moving = "<isTimelineActivated>true</isTimelineActivated><BPMTimeLine><newBPM/></BPMTimeLine>"
    assert read_tempo(song.format(192, moving)) is None


def test_music_beside_its_grid_is_noticed(drum_loops):
    from pieces import stands_on_bars, stands_on_grid

    loop = drum_loops.drum_loop(100, duration=20)
    mono = loop.samples[0]
    assert stands_on_grid(mono, drum_loops.RATE, loop.beats)
    assert not stands_on_grid(mono, drum_loops.RATE, loop.beats + 0.15)
    first = int(np.argmax(loop.positions == 1))
    assert stands_on_bars(mono, drum_loops.RATE, loop.beats[first:], 4)
    assert not stands_on_bars(mono, drum_loops.RATE, loop.beats[first + 1 :], 4)


def test_logistic_fit_finds_the_weights():
    from fitting import fit_logistic

    rng = np.random.default_rng(0)
    facts = rng.normal(size=(4000, 2))
    right = rng.random(4000) < 1 / (1 + np.exp(-(facts @ [2.0, -1.0] + 0.5)))
    slopes, offset = fit_logistic(facts, right, np.ones(4000))
    assert [*slopes, offset] == pytest.approx([2.0, -1.0, 0.5], abs=0.2)


def test_caution_makes_the_sure_ones_right():
    from fitting import find_caution

    odds = np.linspace(4, -4, 200)
    right = np.where(odds > 2.5, True, np.arange(200) % 2 == 0)
    cautious = odds - find_caution(odds, right, 0.8, 0.95)
    assert right[cautious >= np.log(4)].mean() >= 0.95
    assert find_caution(odds, np.ones(200, bool), 0.8, 0.95) == 0


def test_no_kind_counts_for_more():
    from fitting import deal_folds, weigh_kinds

    kinds = ["many"] * 40 + ["some"] * 8 + ["few"] * 2
    weights = weigh_kinds(kinds)
    sums = [weights[[kind == name for kind in kinds]].sum() for name in ("many", "some", "few")]
    assert sums[0] == pytest.approx(sums[1]) and sums[2] == pytest.approx(sums[1] / 4)
    assert np.bincount(deal_folds(kinds)[:40]).tolist() == [8] * 5
