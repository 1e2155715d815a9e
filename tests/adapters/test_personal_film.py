"""A film with a person in it: the sampler asks for the consent, every clip names it, and a withdrawal takes the clips along."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pack.nodes.engine.timeline import Beat, Curve, Shot, Timeline

sys.path.append(str(Path(__file__).parents[1] / "person"))
TIMELINE = Timeline(
    0.5,
    beats=(Beat(0.0, 1), Beat(0.25, 2)),
    beat_confidence=0.9,
    downbeat_confidence=0.9,
    curves=(Curve("onset", 50.0, (0.5,) * 25),),
    shots=(Shot(0.0, 0.25, "a red sea", 1, "still"), Shot(0.25, 0.5, "a city", 2, "still")),
)
SETTINGS: dict[str, Any] = {
    "timeline": TIMELINE, "width": 64, "height": 48, "fps": 12.0, "steps": 1, "cfg": 1.0, "sampler": "euler", "scheduler": "simple",
    "seed": 0, "negative": "", "walk": "onset", "walk_amount": 0.5,
}  # fmt: skip


@pytest.fixture
def store(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import folder_paths
    from pack.nodes import personal_receipts
    from pack.nodes.engine.person.storage import PersonStore

    loras = tmp_path / "loras"
    loras.mkdir()
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", ([str(loras)], {".safetensors"}))
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    store = PersonStore(tmp_path / "store", scan_folders=[loras, tmp_path / "output"])
    monkeypatch.setattr(personal_receipts, "person_store", lambda: store)
    return store


@pytest.fixture
def film(tiny: SimpleNamespace, store: Any, run_node: Callable[..., Any]) -> Callable[..., list[Path]]:
    """Draws the film with a model that carries a receipt; gives the clips' paths."""
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler
    from pack.nodes.personal_receipts import attach_receipt

    def run(receipt_id: str | None) -> list[Path]:
        model = tiny.model.clone()
        if receipt_id:
            attach_receipt(model, receipt_id)
        result = run_node(BeatSyncedSampler, model=model.clone(), clip=tiny.clip, vae=tiny.vae, **SETTINGS).result
        return [Path(video.get_stream_source()) for video in result[0]]

    return run


def verify(store: Any, **changes: Any) -> str:
    from sitting import verify_somebody

    return verify_somebody(store, **changes).receipt_id


@pytest.mark.slow
def test_clips_name_the_consent_and_go_with_it(film: Callable[..., list[Path]], store: Any) -> None:
    from pack.nodes.engine.person.erasure import names_receipt

    receipt_id = verify(store)
    personal, others = film(receipt_id), film(None)
    assert not set(personal) & set(others), "another consent, another clip"
    assert all(names_receipt(path, receipt_id) for path in personal) and not any(names_receipt(path, receipt_id) for path in others)
    rendered = [entry.facts["frames"] for entry in store.ledger.read() if entry.event == "film_rendered"]
    assert rendered == [6]
    assert store.withdraw(receipt_id).clips == 2
    assert not any(path.exists() for path in personal) and all(path.exists() for path in others)
    with pytest.raises(ValueError, match="has withdrawn"):
        film(receipt_id)


def test_a_person_in_the_second_half_is_asked_for_too(tiny: SimpleNamespace, store: Any, run_node: Callable[..., Any]) -> None:
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler
    from pack.nodes.personal_receipts import attach_receipt

    low = tiny.model.clone()
    attach_receipt(low, verify(store, purposes=("train_lora",)))
    two = {"model": tiny.model, "low_noise_model": low, "switch_at": 0.5, "steps": 4}
    with pytest.raises(ValueError, match="not agreed to this use"):
        run_node(BeatSyncedSampler, clip=tiny.clip, vae=tiny.vae, **SETTINGS | two)


def test_a_consent_to_something_else_is_not_enough(film: Callable[..., list[Path]], store: Any) -> None:
    with pytest.raises(ValueError, match="not agreed to this use"):
        film(verify(store, purposes=("train_lora", "make_images")))


