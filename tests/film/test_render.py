"""Rendering with a model of our own making: what is sampled when, what is kept, what an interrupt leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.film.camera import camera_views, move_camera
from pack.nodes.engine.film.clip_cache import ClipCache, clip_key
from pack.nodes.engine.film.flashes import FlashCounter, to_light
from pack.nodes.engine.film.given_curves import GivenCurves
from pack.nodes.engine.film.motion import MOVEMENTS, PRESETS, Motion, plan_motion
from pack.nodes.engine.film.noise import seeded_noise, slerp
from pack.nodes.engine.film.render import Progress, RenderSettings, render_shots
from pack.nodes.engine.film.video_file import probe_video, read_frames
from pack.nodes.engine.timeline import Curve, Shot, Timeline, TimelineError, frame_span

SETTINGS = RenderSettings(64, 32, Fraction(12), batch_frames=5, shared_steps=0.0)
SHOTS = (Shot(0.0, 1.1, "red", 1, "still"), Shot(1.1, 2.0, "green", 2, "pulse", "blue"), Shot(2.0, 3.05, "blue", 3, "drift"))
TIMELINE = Timeline(3.05, curves=(Curve("onset", 50.0, tuple(np.abs(np.sin(np.arange(153))))),), shots=SHOTS)
COLOURS = {"red": (1.0, 0.0, 0.0), "green": (0.0, 1.0, 0.0), "blue": (0.0, 0.0, 1.0)}


class OutOfMemoryError(RuntimeError):
    pass


class PaintModel:
    """Paints the prompt's colour, darker where the noise is low; counts what it is asked."""

    identity = "paint"

    def __init__(self, most: int = 99) -> None:
        self.most, self.batches, self.prompts, self.evaluations = most, [], [], 0

    def noise_shape(self, width: int, height: int) -> tuple[int, ...]:
        return (4, height // 8, width // 8)

    def batch_limit(self, width: int, height: int) -> int:
        return 8

    def encode_prompt(self, text: str) -> torch.Tensor:
        return torch.tensor([COLOURS.get(text, (0.5, 0.5, 0.5))])

    def blend_prompts(self, first: torch.Tensor, last: torch.Tensor, weights: list[float]) -> torch.Tensor:
        return torch.lerp(first, last, torch.tensor(weights)[:, None])

    def sample(self, noise: torch.Tensor, prompt: torch.Tensor, seed: int, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        if len(noise) > self.most:
            raise OutOfMemoryError
        self.batches.append(len(noise))
        self.evaluations += 2 * len(noise)
        self.prompts.append(prompt)
        for step in range(2):
            on_step(step, 2, noise)
        return prompt.expand(len(noise), 3)[:, :, None, None] * (0.8 + 0.2 * torch.sigmoid(noise[:, :1]))

    def step_count(self) -> int:
        return 0

    def sample_part(
        self, start: torch.Tensor, prompt: torch.Tensor, seed: int, steps: range, on_step: Callable[[int, int, Any], None]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        raise AssertionError("a model without parts is not asked for one")

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.interpolate(latents, scale_factor=8, mode="bilinear").movedim(1, -1)

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, OutOfMemoryError)


def ignore(progress: Progress) -> None:
    del progress


def render(folder: Path, model: PaintModel | None = None, timeline: Timeline = TIMELINE, settings: RenderSettings = SETTINGS,
           on_progress: Callable[[Progress], None] = ignore) -> list[Any]:  # fmt: skip
    return render_shots(timeline, settings, model or PaintModel(), ClipCache(folder), on_progress)


def test_every_shot_is_a_clip_of_its_own_frames(tmp_path: Path) -> None:
    clips = render(tmp_path)
    assert [clip.number for clip in clips] == [1, 2, 3]
    for clip, shot in zip(clips, SHOTS, strict=True):
        facts = probe_video(clip.path)
        assert facts.frames == clip.frames == len(frame_span(shot, SETTINGS.fps))
        assert (facts.width, facts.height, facts.fps) == (64, 32, 12)
    assert np.argmax(next(iter(read_frames(clips[0].path))).mean((0, 1))) == 0


def test_a_prompt_turns_into_its_end_prompt_within_the_shot(tmp_path: Path) -> None:
    frames = list(read_frames(render(tmp_path)[1].path))
    assert np.argmax(frames[0].mean((0, 1))) == 1 and np.argmax(frames[-1].mean((0, 1))) == 2


def test_frames_come_in_batches_and_shots_without_end_prompt_encode_once(tmp_path: Path) -> None:
    model = PaintModel()
    render(tmp_path, model)
    assert model.batches == [5, 5, 3, 5, 5, 1, 5, 5, 3]
    assert [len(prompt) for prompt in model.prompts[:3]] == [1, 1, 1]


def test_a_batch_that_does_not_fit_is_halved(tmp_path: Path) -> None:
    model = PaintModel(most=2)
    render(tmp_path, model)
    assert max(model.batches) == 2 and sum(model.batches) == 37
    with pytest.raises(MemoryError, match="smaller size"):
        render(tmp_path / "none", PaintModel(most=0))


def test_finished_clips_are_not_drawn_again(tmp_path: Path) -> None:
    first = render(tmp_path)
    bytes_before = [clip.path.read_bytes() for clip in first]
    model = PaintModel()
    again = render(tmp_path, model)
    assert model.batches == [] and [clip.path.read_bytes() for clip in again] == bytes_before


def test_an_edited_prompt_draws_one_shot(tmp_path: Path) -> None:
    render(tmp_path)
    model = PaintModel()
    edited = replace(TIMELINE, shots=(SHOTS[0], replace(SHOTS[1], prompt="red"), SHOTS[2]))
    render(tmp_path, model, edited)
    assert sum(model.batches) == len(frame_span(SHOTS[1], SETTINGS.fps))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"seed": 5}, {"walk_amount": 0.9}, {"fps": Fraction(24)}, {"width": 128}, {"walk": "even"}, {"movement": "drift"}]
)
def test_whatever_shapes_a_clip_is_in_its_name(tmp_path: Path, change: dict[str, Any]) -> None:
    names = {clip.path.name for clip in render(tmp_path)}
    assert not names & {clip.path.name for clip in render(tmp_path, settings=replace(SETTINGS, **change))}


