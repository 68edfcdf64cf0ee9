"""A line to the sandbox that lets everything through, but for the writes it has a fault for.

It reads the bare bytes and passes them on, so a fault can strike at any of them, and the
write it strikes may have been passed on before (Feishu did it) or not.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.feishu.servers import Fault

READS = re.compile(rb"^(GET |POST \S*(/search|/auth/\S+|/batch_get|/mget|/query|/convert)[ ?])")


@dataclass(frozen=True)
class Break:
    """What happens to the next write. `applied`: Feishu gets it first. `unread`: it strikes
    before the line has taken the request in."""

    fault: Fault
    applied: bool
    unread: bool = False


class Line:
    """`url` is what the portal talks to."""

    def __init__(self, sandbox_url: str) -> None:
        there = urlsplit(sandbox_url)
        self._there = (str(there.hostname), int(there.port or 80))
        self._break: Break | None = None
        # What becomes of an answer to a read: from its path and body to another body.
        self.twist: Callable[[str, bytes], bytes] | None = None
        self.writes: list[bytes] = []
        self.reads = 0
        self._cut_after: int | None = None
        self._held: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self.url = f"http://127.0.0.1:{self._address[1]}"

    @contextmanager
    def open(self) -> Iterator[Line]:
        self._listen()
        try:
            yield self
        finally:
            self._hang_up()

    def break_next(self, fault: Fault, *, applied: bool, unread: bool = False) -> None:
        self._break = Break(fault, applied=applied, unread=unread)

    def cut_after(self, reads: int, *, silent: bool) -> None:
        """So many more reads are answered, then nobody can connect: at once refused, or not
        even that (`silent`)."""
        self._cut_after, self._silent = reads, silent

    def mend(self) -> None:
        """As it was."""
        if self._cut_after is None:
            return
        self._cut_after = None
        self._hang_up()
        self._listener = socket.create_server(self._address)
        self._listen()

    # -- within ---------------------------------------------------------------------------

    def _listen(self) -> None:
        listener = self._listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _hang_up(self) -> None:
        for held in self._held:
            held.close()
        self._held.clear()
        # Wakes the thread that accepts: closing alone would leave it, and the port, as they are.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _cut(self) -> None:
        self._hang_up()
        if self._silent:
            # A queue of one that is full: the kernel answers no further request to connect.
            full = socket.socket()
            full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            full.bind(self._address)
            full.listen(0)
            self._held = [full]
            for _ in range(3):
                waiting = socket.socket()
                waiting.setblocking(False)
                waiting.connect_ex(self._address)
                self._held.append(waiting)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError), accepted as peer:
            first = peeked(peer)
            if READS.match(first):
                return self._read(peer, first)
            with self._lock:
                plan, self._break = self._break, None
                self.writes.append(first.split(b"\r\n", 1)[0])
            if plan is None:
                peer.sendall(self._passed_on(request_of(peer)))
                return
            if not plan.unread:
                request = request_of(peer)
                if plan.applied:
                    self._passed_on(request)
            plan.fault(peer)

    def _read(self, peer: socket.socket, first: bytes) -> None:
        answer = self._passed_on(request_of(peer))
        if b"/auth/" not in first.split(b"\r\n", 1)[0]:
            self.reads += 1
            if self._cut_after is not None and self._cut_after > 0:
                self._cut_after -= 1
                if self._cut_after == 0:
                    self._cut()
            if self.twist is not None:
                path = first.split(b" ", 2)[1].decode("ascii", "replace").partition("?")[0]
                answer = with_body(answer, self.twist(path, body_of(answer)))
        peer.sendall(answer)

    def _passed_on(self, request: bytes) -> bytes:
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [
            line
            for line in head.split(b"\r\n")
            if not line.lower().startswith((b"connection", b"accept-encoding"))
        ]
        with socket.create_connection(self._there, timeout=10) as there:
            there.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            answer = b"".join(iter(lambda: there.recv(65536), b""))
        status, _, rest = answer.partition(b"\r\n")
        return status + b"\r\nConnection: close\r\n" + rest


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def with_body(answer: bytes, body: bytes) -> bytes:
    head = answer.partition(b"\r\n\r\n")[0]
    head = re.sub(rb"(?i)(\r\ncontent-length:) *\d+", rb"\1 %d" % len(body), head)
    return head + b"\r\n\r\n" + body


def peeked(peer: socket.socket) -> bytes:
    """The head of the request, left where it is."""
    size = 4096
    while True:
        seen = peer.recv(size, socket.MSG_PEEK)
        if not seen or b"\r\n\r\n" in seen:
            return seen
        size = max(size, len(seen) * 2)


def request_of(peer: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            raise ConnectionError
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    while len(body) < (int(found[1]) if found else 0):
        body += peer.recv(65536)
    return head + b"\r\n\r\n" + body


def answering(status: str, body: bytes | dict | list, *headers: str) -> Fault:
    """A whole answer."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()

    def fault(peer: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", "Connection: close",
                 f"Content-Length: {len(sent)}", *headers]  # fmt: skip
        peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + sent)

    return fault


def reset_unread(peer: socket.socket) -> None:
    """RST while the request still lies in the buffer."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
