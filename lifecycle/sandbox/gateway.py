"""The front door: routing, token, rate limit, body, endpoint, envelope."""

import json
import secrets
import sys
import threading
import time
import traceback
from collections import deque
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, unquote

from .calls import Call, Endpoint, Refusal
from .codes import http_status, text
from .endpoints.auth import tenant_access_token
from .faults import Faults
from .limits import Limits
from .login import KEYS as LOGIN_KEYS
from .login import METHODS as LOGIN_METHODS
from .login import TOKEN_PATH, Login
from .routes import AUTH_PATH, match
from .tenant import Tenant
from .tokens import Tokens

_LOG_LENGTH = 20_000
_TROUBLESHOOTER = "https://open.feishu.cn/search?log_id="


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, list[str]]
    authorization: str | None
    content_type: str
    raw: bytes
    log_id: str
    received_at: int
    endpoint: Endpoint | None = None
    path_values: dict[str, str] = field(default_factory=dict)
    known_path: bool = False

    @property
    def key(self) -> str:
        if self.path == AUTH_PATH:
            return "B1"
        return self.endpoint.key if self.endpoint else LOGIN_KEYS.get(self.path, "")

    @property
    def writes(self) -> bool:
        return self.endpoint is not None and self.endpoint.writes


@dataclass(frozen=True)
class Answer:
    status: int
    body: dict[str, Any]
    headers: tuple[tuple[str, str], ...] = ()

    def encoded(self) -> bytes:
        return json.dumps(self.body, ensure_ascii=False).encode()


@dataclass
class Options:
    old_style_429: bool = False


