"""The HTTP server: keep-alive, one thread per connection, loopback only."""

import ipaddress
import socket
import socketserver
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from . import console, phone_page
from .gateway import Gateway
from .login import AUTHORIZE_PATH
from .wire import Line, http_bytes, json_bytes, serve

_LONGEST_BODY = 20 * 1024 * 1024
_IDLE_S = 120


class PortInUse(OSError):
    """Somebody else listens there."""


class NotLoopback(ValueError):
    """The sandbox has no secrets worth keeping and must not be reachable from outside."""


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_S
    disable_nagle_algorithm = True
    server: "SandboxHTTPServer"

    def _serve(self) -> None:
        raw = self._read_body()
        if raw is None:
            return
        line = Line(self.connection, self.rfile, self.server.stopping)
        if self.path.startswith(phone_page.PATH):
            line.send(self._phone(raw))
        elif self.path.startswith("/sandbox/"):
            line.send(json_bytes(*self._control(raw)))
        elif self.command == "GET" and self.path.partition("?")[0] == AUTHORIZE_PATH:
            line.send(self._authorize())
        else:
            request, entry = self.server.gateway.receive(self.command, self.path, self.headers, raw)
            serve(self.server.gateway, line, request, entry)
        if line.closed:
            self.close_connection = True

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

    def _read_body(self) -> bytes | None:
        """The body, or None when it cannot be taken and the connection has to go."""
        length = self.headers.get("Content-Length", "0")
        if (
            "Transfer-Encoding" in self.headers
            or not length.isdigit()
            or int(length) > _LONGEST_BODY
        ):
            self.close_connection = True
            self.wfile.write(json_bytes(411, {"code": 9499, "msg": "Content-Length is required"}))
            return None
        raw = self.rfile.read(int(length))
        return raw if len(raw) == int(length) else None

    def _authorize(self) -> bytes:
        """L1, the one page for people; it hands out codes, so it answers to loopback names only."""
        if not is_loopback(self.headers.get("Host", "").rsplit(":", 1)[0].strip("[]")):
            return json_bytes(403, {"error": "the sign-in page answers to loopback names only"})
        language = self.headers.get("Accept-Language", "")
        status, page, headers = self.server.gateway.login.authorize(self.path, language)
        kind = "text/html; charset=utf-8"
        return http_bytes(status, page, "-", content_type=kind, headers=headers)

    def _phone(self, raw: bytes) -> bytes:
        """A page for people, for loopback names and this page's own forms only."""
        origin = urlsplit(self.headers.get("Origin", "")).hostname
        host = self.headers.get("Host", "").rsplit(":", 1)[0].strip("[]")
        if not is_loopback(host) or (origin and not is_loopback(origin)):
            return json_bytes(403, {"error": "the phone answers to loopback names only"})
        language = self.headers.get("Accept-Language", "")
        status, page, kind, headers = phone_page.answer(
            self.server.gateway.tenant, self.command, self.path, raw, language
        )
        return http_bytes(status, page, "-", content_type=kind, headers=headers)

    def _control(self, raw: bytes) -> tuple[int, Any]:
        """Only for this machine: a web page that points a name of its own here must not reach it."""
        host = self.headers.get("Host", "").rsplit(":", 1)[0].strip("[]")
        if not is_loopback(host):
            return 403, {"error": "the control API answers to loopback names only"}
        return console.answer(self.server.gateway, self.command, self.path, raw)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: GET /sandbox/requests is the log."""


class SandboxHTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    allow_reuse_address = True

    gateway: Gateway

    def __init__(self, host: str, port: int) -> None:
        """Takes the port; `gateway` is set before the first request is served."""
        if not is_loopback(host):
            raise NotLoopback(f"The sandbox listens on this machine only, not on {host}.")
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            super().__init__((host, port), Handler)
        except OSError as error:
            raise PortInUse(f"Port {port} on {host} is not free ({error.strerror}).") from error

    def server_bind(self) -> None:
        # The base class looks the host name up, which can take seconds on a machine without a resolver.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = (
            str(self.server_address[0]),
            int(self.server_address[1]),
        )

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event here."""

    def stop(self) -> None:
        """Ends waiting faults and idle connections, then the loop."""
        self.stopping.set()
        self.shutdown()
        self.server_close()
        with self._open_lock:
            open_now = list(self._open)
        for connection in open_now:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    @property
    def base_url(self) -> str:
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}"
