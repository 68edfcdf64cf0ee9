from typing import Any

import pytest

from .tenant_under_test import OPEN_IDS, TenantUnderTest


class TestTalents:
    def test_are_newest_first(self, tenant: TenantUnderTest) -> None:
        items = tenant.pages("GET", "hire/v1/talents", size=20)
        moments = [int(item["basic_info"]["modify_time"]) for item in items]
        assert moments == sorted(moments, reverse=True)
        assert isinstance(items[0]["basic_info"]["modify_time"], str)

    def test_can_be_asked_for_by_window(self, tenant: TenantUnderTest) -> None:
        moments = sorted(record["updated_ms"] for record in tenant.control.records("talents"))
        low, high = moments[10], moments[20]
        query = {"update_start_time": str(low), "update_end_time": str(high)}
        found = tenant.pages("GET", "hire/v1/talents", size=7, params=query)
        assert len(found) == sum(low <= moment <= high for moment in moments)

    def test_show_a_change_at_the_top(self, tenant: TenantUnderTest) -> None:
        talent = tenant.first("talents", state="none")["id"]
        body = {"operation": 1, "onboard_time": "1767225600000"}
        tenant.data("POST", f"hire/v1/talents/{talent}/onboard_status", json=body)
        top = tenant.data("GET", "hire/v1/talents", params={"page_size": 1})["items"][0]
        assert (top["id"], top["is_onboarded"]) == (talent, True)

    def test_raise_an_error_on_nothing_found_unless_told(self, tenant: TenantUnderTest) -> None:
        query = {"keyword": "没有这个人"}
        status, code = tenant.call("GET", "hire/v1/talents", params=query)
        assert (status, code) == (400, 1002102)
        told = {**query, "query_option": "ignore_empty_error"}
        assert tenant.data("GET", "hire/v1/talents", params=told) == {
            "has_more": False,
            "items": [],
        }

    def test_are_found_by_name(self, tenant: TenantUnderTest) -> None:
        name = tenant.first("talents")["name"]
        items = tenant.pages("GET", "hire/v1/talents", size=20, params={"keyword": name})
        assert {item["basic_info"]["name"] for item in items} >= {name}
        assert all(name in item["basic_info"]["name"] for item in items)

    def test_keyword_is_no_pattern(self, tenant: TenantUnderTest) -> None:
        query = {"keyword": "%", "query_option": "ignore_empty_error"}
        assert tenant.data("GET", "hire/v1/talents", params=query)["items"] == []

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_unknown_is_404(self, tenant: TenantUnderTest, version: str) -> None:
        assert tenant.call("GET", f"hire/{version}/talents/1") == (404, 1002102)

    def test_have_two_shapes(self, tenant: TenantUnderTest) -> None:
        talent = tenant.first("talents", state="onboarded")
        old = tenant.data("GET", f"hire/v1/talents/{talent['id']}")["talent"]
        new = tenant.data("GET", f"hire/v2/talents/{talent['id']}")
        assert old["id"] == new["talent_id"] == talent["id"]
        assert old["is_onboarded"] is new["is_onboarded"] is True
        assert old["basic_info"]["mobile"] == new["basic_info"]["mobile_number"]