class Gateway:
    """Everything one running sandbox holds besides its sockets."""

    def __init__(
        self, tenant: Tenant, tokens: Tokens, limits: Limits, options: Options | None = None
    ) -> None:
        self.tenant, self.tokens, self.limits = tenant, tokens, limits
        self.options = options or Options()
        self.faults = Faults()
        self.login = Login(tenant, tokens)
        self.late_pending = 0
        self.generation = 0
        self._log: deque[dict[str, Any]] = deque(maxlen=_LOG_LENGTH)
        self._log_lock = threading.Lock()
        self._received = 0

    # -- the log of requests ----------------------------------------------------------------------

    def receive(
        self, method: str, target: str, headers: Message, raw: bytes
    ) -> tuple[Request, dict[str, Any]]:
        """The request, and its entry in the log; the entry is completed when it is answered."""
        path, _, query = target.partition("?")
        path = unquote(path)
        now_ms = int(time.time() * 1000)
        request = Request(
            method=method,
            path=path,
            query=parse_qs(query, keep_blank_values=True),
            authorization=headers.get("Authorization"),
            content_type=headers.get("Content-Type") or "",
            raw=raw,
            log_id=time.strftime("%Y%m%d%H%M%S") + secrets.token_hex(9).upper(),
            received_at=now_ms,
        )
        request.endpoint, request.path_values, request.known_path = match(method, path)
        return request, self._logged(request)

    def _logged(self, request: Request) -> dict[str, Any]:
        entry = {
            "method": request.method,
            "path": request.path,
            "query": {
                name: values[0] if len(values) == 1 else values
                for name, values in request.query.items()
            },
            "body": _shown_body(request),
            "endpoint": request.key,
            "write": request.writes,
            "received_at": request.received_at,
            "log_id": request.log_id,
            "http_status": None,
            "code": None,
            "processed": False,
            "fault": None,
        }
        with self._log_lock:
            self._received += 1
            entry["n"] = self._received
            self._log.append(entry)
        return entry

    def requests(self, *, writes: bool = False, after: int = 0) -> list[dict[str, Any]]:
        """In the order in which they came. `after`: only those of a higher number."""
        with self._log_lock:
            return [
                entry
                for entry in self._log
                if entry["n"] > after and (entry["write"] or not writes)
            ]

    def clear_requests(self) -> None:
        with self._log_lock:
            self._log.clear()

    def count_late(self, change: int) -> None:
        """Requests whose client is gone but which will still be processed."""
        with self._log_lock:
            self.late_pending += change

    # -- answering --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Answer:
        key = request.key
        try:
            return self._answer(request)
        except Refusal as refusal:
            return self.refused(key, refusal, request.log_id)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return Answer(
                500, {"code": 2200, "msg": "internal error", "error": {"log_id": request.log_id}}
            )

    def _answer(self, request: Request) -> Answer:
        if request.path == AUTH_PATH and request.method == "POST":
            return Answer(200, tenant_access_token(self.tokens, _parsed_body(request)))
        if LOGIN_METHODS.get(request.path) == request.method:
            return self._answer_login(request)
        endpoint = request.endpoint
        if endpoint is None:
            raise Refusal(99991301 if request.known_path or request.path == AUTH_PATH else 99991201)
        self.tokens.check(request.authorization)
        tripped = self.limits.take(endpoint)
        if tripped is not None:
            return self.throttled(request.log_id, *tripped)
        body = _parsed_body(request)
        with self.tenant.lock:
            call = Call(
                tenant=self.tenant,
                endpoint=endpoint,
                path_values=request.path_values,
                query=request.query,
                raw_body=body,
                now_ms=self.tenant.now_ms(),
                log_id=request.log_id,
                sent_body=bool(request.raw),
            )
            data = self._run(endpoint, call)
        return Answer(200, {"code": 0, "msg": endpoint.success, "data": data})

    def _answer_login(self, request: Request) -> Answer:
        """L2 has a shape of its own; L4 is asked with a person's token."""
        if request.path == TOKEN_PATH:
            return Answer(*self.login.token(_parsed_body(request)))
        info = self.login.user_info(request.authorization)
        return Answer(200, {"code": 0, "msg": "success", "data": info})

    def _run(self, endpoint: Endpoint, call: Call) -> dict[str, Any]:
        if not endpoint.writes:
            return endpoint.handler(call)
        with self.tenant.store.transaction():
            return endpoint.handler(call)

    def refused(self, key: str, refusal: Refusal, log_id: str, status: int | None = None) -> Answer:
        error: dict[str, Any] = {"log_id": log_id, "troubleshooter": _TROUBLESHOOTER + log_id}
        if refusal.description:
            error["message"] = refusal.description
        if refusal.field_name:
            error["field_violations"] = [
                {
                    "field": refusal.field_name,
                    "value": refusal.value,
                    "description": refusal.description,
                }
            ]
        body = {"code": refusal.code, "msg": text(key, refusal.code), "error": error}
        return Answer(status or http_status(key, refusal.code), body)

    def throttled(self, log_id: str, limit: int, reset_s: int, status: int | None = None) -> Answer:
        """Some old APIs answer 400; which ones is not documented, so it is a switch for all of them."""
        usual = 400 if self.options.old_style_429 else 429
        refused = self.refused("", Refusal(99991400), log_id, status or usual)
        headers = (("x-ogw-ratelimit-limit", str(limit)), ("x-ogw-ratelimit-reset", str(reset_s)))
        return Answer(refused.status, refused.body, headers)


def _parsed_body(request: Request) -> Any:
    """No body is None. What cannot be parsed never reaches an endpoint."""
    if not request.raw:
        return None
    if request.method != "GET" and "application/json" not in request.content_type.lower():
        raise Refusal(9499, "Content-Type must be application/json; charset=utf-8")
    try:
        return json.loads(request.raw.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refusal(9499, "the body is not JSON") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _shown_body(request: Request) -> Any:
    if request.path in (AUTH_PATH, TOKEN_PATH):
        return {}
    try:
        return _parsed_body(request)
    except Refusal:
        return request.raw.decode("utf-8", "replace")[:2000]