def test_a_withdrawal_between_two_shots_stops_the_film_and_leaves_no_clip(
    film: Callable[..., list[Path]], store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pack.nodes import render_progress

    receipt_id = verify(store)
    shown = render_progress.ProgressReport.__call__

    def look(self: Any, progress: Any) -> None:
        if progress.shot == 1 and progress.frame is not None:
            store.withdraw(receipt_id)
        shown(self, progress)

    monkeypatch.setattr(render_progress.ProgressReport, "__call__", look)
    with pytest.raises(ValueError, match="has withdrawn"):
        film(receipt_id)
    assert not list((tmp_path / "output").rglob("*.mp4"))


def test_a_file_that_any_loader_names_is_asked_for_its_receipt(store: Any, tmp_path: Path, tiny: SimpleNamespace) -> None:
    """Other packs' loaders leave no trace on the model, but the workflow names the file."""
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler
    from pack.nodes.personal_receipts import find_receipts
    from safetensors.torch import save_file

    receipt_id = verify(store)
    save_file({"x": torch.zeros(1)}, tmp_path / "loras" / "one.safetensors", {"music_video_receipt": receipt_id})
    save_file({"x": torch.zeros(1)}, tmp_path / "loras" / "two.safetensors")
    nodes = {
        "1": {"class_type": "Checkpoint", "inputs": {}},
        "2": {"class_type": "SomeLoader", "inputs": {"model": ["1", 0], "name": "one.safetensors", "other": "two.safetensors"}},
        "3": {"class_type": "BeatSyncedSampler", "inputs": {"model": ["2", 0]}},
        "4": {"class_type": "BeatSyncedSampler", "inputs": {"model": ["1", 0], "keyframes": ["3", 1]}},
    }
    prompt: Any = SimpleNamespace(get_node=nodes.__getitem__)
    assert find_receipts([tiny.model], prompt, "3", ("model",)) == (receipt_id,)
    assert find_receipts([tiny.model], prompt, "3", ("clip",)) == ()
    video = BeatSyncedSampler.PREPARE_CLASS_CLONE(None)
    video.hidden = SimpleNamespace(dynprompt=prompt, unique_id="4")
    assert video._find_consents(tiny.model, None, None).ids == (receipt_id,), "pictures of a person ask for it too"


@pytest.fixture
def cast(tiny: SimpleNamespace, store: Any, run_node: Callable[..., Any]) -> Callable[..., list[Any]]:
    """Draws a film whose shots have these prompts; gives the first picture of each. `personal`: with a person's LoRA on the model."""
    from pack.nodes.beat_synced_sampler import BeatSyncedSampler
    from pack.nodes.personal_receipts import mark_tensors

    def run(prompts: list[str], receipt_id: str, personal: bool = True, style: float = 0.0, low_noise: bool = False) -> list[Any]:
        weights = [name for name, value in tiny.model.model.state_dict().items() if value.ndim == 2][:4]
        model = tiny.model.clone()
        for strength, receipt in ((style, ""), (0.05 if personal else 0.0, receipt_id)):
            tensors = {name: torch.ones(model.model.state_dict()[name].shape) for name in weights}
            if receipt:
                mark_tensors(tensors, receipt)
            if strength:
                model.add_patches({name: ("diff", (tensor,)) for name, tensor in tensors.items()}, strength)
        shots = tuple(Shot(0.25 * n, 0.25 * n + 0.25, prompt, n, "still") for n, prompt in enumerate(prompts))
        timeline = replace(TIMELINE, duration=0.25 * len(prompts), shots=shots)
        two = {"model": tiny.model, "low_noise_model": model, "switch_at": 0.5, "steps": 4} if low_noise else {"model": model}
        result = run_node(BeatSyncedSampler, clip=tiny.clip, vae=tiny.vae, **(SETTINGS | {"timeline": timeline} | two)).result
        return list(result[1])

    return run


@pytest.mark.slow
@pytest.mark.parametrize("low_noise", [False, True])
def test_shots_that_do_not_name_the_person_are_drawn_without_them(cast: Callable[..., list[Any]], store: Any, low_noise: bool) -> None:
    """Also where only the second of a model's two halves has learnt the person."""
    receipt_id = verify(store)
    name = store.receipt(receipt_id).trigger
    prompts = [f"{name} person at sea", "a red sea", f"a crowd, {name} person among it", "a city"]
    with_lora, without = (cast(prompts, receipt_id, personal=personal, low_noise=low_noise) for personal in (True, False))
    alike = [torch.equal(a, b) for a, b in zip(with_lora, without, strict=True)]
    assert alike == [False, True, False, True]


@pytest.mark.slow
def test_other_patches_stay_where_the_person_is_taken_out(cast: Callable[..., list[Any]], store: Any) -> None:
    receipt_id = verify(store)
    prompts = [f"{store.receipt(receipt_id).trigger} person", "a red sea"]
    styled, plain = cast(prompts, receipt_id, style=0.03)[1], cast(prompts, receipt_id)[1]
    assert torch.equal(styled, cast(prompts, receipt_id, personal=False, style=0.03)[1]) and not torch.equal(styled, plain)


@pytest.mark.slow
def test_a_film_that_names_nobody_is_drawn_as_the_graph_says(cast: Callable[..., list[Any]], store: Any) -> None:
    receipt_id = verify(store)
    pairs = zip(cast(["a red sea", "a city"], receipt_id), cast(["a red sea", "a city"], receipt_id, personal=False), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)
