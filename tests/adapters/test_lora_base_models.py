"""What a model may be when it is trained on: in half precision, in fp8, streamed, and patched by whatever stands before the trainer."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "person"))
pytestmark = pytest.mark.slow

TYPES = [torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2]


@pytest.fixture(scope="module")
def vaes(comfy: SimpleNamespace) -> dict[str, Any]:
    from tiny_models import make_vae

    return {"sd15": make_vae(4), "flux": make_vae(16)}


def make_model(family: str, dtype: torch.dtype = torch.float32) -> Any:
    """As the host loads it: in inference mode."""
    from tiny_models import make_dit, make_unet, patch_model

    with torch.inference_mode():
        return patch_model(make_dit(dtype) if family == "flux" else make_unet(family, dtype=dtype))


@pytest.fixture
def train(vaes: dict[str, Any], tmp_path: Path) -> Callable[..., Any]:
    from pack.nodes.engine.person.adapters import AdapterShape
    from pack.nodes.engine.person.lora import TrainingSettings, train_lora
    from pack.nodes.engine.person.storage import PersonStore
    from sitting import verify_somebody

    store = PersonStore(tmp_path / "store")
    dataset = store.open_dataset(verify_somebody(store).receipt_id, "train_lora")
    settings = TrainingSettings(steps=3, shape=AdapterShape(2, 2.0), batch=2, resolution=64, check_every=3, learning_rate=1e-2)

    def run(model: Any, family: str = "sd15") -> Any:
        with torch.inference_mode():
            return train_lora(dataset, make_student(model, vaes[family]), settings, None, lambda progress: None)

    return run


def make_student(model: Any, vae: Any) -> Any:
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent
    from tiny_models import SeededPrompts

    return HostStudent(model, SeededPrompts(48, 64), vae, "auto", 64, SamplingSettings(1, 1.0, "euler", "simple", ""))


def draw(model: Any, vae: Any) -> torch.Tensor:
    """What the model makes of a noise by core's own sampler."""
    from pack.nodes.engine.film.noise import seeded_noise
    from pack.nodes.image_model import HostImageModel, SamplingSettings
    from tiny_models import SeededPrompts

    with torch.inference_mode():
        host: Any = HostImageModel(model, SeededPrompts(48, 64), vae, SamplingSettings(2, 1.0, "euler", "simple", ""), "")
        noise = seeded_noise(host.noise_shape(64, 64), 1)[None]
        return host.sample(noise, host.encode_prompt("photo of a person"), 1, lambda *_: None).clone()


def bits(model: Any) -> dict[str, tuple[torch.dtype, bytes]]:
    """Every weight as it lies in memory, also in types that torch cannot compare."""
    return {name: (value.dtype, value.contiguous().view(torch.uint8).numpy().tobytes()) for name, value in model.model.state_dict().items()}


@contextmanager
def untouched(model: Any, vae: Any) -> Iterator[None]:
    pictures, before, modules = draw(model, vae), bits(model), [type(module) for module in model.model.modules()]
    patches = (dict(model.patches), dict(model.object_patches))
    yield
    assert modules == [type(module) for module in model.model.modules()] and patches == (model.patches, model.object_patches)
    assert torch.equal(draw(model, vae), pictures) and bits(model) == before


@pytest.mark.parametrize("family", ["sd15", "flux"])
@pytest.mark.parametrize("dtype", TYPES, ids=[str(dtype).removeprefix("torch.") for dtype in TYPES])
def test_weights_in_fewer_bits_train_and_stay_as_they_are(
    train: Callable[..., Any], vaes: dict[str, Any], family: str, dtype: torch.dtype
) -> None:
    import comfy.sd

    model = make_model(family, dtype)
    assert {weight.dtype for weight in model.model.diffusion_model.parameters()} == {dtype}
    with untouched(model, vaes[family]):
        trained = train(model, family)
    assert all(torch.isfinite(value).all() for value in trained.tensors.values()) and len(trained.course.losses) == 3
    assert {value.dtype for value in trained.tensors.values()} == {torch.float32}
    with torch.inference_mode():
        patched, _ = comfy.sd.load_lora_for_models(model, None, trained.tensors, 1.0, 0.0)
    assert not torch.equal(draw(patched, vaes[family]), draw(model, vaes[family]))


