"""BeatSyncedSampler on core's own model classes: UNets with and without pooled prompts, and a flow transformer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline, frame_span

SHOTS = (Shot(0.0, 0.5, "a red sea", 1, "pulse", "a sea of many more words at night"), Shot(0.5, 1.1, "a city", 2, "still"))
TIMELINE = Timeline(
    1.1,
    beats=(Beat(0.0, 1), Beat(0.5, 2), Beat(1.0, 1)),
    beat_confidence=0.9,
    downbeat_confidence=0.9,
    curves=(Curve("onset", 50.0, (0.5,) * 55),),
    shots=SHOTS,
)
SETTINGS: dict[str, Any] = {
    "width": 64, "height": 48, "fps": 12.0, "steps": 2, "cfg": 2.0, "sampler": "euler", "scheduler": "simple",
    "seed": 0, "negative": "blurry", "walk": "onset", "walk_amount": 0.5,
}  # fmt: skip


@pytest.fixture
def sample(tiny: SimpleNamespace, run_node: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the node on the tiny model, with clips in a folder of the test's own."""
    import folder_paths
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))

    def run(timeline: Timeline = TIMELINE, **changes: Any) -> Any:
        models = {"model": tiny.model, "clip": tiny.clip, "vae": tiny.vae}
        return run_node(BeatSyncedSampler, timeline=timeline, **(models | SETTINGS | changes))

    return run


def test_any_image_model_draws_one_video_a_shot(sample: Callable[..., Any]) -> None:
    videos, keyframes = sample().result
    assert [video.get_frame_count() for video in videos] == [len(frame_span(shot, Fraction(12))) for shot in SHOTS]
    assert videos[0].get_dimensions() == (64, 48) and videos[0].get_frame_rate() == 12
    assert keyframes.shape == (2, 48, 64, 3) and 0 <= keyframes.min() and keyframes.max() <= 1
    first = videos[0].get_components().images
    assert (first[0] - first[-1]).abs().mean() > 1 / 255, "the picture changes within the shot"


