"""What one write makes of everything a network and a server can do to it."""

from __future__ import annotations

import socket
import time
import tracemalloc

import pytest
import requests

from lifecycle.feishu import writes
from lifecycle.feishu.connections import Watch, WatchedAdapter
from lifecycle.feishu.errors import NoAnswer, NotSent
from lifecycle.feishu.outcomes import Outcome
from lifecycle.feishu.transport import Exchange, Request, Timeouts, Transport

from . import servers
from .conftest import client_for
from .servers import Answer, FaultServer, Recorder, free_port

CALL = writes.update_talent_onboard_status(
    "6960663240925956661", operation=writes.TalentOperation.ONBOARD, at_ms=1676548784889
)

FAULTS = [
    (servers.reset, Outcome.UNKNOWN, "connection-reset"),
    (servers.hang_up, Outcome.UNKNOWN, "connection-reset"),
    (servers.cut_header, Outcome.UNKNOWN, "empty"),
    (servers.cut_body, Outcome.UNKNOWN, "truncated"),
    (servers.zipped_rubbish, Outcome.UNKNOWN, "broken-encoding"),
    (servers.strange_encoding, Outcome.UNKNOWN, "unknown-encoding"),
    (servers.bomb, Outcome.UNKNOWN, "body-too-large"),
    (servers.brackets, Outcome.UNKNOWN, "body-too-large"),
    (servers.shallow_brackets, Outcome.UNKNOWN, "too-deep"),
    (servers.html_502, Outcome.UNKNOWN, "not-json"),
    (servers.html_200, Outcome.UNKNOWN, "not-json"),
    (servers.text_code, Outcome.UNKNOWN, "code-not-a-number"),
    (servers.redirect, Outcome.UNKNOWN, None),
    (servers.not_http, Outcome.UNKNOWN, "connection-lost"),
    (servers.endless_headers, Outcome.UNKNOWN, "connection-lost"),
    (servers.bare_429, Outcome.THROTTLED, "empty"),
    (servers.bare_401, Outcome.AUTH, "empty"),
]


@pytest.mark.thorough
class TestSendThroughAFault:
    @pytest.mark.parametrize(
        ("fault", "outcome", "problem"), FAULTS, ids=[fault.__name__ for fault, _, _ in FAULTS]
    )
    def test_tells_the_outcome_after_one_request(
        self, fault: servers.Fault, outcome: Outcome, problem: str | None
    ) -> None:
        with FaultServer(fault).running() as server:
            result = client_for(server.url).send(CALL)
        assert (result.outcome, result.problem) == (outcome, problem)
        assert server.requests == 1

    @pytest.mark.parametrize(
        "fault",
        [
            servers.drip_body,
            servers.drip_body_without_length,
            servers.drip_header,
            servers.hang,
        ],
    )
    def test_ends_at_the_deadline_whatever_drips(self, fault: servers.Fault) -> None:
        with FaultServer(fault).running() as server:
            started = time.monotonic()
            result = client_for(server.url, total_s=0.4, read_s=10).send(CALL)
            took_s = time.monotonic() - started
        assert (result.outcome, result.problem) == (Outcome.UNKNOWN, "deadline")
        assert took_s < 1.5
        assert server.requests == 1

    def test_counts_the_wait_for_a_token_into_the_deadline(self, recorder: Recorder) -> None:
        token = b'{"code":0,"tenant_access_token":"t-1","expire":7200}'
        recorder.token_answer = Answer(body=token, delay_s=0.8)
        recorder.plan(Answer(delay_s=2))
        started = time.monotonic()
        result = client_for(recorder.url, total_s=1.0, read_s=10).send(CALL)
        assert (result.outcome, result.problem) == (Outcome.UNKNOWN, "deadline")
        assert time.monotonic() - started < 1.5

    def test_unpacks_no_more_of_a_bomb_than_the_cap(self) -> None:
        servers.packed_bomb()
        with FaultServer(servers.bomb).running() as server:
            client = client_for(server.url)
            client.renew_token()
            tracemalloc.start()
            client.send(CALL)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 8_000_000

    def test_ends_at_the_read_timeout_when_the_server_is_silent(self) -> None:
        with FaultServer(servers.hang).running() as server:
            result = client_for(server.url, total_s=5, read_s=0.2).send(CALL)
        assert (result.outcome, result.problem) == (Outcome.UNKNOWN, "read-timeout")

    def test_keeps_the_wait_of_a_throttle_without_a_body(self) -> None:
        with FaultServer(servers.bare_429).running() as server:
            assert client_for(server.url).send(CALL).reset_after_s == 7.0

    def test_keeps_the_start_of_a_strange_answer_for_support(self) -> None:
        with FaultServer(servers.html_502).running() as server:
            result = client_for(server.url).send(CALL)
        assert result.evidence.startswith("<html><h1>502")
        assert "502 Bad" not in repr(result)