@pytest.mark.parametrize("name", ["walk", "zoom", "exposure", "prompt"])
def test_a_curve_is_in_the_name_of_the_clips_that_it_changes(tmp_path: Path, name: str) -> None:
    def names(values: list[float]) -> list[str]:
        return [clip.path.name for clip in render(tmp_path, settings=replace(SETTINGS, given=GivenCurves(**{name: tuple(values)})))]

    first, last = names([0.0] * 37), names([0.0] * 30 + [0.04] * 7)
    assert first[:2] == last[:2] and first[2] != last[2]


def test_curves_must_be_as_long_as_the_film(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="zoom_curve has 36 values, but the film has 37 frames at 12 a second"):
        render(tmp_path, settings=replace(SETTINGS, given=GivenCurves(zoom=(0.0,) * 36)))


class StrobeModel(PaintModel):
    """Every second picture is black."""

    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        pictures = super().decode(latents)
        pictures[1::2] = 0
        return pictures


def test_no_clip_flashes_more_than_three_times_a_second(tmp_path: Path) -> None:
    def flashes(model: PaintModel) -> int:
        timeline = replace(TIMELINE, shots=(Shot(0.0, 3.05, "grey", 1),))
        [clip] = render(tmp_path, model, timeline, replace(SETTINGS, batch_frames=6))
        counter = FlashCounter()
        for number, frame in enumerate(read_frames(clip.path)):
            counter.add(number / 12, to_light(frame))
        return counter.most()

    strobe = StrobeModel()
    strobe.identity = "strobe"
    assert flashes(PaintModel()) == 0 and 1 <= flashes(strobe) <= 3


