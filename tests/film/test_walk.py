"""Sharing steps along a shot's way, on pictures whose truth is known: where anchors stand, what blends are, what it costs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from pack.nodes.engine.film.noise import seeded_noise, share_detail, slerp
from pack.nodes.engine.film.walk import (
    BUDGET,
    COARSE,
    LONGEST_STRETCH,
    Part,
    Sharing,
    Stretch,
    blend,
    blend_errors,
    place_anchors,
    plan_sharing,
    stray,
    walk_stretches,
)

SHAPE = (4, 12, 16)
SHARING = Sharing(18, 2, 6.0)
RED, BLUE = seeded_noise(SHAPE, 1), seeded_noise(SHAPE, 2)
EARLY, LATE = seeded_noise(SHAPE, 3), seeded_noise(SHAPE, 4)


class Painter:
    """Pictures that turn from one into another along the way, under noise that turns along an arc."""

    def __init__(self, turn: Callable[[np.ndarray], np.ndarray], strength: float = 0.5) -> None:
        self.turn, self.strength, self.drawn = turn, strength, []

    def __call__(self, places: np.ndarray) -> Part:
        self.drawn.extend(places.tolist())
        guess = slerp(RED, BLUE, self.turn(places))
        return Part(guess + self.strength * slerp(EARLY, LATE, 0.3 * places), guess)


def frames_of(stretches: list[Stretch]) -> Part:
    parts = [stretch.start_frames(0, len(stretch.frames)) for stretch in stretches]
    return Part(torch.cat([part.latents for part in parts]), torch.cat([part.guess for part in parts]))


def uneven_walk(frames: int) -> np.ndarray:
    steps = 0.02 + np.abs(np.sin(np.arange(frames) * 0.9)) ** 8
    return np.concatenate([[0.0], np.cumsum(steps[1:])]) / steps[1:].sum()


@pytest.mark.parametrize(
    ("steps", "share", "trunk", "tail", "spacing"),
    [
        (20, 0.9, 18, 2, 7.5),
        (30, 0.9, 27, 3, 7.5),
        (6, 0.9, 6, 0, 1 / 0.22),
        (1, 0.9, 1, 0, 1 / 0.22),
        (20, 1.0, 20, 0, 1 / 0.22),
        (20, 0.5, 10, 10, 8.0),
    ],
)
def test_the_anchors_stand_as_close_as_the_budget_allows(steps: int, share: float, trunk: int, tail: int, spacing: float) -> None:
    sharing = plan_sharing(steps, share)
    assert sharing == Sharing(trunk, tail, pytest.approx(spacing))
    if sharing.tail < BUDGET * steps:
        assert sharing.trunk / sharing.spacing + sharing.tail <= BUDGET * steps + 1e-6


def test_nothing_is_shared_where_every_frame_takes_every_step() -> None:
    assert plan_sharing(20, 0.0) is None and plan_sharing(0, 0.9) is None


@pytest.mark.parametrize("frames", [1, 2, 3, 7, 24, 97, 500])
def test_every_frame_once_and_within_the_budget(frames: int) -> None:
    painter = Painter(lambda places: 0.2 * places)
    stretches = list(walk_stretches(uneven_walk(frames) if frames > 1 else np.zeros(1), SHARING, painter))
    assert [frame for stretch in stretches for frame in stretch.frames] == list(range(frames))
    assert len(set(painter.drawn)) == len(painter.drawn) <= frames, "no place is drawn twice"
    assert len(painter.drawn) <= max(2, frames / SHARING.spacing)
    assert all(len(stretch.frames) <= LONGEST_STRETCH + 1 for stretch in stretches)


def test_a_picture_that_holds_still_costs_two_anchors_whatever_its_length() -> None:
    painter = Painter(lambda places: 0.0 * places)
    list(walk_stretches(uneven_walk(200), SHARING, painter))
    assert len(painter.drawn) <= 1 + 200 // (2 * SHARING.spacing) + 1


def test_frames_between_anchors_are_near_to_those_drawn_alone() -> None:
    walk = uneven_walk(48)
    stretches = list(walk_stretches(walk, SHARING, Painter(lambda places: 0.5 * places)))
    places = np.concatenate([stretch.places for stretch in stretches])
    mine, alone = frames_of(stretches), Painter(lambda places: 0.5 * places)(places)
    assert float((mine.guess - alone.guess).square().mean().sqrt()) < 0.03
    assert (mine.latents - mine.guess).flatten(1).std(dim=1) == pytest.approx([0.5] * 48, rel=0.05), "the noise keeps its strength"


def test_a_leap_in_the_pictures_gets_anchors_of_its_own() -> None:
    painter = Painter(lambda places: (places > 0.43).astype(float))
    stretch = next(walk_stretches(np.linspace(0, 1, 60), SHARING, painter))
    assert len(painter.drawn) > 10 and min(abs(place - 0.43) for place in painter.drawn) < 1 / 59
    errors = blend_errors(stretch.anchors, stretch.parts)
    wide = np.flatnonzero(errors > COARSE)
    assert np.diff(stretch.anchors)[wide].max(initial=0) < 2 / 59, "only the leap itself, which is shorter than a frame"
    assert len(painter.drawn) < 20


def test_the_error_of_a_blend_is_known_before_it_is_made() -> None:
    def turn(places: np.ndarray) -> Part:
        return Painter(lambda places: 0.6 * places**2)(places)

    for count in (4, 7, 13):
        anchors = np.linspace(0, 1, count)
        parts = turn(anchors)
        expected = blend_errors(anchors, parts)
        for gap in range(count - 1):
            middle = turn(anchors[gap : gap + 2].mean(keepdims=True)).guess[0]
            straight = parts.guess[gap].lerp(parts.guess[gap + 1], 0.5)
            assert expected[gap] == pytest.approx(stray(middle, straight), rel=0.6, abs=0.002)


def test_the_picture_changes_as_the_music_moves_though_the_model_goes_by_leaps() -> None:
    walk = uneven_walk(60)
    leaping = Painter(lambda places: 0.5 + 0.5 * np.tanh(9 * (places - 0.5)))
    shared = frames_of(list(walk_stretches(walk, SHARING, leaping))).guess
    alone = leaping(walk).guess

    def music(pictures: torch.Tensor) -> float:
        return float(np.corrcoef((pictures[1:] - pictures[:-1]).flatten(1).norm(dim=1).numpy(), np.diff(walk))[0, 1])

    assert music(shared) > 0.97 > music(alone)


def test_the_first_anchors_stand_on_attacks() -> None:
    steps = np.full(49, 0.01)
    steps[[13, 22, 37]] = 1.0
    walk = np.cumsum(steps) - steps[0]
    places = place_anchors(walk / walk[-1], 12.0)
    frames = [int(np.argmin(np.abs(walk / walk[-1] - place))) for place in places]
    assert frames[0] == 0 and frames[-1] == 48 and {13, 22, 37} & set(frames[1:-1])
    assert (np.diff(places) > 0).all()


def test_a_long_shot_keeps_its_last_anchor_for_the_next_stretch() -> None:
    painter = Painter(lambda places: 0.5 * places)
    stretches = list(walk_stretches(uneven_walk(700), SHARING, painter))
    assert len(stretches) == 3 and len(painter.drawn) == len(set(painter.drawn))
    for one, other in zip(stretches, stretches[1:], strict=False):
        assert one.anchors[-1] == other.anchors[0] and torch.equal(one.parts.latents[-1], other.parts.latents[0])


def test_a_blend_is_neither_flatter_nor_quieter_than_its_neighbours() -> None:
    first, last = Part(RED + 0.7 * EARLY, RED)[0:2], Part(2 * BLUE + 0.7 * LATE, 2 * BLUE)[0:2]
    pair = [Part(latents[None], guess[None]) for latents, guess in (first, last)]
    middle = blend(*pair, np.array([0.5]))
    assert middle.guess.std(dim=(2, 3)) == pytest.approx(((RED.std(dim=(1, 2)) + 2 * BLUE.std(dim=(1, 2))) / 2)[None].numpy(), rel=1e-4)
    assert float((middle.latents - middle.guess).std()) == pytest.approx(0.7, rel=0.03)
    for weight, end in ((0.0, pair[0]), (1.0, pair[1])):
        assert torch.allclose(blend(*pair, np.array([weight])).latents, end.latents, atol=1e-4)


def test_finished_pictures_have_no_noise_to_blend() -> None:
    same = Part(RED[None], RED[None])
    assert torch.allclose(blend(same, Part(RED[None] + 1, RED[None] + 1), np.array([0.25])).latents, RED[None] + 0.25, atol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_shared_detail_is_noise_still_and_keeps_large_forms_free(share: float) -> None:
    first, last = seeded_noise((4, 64, 64), 7), seeded_noise((4, 64, 64), 8)
    mixed = share_detail(first, last, share)
    assert float(mixed.std()) == pytest.approx(1.0, abs=0.03) and abs(float(mixed.mean())) < 0.03
    alike = float(torch.nn.functional.cosine_similarity(mixed.flatten(), first.flatten(), dim=0))
    assert {0.0: alike < 0.05, 0.3: 0.05 < alike < 0.5, 0.8: alike > 0.9, 1.0: alike > 0.999}[share]
