"""Ways of answering, and of not answering."""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

from .calls import Refusal
from .codes import http_status
from .faults import Strike
from .gateway import Answer, Gateway, Request

_HTML = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
_NOT_JSON = "<!DOCTYPE html><html><body>Please sign in to continue.</body></html>"
_DEAD_HOST = "http://127.0.0.1:1/"
_HANG_S, _DRIP_S, _LATE_S = 30.0, 10.0, 1.0
_DRIP_STEP_S = 0.1
_BRACKETS = 10 * 1024 * 1024
_BOMB_MB = 100


class Line:
    """One client's connection."""

    def __init__(self, connection: socket.socket, files: tuple[Any, ...], stopping: threading.Event) -> None:
        self._connection, self._files, self._stopping = connection, files, stopping
        self.closed = False

    def send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            self.drop()

    def drop(self) -> None:
        """An orderly close (FIN) without an answer."""
        self.closed = True
        try:
            self._connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def reset(self) -> None:
        """A hard close (RST): lingering zero seconds, and every handle on the socket closed at once."""
        self.closed = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        for file in self._files:
            file.close()
        self._connection.close()

    def wait(self, seconds: float) -> bool:
        """False when the server stops meanwhile."""
        return not self._stopping.wait(seconds)


def http_bytes(
    status: int, body: bytes, log_id: str, *, content_type: str = "application/json; charset=utf-8", headers: Any = ()
) -> bytes:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
        f"X-Tt-Logid: {log_id}",
        *(f"{name}: {value}" for name, value in headers),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def respond(line: Line, answer: Answer, log_id: str) -> None:
    line.send(http_bytes(answer.status, answer.encoded(), log_id, headers=answer.headers))


def serve(gateway: Gateway, line: Line, request: Request, entry: dict[str, Any]) -> None:
    """Answers one API request, or plays the fault that hits it."""
    strike = gateway.faults.strike(request.method, request.path, request.key, writes=request.writes)
    if strike is None:
        answer = process(gateway, request, entry)
        respond(line, answer, request.log_id)
        return
    entry["fault"] = strike.kind
    answered = process(gateway, request, entry) if strike.applied and strike.kind != "late" else None
    _PLAYS[strike.kind](gateway, line, request, entry, strike, answered)


def process(gateway: Gateway, request: Request, entry: dict[str, Any]) -> Answer:
    answer = gateway.answer(request)
    entry.update(processed=True, http_status=answer.status, code=answer.body.get("code"))
    return answer


_Play = Callable[[Gateway, Line, Request, dict[str, Any], Strike, Answer | None], None]


def _drop(_g: Gateway, line: Line, _r: Request, _e: dict[str, Any], _s: Strike, _a: Answer | None) -> None:
    line.drop()


def _reset(_g: Gateway, line: Line, _r: Request, _e: dict[str, Any], _s: Strike, _a: Answer | None) -> None:
    line.reset()


def _hang(_g: Gateway, line: Line, _r: Request, _e: dict[str, Any], strike: Strike, _a: Answer | None) -> None:
    line.wait(_HANG_S if strike.delay_s is None else strike.delay_s)
    line.drop()


def _late(gateway: Gateway, line: Line, request: Request, entry: dict[str, Any], strike: Strike, _a: Answer | None) -> None:
    """Processed after the client has lost the connection; a reset in between forgets it."""
    generation = gateway.generation
    gateway.late_pending += 1
    line.drop()

    def later() -> None:
        if line.wait(_LATE_S if strike.delay_s is None else strike.delay_s) and generation == gateway.generation:
            process(gateway, request, entry)
        gateway.late_pending -= 1

    threading.Thread(target=later, daemon=True).start()


def _html_error(_g: Gateway, line: Line, request: Request, entry: dict[str, Any], strike: Strike, _a: Answer | None) -> None:
    status = strike.http_status or 502
    entry["http_status"] = status
    body = (strike.body or _HTML).encode()
    line.send(http_bytes(status, body, request.log_id, content_type=strike.content_type or "text/html"))