def test_a_lora_from_upstream_is_trained_along(train: Callable[..., Any], vaes: dict[str, Any]) -> None:
    """The training sees the patched weights, so the same training on the plain model gives other values."""
    import comfy.sd

    plain = make_model("sd15")
    first = train(plain)
    with torch.inference_mode():
        styled, _ = comfy.sd.load_lora_for_models(plain, None, {name: value * 5 for name, value in first.tensors.items()}, 1.0, 0.0)
    assert not torch.equal(draw(styled, vaes["sd15"]), draw(plain, vaes["sd15"]))
    with untouched(plain, vaes["sd15"]), untouched(styled, vaes["sd15"]):
        second = train(styled)
    assert second.course.checks[0] != first.course.checks[0] and second.course.losses != first.course.losses
    assert first.course.losses == train(plain).course.losses, "nothing of the style is left in the plain model"


def test_wrappers_and_object_patches_from_upstream_are_active(train: Callable[..., Any], vaes: dict[str, Any]) -> None:
    import comfy.model_sampling
    import comfy.patcher_extension

    model, calls = make_model("sd15").clone(), []

    class Sampling(comfy.model_sampling.ModelSamplingDiscrete, comfy.model_sampling.V_PREDICTION):  # as core's ModelSamplingDiscrete node
        pass

    def watch(executor: Any, *given: Any, **named: Any) -> Any:
        calls.append(torch.is_grad_enabled())
        return executor(*given, **named)

    plain = train(model)
    model.add_object_patch("model_sampling", Sampling(model.model.model_config))
    model.add_wrapper(comfy.patcher_extension.WrappersMP.DIFFUSION_MODEL, watch)
    with untouched(model, vaes["sd15"]):
        calls.clear()
        trained = train(model)
        assert sum(calls) >= 3, "every step, and twice where captions differ in length"
    assert trained.course.checks[0] != plain.course.checks[0], "as a v model, not as a noise model"
    assert list(model.object_patches) == ["model_sampling"]


class Streamed:
    """Mixed into a ModelPatcher: one with dynamic VRAM, which only exists on graphics cards, as its `clone` sees it."""

    def is_dynamic(self) -> bool:
        return True


def make_streamed(factory: Any) -> Any:
    import comfy.model_patcher

    kind = type("StreamedPatcher", (Streamed, comfy.model_patcher.ModelPatcher), {})
    whole = make_model("sd15")
    streamed = kind(whole.model, whole.load_device, whole.offload_device)
    streamed.cached_patcher_init = factory
    return streamed


def test_a_streamed_model_is_loaded_whole_for_training(train: Callable[..., Any], vaes: dict[str, Any]) -> None:
    made: list[Any] = []

    def load_again(disable_dynamic: bool = False) -> Any:
        assert disable_dynamic
        made.append(make_model("sd15"))
        return made[-1]

    streamed = make_streamed((load_again, ()))
    before = bits(streamed)
    trained, whole = train(streamed), train(make_model("sd15"))
    assert len(made) == 1 and bits(streamed) == before
    assert all(torch.equal(value, whole.tensors[name]) for name, value in trained.tensors.items())


def test_a_streamed_model_that_cannot_be_loaded_again_is_one_sentence(vaes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="whole in memory.*core's loaders, or start ComfyUI with --disable-dynamic-vram"):
        make_student(make_streamed(None), vaes["sd15"])


def test_attention_that_has_no_gradients_is_not_trained_through(
    train: Callable[..., Any], vaes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a user chose for drawing quickly stays out of training, unless a node upstream asks for its own."""
    from comfy.ldm.modules import attention

    def refuse(*args: Any, **kwargs: Any) -> torch.Tensor:
        raise RuntimeError("no gradients")

    def own(usual: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        used.append(usual)
        return attention.attention_basic(*args, **kwargs)

    used: list[Any] = []
    monkeypatch.setattr(attention, "optimized_attention", attention.wrap_attn(refuse))
    assert train(make_model("sd15")).course.step == 3
    model = make_model("sd15")
    model.model_options["transformer_options"]["optimized_attention_override"] = own
    assert train(model).course.step == 3 and used
