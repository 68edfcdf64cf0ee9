"""Answers made of random bytes and of well-formed pieces in the wrong order."""

from __future__ import annotations

import socket

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle.feishu.transport import Request, Timeouts, Transport

from .servers import FaultServer

PIECES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/9 999999 x\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Content-Type: \xff\xfe\r\n",
        b"Set-Cookie: a=\x00; Domain=[\r\n",
        b"Location: http://[::1\r\n",
        b"no colon\r\n",
        b" folded\r\n",
        b"\r\n",
        b"ffffffffffffffff\r\n",
        b"3\r\nabc\r\n0\r\n\r\n",
        b'{"code":0}',
    ]
)


class TestAnyAnswer:
    @given(st.lists(PIECES | st.binary(max_size=20), max_size=8))
    @settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_ends_in_an_exchange(self, pieces: list[bytes]) -> None:
        def fault(peer: socket.socket) -> None:
            peer.sendall(b"".join(pieces))

        timeouts = Timeouts(connect_s=1, read_s=1, total_s=1)
        with FaultServer(fault).running() as server:
            exchange = Transport(timeouts).write(Request("POST", server.url, body=b"{}"))
        assert exchange.was_sent
        assert exchange.problem is not None or exchange.http_status is not None
