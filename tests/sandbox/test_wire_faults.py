import time
from typing import Any

import pytest
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout

from .tenant_under_test import TenantUnderTest


def convert(tenant: TenantUnderTest, employee: dict[str, Any], **options: Any) -> requests.Response:
    body = {
        "operation": 1,
        "conversion_info": {"actual_conversion_time": employee["onboard_time"] + 1},
    }
    timeout = options.pop("timeout", 5)
    url = f"{tenant.base_url}/open-apis/hire/v1/employees/{employee['id']}"
    headers = {"Authorization": str(tenant.http.headers["Authorization"]), "Connection": "close"}
    return requests.patch(url, json=body, headers=headers, timeout=timeout, **options)


def wait_until(condition: Any) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.thorough
class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "text", "applied"),
        [
            ("drop_before", "without response", []),
            ("drop_after", "without response", ["convert"]),
            ("reset_before", "reset by peer", []),
            ("reset_after", "reset by peer", ["convert"]),
        ],
    )
    def test_lose_the_connection(
        self, tenant: TenantUnderTest, kind: str, text: str, applied: list[str]
    ) -> None:
        bo = tenant.on_probation()
        tenant.control.fault(kind, endpoint="A2")
        with pytest.raises(ConnectionError, match=text):
            convert(tenant, bo)
        assert tenant.control.operations(bo["id"]) == applied
        assert tenant.control.requests()[-1]["fault"] == kind

    @pytest.mark.parametrize(("applied", "operations"), [(False, []), (True, ["convert"])])
    def test_hang(self, tenant: TenantUnderTest, applied: bool, operations: list[str]) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("hang", endpoint="A2", delay_s=1, applied=applied)
        with pytest.raises(ReadTimeout):
            convert(tenant, bo, timeout=0.3)
        assert tenant.control.operations(bo["id"]) == operations

    @pytest.mark.parametrize(
        ("kind", "options", "status", "applied"),
        [
            ("error_before", {}, 502, []),
            ("error_before", {"http_status": 503}, 503, []),
            ("error_after", {}, 502, ["convert"]),
            ("redirect", {}, 302, ["convert"]),
            ("garbage", {}, 200, ["convert"]),
        ],
    )
    def test_answer_without_json(
        self,
        tenant: TenantUnderTest,
        kind: str,
        options: dict[str, Any],
        status: int,
        applied: list[str],
    ) -> None:
        bo = tenant.on_probation()
        tenant.control.fault(kind, endpoint="A2", **options)
        answer = convert(tenant, bo, allow_redirects=False)
        assert answer.status_code == status
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
        assert tenant.control.operations(bo["id"]) == applied

    def test_redirect_to_a_dead_host(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("redirect", endpoint="A2", http_status=307)
        with pytest.raises(ConnectionError, match="refused"):
            convert(tenant, bo)
        assert tenant.control.operations(bo["id"]) == ["convert"]

    @pytest.mark.parametrize(
        "body", ["", "[]", "{}", '{"msg":"ok"}', '{"code":"0","data":{}}', "null"]
    )
    def test_answer_any_body(self, tenant: TenantUnderTest, body: str) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("garbage", endpoint="A2", body=body)
        assert convert(tenant, bo).text == body
        assert tenant.control.operations(bo["id"]) == ["convert"]

    @pytest.mark.parametrize(
        ("kind", "options", "expected"),
        [
            ("throttle", {}, (429, 99991400)),
            ("expired_token", {}, (400, 99991663)),
            ("code", {"code": 1002001}, (500, 1002001)),
            ("code", {"code": 1002902}, (400, 1002902)),
            ("code", {"code": 99991400, "http_status": 400}, (400, 99991400)),
            ("code", {"code": 4242, "http_status": 418}, (418, 4242)),
        ],
    )
    def test_refuse(
        self, tenant: TenantUnderTest, kind: str, options: dict[str, Any], expected: tuple[int, int]
    ) -> None:
        bo = tenant.on_probation()
        tenant.control.fault(kind, endpoint="A2", **options)
        answer = convert(tenant, bo)
        assert (answer.status_code, answer.json()["code"]) == expected
        assert tenant.control.operations(bo["id"]) == []
        assert convert(tenant, bo).json()["code"] == 0, "once only"

    def test_throttle_tells_how_long(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("throttle", endpoint="H9", delay_s=7)
        answer = tenant.raw("GET", "hire/v1/job_processes")
        assert answer.headers["x-ogw-ratelimit-reset"] == "7"

    def test_truncate_the_header(self, tenant: TenantUnderTest) -> None:
        """Without a word of warning: a 200 with nothing in it."""
        bo = tenant.on_probation()
        tenant.control.fault("truncated_header", endpoint="A2")
        answer = convert(tenant, bo)
        assert (answer.status_code, answer.content) == (200, b"")
        assert tenant.control.operations(bo["id"]) == ["convert"]

    def test_truncate_the_body(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("truncated_body", endpoint="A2")
        with pytest.raises(ChunkedEncodingError):
            convert(tenant, bo)
        assert tenant.control.operations(bo["id"]) == ["convert"]

    def test_drip(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("drip", endpoint="A2", delay_s=1)
        start = time.monotonic()
        assert convert(tenant, bo, timeout=0.5).json()["code"] == 0, (
            "a timeout per receive does not notice"
        )
        assert time.monotonic() - start > 0.8

    def test_bomb(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("gzip_bomb", endpoint="H9")
        answer = tenant.raw("GET", "hire/v1/job_processes", stream=True)
        assert int(answer.headers["Content-Length"]) < 200_000
        assert len(answer.content) == 100 * 1024 * 1024

    def test_brackets(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("brackets", endpoint="H9")
        answer = tenant.raw("GET", "hire/v1/job_processes")
        assert len(answer.content) == 10 * 1024 * 1024
        with pytest.raises(RecursionError):
            answer.json()

    def test_apply_late(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("late", endpoint="A2", delay_s=0.3)
        with pytest.raises(ConnectionError):
            convert(tenant, bo)
        assert tenant.control.operations(bo["id"]) == []
        assert tenant.control.info()["late_pending"] == 1
        wait_until(lambda: tenant.control.info()["late_pending"] == 0)
        assert tenant.control.operations(bo["id"]) == ["convert"]
        assert tenant.control.requests()[-1]["processed"] is True

    def test_late_ones_do_not_outlive_a_reset(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.fault("late", endpoint="A2", delay_s=0.2)
        with pytest.raises(ConnectionError):
            convert(tenant, bo)
        tenant.control.reset()
        wait_until(lambda: tenant.control.info()["late_pending"] == 0)
        assert tenant.control.effects() == []


class TestAiming:
    def test_counts_down_and_skips(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("code", code=1002001, endpoint="H9", times=2, after=1)
        codes = [tenant.call("GET", "hire/v1/job_processes")[1] for _ in range(5)]
        assert codes == [0, 1002001, 1002001, 0, 0]
        (left,) = tenant.control.faults()
        assert (left["remaining"], left["hits"]) == (0, 2)

    def test_by_method_and_path(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault(
            "code", code=1, method="GET", path_prefix="/open-apis/corehr/", times=9
        )
        assert tenant.call("GET", "hire/v1/job_processes") == (200, 0)
        assert tenant.call("POST", "corehr/v1/offboardings/query", json={}) == (200, 0)
        assert tenant.call("GET", "corehr/v1/job_levels", params={"page_size": 1})[1] == 1

    def test_can_hit_the_token_call(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("code", code=10014, endpoint="B1")
        path = "auth/v3/tenant_access_token/internal"
        assert tenant.call("POST", path, json={}) == (400, 10014)

    def test_clears(self, tenant: TenantUnderTest) -> None:
        tenant.control.fault("code", code=1, times=9)
        tenant.control.clear_faults()
        assert tenant.call("GET", "hire/v1/job_processes") == (200, 0)

    def test_storms_are_repeatable_and_spare_reads(self, tenant: TenantUnderTest) -> None:
        def storm() -> list[int]:
            tenant.control.reset()
            tenant.control.storm(["error_before", "throttle"], probability=0.4, seed=7)
            employee = tenant.on_probation()["id"]
            path = f"hire/v1/employees/{employee}"
            assert all(tenant.call("GET", path) == (200, 0) for _ in range(10))
            return [tenant.raw("PATCH", path, json={}).status_code for _ in range(40)]

        first = storm()
        assert first == storm()
        assert set(first) == {400, 429, 502}

    @pytest.mark.parametrize(
        "wanted",
        [
            {"kind": "melt"},
            {"kind": "code"},
            {"kind": "hang", "until": 3},
            {"kind": "hang", "on": "x"},
        ],
    )
    def test_refuses_nonsense(self, tenant: TenantUnderTest, wanted: dict[str, Any]) -> None:
        answer = requests.post(tenant.base_url + "/sandbox/faults", json=wanted, timeout=5)
        assert answer.status_code == 400
        assert tenant.control.faults() == []
