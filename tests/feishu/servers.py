"""Servers for these tests: one that records and answers, one that misbehaves on the wire.

Both speak over real sockets on this machine. The recorder answers what a test tells it to;
a fault is a function that gets the raw socket after the request was read.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

# A certificate for 127.0.0.1 that nobody trusts, with its key. Used by these tests only.
CERTIFICATE = Path(__file__).with_name("localhost_for_tests.pem")
TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"


@dataclass
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    status: int = 200
    body: bytes = b'{"code":0,"msg":"ok","data":{}}'
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0


def answer(code: int = 0, data: Any = None, *, status: int = 200, **headers: str) -> Answer:
    body = {"code": code, "msg": "any text", "data": {} if data is None else data}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps(body).encode(), named)


class Recorder:
    """Answers each call with the next planned answer, and remembers the requests."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.tokens_given = 0
        self.token_life_s = 7200
        self.token_answer: Answer | None = None
        self._plan: list[Answer] = []
        self._connections: set[int] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def calls(self) -> list[Seen]:
        """The requests other than those for a token."""
        return [seen for seen in self.seen if seen.path != TOKEN_PATH]

    def plan(self, *answers: Answer) -> None:
        self._plan += answers

    def answer_to(self, seen: Seen) -> Answer:
        with self._lock:
            self.seen.append(seen)
            if seen.path != TOKEN_PATH:
                return self._plan.pop(0) if self._plan else Answer()
            if self.token_answer is not None:
                return self.token_answer
            self.tokens_given += 1
            token = {"code": 0, "msg": "ok", "tenant_access_token": f"t-{self.tokens_given}"}
            return Answer(body=json.dumps(token | {"expire": self.token_life_s}).encode())

    @contextmanager
    def running(self) -> Iterator[Recorder]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def handle_any(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                seen = Seen(
                    method=self.command,
                    path=parts.path,
                    query=parse_qsl(parts.query, keep_blank_values=True),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=self.rfile.read(length),
                    connection=self.client_address[1],
                )
                reply = recorder.answer_to(seen)
                time.sleep(reply.delay_s)
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)

            do_GET = do_POST = do_PATCH = handle_any

            def log_message(self, *args: object) -> None:
                """Quiet."""

        return Handler


Fault = Callable[[socket.socket], None]


class FaultServer:
    """Reads a request, then hands the bare socket to a fault. Gives tokens properly."""

    def __init__(self, fault: Fault, *, tls: bool = False) -> None:
        self._fault = fault
        self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if tls else None
        if self._tls:
            self._tls.load_cert_chain(CERTIFICATE)
        self.requests = 0
        self._stopped = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        scheme = "https" if tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}"

    @contextmanager
    def running(self) -> Iterator[FaultServer]:
        threading.Thread(target=self._accept, daemon=True).start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._listener.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), self._wrapped(accepted) as peer:
            head = _read_request(peer)
            if TOKEN_PATH.encode() in head:
                token = b'{"code":0,"tenant_access_token":"t-1","expire":7200}'
                peer.sendall(_head(len(token)) + token)
                return
            self.requests += 1
            self._fault(peer)

    def _wrapped(self, peer: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(peer, server_side=True) if self._tls else peer


def _read_request(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += peer.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ontent-Length" in line), 0
    )
    while len(body) < length:
        body += peer.recv(65536)
    return head


def _head(length: int, status: str = "200 OK", extra: str = "") -> bytes:
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{extra}"
        f"Connection: close\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


SUCCESS = b'{"code":0,"msg":"ok","data":{}}'


def reset(peer: socket.socket) -> None:
    """RST instead of an answer."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(peer: socket.socket) -> None:
    """FIN without a byte."""


def hang(peer: socket.socket) -> None:
    """Nothing at all, for longer than any deadline here."""
    time.sleep(5)


def cut_header(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Ty")


def cut_body(peer: socket.socket) -> None:
    peer.sendall(_head(len(SUCCESS)) + SUCCESS[:-5])


def drip_body(peer: socket.socket) -> None:
    peer.sendall(_head(1000))
    _drip(peer, b" " * 1000)


def drip_body_without_length(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + SUCCESS)
    _drip(peer, b" " * 1000)


def drip_header(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(peer, b"a" * 1000)


def _drip(peer: socket.socket, data: bytes) -> None:
    for position in range(len(data)):
        peer.sendall(data[position : position + 1])
        time.sleep(0.05)


@cache
def packed_bomb() -> bytes:
    """100 MB of spaces in less than half a megabyte."""
    return gzip.compress(b" " * 100_000_000, compresslevel=1)


def bomb(peer: socket.socket) -> None:
    packed = packed_bomb()
    peer.sendall(_head(len(packed), extra="Content-Encoding: gzip\r\n") + packed)


def zipped_rubbish(peer: socket.socket) -> None:
    peer.sendall(_head(4, extra="Content-Encoding: gzip\r\n") + b"abcd")


def strange_encoding(peer: socket.socket) -> None:
    peer.sendall(_head(len(SUCCESS), extra="Content-Encoding: br\r\n") + SUCCESS)


def brackets(peer: socket.socket) -> None:
    peer.sendall(_head(10_000_000) + b"[" * 10_000_000)


def shallow_brackets(peer: socket.socket) -> None:
    peer.sendall(_head(500_000) + b"[" * 500_000)


def html_502(peer: socket.socket) -> None:
    page = b"<html><h1>502 Bad Gateway</h1></html>"
    peer.sendall(_head(len(page), status="502 Bad Gateway") + page)


def html_200(peer: socket.socket) -> None:
    page = b"<html>Please sign in to the hotel network</html>"
    peer.sendall(_head(len(page)) + page)


def bare_429(peer: socket.socket) -> None:
    peer.sendall(_head(0, status="429 Too Many Requests", extra="X-Ogw-Ratelimit-Reset: 7\r\n"))


def bare_401(peer: socket.socket) -> None:
    peer.sendall(_head(0, status="401 Unauthorized"))


def redirect(peer: socket.socket) -> None:
    extra = "Location: http://127.0.0.1:9/elsewhere\r\n"
    peer.sendall(_head(len(SUCCESS), status="307 Temporary Redirect", extra=extra) + SUCCESS)


def not_http(peer: socket.socket) -> None:
    peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


def endless_headers(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\n")
    peer.sendall(b"".join(b"X-%d: y\r\n" % number for number in range(5000)))


def text_code(peer: socket.socket) -> None:
    body = b'{"code":"0","msg":"ok"}'
    peer.sendall(_head(len(body)) + body)


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