class TestApplications:
    def test_can_be_asked_for_by_stage(self, tenant: TenantUnderTest) -> None:
        found: set[str] = set()
        for process in tenant.data("GET", "hire/v1/job_processes")["items"]:
            stage = next(stage["id"] for stage in process["stage_list"] if stage["type"] == 6)
            query = {"stage_id": stage, "active_status": "1"}
            found |= set(tenant.pages("GET", "hire/v1/applications", size=200, params=query))
        expected = tenant.control.records("applications", stage_type=6, active_status=1)
        assert found == {record["id"] for record in expected}
        assert expected

    @pytest.mark.parametrize(
        ("query", "fields"),
        [
            ({"active_status": "2"}, {"active_status": 2}),
            ({"lock_status": ["2", "3"]}, {"lock_status": 2}),
            ({"active_status": "1", "lock_status": "1"}, {"active_status": 1, "lock_status": 1}),
        ],
    )
    def test_filters(
        self, tenant: TenantUnderTest, query: dict[str, Any], fields: dict[str, Any]
    ) -> None:
        found = tenant.pages("GET", "hire/v1/applications", size=200, params=query)
        assert found == [
            record["id"] for record in tenant.control.records("applications", **fields)
        ]
        assert found

    def test_can_be_asked_for_by_talent_and_window(self, tenant: TenantUnderTest) -> None:
        record = tenant.waiting()
        query = {
            "talent_id": record["talent_id"],
            "update_start_time": record["updated_ms"],
            "update_end_time": record["updated_ms"],
        }
        assert tenant.pages("GET", "hire/v1/applications", size=10, params=query) == [record["id"]]
        query["update_start_time"] += 1
        query["update_end_time"] += 1
        assert tenant.pages("GET", "hire/v1/applications", size=10, params=query) == []

    def test_detail_brings_the_parts_asked_for(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        path = f"hire/v1/applications/{bo['application_id']}/get_detail"
        assert list(tenant.data("GET", path)["application_detail"]) == ["basic_info"]
        query = {"options": ["with_job", "with_talent", "with_offer", "with_employee"]}
        detail = tenant.data("GET", path, params=query)["application_detail"]
        assert set(detail) == {"basic_info", "job", "talent", "offer", "employee"}
        assert detail["employee"]["onboard_time"] == str(bo["onboard_time"]), (
            "a string here, a number on H10"
        )
        assert detail["basic_info"]["onboard_status"] == 2, "onboarded here is 2"
        assert detail["employee"]["onboard_status"] == 1, "and 1 there"
        department = tenant.control.record("departments", bo["department"])
        assert detail["employee"]["department_id"] == department["id"], (
            "the retiring id is no default here"
        )
        assert detail["offer"]["offer_basic"]["department"]["name"]["zh_cn"] == department["name"]
        assert tenant.call("GET", path, params={"options": "with_everything"}) == (400, 1002002)

    def test_unknown_has_the_code_of_its_page(self, tenant: TenantUnderTest) -> None:
        assert tenant.call("GET", "hire/v1/applications/1") == (400, 1002201)
        assert tenant.call("GET", "hire/v1/applications/1/get_detail") == (400, 1002201)

    def test_stage_times_are_strings_and_the_last_is_open(self, tenant: TenantUnderTest) -> None:
        application = tenant.data("GET", f"hire/v1/applications/{tenant.waiting()['id']}")[
            "application"
        ]
        assert application["stage"]["zh_name"] == "待入职"
        assert all(isinstance(entry["enter_time"], str) for entry in application["stage_time_list"])
        assert [bool(entry["exit_time"]) for entry in application["stage_time_list"]].count(
            False
        ) == 1


class TestEmployees:
    def test_by_application_carries_the_bridge(self, tenant: TenantUnderTest) -> None:
        both = next(e for e in tenant.control.records("employees") if e["external_employment_id"])
        query = {**OPEN_IDS, "application_id": both["application_id"]}
        shown = tenant.data("GET", "hire/v1/employees/get_by_application", params=query)["employee"]
        assert shown["external_employment_id"] == both["external_employment_id"]
        assert type(shown["onboard_time"]) is int
        employment = tenant.control.record("employments", both["external_employment_id"])
        assert employment["ats_application_id"] == both["application_id"]

    def test_unknown_is_no_404(self, tenant: TenantUnderTest) -> None:
        assert tenant.call("GET", "hire/v1/employees/1") == (400, 1002903)
        path = "hire/v1/employees/get_by_application"
        assert tenant.call("GET", path, params={"application_id": "1"}) == (400, 1002903)
        assert tenant.call("GET", path) == (400, 1002002)


class TestPreHires:
    def search(self, tenant: TenantUnderTest, **body: Any) -> list[Any]:
        return tenant.pages("POST", "corehr/v2/pre_hires/search", size=100, json=body)

    def test_search_shows_only_what_is_asked_for(self, tenant: TenantUnderTest) -> None:
        assert all(list(item) == ["pre_hire_id"] for item in self.search(tenant))
        fields = ["onboarding_info.onboarding_status", "person_info.talent_id", "employment_info"]
        item = self.search(tenant, fields=fields)[0]
        assert list(item["onboarding_info"]) == ["onboarding_status"]
        assert list(item["person_info"]) == ["talent_id"]
        assert {"department_id", "cost_center_rates", "job_title"} <= set(item["employment_info"])

    @pytest.mark.parametrize("status", ["preboarding", "day_one", "completed", "withdrawn"])
    def test_search_by_status(self, tenant: TenantUnderTest, status: str) -> None:
        items = self.search(
            tenant, onboarding_status=status, fields=["onboarding_info.onboarding_status"]
        )
        assert len(items) == len(tenant.control.records("pre_hires", onboarding_status=status)) > 0
        assert {item["onboarding_info"]["onboarding_status"] for item in items} == {status}

    def test_search_by_dates_wants_both_ends(self, tenant: TenantUnderTest) -> None:
        record = tenant.first("pre_hires")
        day = record["hire_date"]
        found = self.search(tenant, onboarding_date_start=day, onboarding_date_end=day)
        assert record["id"] in [item["pre_hire_id"] for item in found]
        params, half = {"page_size": 10}, {"onboarding_date_start": day}
        assert tenant.call("POST", "corehr/v2/pre_hires/search", params=params, json=half) == (
            400,
            99992402,
        )

    def test_are_tied_to_hire(self, tenant: TenantUnderTest) -> None:
        fields = ["onboarding_info.ats_application_id", "person_info.talent_id"]
        for item in self.search(tenant, fields=fields):
            application = tenant.control.record(
                "applications", item["onboarding_info"]["ats_application_id"]
            )
            assert application["talent_id"] == item["person_info"]["talent_id"]

    def test_one_has_the_flat_shape(self, tenant: TenantUnderTest) -> None:
        record = tenant.first("pre_hires", onboarding_status="preboarding")
        shown = tenant.data("GET", f"corehr/v1/pre_hires/{record['id']}")["pre_hire"]
        assert shown["onboarding_status"]["enum_name"] == "preboarding"
        assert shown["onboarding_status"]["display"][0] == {"lang": "zh-CN", "value": "待入职"}
        query = {"page_size": "10", "pre_hire_ids": [record["id"]]}
        (listed,) = tenant.data("GET", "corehr/v1/pre_hires", params=query)["items"]
        assert {**listed, **shown} == listed


class TestOffboardings:
    def search(self, tenant: TenantUnderTest, **body: Any) -> list[Any]:
        return tenant.pages("POST", "corehr/v1/offboardings/search", size=100, json=body)

    def test_are_there_in_all_six_statuses(self, tenant: TenantUnderTest) -> None:
        statuses = {
            "Approving",
            "Approved",
            "Offboarded",
            "Rejected",
            "Withdrawn",
            "NoNeedApproval",
        }
        assert {item["status"] for item in self.search(tenant)} == statuses

    def test_filters(self, tenant: TenantUnderTest) -> None:
        assert {item["status"] for item in self.search(tenant, statuses=["Approving"])} == {
            "Approving"
        }
        record = tenant.first("offboardings", status="Withdrawn")
        day = record["info"]["offboarding_date"]
        found = self.search(tenant, offboarding_date_start=day, offboarding_date_end=day)
        assert record["id"] in [item["offboarding_id"] for item in found]
        assert all(item["offboarding_info"]["offboarding_date"] == day for item in found)
        employment = tenant.control.record("employments", record["employment_id"])
        by_person = self.search(tenant, employment_ids=[employment["open_id"]])
        assert record["id"] in [item["offboarding_id"] for item in by_person]
        assert self.search(tenant, employment_ids=["ou_nobody"]) == []

    def test_filter_by_when_they_were_started_in_seconds(self, tenant: TenantUnderTest) -> None:
        query = {"apply_initiating_time_start": "0", "apply_initiating_time_end": "4102444800"}
        assert len(self.search(tenant, **query)) == len(tenant.control.records("offboardings"))
        query["apply_initiating_time_end"] = "1000000000"
        assert self.search(tenant, **query) == []

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"offboarding_date_start": "2026-01-01"}, 1160104),
            ({"apply_finished_time_end": "1"}, 1160104),
            (
                {"apply_initiating_time_start": "1767225600000", "apply_initiating_time_end": "1"},
                1160102,
            ),
            ({"statuses": ["approved"]}, 1160102),
            ({"statuses": "Approved"}, 1160102),
        ],
    )
    def test_refuse_bad_filters(
        self, tenant: TenantUnderTest, body: dict[str, Any], code: int
    ) -> None:
        params = {"page_size": 10}
        assert tenant.call("POST", "corehr/v1/offboardings/search", params=params, json=body) == (
            400,
            code,
        )

    def test_show_people_as_open_ids_by_default(self, tenant: TenantUnderTest) -> None:
        shown = self.search(tenant)[0]["offboarding_info"]["employment_id"]
        assert shown.startswith("ou_")
        query = {"user_id_type": "people_corehr_id"}
        path = "corehr/v1/offboardings/search"
        item = tenant.pages("POST", path, size=100, params=query, json={})[0]
        employment = tenant.control.record("employments", item["offboarding_info"]["employment_id"])
        assert employment["open_id"] == shown

    def test_reasons_are_a_tree(self, tenant: TenantUnderTest) -> None:
        items = tenant.data("POST", "corehr/v1/offboardings/query", json={})["items"]
        ids = {item["offboarding_reason_unique_identifier"] for item in items}
        parents = {item["parent_offboarding_reason_unique_identifier"] for item in items}
        assert parents - {""} < ids
        active = tenant.data("POST", "corehr/v1/offboardings/query", json={"active": True})["items"]
        assert 0 < len(active) < len(items)
