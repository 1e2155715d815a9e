"""A consent and a passed challenge in, a signed receipt out; and whether a receipt still holds.

The fields follow ISO/IEC TS 27560. A receipt is canonical JSON, `{"receipt": {...}, "signature": hex}`, signed with Ed25519
over the bytes of its inner part; any other spelling of the same content is refused too. It says what was seen ("L1", "L2"),
not that the person is who they say: the machine that checked is the machine that signed.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .notice import LANGUAGES, PURPOSES, VERSION, notice_text
from .private_file import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

    from .outcome import Outcome

SCHEMA = "music_video_receipt/1"
ID = re.compile(r"[0-9a-f]{32}\Z")
DEFAULT_DAYS, MOST_DAYS = 90, 1095  # three years is the longest that BIPA 15(a) allows
LONGEST_NAME = 80
CLOCK_SLACK = 300.0  # seconds by which a machine's clock may be set back
DAY = 86400


class ConsentError(ValueError):
    """Something that consent does not cover. `code` is for the page's translations, the text one English sentence."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass(frozen=True)
class Consent:
    """What the person ticked and typed, before the camera starts."""

    name: str = field(repr=False)  # a name must not get into logs
    purposes: tuple[str, ...]  # of notice.PURPOSES
    language: str  # of notice.LANGUAGES
    notice_version: str  # notice.VERSION
    retention_days: int = DEFAULT_DAYS
    adult: bool = False

    def checked(self) -> Consent:
        """The same with a tidy name; ConsentError where something is missing."""
        if self.adult is not True:
            raise ConsentError("not_adult", "Only people of 18 years or more can take part; please confirm your age.")
        if self.language not in LANGUAGES or self.notice_version != VERSION:
            raise ConsentError("old_notice", "The notice has changed since this page was opened; please reload the page and read it.")
        purposes = tuple(code for code in PURPOSES if code in self.purposes)
        if not purposes or not set(self.purposes) <= set(PURPOSES):
            raise ConsentError("no_purpose", "Please tick at least one purpose that you agree to.")
        days = self.retention_days
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= MOST_DAYS:
            raise ConsentError("bad_retention", f"Please choose how long the pictures may be kept: 1 to {MOST_DAYS} days.")
        return Consent(_tidy_name(self.name), purposes, self.language, VERSION, days, True)


@dataclass(frozen=True)
class PictureRecord:
    """What a receipt says of one picture: the hash of its PNG and what was measured, from which its caption is written."""

    sha256: str
    width: int
    height: int
    framing: str
    pose: str
    expression: str


@dataclass(frozen=True)
class Receipt:
    """`body` holds plain JSON values; the properties are those that the pack uses. `signature` is hex."""

    body: Mapping[str, Any]
    signature: str

    @property
    def receipt_id(self) -> str:
        return self.body["receipt_id"]

    @property
    def until(self) -> str:
        return self.body["retention_until"]

    @property
    def purposes(self) -> tuple[str, ...]:
        return tuple(self.body["purposes"])

    @property
    def level(self) -> str:
        return self.body["verification"]["level"]

    @property
    def notice_version(self) -> str:
        return self.body["notice"]["version"]

    @property
    def trigger(self) -> str:
        return self.body["trigger"]

    @property
    def pictures(self) -> tuple[PictureRecord, ...]:
        return tuple(PictureRecord(**picture) for picture in self.body["pictures"])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        return canonical({"receipt": self.body, "signature": self.signature}).decode()

    @classmethod
    def from_json(cls, text: str | bytes) -> Receipt:
        """ConsentError if it is not, byte for byte, what `to_json` writes."""
        data = text if isinstance(text, bytes) else text.encode()
        try:
            parts = json.loads(data)
            receipt = cls(parts["receipt"], parts["signature"])
            known = receipt.body["schema"] == SCHEMA and receipt.to_json().encode() == data
        except (ValueError, TypeError, KeyError, RecursionError):
            known = False
        if not known:
            raise ConsentError("changed", "This receipt was changed or is not one of ours.")
        return receipt

    def __repr__(self) -> str:  # a name must not get into logs
        return f"Receipt({self.receipt_id})"


