"""Shots drawn by a video model of our own making: lengths, chaining, trimming, what is kept and what an error says."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.film.clip_cache import ClipCache
from pack.nodes.engine.film.frame_grid import FrameGrid
from pack.nodes.engine.film.render import Progress, RenderSettings, render_shots
from pack.nodes.engine.film.video_file import probe_video, read_frames
from pack.nodes.engine.film.video_shots import VideoRequest, family_noise
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline, TimelineError, frame_span

SETTINGS = RenderSettings(64, 32, Fraction(12))
SHOTS = (Shot(0.0, 0.2, "a", 1, "still"), Shot(0.2, 1.0, "b", 2, "still"), Shot(1.0, 4.0, "c", 3, "still", "d"))
BEATS = tuple(Beat(0.5 * place, 1 + place % 4) for place in range(8))
TIMELINE = Timeline(4.0, beats=BEATS, beat_confidence=0.9, curves=(Curve("onset", 50.0, (0.5,) * 200),), shots=SHOTS)
GRID = FrameGrid(4, 1, 5, 17, Fraction(8))


class OutOfMemoryError(RuntimeError):
    pass


class RampModel:
    """Pictures of one grey each, a step brighter from frame to frame; goes on from the last one where it can."""

    identity = "ramp"

    def __init__(self, continues: bool = False, grid: FrameGrid = GRID, fails: BaseException | None = None) -> None:
        self.continues, self.memory, self.grid, self.fails = continues, int(continues), grid, fails
        self.requests: list[VideoRequest] = []
        self.noises: list[torch.Tensor] = []
        self.picture = "one"

    @property
    def evaluations(self) -> int:
        return len(self.requests)

    def check_size(self, width: int, height: int) -> None:
        if width % 8 or height % 8:
            raise ValueError("a multiple of 8")

    def latent_shape(self, length: int, width: int, height: int) -> tuple[int, ...]:
        return (1 + (length - 1) // 4, 4, height // 8, width // 8)

    def describe_material(self, shot: int, begin: float, seconds: float) -> list[str]:
        return [self.picture]

    def draw(self, request: VideoRequest, noise: torch.Tensor, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
        if self.fails:
            raise self.fails
        self.requests.append(request)
        self.noises.append(noise)
        for step in range(2):
            on_step(step, 2, noise)
        first = 0.1 if request.before is None else float(request.before[-1].mean())
        greys = first + 0.02 * torch.arange(request.length)
        return greys[:, None, None, None].expand(request.length, request.height, request.width, 3)

    def is_out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, OutOfMemoryError)


def ignore(progress: Progress) -> None:
    del progress


def render(folder: Path, model: RampModel | None = None, timeline: Timeline = TIMELINE, settings: RenderSettings = SETTINGS,
           on_progress: Callable[[Progress], None] = ignore) -> list[Any]:  # fmt: skip
    return render_shots(timeline, settings, model or RampModel(), ClipCache(folder), on_progress)


def greys(path: Path) -> np.ndarray:
    return np.array([frame.mean() / 255 for frame in read_frames(path)])


def test_every_shot_has_exactly_its_frames_and_lengths_suit_the_model(tmp_path: Path) -> None:
    model = RampModel()
    clips = render(tmp_path, model)
    for clip, shot in zip(clips, SHOTS, strict=True):
        assert probe_video(clip.path).frames == clip.frames == len(frame_span(shot, SETTINGS.fps))
    assert [request.length for request in model.requests] == [5, 9, 13, 13], "2, 10 and 36 frames at 12 are 2, 7 and 24 at 8"
    assert [noise.shape[0] for noise in model.noises] == [2, 3, 4, 4]


def test_frames_are_those_nearest_in_time(tmp_path: Path) -> None:
    clips = render(tmp_path)
    shown = np.floor(np.arange(10) * 8 / 12 + 0.5)
    assert greys(clips[1].path) == pytest.approx(0.1 + 0.02 * shown, abs=0.01)


def test_a_long_shot_is_parted_on_a_beat_with_the_same_noise(tmp_path: Path) -> None:
    model = RampModel()
    render(tmp_path, model)
    first, second = model.requests[2:]
    assert second.begin == 2.5 and first.seed == second.seed == 3
    assert torch.equal(model.noises[2], model.noises[3])
    assert second.before is None and [first.prompt, second.prompt] == ["c", "c, turning into d"]


def test_beats_that_nobody_trusts_part_nothing(tmp_path: Path) -> None:
    model = RampModel()
    offbeat = tuple(Beat(0.1 + 0.5 * place, 1) for place in range(8))
    render(tmp_path / "trusted", model, replace(TIMELINE, beats=offbeat))
    assert model.requests[3].begin == pytest.approx(31 / 12)  # the beat at 2.6 s
    render(tmp_path / "not", model, replace(TIMELINE, beats=offbeat, beat_confidence=0.1))
    assert model.requests[7].begin == pytest.approx(30 / 12)  # the middle


def test_a_chained_shot_goes_on_from_its_last_shown_picture(tmp_path: Path) -> None:
    model = RampModel(continues=True)
    clips = render(tmp_path, model)
    seen = greys(clips[2].path)
    first, second = model.requests[2:]
    assert first.before is None and second.before is not None and second.before.shape == (1, 32, 64, 3)
    assert second.begin == pytest.approx((30 - 1) / 12), "it begins with the picture that was shown last"
    assert seen[17] == pytest.approx(float(second.before.mean()), abs=0.01)
    assert np.diff(seen).max() <= 0.031, "no leap where the pieces meet" and np.diff(seen).min() >= -0.011


def test_batch_frames_limits_a_piece(tmp_path: Path) -> None:
    model = RampModel()
    render(tmp_path, model, settings=replace(SETTINGS, batch_frames=12))
    assert max(request.length for request in model.requests) == 9


def test_the_camera_moves_over_it_as_over_pictures(tmp_path: Path) -> None:
    still, pulsed = (
        render(tmp_path, timeline=replace(TIMELINE, shots=tuple(replace(shot, motion=motion) for shot in SHOTS)))[1].path
        for motion in ("still", "pulse")
    )
    assert greys(pulsed)[4] > greys(still)[4] + 0.003, "brighter on the beat at 0.5 s"


def test_finished_clips_are_kept_and_only_what_changed_is_drawn(tmp_path: Path) -> None:
    first = render(tmp_path)
    before = [clip.path.read_bytes() for clip in first]
    model = RampModel()
    assert [clip.path.read_bytes() for clip in render(tmp_path, model)] == before and not model.requests
    render(tmp_path, model, replace(TIMELINE, shots=(SHOTS[0], replace(SHOTS[1], prompt="x"), SHOTS[2])))
    assert [request.shot for request in model.requests] == [2]
    render(tmp_path, model, settings=replace(SETTINGS, walk="even", walk_amount=0.9, shared_steps=0.0, steadiness=0.5))
    assert len(model.requests) == 1, "settings of image models change nothing here"
    model.picture = "another"
    render(tmp_path, model)
    assert len(model.requests) == 5


@pytest.mark.parametrize("continues", [False, True])
def test_one_piece_is_in_memory_at_a_time(tmp_path: Path, continues: bool) -> None:
    class Watched(RampModel):
        made: weakref.ref[torch.Tensor] | None = None
        alive = 0

        def draw(self, request: VideoRequest, noise: torch.Tensor, on_step: Callable[[int, int, Any], None]) -> torch.Tensor:
            self.alive += self.made is not None and self.made() is not None
            pictures = super().draw(request, noise, on_step).contiguous()
            self.made = weakref.ref(pictures)
            return pictures

    model = Watched(continues)
    render(tmp_path, model)
    assert len(model.requests) == 4 and model.alive == 0


class Stop(BaseException):
    """Core's interrupt is no Exception either."""


