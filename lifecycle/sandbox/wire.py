"""Ways of answering, and of not answering."""

import gzip
import json
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from io import BufferedIOBase
from typing import Any

from .calls import Refusal
from .codes import http_status
from .faults import Strike
from .gateway import Answer, Gateway, Request

_HTML = (
    "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
)
_NOT_JSON = "<!DOCTYPE html><html><body>Please sign in to continue.</body></html>"
_DEAD_HOST = "http://127.0.0.1:1/"
_HANG_S, _DRIP_S, _LATE_S = 30.0, 10.0, 1.0
_DRIP_STEP_S = 0.1
_BRACKETS = 10 * 1024 * 1024
_BOMB_MB = 100


class Line:
    """One client's connection."""

    def __init__(
        self, connection: socket.socket, reader: BufferedIOBase, stopping: threading.Event
    ) -> None:
        self._connection, self._reader, self._stopping = connection, reader, stopping
        self.closed = False

    def send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            self.drop()

    def drop(self) -> None:
        """An orderly close (FIN) without an answer."""
        self.closed = True
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """A hard close (RST): lingering zero seconds; the reader holds the socket open, so it goes first."""
        self.closed = True
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._reader.close()
        self._connection.close()

    def wait(self, seconds: float) -> bool:
        """False when the server stops meanwhile."""
        return not self._stopping.wait(seconds)


def http_bytes(
    status: int,
    body: bytes,
    log_id: str,
    *,
    content_type: str = "application/json; charset=utf-8",
    headers: Any = (),
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
    answered = (
        process(gateway, request, entry) if strike.applied and strike.kind != "late" else None
    )
    _PLAYS[strike.kind](Scene(gateway, line, request, entry, strike, answered))


def process(gateway: Gateway, request: Request, entry: dict[str, Any]) -> Answer:
    answer = gateway.answer(request)
    entry.update(processed=True, http_status=answer.status, code=answer.body.get("code"))
    return answer


@dataclass(frozen=True)
class Scene:
    """A request that a fault hits; `answer` is there when it was processed first."""

    gateway: Gateway
    line: Line
    request: Request
    entry: dict[str, Any]
    strike: Strike
    answer: Answer | None

    def seconds(self, usual: float) -> float:
        return usual if self.strike.delay_s is None else self.strike.delay_s

    def respond(self, answer: Answer) -> None:
        self.entry.update(http_status=answer.status, code=answer.body["code"])
        respond(self.line, answer, self.request.log_id)

    def send(
        self, status: int, body: bytes, content_type: str = "application/json", headers: Any = ()
    ) -> None:
        self.entry["http_status"] = status
        data = http_bytes(
            status, body, self.request.log_id, content_type=content_type, headers=headers
        )
        self.line.send(data)

    def whole(self) -> bytes:
        """The true answer as bytes, for the faults that spoil it on the way."""
        answer = self.answer or Answer(200, {"code": 0, "msg": "success", "data": {}})
        return http_bytes(
            answer.status, answer.encoded(), self.request.log_id, headers=answer.headers
        )


def _drop(scene: Scene) -> None:
    scene.line.drop()


def _reset(scene: Scene) -> None:
    scene.line.reset()


def _hang(scene: Scene) -> None:
    scene.line.wait(scene.seconds(_HANG_S))
    scene.line.drop()


def _late(scene: Scene) -> None:
    """Processed after the client has lost the connection; a reset in between forgets it."""
    gateway, generation = scene.gateway, scene.gateway.generation
    gateway.count_late(1)
    scene.line.drop()

    def later() -> None:
        if scene.line.wait(scene.seconds(_LATE_S)) and generation == gateway.generation:
            process(gateway, scene.request, scene.entry)
        gateway.count_late(-1)

    threading.Thread(target=later, daemon=True).start()


def _html_error(scene: Scene) -> None:
    body = _HTML if scene.strike.body is None else scene.strike.body
    scene.send(
        scene.strike.http_status or 502, body.encode(), scene.strike.content_type or "text/html"
    )


def _refuse(scene: Scene) -> None:
    code = 99991663 if scene.strike.kind == "expired_token" else scene.strike.code or 0
    status = scene.strike.http_status or http_status(scene.request.key, code)
    refusal = Refusal(code, "injected fault")
    scene.respond(scene.gateway.refused(scene.request.key, refusal, scene.request.log_id, status))


def _throttle(scene: Scene) -> None:
    limit = scene.request.endpoint.limits[0][0] if scene.request.endpoint else 1
    reset_s = int(scene.seconds(1))
    scene.respond(
        scene.gateway.throttled(scene.request.log_id, limit, reset_s, scene.strike.http_status)
    )


def _garbage(scene: Scene) -> None:
    body = scene.strike.body
    usual_type = "text/html" if body is None else "application/json"
    content = (_NOT_JSON if body is None else body).encode()
    scene.send(scene.strike.http_status or 200, content, scene.strike.content_type or usual_type)


def _truncated_header(scene: Scene) -> None:
    scene.line.send(b"HTTP/1.1 200 OK\r\nContent-Type: applica")
    scene.line.drop()


def _truncated_body(scene: Scene) -> None:
    whole = scene.whole()
    body_at = whole.index(b"\r\n\r\n") + 4
    scene.line.send(whole[: body_at + max(1, (len(whole) - body_at) // 2)])
    scene.line.drop()


def _drip(scene: Scene) -> None:
    whole, seconds = scene.whole(), scene.seconds(_DRIP_S)
    steps = max(2, int(seconds / _DRIP_STEP_S))
    size = max(1, -(-len(whole) // steps))
    for start in range(0, len(whole), size):
        scene.line.send(whole[start : start + size])
        if scene.line.closed or not scene.line.wait(seconds / steps):
            return


def _redirect(scene: Scene) -> None:
    scene.send(scene.strike.http_status or 302, b"", headers=(("Location", _DEAD_HOST),))


def _gzip_bomb(scene: Scene) -> None:
    scene.send(200, bomb(), headers=(("Content-Encoding", "gzip"),))


@cache
def bomb() -> bytes:
    """100 MB of nothing in about 100 KB."""
    return gzip.compress(bytes(_BOMB_MB * 1024 * 1024), compresslevel=6)


def _brackets(scene: Scene) -> None:
    scene.send(200, b"[" * _BRACKETS)


_PLAYS: dict[str, Callable[[Scene], None]] = {
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
