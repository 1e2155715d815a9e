"""LoRATrainer and PersonalLoraLoader on the built-in model: what is learnt, what is kept, and who may use it until when."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "person"))

pytestmark = pytest.mark.slow  # PEFT and diffusers alone take seconds to import

SMALL: dict[str, Any] = {
    "preset": "quick",
    "resolution": 64,
    "seed": 3,
    "preview_prompts": "",
    "steps": 4,
    "rank": 2,
    "checkpoint_every": 2,
}
MODULES = ("charcha_verify", "personal_receipts", "personal_training", "personal_lora_loader")


@pytest.fixture
def store(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A store and a LoRA folder of the test's own, for every module that asks for them."""
    import importlib

    import folder_paths
    from pack.nodes.engine.person.storage import PersonStore

    loras = tmp_path / "loras"
    loras.mkdir()
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", ([str(loras)], {".safetensors"}))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    store = PersonStore(tmp_path / "store", scan_folders=[loras, tmp_path / "output", tmp_path / "store" / "training"])
    for name in MODULES:
        monkeypatch.setattr(importlib.import_module(f"pack.nodes.{name}"), "person_store", lambda: store)
    return store


@pytest.fixture(scope="session")
def demo(comfy: SimpleNamespace) -> Any:
    """The built-in model, loaded as the host does: in inference mode."""
    from pack.nodes.engine.demo.load import load_demo_model

    with torch.inference_mode():
        return load_demo_model()


@pytest.fixture
def dataset(store: Any) -> Any:
    from sitting import verify_somebody

    return store.open_dataset(verify_somebody(store).receipt_id, "train_lora")


@pytest.fixture
def train(demo: Any, dataset: Any, run_node: Callable[..., Any]) -> Callable[..., Any]:
    from pack.nodes.lora_trainer import LoRATrainer

    def run(**changes: Any) -> Any:
        inputs = {"model": demo.model, "clip": demo.clip, "vae": demo.vae, "face_dataset": dataset}
        return run_node(LoRATrainer, **{**inputs, **SMALL, **changes}).result

    return run


def saved(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "loras").rglob("*.safetensors"))


def draw(model: Any, demo: Any) -> torch.Tensor:
    from pack.nodes.engine.film.noise import seeded_noise
    from pack.nodes.image_model import HostImageModel, SamplingSettings

    with torch.inference_mode():
        host = HostImageModel(model, demo.clip, demo.vae, SamplingSettings(2, 1.0, "euler", "simple", ""), "")
        noise = seeded_noise(host.noise_shape(64, 64), 1)[None]
        return host.decode(host.sample(noise, host.encode_prompt("photo of a person"), 1, lambda *_: None)).clone()


def test_the_file_is_read_by_cores_loader_and_changes_the_picture(train: Callable[..., Any], demo: Any, tmp_path: Path) -> None:
    import nodes

    before = {name: value.clone() for name, value in demo.model.model.state_dict().items()}
    plain = draw(demo.model, demo)
    lora, patched, clip, losses, previews, trigger = train(preview_prompts="photo of {person}", preview_steps=1)
    assert torch.equal(draw(demo.model, demo), plain), "the model that was connected is as it was"
    after = demo.model.model.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)

    [path] = saved(tmp_path)
    assert path.parent.name == "personal" and path.stem == trigger
    with torch.inference_mode():
        by_core, _ = nodes.LoraLoader().load_lora(demo.model, demo.clip, f"personal/{path.name}", 1.0, 0.0)
    assert len(by_core.patches) == len(lora) // 2 == len(patched.patches) > 0
    assert torch.equal(draw(by_core, demo), draw(patched, demo)) and not torch.equal(draw(patched, demo), plain)
    assert len(losses["loss"]) == 4 and previews.shape == (3, 64, 64, 3) and clip is demo.clip


def test_the_same_seed_gives_the_same_lora_and_another_seed_another(train: Callable[..., Any], tmp_path: Path) -> None:
    first, again, other = train()[0], train()[0], train(seed=4)[0]
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)
    trigger = min(saved(tmp_path)).stem
    assert {path.stem for path in saved(tmp_path)} == {trigger, f"{trigger}_2", f"{trigger}_3"}, "no file is written over another"


