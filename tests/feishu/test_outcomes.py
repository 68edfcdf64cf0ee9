"""What each documented code means for a write."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.feishu import endpoints, writes
from lifecycle.feishu.calls import Call
from lifecycle.feishu.code_rows import BY_PLACE, ROWS
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.envelope import Envelope, read_envelope
from lifecycle.feishu.outcomes import Outcome, classify, is_already, row_for

A1, A2, A3, A4, A5 = endpoints.WRITES

UNKNOWN = {
    (A1, 1002001),
    (A2, 1002001),
    (A3, 1002001),
    (A4, 1160103),
    (A4, 1161000),
    (A5, 1160025),
    (A5, 1161204),
    (A4, 1161204),
}
DOCUMENTED = {
    A1: [1002001, 1002002],
    A2: [1002001, 1002002, 1002902, 1002903, 1002905, 1002907, 1002908, 1002910],
    A3: [1002001, 1002002, 1002901, 1002902, 1002904, 1002905, 1002908, 1002210],
    A4: [
        *(1160102, 1160103, 1160200, 1160203, 1160204, 1160205, 1160300, 1160304, 1160601),
        *(1160602, 1160603, 1160604, 1160607, 1160608, 1160610, 1160617, 1160618, 1160619),
        *(1160623, 1160624, 1160625, 1160630, 1160631, 1160636, 1160637, 1160638, 1160639),
        *(1160700, 1160710, 1161000, 1161001, 1161002),
    ],
    A5: [1161019, 1161020, 1161021, 1161022, 1161023, 1161024, 1161025, 1160025],
}
PAIRS = [(endpoint, code) for endpoint, codes in DOCUMENTED.items() for code in codes]
STATUSES = [200, 400, 403, 404, 500, 502]


def envelope(status: int, code: int, data: dict[str, object] | None = None) -> Envelope:
    return read_envelope(status, {}, json.dumps({"code": code, "data": data or {}}).encode())


def name_of(value: object) -> str | None:
    return value.name if isinstance(value, Endpoint) else None


class TestClassifyDocumentedCodes:
    def test_knows_56_pairs_and_the_two_newer_ones(self) -> None:
        assert len(PAIRS) == 58

    @pytest.mark.parametrize(("endpoint", "code"), PAIRS, ids=name_of)
    def test_does_not_care_about_the_http_status(self, endpoint: Endpoint, code: int) -> None:
        expected = Outcome.UNKNOWN if (endpoint, code) in UNKNOWN else Outcome.REJECTED
        outcomes = {classify(endpoint, envelope(status, code)) for status in STATUSES}
        assert outcomes == {expected}

    @pytest.mark.parametrize("endpoint", endpoints.WRITES, ids=name_of)
    @pytest.mark.parametrize(
        ("code", "expected"),
        [
            (99991400, Outcome.THROTTLED),
            (99991661, Outcome.AUTH),
            (99991663, Outcome.AUTH),
            (99991664, Outcome.AUTH),
            (99991665, Outcome.AUTH),
            (99991668, Outcome.AUTH),
            (99991671, Outcome.AUTH),
            (99991677, Outcome.AUTH),
            (99991672, Outcome.REJECTED),
            (2200, Outcome.UNKNOWN),
        ],
    )
    def test_knows_the_gateway_on_every_endpoint(
        self, endpoint: Endpoint, code: int, expected: Outcome
    ) -> None:
        assert {classify(endpoint, envelope(status, code)) for status in STATUSES} == {expected}

    @pytest.mark.parametrize(
        ("endpoint", "code", "expected"),
        [
            (A4, 1161604, Outcome.THROTTLED),
            (A5, 1161604, Outcome.THROTTLED),
            (A4, 1161204, Outcome.UNKNOWN),
            (A5, 1161000, Outcome.UNKNOWN),
            (A1, 1020001, Outcome.UNKNOWN),
            (A1, 1160102, Outcome.UNKNOWN),
            (A4, 1002902, Outcome.UNKNOWN),
        ],
    )
    def test_knows_what_a_family_shares_and_no_more(
        self, endpoint: Endpoint, code: int, expected: Outcome
    ) -> None:
        assert classify(endpoint, envelope(400, code)) is expected

    @given(st.sampled_from(endpoints.WRITES), st.integers(-(2**62), 2**62))
    def test_takes_an_undocumented_code_for_unknown(self, endpoint: Endpoint, code: int) -> None:
        if code != 0 and row_for(endpoint, code) is None:
            assert classify(endpoint, envelope(400, code)) is Outcome.UNKNOWN


class TestClassifyByStatus:
    @pytest.mark.parametrize(
        ("status", "expected"),
        [
            (200, Outcome.UNKNOWN),
            (302, Outcome.UNKNOWN),
            (401, Outcome.AUTH),
            (403, Outcome.UNKNOWN),
            (404, Outcome.UNKNOWN),
            (429, Outcome.THROTTLED),
            (500, Outcome.UNKNOWN),
            (502, Outcome.UNKNOWN),
            (503, Outcome.UNKNOWN),
            (504, Outcome.UNKNOWN),
        ],
    )
    def test_decides_when_there_is_no_code(self, status: int, expected: Outcome) -> None:
        assert classify(A2, read_envelope(status, {}, b"")) is expected

    def test_never_believes_a_redirect(self) -> None:
        assert classify(A2, envelope(307, 0)) is Outcome.UNKNOWN


class TestClassifySuccess:
    A2_CALL = writes.update_employee("7095", operation=writes.EmployeeOperation.UNDO_CONVERSION)
    A3_CALL = writes.transfer_onboard("7073")
    A5_CALL = writes.update_pre_hire("154", client_token="t", onboarding_status="preboarding")

    @pytest.mark.parametrize(
        ("call", "data", "expected"),
        [
            (A2_CALL, {"employee": {"id": "7095"}}, Outcome.APPLIED),
            (A2_CALL, {"employee": {"id": "7096"}}, Outcome.UNKNOWN),
            (A2_CALL, {"employee": {"id": 7095}}, Outcome.UNKNOWN),
            (A2_CALL, {"employee": {"id": None}}, Outcome.APPLIED),
            (A2_CALL, {"employee": None}, Outcome.APPLIED),
            (A2_CALL, {}, Outcome.APPLIED),
            (A3_CALL, {"employee": {"id": "1", "application_id": "7073"}}, Outcome.APPLIED),
            (A3_CALL, {"employee": {"id": "1", "application_id": "7074"}}, Outcome.UNKNOWN),
            (A5_CALL, {"pre_hire": {"id": "154"}}, Outcome.APPLIED),
            (A5_CALL, {"pre_hire": {"id": "155"}}, Outcome.UNKNOWN),
        ],
    )
    def test_holds_only_when_the_answer_names_the_same_record(
        self, call: Call, data: dict[str, object], expected: Outcome
    ) -> None:
        assert classify(call.endpoint, envelope(200, 0, data), call=call) is expected


class TestIsAlready:
    @pytest.mark.parametrize(
        ("endpoint", "code", "expected"),
        [
            (A1, 1002002, True),
            (A2, 1002902, True),
            (A2, 1002903, True),
            (A2, 1002908, False),
            (A3, 1002904, True),
            (A3, 1002902, True),
            (A3, 1002901, False),
            (A4, 1160631, True),
            (A4, 1160623, False),
            (A5, 1161019, False),
            (A2, None, False),
            (A4, 1002904, False),
        ],
    )
    def test_marks_refusals_an_earlier_success_explains(
        self, endpoint: Endpoint, code: int | None, expected: bool
    ) -> None:
        assert is_already(endpoint, code) is expected


class TestCodeRows:
    def test_has_each_code_once_per_place_with_a_reason(self) -> None:
        assert len(BY_PLACE) == len(ROWS)
        assert all(row.reason for row in ROWS)

    def test_marks_only_refusals_as_already(self) -> None:
        assert {row.outcome for row in ROWS if row.already} == {Outcome.REJECTED}

    def test_stores_outcomes_in_lower_case(self) -> None:
        assert [outcome.value for outcome in Outcome] == [
            "applied",
            "rejected",
            "throttled",
            "auth",
            "not_sent",
            "unknown",
        ]