def issue(
    receipt_id: str, consent: Consent, outcome: Outcome, pictures: Sequence[PictureRecord], ledger_head: str, key: Ed25519PrivateKey,
    now: float,
) -> Receipt:  # fmt: skip
    """Signs what was agreed and seen. `consent` is checked, `outcome` passed, `now` seconds since 1970."""
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "receipt_id": receipt_id,
        "subject": {"name": consent.name, "pseudonym": hashlib.sha256(b"pseudonym" + receipt_id.encode()).hexdigest()[:16], "adult": True},
        "notice": {"version": consent.notice_version, "language": consent.language, "sha256": notice_text(consent.language).sha256},
        "purposes": list(consent.purposes),
        "controller": "whoever runs this installation",
        "recipients": [],
        "data": ["photographs"],
        "legal_basis": "explicit consent",
        "withdrawal": "at any time in the People panel",
        "given_at": write_time(now),
        "retention_until": write_time(now + consent.retention_days * DAY),
        "trigger": trigger_word(receipt_id),
        "verification": _write_verification(outcome),
        "pictures": [asdict(picture) for picture in pictures],
        "ledger_head": ledger_head,
        "issuer": key_id(key.public_key()),
        "algorithm": "Ed25519",
    }
    return Receipt(body, key.sign(canonical(body)).hex())


def verify(receipt: Receipt, key: Ed25519PublicKey, now: float) -> None:
    """Nothing if the receipt is genuine and its time has not run out; else ConsentError "changed", "expired" or "clock"."""
    from cryptography.exceptions import InvalidSignature

    try:
        if receipt.body["issuer"] != key_id(key):
            raise ConsentError("foreign", "This receipt was signed with another key; verify on this machine.")
        signature = bytes.fromhex(receipt.signature)
        if signature.hex() != receipt.signature:
            raise ValueError("another spelling of the signature")
        key.verify(signature, canonical(receipt.body))
        given, until = read_time(receipt.body["given_at"]), read_time(receipt.until)
    except (InvalidSignature, ValueError, TypeError, KeyError) as error:
        if isinstance(error, ConsentError):
            raise
        raise ConsentError("changed", "This receipt was changed after it was signed; verify again.") from None
    if now >= until:
        raise ConsentError("expired", "This consent has run out; please verify again.")
    if now < given - CLOCK_SLACK:
        raise ConsentError("clock", "This consent lies in the future; please set the clock of this machine right.")


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def write_time(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


def trigger_word(receipt_id: str) -> str:
    """A word that no language has, so that a model learns only this person under it: `zuqvex`."""
    digest = hashlib.sha256(b"trigger" + receipt_id.encode()).digest()
    letters = ("zvxqjkw", "uoyei", "qvxzkj", "vwxzkq", "eoiuy", "xqzkvj")
    return "".join(choice[byte % len(choice)] for choice, byte in zip(letters, digest, strict=False))


def code_digest() -> str:
    """SHA-256 over the sources that judged: the code's version, whatever it is called."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def _write_verification(outcome: Outcome) -> dict[str, Any]:
    return {
        "method": "charcha",
        "level": outcome.level,
        "session": hashlib.sha256(outcome.session_id.encode()).hexdigest()[:16],
        "tracker": outcome.tracker,
        "models": dict(outcome.models),
        "code": code_digest(),
        "steps": [_write_step(step) for step in outcome.steps],
    }


def _write_step(step: Any) -> dict[str, Any]:
    """A step's plain fields; numbers that are not whole as text with three places."""
    assert is_dataclass(step)
    values = {part.name: getattr(step, part.name) for part in fields(step)}
    return {name: f"{value:.3f}" if isinstance(value, float) else value for name, value in values.items()}


def _tidy_name(name: str) -> str:
    tidy = " ".join(unicodedata.normalize("NFC", name).split()) if isinstance(name, str) else ""
    if not tidy or len(tidy) > LONGEST_NAME or any(unicodedata.category(letter) in ("Cc", "Cs", "Co") for letter in tidy):
        raise ConsentError("no_name", f"Please type your name, at most {LONGEST_NAME} letters.")
    return tidy
