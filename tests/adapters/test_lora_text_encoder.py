"""Training that reaches the text encoder: core's own CLIPs learn, are written, read by core, and are left as they were."""

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
TEXT = "photo of somebody, portrait"


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def parts(request: pytest.FixtureRequest, comfy: SimpleNamespace) -> SimpleNamespace:
    """As the host loads them: in inference mode."""
    from tiny_models import make_clip, make_unet, make_vae, patch_model

    with torch.inference_mode():
        model = patch_model(make_unet(request.param, pooled=32))
        return SimpleNamespace(family=request.param, model=model, clip=make_clip(request.param), vae=make_vae(4))


@pytest.fixture
def dataset(tmp_path: Path) -> Any:
    from pack.nodes.engine.person.storage import PersonStore
    from sitting import verify_somebody

    store = PersonStore(tmp_path / "store")
    return store.open_dataset(verify_somebody(store).receipt_id, "train_lora")


def make_student(parts: SimpleNamespace, text_encoder: bool = True) -> Any:
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent

    return HostStudent(parts.model, parts.clip, parts.vae, "auto", 64, SamplingSettings(1, 1.0, "euler", "simple", ""), text_encoder)


@pytest.fixture
def train(parts: SimpleNamespace, dataset: Any) -> Callable[..., Any]:
    from pack.nodes.engine.person.adapters import AdapterShape
    from pack.nodes.engine.person.lora import TrainingSettings, train_lora

    usual = TrainingSettings(steps=4, shape=AdapterShape(2, 2.0), resolution=64, check_every=2, learning_rate=1e-2, text_encoder=True)

    def run(watch: Callable[[Any], None] = lambda progress: None, state: Path | None = None, student: Any = None, **changes: Any) -> Any:
        settings = replace(usual, **changes)
        with torch.inference_mode():
            return train_lora(dataset, student or make_student(parts, settings.text_encoder), settings, state, watch)

    return run


@contextmanager
def untouched(*patchers: Any) -> Any:
    """The very same parameters, with the same bits, and nothing wrapped around or hooked onto any module."""
    before = [
        ([type(module) for module in patcher.model.modules()], {name: (id(p), p.clone()) for name, p in patcher.model.named_parameters()})
        for patcher in patchers
    ]
    yield
    for patcher, (kinds, values) in zip(patchers, before, strict=True):
        assert kinds == [type(module) for module in patcher.model.modules()]
        assert not any(module._forward_pre_hooks or "forward" in vars(module) for module in patcher.model.modules())
        for name, parameter in patcher.model.named_parameters():
            assert id(parameter) == values[name][0] and torch.equal(parameter, values[name][1]), name


def encode(clip: Any, text: str = TEXT) -> torch.Tensor:
    with torch.inference_mode():
        [[tokens, options]] = clip.encode_from_tokens_scheduled(clip.tokenize(text))
        return torch.cat([tokens.flatten(), options["pooled_output"].flatten()]).clone()


def load(parts: SimpleNamespace, tensors: Any) -> Any:
    import comfy.sd

    with torch.inference_mode():
        return comfy.sd.load_lora_for_models(parts.model, parts.clip, dict(tensors), 1.0, 1.0)


