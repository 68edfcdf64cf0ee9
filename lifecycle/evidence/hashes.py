"""The hashes of the action log (docs/auditor.md, "By hand"). All in hex where they are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64
ENTRY_PREFIX = b"\x01"
SALT_BYTES = 16


_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(body: Mapping[str, Any]) -> str:
    """The one text of a body: sorted keys, no spaces, characters as they are."""
    return _CANONICAL.encode(body)


def member(key: str, value: str | int) -> str:
    """A key and its value as they stand in a canonical text, to look for."""
    return canonical({key: value})[1:-1]


def entry_hash(prev: str, body: str) -> str:
    """SHA-256(0x01 ‖ prev ‖ body), in hex."""
    return hashlib.sha256(ENTRY_PREFIX + bytes.fromhex(prev) + body.encode()).hexdigest()


def commitment(salt: str, value: str) -> str:
    """SHA-256(salt ‖ value), in hex; "" for a salt that is not written as ours are.

    Its length is part of that: else a letter could pass from the value to the salt, and the
    value be another one.
    """
    try:
        salted = bytes.fromhex(salt)
    except ValueError:
        return ""
    if len(salted) != SALT_BYTES or salted.hex() != salt:
        return ""
    return hashlib.sha256(salted + value.encode()).hexdigest()


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
