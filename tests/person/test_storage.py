"""From consent to receipt to dataset, and all of it gone again when the person says so."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pack.nodes.engine.person.dataset import FaceDataset, decode_picture
from pack.nodes.engine.person.keys import KeyRing
from pack.nodes.engine.person.person_files import PersonFiles
from pack.nodes.engine.person.private_file import canonical
from pack.nodes.engine.person.receipt import DAY, ConsentError, Receipt, verify
from pack.nodes.engine.person.storage import PersonStore
from sitting import make_captures, make_consent, make_outcome, make_refusal, verify_somebody

ROOT = Path(__file__).resolve().parents[2]
LINE = "0123456789abcdef" * 2


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A store with one person in it, for tests to copy."""
    folder = tmp_path_factory.mktemp("template") / "store"
    return folder, verify_somebody(PersonStore(folder)).receipt_id


@pytest.fixture
def store(template: tuple[Path, str], tmp_path: Path) -> PersonStore:
    shutil.copytree(template[0], tmp_path / "store")
    (tmp_path / "loras" / "deep").mkdir(parents=True)
    (tmp_path / "clips").mkdir()
    return PersonStore(tmp_path / "store", scan_folders=[tmp_path / "loras", tmp_path / "clips", tmp_path / "absent"])


@pytest.fixture
def person(template: tuple[Path, str]) -> str:
    return template[1]


def code_of(call: Callable[[], Any]) -> str | None:
    try:
        call()
    except ConsentError as error:
        assert "Aiko" not in str(error) and "/" not in str(error), "nothing personal, no paths"
        return error.code
    return None


def opens(store: PersonStore, receipt_id: str) -> str | None:
    return code_of(lambda: store.open_dataset(receipt_id, "train_lora"))


def status(store: PersonStore) -> list[str]:
    return [summary.status for summary in store.list()]


def events(store: PersonStore) -> list[str]:
    return [entry.event for entry in store.ledger.read()]


def all_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def write_lora(path: Path, receipt_id: str) -> Path:
    header = json.dumps({"__metadata__": {"charcha.receipt_id": receipt_id}, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}})
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode() + b"\0" * 4)
    return path


def write_clip(path: Path, receipt_id: str) -> Path:
    path.write_bytes(os.urandom(600_000) + f"charcha={receipt_id}".encode() + os.urandom(100_000))
    return path


