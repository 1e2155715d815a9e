"""BeatSyncedSampler on core's own video model classes with random weights: text to video, image to video, sound to video."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline, frame_span
from tiny_models import SeededPrompts, make_vae, make_wan, make_wan_vae, patch_model

SHOTS = (Shot(0.0, 0.2, "a red sea", 1, "pulse"), Shot(0.2, 1.1, "a city", 2, "still", "a city at night"))
TIMELINE = Timeline(
    1.1,
    beats=(Beat(0.0, 1), Beat(0.5, 2), Beat(1.0, 1)),
    beat_confidence=0.9,
    curves=(Curve("onset", 50.0, (0.5,) * 55),),
    shots=SHOTS,
)
SETTINGS: dict[str, Any] = {
    "width": 64, "height": 48, "fps": 16.0, "steps": 2, "cfg": 2.0, "sampler": "euler", "scheduler": "simple",
    "seed": 0, "negative": "blurry", "walk": "onset", "walk_amount": 0.5,
}  # fmt: skip


@pytest.fixture(scope="module")
def vae(comfy: SimpleNamespace) -> Any:
    return make_wan_vae()


@pytest.fixture(scope="module")
def wan(comfy: SimpleNamespace) -> Any:
    return patch_model(make_wan())


@pytest.fixture(scope="module")
def wan_i2v(comfy: SimpleNamespace) -> Any:
    return patch_model(make_wan("i2v", in_dim=36))


@pytest.fixture
def draw(run_node: Callable[..., Any], vae: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs the node, with clips in a folder of the test's own."""
    import folder_paths
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))

    def run(model: Any, timeline: Timeline = TIMELINE, **changes: Any) -> Any:
        given = {"model": model, "clip": SeededPrompts(48, 64), "vae": vae} | SETTINGS | changes
        return run_node(BeatSyncedSampler, timeline=timeline, **given)

    return run


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[SimpleNamespace]:
    """What core's sampling is asked for, call by call."""
    import comfy.sample

    calls: list[SimpleNamespace] = []
    sample = comfy.sample.sample

    def spy(model: Any, noise: torch.Tensor, *values: Any, **named: Any) -> Any:
        calls.append(SimpleNamespace(noise=noise, positive=values[4], start=values[6], mask=named.get("noise_mask"), seed=named["seed"]))
        return sample(model, noise, *values, **named)

    monkeypatch.setattr(comfy.sample, "sample", spy)
    return calls


def frames_of(result: Any) -> list[int]:
    return [video.get_frame_count() for video in result.result[0]]


def test_text_to_video_draws_one_latent_a_shot(draw: Callable[..., Any], wan: Any, asked: list[SimpleNamespace]) -> None:
    made = draw(wan)
    assert frames_of(made) == [len(frame_span(shot, Fraction(16))) for shot in SHOTS] == [3, 15]
    assert [tuple(call.noise.shape) for call in asked] == [(1, 16, 2, 6, 8), (1, 16, 5, 6, 8)], "5 and 17 frames, which are 4n+1"
    assert made.result[0][0].get_dimensions() == (64, 48) and made.result[1].shape == (2, 48, 64, 3)
    pictures = made.result[0][1].get_components().images
    assert torch.isfinite(pictures).all() and (pictures[0] - pictures[-1]).abs().mean() > 1 / 255
