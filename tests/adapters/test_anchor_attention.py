"""Anchor attention on core's own model classes: the mixed attention against a plain softmax, and what stays as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from test_beat_synced_sampler import SETTINGS, TIMELINE
from tiny_models import make_wan, patch_model

HEADS, WIDTH = 2, 6


def softmax_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """One picture's attention [tokens, HEADS * WIDTH], head by head."""
    parts = []
    for head in range(HEADS):
        part = slice(head * WIDTH, (head + 1) * WIDTH)
        parts.append(torch.softmax(q[:, part] @ k[:, part].T / WIDTH**0.5, -1) @ v[:, part])
    return torch.cat(parts, 1)


def make_host(tiny: SimpleNamespace, model: Any = None) -> Any:
    from pack.nodes.image_model import HostImageModel, SamplingSettings

    settings = SamplingSettings(3, 2.0, "euler", "simple", "blurry")
    return HostImageModel(tiny.model if model is None else model, tiny.clip, tiny.vae, settings, "test")


def draw(host: Any, noise: torch.Tensor, prompt: Any = None) -> torch.Tensor:
    with torch.inference_mode():
        return host.sample(noise, host.encode_prompt("a red sea") if prompt is None else prompt, 3, lambda *_: None)


@pytest.fixture
def noise(tiny: SimpleNamespace) -> torch.Tensor:
    return torch.randn(3, *make_host(tiny).noise_shape(64, 48), generator=torch.Generator().manual_seed(5))


@pytest.fixture
def attention(tiny: SimpleNamespace) -> Callable[..., Any]:
    """`attend` of a batch of three pictures of twelve tokens, with the prompt and the negative one: six rows."""
    from pack.nodes.anchor_attention import AnchorAttention

    def make(strength: float, before: Any = None) -> Callable[..., torch.Tensor]:
        from comfy.ldm.modules.attention import attention_pytorch

        anchor = AnchorAttention(tiny.model)
        anchor.shares = [strength] * 3
        anchor._sample(lambda *_: None, torch.zeros(3, 4, 6, 8))
        options = {"transformer_options": {"cond_or_uncond": [1, 0]}, "_inside_attn_wrapper": True}
        return lambda q, k, v, *rest, **more: anchor.attend(before, attention_pytorch, q, k, v, HEADS, *rest, **options, **more)

    return make


@pytest.fixture
def rows() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    q, k, v = torch.randn(3, 6, 12, HEADS * WIDTH, generator=torch.Generator().manual_seed(1)).unbind(0)
    return q, k, v


@pytest.mark.slow
@pytest.mark.parametrize("strength", [0.3, 1.0])
@pytest.mark.parametrize("by_heads", [False, True])
def test_each_row_mixes_itself_with_its_own_prompts_reference(
    attention: Callable[..., Any], rows: tuple[torch.Tensor, ...], strength: float, by_heads: bool
) -> None:
    given = [x.unflatten(2, (HEADS, WIDTH)).transpose(1, 2) for x in rows] if by_heads else rows
    found = attention(strength)(*given, skip_reshape=by_heads)
    for row, (q, k, v) in enumerate(zip(*rows, strict=True)):
        reference = row // 3 * 3
        expected = torch.lerp(softmax_attention(q, k, v), softmax_attention(q, rows[1][reference], rows[2][reference]), strength)
        assert torch.allclose(found[row], expected, atol=1e-5), row


def test_a_mask_goes_with_its_keys(attention: Callable[..., Any], rows: tuple[torch.Tensor, ...]) -> None:
    hidden = torch.zeros(6, 1, 12)
    hidden[[0, 3], :, 8:] = -1e9  # the references' last keys
    q, k, v = rows
    for found in (attention(1.0)(*rows, hidden), attention(1.0)(*rows, mask=hidden)):
        assert torch.allclose(found[2], softmax_attention(q[2], k[0, :8], v[0, :8]), atol=1e-5)


def test_attention_to_the_prompt_and_other_batches_are_let_through(attention: Callable[..., Any], rows: tuple[torch.Tensor, ...]) -> None:
    q, k, v = rows
    assert torch.allclose(attention(1.0)(q, k[:, :5], v[:, :5])[1], softmax_attention(q[1], k[1, :5], v[1, :5]), atol=1e-5)
    assert torch.allclose(attention(1.0)(q[:4], k[:4], v[:4])[1], softmax_attention(q[1], k[1], v[1]), atol=1e-5)


def test_another_override_is_kept(attention: Callable[..., Any], rows: tuple[torch.Tensor, ...]) -> None:
    calls = []

    def faster(function: Callable[..., Any], *values: Any, **options: Any) -> Any:
        calls.append(function.__name__)
        return function(*values, **options)

    attention(0.5, faster)(*rows)
    assert calls == ["attention_pytorch"] * 2


