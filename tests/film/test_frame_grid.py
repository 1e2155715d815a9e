"""Lengths of video models: every one legal, every frame of a shot shown once, parted on beats where there are some."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pack.nodes.engine.film.frame_grid import MODEL_GRIDS, FrameGrid, next_length, plan_pieces, unknown_grid

WAN = MODEL_GRIDS["wan"]
RATES = [Fraction(8), Fraction(12), Fraction(16), Fraction(24000, 1001), Fraction(25), Fraction(30), Fraction(60)]


@pytest.mark.parametrize(
    ("name", "frames", "length"),
    [("wan", 1, 5), ("wan", 5, 5), ("wan", 6, 9), ("wan", 81, 81), ("ltx", 1, 9), ("ltx", 10, 17), ("ltx", 97, 97), ("mochi", 8, 13),
     ("minimax", 1, 124), ("minimax", 125, 141), ("cosmos predict2", 93, 93)],
)  # fmt: skip
def test_the_next_length_that_the_model_makes(name: str, frames: int, length: int) -> None:
    assert MODEL_GRIDS[name].length_of(frames) == length


def test_more_than_the_longest_is_an_error() -> None:
    with pytest.raises(ValueError, match="more than the 81"):
        WAN.length_of(82)


@pytest.mark.parametrize("grid", [*MODEL_GRIDS.values(), unknown_grid(4)], ids=[*MODEL_GRIDS, "unknown"])
def test_the_table_is_on_its_own_grid(grid: FrameGrid) -> None:
    assert (grid.longest - grid.first) % grid.step == 0 == (grid.shortest - grid.first) % grid.step
    assert 1 < grid.shortest < grid.longest


def test_the_users_limit_is_kept_on_the_grid() -> None:
    assert [WAN.limited(most).longest for most in (0, 1, 40, 41, 500)] == [81, 5, 37, 41, 81]


def test_a_shot_at_the_models_rate_is_one_piece_trimmed() -> None:
    (piece,) = plan_pieces(34, Fraction(16), WAN)
    assert (piece.start, piece.stop, piece.length) == (0, 34, 37) and piece.shown == tuple(range(34))


def test_frames_are_those_nearest_in_time() -> None:
    (piece,) = plan_pieces(8, Fraction(24), WAN)
    assert piece.shown == (0, 1, 1, 2, 3, 3, 4, 5) and piece.length == 9  # 16 to 24: 0, 0.67, 1.33, 2, 2.67, ...
    (slow,) = plan_pieces(4, Fraction(8), WAN)
    assert slow.shown == (0, 2, 4, 6) and slow.length == 9


def test_a_short_shot_is_drawn_at_the_shortest_length() -> None:
    (piece,) = plan_pieces(2, Fraction(24), MODEL_GRIDS["ltx"])
    assert (piece.length, piece.shown) == (9, (0, 1))


def test_a_long_shot_is_parted_on_the_beat_nearest_to_the_middle() -> None:
    first, second = plan_pieces(100, Fraction(16), WAN, beats=[10, 25, 42, 60, 90])
    assert (first.start, first.stop, second.start, second.stop) == (0, 42, 42, 100)
    assert (first.length, second.length) == (45, 61) and second.shown[0] == 0


def test_beats_that_would_need_more_pieces_are_passed_over() -> None:
    assert [piece.start for piece in plan_pieces(150, Fraction(16), WAN, beats=[10, 90, 140])] == [0, 75]


def test_a_piece_that_continues_does_not_show_its_first_picture_again() -> None:
    first, second = plan_pieces(100, Fraction(16), WAN, continues=True)
    assert (first.stop, second.start) == (50, 50)
    assert first.shown == tuple(range(50)) and second.shown == tuple(range(1, 51)) and second.length == 53


def test_exactly_the_longest_fits() -> None:
    assert [piece.length for piece in plan_pieces(81, Fraction(16), WAN)] == [81]
    assert [piece.length for piece in plan_pieces(82, Fraction(16), WAN)] == [41, 41]
    assert len(plan_pieces(161, Fraction(16), WAN, continues=True)) == 2
    assert len(plan_pieces(162, Fraction(16), WAN, continues=True)) == 3


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)  # a busy machine is no fault of the code
@given(
    frames=st.integers(1, 3000), fps=st.sampled_from(RATES),
    grid=st.sampled_from([*MODEL_GRIDS.values(), unknown_grid(4), unknown_grid(3)]),
    beats=st.lists(st.integers(0, 3000), max_size=30), continues=st.booleans(), most=st.integers(0, 200),
)  # fmt: skip
def test_every_frame_is_shown_once_by_lengths_that_the_model_makes(
    frames: int, fps: Fraction, grid: FrameGrid, beats: list[int], continues: bool, most: int
) -> None:
    grid = grid.limited(most)
    pieces = plan_pieces(frames, fps, grid, beats, continues)
    assert pieces[0].start == 0 and pieces[-1].stop == frames
    rate = (grid.fps or fps) / fps
    for number, piece in enumerate(pieces):
        assert piece.stop - piece.start == len(piece.shown) > 0
        assert number == 0 or piece.start == pieces[number - 1].stop
        assert grid.shortest <= piece.length <= grid.longest and next_length(piece.length, grid.step, grid.first) == piece.length
        assert piece.shown[-1] < piece.length and list(piece.shown) == sorted(piece.shown)
        lead = 1 if continues and number else 0
        assert all(abs(shown - (place + lead) * rate) <= Fraction(1, 2) for place, shown in enumerate(piece.shown))
    room = (grid.longest - 1) / rate  # frames of the film after the first that a piece can reach
    assert len(pieces) <= frames / max(1, int(room)) + 1, "no more pieces than needed"
