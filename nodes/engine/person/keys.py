"""The keys of the store: one that signs receipts, and a master key that wraps one key for each receipt.

Sealing is AES-256-GCM with a fresh nonce; what a sealed thing is (its receipt, its place) is bound in, so that pieces
cannot be swapped. The key files lie beside the data with mode 0600: they protect a stray copy or backup of the pictures,
and deleting a receipt's key makes every copy of its pictures unreadable. They do not protect from the account's owner.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from .private_file import make_private, write_private

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_MAGIC = b"MVKEY/1\n"
SEALED_MAGIC = b"MVSEAL1\n"
KEY_BYTES = 32
NONCE_BYTES = 12


class DamagedError(ValueError):
    """A key or a sealed file that is not what was once written."""


def new_key() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


def seal(key: bytes, content: bytes, meaning: str) -> bytes:
    """Encrypts; only `unseal` with the same key and the same meaning opens it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce = secrets.token_bytes(NONCE_BYTES)
    return SEALED_MAGIC + nonce + AESGCM(key).encrypt(nonce, content, SEALED_MAGIC + meaning.encode())


def unseal(key: bytes, sealed: bytes, meaning: str) -> bytes:
    """The content; DamagedError if a single bit is not as it was, or if key or meaning are others."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    start = len(SEALED_MAGIC) + NONCE_BYTES
    if sealed[: len(SEALED_MAGIC)] != SEALED_MAGIC or len(sealed) < start:
        raise DamagedError("A stored file was changed or is not one of ours.")
    try:
        return AESGCM(key).decrypt(sealed[len(SEALED_MAGIC) : start], sealed[start:], SEALED_MAGIC + meaning.encode())
    except InvalidTag:
        raise DamagedError("A stored file, or the key to it, was changed.") from None


class KeyRing:
    """The two keys of a store, made when they are first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def master(self) -> bytes:
        return self._open("master.key")

    def signing(self) -> Ed25519PrivateKey:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        return Ed25519PrivateKey.from_private_bytes(self._open("signing.key"))

    def public(self) -> Ed25519PublicKey:
        return self.signing().public_key()

    def make(self) -> None:
        """Makes the keys that are not there yet. Call under the store's lock."""
        make_private(self.folder)
        for name in ("master.key", "signing.key"):
            if not (self.folder / name).exists():
                secret = new_key()
                write_private(self.folder / name, KEY_MAGIC + secret + _check(secret))

    def _open(self, name: str) -> bytes:
        """The 32 secret bytes; DamagedError where the file is missing or a bit of it is not as it was."""
        path = self.folder / name
        content = path.read_bytes() if path.exists() else b""
        secret = content[len(KEY_MAGIC) : len(KEY_MAGIC) + KEY_BYTES]
        if content != KEY_MAGIC + secret + _check(secret) or len(secret) != KEY_BYTES:
            state = "was changed" if content else "is missing"
            raise DamagedError(f"The key file {name} {state}; put back a copy of it, or withdraw and verify again.")
        return secret


def _check(secret: bytes) -> bytes:
    return hashlib.sha256(KEY_MAGIC + secret).digest()
