"""The power fails at every moment at which something has just reached the disk: what is left is whole, or is swept away."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pack.nodes.engine.person.receipt import ConsentError
from pack.nodes.engine.person.storage import PersonStore
from sitting import make_consent, make_outcome, verify_somebody

pytestmark = [pytest.mark.slow, pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")]
CRASHED = 9


def crash_at(moment: int, action: Callable[[], Any]) -> bool:
    """Does it in a process that dies at its n-th sync; whether it came to its end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of fork beside threads
        child = os.fork()
    if child:
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert status in (0, CRASHED)
        return status == 0
    real, left = os.fsync, [moment]

    def fsync(handle: int) -> None:
        left[0] -= 1
        if not left[0]:
            os._exit(CRASHED)
        real(handle)

    os.fsync = fsync
    try:
        action()
        os._exit(0)
    finally:
        os._exit(1)


def is_open(store: PersonStore, receipt_id: str) -> bool:
    try:
        return len(store.open_dataset(receipt_id, "train_lora")) == 10
    except ConsentError:
        return False


def crash_everywhere(store: PersonStore, action: Callable[[], Any], check: Callable[[PersonStore], None]) -> int:
    """`check` gets the store as the next start finds it, after each possible crash; gives how many there were."""
    before = store.folder.with_name("before")
    shutil.copytree(store.folder, before)
    for moment in range(1, 1000):
        ended = crash_at(moment, action)
        check(PersonStore(store.folder))
        if ended:
            return moment - 1
        shutil.rmtree(store.folder)
        shutil.copytree(before, store.folder)
    raise AssertionError("it never came to its end")


def people(store: PersonStore) -> list[str]:
    return sorted(path.name for path in (store.folder / "people").glob("*"))


def test_finishing_is_all_or_nothing(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id, outcome = store.begin_consent(make_consent()), make_outcome()
    store.record_attempt(consent_id, outcome)
    store.choose(consent_id, outcome)
    seen = set()

    def check(found: PersonStore) -> None:
        found.expire()
        valid = is_open(found, consent_id)
        seen.add(valid)
        assert people(found) == ([consent_id] if valid else []) and found.verify_ledger() is None
        assert [summary.status for summary in found.list()] == (["valid"] if valid else [])

    assert crash_everywhere(store, lambda: store.finish(consent_id, range(10)), check) > 40
    assert seen == {True, False}


def test_withdrawing_is_finished_at_the_next_start(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    person = verify_somebody(store).receipt_id

    def check(found: PersonStore) -> None:
        assert "withdrawn" in [entry.event for entry in found.ledger.read()] and not is_open(found, person), "the line comes first"
        found.expire()
        assert people(found) == [] and found.verify_ledger() is None

    assert crash_everywhere(store, lambda: store.withdraw(person), check) > 20
