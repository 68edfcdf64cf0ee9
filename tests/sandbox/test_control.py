import time

import pytest
import requests

from .conftest import TODAY
from .tenant_under_test import TenantUnderTest


class TestControl:
    def test_tells_that_it_is_a_sandbox(self, tenant: TenantUnderTest) -> None:
        info = tenant.control.info()
        assert info["sandbox"] is True
        assert (info["people"], info["seed"], info["today"]) == (40, 1, TODAY.isoformat())

    def test_logs_requests_with_their_answers(self, tenant: TenantUnderTest) -> None:
        employee = tenant.on_probation()["id"]
        answer = tenant.raw(
            "PATCH", f"hire/v1/employees/{employee}?user_id_type=open_id", json={"operation": 9}
        )
        tenant.call("GET", "hire/v1/job_processes")
        write, read = tenant.control.requests()
        assert tenant.control.requests(writes=True) == [write]
        assert (write["endpoint"], write["method"], write["code"]) == ("A2", "PATCH", 1002002)
        assert write["query"] == {"user_id_type": "open_id"}
        assert write["body"] == {"operation": 9}
        assert write["log_id"] == answer.headers["X-Tt-Logid"]
        assert abs(write["received_at"] / 1000 - time.time()) < 60
        assert (read["endpoint"], read["code"]) == ("H9", 0)
        tenant.control.clear_requests()
        assert tenant.control.requests() == []

    def test_does_not_log_secrets(self, tenant: TenantUnderTest) -> None:
        tenant.renew_token()
        assert "sandbox-secret" not in str(tenant.control.requests())

    def test_edits_records_as_feishus_console_would(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        tenant.control.patch("employees", bo["id"], conversion_status=2, overboard_note="改")
        (effect,) = tenant.control.effects(bo["id"])
        assert effect["source"] == "console"
        assert effect["before"]["conversion_status"] == 1
        shown = tenant.data("GET", f"hire/v1/employees/{bo['id']}")["employee"]
        assert (shown["conversion_status"], shown["overboard_note"]) == (2, "改")

    def test_merges_nested_objects(self, tenant: TenantUnderTest) -> None:
        record = tenant.first("offboardings", status="Approved")
        patched = tenant.control.patch(
            "offboardings", record["id"], info={"reason_explanation": "改"}
        )
        assert patched["info"] == {**record["info"], "reason_explanation": "改"}

    def test_keeps_twin_fields_together(self, tenant: TenantUnderTest) -> None:
        application = tenant.waiting()["id"]
        tenant.control.patch("applications", application, stage_type=4)
        shown = tenant.data("GET", f"hire/v1/applications/{application}")["application"]
        assert shown["stage"]["type"] == 4
        talent = tenant.first("talents", state="none")["id"]
        assert tenant.control.patch("talents", talent, state="onboarded")["is_onboarded"] is True
        assert tenant.control.patch("talents", talent, is_onboarded=False)["state"] == "none"

    def test_deletes_records(self, tenant: TenantUnderTest) -> None:
        talent = tenant.first("talents", state="none")["id"]
        tenant.control.delete("talents", talent)
        assert tenant.call("GET", f"hire/v2/talents/{talent}") == (404, 1002102)
        assert [effect["operation"] for effect in tenant.control.effects(talent)] == ["delete"]

    def test_lists_and_filters(self, tenant: TenantUnderTest) -> None:
        everyone = tenant.control.records("contacts")
        resigned = tenant.control.records("contacts", is_resigned=True)
        assert 0 < len(resigned) < len(everyone)
        assert all(contact["is_resigned"] for contact in resigned)

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "nothing", 404),
            ("GET", "records/nobodies", 404),
            ("GET", "records/talents/1", 404),
            ("GET", "records/talents?limit=x", 400),
            ("PUT", "records/settings/tenant", 405),
            ("POST", "reset", 400),
        ],
    )
    def test_refuses_what_it_does_not_know(
        self, tenant: TenantUnderTest, method: str, path: str, status: int
    ) -> None:
        body = {"people": "many"} if path == "reset" else {}
        answer = requests.request(method, f"{tenant.base_url}/sandbox/{path}", json=body, timeout=5)
        assert answer.status_code == status
        assert answer.json()["error"]

    def test_answers_to_loopback_names_only(self, tenant: TenantUnderTest) -> None:
        headers = {"Host": "rebound.example.com"}
        assert (
            requests.get(tenant.base_url + "/sandbox/info", headers=headers, timeout=5).status_code
            == 403
        )


