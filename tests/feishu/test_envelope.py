"""Reading answers: each odd one in three lines, then whatever a generator thinks of."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu.envelope import read_envelope

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
ENVELOPES = st.dictionaries(
    st.sampled_from(["code", "msg", "data", "error", "log_id"]), JSON, max_size=5
)


class TestReadEnvelope:
    def test_reads_a_success(self) -> None:
        envelope = read_envelope(200, {}, b'{"code":0,"msg":"SUCCESS","data":{"a":1}}')
        assert envelope.is_success
        assert (envelope.msg, envelope.data) == ("SUCCESS", {"a": 1})

    def test_judges_success_by_the_code_not_the_status(self) -> None:
        assert not read_envelope(200, {}, b'{"code":1002001,"msg":"ok"}').is_success

    def test_takes_a_missing_or_null_data_for_empty(self) -> None:
        assert read_envelope(200, {}, b'{"code":0}').data == {}
        assert read_envelope(200, {}, b'{"code":0,"data":null}').is_success

    def test_keeps_the_top_level_fields_of_a_token_answer(self) -> None:
        body = b'{"code":0,"msg":"ok","tenant_access_token":"t-1","expire":5412}'
        assert read_envelope(200, {}, body).data == {"tenant_access_token": "t-1", "expire": 5412}

    @pytest.mark.parametrize(
        ("body", "problem"),
        [
            (b"", "empty"),
            (b" \r\n", "empty"),
            (b"<html></html>", "not-json"),
            (b'{"code":0', "not-json"),
            (b'{"code":0,"data":{"a":NaN}}', "not-json"),
            (b'{"code":' + b"9" * 5000 + b"}", "not-json"),
            (b"[]", "not-an-object"),
            (b"null", "not-an-object"),
            (b'"code"', "not-an-object"),
            (b"[" * 100_000, "too-deep"),
            (b'{"a":' * 100_000, "too-deep"),
            ("{“code”:0}".encode("gbk"), "not-utf8"),
            ('{"code":0}'.encode("utf-16"), "not-utf8"),
            (b"{}", "no-code"),
            (b'{"code":null}', "no-code"),
            (b'{"code":"0"}', "code-not-a-number"),
            (b'{"code":false}', "code-not-a-number"),
            (b'{"code":0.0}', "code-not-a-number"),
            (b'{"code":[0]}', "code-not-a-number"),
            (b'{"code":9223372036854775808}', "code-out-of-range"),
            (b'{"code":0,"data":[]}', "data-not-an-object"),
            (b'{"code":0,"data":"ok"}', "data-not-an-object"),
        ],
    )
    def test_says_what_cannot_be_read(self, body: bytes, problem: str) -> None:
        envelope = read_envelope(502, {"X-Tt-Logid": "abc"}, body)
        assert (envelope.readable, envelope.problem, envelope.code) == (False, problem, None)
        assert (envelope.http_status, envelope.log_id) == (502, "abc")

    def test_reads_a_refusal_with_odd_data(self) -> None:
        envelope = read_envelope(400, {}, b'{"code":1160103,"msg":null,"data":"","error":"x"}')
        assert (envelope.code, envelope.msg, envelope.data) == (1160103, "", {})
        assert envelope.readable

    def test_accepts_a_byte_order_mark(self) -> None:
        assert read_envelope(200, {}, b'\xef\xbb\xbf{"code":0}').is_success

    def test_replaces_characters_no_database_takes(self) -> None:
        envelope = read_envelope(200, {}, b'{"code":0,"data":{"n":"a\\u0000b\\ud800c"}}')
        assert envelope.data == {"n": "a\ufffdb?c"}

    @pytest.mark.parametrize("name", ["log_id", "logid"])
    def test_finds_the_log_id_in_the_error_object(self, name: str) -> None:
        body = json.dumps({"code": 1, "error": {name: "20260101"}}).encode()
        assert read_envelope(400, {}, body).log_id == "20260101"

    def test_prefers_the_log_id_of_the_header(self) -> None:
        envelope = read_envelope(400, {"x-tt-LOGID": "head"}, b'{"code":1,"error":{"log_id":"b"}}')
        assert envelope.log_id == "head"

    @pytest.mark.parametrize(
        ("header", "seconds"), [("7", 7.0), ("0.5", 0.5), ("", None), ("-1", None), ("nan", None)]
    )
    def test_reads_the_seconds_to_wait(self, header: str, seconds: float | None) -> None:
        headers = {"X-Ogw-Ratelimit-Reset": header}
        assert read_envelope(429, headers, b"").reset_after_s == seconds

    @pytest.mark.parametrize(
        "violation",
        [
            {"type": "action_scope_required", "subject": "hire:talent"},
            {"scope": "hire:talent", "url": "https://open.feishu.cn/app"},
        ],
    )
    def test_reads_both_shapes_of_a_missing_scope(self, violation: dict[str, str]) -> None:
        error = {"permission_violations": [violation], "helps": [{"url": "https://help"}]}
        body = json.dumps({"code": 99991672, "error": error}).encode()
        envelope = read_envelope(400, {}, body)
        assert envelope.missing_scopes == ("hire:talent",)
        assert "https://help" in envelope.scope_links

    def test_survives_violations_of_any_shape(self) -> None:
        body = b'{"code":1,"error":{"permission_violations":[1,null,{"subject":3}],"helps":{}}}'
        assert read_envelope(400, {}, body).missing_scopes == ()

    def test_shows_no_contents_in_repr(self) -> None:
        envelope = read_envelope(200, {}, b'{"code":0,"msg":"Bo","data":{"name":"Bo"}}')
        assert "Bo" not in repr(envelope)


class TestReadEnvelopeOfAnything:
    @given(st.integers(100, 599), st.dictionaries(st.text(), st.text()), st.binary())
    def test_never_raises_on_bytes(self, status: int, headers: dict[str, str], body: bytes) -> None:
        assert read_envelope(status, headers, body).http_status == status

    @given(ENVELOPES)
    def test_is_readable_exactly_when_code_is_a_whole_number(
        self, answer: dict[str, object]
    ) -> None:
        envelope = read_envelope(200, {}, json.dumps(answer).encode())
        code = answer.get("code")
        has_code = type(code) is int and abs(code) < 2**63
        odd_data = code == 0 and not isinstance(answer.get("data"), dict | None)
        assert envelope.readable == (has_code and not odd_data)
        assert isinstance(envelope.missing_scopes, tuple)
