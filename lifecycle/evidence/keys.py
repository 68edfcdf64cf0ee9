"""The Ed25519 keys of checkpoints: the signing key for the worker, public keys for everybody.

A key is called by the first 16 hex digits of the SHA-256 of its 32 public bytes. A file of
public keys has one per line, as 64 hex digits; what follows them on the line is a remark.
Keys that are no longer used stay in it, so that what they signed can be checked.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from django.conf import settings

PublicKeys = Mapping[str, bytes]


class NoSigningKey(Exception):
    """There is no key, or its file cannot be used; the message says why."""


def make_key() -> tuple[bytes, bytes]:
    """A new signing key as PEM, and its 32 public bytes."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return pem, _public_bytes(key)


def signing_key() -> Ed25519PrivateKey:
    """The key of LOG_SIGNING_KEY_FILE. Raises NoSigningKey."""
    if not settings.LOG_SIGNING_KEY_FILE:
        raise NoSigningKey("LOG_SIGNING_KEY_FILE is not set.")
    path = Path(settings.LOG_SIGNING_KEY_FILE)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise NoSigningKey(f"{path} cannot be read as a key: {type(error).__name__}.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise NoSigningKey(f"{path} is no Ed25519 key.")
    return key


def has_signing_key() -> bool:
    try:
        signing_key()
    except NoSigningKey:
        return False
    return True


def public_keys() -> dict[str, bytes]:
    """Every public key the settings name, by its id: of the file, and of the signing key."""
    found: dict[str, bytes] = {}
    if settings.LOG_PUBLIC_KEY_FILE:
        found |= read_public_keys(Path(settings.LOG_PUBLIC_KEY_FILE))
    try:
        public = _public_bytes(signing_key())
    except NoSigningKey:
        return found
    return found | {key_id(public): public}


def read_public_keys(path: Path) -> dict[str, bytes]:
    """The keys of a file. Raises OSError, or ValueError for a line that starts with no key."""
    lines = path.read_text(encoding="utf-8").splitlines()
    keys = [bytes.fromhex(line.split()[0]) for line in lines if line.strip()]
    if any(len(key) != 32 for key in keys):
        raise ValueError("a public key has 64 hex digits")
    return {key_id(key): key for key in keys}


def key_id(public: bytes) -> str:
    return hashlib.sha256(public).hexdigest()[:16]


def key_id_of(key: Ed25519PrivateKey) -> str:
    return key_id(_public_bytes(key))


def is_signed(text: str, signature: str, public: bytes) -> bool:
    try:
        signed = bytes.fromhex(signature)
        Ed25519PublicKey.from_public_bytes(public).verify(signed, text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def _public_bytes(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
