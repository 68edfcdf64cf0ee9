"""A caller of the sandbox: plain HTTP with a token, and the control API beside it."""

from typing import Any

import requests

from lifecycle.sandbox.testing import SandboxServer

APP = {"app_id": "cli_sandbox", "app_secret": "sandbox-secret"}
TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"
DAY_MS = 86_400_000
OPEN_IDS = {
    "user_id_type": "open_id",
    "department_id_type": "open_department_id",
    "job_level_id_type": "job_level_id",
    "job_family_id_type": "job_family_id",
    "employee_type_id_type": "employee_type_enum_id",
}


class TenantUnderTest:
    def __init__(self, server: SandboxServer) -> None:
        self.base_url, self.control = server.base_url, server.control
        self.http = requests.Session()
        self.http.trust_env = False
        self.renew_token()

    def renew_token(self) -> None:
        answer = self.http.post(self.base_url + TOKEN_PATH, json=APP, timeout=5)
        self.http.headers["Authorization"] = "Bearer " + answer.json()["tenant_access_token"]

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        options.setdefault("timeout", 10)
        return self.http.request(method, f"{self.base_url}/open-apis/{path}", **options)

    def call(self, method: str, path: str, **options: Any) -> tuple[int, int]:
        """HTTP status and code."""
        answer = self.raw(method, path, **options)
        return answer.status_code, answer.json()["code"]

    def data(self, method: str, path: str, **options: Any) -> Any:
        answer = self.raw(method, path, **options)
        body = answer.json()
        assert (answer.status_code, body["code"]) == (200, 0), body
        return body["data"]

    def pages(self, method: str, path: str, *, size: int, **options: Any) -> list[Any]:
        """Every item of a list, page by page."""
        query = dict(options.pop("params", {}))
        items: list[Any] = []
        token = ""
        while True:
            params = {**query, "page_size": size, **({"page_token": token} if token else {})}
            data = self.data(method, path, params=params, **options)
            assert len(data["items"]) <= size
            assert data["items"] or not token, "has_more promised another item"
            items += data["items"]
            if not data["has_more"]:
                return items
            token = data["page_token"]

    def first(self, kind: str, **fields: Any) -> dict[str, Any]:
        return self.control.records(kind, limit=1, **fields)[0]

    def on_probation(self) -> dict[str, Any]:
        return self.first(
            "employees", onboard_status=1, conversion_status=1, external_employment_id=""
        )

    def waiting(self) -> dict[str, Any]:
        """An application ready to be onboarded."""
        return self.first("applications", stage_type=6, active_status=1, lock_status=1)
