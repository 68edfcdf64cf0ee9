"""Calling the app back when somebody presses a button of a card.

Encrypted and signed as the documentation says; the app has 3 seconds, and what goes wrong is
shown to the reader as a code. Sources: 卡片回传交互回调, 将回调发送至开发者服务器.
"""

import hashlib
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from .aes import encrypted

_LONGEST_WAIT_S = 3.0
NOT_CONFIGURED, TOO_SLOW, NO_CONNECTION = 200340, 200341, 200342
NOT_200, BAD_ANSWER, BAD_CARD = 200671, 200672, 200673


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = build_opener(ProxyHandler({}), _NoRedirect())


@dataclass(frozen=True)
class Callback:
    """Where and how; without a `url` buttons answer 200340."""

    url: str = ""
    encrypt_key: str = ""
    token: str = ""

    def post(self, event_type: str, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """The code the reader is shown (0 for none) and the app's answer."""
        if not self.url:
            return NOT_CONFIGURED, {}
        body = self._body(event_type, event)
        timestamp, nonce = str(int(time.time())), secrets.token_hex(8)
        signed = (timestamp + nonce + self.encrypt_key).encode() + body
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-Lark-Request-Timestamp": timestamp,
            "X-Lark-Request-Nonce": nonce,
            "X-Lark-Signature": hashlib.sha256(signed).hexdigest(),
        }
        request = Request(self.url, data=body, headers=headers, method="POST")  # noqa: S310
        try:
            with _OPENER.open(request, timeout=_LONGEST_WAIT_S) as answer:
                if answer.status != 200:
                    return NOT_200, {}
                found = json.loads(answer.read(1_000_000))
        except HTTPError:
            return NOT_200, {}
        except TimeoutError:
            return TOO_SLOW, {}
        except URLError as error:
            return TOO_SLOW if isinstance(error.reason, TimeoutError) else NO_CONNECTION, {}
        except (OSError, ValueError):
            return BAD_ANSWER, {}
        return (0, found) if isinstance(found, dict) else (BAD_ANSWER, {})

    def _body(self, event_type: str, event: dict[str, Any]) -> bytes:
        header = {
            "event_id": secrets.token_hex(16),
            "token": self.token,
            "create_time": str(int(time.time() * 1_000_000)),
            "event_type": event_type,
            "tenant_key": "sandbox",
            "app_id": "cli_sandbox",
        }
        text = json.dumps({"schema": "2.0", "header": header, "event": event}, ensure_ascii=False)
        return json.dumps({"encrypt": encrypted(text.encode(), self.encrypt_key)}).encode()
