"""The two calls that tell somebody something: a message, and the new face of a card.

Sources: 发送消息 (POST im/v1/messages) and 更新已发送的消息卡片 (PATCH im/v1/messages/:message_id).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from lifecycle.feishu import endpoints
from lifecycle.feishu.calls import Call
from lifecycle.feishu.errors import InvalidValue

ReceiverType = Literal["open_id", "chat_id"]

# The same uuid within an hour sends once (发送消息, 请求体, uuid).
SAME_UUID_S = 3600
# A card of JSON 2.0 can be pressed and updated for so long (卡片 JSON 2.0 版本更新说明).
CARD_DAYS = 14
CARD_BYTES = 30 * 1024
TEXT_BYTES = 150 * 1024
UUID = re.compile(r"[0-9A-Za-z_-]{1,50}")
RECEIVER = re.compile(r"[0-9A-Za-z_-]{1,64}")


# https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/create
def send_card(
    receiver: str, card: Mapping[str, Any], *, uuid: str, receiver_type: ReceiverType = "open_id"
) -> Call:
    """Send a card. `uuid` makes repeats within an hour one message. Raises InvalidValue."""
    return _message(receiver, receiver_type, "interactive", _card_text(card), uuid)


# https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/create
def send_text(
    receiver: str, text: str, *, uuid: str, receiver_type: ReceiverType = "open_id"
) -> Call:
    """Send plain text. `uuid` as with `send_card`. Raises InvalidValue."""
    content = json.dumps({"text": text}, ensure_ascii=False)
    if len(content.encode()) > TEXT_BYTES:
        raise InvalidValue("A text message holds 150 KB at most.")
    return _message(receiver, receiver_type, "text", content, uuid)


# https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/im-v1/message/patch
def update_card(message_id: str, card: Mapping[str, Any]) -> Call:
    """Give a card that was sent another face; repeating it changes nothing more.

    Raises InvalidId, InvalidValue.
    """
    body = {"content": _card_text(card)}
    return Call(endpoints.MESSAGE_PATCH, {"message_id": message_id}, body=body)


def _message(
    receiver: str, receiver_type: ReceiverType, msg_type: str, content: str, uuid: str
) -> Call:
    if not RECEIVER.fullmatch(receiver):
        raise InvalidValue("A receiver is named by 1 to 64 letters, digits, _ or -.")
    if not UUID.fullmatch(uuid):
        raise InvalidValue("uuid has to be 1 to 50 letters, digits, _ or -.")
    body = {"receive_id": receiver, "msg_type": msg_type, "content": content, "uuid": uuid}
    return Call(
        endpoints.MESSAGE_CREATE, {}, query=(("receive_id_type", receiver_type),), body=body
    )


def _card_text(card: Mapping[str, Any]) -> str:
    text = json.dumps(card, ensure_ascii=False, sort_keys=True)
    if len(text.encode()) > CARD_BYTES:
        raise InvalidValue("A card holds 30 KB at most.")
    return text