def test_nothing_of_the_person_is_in_the_file(train: Callable[..., Any], dataset: Any, store: Any, tmp_path: Path) -> None:
    from pack.nodes.engine.person.lora_file import read_header

    train()
    [path] = saved(tmp_path)
    header = read_header(path)
    assert header["music_video_receipt"] == dataset.receipt_id and header["trigger"] == dataset.trigger
    assert header["music_video_receipt_sha256"] == store.receipt(dataset.receipt_id).sha256 and len(header["base_model"]) == 64
    assert b"Aiko" not in path.read_bytes() and b"Example" not in path.read_bytes()
    events = [entry.event for entry in store.ledger.read()]
    assert events[-3:] == ["train_started", "train_ended", "lora_written"]


def test_kohyas_names_are_read_by_core_as_the_same_lora(train: Callable[..., Any], demo: Any, tmp_path: Path) -> None:
    import nodes

    _, patched, *_ = train(file_format="kohya", alpha=1.0)
    [path] = saved(tmp_path)
    with torch.inference_mode():
        by_core, _ = nodes.LoraLoader().load_lora(demo.model, demo.clip, f"personal/{path.name}", 1.0, 0.0)
    assert by_core.patches.keys() == patched.patches.keys()
    assert torch.allclose(draw(by_core, demo), draw(patched, demo), atol=1e-4)


@pytest.mark.parametrize("file_format", ["comfyui", "kohya"])
def test_a_trained_text_encoder_comes_out_of_both_nodes_with_its_receipt(
    train: Callable[..., Any], dataset: Any, demo: Any, run_node: Callable[..., Any], tmp_path: Path, file_format: str
) -> None:
    from pack.nodes.personal_lora_loader import PersonalLoraLoader
    from pack.nodes.personal_receipts import find_receipts

    def encode(clip: Any) -> torch.Tensor:
        with torch.inference_mode():
            return clip.encode_from_tokens(clip.tokenize("photo of a person")).clone()

    plain = encode(demo.clip)
    _, model, clip, *_ = train(text_encoder=True, file_format=file_format, preview_prompts="photo of {person}", preview_steps=1)
    [path] = saved(tmp_path)
    inputs = {"model": demo.model, "clip": demo.clip, "lora": f"personal/{path.name}"}
    loaded_model, loaded, _ = run_node(PersonalLoraLoader, **inputs, strength=1.0).result
    _, half, _ = run_node(PersonalLoraLoader, **inputs, strength=0.5).result
    assert loaded.patcher.patches.keys() == clip.patcher.patches.keys() and len(clip.patcher.patches) == 2 * 4
    assert loaded_model.patches.keys() == model.patches.keys()
    assert torch.allclose(encode(loaded), encode(clip), atol=1e-6) and not torch.equal(encode(half), encode(clip))
    assert not torch.equal(encode(clip), plain) and torch.equal(encode(demo.clip), plain)
    assert find_receipts([clip.patcher], None, None, ()) == find_receipts([half.patcher], None, None, ()) == (dataset.receipt_id,)
    assert find_receipts([demo.clip.patcher], None, None, ()) == ()


def interrupt_after(monkeypatch: pytest.MonkeyPatch, steps: int, action: Callable[[], None]) -> None:
    """Something happens once that many steps are done."""
    from pack.nodes import personal_training

    shown = personal_training.TrainingReport.__call__

    def look(self: Any, progress: Any) -> None:
        if progress.stage == "training" and progress.step == steps and len(progress.course.losses) == steps:
            action()
        shown(self, progress)

    monkeypatch.setattr(personal_training.TrainingReport, "__call__", look)


@pytest.mark.parametrize("changes", [{}, {"running_mean": "on", "schedule": "constant", "gradient_accumulation": 2}], ids=["plain", "mean"])
def test_an_interrupted_training_goes_on_to_the_very_same_lora(
    train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, changes: dict[str, Any]
) -> None:
    import comfy.model_management

    whole = train(steps=8, **changes)

    def stop() -> None:
        raise comfy.model_management.InterruptProcessingException

    with monkeypatch.context() as patch:
        interrupt_after(patch, 5, stop)
        with pytest.raises(comfy.model_management.InterruptProcessingException):
            train(steps=8, **changes)
    [state] = (tmp_path / "store" / "training").iterdir()
    assert not state.stat().st_mode & 0o077 and len(saved(tmp_path)) == 1
    parts = train(steps=8, **changes)
    assert all(torch.equal(whole[0][name], parts[0][name]) for name in whole[0])
    assert parts[3] == whole[3] and not state.exists()