def test_an_interrupt_keeps_finished_clips_and_a_rerun_is_bit_identical(tmp_path: Path) -> None:
    def stop_in_third_shot(progress: Progress) -> None:
        if progress.shot == 3 and progress.done > 20:
            raise Stop

    whole = [clip.path.read_bytes() for clip in render(tmp_path / "whole", RampModel(continues=True))]
    with pytest.raises(Stop):
        render(tmp_path / "cut", RampModel(continues=True), on_progress=stop_in_third_shot)
    assert len(list((tmp_path / "cut").glob("*.mp4"))) == 2 and not list((tmp_path / "cut").glob(".*"))
    model = RampModel(continues=True)
    assert [clip.path.read_bytes() for clip in render(tmp_path / "cut", model)] == whole
    assert [request.shot for request in model.requests] == [3, 3]


def test_progress_rises_to_the_number_of_frames(tmp_path: Path) -> None:
    seen: list[Progress] = []
    render(tmp_path, on_progress=seen.append)
    places = [progress.done for progress in seen]
    assert places == sorted(places) and places[-1] == seen[-1].total == 48 and places[0] == 1


def test_errors_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MemoryError, match="5 frames of 64x32 do not fit into memory at once; choose a smaller size"):
        render(tmp_path, RampModel(fails=OutOfMemoryError()))
    with pytest.raises(RuntimeError, match="broken"):
        render(tmp_path, RampModel(fails=RuntimeError("broken")))
    with pytest.raises(ValueError, match="multiple of 8"):
        render(tmp_path, settings=replace(SETTINGS, width=63))
    with pytest.raises(TimelineError, match="shorter than a frame"):
        render(tmp_path, timeline=replace(TIMELINE, shots=(Shot(0.0, 0.01, "", 0), Shot(0.01, 4.0, "", 0))))
    assert not any(tmp_path.iterdir())


def test_a_longer_noise_begins_with_the_shorter() -> None:
    short, long = family_noise((3, 4, 5, 7), 9), family_noise((8, 4, 5, 7), 9)
    assert torch.equal(long[:3], short) and not torch.equal(family_noise((3, 4, 5, 7), 8), short)
    assert float(long.std()) == pytest.approx(1.0, abs=0.05)
