"""Training on core's own classes: UNets with and without pooled prompts, a flow transformer for images, one for video."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "person"))
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["sd15", "sdxl", "flux", "wan"])
def parts(request: pytest.FixtureRequest, comfy: SimpleNamespace) -> SimpleNamespace:
    from tiny_models import SeededPrompts, make_dit, make_unet, make_vae, make_wan, patch_model

    make = {"flux": make_dit, "wan": make_wan}.get(request.param, lambda: make_unet(request.param))
    vae = make_vae(4 if request.param.startswith("sd") else 16)
    return SimpleNamespace(family=request.param, model=patch_model(make()), clip=SeededPrompts(48, 64), vae=vae)


@pytest.fixture(autouse=True)
def full_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """These models are tiny, and stand for those in use."""
    from pack.nodes.engine.person import adapters

    monkeypatch.setattr(adapters, "SMALL", 0)


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    from pack.nodes.engine.person.storage import PersonStore
    from sitting import verify_somebody

    store = PersonStore(tmp_path / "store")
    return store.open_dataset(verify_somebody(store).receipt_id, "train_lora")


@pytest.fixture
def train(parts: SimpleNamespace, dataset: Any) -> Callable[..., Any]:
    """Four steps at 64 pixels, in inference mode as the host runs nodes."""
    from pack.nodes.engine.person.adapters import AdapterShape
    from pack.nodes.engine.person.lora import TrainingSettings, train_lora

    usual = TrainingSettings(steps=4, shape=AdapterShape(2, 2.0), batch=2, resolution=64, check_every=2, learning_rate=1e-2)

    def run(student: Any = None, watch: Callable[[Any], None] = lambda progress: None, **changes: Any) -> Any:
        with torch.inference_mode():
            return train_lora(dataset, student or make_student(parts), replace(usual, **changes), None, watch)

    return run


def make_student(parts: SimpleNamespace, precision: str = "auto") -> Any:
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent

    return HostStudent(parts.model, parts.clip, parts.vae, precision, 64, SamplingSettings(1, 1.0, "euler", "simple", ""))


def state_of(model: Any) -> dict[str, Any]:
    return {name: (id(value), value.clone(), value.requires_grad) for name, value in model.model.named_parameters()}


@contextmanager
def untouched(model: Any) -> Any:
    """The very same parameters, with the same bits, and nothing wrapped around any module."""
    before, kinds = state_of(model), [type(module) for module in model.model.modules()]
    yield
    after = state_of(model)
    assert list(before) == list(after) and kinds == [type(module) for module in model.model.modules()]
    for name, (place, value, asks) in before.items():
        assert place == after[name][0] and torch.equal(value, after[name][1]) and asks == after[name][2], name
    assert not hasattr(model.model.diffusion_model, "peft_config")


def predict(model: Any, parts: SimpleNamespace) -> torch.Tensor:
    student = make_student(SimpleNamespace(**{**vars(parts), "model": model}))
    latent = torch.randn(student._shape, generator=torch.Generator().manual_seed(0))
    caption = student.encode_caption("photo of somebody", latent)
    with student.open(), torch.no_grad():
        return student.denoise(latent[None], student.noise_levels()[500:501].float(), [caption])


def test_it_trains_loads_on_core_and_leaves_the_model_alone(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    import comfy.sd

    with untouched(parts.model):
        trained = train()
    assert all(torch.isfinite(value).all() for value in trained.tensors.values()) and trained.course.step == 4
    assert any(value.any() for name, value in trained.tensors.items() if "lora_B" in name)
    with torch.inference_mode():
        patched, _ = comfy.sd.load_lora_for_models(parts.model, None, trained.tensors, 1.0, 0.0)
        assert len(patched.patches) == len(trained.tensors) // 2, "core knows every name"
        assert not torch.equal(predict(patched, parts), predict(parts.model, parts))


def test_adapters_sit_in_attention_and_never_in_norms(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    names = {name.split(".lora_")[0] for name in train(steps=1).tensors}
    assert all("norm" not in name and "embed" not in name and "mod" not in name.split("diffusion_model.")[1] for name in names)
    assert any("attn" in name for name in names)
    assert any(".ffn." in name or "_mlp" in name for name in names) == (parts.family in ("flux", "wan"))


def test_all_layers_of_a_small_network_learn(parts: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.person import adapters

    network = parts.model.model.diffusion_model
    usual = set(adapters.find_targets(network, "auto"))
    monkeypatch.setattr(adapters, "SMALL", 10**9)
    assert usual <= set(adapters.find_targets(network, "auto")) == set(adapters.find_targets(network, "all layers"))


def test_recomputing_and_smaller_parts_give_the_same_lora(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    whole = train()
    spared = train(recompute=True)
    student = make_student(parts)
    denoise, failures = student.denoise, []

    def tight(noisy: Any, sigmas: Any, captions: Any) -> Any:
        if len(noisy) > 1 and torch.is_grad_enabled():
            failures.append(len(noisy))
            raise torch.OutOfMemoryError("out of memory")
        return denoise(noisy, sigmas, captions)

    student.denoise = tight
    halves = train(student)
    assert failures == [2]
    for other in (spared, halves):
        for name, value in whole.tensors.items():
            assert torch.allclose(value, other.tensors[name], atol=2e-4), name


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_error_leaves_the_model_alone_too(parts: SimpleNamespace, train: Callable[..., Any], error: BaseException) -> None:
    def watch(progress: Any) -> None:
        if progress.step == 3:
            raise error

    with untouched(parts.model), pytest.raises(type(error)):
        train(watch=watch)


def test_others_are_kept_as_they_were(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    """With prior preservation the loss holds a second part, which is nothing as long as the adapters do nothing."""
    plain, kept = train(steps=3), train(steps=3, keep_others=True)
    assert kept.course.losses[0] == pytest.approx(plain.course.losses[0], rel=1e-4)
    assert kept.course.losses[2] != plain.course.losses[2]


def test_parts_of_another_model_are_one_sentence(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    from tiny_models import SeededPrompts, make_vae

    other = SimpleNamespace(**{**vars(parts), "clip": SeededPrompts(40, 64)})
    with untouched(parts.model), pytest.raises(ValueError, match="do not fit together"):
        train(make_student(other))
    other = SimpleNamespace(**{**vars(parts), "vae": make_vae(8)})
    with untouched(parts.model), pytest.raises(ValueError, match="VAE does not belong to this model"):
        train(make_student(other))


def test_a_loss_that_is_no_number_keeps_the_last_good_values(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    def break_after(steps: int) -> Any:
        student = make_student(parts)
        denoise, calls = student.denoise, []

        def breaking(*given: Any) -> Any:
            calls.append(torch.is_grad_enabled())
            return denoise(*given) * (float("nan") if sum(calls) > steps else 1.0)

        student.denoise = breaking
        return student

    with untouched(parts.model), pytest.raises(ValueError, match="stopped being a number at step 1; lower learning_rate"):
        train(break_after(0))
    trained = train(break_after(3), learning_rate=1e-4)
    assert trained.ended == "not_a_number" and trained.course.step == 3
    assert all(torch.isfinite(value).all() for value in trained.tensors.values())


def test_quantized_weights_are_refused_before_anything_starts(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    modules = [module for module in parts.model.model.diffusion_model.modules() if isinstance(module, torch.nn.Linear)]
    own = [module.weight for module in modules]
    try:
        for module in modules:
            module.weight = torch.nn.Parameter(torch.zeros(module.weight.shape, dtype=torch.int8), requires_grad=False)
        with pytest.raises(ValueError, match="weights of this model are quantized"):
            train()
    finally:
        for module, weight in zip(modules, own, strict=True):
            module.weight = weight
