"""A verified person's pictures on a real server: handed out while the consent holds, out of every route's reach, swept at the start."""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.host
sys.path.append(str(Path(__file__).parents[1] / "person"))
NAME = "Aiko Example"


def make_store(base: Path) -> Any:
    """The store of the server that runs on `base`, seen from this process."""
    from pack.nodes.engine.person.storage import PersonStore

    return PersonStore(base / "user" / "__music_video", scan_folders=[base / "models" / "loras"])


def prompt_for(person: str) -> dict[str, Any]:
    return {
        "1": {"class_type": "CharchaVerify", "inputs": {"person": person}, "_meta": {"title": "verify"}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 1]}, "_meta": {"title": "summary"}},
        "3": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}, "_meta": {"title": "dataset"}},
    }


@pytest.fixture(scope="module")
def person(host: Any) -> str:
    from sitting import verify_somebody

    return verify_somebody(make_store(host.base)).receipt_id


def test_a_dataset_is_handed_out_until_the_person_withdraws(host: Any, person: str) -> None:
    outputs = host.run(prompt_for(person))
    assert outputs["2"]["text"][0].startswith("10 pictures") and outputs["3"]["text"][0].startswith("FaceDataset(10 pictures")
    make_store(host.base).withdraw(person)
    entry = host.wait(host.queue(prompt_for(person)))
    assert "has withdrawn their consent" in host.error_of(entry), "although the same prompt is in the cache"
    assert NAME not in json.dumps(host.get("/history")) and NAME not in host.server.log_tail(10**6)


def test_nobody_is_refused_at_once(host: Any) -> None:
    for person in ("none", NAME):
        answer = host.post("/prompt", {"prompt": prompt_for(person)})
        assert "Nobody is chosen" in json.dumps(answer["node_errors"])


@pytest.mark.parametrize(
    "path",
    [
        "/userdata/ledger.jsonl",
        "/userdata/..%2F__music_video%2Fledger.jsonl",
        "/view?filename=ledger.jsonl&type=input&subfolder=../user/__music_video",
        "/view?filename=ledger.jsonl&type=output&subfolder=../user/__music_video",
        "/extensions/personal-music-video/../../user/__music_video/ledger.jsonl",
    ],
)
def test_no_route_of_the_host_reaches_the_store(host: Any, person: str, path: str) -> None:
    assert (host.base / "user" / "__music_video" / "ledger.jsonl").is_file()
    request = urllib.request.Request(host.server.url + path, headers={"Comfy-User": "__music_video"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)
    refused.value.close()
    assert refused.value.code in (400, 403, 404)


@pytest.mark.slow
def test_a_server_that_starts_deletes_what_has_run_out(start_host: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pack.nodes.engine.person.receipt import DAY
    from sitting import verify_somebody

    store = make_store(tmp_path)
    now = time.time()
    with monkeypatch.context() as past:
        past.setattr(time, "time", lambda: now - 8 * DAY)
        over = verify_somebody(store, retention_days=7).receipt_id
    valid = verify_somebody(store).receipt_id
    folders = {receipt_id: store.folder / "people" / receipt_id for receipt_id in (over, valid)}
    assert all(folder.exists() for folder in folders.values())
    host = start_host(tmp_path)
    deadline = time.monotonic() + 60
    while folders[over].exists() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not folders[over].exists() and folders[valid].exists()
    assert over not in host.server.log_tail(10**6)
