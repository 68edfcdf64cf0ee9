"""Reading one answer of Feishu: status, headers and body in, an Envelope out.

Pure and total: whatever the bytes are, `read_envelope` returns. An answer is readable
only when it is a JSON object whose `code` is a whole number; anything else keeps its
HTTP status and says in one word what was wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

LOG_ID_HEADER = "x-tt-logid"
RESET_HEADER = "x-ogw-ratelimit-reset"
LARGEST_CODE = 2**63 - 1
ENVELOPE_KEYS = frozenset({"code", "msg", "data", "error"})


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer. `msg`, `data` and `error` may hold personal data and stay out of repr()."""

    http_status: int
    code: int | None = None
    msg: str = field(default="", repr=False)
    data: dict[str, Any] = field(default_factory=dict, repr=False)
    error: dict[str, Any] = field(default_factory=dict, repr=False)
    log_id: str | None = None
    reset_after_s: float | None = None
    readable: bool = False
    problem: str | None = None

    @property
    def is_success(self) -> bool:
        """True for a readable answer with code 0, whatever the HTTP status."""
        return self.readable and self.code == 0

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """Scopes the answer asks for; Feishu prints them as `subject` or as `scope`."""
        return _texts(self._violations(), "subject", "scope")

    @property
    def scope_links(self) -> tuple[str, ...]:
        """Links to the page where the scopes are granted."""
        return _texts(self._violations(), "url") + _texts(_dicts(self.error.get("helps")), "url")

    def _violations(self) -> list[dict[str, Any]]:
        return _dicts(self.error.get("permission_violations"))


def read_envelope(status: int, headers: Mapping[str, str], body: bytes) -> Envelope:
    """Read an answer. Never raises.

    The shape: 通用错误码, response body and error object
    (https://open.feishu.cn/document/server-docs/api-call-guide/generic-error-code).
    Answers of the token endpoint carry their fields at the top level; those are `data`.
    """
    log_id = log_id_in(headers)
    reset = _seconds(_header(headers, RESET_HEADER))
    answer, problem = _object_in(body)
    if problem is None:
        problem = _shape_problem(answer)
    if problem is not None:
        return Envelope(status, log_id=log_id, reset_after_s=reset, problem=problem)
    error = _dict_or_empty(answer.get("error"))
    return Envelope(
        http_status=status,
        code=answer["code"],
        msg=_text_or_empty(answer.get("msg")),
        data=_data_of(answer),
        error=error,
        log_id=log_id or _log_id(error.get("log_id")) or _log_id(error.get("logid")),
        reset_after_s=reset,
        readable=True,
    )


def log_id_in(headers: Mapping[str, str]) -> str | None:
    """Feishu's id of the call, by which its support finds it. None when there is none."""
    return _log_id(_header(headers, LOG_ID_HEADER))


def _header(headers: Mapping[str, str], name: str) -> str | None:
    return next((value for key, value in headers.items() if key.lower() == name), None)


def _object_in(body: bytes) -> tuple[dict[str, Any], str | None]:
    if not body.strip():
        return {}, "empty"
    try:
        answer = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant)
        answer = _storable(answer) if _may_hold_odd_characters(body) else answer
    except UnicodeDecodeError:
        return {}, "not-utf8"
    except RecursionError:
        return {}, "too-deep"
    except ValueError:
        return {}, "not-json"
    if not isinstance(answer, dict):
        return {}, "not-an-object"
    return answer, None


def _shape_problem(answer: dict[str, Any]) -> str | None:
    code = answer.get("code")
    if code is None:
        return "no-code"
    if isinstance(code, bool) or not isinstance(code, int):
        return "code-not-a-number"
    if abs(code) > LARGEST_CODE:
        return "code-out-of-range"
    if code == 0 and not isinstance(answer.get("data"), dict | None):
        return "data-not-an-object"
    return None


def _data_of(answer: dict[str, Any]) -> dict[str, Any]:
    if "data" in answer:
        return _dict_or_empty(answer["data"])
    return {name: value for name, value in answer.items() if name not in ENVELOPE_KEYS}


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _may_hold_odd_characters(body: bytes) -> bool:
    lowered = body.lower()
    return b"\\u0000" in lowered or b"\\ud" in lowered


def _storable(value: Any) -> Any:
    """The value without NUL and half characters, which no database takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(name): _storable(item) for name, item in value.items()}
    return value


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None


def _log_id(value: object) -> str | None:
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        return None
    return value.strip()[:128] or None


def _dict_or_empty(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text_or_empty(value: object) -> str:
    return value if isinstance(value, str) else ""


def _dicts(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        return []
    return [item for item in value if isinstance(item, dict)]


def _texts(rows: Iterable[dict[str, Any]], *names: str) -> tuple[str, ...]:
    found = (row.get(name) for row in rows for name in names)
    return tuple(dict.fromkeys(text for text in found if isinstance(text, str) and text))
