"""A schedule's steps by two models, the first for high noise and the second for low: as a chain of core's own nodes takes them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pack.nodes.engine.film.video_shots import family_noise
from test_beat_synced_sampler import sample_in_parts
from tiny_models import SeededPrompts, make_dit, make_halves, make_unet, make_wan, patch_model

Halves = tuple[Any, Any]


@pytest.fixture(scope="module")
def halves(comfy: SimpleNamespace) -> Halves:
    return make_halves(make_wan)


def run_chain(halves: Halves, latents: torch.Tensor, steps: int, cut: int, seed: int, cfg: float, sampler: str) -> torch.Tensor:
    """Core's two KSampler (Advanced) nodes, one behind the other."""
    import nodes

    prompts = [SeededPrompts(48, 64).encode_from_tokens_scheduled(text) for text in ("a red sea", "blurry")]
    half = nodes.KSamplerAdvanced().sample
    first = half(halves[0], "enable", seed, steps, cfg, sampler, "simple", *prompts, {"samples": latents}, 0, cut, "enable")[0]
    return half(halves[1], "disable", seed, steps, cfg, sampler, "simple", *prompts, first, cut, 10000, "disable")[0]["samples"]


@pytest.mark.parametrize(
    ("sampler", "switch_at", "cut"),  # core's schedule for uni_pc leaves out a step
    [("euler", 0.95, 2), ("euler", 0.85, 4), ("dpmpp_2m", 0.95, 2), ("euler_ancestral", 0.85, 4), ("uni_pc", 0.93, 3)],
)
def test_the_result_is_that_of_cores_own_chain(
    halves: Halves, monkeypatch: pytest.MonkeyPatch, sampler: str, switch_at: float, cut: int
) -> None:
    import comfy.sample
    from pack.nodes.image_model import HostImageModel, SamplingSettings
    from pack.nodes.step_sampling import LowNoise

    noise = family_noise((3, 16, 6, 8), 5).movedim(0, 1)[None]
    monkeypatch.setattr(comfy.sample, "prepare_noise", lambda *_: noise)
    settings, low = SamplingSettings(6, 2.0, sampler, "simple", "blurry"), LowNoise(halves[1], switch_at)
    host = HostImageModel(halves[0], SeededPrompts(48, 64), FakeVae(), settings, "two", low)
    prompts = host.encode_prompt("a red sea"), host.encode_prompt("blurry")
    with torch.inference_mode():
        truth = run_chain(halves, torch.zeros_like(noise), 6, cut, 3, 2.0, sampler)
        mine, _seen = host.sampler.run(noise, torch.zeros_like(noise), prompts, 3, range(6), lambda *_: None)
        alone = HostImageModel(halves[0], SeededPrompts(48, 64), FakeVae(), settings, "one").sample(noise, prompts[0], 3, lambda *_: None)
    assert host.sampler.switch == cut
    assert torch.equal(mine, truth) and not torch.allclose(mine, alone)


class FakeVae:
    """Nothing is decoded where it stands."""

    def throw_exception_if_invalid(self) -> None:
        pass


@pytest.mark.parametrize(("family", "level"), [("sd15", 0.4), ("flux", 0.6)])
def test_image_models_may_be_two_as_well_and_still_share_their_steps(comfy: SimpleNamespace, family: str, level: float) -> None:
    from pack.nodes.image_model import HostImageModel, SamplingSettings
    from pack.nodes.step_sampling import LowNoise

    high, low = make_halves(make_dit if family == "flux" else lambda: make_unet(family))
    settings = SamplingSettings(6, 2.0, "euler", "simple", "")
    host = HostImageModel(high, SeededPrompts(48, 64), FakeVae(), settings, "two", LowNoise(low, level))
    noise = torch.randn(2, 16 if family == "flux" else 4, 6, 8, generator=torch.Generator().manual_seed(5))
    cut = host.sampler.switch
    assert 0 < cut < 6
    with torch.inference_mode():
        whole = host.sample(noise, host.encode_prompt("a red sea"), 3, lambda *_: None)
    for parts in range(1, 6):
        finished, part, guess = sample_in_parts(host, noise, parts)
        assert torch.allclose(finished, whole, atol=2e-3 * float(whole.std())), parts
        assert torch.isfinite(guess).all() and not torch.equal(part, guess)
    held = host.hold_to_first([0.0, 1.0])
    with torch.inference_mode():
        assert not torch.allclose(held.sample(noise, host.encode_prompt("a red sea"), 3, lambda *_: None)[1], whole[1])


def test_other_models_are_told_where_to_change(comfy: SimpleNamespace) -> None:
    from pack.nodes.step_sampling import find_boundary

    unet = patch_model(make_unet("sd15"))
    with pytest.raises(ValueError, match="set switch_at, 0.2 for example"):
        find_boundary(unet, 0.0)
    sampling = unet.get_model_object("model_sampling")
    assert float(sampling.timestep(torch.tensor(find_boundary(unet, 0.2)))) == pytest.approx(200, abs=1)
    assert find_boundary(patch_model(make_wan()), 0.3) == 0.3


def test_a_model_that_would_have_nothing_to_do_is_one_sentence(halves: Halves) -> None:
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.step_sampling import LowNoise, StepSampler

    for steps, level in ((2, 0.0), (6, 0.1)):
        settings = SamplingSettings(steps, 2.0, "euler", "simple", "")
        with pytest.raises(ValueError, match=f"All {steps} steps lie on one side of switch_at.*take more steps"):
            StepSampler(halves[0], settings, LowNoise(halves[1], level)).checked()
