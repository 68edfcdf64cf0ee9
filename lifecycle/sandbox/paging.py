"""Opaque page tokens. How long Feishu's live is not documented; these never expire."""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

from .calls import Call, Refusal
from .store import Record


def make_token(endpoint: str, place: list[int]) -> str:
    raw = json.dumps([endpoint, place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_seal(raw) + raw).decode().rstrip("=")


def place_of(call: Call, parts: int = 1, *, code: int | None = None) -> list[int] | None:
    """Where the page begins; None on the first page. A token of another endpoint is garbage too."""
    token = call.text("page_token")
    if not token:
        return None
    try:
        packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        seal, raw = packed[:8], packed[8:]
        endpoint, place = json.loads(raw)
    except (binascii.Error, ValueError, TypeError):
        seal, raw, endpoint, place = b"", b"x", "", []
    if seal != _seal(raw) or endpoint != call.endpoint.key or len(place) != parts:
        raise Refusal(
            code or call.endpoint.bad_parameter,
            "page_token is invalid",
            field_name="page_token",
            value=token,
        )
    return [int(number) for number in place]


def _seal(raw: bytes) -> bytes:
    return hashlib.sha256(b"page" + raw).digest()[:8]


def page(
    call: Call, rows: Iterable[tuple[int, Record]], size: int
) -> tuple[list[Record], dict[str, Any]]:
    """The first `size` of the rows behind the token, and the `has_more` part of the answer."""
    taken = list(islice(rows, size + 1))
    more = len(taken) > size
    shown = taken[:size]
    tail: dict[str, Any] = {"has_more": more}
    if more:
        tail["page_token"] = make_token(call.endpoint.key, [shown[-1][0]])
    return [record for _, record in shown], tail
