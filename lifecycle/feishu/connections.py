"""Connections that obey a total deadline and know whether anything was sent.

`requests` has a timeout per read, so a server that drips one byte a second can hold a call
for ever, in the headers as in the body. Here a timer shuts the socket down when the time
of the whole exchange is over, wherever it stands: connecting, shaking hands, sending or
reading.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from types import TracebackType
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.poolmanager import PoolManager


class DeadlineOver(OSError):
    """The time of the exchange was over before the request could leave."""


class Watch:
    """The deadline of one exchange, and what has become of it.

    `sent` turns true right before the first byte of the request leaves and never back:
    while it is false, Feishu cannot have seen the request. `ends_at`: of time.monotonic().
    """

    def __init__(self, ends_at: float) -> None:
        self._ends_at = ends_at
        self.sent = False
        self.is_over = False
        self._handle: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(max(0.0, ends_at - time.monotonic()), self._end)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _present.watch = self
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _present.watch = None
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def follow(self, sock: socket.socket) -> None:
        """Shut this socket down when the time is over. Raises DeadlineOver if it is.

        The watch keeps a second descriptor of the same socket: TLS takes over the first
        one, and http.client closes it while an answer is still being read; shutting down
        either ends both.
        """
        with self._lock:
            self._let_go()
            self._handle = socket.socket(fileno=os.dup(sock.fileno()))
            if self.is_over:
                raise DeadlineOver

    def before_sending(self) -> None:
        """Note that bytes are about to leave. Raises DeadlineOver if it is too late.

        Asks the clock too: in a process that was stopped and goes on, the timer may still
        be about to strike.
        """
        with self._lock:
            self.is_over = self.is_over or time.monotonic() >= self._ends_at
            if self.is_over:
                raise DeadlineOver
            self.sent = True

    def _end(self) -> None:
        with self._lock:
            self.is_over = True
            if self._handle is not None:
                with contextlib.suppress(OSError):
                    self._handle.shutdown(socket.SHUT_RDWR)

    def _let_go(self) -> None:
        if self._handle is not None:
            self._handle.close()
            self._handle = None


class _Present(threading.local):
    watch: Watch | None = None


_present = _Present()


class _WatchedMixin:
    """Tells the present watch about the socket and about the first byte."""

    sock: Any

    def _new_conn(self) -> socket.socket:
        sock: socket.socket = super()._new_conn()  # type: ignore[misc]
        if _present.watch is not None:
            _present.watch.follow(sock)
        return sock

    def send(self, data: Any) -> None:
        watch = _present.watch
        if watch is not None and not watch.sent:
            self._start_sending(watch)
        super().send(data)  # type: ignore[misc]

    def _start_sending(self, watch: Watch) -> None:
        if self.sock is None:
            self.connect()  # type: ignore[attr-defined]
        watch.follow(self.sock)
        watch.before_sending()


class WatchedConnection(_WatchedMixin, HTTPConnection):
    """A plain connection under a watch."""


class WatchedTlsConnection(_WatchedMixin, HTTPSConnection):
    """A TLS connection under a watch."""


class WatchedPool(HTTPConnectionPool):
    ConnectionCls = WatchedConnection


class WatchedTlsPool(HTTPSConnectionPool):
    ConnectionCls = WatchedTlsConnection


class WatchedAdapter(HTTPAdapter):
    """An adapter without retries, whose connections obey the present watch."""

    def __init__(self, *, connections: int) -> None:
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": WatchedPool, "https": WatchedTlsPool}