def test_another_model_is_another_clip(tmp_path: Path) -> None:
    other = PaintModel()
    other.identity = "paint with a LoRA"
    assert not {clip.path for clip in render(tmp_path)} & {clip.path for clip in render(tmp_path, other)}


class Stop(BaseException):
    """Core's interrupt is no Exception either."""


def test_an_interrupt_keeps_finished_clips_and_a_rerun_is_bit_identical(tmp_path: Path) -> None:
    def stop_in_second_shot(progress: Progress) -> None:
        if progress.shot == 2 and progress.done > 18:
            raise Stop

    whole = [clip.path.read_bytes() for clip in render(tmp_path / "whole")]
    with pytest.raises(Stop):
        render(tmp_path / "cut", on_progress=stop_in_second_shot)
    assert len(list((tmp_path / "cut").glob("*.mp4"))) == 1, "one finished clip and no half one"
    model = PaintModel()
    assert [clip.path.read_bytes() for clip in render(tmp_path / "cut", model)] == whole
    assert sum(model.batches) == 11 + 13


def test_progress_rises_step_by_step_to_the_number_of_frames(tmp_path: Path) -> None:
    seen: list[Progress] = []
    render(tmp_path, on_progress=seen.append)
    places = [progress.done for progress in seen]
    assert places == sorted(places) and places[-1] == seen[-1].total == 37
    assert places[0] == 2.5, "half of the first batch of five"


def test_a_range_of_shots(tmp_path: Path) -> None:
    assert [clip.number for clip in render(tmp_path, settings=replace(SETTINGS, first_shot=2, last_shot=2))] == [2]
    for first, last in ((4, 0), (3, 2), (1, 9)):
        with pytest.raises(ValueError, match="shots 1 to 3"):
            render(tmp_path, settings=replace(SETTINGS, first_shot=first, last_shot=last))


