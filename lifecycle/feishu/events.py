"""Reading what Feishu has pushed: is it from Feishu, and which record or card is it about?

Nothing else of it is believed. The status numbers of an offboarding mean different things in
`updated_v1` and in the v2 events, and events come late, twice and out of order; so an event
only says what to read. Who has pressed what on a card is believed, because the signature
covers it; what that person may do is asked elsewhere. Sources: 配置事件订阅, Encrypt Key
加密策略, 卡片回传交互回调.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

# How far the time of a request may lie from ours, in seconds.
WINDOW_S = 300
IV_BYTES = 16
LONGEST_ID = 64
LONGEST_EVENT_ID = 128
LONGEST_TYPE = 80

PRE_HIRES, OFFBOARDINGS = "pre_hires", "offboardings"
# Which record an event is about: its kind, and the field that names it. O1 finds an offboarding
# by its employment only.
SUBJECTS: dict[str, tuple[str, str]] = {
    "corehr.pre_hire.updated_v1": (PRE_HIRES, "pre_hire_id"),
    "corehr.pre_hire.onboarding_task_changed_v2": (PRE_HIRES, "pre_hire_id"),
    "corehr.offboarding.updated_v1": (OFFBOARDINGS, "employment_id"),
    "corehr.offboarding.updated_v2": (OFFBOARDINGS, "employment_id"),
    "corehr.offboarding.status_updated_v2": (OFFBOARDINGS, "employment_id"),
    "corehr.offboarding.checklist_updated_v2": (OFFBOARDINGS, "employment_id"),
    "corehr.employment.resigned_v1": (OFFBOARDINGS, "employment_id"),
}


class BadEvent(Exception):
    """Not readable as an event."""


class Forged(Exception):
    """Not proven to be from Feishu, or too old to be believed."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The Encrypt Key and the Verification Token of the app."""

    encrypt_key: str
    token: str


@dataclass(frozen=True, slots=True)
class Challenge:
    """Feishu tries whether the address is ours."""

    text: str


@dataclass(frozen=True, slots=True)
class Announced:
    """`kind` "": an event that is of no interest here."""

    event_id: str
    event_type: str
    kind: str = ""
    record_id: str = ""


@dataclass(frozen=True, slots=True)
class CardPress:
    """Somebody has pressed a button of a card. `value` is what the card gave the button,
    `form` what was filled in; both went through the reader's own client."""

    event_id: str
    open_id: str
    message_id: str
    name: str
    value: Mapping[str, Any]
    form: Mapping[str, Any]


CARD_PRESS = "card.action.trigger"


def read_card_press(
    body: bytes, headers: Mapping[str, str], *, secrets: Secrets, now_s: float
) -> Challenge | CardPress:
    """What a callback of a card says. Raises BadEvent, Forged."""
    event = _proven(body, headers, secrets=secrets, now_s=now_s)
    if isinstance(event, Challenge):
        return event
    header, inner = _inside(event, "header"), _inside(event, "event")
    announced = _announced(header.get("event_id"), header.get("event_type"), event)
    if announced.event_type != CARD_PRESS:
        raise BadEvent("the callback is not of a card")
    action, context = _inside(inner, "action"), _inside(inner, "context")
    return CardPress(
        event_id=announced.event_id,
        open_id=_name(_inside(inner, "operator").get("open_id")),
        message_id=_name(context.get("open_message_id")),
        name=_name(action.get("name")),
        value=_inside(action, "value"),
        form=_inside(action, "form_value"),
    )


