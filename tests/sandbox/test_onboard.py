import time
from typing import Any

import pytest

from .tenant_under_test import DAY_MS, OPEN_IDS, TenantUnderTest


class TestOnboard:
    """A3."""

    def onboard(self, tenant: TenantUnderTest, application: str, **body: Any) -> Any:
        path = f"hire/v1/applications/{application}/transfer_onboard"
        return tenant.data("POST", path, params=OPEN_IDS, json=body)["employee"]

    def refused(
        self, tenant: TenantUnderTest, application: str, body: dict[str, Any]
    ) -> tuple[int, int]:
        path = f"hire/v1/applications/{application}/transfer_onboard"
        result = tenant.call("POST", path, params=OPEN_IDS, json=body)
        assert tenant.control.effects(application) == []
        return result

    def test_creates_the_employee_and_moves_everything_along(self, tenant: TenantUnderTest) -> None:
        application = tenant.waiting()
        requirement = tenant.first("job_requirements")
        boss = tenant.first("contacts")
        level, family = tenant.first("job_levels"), tenant.first("job_families")
        employee_type, department = tenant.first("employee_types"), tenant.first("departments")
        moment = int(time.time() * 1000) - DAY_MS
        sent = {
            "actual_onboard_time": moment,
            "expected_conversion_time": moment + 180 * DAY_MS,
            "job_requirement_id": requirement["id"],
            "operator_id": boss["id"],
            "onboard_city_code": "CT_2",
            "department": department["id"],
            "leader": boss["id"],
            "sequence": family["job_family_id"],
            "level": level["job_level_id"],
            "employee_type": employee_type["employee_type_enum_id"],
        }
        employee = self.onboard(tenant, application["id"], **sent)
        assert employee["onboard_time"] == moment
        assert {employee[name] == sent[name] for name in sent if name in employee} == {True}
        assert (employee["onboard_status"], employee["conversion_status"]) == (1, 1)

        query = {**OPEN_IDS, "application_id": application["id"]}
        read = tenant.data("GET", "hire/v1/employees/get_by_application", params=query)["employee"]
        assert read.pop("external_employment_id") == ""
        assert read == employee
        detail = tenant.data("GET", f"hire/v1/applications/{application['id']}/get_detail")[
            "application_detail"
        ]
        assert (detail["basic_info"]["stage"]["type"], detail["basic_info"]["onboard_status"]) == (
            7,
            2,
        )
        assert (
            tenant.data("GET", f"hire/v2/talents/{application['talent_id']}")["is_onboarded"]
            is True
        )
        counted = tenant.control.record("job_requirements", requirement["id"])["onboarded_count"]
        assert counted == requirement["onboarded_count"] + 1
        assert tenant.control.operations(application["id"]) == ["onboard"]
        assert tenant.control.operations(employee["id"]) == ["onboard"]

    def test_takes_an_empty_object(self, tenant: TenantUnderTest) -> None:
        before = int(time.time() * 1000)
        employee = self.onboard(tenant, tenant.waiting()["id"])
        assert before <= employee["onboard_time"] <= int(time.time() * 1000)
        assert employee["expected_conversion_time"] == 0
        assert employee["department"] == ""

    def test_happens_once(self, tenant: TenantUnderTest) -> None:
        application = tenant.waiting()["id"]
        self.onboard(tenant, application)
        path = f"hire/v1/applications/{application}/transfer_onboard"
        assert tenant.call("POST", path, json={}) == (400, 1002904)
        assert tenant.control.operations(application) == ["onboard"]

    @pytest.mark.parametrize(
        "body",
        [
            {"actual_onboard_time": "1767225600000"},
            {"actual_onboard_time": True},
            {"expected_conversion_time": "0"},
            {"operator_id": 7},
            {"operator_id": "ou_nobody"},
            {"department": "od-nothing"},
            {"leader": "ou_nobody"},
            {"sequence": "1"},
            {"level": "1"},
            {"employee_type": "1"},
            {"onboard_city_code": "CT_0"},
            {"job_requirement_id": "1"},
        ],
    )
    def test_is_strict_about_types_and_ids(
        self, tenant: TenantUnderTest, body: dict[str, Any]
    ) -> None:
        assert self.refused(tenant, tenant.waiting()["id"], body) == (400, 1002002)

    @pytest.mark.parametrize("hours", [1, 24 * 400])
    def test_refuses_the_future(self, tenant: TenantUnderTest, hours: int) -> None:
        body = {"actual_onboard_time": int(time.time() * 1000) + hours * 3_600_000}
        assert self.refused(tenant, tenant.waiting()["id"], body) == (400, 1002905)

    def test_follows_the_tenants_clock(self, tenant: TenantUnderTest) -> None:
        tenant.control.settings(clock_offset_s=-300)
        body = {"actual_onboard_time": int(time.time() * 1000)}
        assert self.refused(tenant, tenant.waiting()["id"], body) == (400, 1002905)

    def test_refuses_a_conversion_before_the_onboarding(self, tenant: TenantUnderTest) -> None:
        body = {
            "actual_onboard_time": 1_767_225_600_000,
            "expected_conversion_time": 1_767_225_599_999,
        }
        assert self.refused(tenant, tenant.waiting()["id"], body) == (400, 1002905)

    def test_requires_the_job_requirement_when_the_tenant_says_so(
        self, tenant: TenantUnderTest
    ) -> None:
        tenant.control.settings(job_requirement_required=True)
        application = tenant.waiting()["id"]
        assert self.refused(tenant, application, {}) == (400, 1002002)
        assert self.onboard(
            tenant, application, job_requirement_id=tenant.first("job_requirements")["id"]
        )

    @pytest.mark.parametrize("stage", [1, 2, 3, 4, 5, 8, 255])
    def test_needs_the_pre_hire_stage(self, tenant: TenantUnderTest, stage: int) -> None:
        application = tenant.waiting()["id"]
        tenant.control.patch("applications", application, stage_type=stage)
        path = f"hire/v1/applications/{application}/transfer_onboard"
        assert tenant.call("POST", path, json={}) == (400, 1002902)

    def test_needs_an_active_application(self, tenant: TenantUnderTest) -> None:
        application = tenant.waiting()["id"]
        tenant.control.patch("applications", application, active_status=2)
        path = f"hire/v1/applications/{application}/transfer_onboard"
        assert tenant.call("POST", path, json={}) == (400, 1002902)
