"""What can go wrong around a training, without training: too few pictures, a full disk, a name that is taken. Quick."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

sys.path.append(str(Path(__file__).parents[1] / "person"))

TENSORS = {"diffusion_model.a.lora_A.weight": torch.ones(2, 2), "diffusion_model.a.lora_B.weight": torch.ones(2, 2)}


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """From its call on nothing that is being written in that folder reaches the disk."""

    def fill(folder: Path) -> None:
        real = os.fsync

        def fsync(handle: int) -> None:
            if any(path.stat().st_ino == os.fstat(handle).st_ino for path in folder.glob("*.part")):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(handle)

        monkeypatch.setattr(os, "fsync", fsync)

    return fill


def test_fewer_than_five_pictures_are_refused_before_any_is_encoded() -> None:
    from pack.nodes.engine.person.lesson import prepare_lesson

    four: Any = [SimpleNamespace(caption="photo")] * 4
    with pytest.raises(ValueError, match="There are only 4 pictures; at least 5 are needed"):
        prepare_lesson(four, SimpleNamespace(), 64, lambda done, total: None)  # type: ignore[arg-type]


def test_a_full_disk_leaves_no_half_lora(tmp_path: Path, full_disk: Callable[[Path], None]) -> None:
    from pack.nodes.engine.person.lora_file import write_lora

    full_disk(tmp_path)
    with pytest.raises(OSError, match=r"LoRA cannot be written .*No space left on device.*; see that there is room .*, then run again"):
        write_lora(tmp_path, "zuqvex", TENSORS, {})
    assert not list(tmp_path.iterdir())


def test_a_disk_that_will_be_too_full_is_said_before_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.person import lora_file

    monkeypatch.setattr(lora_file.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(OSError, match="too full for 1 MB; make room there, then run again"):
        lora_file.write_lora(tmp_path / "personal", "zuqvex", TENSORS, {})
    assert not list((tmp_path / "personal").iterdir())


def test_a_rename_that_fails_leaves_no_empty_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.person.lora_file import write_lora

    def fail(*paths: Path) -> None:
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="Permission denied"):
        write_lora(tmp_path, "zuqvex", TENSORS, {})
    assert not list(tmp_path.iterdir())


def test_a_name_that_exists_is_never_written_over(tmp_path: Path) -> None:
    from pack.nodes.engine.person.lora_file import write_lora

    (tmp_path / "zuqvex.safetensors").write_bytes(b"somebody else's")
    paths = [write_lora(tmp_path, "zuqvex", TENSORS, {}) for _ in range(2)]
    assert [path.name for path in paths] == ["zuqvex_2.safetensors", "zuqvex_3.safetensors"]
    assert (tmp_path / "zuqvex.safetensors").read_bytes() == b"somebody else's"


def test_a_full_disk_keeps_the_last_state(tmp_path: Path, full_disk: Callable[[Path], None]) -> None:
    from pack.nodes.engine.person.training_state import Course, load_state, save_state

    path, parts = tmp_path / "training" / "key.safetensors", {"adapters": [torch.ones(3)]}
    save_state(path, "a" * 32, Course(step=2, losses=[1.0, 2.0]), parts, {})
    full_disk(path.parent)
    with pytest.raises(
        OSError, match=r"cannot be written .*No space left on device.*then run again: it goes on from what was written last"
    ):
        save_state(path, "a" * 32, Course(step=4), parts, {})
    assert list(path.parent.iterdir()) == [path]
    found = load_state(path)
    assert found is not None and found[0].step == 2


def test_a_withdrawal_finds_what_a_killed_process_was_writing(tmp_path: Path) -> None:
    from pack.nodes.engine.person.erasure import find_named
    from pack.nodes.engine.person.lora_file import RECEIPT
    from safetensors.torch import save

    torn = save(TENSORS, {RECEIPT: "a" * 32})[:-8]
    for name in (".zuqvex.123.part", "key.safetensors.part"):
        (tmp_path / name).write_bytes(torn)
    assert {file.path.name for file in find_named([tmp_path], ["a" * 32])} == {".zuqvex.123.part", "key.safetensors.part"}
    assert not find_named([tmp_path], ["b" * 32])


@pytest.mark.parametrize("suffix", ["safetensors", "safetensors.part"])
def test_states_that_nobody_goes_on_from_are_deleted(comfy: SimpleNamespace, tmp_path: Path, suffix: str) -> None:
    from pack.nodes.personal_training import _forget_old

    for name, age in (("old", 15), ("new", 1)):
        path = tmp_path / f"{name}.{suffix}"
        path.write_bytes(b"")
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age * 86400))
    _forget_old(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [f"new.{suffix}"]


def test_a_clip_without_what_the_model_needs_is_one_sentence(comfy: SimpleNamespace) -> None:
    """SDXL asks for a pooled prompt; T5 gives none."""
    from pack.nodes.image_model import SamplingSettings
    from pack.nodes.training_model import HostStudent
    from tiny_models import SeededPrompts, make_unet, make_vae, patch_model

    class WithoutPooled(SeededPrompts):
        def encode_from_tokens_scheduled(self, text: str) -> Any:
            return [[tokens, {"pooled_output": None}] for tokens, _ in super().encode_from_tokens_scheduled(text)]

    preview = SamplingSettings(1, 1.0, "euler", "simple", "")
    student = HostStudent(patch_model(make_unet("sdxl")), WithoutPooled(48, 64), make_vae(4), "auto", 64, preview)
    with pytest.raises(ValueError, match="do not fit together"):
        student.encode_caption("photo", torch.zeros(student._shape))
