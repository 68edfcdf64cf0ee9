"""The client against a real server: ready, send, read, token and secrets."""

from __future__ import annotations

import logging

import pytest

from lifecycle.feishu import endpoints, writes
from lifecycle.feishu.calls import Call
from lifecycle.feishu.client import Client
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import (
    AuthRefused,
    FeishuError,
    InvalidValue,
    LimiterBusy,
    NoAnswer,
    Refused,
    ScopeMissing,
    Throttled,
)
from lifecycle.feishu.outcomes import Outcome

from .conftest import client_for
from .servers import TOKEN_PATH, Answer, Recorder, answer

A1_CALL = writes.update_talent_onboard_status(
    "6960663240925956661", operation=writes.TalentOperation.ONBOARD, at_ms=1676548784889
)
A2_CALL = writes.update_employee("7095", operation=writes.EmployeeOperation.UNDO_CONVERSION)
READ_CALL = Call(endpoints.TALENT_GET, {"talent_id": "1"}, (("user_id_type", "open_id"),))


class RememberingLimiter:
    """Never waits; remembers what it was asked, and refuses when told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool]] = []
        self.paused: list[tuple[str, float]] = []
        self.is_busy = False

    def acquire(self, endpoint: Endpoint, *, background: bool, give_up_after_s: float) -> None:
        if self.is_busy:
            raise LimiterBusy(endpoint, give_up_after_s + 1)
        self.asked.append((endpoint.name, background))

    def pause(self, endpoint: Endpoint, seconds: float) -> None:
        self.paused.append((endpoint.name, seconds))


@pytest.fixture
def limiter() -> RememberingLimiter:
    return RememberingLimiter()


@pytest.fixture
def watched(recorder: Recorder, limiter: RememberingLimiter) -> Client:
    return Client(
        base_url=recorder.url,
        app_id="cli_test",
        app_secret="secret-of-the-app",
        limiter=limiter,
        sleep=lambda seconds: None,
    )


class TestReady:
    def test_has_token_and_slot_so_that_send_is_one_request(
        self, watched: Client, recorder: Recorder, limiter: RememberingLimiter
    ) -> None:
        watched.ready(A1_CALL.endpoint, give_up_after_s=1)
        assert [seen.path for seen in recorder.seen] == [TOKEN_PATH]
        assert limiter.asked == [("hire.talents.onboard_status", False)]
        watched.send(A1_CALL)
        assert len(recorder.seen) == 2
        assert len(limiter.asked) == 1

    def test_says_when_there_is_no_slot(self, watched: Client, limiter: RememberingLimiter) -> None:
        limiter.is_busy = True
        with pytest.raises(LimiterBusy) as caught:
            watched.ready(A1_CALL.endpoint, give_up_after_s=2)
        assert caught.value.retry_after_s == 3

    def test_says_when_the_app_is_not_accepted(self, client: Client, recorder: Recorder) -> None:
        recorder.token_answer = Answer(body=b'{"code":10015,"msg":"app secret invalid"}')
        with pytest.raises(AuthRefused) as caught:
            client.ready(A1_CALL.endpoint, give_up_after_s=1)
        assert caught.value.code == 10015

    @pytest.mark.parametrize(
        "body",
        [
            b'{"code":0,"msg":"ok"}',
            b'{"code":0,"tenant_access_token":"","expire":7200}',
            b'{"code":0,"tenant_access_token":"a\\nb","expire":7200}',
            b'{"code":0,"tenant_access_token":"t-1","expire":"7200"}',
            b"<html>",
        ],
    )
    def test_takes_no_odd_token(self, client: Client, recorder: Recorder, body: bytes) -> None:
        recorder.token_answer = Answer(body=body)
        with pytest.raises(NoAnswer):
            client.ready(A1_CALL.endpoint, give_up_after_s=1)


class TestFetchToken:
    def test_sends_the_credentials_without_a_token(
        self, client: Client, recorder: Recorder
    ) -> None:
        client.renew_token()
        seen = recorder.seen[0]
        assert (seen.method, seen.path) == ("POST", TOKEN_PATH)
        assert seen.json == {"app_id": "cli_test", "app_secret": "secret-of-the-app"}
        assert "authorization" not in seen.headers


class TestSend:
    def test_sends_one_exact_request(self, client: Client, recorder: Recorder) -> None:
        result = client.send(A1_CALL)
        assert result.outcome is Outcome.APPLIED
        (seen,) = recorder.calls
        assert (seen.method, seen.path, seen.query) == ("POST", A1_CALL.path, [])
        assert seen.body == b'{"onboard_time":"1676548784889","operation":1}'
        assert seen.headers["authorization"] == "Bearer t-1"
        assert seen.headers["content-type"] == "application/json; charset=utf-8"

    @pytest.mark.parametrize(
        ("reply", "outcome"),
        [
            (answer(1002001, status=500), Outcome.UNKNOWN),
            (answer(1002002, status=400), Outcome.REJECTED),
            (answer(99991400, status=400), Outcome.THROTTLED),
            (answer(99991663, status=400), Outcome.AUTH),
            (answer(99991672, status=400), Outcome.REJECTED),
            (answer(424242, status=400), Outcome.UNKNOWN),
            (Answer(503, b""), Outcome.UNKNOWN),
        ],
    )
    def test_makes_one_request_whatever_the_answer(
        self, client: Client, recorder: Recorder, reply: Answer, outcome: Outcome
    ) -> None:
        recorder.plan(reply)
        assert client.send(A1_CALL).outcome is outcome
        assert len(recorder.calls) == 1

    def test_keeps_what_support_asks_for(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(answer(1002908, status=400, X_Tt_Logid="2026log", X_Ogw_Ratelimit_Reset="3"))
        result = client.send(A2_CALL)
        assert (result.http_status, result.code, result.log_id) == (400, 1002908, "2026log")
        assert (result.reset_after_s, result.problem) == (3.0, None)
        assert result.evidence.startswith('{"code": 1002908')
        assert result.elapsed_ms >= 0

    def test_cuts_the_evidence(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(Answer(502, b"x" * 10_000))
        assert len(client.send(A2_CALL).evidence) == 4096

    def test_does_not_believe_another_record(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(answer(data={"employee": {"id": "7096"}}))
        assert client.send(A2_CALL).outcome is Outcome.UNKNOWN

    def test_uses_a_new_connection_each_time(self, client: Client, recorder: Recorder) -> None:
        client.send(A1_CALL)
        client.send(A1_CALL)
        assert len({seen.connection for seen in recorder.calls}) == 2

    def test_drops_a_refused_token_so_that_the_next_attempt_renews(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.plan(answer(99991663, status=400))
        assert client.send(A1_CALL).outcome is Outcome.AUTH
        client.renew_token()
        assert client.send(A1_CALL).outcome is Outcome.APPLIED
        tokens = [seen.headers["authorization"] for seen in recorder.calls]
        assert tokens == ["Bearer t-1", "Bearer t-2"]
        assert recorder.tokens_given == 2

    def test_sends_nothing_when_the_app_is_not_accepted(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.token_answer = Answer(body=b'{"code":10014,"msg":"app disabled"}')
        result = client.send(A1_CALL)
        assert (result.outcome, result.code) == (Outcome.AUTH, 10014)
        assert recorder.calls == []

    def test_sends_nothing_when_the_token_is_throttled(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.token_answer = Answer(429, b"", {"x-ogw-ratelimit-reset": "9"})
        result = client.send(A1_CALL)
        assert (result.outcome, result.reset_after_s) == (Outcome.NOT_SENT, 9.0)
        assert recorder.calls == []

    def test_refuses_a_read(self, client: Client) -> None:
        with pytest.raises(InvalidValue):
            client.send(READ_CALL)


class TestRead:
    def test_returns_the_data(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(answer(data={"talent_id": "1", "is_onboarded": True}))
        assert client.read(READ_CALL) == {"talent_id": "1", "is_onboarded": True}

    def test_keeps_its_connection(self, client: Client, recorder: Recorder) -> None:
        client.read(READ_CALL)
        client.read(READ_CALL)
        assert len({seen.connection for seen in recorder.calls}) == 1

    def test_survives_a_connection_closed_behind_its_back(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.plan(answer(Connection="close"))
        client.read(READ_CALL)
        assert client.read(READ_CALL) == {}
        assert len({seen.connection for seen in recorder.calls}) == 2

    def test_takes_a_slot_for_each_attempt(
        self, watched: Client, recorder: Recorder, limiter: RememberingLimiter
    ) -> None:
        recorder.plan(Answer(502, b"<html>"))
        watched.read(READ_CALL, background=True)
        assert limiter.asked == [("hire.talents.get", True)] * 2

    @pytest.mark.parametrize("code", [99991663, 99991664, 99991665, 99991671])
    def test_renews_a_refused_token_once(
        self, client: Client, recorder: Recorder, code: int
    ) -> None:
        recorder.plan(answer(code, status=400))
        assert client.read(READ_CALL) == {}
        assert recorder.tokens_given == 2

    def test_gives_up_when_the_new_token_is_refused_too(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.plan(*[answer(99991663, status=400)] * 3)
        with pytest.raises(AuthRefused):
            client.read(READ_CALL)
        assert len(recorder.calls) == 2

    def test_does_not_renew_for_a_disabled_app(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(answer(99991662, status=400))
        with pytest.raises(AuthRefused):
            client.read(READ_CALL)
        assert len(recorder.calls) == 1

    def test_tries_three_times_at_most_when_answers_cannot_be_read(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.plan(*[Answer(502, b"<html>", {"X-Tt-Logid": "L1"})] * 5)
        with pytest.raises(NoAnswer) as caught:
            client.read(READ_CALL)
        assert (caught.value.problem, caught.value.log_id) == ("not-json", "L1")
        assert len(recorder.calls) == 3

    def test_waits_out_one_short_throttle(
        self, watched: Client, recorder: Recorder, limiter: RememberingLimiter
    ) -> None:
        recorder.plan(answer(99991400, status=429, X_Ogw_Ratelimit_Reset="5"))
        assert watched.read(READ_CALL) == {}
        assert limiter.paused == [("hire.talents.get", 5.0)]

    @pytest.mark.parametrize(("resets", "calls"), [(["6"], 1), (["1", "1"], 2)])
    def test_gives_up_on_a_long_or_second_throttle(
        self, client: Client, recorder: Recorder, resets: list[str], calls: int
    ) -> None:
        for reset in resets:
            recorder.plan(answer(99991400, status=400, X_Ogw_Ratelimit_Reset=reset))
        with pytest.raises(Throttled) as caught:
            client.read(READ_CALL)
        assert caught.value.reset_after_s == float(resets[-1])
        assert len(recorder.calls) == calls

    def test_names_the_missing_scope(self, client: Client, recorder: Recorder) -> None:
        body = (
            b'{"code":99991672,"msg":"no","error":{"log_id":"L2","permission_violations":'
            b'[{"type":"action_scope_required","subject":"hire:talent"}]}}'
        )
        recorder.plan(Answer(400, body))
        with pytest.raises(ScopeMissing) as caught:
            client.read(READ_CALL)
        assert (caught.value.scopes, caught.value.log_id) == (("hire:talent",), "L2")
        assert len(recorder.calls) == 1

    def test_raises_a_refusal_at_once(self, client: Client, recorder: Recorder) -> None:
        recorder.plan(answer(1002102, status=404))
        with pytest.raises(Refused) as caught:
            client.read(READ_CALL)
        assert (caught.value.code, type(caught.value)) == (1002102, Refused)
        assert len(recorder.calls) == 1

    def test_refuses_a_write(self, client: Client, recorder: Recorder) -> None:
        with pytest.raises(InvalidValue):
            client.read(A1_CALL)
        assert recorder.seen == []


class TestSecrets:
    def test_stay_out_of_texts_and_logs(
        self, client: Client, recorder: Recorder, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        recorder.plan(*[answer(1002102, {"name": "林伟"}, status=404, X_Tt_Logid="L3")] * 2)
        result = client.send(A1_CALL)
        with pytest.raises(FeishuError) as caught:
            client.read(READ_CALL)
        told = " ".join([repr(client), repr(result), repr(caught.value), caplog.text])
        for secret in ("secret-of-the-app", "t-1", "林伟", "any text"):
            assert secret not in told


class TestBaseUrl:
    @pytest.mark.parametrize(
        "url",
        ["", "open.feishu.cn", "http://open.feishu.cn", "ftp://127.0.0.1", "https://u:p@a.cn",
         "https://a.cn/x", "https://a.cn?x", "https://a.cn#x", "https://", "http://127.0.0.1.evil.cn"],
    )  # fmt: skip
    def test_is_https_or_this_machine(self, url: str) -> None:
        with pytest.raises(InvalidValue):
            client_for(url)

    @pytest.mark.parametrize(
        "url", ["https://open.feishu.cn", "https://open.larksuite.com/", "http://localhost:8001"]
    )
    def test_takes_both_brands_and_a_local_server(self, url: str) -> None:
        assert url.rstrip("/") in repr(client_for(url))


class TestEnvironment:
    def test_is_not_asked_for_a_proxy(
        self, client: Client, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        assert client.send(A1_CALL).outcome is Outcome.APPLIED
