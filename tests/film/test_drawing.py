"""Shots drawn with shared steps, end to end into clips, by a model that counts every step of every picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.film.clip_cache import ClipCache
from pack.nodes.engine.film.given_curves import GivenCurves
from pack.nodes.engine.film.render import Clip, Progress, RenderSettings, render_shots
from pack.nodes.engine.film.video_file import read_frames
from pack.nodes.engine.timeline import Curve, Shot, Timeline

STEPS = 20
SETTINGS = RenderSettings(64, 32, Fraction(12), batch_frames=5)
SHOTS = (Shot(0.0, 4.0, "red", 1, "still"), Shot(4.0, 6.0, "red", 2, "pulse", "blue"), Shot(6.0, 6.1, "blue", 3, "drift"))
TIMELINE = Timeline(6.1, curves=(Curve("onset", 50.0, tuple(np.abs(np.sin(np.arange(305) / 7)) ** 6)),), shots=SHOTS)
LIGHT = 0.6
COLOURS = {"red": (0.8, 0.1, 0.1), "blue": (0.1, 0.1, 0.8)}


class OutOfMemoryError(RuntimeError):
    pass


class StepModel:
    """A sampler in small: the steps lead in a straight line from noise to the prompt's colour, lit as the mean of the noise says."""

    identity = "steps"

    def __init__(self, most: int = 99, count: int = STEPS) -> None:
        self.most, self.count, self.steps, self.batches = most, count, 0, []

    @property
    def evaluations(self) -> int:
        return self.steps

    def noise_shape(self, width: int, height: int) -> tuple[int, ...]:
        return (3, height // 8, width // 8)

    def batch_limit(self, width: int, height: int) -> int:
        return 8

    def encode_prompt(self, text: str) -> torch.Tensor:
        return torch.tensor([COLOURS[text]])

    def blend_prompts(self, first: torch.Tensor, last: torch.Tensor, weights: list[float]) -> torch.Tensor:
        return torch.lerp(first, last, torch.tensor(weights)[:, None])

    def step_count(self) -> int:
        return self.count

    def sample(self, noise: torch.Tensor, prompt: torch.Tensor, seed: int, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        return self.sample_part(noise, prompt, seed, range(STEPS), on_step)[0]

    def sample_part(
        self, start: torch.Tensor, prompt: torch.Tensor, seed: int, steps: range, on_step: Callable[[int, int, Any], None]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        if len(start) > self.most:
            raise OutOfMemoryError
        self.batches.append((len(start), steps))
        colour, left = prompt[:, :, None, None], 1 - steps.start / STEPS  # of the noise
        light = (start.mean((2, 3), keepdim=True) - (1 - left) * colour) / (LIGHT * (1 - left) + left)  # of the noise alone
        picture = (colour + LIGHT * light).expand_as(start)
        for step in steps:
            self.steps += len(start)
            start = picture + (start - picture) * (1 - 1 / (STEPS - step))
            on_step(step - steps.start, len(steps), start)
        return start, picture.expand_as(start)

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(latents, scale_factor=8, mode="bilinear").movedim(1, -1)

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, OutOfMemoryError)


def render(folder: Path, model: StepModel, settings: RenderSettings = SETTINGS, on_progress: Any = lambda _progress: None) -> list[Clip]:
    return render_shots(TIMELINE, settings, model, ClipCache(folder), on_progress)


def pictures(clips: list[Clip]) -> np.ndarray:
    return np.concatenate([np.stack(list(read_frames(clip.path))) for clip in clips]).astype(float)


def test_a_film_with_shared_steps_is_nearly_the_film_drawn_alone(tmp_path: Path) -> None:
    shared, alone = StepModel(), StepModel()
    mine = pictures(render(tmp_path, shared))
    truth = pictures(render(tmp_path, alone, replace(SETTINGS, shared_steps=0.0)))
    assert mine.shape == truth.shape == (73, 32, 64, 3) and alone.steps == 73 * STEPS
    assert shared.steps < 0.45 * alone.steps, "on three short shots; the ends of each are anchors"
    assert np.abs(mine - truth).mean() < 4


def test_a_long_shot_takes_a_quarter_of_the_steps(tmp_path: Path) -> None:
    model = StepModel()
    [clip] = render(tmp_path, model, replace(SETTINGS, fps=Fraction(48), last_shot=1))
    assert model.steps <= 0.26 * clip.frames * STEPS


def test_a_model_whose_steps_cannot_be_parted_draws_every_frame_alone(tmp_path: Path) -> None:
    model = StepModel(count=0)
    render(tmp_path, model)
    assert {steps for _, steps in model.batches} == {range(STEPS)} and model.steps == 73 * STEPS


def test_few_steps_are_all_shared(tmp_path: Path) -> None:
    model = StepModel(count=4)
    render(tmp_path, model, replace(SETTINGS, last_shot=1))
    assert {steps for _, steps in model.batches} == {range(4)} and model.steps <= 4 * (2 + 48 / 4)


def test_batches_of_any_size_give_the_same_film(tmp_path: Path) -> None:
    films = [pictures(render(tmp_path / str(size), StepModel(), replace(SETTINGS, batch_frames=size))) for size in (1, 7, 99)]
    assert np.abs(films[0] - films[1]).max() <= 1 and np.abs(films[0] - films[2]).max() <= 1


def test_a_batch_that_does_not_fit_is_halved_within_anchors_and_frames(tmp_path: Path) -> None:
    model = StepModel(most=2)
    whole = pictures(render(tmp_path / "whole", StepModel()))
    assert np.abs(pictures(render(tmp_path / "halves", model)) - whole).max() <= 1
    assert max(size for size, _ in model.batches) <= 2
    with pytest.raises(MemoryError, match="smaller size"):
        render(tmp_path / "none", StepModel(most=0))


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"shared_steps": 0.8}, {"steadiness": 0.5}])
def test_sharing_and_steadiness_are_in_the_name_of_a_clip(tmp_path: Path, change: dict[str, Any]) -> None:
    names = {clip.path.name for clip in render(tmp_path, StepModel())}
    assert not names & {clip.path.name for clip in render(tmp_path, StepModel(), replace(SETTINGS, **change))}