def test_nothing_is_written_before_somebody_consents(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    assert store.list() == () and store.verify_ledger() is None and store.expire() == () and store.standing(LINE) == "unknown"
    assert opens(store, LINE) == "unknown_receipt" and not (tmp_path / "store").exists()


def test_the_way_to_a_dataset(store: PersonStore, person: str) -> None:
    assert events(store)[:4] == ["notice_shown", "consent", "attempt", "verified"] and store.verify_ledger() is None
    (summary,) = store.list()
    assert (summary.receipt_id, summary.name, summary.status, summary.level, summary.pictures) == (
        person,
        "Aiko Example",
        "valid",
        "L2",
        10,
    )
    dataset = store.open_dataset(person, "train_lora")
    assert isinstance(dataset, FaceDataset) and len(dataset) == 10 and dataset.receipt_id == person
    for picture in dataset:
        pixels = picture.read()
        assert pixels.dtype == np.uint8 and pixels.shape == (picture.height, picture.width, 3) and min(pixels.shape[:2]) >= 512
        assert picture.caption.startswith(f"photo of {dataset.trigger} person, ")
    assert "Aiko" not in repr(dataset) + str(dataset) + repr(list(dataset)) + repr(summary)


def test_a_second_process_sees_the_same(store: PersonStore, person: str) -> None:
    again = PersonStore(store.folder)
    assert again.receipt(person) == store.receipt(person) and opens(again, person) is None


def test_nothing_readable_lies_on_the_disk(store: PersonStore, person: str) -> None:
    stored = all_bytes(store.folder)
    for sign in (b"Aiko Example", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0\0\x10JFIF", b"portrait", b"make_images"):
        assert sign not in stored  # all of them long enough not to come up by chance
    if os.name == "posix":
        modes = {path.stat().st_mode & 0o777 for path in store.folder.rglob("*") if path.is_file()}
        assert modes == {0o600} and {path.stat().st_mode & 0o777 for path in store.folder.rglob("*") if path.is_dir()} == {0o700}


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
def test_an_open_folder_is_closed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir(mode=0o755)
    PersonStore(tmp_path / "store").begin_consent(make_consent())
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700


def test_a_purpose_that_was_not_ticked_is_refused(store: PersonStore, person: str) -> None:
    assert code_of(lambda: store.open_dataset(person, "make_images")) == "other_purpose"
    assert code_of(lambda: store.open_dataset(person, "make_videos")) is None


def test_the_gallery_is_pruned(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id = store.begin_consent(make_consent())
    assert code_of(lambda: store.choose(consent_id, make_outcome())) == "not_verified"
    store.record_attempt(consent_id, make_refusal())
    assert code_of(lambda: store.finish(consent_id, range(8))) == "not_verified"
    outcome = make_outcome()
    store.record_attempt(consent_id, outcome)
    assert code_of(lambda: store.choose(consent_id, make_outcome(session_id="c" * 32))) == "not_verified"
    gallery = store.choose(consent_id, outcome)
    assert gallery == store.choose(consent_id, outcome) and 12 <= len(gallery) <= 30
    assert all(picture.thumbnail[:3] == b"\xff\xd8\xff" and len(picture.thumbnail) < 100_000 for picture in gallery)
    assert code_of(lambda: store.finish(consent_id, range(7))) == "too_few_pictures"
    assert code_of(lambda: store.finish(consent_id, [0] * 20)) == "too_few_pictures"
    assert code_of(lambda: store.finish(consent_id, range(500))) == "not_verified"
    assert code_of(lambda: store.finish(consent_id, range(-8, 0))) == "not_verified"
    keep = [picture.index for picture in gallery][-9:]
    receipt = store.finish(consent_id, keep)
    assert receipt.receipt_id == consent_id and len(receipt.pictures) == 9
    shown = decode_picture(gallery[keep[0]].thumbnail).astype(float)
    stored = decode_picture(store.thumbnails(consent_id)[0]).astype(float)
    assert np.abs(shown - stored).mean() < 1, "the first one kept is the first one stored"
    assert code_of(lambda: store.finish(consent_id, keep)) == "unknown_consent"
    attempts = [entry.facts for entry in store.ledger.read() if entry.event == "attempt"]
    assert [(facts["passed"], facts["reason"]) for facts in attempts] == [(0, "too_slow"), (1, "")]


def test_two_clicks_at_once_finish_once(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id, outcome = store.begin_consent(make_consent()), make_outcome()
    store.record_attempt(consent_id, outcome)
    store.choose(consent_id, outcome)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: code_of(lambda: store.finish(consent_id, range(8))), range(4)))
    assert sorted(codes, key=str) == [None, "unknown_consent", "unknown_consent", "unknown_consent"]
    assert opens(store, consent_id) is None and events(store).count("verified") == 1


def test_bad_light_or_closed_eyes_give_no_pictures(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id = store.begin_consent(make_consent())
    dark = make_outcome([type(capture)(**{**vars(capture), "light": 0.01}) for capture in make_captures()])
    store.record_attempt(consent_id, dark)
    assert code_of(lambda: store.choose(consent_id, dark)) == "too_few_pictures"


def test_a_cancelled_consent_is_forgotten(tmp_path: Path) -> None:
    store = PersonStore(tmp_path / "store")
    consent_id = store.begin_consent(make_consent())
    store.cancel(consent_id)
    store.cancel(consent_id)
    assert code_of(lambda: store.record_attempt(consent_id, make_outcome())) == "unknown_consent"
    assert events(store) == ["notice_shown", "consent", "cancelled"] and store.list() == ()


@pytest.mark.parametrize("receipt_id", ["", "..", "../../x", LINE.upper(), LINE + "\n", LINE[:-1], "a/" * 16, "\0" * 32, LINE])
def test_strange_ids_are_unknown(store: PersonStore, receipt_id: str) -> None:
    for call in (store.receipt, store.export, store.withdraw, store.thumbnails, lambda key: store.open_dataset(key, "train_lora")):
        assert code_of(lambda call=call: call(receipt_id)) == "unknown_receipt"
    assert store.standing(receipt_id) == "unknown"


def test_withdrawing_leaves_nothing_readable(store: PersonStore, person: str, tmp_path: Path) -> None:
    keys = [tmp_path / "backup", store.folder / "people" / person]
    shutil.copytree(keys[1], keys[0])
    mine = [write_lora(tmp_path / "loras" / "deep" / "renamed.safetensors", person), write_clip(tmp_path / "clips" / "a.mp4", person)]
    others = [write_lora(tmp_path / "loras" / "b.safetensors", LINE), write_clip(tmp_path / "clips" / "b.mp4", LINE)]
    elsewhere, moved = write_lora(tmp_path / "c.safetensors", person), write_lora(tmp_path / "d.safetensors", person)
    for path in (mine[0], elsewhere, moved):
        store.register(person, "lora", path)
    moved.rename(tmp_path / "e.safetensors")
    dataset = store.open_dataset(person, "train_lora")
    deletion = store.withdraw(person)
    assert (deletion.pictures, deletion.loras, deletion.clips) == (10, 2, 1)
    assert deletion.not_found == ("d.safetensors",) and deletion.not_deleted == ()
    assert not any(path.exists() for path in [*mine, elsewhere, keys[1]]) and all(path.exists() for path in others)
    assert opens(store, person) == "withdrawn" and status(store) == ["withdrawn"] and store.list()[0].name is None
    assert code_of(lambda: dataset.read(0)) == "withdrawn", "a dataset in a cache ends too"
    kinds = [(entry.facts["kind"], entry.facts["result"]) for entry in store.ledger.read() if entry.event == "deleted"]
    made = [("lora", "done"), ("clip", "done"), ("lora", "done"), ("lora", "not_found")]
    assert kinds == [*made, ("key", "done"), *[("picture", "done")] * 10]
    assert store.verify_ledger() is None and b"safetensors" not in store.ledger.path.read_bytes()


def test_a_backup_without_its_key_is_noise(store: PersonStore, person: str, tmp_path: Path) -> None:
    folder = store.folder / "people" / person
    shutil.copytree(folder, tmp_path / "backup")
    (tmp_path / "backup" / "key").unlink()
    store.withdraw(person)
    shutil.copytree(tmp_path / "backup", folder)
    with pytest.raises(ConsentError):
        store.read_picture(person, 0)
    assert opens(store, person) == "withdrawn"


def test_what_comes_back_after_a_withdrawal_goes_again(store: PersonStore, person: str, tmp_path: Path) -> None:
    folder = store.folder / "people" / person
    shutil.copytree(folder, tmp_path / "backup")
    store.withdraw(person)
    shutil.copytree(tmp_path / "backup", folder)
    lora = write_lora(tmp_path / "loras" / "again.safetensors", person)
    assert opens(store, person) == "withdrawn"
    (deletion,) = store.expire()
    assert (deletion.pictures, deletion.loras) == (10, 1) and not folder.exists() and not lora.exists()
    assert store.expire() == () and events(store).count("withdrawn") == 1 and status(store) == ["withdrawn"]
    write_lora(lora, person)
    assert store.expire()[0].loras == 1 and not lora.exists(), "a model alone, too"


def test_withdrawing_twice_is_no_error(store: PersonStore, person: str) -> None:
    store.withdraw(person)
    assert store.withdraw(person).pictures == 0 and events(store).count("withdrawn") == 1


@pytest.mark.parametrize("loss", ["keys", "ledger", "receipt", "flipped ledger"])
def test_withdrawing_works_without_the_rest(store: PersonStore, person: str, loss: str) -> None:
    if loss == "keys":
        shutil.rmtree(store.folder / "keys")
    elif loss == "ledger":
        store.ledger.path.unlink()
    elif loss == "receipt":
        (store.folder / "people" / person / "receipt").unlink()
    else:
        whole = bytearray(store.ledger.path.read_bytes())
        whole[700] ^= 1
        store.ledger.path.write_bytes(whole)
    assert status(store) == ["damaged"] and opens(store, person) in ("changed", "ledger_damaged")
    assert store.withdraw(person).pictures == 10
    assert not (store.folder / "people" / person).exists() and opens(store, person) in ("withdrawn", "unknown_receipt", "ledger_damaged")


def test_a_file_that_will_not_go_is_reported(store: PersonStore, person: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lora = write_lora(tmp_path / "loras" / "a.safetensors", person)
    real = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.name in ("a.safetensors", "03.picture"):
            raise PermissionError("in use")
        real(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    deletion = store.withdraw(person)
    assert deletion.not_deleted == ("a.safetensors", "03.picture") and deletion.pictures == 9
    assert opens(store, person) == "withdrawn"
    monkeypatch.undo()
    assert store.expire()[0].loras == 1 and not lora.exists(), "the next sweep tries again"


def test_consent_ends_by_itself(store: PersonStore, person: str, tmp_path: Path) -> None:
    lora = write_lora(tmp_path / "loras" / "a.safetensors", person)
    assert store.expire(time.time() + 89 * DAY) == () and lora.exists()
    (deletion,) = store.expire(time.time() + 91 * DAY)
    assert deletion.pictures == 10 and not lora.exists() and opens(store, person) == "expired" and status(store) == ["expired"]
    assert events(store).count("expired") == 1


def test_it_ends_on_the_minute_even_before_the_sweep(store: PersonStore, person: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = store.standing(person)
    later = time.time() + 80 * DAY
    monkeypatch.setattr(time, "time", lambda: later)
    assert status(store) == ["expiring"] and opens(store, person) is None and store.standing(person) != before
    monkeypatch.setattr(time, "time", lambda: later + 11 * DAY)
    assert status(store) == ["expired"] and opens(store, person) == "expired"


def test_the_standing_changes_with_a_withdrawal(store: PersonStore, person: str) -> None:
    before = store.standing(person)
    assert store.standing(person) == before
    store.withdraw(person)
    assert store.standing(person) != before


def test_a_crash_while_writing_leaves_nothing(store: PersonStore, person: str) -> None:
    orphan = store.folder / "people" / LINE
    shutil.copytree(store.folder / "people" / person, orphan)
    (store.folder / "people" / f".new-{LINE}").mkdir()
    assert status(store) == ["valid", "damaged"] and opens(store, LINE) == "ledger_damaged"
    store.expire()
    assert status(store) == ["valid"] and [path.name for path in (store.folder / "people").iterdir()] == [person]


def test_a_damaged_ledger_deletes_nobody(store: PersonStore, person: str) -> None:
    """No readable line speaks of the person any more, but that is the disk's fault and not theirs."""
    store.ledger.path.write_bytes(store.ledger.path.read_bytes().replace(b'"verified"', b'"verifies"'))
    assert store.expire() == () and status(store) == ["damaged"] and (store.folder / "people" / person / "key").exists()


def test_a_person_cannot_be_moved_into_another_ones_folder(store: PersonStore, person: str) -> None:
    other = verify_somebody(store, name="Someone Else").receipt_id
    people = store.folder / "people"
    for name in ("receipt", "00.picture"):
        shutil.copyfile(people / other / name, people / person / name)
        assert opens(store, person) == "changed"
    shutil.rmtree(people / person)
    shutil.copytree(people / other, people / person)
    assert opens(store, person) == "changed" and opens(store, other) is None


def test_a_receipt_that_was_signed_anew_is_not_the_one_in_the_ledger(store: PersonStore, person: str) -> None:
    """Whoever has the keys can sign a longer consent, but it is not what was recorded."""
    keys, files = KeyRing(store.folder / "keys"), PersonFiles(store.folder / "people" / person, person)
    key, body = keys.signing(), dict(store.receipt(person).body)
    body["retention_until"] = "2099-01-01T00:00:00Z"
    longer = Receipt(body, key.sign(canonical(body)).hex())
    verify(longer, key.public_key(), time.time())
    files._seal(files._key(keys.master()), "receipt", longer.to_json().encode())
    assert opens(store, person) == "changed"


def test_another_picture_under_the_right_key_is_refused(store: PersonStore, person: str) -> None:
    keys, files = KeyRing(store.folder / "keys"), PersonFiles(store.folder / "people" / person, person)
    files._seal(files._key(keys.master()), "00.picture", store.read_picture(person, 1))
    assert opens(store, person) == "changed"


def test_pictures_cannot_change_places(store: PersonStore, person: str) -> None:
    folder = store.folder / "people" / person
    first, second = (folder / name for name in ("00.picture", "01.picture"))
    (one, two) = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert opens(store, person) == "changed"
    assert code_of(lambda: store.read_picture(person, 0)) == "changed", "before any hash is looked at"


def test_a_key_opens_one_persons_things_only(store: PersonStore, person: str) -> None:
    """Even all of a person's files together are not another one's."""
    shutil.copytree(store.folder / "people" / person, store.folder / "people" / LINE)
    assert code_of(lambda: store.read_picture(LINE, 0)) == "changed" and code_of(lambda: store.read_picture(person, 0)) is None


def test_lines_taken_from_the_ledger_end_every_consent_before_them(store: PersonStore, person: str) -> None:
    store.note(person, "train_started", steps=10, pictures=10)
    lines = store.ledger.path.read_bytes().splitlines(keepends=True)
    store.ledger.path.write_bytes(b"".join(lines[:-1]))
    assert opens(store, person) == "ledger_damaged" and status(store) == ["damaged"]
    again = verify_somebody(store).receipt_id
    assert opens(store, again) is None and opens(store, person) == "ledger_damaged", "who verifies anew is fine"


def test_export_is_everything(store: PersonStore, person: str, tmp_path: Path) -> None:
    lora = write_lora(tmp_path / "loras" / "mine.safetensors", person)
    store.register(person, "lora", lora)
    with zipfile.ZipFile(io.BytesIO(store.export(person))) as archive:
        names = archive.namelist()
        receipt = Receipt.from_json(archive.read("receipt.json"))
        assert receipt == store.receipt(person) and len([name for name in names if name.endswith(".png")]) == 10
        assert decode_picture(archive.read("pictures/03.png")).shape[2] == 3
        assert archive.read("made/00-mine.safetensors") == lora.read_bytes()
        assert "\u540c\u610f" in archive.read("notice.txt").decode(), "in the language that they read"
        assert (
            len(archive.read("ledger.jsonl").splitlines())
            == len([entry for entry in store.ledger.read() if entry.receipt_id == person]) - 1
        )
    assert events(store)[-1] == "exported"


def test_damage_takes_nobodys_rights(store: PersonStore, person: str) -> None:
    """Nothing may be used after lines of the ledger are lost, but the person still finds, gets and deletes what is theirs."""
    store.note(person, "train_started", steps=10, pictures=10)
    store.ledger.path.write_bytes(b"".join(store.ledger.path.read_bytes().splitlines(keepends=True)[:-1]))
    assert opens(store, person) == "ledger_damaged" and [(item.name, item.status) for item in store.list()] == [("Aiko Example", "damaged")]
    assert len(zipfile.ZipFile(io.BytesIO(store.export(person))).namelist()) > 20
    store.withdraw(person)
    assert code_of(lambda: store.export(person)) == "withdrawn"


@pytest.mark.parametrize("package", ["cryptography", "cv2"])
def test_a_missing_package_is_named_before_anybody_sits_down(tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    store = PersonStore(tmp_path / "store")
    with pytest.raises(ConsentError, match=f"package {package} is missing"):
        store.begin_consent(make_consent())
    assert not (tmp_path / "store").exists()


def test_a_full_disk_is_one_sentence(store: PersonStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    assert code_of(lambda: store.begin_consent(make_consent())) == "no_storage"


def flip(path: Path, source: random.Random) -> bytes:
    """Flips one bit of a file and gives what it was."""
    whole = path.read_bytes()
    place, bit = source.randrange(len(whole)), source.randrange(8)
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1 << bit]) + whole[place + 1 :])
    return whole


PLACES = ["people/{}/receipt", "people/{}/key", "people/{}/00.picture", "people/{}/07.picture", "keys/master.key", "keys/signing.key"]


@pytest.mark.parametrize("count", [25, pytest.param(1400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("place", [*PLACES, "ledger.jsonl"])
def test_every_flipped_bit_is_noticed(store: PersonStore, person: str, place: str, count: int) -> None:
    """Slow: 7 x 1400 flips here, 2000 in test_receipt and 500 and all line ends in test_ledger."""
    path, source = store.folder / place.format(person), random.Random(place)
    for _ in range(count):
        whole = flip(path, source)
        if place == "ledger.jsonl":
            assert store.verify_ledger() is not None
        elif "picture" in place:
            number = int(path.stem)
            assert code_of(lambda number=number: store.open_dataset(person, "train_lora").read(number)) == "changed"
        else:
            assert code_of(lambda: store.receipt(person)) in ("changed", "foreign")
        path.write_bytes(whole)
    assert opens(store, person) is None


VERIFIER = f"""
import sys
sys.path[:0] = [{str(ROOT / "tests")!r}, {str(ROOT / "tests" / "person")!r}]
import conftest
from pathlib import Path
from pack.nodes.engine.person.storage import PersonStore
from sitting import verify_somebody
store = PersonStore(Path(sys.argv[1]))
first = verify_somebody(store).receipt_id
second = verify_somebody(store).receipt_id
store.withdraw(first)
store.expire()
print(second)
"""


@pytest.mark.slow
def test_two_processes_share_one_store(store: PersonStore, person: str) -> None:
    run = [sys.executable, "-c", VERIFIER, str(store.folder)]
    processes = [subprocess.Popen(run, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    ids = [process.communicate()[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert store.verify_ledger() is None and sorted(status(store)) == ["valid"] * 3 + ["withdrawn"] * 2
    assert all(opens(store, receipt_id) is None for receipt_id in [person, *ids])
