"""Pressing a button of a card, and what the reader sees then."""

import json
import secrets
from typing import TYPE_CHECKING, Any

from .callbacks import BAD_ANSWER, BAD_CARD
from .card_shape import BadCard, checked
from .store import Record

if TYPE_CHECKING:
    from .tenant import Tenant

_PRESSABLE_MS = 14 * 86_400_000
# The client says so in words; no code is documented.
TOO_OLD = -1
_TOASTS = ("success", "info", "error", "warning")


def press(
    tenant: "Tenant", message_id: str, *, open_id: str = "", name: str, form: Any = None
) -> dict[str, Any]:
    """`error`: the code the reader is shown, 0 for none; `toast`: what the app answered."""
    with tenant.lock:
        message = tenant.store.get("messages", message_id)
    if message is None:
        raise ValueError(f"no message {message_id}")
    button = find_button(json.loads(message["content"]), name)
    if button is None:
        raise ValueError(f"the card has no button {name!r} now")
    if tenant.now_ms() - message["sent_ms"] > _PRESSABLE_MS:
        return _seen(tenant, message, TOO_OLD, None)
    # Not under the lock: the app may well ask this tenant something before it answers.
    code, answer = tenant.callback.post(
        "card.action.trigger", _event(message, button, open_id, name, form)
    )
    if code:
        return _seen(tenant, message, code, None)
    return _apply(tenant, message, answer)


def _event(
    message: Record, button: dict[str, Any], open_id: str, name: str, form: Any
) -> dict[str, Any]:
    values = [b["value"] for b in button["behaviors"] if b["type"] == "callback"]
    action: dict[str, Any] = {"value": values[0], "tag": "button", "name": name}
    if button.get("form_action_type") == "submit":
        action |= {"form_value": form or {}, "timezone": "Asia/Shanghai"}
    who = open_id or message["receiver"]
    return {
        "operator": {"tenant_key": "sandbox", "open_id": who, "union_id": f"on_{who}"},
        "token": f"c-{secrets.token_hex(16)}",
        "action": action,
        "host": "im_message",
        "context": {"open_message_id": message["id"], "open_chat_id": message["chat_id"]},
    }


def _apply(tenant: "Tenant", message: Record, answer: dict[str, Any]) -> dict[str, Any]:
    toast, card = answer.get("toast"), answer.get("card")
    if toast is not None and (
        toast.get("type") not in _TOASTS or not isinstance(toast.get("content"), str)
    ):
        return _seen(tenant, message, BAD_ANSWER, None)
    if card is None:
        return _seen(tenant, message, 0, toast)
    try:
        if card.get("type") != "raw":
            raise BadCard(BAD_CARD, "only raw cards are played here")
        content = json.dumps(checked(card.get("data")), ensure_ascii=False)
    except BadCard:
        return _seen(tenant, message, BAD_CARD, None)
    return _seen(tenant, message, 0, toast, content=content)


def _seen(
    tenant: "Tenant", message: Record, code: int, toast: Any, **changes: Any
) -> dict[str, Any]:
    with tenant.lock:
        now = tenant.store.get("messages", message["id"]) or message
        if changes:
            changes["updated_ms"] = tenant.now_ms()
        shown = toast or ({"type": "error", "content": f"error {code}"} if code else None)
        with tenant.store.transaction():
            tenant.store.put("messages", now | changes | {"toast": shown})
    return {"error": code, "toast": toast, "updated": bool(changes)}


def find_button(element: Any, name: str) -> dict[str, Any] | None:
    """The button of this name that calls back, wherever it stands in the card."""
    if isinstance(element, list):
        return next((found for part in element if (found := find_button(part, name))), None)
    if not isinstance(element, dict):
        return None
    if element.get("tag") == "button" and element.get("name") == name:
        return element
    return find_button(
        [value for value in element.values() if isinstance(value, dict | list)], name
    )