def test_full_steadiness_holds_the_picture(tmp_path: Path) -> None:
    [clip] = render(tmp_path, StepModel(), replace(SETTINGS, steadiness=1.0, last_shot=1))
    film = pictures([clip])
    assert np.abs(film - film[0]).max() <= 2


@pytest.mark.slow
@pytest.mark.parametrize("shared_steps", [0.0, 0.9])
def test_a_prompt_curve_sets_the_weight_of_every_frame(tmp_path: Path, shared_steps: float) -> None:
    """From red to blue and back, twice: where the prompt goes its own way, each frame must have its own weight of it."""
    weights = [0.0] * 48 + [0.5 - 0.5 * np.cos(2 * np.pi * number / 12) for number in range(24)] + [1.0]
    settings = replace(SETTINGS, shared_steps=shared_steps, steadiness=1.0, movement="cut hard", given=GivenCurves(prompt=tuple(weights)))
    film = pictures(render(tmp_path, StepModel(), settings))[48:72].mean((1, 2))
    blue = (film[:, 2] - film[:, 0]) / (film[:, 2] + film[:, 0])
    assert np.abs((blue - blue.min()) / np.ptp(blue) - weights[48:72]).max() < 0.06


def test_a_walk_curve_of_zeros_holds_the_picture(tmp_path: Path) -> None:
    film = pictures(render(tmp_path, StepModel(), replace(SETTINGS, last_shot=1, given=GivenCurves(walk=(0.0,) * 73))))
    assert np.abs(film - film[0]).max() <= 2


def test_the_bar_never_goes_back_and_ends_whole(tmp_path: Path) -> None:
    seen: list[Progress] = []
    render(tmp_path, StepModel(), on_progress=seen.append)
    places = [progress.done for progress in seen]
    assert places == sorted(places) and places[-1] == seen[-1].total == 73 and len(set(places)) > 40


class Stop(BaseException):
    """Core's interrupt is no Exception either."""


