"""The hashes of the action log (docs/auditor.md, "By hand"). All in hex where they are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

GENESIS = "0" * 64
ENTRY_PREFIX = b"\x01"


def canonical(body: Mapping[str, Any]) -> str:
    """The one text of a body: sorted keys, no spaces, characters as they are."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry_hash(prev: str, body: str) -> str:
    """SHA-256(0x01 ‖ prev ‖ body), in hex."""
    return hashlib.sha256(ENTRY_PREFIX + bytes.fromhex(prev) + body.encode()).hexdigest()


def commitment(salt: str, value: str) -> str:
    """SHA-256(salt ‖ value), in hex; "" for a salt that is none."""
    try:
        return hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()
    except ValueError:
        return ""


def text_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