def test_impossible_timelines_are_refused_before_any_work(tmp_path: Path) -> None:
    model = PaintModel()
    with pytest.raises(TimelineError, match="no shots yet"):
        render(tmp_path, model, Timeline(1.0))
    short = replace(TIMELINE, shots=(Shot(0.0, 0.01, "", 0), Shot(0.01, 3.05, "", 0)))
    with pytest.raises(TimelineError, match="shorter than a frame"):
        render(tmp_path, model, short)
    with pytest.raises(ValueError, match="no walk"):
        render(tmp_path, model, settings=replace(SETTINGS, walk="up"))
    assert model.batches == [] and not any(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(OSError, match="make that folder writable"):
        render(blocked / "clips")


def test_a_full_disk_is_said_before_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    model = PaintModel()
    with pytest.raises(OSError, match="is full"):
        render(tmp_path, model)
    assert model.batches == []


def test_clips_unused_for_a_month_are_forgotten(tmp_path: Path) -> None:
    import os

    old, fresh = tmp_path / "old.mp4", tmp_path / "fresh.mp4"
    for path in (old, fresh):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    ClipCache(tmp_path).prepare()
    assert not old.exists() and fresh.exists()


def test_the_key_does_not_depend_on_the_order_of_its_parts() -> None:
    assert clip_key({"a": 1, "b": [2.5]}) == clip_key({"b": [2.5], "a": 1}) != clip_key({"a": 1, "b": [2.6]})


def test_slerp_keeps_the_length_of_noise_and_its_ends() -> None:
    first, last = seeded_noise((4, 16, 16), 1), seeded_noise((4, 16, 16), 2)
    way = slerp(first, last, np.linspace(0, 1, 9))
    assert torch.allclose(way[0], first, atol=1e-5) and torch.allclose(way[-1], last, atol=1e-5)
    assert way.flatten(1).std(dim=1) == pytest.approx([1.0] * 9, abs=0.05)
    assert torch.allclose(slerp(first, first, [0.3])[0], first, atol=1e-3), "a noise and itself"


def camera(**values: float) -> Motion:
    parts = {"walk": 0.0, "zoom": 1.0, "pan": 0.0, "roll": 0.0, "exposure": 1.0, **values}
    return Motion(**{name: np.full(1, value) for name, value in parts.items()})


def test_a_still_camera_changes_nothing() -> None:
    pictures = torch.rand(1, 20, 30, 3)
    assert np.array_equal(move_camera(pictures, camera(), 0), (pictures * 255 + 0.5).byte().numpy())


def test_zoom_reads_the_middle_and_pan_moves_it() -> None:
    ramp = torch.linspace(0, 1, 64)[None, None, :, None].expand(1, 32, 64, 3)
    zoomed = move_camera(ramp, camera(zoom=2.0), 0)[0, 16, :, 0] / 255
    assert zoomed[[0, -1]] == pytest.approx([0.25, 0.75], abs=0.02)
    right = move_camera(ramp, camera(zoom=2.0, pan=1.0), 0)[0, 16, :, 0] / 255
    assert right[-1] > 0.93 and right[0] == pytest.approx(right[-1] - 0.5, abs=0.02)
    assert move_camera(ramp, camera(exposure=1.05), 0).mean() > move_camera(ramp, camera(), 0).mean()


@pytest.mark.parametrize("name", [*PRESETS, *MOVEMENTS])
@pytest.mark.parametrize("aspect", [16 / 9, 1.0, 9 / 16, 2.39])
def test_the_camera_never_leaves_the_picture(name: str, aspect: float) -> None:
    corners = np.array([(x, y, 1) for x in (-1, 1) for y in (-1, 1)]).T
    for strength in (0.0, 1.0, 2.0):
        for seed in (1, 2):
            shot = replace(SHOTS[1], motion=name if name in PRESETS else "still", strength=strength, seed=seed)
            motion = plan_motion(TIMELINE, shot, Fraction(30), movement=name if name in MOVEMENTS else "storyboard")
            seen = camera_views(motion, slice(None), aspect) @ corners
            assert np.abs(seen).max() <= 1 + 1e-6


def test_the_camera_agrees_with_another_sampler() -> None:
    """PyTorch's own grid sampler is the truth, on a picture that is not square, rolled, zoomed and panned at once."""
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 8, 12, generator=torch.Generator().manual_seed(1)), (64, 112), mode="bicubic")
    picture = smooth.clamp(0.02, 0.98).movedim(1, -1)
    motion = camera(zoom=1.4, pan=-0.6, roll=0.2, exposure=1.01)
    view = torch.from_numpy(camera_views(motion, slice(None), 112 / 64))
    grid = torch.nn.functional.affine_grid(view, [1, 3, 64, 112], align_corners=False)
    truth = torch.nn.functional.grid_sample(picture.movedim(-1, 1), grid, "bicubic", "reflection", align_corners=False).movedim(1, -1)
    assert np.abs(move_camera(picture, motion, 0) / 255 - (truth * 1.01).clamp(0, 1).numpy()).max() < 0.015


def test_a_picture_that_is_no_number_is_black_not_an_error() -> None:
    assert move_camera(torch.full((1, 8, 8, 3), torch.nan), camera(zoom=1.5), 0).max() == 0


def test_a_clip_that_cannot_be_encoded_stops_the_drawing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.film import render as rendering

    def fail(*_: object) -> None:
        raise OSError("The disk ran full.")

    monkeypatch.setattr(rendering, "move_camera", fail)
    model = PaintModel(2)
    with pytest.raises(OSError, match="ran full"):
        render(tmp_path, model, settings=replace(SETTINGS, batch_frames=1))
    assert len(model.batches) <= 2 and not list(tmp_path.glob("*"))