def test_the_same_run_again_is_the_same_film_without_sampling(sample: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    import comfy.sample

    before = [Path(video.get_stream_source()).read_bytes() for video in sample().result[0]]
    monkeypatch.setattr(comfy.sample, "sample", None)
    assert [Path(video.get_stream_source()).read_bytes() for video in sample().result[0]] == before


@pytest.mark.slow
def test_a_lora_is_another_clip_and_its_strength_too(sample: Callable[..., Any], tiny: SimpleNamespace) -> None:
    weight = next(name for name, value in tiny.model.model.state_dict().items() if value.ndim == 2)
    shape = tiny.model.model.state_dict()[weight].shape
    patched = []
    for strength in (0.5, 1.0):
        model = tiny.model.clone()
        model.add_patches({weight: ("diff", (torch.ones(shape),))}, strength)
        patched.append(model)
    names = [sample(model=model).result[0][0].get_stream_source() for model in (tiny.model, *patched)]
    assert len(set(names)) == 3
    assert sample().result[0][0].get_stream_source() == names[0], "a model that was patched in between is itself again"


def test_sizes_that_the_model_cannot_make_are_refused(sample: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="multiple of 8; choose 64"):
        sample(width=63)
    with pytest.raises(ValueError, match="frame rate"):
        sample(fps=0.0)


def test_a_checkpoint_without_text_encoder_is_refused(sample: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match="no text encoder"):
        sample(clip=None)


def test_an_interrupt_stops_within_a_step_and_leaves_finished_clips(
    sample: Callable[..., Any], stopped_in_the_second_clip: AbstractContextManager[None]
) -> None:
    with stopped_in_the_second_clip:
        sample(batch_frames=2)


def test_blending_pads_the_shorter_prompt_and_keeps_the_ends(tiny: SimpleNamespace) -> None:
    from pack.nodes.image_model import blend_conditionings

    first, last = (tiny.clip.encode_from_tokens_scheduled(text) for text in ("one", "one two three four"))
    [[tokens, options]] = blend_conditionings(first, last, [0.0, 0.25, 1.0])
    assert tokens.shape == (3, 8, 48) and options["pooled_output"].shape == (3, 64)
    assert torch.equal(tokens[0, :5], first[0][0][0]) and not tokens[0, 5:].any()
    assert torch.allclose(tokens[2], last[0][0][0], atol=1e-6)
    assert torch.allclose(options["pooled_output"][1], torch.lerp(first[0][1]["pooled_output"], last[0][1]["pooled_output"], 0.25)[0])


def test_frames_of_a_batch_are_sampled_each_with_its_own_prompt(tiny: SimpleNamespace, sample: Callable[..., Any]) -> None:
    """The same shot in batches of one and of all its frames: the pictures agree."""
    timeline = replace(TIMELINE, duration=0.5, shots=SHOTS[:1])
    one, whole = (sample(timeline, batch_frames=size).result[0][0].get_components().images for size in (1, 6))
    assert np.abs((one - whole).numpy()).mean() < 0.005, "beyond what the video codec rounds"


@pytest.fixture
def noisy(tiny: SimpleNamespace) -> torch.Tensor:
    return torch.randn(2, 16 if tiny.family == "flux" else 4, 6, 8, generator=torch.Generator().manual_seed(5))


def make_host(tiny: SimpleNamespace, model: Any = None, steps: int = 6, sampler: str = "euler", scheduler: str = "simple") -> Any:
    from pack.nodes.image_model import HostImageModel, SamplingSettings

    return HostImageModel(model or tiny.model, tiny.clip, tiny.vae, SamplingSettings(steps, 2.0, sampler, scheduler, ""), "tiny")


def sample_in_parts(host: Any, noise: torch.Tensor, cut: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    prompt, last = host.encode_prompt("a red sea"), host.step_count()
    with torch.inference_mode():
        part, guess = host.sample_part(noise, prompt, 3, range(cut), lambda *_: None)
        return host.sample_part(part, prompt, 3, range(cut, last), lambda *_: None)[0], part, guess


def with_sampling(model: Any, kind: str) -> Any:
    """The same weights taken for a model that predicts something else, by core's own patch."""
    import comfy.model_base

    patched = model.clone()
    sampling = comfy.model_base.model_sampling(model.model.model_config, comfy.model_base.ModelType[kind])
    patched.add_object_patch("model_sampling", sampling)
    return patched


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["own", "EPS", "V_PREDICTION", "FLOW"])
def test_parts_are_the_whole_whatever_the_model_predicts(tiny: SimpleNamespace, noisy: torch.Tensor, kind: str) -> None:
    model = tiny.model if kind == "own" else with_sampling(tiny.model, kind)
    host = make_host(tiny, model)
    with torch.inference_mode():
        whole = host.sample(noisy, host.encode_prompt("a red sea"), 3, lambda *_: None)
    for cut in (1, 4, 5):
        assert torch.allclose(sample_in_parts(host, noisy, cut)[0], whole, atol=2e-3 * float(whole.std())), cut


@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION", "FLOW"])
def test_what_is_left_beside_the_picture_is_the_noise_it_began_with(tiny: SimpleNamespace, noisy: torch.Tensor, kind: str) -> None:
    """A model that sees the same picture in everything: then picture and noise must come apart exactly."""
    model = with_sampling(tiny.model, kind)
    model.set_model_unet_function_wrapper(lambda _apply, options: torch.full_like(options["input"], 0.3))
    finished, part, guess = sample_in_parts(make_host(tiny, model), noisy, 4)
    assert torch.allclose(guess, finished, atol=1e-4), "the picture is what the last steps lead to"
    noise = part - guess
    assert torch.nn.functional.cosine_similarity(noise.flatten(1), noisy.flatten(1), dim=1).min() > 0.999


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["simple", "karras", "beta", "sgm_uniform", "linear_quadratic", "kl_optimal"])
def test_parts_are_the_whole_with_any_schedule(tiny: SimpleNamespace, noisy: torch.Tensor, scheduler: str) -> None:
    host = make_host(tiny, scheduler=scheduler)
    with torch.inference_mode():
        whole = host.sample(noisy, host.encode_prompt("a red sea"), 3, lambda *_: None)
    assert torch.allclose(sample_in_parts(host, noisy, host.step_count() - 1)[0], whole, atol=2e-3 * float(whole.std()))


@pytest.mark.slow
def test_samplers_that_are_taken_in_parts_are_cores_and_add_no_noise(tiny: SimpleNamespace, noisy: torch.Tensor) -> None:
    import comfy.samplers
    from pack.nodes.image_model import STEPWISE_SAMPLERS

    assert set(comfy.samplers.KSampler.SAMPLERS) >= STEPWISE_SAMPLERS
    for sampler in sorted(STEPWISE_SAMPLERS):
        host = make_host(tiny, sampler=sampler)
        once, again = (sample_in_parts(host, noisy[[0, 0]], 4)[0] for _ in range(2))
        assert torch.isfinite(once).all() and torch.equal(once, again), sampler
        assert torch.allclose(once[0], once[1], atol=1e-4 * float(once.std()) + 1e-5), f"{sampler} treats the frames of a batch alike"
    for sampler in ("euler_ancestral", "dpmpp_2m_sde", "lcm", "dpm_adaptive", "of another pack"):
        assert make_host(tiny, sampler=sampler).step_count() == 0


