"""A receipt says what was agreed and seen, and any other spelling of it is refused."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import pytest
from pack.nodes.engine.person.keys import DamagedError, new_key, seal, unseal
from pack.nodes.engine.person.notice import LANGUAGES, PURPOSES, VERSION, notice_text
from pack.nodes.engine.person.private_file import canonical
from pack.nodes.engine.person.receipt import (
    DAY,
    Consent,
    ConsentError,
    PictureRecord,
    Receipt,
    issue,
    read_time,
    trigger_word,
    verify,
    write_time,
)
from sitting import make_consent, make_outcome

NOW = 1_795_000_000.0
SOMEBODY = "0123456789abcdef" * 2
PICTURES = tuple(PictureRecord(f"{n:064x}", 512, 512, "close-up portrait", "facing the camera", "smiling") for n in range(8))


@pytest.fixture(scope="module")
def key() -> Any:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


@pytest.fixture(scope="module")
def receipt(key: Any) -> Receipt:
    return issue(SOMEBODY, make_consent().checked(), make_outcome(()), PICTURES, "f" * 64, key, NOW)


def refusal(text: str | bytes, key: Any, now: float = NOW + 1) -> str | None:
    """The code with which a receipt is refused, None where it holds."""
    try:
        verify(Receipt.from_json(text), key.public_key(), now)
    except ConsentError as error:
        return error.code
    return None


def test_a_receipt_says_who_what_for_how_long_and_how(receipt: Receipt, key: Any) -> None:
    body = json.loads(receipt.to_json())["receipt"]
    assert body["subject"]["name"] == "Aiko Example" and len(body["subject"]["pseudonym"]) == 16
    assert body["purposes"] == ["train_lora", "make_videos"] and body["retention_until"] == write_time(NOW + 90 * DAY)
    assert body["notice"] == {"version": VERSION, "language": "ja", "sha256": notice_text("ja").sha256}
    checked = body["verification"]
    assert checked["level"] == "L2" and checked["models"] == {"face.tflite": "0" * 64} and len(checked["code"]) == 64
    assert checked["steps"][0] == {"kind": "action", "action": "turn_left", "passed": True, "seconds": "1.250"}
    assert [picture["sha256"] for picture in body["pictures"]] == [picture.sha256 for picture in PICTURES]
    assert body["ledger_head"] == "f" * 64 and refusal(receipt.to_json(), key) is None
    assert Receipt.from_json(receipt.to_json()) == receipt and receipt.pictures == PICTURES


def test_it_claims_no_more_than_a_level(receipt: Receipt) -> None:
    text = receipt.to_json().lower()
    assert "human" not in text and "identity" not in text


def test_names_stay_out_of_reprs(receipt: Receipt) -> None:
    assert "Aiko" not in repr(receipt) and "Aiko" not in repr(make_consent())


def test_it_holds_from_its_hour_to_its_last(receipt: Receipt, key: Any) -> None:
    until = read_time(receipt.until)
    assert refusal(receipt.to_json(), key, until - 1) is None
    assert refusal(receipt.to_json(), key, until) == "expired"
    assert refusal(receipt.to_json(), key, NOW - 200) is None and refusal(receipt.to_json(), key, NOW - 2 * DAY) == "clock"


def test_another_key_is_refused(receipt: Receipt) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    assert refusal(receipt.to_json(), Ed25519PrivateKey.generate()) == "foreign"


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["purposes"].append("make_images"),
        lambda body: body.update(retention_until="2099-01-01T00:00:00Z"),
        lambda body: body["pictures"].pop(),
        lambda body: body["verification"].update(level="L3"),
        lambda body: body["subject"].update(name="Somebody Else"),
        lambda body: body.update(surplus=1),
        lambda body: body.pop("ledger_head"),
    ],
)
def test_an_edited_receipt_is_refused(receipt: Receipt, key: Any, change: Any) -> None:
    parts = json.loads(receipt.to_json())
    change(parts["receipt"])
    assert refusal(canonical(parts), key) == "changed"


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "null", '{"receipt":{},"signature":""}', "[" * 100_000, "\x00", '{"receipt":1,"signature":2}']
)
def test_what_is_no_receipt_is_refused(key: Any, text: str) -> None:
    assert refusal(text, key) == "changed"


def test_another_spelling_of_the_same_is_refused(receipt: Receipt, key: Any) -> None:
    parts = json.loads(receipt.to_json())
    upper = canonical({**parts, "signature": parts["signature"].upper()})
    for text in (json.dumps(parts), receipt.to_json() + "\n", receipt.to_json().replace("Aiko", "\\u0041iko"), upper):
        assert refusal(text, key) == "changed"


def flips(data: bytes, count: int, seed: int = 0) -> Any:
    source = random.Random(seed)
    for _ in range(count):
        place, bit = source.randrange(len(data)), source.randrange(8)
        yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


@pytest.mark.parametrize("count", [300, pytest.param(2000, marks=pytest.mark.slow)])
def test_every_flipped_bit_is_refused(receipt: Receipt, key: Any, count: int) -> None:
    for changed in flips(receipt.to_json().encode(), count):
        assert refusal(changed, key) in ("changed", "foreign")


def test_sealed_content_opens_only_as_what_it_was_sealed() -> None:
    key = new_key()
    sealed = seal(key, b"a picture", "receipt/00.picture")
    assert unseal(key, sealed, "receipt/00.picture") == b"a picture" and b"picture" not in sealed
    assert seal(key, b"a picture", "receipt/00.picture") != sealed, "a nonce is never used twice"
    for other_key, content, meaning in (
        (new_key(), sealed, "receipt/00.picture"),
        (key, sealed, "receipt/01.picture"),
        (key, sealed[:-1], ""),
    ):
        with pytest.raises(DamagedError):
            unseal(other_key, content, meaning)
    for changed in flips(sealed, 300):
        with pytest.raises(DamagedError):
            unseal(key, changed, "receipt/00.picture")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"adult": False}, "not_adult"),
        ({"adult": 1}, "not_adult"),
        ({"purposes": ()}, "no_purpose"),
        ({"purposes": ("train_lora", "sell")}, "no_purpose"),
        ({"notice_version": "0"}, "old_notice"),
        ({"language": "fr"}, "old_notice"),
        ({"retention_days": 0}, "bad_retention"),
        ({"retention_days": 1096}, "bad_retention"),
        ({"retention_days": True}, "bad_retention"),
        ({"name": "  \n "}, "no_name"),
        ({"name": "x" * 81}, "no_name"),
        ({"name": "a\x07b"}, "no_name"),
        ({"name": None}, "no_name"),
    ],
)
def test_an_incomplete_consent_is_refused(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(ConsentError) as refused:
        make_consent(**changes).checked()
    assert refused.value.code == code and "Aiko" not in str(refused.value)


def test_names_are_tidied_and_purposes_put_in_order() -> None:
    consent = make_consent(name="  Ai\u0301ko \t Example ", purposes=("make_videos", "train_lora", "train_lora")).checked()
    assert consent == replace(consent, name="A\u00edko Example", purposes=("train_lora", "make_videos"))
    assert Consent("\u611b\u5b50", ("train_lora",), "ja", VERSION, adult=True).checked().retention_days == 90


def test_the_notice_is_whole_in_every_language() -> None:
    notices = [notice_text(language) for language in LANGUAGES]
    assert [notice.language for notice in notices] == list(LANGUAGES) and len({notice.sha256 for notice in notices}) == 3
    for notice in notices:
        assert [code for code, _ in notice.purposes] == list(PURPOSES) and len(notice.paragraphs) == 6
        shown = notice.to_json()
        assert all(shown[label] for label in ("title", "adult", "agree", "name", "retention"))
    assert notice_text("de").language == "en"


def test_a_published_notice_is_never_edited() -> None:
    """People agreed to these words. A change of the text is a new version in a new folder."""
    first = {
        "en": "e60bc7ec52c5a30f3611e73fa495bd5c4389f07be2c915fac2d17132f540934c",
        "ja": "c91aaf86ab00cf0f6e050afd9a675cba5b554e25ce6fc25ce3de0c5ea1d8c039",
        "zh": "5c8789ef514377faf3986326f821f8ef57e36b9ef1d7dff77342dec93da9de1c",
    }
    second = {
        "en": "55c5dbcc6afb2b84823cc1e3cdac220e4ed8a80e6998a0f25101489ef81905be",
        "ja": "58f03e2955041c2cea7b88e6fe646dca205070eb3e7c064ce5bf3f8327ce8ab5",
        "zh": "b77c54db215902ed020827a5c5e6e5de35bdebacc6ed2f1436e42a932c879467",
    }
    assert {language: notice_text(language, "1").sha256 for language in first} == first
    assert {language: notice_text(language, "2").sha256 for language in second} == second


def test_trigger_words_are_nobodys_words() -> None:
    words = {trigger_word(f"{number:032x}") for number in range(200)}
    assert len(words) > 195 and all(word.isascii() and word.islower() and len(word) == 6 for word in words)
    assert trigger_word(SOMEBODY) == trigger_word(SOMEBODY)


def test_canonical_json_has_one_spelling() -> None:
    assert canonical({"b": [1, "\u00e9"], "a": None}) == b'{"a":null,"b":[1,"\xc3\xa9"]}'
    with pytest.raises(TypeError):
        canonical({"deep": [{"x": 0.5}]})
