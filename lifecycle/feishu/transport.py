"""One HTTP exchange with Feishu, and an honest word on how it went.

No redirects, no retries, no proxy or netrc from the environment, no cookies, TLS always
verified. A write gets a connection of its own, because a kept-alive one may have been
closed by the other side and would fail in a way that looks like a lost answer; reads share
a pool. The whole exchange has one deadline, and the body a cap that counts after
decompression, so neither a dripping server nor a bomb can hold or fill the process.
"""

from __future__ import annotations

import os
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import requests
from requests import PreparedRequest, Response
from requests.exceptions import RequestException
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from lifecycle.feishu.connections import DeadlineOver, Watch, WatchedAdapter

MEBIBYTE = 1024 * 1024
WRITE_BODY_CAP = MEBIBYTE
READ_BODY_CAP = 16 * MEBIBYTE
CHUNK = 64 * 1024
READ_CONNECTIONS = 16
ZLIB_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: to connect, for one silent read, and for the whole exchange."""

    connect_s: float = 3.0
    read_s: float = 10.0
    total_s: float = 15.0


@dataclass(frozen=True, slots=True)
class Request:
    """What to send. Headers and body hold secrets and personal data: never shown."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Exchange:
    """How one exchange went.

    `problem` is None when the whole answer arrived. Otherwise it is one word, and
    `was_sent` is false only when no byte of the request can have reached Feishu.
    """

    was_sent: bool
    problem: str | None = None
    http_status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    elapsed_ms: int = 0


class _BadBody(Exception):
    """The body is too large or packed in a way we do not read."""


class Transport:
    """Sends requests. Threads may share one, and so may a forked child."""

    def __init__(self, timeouts: Timeouts) -> None:
        self._timeouts = timeouts
        self._lock = threading.Lock()
        self._shared: WatchedAdapter | None = None
        self._owner_pid = 0

    def write(self, request: Request, *, ends_at: float | None = None) -> Exchange:
        """Send once over a fresh connection. Never raises for what happens on the wire.

        `ends_at`: the caller's own deadline, of time.monotonic(), when that comes before
        the total of the timeouts.
        """
        ends_at = self._ends_at() if ends_at is None else ends_at
        adapter = WatchedAdapter(connections=1)
        try:
            return self._exchange(adapter, request, cap=WRITE_BODY_CAP, ends_at=ends_at)
        finally:
            adapter.close()

    def read(self, request: Request) -> Exchange:
        """Send once, over a kept connection if there is one. Never raises for the wire."""
        adapter, ends_at = self._shared_adapter(), self._ends_at()
        return self._exchange(adapter, request, cap=READ_BODY_CAP, ends_at=ends_at)

    def _ends_at(self) -> float:
        return time.monotonic() + self._timeouts.total_s

    def _shared_adapter(self) -> WatchedAdapter:
        """The pool of this process; a child must not speak on its parent's connections."""
        with self._lock:
            if self._shared is None or self._owner_pid != os.getpid():
                self._shared = WatchedAdapter(connections=READ_CONNECTIONS)
                self._owner_pid = os.getpid()
            return self._shared

    def _exchange(
        self, adapter: WatchedAdapter, request: Request, *, cap: int, ends_at: float
    ) -> Exchange:
        started = time.monotonic()
        prepared = _prepared(request)
        with Watch(ends_at) as watch:
            answer = self._answer(adapter, prepared, cap, watch)
        elapsed_ms = round((time.monotonic() - started) * 1000)
        status, headers, body, problem = answer
        return Exchange(watch.sent, problem, status, headers, body, elapsed_ms)

    def _answer(
        self, adapter: WatchedAdapter, prepared: PreparedRequest, cap: int, watch: Watch
    ) -> tuple[int | None, Mapping[str, str], bytes, str | None]:
        response: Response | None = None
        pieces: list[bytes] = []
        try:
            response = adapter.send(
                prepared,
                stream=True,
                timeout=(self._timeouts.connect_s, self._timeouts.read_s),
                verify=True,
            )
            pieces.extend(_pieces(response, cap))
            problem = "deadline" if watch.is_over else None
        except (RequestException, HTTPError, OSError, ValueError, _BadBody, zlib.error) as error:
            problem = _word_for(error, watch)
        if response is None:
            return None, {}, b"", problem
        if problem:
            response.close()
        return response.status_code, dict(response.headers), b"".join(pieces), problem


def _prepared(request: Request) -> PreparedRequest:
    return requests.Request(
        request.method,
        request.url,
        params=list(request.query),
        headers=dict(request.headers),
        data=request.body,
    ).prepare()


def _pieces(response: Response, cap: int) -> Iterator[bytes]:
    """The body in pieces, unpacked, never more than `cap` bytes in all."""
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    left = cap
    while packed := response.raw.read(CHUNK, decode_content=False):
        piece = unpack(packed, left + 1)
        left -= len(piece)
        if left < 0:
            raise _BadBody("body-too-large")
        yield piece


def _unpacker(encoding: str) -> Callable[[bytes, int], bytes]:
    """A function that unpacks the next bytes, into no more than so many."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return lambda packed, most: packed
    if name not in ZLIB_BITS:
        raise _BadBody("unknown-encoding")
    return zlib.decompressobj(ZLIB_BITS[name]).decompress


def _word_for(error: BaseException, watch: Watch) -> str:
    """One word for a failure, found anywhere in the chain of its causes."""
    if watch.is_over:
        return "deadline"
    chain = list(_causes(error))
    for kind, word in WORDS:
        if any(isinstance(cause, kind) for cause in chain):
            return "connect-timeout" if word == "read-timeout" and not watch.sent else word
    bad_body = next((cause for cause in chain if isinstance(cause, _BadBody)), None)
    if bad_body is not None:
        return str(bad_body)
    return "connection-lost" if watch.sent else "no-connection"


WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (DeadlineOver, "deadline"),
    (NameResolutionError, "name-not-found"),
    (socket.gaierror, "name-not-found"),
    (ConnectionRefusedError, "connection-refused"),
    (ConnectionResetError, "connection-reset"),
    (SSLError, "tls"),
    (ssl.SSLError, "tls"),
    (NewConnectionError, "no-connection"),
    (ConnectTimeoutError, "connect-timeout"),
    (ReadTimeoutError, "read-timeout"),
    (TimeoutError, "read-timeout"),
    (IncompleteRead, "truncated"),
    (zlib.error, "broken-encoding"),
)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        cause = waiting.pop()
        if not isinstance(cause, BaseException) or id(cause) in seen:
            continue
        seen.add(id(cause))
        yield cause
        reason = getattr(cause, "reason", None)
        waiting += [cause.__cause__, cause.__context__, reason, *cause.args]