@pytest.mark.slow
def test_shared_steps_draw_the_same_shots_with_fewer_evaluations(sample: Callable[..., Any], tiny: SimpleNamespace) -> None:
    counts = []
    for share in (0.0, 0.9):
        model, seen = tiny.model.clone(), []

        def count(apply: Any, options: dict[str, Any], seen: list[int] = seen) -> torch.Tensor:
            seen.append(len(options["input"]))
            return apply(options["input"], options["timestep"], **options["c"])

        model.set_model_unet_function_wrapper(count)
        videos = sample(model=model, steps=10, fps=24.0, shared_steps=share).result[0]
        assert [video.get_frame_count() for video in videos] == [len(frame_span(shot, Fraction(24))) for shot in SHOTS]
        counts.append(sum(seen))
    assert counts[1] < 0.5 * counts[0], "of two short shots; random weights make pictures that stray"


@pytest.mark.slow
def test_movement_and_curves_of_other_nodes_shape_the_clips(sample: Callable[..., Any]) -> None:
    plain, hard, zoomed = (
        [video.get_stream_source() for video in sample(**changes).result[0]]
        for changes in ({}, {"movement": "cut hard"}, {"zoom_curve": [0.0] * 6 + [0.2] * 7, "walk_curve": None})
    )
    assert not {*plain} & {*hard}
    assert plain[1] != zoomed[1], "its camera stood still"
    with pytest.raises(ValueError, match="zoom_curve has 12 values, but the film has 13 frames"):
        sample(zoom_curve=[0.0] * 12)


@pytest.mark.parametrize("changes", [{"shared_steps": 0.0}, {"cfg": 1.0, "steps": 10}, {"anchor_attention": 1.0}])
def test_what_a_clip_tells_is_what_ran_through_the_network(
    sample: Callable[..., Any], tiny: SimpleNamespace, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pack.nodes.engine.film.work import read_clip_work

    network, rows = tiny.model.model.diffusion_model, []
    forward = network.forward

    def count(latents: torch.Tensor, *values: Any, **named: Any) -> torch.Tensor:
        rows.append(len(latents))
        return forward(latents, *values, **named)

    monkeypatch.setattr(network, "forward", count)
    kept = [read_clip_work(Path(video.get_stream_source())) for video in sample(**changes).result[0]]
    assert all(work and work.evaluations > 0 and work.seconds > 0 for work in kept)
    assert sum(work.evaluations for work in kept if work) == sum(rows)


def test_a_film_of_these_clips_tells_the_report_what_was_spent(
    sample: Callable[..., Any], tiny: SimpleNamespace, run_node: Callable[..., Any]
) -> None:
    import json

    from comfy_api.latest import InputImpl
    from pack.nodes.video_assembler import VideoAssembler
    from pack.nodes.video_report import VideoReport

    clips = sample().result[0]
    settings = {"format": "MP4 (H.264 + AAC)", "transition": "cut", "transition_seconds": 0.5, "short_clips": "stop", "lyrics": "none",
                "width": 0, "height": 0, "fps": 0.0, "quality": 80, "filename_prefix": "film"}  # fmt: skip
    song = {"waveform": torch.zeros(1, 1, 24255), "sample_rate": 22050}
    given: dict[str, Any] = {name: [value] for name, value in settings.items()} | {"timeline": [TIMELINE], "audio": [song], "clips": clips}
    film = run_node(VideoAssembler, **given).result[0]
    fresh, loaded = (
        run_node(VideoReport, video=video, timeline=TIMELINE).result for video in (film, InputImpl.VideoFromFile(film.get_stream_source()))
    )
    assert "s of drawing" in fresh[0] and "model evaluations" in loaded[0] and "s of drawing" not in loaded[0]
    works = [json.loads(numbers)["work"] for _, numbers, _ in (fresh, loaded)]
    assert works[0]["evaluations"] == works[1]["evaluations"] > 0 and works[0]["known"] == works[0]["clips"] == 2
    assert works[0]["seconds"] > 0 and works[1]["seconds"] is None