def _inside(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = holder.get(name)
    return found if isinstance(found, Mapping) else {}


def _name(value: Any) -> str:
    """An id or a name; empty for anything that can be none."""
    fits = isinstance(value, str) and len(value) <= LONGEST_ID and value.isprintable()
    return value if fits else ""


def read_event(
    body: bytes, headers: Mapping[str, str], *, secrets: Secrets, now_s: float
) -> Challenge | Announced:
    """What a pushed request says. Raises BadEvent, Forged."""
    event = _proven(body, headers, secrets=secrets, now_s=now_s)
    if isinstance(event, Challenge):
        return event
    header = event.get("header")
    if isinstance(header, Mapping):
        return _announced(header.get("event_id"), header.get("event_type"), event)
    inner = event.get("event")
    kind = inner.get("type") if isinstance(inner, Mapping) else None
    return _announced(event.get("uuid"), kind, event)


def _proven(
    body: bytes, headers: Mapping[str, str], *, secrets: Secrets, now_s: float
) -> Challenge | Mapping[str, Any]:
    """The event, once it is certain that Feishu sent it, just now. Raises BadEvent, Forged."""
    event = _decrypted(_object(body), secrets.encrypt_key)
    if event.get("type") == "url_verification":
        # The signature does not apply to this one.
        _check_token(event.get("token"), secrets)
        challenge = event.get("challenge")
        return Challenge(challenge[:1000] if isinstance(challenge, str) else "")
    _check_signature(body, headers, secrets, now_s)
    header = event.get("header")
    token = header.get("token") if isinstance(header, Mapping) else event.get("token")
    _check_token(token, secrets)
    return event


def _announced(event_id: Any, event_type: Any, event: Mapping[str, Any]) -> Announced:
    if not isinstance(event_id, str) or not 0 < len(event_id) <= LONGEST_EVENT_ID:
        raise BadEvent("the event has no id")
    if not isinstance(event_type, str) or not 0 < len(event_type) <= LONGEST_TYPE:
        raise BadEvent("the event has no type")
    if not (event_id.isprintable() and event_type.isprintable()):
        raise BadEvent("the event's id or type is not text")
    kind, name = SUBJECTS.get(event_type, ("", ""))
    inner = event.get("event")
    record_id = inner.get(name) if kind and isinstance(inner, Mapping) else None
    if not isinstance(record_id, str) or not record_id.isalnum() or len(record_id) > LONGEST_ID:
        return Announced(event_id, event_type)
    return Announced(event_id, event_type, kind, record_id)


def _check_signature(
    body: bytes, headers: Mapping[str, str], secrets: Secrets, now_s: float
) -> None:
    timestamp = headers.get("X-Lark-Request-Timestamp", "")
    nonce = headers.get("X-Lark-Request-Nonce", "")
    wanted = hashlib.sha256((timestamp + nonce + secrets.encrypt_key).encode() + body).hexdigest()
    given = headers.get("X-Lark-Signature", "")
    if not hmac.compare_digest(wanted.encode(), given.encode()):
        raise Forged("the signature does not fit")
    is_number = timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12
    if not is_number or abs(now_s - int(timestamp)) > WINDOW_S:
        raise Forged("the request is too old, or from the future")


def _check_token(given: Any, secrets: Secrets) -> None:
    text = given if isinstance(given, str) else ""
    if not hmac.compare_digest(text.encode(errors="replace"), secrets.token.encode()):
        raise Forged("the verification token does not fit")


def _decrypted(event: Mapping[str, Any], encrypt_key: str) -> Mapping[str, Any]:
    """With an Encrypt Key everything comes encrypted; what does not is not from Feishu."""
    encrypted = event.get("encrypt")
    if not isinstance(encrypted, str):
        raise Forged("the event is not encrypted")
    return _object(decrypt(encrypted, encrypt_key))


def decrypt(encrypted: str, encrypt_key: str) -> bytes:
    """AES-256-CBC with SHA-256 of the key; the first 16 bytes are the IV. Raises BadEvent."""
    try:
        data = base64.b64decode(encrypted, validate=True)
        key = hashlib.sha256(encrypt_key.encode()).digest()
        cipher = Cipher(algorithms.AES(key), modes.CBC(data[:IV_BYTES])).decryptor()
        padded = cipher.update(data[IV_BYTES:]) + cipher.finalize()
        unpadder = padding.PKCS7(algorithms.AES.block_size).unpadder()
        return unpadder.update(padded) + unpadder.finalize()
    except (ValueError, binascii.Error) as error:
        raise BadEvent("the event cannot be decrypted") from error


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadEvent("the event is not JSON") from error
    if not isinstance(found, Mapping):
        raise BadEvent("the event is not an object")
    return found
