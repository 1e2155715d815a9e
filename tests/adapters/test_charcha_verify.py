"""CharchaVerify: a receipt's id goes in, a dataset comes out, and nothing of the person is in between."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "person"))


@pytest.fixture
def store(comfy: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    from pack.nodes import charcha_verify
    from pack.nodes.engine.person.storage import PersonStore

    store = PersonStore(tmp_path / "store", scan_folders=[tmp_path])
    monkeypatch.setattr(charcha_verify, "person_store", lambda: store)
    return store


@pytest.fixture
def person(store: Any) -> str:
    from sitting import verify_somebody

    return verify_somebody(store).receipt_id


def test_a_receipt_becomes_a_dataset(store: Any, person: str, run_node: Callable[..., Any]) -> None:
    from pack.nodes.charcha_verify import CharchaVerify
    from pack.nodes.engine.person.dataset import FaceDataset

    assert CharchaVerify.validate_inputs(person) is True
    dataset, summary = run_node(CharchaVerify, person=person).result
    assert isinstance(dataset, FaceDataset) and dataset.read(0).shape[2] == 3
    assert summary.startswith("10 pictures, trigger word ") and "level L2" in summary and "train_lora, make_videos" in summary
    assert "Aiko" not in summary


def test_the_dataset_prints_without_anything_personal(store: Any, person: str, run_node: Callable[..., Any]) -> None:
    from comfy_extras.nodes_preview_any import PreviewAny
    from pack.nodes.charcha_verify import CharchaVerify

    dataset, _ = run_node(CharchaVerify, person=person).result
    assert PreviewAny().main(dataset)["result"][0] == repr(dataset) and "Aiko" not in repr(dataset)


@pytest.mark.parametrize("person", ["none", "", "Aiko Example", "../x"])
def test_nobody_is_refused_before_anything_runs(store: Any, person: str) -> None:
    from pack.nodes.charcha_verify import CharchaVerify

    assert "Nobody is chosen" in CharchaVerify.validate_inputs(person)
    assert CharchaVerify.fingerprint_inputs(person) == ""


def test_a_withdrawal_is_noticed_by_the_cache(store: Any, person: str, run_node: Callable[..., Any]) -> None:
    from pack.nodes.charcha_verify import CharchaVerify

    before = CharchaVerify.fingerprint_inputs(person)
    assert CharchaVerify.fingerprint_inputs(person) == before
    dataset, _ = run_node(CharchaVerify, person=person).result
    store.withdraw(person)
    assert CharchaVerify.fingerprint_inputs(person) != before
    for use in (lambda: run_node(CharchaVerify, person=person), lambda: dataset.read(0)):
        with pytest.raises(ValueError, match="has withdrawn their consent"):
            use()


def test_a_purpose_that_was_not_ticked_is_one_sentence(store: Any, run_node: Callable[..., Any]) -> None:
    from pack.nodes.charcha_verify import CharchaVerify
    from sitting import verify_somebody

    person = verify_somebody(store, purposes=("make_images",)).receipt_id
    with pytest.raises(ValueError, match="has not agreed to this use"):
        run_node(CharchaVerify, person=person)


def test_the_store_lies_where_no_route_reaches(comfy: SimpleNamespace) -> None:
    from pack.nodes.person_folder import person_store

    store = person_store()
    assert store.folder.name == "__music_video" and store.folder.parent == comfy.base / "user"
    places = {str(folder) for folder in store.scan_folders}
    assert str(comfy.base / "models" / "loras") in places and str(comfy.base / "output" / "music_video" / "clips") in places
    assert not store.folder.exists(), "looking makes nothing"


def test_a_sweep_that_fails_is_a_warning_without_paths(comfy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    from pack.nodes import person_folder

    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/secret/place")

    monkeypatch.setattr(person_folder, "person_store", lambda: SimpleNamespace(expire=fail))
    with caplog.at_level("WARNING", logger="music_video"):
        person_folder.sweep()
    assert "Permission denied" in caplog.text and "/secret" not in caplog.text