@pytest.mark.slow
@pytest.mark.parametrize("at", [10, 30, 60])
def test_an_interrupt_leaves_whole_clips_and_a_rerun_is_bit_identical(tmp_path: Path, at: float) -> None:
    def stop(progress: Progress) -> None:
        if progress.done > at:
            raise Stop

    whole = [clip.path.read_bytes() for clip in render(tmp_path / "whole", StepModel())]
    with pytest.raises(Stop):
        render(tmp_path / "cut", StepModel(), on_progress=stop)
    assert not list((tmp_path / "cut").glob(".*"))
    assert [clip.path.read_bytes() for clip in render(tmp_path / "cut", StepModel())] == whole


class HoldingModel(StepModel):
    """Notes how every batch begins, and holds its pictures to the first by the colour of their light."""

    def __init__(self) -> None:
        super().__init__()
        self.shares, self.starts = [], []

    def hold_to_first(self, shares: list[float]) -> HoldingModel:
        self.shares = shares
        return self

    def sample_part(
        self, start: torch.Tensor, prompt: torch.Tensor, seed: int, steps: range, on_step: Callable[[int, int, Any], None]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self.starts.append((steps, start[0].clone()))
        shares = torch.tensor(self.shares or [0.0] * len(start)).view(-1, 1, 1, 1)
        parts = super().sample_part(start, prompt, seed, steps, on_step)
        latents, guess = (torch.lerp(part, part[:1].expand_as(part), shares.expand_as(part)) for part in parts)
        return latents, guess


@pytest.mark.slow
@pytest.mark.parametrize("shared_steps", [0.0, 0.9])
@pytest.mark.parametrize("size", [1, 5, 99])
def test_every_batch_begins_with_the_shots_first_picture(tmp_path: Path, shared_steps: float, size: int) -> None:
    settings = replace(SETTINGS, last_shot=1, shared_steps=shared_steps, anchor_attention=1.0, batch_frames=size)
    held, plain = HoldingModel(), StepModel()
    film = pictures(render(tmp_path, held, settings))
    first = pictures(render(tmp_path / "plain", plain, replace(settings, anchor_attention=0.0)))[0]
    for steps in {steps for steps, _ in held.starts}:
        starts = [start for taken, start in held.starts if taken == steps]
        assert all(torch.allclose(start, starts[0], atol=1e-5) for start in starts)
    assert len(film) == 48 and np.abs(film - first).max() <= 2
    assert max(count for count, _ in held.batches) <= size + 1


def test_anchor_attention_is_in_the_name_of_a_clip(tmp_path: Path) -> None:
    names = [
        {clip.path.name for clip in render(tmp_path, HoldingModel(), replace(SETTINGS, anchor_attention=share))}
        for share in (0.0, 0.5, 1.0)
    ]
    assert not names[0] & names[1] and not names[1] & names[2]


@pytest.mark.slow
def test_batches_of_any_size_give_the_same_held_film(tmp_path: Path) -> None:
    settings = [replace(SETTINGS, anchor_attention=0.5, batch_frames=size) for size in (1, 7, 99)]
    films = [pictures(render(tmp_path / str(change.batch_frames), HoldingModel(), change)) for change in settings]
    assert np.abs(films[0] - films[1]).max() <= 1 and np.abs(films[0] - films[2]).max() <= 1


@pytest.mark.parametrize("shared_steps", [0.0, 0.9])
def test_a_prompt_still_becomes_the_other_one(tmp_path: Path, shared_steps: float) -> None:
    settings = replace(SETTINGS, first_shot=2, last_shot=2, anchor_attention=1.0, shared_steps=shared_steps)
    film = pictures(render(tmp_path, HoldingModel(), settings)).mean((1, 2))
    plain = pictures(render(tmp_path / "plain", StepModel(), replace(settings, anchor_attention=0.0))).mean((1, 2))
    assert np.abs(film[[0, -1]] - plain[[0, -1]]).max() <= 12 and film[0, 0] - film[-1, 0] > 60 and film[-1, 2] - film[0, 2] > 60
