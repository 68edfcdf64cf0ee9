"""Messages: M1 (send) and M2 (a card's new face). Sources: 发送消息, 更新已发送的消息卡片."""

from typing import Any

from ..calls import Call, Refusal
from ..card_shape import MOST_BYTES, BadCard, read_card
from ..store import Record

_RECEIVER_TYPES = ("open_id", "union_id", "user_id", "email", "chat_id")
_TYPES = ("interactive", "text")
_SAME_UUID_MS = 3_600_000
_UPDATABLE_MS = 14 * 86_400_000
_LONGEST_UUID = 50
_LONGEST_TEXT = 150 * 1024
# 5 a second to the same receiver, and for the same message.
_EACH = (5, 1.0)


def send_message(call: Call) -> dict[str, Any]:
    """M1. The same uuid within an hour is the same message, and is answered with it."""
    settings = call.tenant.settings()
    if settings.get("bot_enabled", True) is not True:
        raise Refusal(230006, "bot ability is not activated")
    call.required_text("receive_id_type")
    by = call.choice("receive_id_type", _RECEIVER_TYPES, "")
    receiver, kind = call.body_text("receive_id"), call.body_text("msg_type")
    content, uuid = call.body_text("content"), call.body_text("uuid")
    if not receiver or kind not in _TYPES or not content or len(uuid) > _LONGEST_UUID:
        raise call.bad("receive_id", "receive_id, msg_type and content are required")
    _check_receiver(call, by, receiver, settings)
    sent = call.tenant.store.find("messages", "uuid", uuid) if uuid else None
    if sent is not None and call.now_ms - sent["sent_ms"] < _SAME_UUID_MS:
        return _shown(sent)
    _check_content(kind, content)
    _take(call, f"to {receiver}")
    number = call.tenant.store.next_position("messages")
    record: Record = {
        "id": call.tenant.ids.message_id(number),
        "uuid": uuid,
        "receiver": receiver,
        "receiver_type": by,
        "chat_id": receiver if by == "chat_id" else f"oc_{receiver.removeprefix('ou_')}",
        "msg_type": kind,
        "content": content,
        "sent_ms": call.now_ms,
        "updated_ms": call.now_ms,
        "state": "sent",
        "toast": None,
    }
    call.tenant.store.put_at("messages", number, record)
    call.effect("send_message", record["id"], None, {"uuid": uuid}, related=(receiver, uuid))
    return _shown(record)


def update_message(call: Call) -> dict[str, Any]:
    """M2."""
    message_id = call.path_values["message_id"]
    record = call.tenant.store.get("messages", message_id)
    if record is None:
        raise call.bad("message_id", "invalid message_id", message_id)
    if record["state"] != "sent":
        raise Refusal(230011 if record["state"] == "recalled" else 230110)
    if call.now_ms - record["sent_ms"] > _UPDATABLE_MS:
        raise Refusal(230031)
    if record["msg_type"] != "interactive":
        raise call.bad("message_id", "the message is not a card", message_id)
    content = call.body_text("content")
    _check_content("interactive", content)
    _take(call, f"for {message_id}")
    after = record | {"content": content, "updated_ms": call.now_ms}
    call.tenant.store.put("messages", after)
    call.effect("update_message", message_id, None, None, related=(record["receiver"],))
    return {}


def _check_receiver(call: Call, by: str, receiver: str, settings: Record) -> None:
    if receiver in settings.get("unreachable", []):
        raise Refusal(230013, "Bot has NO availability to this user.")
    if receiver in settings.get("blocked_by", []):
        raise Refusal(230053)
    if by == "chat_id":
        if receiver not in settings.get("chats", ["oc_auditors"]):
            raise Refusal(230034, field_name="receive_id", value=receiver)
        return
    contact = call.tenant.store.get("contacts", receiver) if by == "open_id" else None
    if contact is None:
        raise Refusal(230034, field_name="receive_id", value=receiver)
    if contact["is_resigned"]:
        raise Refusal(230029)


def _check_content(kind: str, content: str) -> None:
    if len(content.encode()) > (MOST_BYTES if kind == "interactive" else _LONGEST_TEXT):
        raise Refusal(230025)
    if kind == "interactive":
        try:
            read_card(content)
        except BadCard as error:
            raise Refusal(230099, f"Failed to create card content, ext={error}") from None


def _take(call: Call, what: str) -> None:
    limits = call.tenant.limits
    if limits is not None and limits.take_named(f"{call.endpoint.key} {what}", *_EACH):
        raise Refusal(230020, "frequency limit")


def _shown(record: Record) -> dict[str, Any]:
    return {
        "message_id": record["id"],
        "msg_type": record["msg_type"],
        "create_time": str(record["sent_ms"]),
        "update_time": str(record["updated_ms"]),
        "deleted": False,
        "updated": record["updated_ms"] != record["sent_ms"],
        "chat_id": record["chat_id"],
        "sender": {"id_type": "app_id", "sender_type": "app", "tenant_key": "sandbox"},
        "body": {"content": record["content"]},
    }