def _refuse(
    gateway: Gateway, line: Line, request: Request, entry: dict[str, Any], strike: Strike, _a: Answer | None
) -> None:
    code = 99991663 if strike.kind == "expired_token" else strike.code or 0
    status = strike.http_status or http_status(request.key, code)
    answer = gateway.refused(request.key, Refusal(code, "injected fault"), request.log_id, status)
    entry.update(http_status=answer.status, code=code)
    respond(line, answer, request.log_id)


def _throttle(
    gateway: Gateway, line: Line, request: Request, entry: dict[str, Any], strike: Strike, _a: Answer | None
) -> None:
    limit = request.endpoint.limits[0][0] if request.endpoint else 1
    reset_s = 1 if strike.delay_s is None else int(strike.delay_s)
    answer = gateway.throttled(request.log_id, limit, reset_s, strike.http_status)
    entry.update(http_status=answer.status, code=99991400)
    respond(line, answer, request.log_id)


def _garbage(_g: Gateway, line: Line, request: Request, _e: dict[str, Any], strike: Strike, _a: Answer | None) -> None:
    body = (_NOT_JSON if strike.body is None else strike.body).encode()
    content_type = strike.content_type or ("text/html" if strike.body is None else "application/json")
    line.send(http_bytes(strike.http_status or 200, body, request.log_id, content_type=content_type))


def _truncated_header(
    _g: Gateway, line: Line, _r: Request, _e: dict[str, Any], _s: Strike, _a: Answer | None
) -> None:
    line.send(b"HTTP/1.1 200 OK\r\nContent-Type: applica")
    line.drop()


def _whole(request: Request, answer: Answer | None) -> bytes:
    shown = answer or Answer(200, {"code": 0, "msg": "success", "data": {}})
    return http_bytes(shown.status, shown.encoded(), request.log_id, headers=shown.headers)


def _truncated_body(
    _g: Gateway, line: Line, request: Request, _e: dict[str, Any], _s: Strike, answer: Answer | None
) -> None:
    whole = _whole(request, answer)
    body_at = whole.index(b"\r\n\r\n") + 4
    line.send(whole[: body_at + max(1, (len(whole) - body_at) // 2)])
    line.drop()


def _drip(_g: Gateway, line: Line, request: Request, _e: dict[str, Any], strike: Strike, answer: Answer | None) -> None:
    whole = _whole(request, answer)
    seconds = _DRIP_S if strike.delay_s is None else strike.delay_s
    steps = max(2, int(seconds / _DRIP_STEP_S))
    size = max(1, -(-len(whole) // steps))
    for start in range(0, len(whole), size):
        line.send(whole[start : start + size])
        if line.closed or not line.wait(seconds / steps):
            return


def _redirect(_g: Gateway, line: Line, request: Request, _e: dict[str, Any], strike: Strike, _a: Answer | None) -> None:
    headers = (("Location", _DEAD_HOST),)
    line.send(http_bytes(strike.http_status or 302, b"", request.log_id, headers=headers))


def _gzip_bomb(_g: Gateway, line: Line, request: Request, _e: dict[str, Any], _s: Strike, _a: Answer | None) -> None:
    line.send(http_bytes(200, bomb(), request.log_id, headers=(("Content-Encoding", "gzip"),)))


@cache
def bomb() -> bytes:
    """100 MB of nothing in about 100 KB."""
    return gzip.compress(bytes(_BOMB_MB * 1024 * 1024), compresslevel=6)


def _brackets(_g: Gateway, line: Line, request: Request, _e: dict[str, Any], _s: Strike, _a: Answer | None) -> None:
    line.send(http_bytes(200, b"[" * _BRACKETS, request.log_id))


_PLAYS: dict[str, _Play] = {
    "drop_before": _drop,
    "drop_after": _drop,
    "reset_before": _reset,
    "reset_after": _reset,
    "hang": _hang,
    "late": _late,
    "error_before": _html_error,
    "error_after": _html_error,
    "throttle": _throttle,
    "expired_token": _refuse,
    "code": _refuse,
    "garbage": _garbage,
    "truncated_header": _truncated_header,
    "truncated_body": _truncated_body,
    "drip": _drip,
    "redirect": _redirect,
    "gzip_bomb": _gzip_bomb,
    "brackets": _brackets,
}


def json_bytes(status: int, body: Any) -> bytes:
    return http_bytes(status, json.dumps(body, ensure_ascii=False).encode(), "-")