class TestReset:
    def test_brings_everything_back(self, tenant: TenantUnderTest) -> None:
        bo, application = tenant.on_probation(), tenant.waiting()
        before = {
            kind: tenant.control.records(kind)
            for kind in ("talents", "applications", "employees", "settings")
        }
        first = tenant.data(
            "POST", f"hire/v1/applications/{application['id']}/transfer_onboard", json={}
        )
        tenant.data("PATCH", f"hire/v1/employees/{bo['id']}", json={"operation": 3})
        tenant.control.settings(ehr_sync_switch=False)
        tenant.control.fault("hang")
        tenant.control.reset()
        assert {kind: tenant.control.records(kind) for kind in before} == before
        assert (
            tenant.control.effects() == tenant.control.requests() == tenant.control.faults() == []
        )
        again = tenant.data(
            "POST", f"hire/v1/applications/{application['id']}/transfer_onboard", json={}
        )
        assert again["employee"]["id"] == first["employee"]["id"], "the same new ids as well"

    def test_is_cheap(self, tenant: TenantUnderTest) -> None:
        times = []
        for _ in range(10):
            tenant.control.settings(ehr_sync_switch=False)
            start = time.perf_counter()
            tenant.control.reset()
            times.append(time.perf_counter() - start)
        assert sorted(times)[len(times) // 2] < 0.02

    def test_can_make_another_company(self, tenant: TenantUnderTest) -> None:
        first = tenant.first("talents")["id"]
        assert tenant.control.reset(seed=9, people=25) == {
            "seed": 9,
            "people": 25,
            "today": TODAY.isoformat(),
        }
        assert tenant.first("talents")["id"] != first
        assert len(tenant.control.records("employees", onboard_status=1)) == 25


class TestSearchLag:
    """Searches run behind, single reads do not."""

    def test_shows_the_past_for_a_while(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(search_lag_s=60)
        record = tenant.first("pre_hires", onboarding_status="preboarding")
        path, body = (
            f"corehr/v1/pre_hires/{record['id']}",
            {"onboarding_status": {"enum_name": "day_one"}},
        )
        tenant.data("PATCH", path, json=body)
        assert tenant.data("GET", path)["pre_hire"]["onboarding_status"]["enum_name"] == "day_one"
        assert self.found(tenant, "preboarding", record["id"])
        assert not self.found(tenant, "day_one", record["id"])
        tenant.control.options(search_lag_s=0)
        assert self.found(tenant, "day_one", record["id"])
        assert not self.found(tenant, "preboarding", record["id"])

    def found(self, tenant: TenantUnderTest, status: str, pre_hire: str) -> bool:
        path = "corehr/v2/pre_hires/search"
        items = tenant.pages("POST", path, size=3, json={"onboarding_status": status})
        return pre_hire in [item["pre_hire_id"] for item in items]

    def test_still_shows_what_was_deleted_just_now(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(search_lag_s=60)
        everything = tenant.pages("POST", "corehr/v1/offboardings/search", size=7, json={})
        for gone in (everything[0], everything[4], everything[-1]):
            tenant.control.delete("offboardings", gone["offboarding_id"])
        assert tenant.pages("POST", "corehr/v1/offboardings/search", size=7, json={}) == everything
        tenant.control.options(search_lag_s=0)
        assert (
            len(tenant.pages("POST", "corehr/v1/offboardings/search", size=7, json={}))
            == len(everything) - 3
        )

    def test_reaches_the_batch_read_of_employees(self, tenant: TenantUnderTest) -> None:
        tenant.control.options(search_lag_s=60)
        record = tenant.first("employments", employment_status="hired")
        body = {"employment_ids": [record["open_id"]], "fields": ["job_title"]}
        tenant.control.patch("employments", record["id"], job_title="新职位")
        (item,) = tenant.data("POST", "corehr/v2/employees/batch_get", json=body)["items"]
        assert item["job_title"] == record["job_title"]
        tenant.control.options(search_lag_s=0)
        (item,) = tenant.data("POST", "corehr/v2/employees/batch_get", json=body)["items"]
        assert item["job_title"] == "新职位"