class TestSendWithoutAConnection:
    def test_is_not_sent_when_the_port_refuses(self) -> None:
        with Recorder().running() as recorder:
            client = client_for(recorder.url)
            client.renew_token()
        result = client.send(CALL)
        assert (result.outcome, result.problem) == (Outcome.NOT_SENT, "connection-refused")

    def test_is_not_sent_when_no_token_can_be_had(self) -> None:
        result = client_for(f"http://127.0.0.1:{free_port()}").send(CALL)
        assert (result.outcome, result.problem) == (Outcome.NOT_SENT, "no-token")


class TestTransportWithoutAConnection:
    def write(self, url: str, *, connect_s: float = 0.5, total_s: float = 3.0) -> Exchange:
        timeouts = Timeouts(connect_s=connect_s, read_s=0.5, total_s=total_s)
        return Transport(timeouts).write(Request("POST", url, body=b"{}"))

    def test_was_not_sent_when_the_name_is_unknown(self) -> None:
        exchange = self.write("https://open.feishu.invalid/open-apis/")
        assert (exchange.was_sent, exchange.problem) == (False, "name-not-found")

    def test_was_not_sent_when_the_other_side_speaks_no_tls(self, recorder: Recorder) -> None:
        exchange = self.write(recorder.url.replace("http:", "https:"))
        assert (exchange.was_sent, exchange.problem) == (False, "tls")

    def test_was_not_sent_when_the_certificate_is_not_trusted(self) -> None:
        with FaultServer(servers.html_200, tls=True).running() as server:
            exchange = self.write(server.url)
        assert (exchange.was_sent, exchange.problem) == (False, "tls")
        assert server.requests == 0

    @pytest.mark.parametrize(
        ("connect_s", "total_s", "problem"),
        [(0.3, 5.0, "connect-timeout"), (5.0, 0.3, "deadline")],
    )
    def test_was_not_sent_when_the_handshake_hangs(
        self, connect_s: float, total_s: float, problem: str
    ) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            started = time.monotonic()
            url = f"https://127.0.0.1:{silent.getsockname()[1]}"
            exchange = self.write(url, connect_s=connect_s, total_s=total_s)
        assert (exchange.was_sent, exchange.problem) == (False, problem)
        assert time.monotonic() - started < 1.5


class TestKeptConnection:
    def test_obeys_the_deadline_too(self, recorder: Recorder) -> None:
        transport = Transport(Timeouts(connect_s=1, read_s=10, total_s=0.4))
        recorder.plan(Answer(), Answer(delay_s=2))
        first = transport.read(Request("GET", recorder.url))
        started = time.monotonic()
        second = transport.read(Request("GET", recorder.url))
        assert (first.problem, second.problem) == (None, "deadline")
        assert len({seen.connection for seen in recorder.calls}) == 1
        assert time.monotonic() - started < 1.5

    def test_is_never_used_for_a_write(self, recorder: Recorder) -> None:
        transport = Transport(Timeouts())
        transport.read(Request("GET", recorder.url))
        transport.write(Request("POST", recorder.url))
        assert len({seen.connection for seen in recorder.calls}) == 2


class TestWatchOverTls:
    def get(self, fault: servers.Fault, *, total_s: float) -> tuple[Watch, bytes]:
        request = requests.Request("GET", "https://127.0.0.1").prepare()
        with (
            FaultServer(fault, tls=True).running() as server,
            Watch(time.monotonic() + total_s) as watch,
        ):
            request.url = server.url
            adapter = WatchedAdapter(connections=1)
            response = adapter.send(request, stream=True, verify=str(servers.CERTIFICATE))
            return watch, response.raw.read(decode_content=False)

    def test_reads_an_answer_over_tls(self) -> None:
        watch, body = self.get(servers.html_200, total_s=3)
        assert body.startswith(b"<html>")
        assert watch.sent

    def test_cuts_a_drip_over_tls(self) -> None:
        started = time.monotonic()
        watch, _ = self.get(servers.drip_body_without_length, total_s=0.4)
        assert watch.is_over
        assert time.monotonic() - started < 1.5


class TestReadThroughAFault:
    def test_tries_three_times_then_says_no_answer(self) -> None:
        with FaultServer(servers.reset).running() as server, pytest.raises(NoAnswer) as caught:
            client_for(server.url).get_talent("1")
        assert caught.value.problem == "connection-reset"
        assert server.requests == 3

    def test_says_not_sent_when_nobody_listens(self) -> None:
        with pytest.raises(NotSent):
            client_for(f"http://127.0.0.1:{free_port()}").get_talent("1")

    def test_stops_a_bomb_at_the_cap_of_reads(self) -> None:
        with FaultServer(servers.bomb).running() as server, pytest.raises(NoAnswer) as caught:
            client_for(server.url).get_talent("1")
        assert caught.value.problem == "body-too-large"

    def test_does_not_follow_a_redirect(self) -> None:
        with FaultServer(servers.redirect).running() as server, pytest.raises(NoAnswer) as caught:
            client_for(server.url).get_talent("1")
        assert caught.value.problem == "redirect"
