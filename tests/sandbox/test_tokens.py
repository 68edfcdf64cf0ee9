import time
from http.client import HTTPConnection

import pytest
import requests

from lifecycle.sandbox.testing import SandboxServer

from .tenant_under_test import APP, TOKEN_PATH, TenantUnderTest


class TestTenantToken:
    def ask(self, tenant: TenantUnderTest, **body: object) -> requests.Response:
        return requests.post(tenant.base_url + TOKEN_PATH, json={**APP, **body}, timeout=5)

    def test_lies_at_the_top_level(self, tenant: TenantUnderTest) -> None:
        body = self.ask(tenant).json()
        assert body["code"] == 0
        assert body["tenant_access_token"].startswith("t-")
        assert 0 < body["expire"] <= 7200
        assert "data" not in body

    def test_is_the_same_one_while_half_an_hour_is_left(self, tenant: TenantUnderTest) -> None:
        assert (
            self.ask(tenant).json()["tenant_access_token"]
            == self.ask(tenant).json()["tenant_access_token"]
        )

    @pytest.mark.parametrize(
        ("body", "code"),
        [({"app_secret": "wrong"}, 10015), ({"app_id": "cli_other"}, 10003), ({"app_id": None}, 10003),
         ({"app_secret": 7}, 10003)],
    )  # fmt: skip
    def test_is_refused_with_wrong_credentials(
        self, tenant: TenantUnderTest, body: dict[str, object], code: int
    ) -> None:
        answer = self.ask(tenant, **body)
        assert answer.json()["code"] == code
        assert "tenant_access_token" not in answer.json()

    def test_is_a_new_one_below_half_an_hour_and_both_work(self) -> None:
        with SandboxServer().start(people=12, token_life=1799) as server:
            first, second = TenantUnderTest(server), TenantUnderTest(server)
            assert first.http.headers["Authorization"] != second.http.headers["Authorization"]
            assert first.call("GET", "hire/v1/job_processes") == (200, 0)
            assert second.call("GET", "hire/v1/job_processes") == (200, 0)

    def test_expires(self) -> None:
        with SandboxServer().start(people=12, token_life=1) as server:
            tenant = TenantUnderTest(server)
            assert tenant.call("GET", "hire/v1/job_processes") == (200, 0)
            time.sleep(1.1)
            assert tenant.call("GET", "hire/v1/job_processes") == (400, 99991663)

    def test_can_be_revoked_for_all(self, tenant: TenantUnderTest) -> None:
        tenant.control.revoke_tokens()
        assert tenant.call("GET", "hire/v1/job_processes") == (400, 99991663)
        tenant.renew_token()
        assert tenant.call("GET", "hire/v1/job_processes") == (200, 0)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, 99991661),
        ("", 99991661),
        ("Bearer nonsense", 99991671),
        ("t-without-scheme", 99991671),
        ("Bearer t-unknown", 99991663),
        ("Bearer u-of-a-user", 99991668),
    ],
)
def test_calls_need_a_live_tenant_token(
    tenant: TenantUnderTest, header: str | None, code: int
) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = requests.get(
        tenant.base_url + "/open-apis/hire/v1/job_processes", headers=headers, timeout=5
    )
    assert (answer.status_code, answer.json()["code"]) == (400, code)


class TestTheFrontDoor:
    def test_knows_paths_and_methods(self, tenant: TenantUnderTest) -> None:
        assert tenant.call("GET", "hire/v1/nothing") == (404, 99991201)
        assert tenant.call("DELETE", "hire/v1/talents")[1] == 99991301

    @pytest.mark.parametrize("raw", ["{", "[" * 100_000, '{"operation": NaN}', "\udcff"])
    def test_refuses_what_is_not_json(self, tenant: TenantUnderTest, raw: str) -> None:
        data = raw.encode("utf-8", "surrogateescape")
        path, headers = "hire/v1/employees/1", {"Content-Type": "application/json"}
        assert tenant.call("PATCH", path, data=data, headers=headers) == (400, 9499)

    def test_wants_json_as_content_type(self, tenant: TenantUnderTest) -> None:
        assert tenant.call("PATCH", "hire/v1/employees/1", data={"operation": 1}) == (400, 9499)

    def test_keeps_the_connection(self, tenant: TenantUnderTest) -> None:
        connection = HTTPConnection(tenant.base_url.removeprefix("http://"), timeout=5)
        ports = set()
        for _ in range(3):
            connection.request("GET", "/open-apis/hire/v1/job_processes")
            ports.add(connection.sock.getsockname()[1])
            connection.getresponse().read()
        connection.close()
        assert len(ports) == 1

    @pytest.mark.parametrize("body", [[], "text", 7, True])
    def test_wants_an_object(self, tenant: TenantUnderTest, body: object) -> None:
        employee = tenant.on_probation()["id"]
        assert tenant.call("PATCH", f"hire/v1/employees/{employee}", json=body) == (400, 1002002)