def test_the_clips_learn_and_core_reads_them(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    plain = encode(parts.clip)
    with untouched(parts.model, parts.clip.patcher):
        trained = train()
    encoders = {name.split(".")[1] for name in trained.tensors if name.startswith("text_encoders.")}
    assert encoders == ({"clip_l", "clip_g"} if parts.family == "sdxl" else {"clip_l"})
    for encoder in encoders:
        learnt = [value for name, value in trained.tensors.items() if name.startswith(f"text_encoders.{encoder}.") and "lora_B" in name]
        assert len(learnt) == 3 * 4 and any(value.any() for value in learnt), encoder
    model, clip = load(parts, trained.tensors)
    assert len(clip.patcher.patches) == 12 * len(encoders)
    assert len(model.patches) + len(clip.patcher.patches) == len(trained.tensors) // 2
    assert not torch.equal(encode(clip), plain) and torch.equal(encode(parts.clip), plain)


def test_kohyas_names_are_the_same_lora(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    from pack.nodes.engine.person.adapters import name_for_kohya

    trained = train(steps=2)
    spelled = name_for_kohya(trained.tensors, make_student(parts).kohya_names())
    starts = {name.partition("_text_model")[0] for name in spelled if name.startswith("lora_te")}
    assert starts == ({"lora_te1", "lora_te2"} if parts.family == "sdxl" else {"lora_te"})
    assert "text_encoders" not in str(list(spelled)) and "diffusion_model" not in str(list(spelled))
    (model, clip), (other_model, other_clip) = load(parts, trained.tensors), load(parts, spelled)
    assert model.patches.keys() == other_model.patches.keys() and clip.patcher.patches.keys() == other_clip.patcher.patches.keys()
    assert torch.allclose(encode(clip), encode(other_clip), atol=1e-6)


def test_gradients_reach_the_clip_through_the_pictures(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    """With the text encoder off the UNet's first step is the same, so what differs later comes from the text."""
    alone, both = train(text_encoder=False), train()
    assert alone.course.losses[0] == pytest.approx(both.course.losses[0], rel=1e-5) and alone.course.losses[2] != both.course.losses[2]
    assert not any(name.startswith("text_encoders.") for name in alone.tensors)


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()], ids=["error", "interrupt"])
def test_an_error_leaves_the_clip_alone_too(parts: SimpleNamespace, train: Callable[..., Any], error: BaseException) -> None:
    def watch(progress: Any) -> None:
        if progress.step == 3:
            raise error

    with untouched(parts.model, parts.clip.patcher), pytest.raises(type(error)):
        train(watch)


def test_it_goes_on_after_an_interruption_to_the_very_same_lora(parts: SimpleNamespace, train: Callable[..., Any], tmp_path: Path) -> None:
    whole = train(steps=6, ema=True, keep_others=True)

    def stop(progress: Any) -> None:
        if progress.step == 5 and progress.stage == "training":
            raise KeyboardInterrupt

    state = tmp_path / "state" / "training.safetensors"
    with pytest.raises(KeyboardInterrupt):
        train(stop, state, steps=6, ema=True, keep_others=True)
    resumed = train(state=state, steps=6, ema=True, keep_others=True)
    assert resumed.course.losses == whole.course.losses
    assert all(torch.equal(value, resumed.tensors[name]) for name, value in whole.tensors.items())


def test_muted_the_others_are_read_as_before(parts: SimpleNamespace) -> None:
    """Prior preservation compares with the text encoder as it was, not only with the network as it was."""
    from pack.nodes.engine.person.adapters import Adapters, AdapterShape

    student = make_student(parts)
    latent = torch.zeros(student._shape)
    with student.open() as network, torch.no_grad():
        adapters = Adapters(network, AdapterShape(2, 2.0), 0, student.text_encoders)

        def read() -> Any:
            return student._read([student.encode_caption(TEXT, latent)])[0]["c_crossattn"].cond

        before = read()
        adapters.copy_from([torch.ones_like(value) for value in adapters.parameters])
        with adapters.attached():
            assert not torch.equal(read(), before)
            with adapters.muted():
                assert torch.equal(read(), before)


def test_previews_are_drawn_with_the_clip_as_it_is_then(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    """A LoRA of the text alone changes the preview."""
    student, lora = make_student(parts), train(steps=3).tensors
    text_only = {name: value * 20 for name, value in lora.items() if name.startswith("text_encoders.")}
    plain = encode(parts.clip)
    with torch.inference_mode():
        assert (student.draw(TEXT, 1, text_only) != student.draw(TEXT, 1, {})).any()
    assert torch.equal(encode(parts.clip), plain)
    trained = train(prompts=("photo of {person}",), preview_every=2)
    assert len(trained.previews) == 3 and trained.course.losses == train().course.losses, "and it changes nothing of the training"


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_the_receipt_stays_on_the_clip(parts: SimpleNamespace, train: Callable[..., Any], strength: float) -> None:
    from pack.nodes.personal_receipts import apply_personal, find_receipts

    tensors, receipt_id = train(steps=2).tensors, "a" * 32
    with torch.inference_mode():
        model, clip = apply_personal(parts.model, parts.clip, tensors, strength, receipt_id)
    assert all(find_receipts([made], None, None, ()) == (receipt_id,) for made in (model, clip.patcher, clip.clone().patcher))
    assert {patch[0][0] for patch in clip.patcher.patches.values()} == {strength}
    assert find_receipts([load(parts, tensors)[1].patcher], None, None, ()) == (receipt_id,), "core's loaders keep the tensors' marks"
    assert find_receipts([parts.clip.patcher], None, None, ()) == ()
    network = {name: value for name, value in tensors.items() if not name.startswith("text_encoders.")}
    assert apply_personal(parts.model, parts.clip, network, strength, receipt_id)[1] is parts.clip
    assert apply_personal(parts.model, None, tensors, strength, receipt_id)[1] is None


def test_weights_with_brackets_and_patches_from_upstream_are_read(parts: SimpleNamespace, train: Callable[..., Any]) -> None:
    """What core does to a prompt is done while training too: here a LoRA that the CLIP came with, and weighted words."""
    _, clip = load(parts, train(steps=2).tensors)
    plain, patched = encode(parts.clip, "a (photo:1.5) of somebody"), encode(clip, "a (photo:1.5) of somebody")
    student = make_student(SimpleNamespace(**{**vars(parts), "clip": clip}))
    with student.open():
        [[tokens, options]] = student._text.encode("a (photo:1.5) of somebody")
    live = torch.cat([tokens.flatten(), options["pooled_output"].flatten()])
    assert torch.allclose(live, patched, atol=1e-6) and not torch.allclose(live, plain, atol=1e-6)
    assert torch.equal(encode(parts.clip, "a (photo:1.5) of somebody"), plain)


def test_other_text_encoders_are_refused_before_anything_starts(parts: SimpleNamespace) -> None:
    from comfy.text_encoders import flux
    from tiny_models import SeededPrompts

    sentence = "text encoder of this model cannot be trained; switch text_encoder off"
    t5 = SimpleNamespace(cond_stage_model=flux.FluxClipModel.__new__(flux.FluxClipModel), patcher=None)
    torch.nn.Module.__init__(t5.cond_stage_model)
    t5.cond_stage_model.clip_l = parts.clip.cond_stage_model.clip_l
    t5.cond_stage_model.t5xxl = sd_model_with(torch.nn.Linear(2, 2))
    for clip in (t5, SeededPrompts(48, 64)):
        with pytest.raises(ValueError, match=sentence):
            make_student(SimpleNamespace(**{**vars(parts), "clip": clip}))


def sd_model_with(transformer: torch.nn.Module) -> Any:
    from comfy.sd1_clip import SDClipModel

    model = SDClipModel.__new__(SDClipModel)
    torch.nn.Module.__init__(model)
    model.transformer = transformer
    return model