def test_a_withdrawal_while_training_stops_it_and_leaves_nothing(
    train: Callable[..., Any], store: Any, dataset: Any, demo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = draw(demo.model, demo)
    interrupt_after(monkeypatch, 3, lambda: store.withdraw(dataset.receipt_id))
    with pytest.raises(ValueError, match="has withdrawn their consent"):
        train()
    assert not saved(tmp_path) and not list((tmp_path / "store" / "training").iterdir())
    assert torch.equal(draw(demo.model, demo), before)
    assert store.ledger.read()[-1].facts["result"] == "consent_ended"


def test_a_withdrawal_deletes_the_lora_and_every_loader_refuses_it(
    train: Callable[..., Any], store: Any, dataset: Any, demo: Any, run_node: Callable[..., Any], tmp_path: Path
) -> None:
    from pack.nodes.personal_lora_loader import PersonalLoraLoader, list_names
    from pack.nodes.personal_receipts import find_receipts, require_consent

    _, patched, *_ = train()
    [path] = saved(tmp_path)
    assert list_names() == [f"personal/{path.name}"]
    name = f"personal/{path.name}"
    model, clip, trigger = run_node(PersonalLoraLoader, model=demo.model, clip=demo.clip, lora=name, strength=1.0).result
    assert trigger == dataset.trigger and clip is demo.clip and len(model.patches) == len(patched.patches)
    for made in (model, patched, model.clone()):
        assert find_receipts([made], None, None, ()) == (dataset.receipt_id,)
    require_consent([dataset.receipt_id], "make_videos")

    copy = path.with_name("renamed.safetensors")
    copy.write_bytes(path.read_bytes())
    fingerprint = PersonalLoraLoader.fingerprint_inputs(lora=name)
    assert store.withdraw(dataset.receipt_id).loras == 2 and not saved(tmp_path) and list_names() == ["none"]
    assert PersonalLoraLoader.fingerprint_inputs(lora=name) != fingerprint
    with pytest.raises(ValueError, match="has withdrawn"):
        require_consent([dataset.receipt_id], "make_videos")


def test_cores_own_lora_nodes_keep_the_receipt(train: Callable[..., Any], dataset: Any, demo: Any, tmp_path: Path) -> None:
    import nodes
    from comfy_extras.nodes_train import LoraModelLoader
    from pack.nodes.personal_receipts import find_receipts

    lora, *_ = train()
    [path] = saved(tmp_path)
    with torch.inference_mode():
        by_name, _ = nodes.LoraLoader().load_lora(demo.model, demo.clip, f"personal/{path.name}", 1.0, 0.0)
        by_socket = LoraModelLoader.execute(demo.model, lora, 0.5).result[0]
    assert find_receipts([by_name], None, None, ()) == find_receipts([by_socket], None, None, ()) == (dataset.receipt_id,)
    assert find_receipts([demo.model], None, None, ()) == ()


def test_a_changed_or_foreign_file_is_refused(train: Callable[..., Any], demo: Any, run_node: Callable[..., Any], tmp_path: Path) -> None:
    from pack.nodes.personal_lora_loader import PersonalLoraLoader
    from safetensors.torch import load_file, save_file

    train()
    [path] = saved(tmp_path)
    stranger = path.with_name("stranger.safetensors")
    save_file(load_file(path), stranger)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    for name, reason in ((path.name, "not as it was written"), (stranger.name, "names no consent")):
        with pytest.raises(ValueError, match=reason):
            run_node(PersonalLoraLoader, model=demo.model, clip=demo.clip, lora=f"personal/{name}", strength=1.0)
    assert "no such personal LoRA" in PersonalLoraLoader.validate_inputs("none")


def fill_disk(patch: pytest.MonkeyPatch, folder: Path, writes: int) -> None:
    """After so many writes into the folder none reaches the disk any more."""
    real, left = os.fsync, [writes]

    def fsync(handle: int) -> None:
        if any(path.stat().st_ino == os.fstat(handle).st_ino for path in folder.glob("*.part")):
            left[0] -= 1
            if left[0] < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    patch.setattr(os, "fsync", fsync)


def test_a_disk_that_fills_up_while_training_loses_nothing(
    train: Callable[..., Any], demo: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = train(steps=6)
    with monkeypatch.context() as patch:
        fill_disk(patch, tmp_path / "store" / "training", 1)
        with untouched(demo), pytest.raises(OSError, match="No space left on device.*run again: it goes on from what was written last"):
            train(steps=6)
    assert len(list((tmp_path / "store" / "training").iterdir())) == 1 and len(saved(tmp_path)) == 1
    again = train(steps=6)
    assert again[3] == whole[3] and all(torch.equal(value, again[0][name]) for name, value in whole[0].items())


@pytest.mark.parametrize("early", [False, True], ids=["done", "early"])
def test_a_lora_that_finds_no_room_is_written_without_training_again(
    train: Callable[..., Any], store: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, early: bool
) -> None:
    from pack.nodes.engine.person import lora

    if early:
        monkeypatch.setattr(lora, "PATIENCE", 1)
        monkeypatch.setattr(lora, "held_out_loss", lambda *given: 1.0)
    whole = train(steps=8)
    assert len(whole[3]["loss"]) == (4 if early else 8)
    with monkeypatch.context() as patch:
        fill_disk(patch, tmp_path / "loras" / "personal", 0)
        with pytest.raises(OSError, match="LoRA cannot be written .*No space left on device.*then run again"):
            train(steps=8)
    assert len(list((tmp_path / "loras" / "personal").iterdir())) == 2, "the first LoRA and its curve"
    monkeypatch.setattr(lora._Training, "_step", lambda self: pytest.fail("it trains again"))
    again = train(steps=8)
    assert again[3] == whole[3] and all(torch.equal(value, again[0][name]) for name, value in whole[0].items())
    assert len(saved(tmp_path)) == 2 and not list((tmp_path / "store" / "training").iterdir())


def test_a_curve_that_cannot_be_saved_costs_no_lora(train: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from PIL import Image

    real = Image.Image.save

    def save(self: Any, path: Any, **options: Any) -> None:
        real(self, path, **options)
        if "personal" in str(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(Image.Image, "save", save)
        train(steps=2)
    assert [path.suffix for path in (tmp_path / "loras" / "personal").iterdir()] == [".safetensors"]


def test_parts_of_another_model_are_one_sentence_before_the_first_step(
    train: Callable[..., Any], demo: Any, store: Any, tmp_path: Path
) -> None:
    from tiny_models import make_clip, make_vae

    for parts, sentence in (({"clip": make_clip("sd15")}, "do not fit together"), ({"vae": make_vae(8)}, "VAE does not belong")):
        with untouched(demo), pytest.raises(ValueError, match=sentence):
            train(**parts, text_encoder=True)
        assert store.ledger.read()[-1].facts["result"] == "failed"
    assert not saved(tmp_path) and not (tmp_path / "store" / "training").exists()


@contextmanager
def untouched(demo: Any) -> Iterator[None]:
    before = [{name: value.clone() for name, value in part.model.state_dict().items()} for part in (demo.model, demo.clip.patcher)]
    yield
    for part, values in zip((demo.model, demo.clip.patcher), before, strict=True):
        after = part.model.state_dict()
        assert list(after) == list(values) and all(torch.equal(after[name], values[name]) for name in after)


def test_a_process_that_is_killed_while_training_loses_nothing(comfy: SimpleNamespace, tmp_path: Path) -> None:
    """kill -9, so that nothing of ours runs any more; then the same again to the end, and once more without any interruption."""
    from safetensors.torch import load_file

    command = [sys.executable, str(Path(__file__).parent / "training_process.py"), str(comfy.root), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line == "step 5\n":
                process.kill()
    assert process.returncode == -9 and not saved(tmp_path)
    assert len(list((tmp_path / "store" / "training").glob("*.safetensors"))) == 1
    resumed, whole = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert resumed.splitlines()[0] == "step 5" and whole.splitlines()[0] == "step 1"
    one, other = (load_file(path) for path in saved(tmp_path))
    assert one.keys() == other.keys() and all(torch.equal(value, other[name]) for name, value in one.items())
    assert any(name.startswith("text_encoders.") for name in one)