def test_the_reference_is_drawn_as_without(tiny: SimpleNamespace, noise: torch.Tensor) -> None:
    plain, held = draw(make_host(tiny), noise), draw(make_host(tiny).hold_to_first([1.0] * 3), noise)
    spread = float(plain.std())
    assert torch.allclose(held[0], plain[0], atol=1e-4 * spread)
    assert (held[1:] - plain[1:]).abs().mean() > 1e-3 * spread, "the others look at it"
    assert draw(make_host(tiny).hold_to_first([0.5] * 3), noise)[1:].sub(plain[1:]).abs().mean() > 1e-4 * spread


def test_frames_like_the_reference_are_drawn_as_without(tiny: SimpleNamespace, noise: torch.Tensor) -> None:
    same = noise[[1, 1, 1]]
    assert torch.allclose(draw(make_host(tiny).hold_to_first([1.0] * 3), same), draw(make_host(tiny), same), atol=1e-4)


def test_a_frame_is_the_same_in_any_batch_with_its_reference(tiny: SimpleNamespace, noise: torch.Tensor) -> None:
    host = make_host(tiny).hold_to_first([1.0] * 3)
    prompt = host.blend_prompts(host.encode_prompt("a red sea"), host.encode_prompt("night"), [0.0, 0.5, 1.0])
    pair = host.blend_prompts(host.encode_prompt("a red sea"), host.encode_prompt("night"), [0.0, 1.0])
    together, alone = draw(host, noise, prompt), draw(host.hold_to_first([1.0] * 2), noise[[0, 2]], pair)
    assert torch.allclose(together[2], alone[1], atol=1e-4 * float(together.std()))


def test_the_prompt_and_the_negative_one_may_be_taken_one_by_one(
    tiny: SimpleNamespace, noise: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Core does so where memory is short."""
    host = make_host(tiny).hold_to_first([1.0] * 3)
    together = draw(host, noise)
    monkeypatch.setattr(type(tiny.model.model), "memory_required", lambda *_args, **_options: float("inf"))
    monkeypatch.setattr("comfy.model_management.load_models_gpu", lambda *_args, **_options: None)
    assert torch.allclose(draw(host, noise), together, atol=1e-4 * float(together.std()))


def test_models_upstream_are_left_as_they_are(tiny: SimpleNamespace, noise: torch.Tensor) -> None:
    host = make_host(tiny)
    before = draw(host, noise)
    draw(host.hold_to_first([1.0] * 3), noise)
    assert torch.equal(draw(host, noise), before)
    assert host.hold_to_first([1.0] * 3) is host.hold_to_first([0.5])


def test_each_picture_has_its_own_share(tiny: SimpleNamespace, noise: torch.Tensor) -> None:
    host = make_host(tiny)
    plain, mixed = draw(host, noise), draw(host.hold_to_first([1.0, 0.0, 0.7]), noise)
    assert torch.allclose(mixed[:2], plain[:2], atol=1e-4 * float(plain.std()))
    assert torch.allclose(mixed[2], draw(host.hold_to_first([0.7] * 3), noise)[2], atol=1e-4 * float(plain.std()))


def test_a_model_with_attention_of_its_own_is_told_once(
    tiny: SimpleNamespace, noise: torch.Tensor, caplog: pytest.LogCaptureFixture
) -> None:
    model = tiny.model.clone()
    model.set_model_unet_function_wrapper(lambda _apply, options: options["input"] * 0.5)
    host = make_host(tiny, model)
    with caplog.at_level(logging.WARNING, "music_video"):
        held = draw(host.hold_to_first([1.0] * 3), noise)
        draw(host.hold_to_first([1.0] * 3), noise)
    assert torch.equal(held, draw(host, noise))
    assert [record.getMessage().endswith("it is off.") for record in caplog.records] == [True]


@pytest.mark.slow
def test_the_node_draws_another_clip_with_it(tiny: SimpleNamespace, run_node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import folder_paths
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler

    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    films = []
    for strength in (0.0, 1.0):
        models = {"model": tiny.model, "clip": tiny.clip, "vae": tiny.vae}
        films.append(run_node(BeatSyncedSampler, timeline=TIMELINE, **models, **SETTINGS, anchor_attention=strength).result[0])
    plain, held = ([video.get_components().images for video in film] for film in films)
    assert films[0][0].get_stream_source() != films[1][0].get_stream_source()
    assert (plain[0][0] - held[0][0]).abs().max() <= 3 / 255, "the shot's first picture is the reference"
    assert len(held[0]) == len(plain[0]) and (plain[0][-1] - held[0][-1]).abs().mean() > 0.1 / 255


def test_a_prompts_own_attention_is_not_the_pictures(comfy: SimpleNamespace) -> None:
    from pack.nodes.anchor_attention import count_tokens

    assert count_tokens(SimpleNamespace(patch_size=2), 9, 8) == 20 and count_tokens(SimpleNamespace(patch_size=(1, 2, 2)), 4, 4) == 4
    assert count_tokens(patch_model(make_wan()).model.diffusion_model, 8, 8) == 16 and count_tokens(object(), 8, 8) == 1
