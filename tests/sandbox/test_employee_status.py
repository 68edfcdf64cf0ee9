from typing import Any

import pytest

from .tenant_under_test import DAY_MS, OPEN_IDS, TenantUnderTest

CONVERT, OFFBOARD, RESTORE, UNDO_OFFBOARD, UNDO_CONVERT = 1, 2, 3, 4, 5


class TestEmployeeStatus:
    """A2."""

    def change(self, tenant: TenantUnderTest, employee: dict[str, Any], **body: Any) -> Any:
        return tenant.data(
            "PATCH", f"hire/v1/employees/{employee['id']}", params=OPEN_IDS, json=body
        )["employee"]

    def refused(
        self, tenant: TenantUnderTest, employee: dict[str, Any], **body: Any
    ) -> tuple[int, int]:
        before = tenant.control.record("employees", employee["id"])
        result = tenant.call("PATCH", f"hire/v1/employees/{employee['id']}", json=body)
        assert tenant.control.record("employees", employee["id"]) == before
        return result

    def read(self, tenant: TenantUnderTest, employee: dict[str, Any]) -> Any:
        return tenant.data("GET", f"hire/v1/employees/{employee['id']}", params=OPEN_IDS)[
            "employee"
        ]

    def test_converts_and_undoes_it(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        moment = bo["onboard_time"] + 90 * DAY_MS
        shown = self.change(
            tenant, bo, operation=CONVERT, conversion_info={"actual_conversion_time": moment}
        )
        assert (shown["conversion_status"], shown["actual_conversion_time"]) == (2, moment)
        assert self.read(tenant, bo) == shown
        shown = self.change(tenant, bo, operation=UNDO_CONVERT)
        assert (shown["conversion_status"], shown["actual_conversion_time"]) == (1, 0)
        assert tenant.control.operations(bo["id"]) == ["convert", "undo_convert"]

    def test_offboards_and_undoes_it(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        moment = bo["onboard_time"] + DAY_MS
        info = {"actual_overboard_time": moment, "overboard_note": "职业发展考虑"}
        shown = self.change(tenant, bo, operation=OFFBOARD, overboard_info=info)
        assert (shown["onboard_status"], shown["overboard_time"]) == (2, moment)
        assert shown["overboard_note"] == "职业发展考虑"
        assert not tenant.control.record("talents", bo["talent_id"])["is_onboarded"]
        shown = self.change(tenant, bo, operation=UNDO_OFFBOARD)
        assert (shown["onboard_status"], shown["overboard_time"], shown["overboard_note"]) == (
            1,
            0,
            "",
        )

    def test_gives_the_candidate_back_to_the_pre_hire_stage(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        self.change(tenant, bo, operation=RESTORE)
        assert tenant.call("GET", f"hire/v1/employees/{bo['id']}") == (400, 1002903)
        query = {"application_id": bo["application_id"]}
        assert tenant.call("GET", "hire/v1/employees/get_by_application", params=query) == (
            400,
            1002903,
        )
        application = tenant.data("GET", f"hire/v1/applications/{bo['application_id']}")[
            "application"
        ]
        assert application["stage"]["type"] == 6
        assert tenant.data(
            "POST", f"hire/v1/applications/{bo['application_id']}/transfer_onboard", json={}
        )

    def test_leaves_one_effect_with_before_and_after(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        moment = bo["onboard_time"] + DAY_MS
        self.change(
            tenant, bo, operation=CONVERT, conversion_info={"actual_conversion_time": moment}
        )
        (effect,) = tenant.control.effects(bo["id"])
        assert effect["endpoint"] == "A2"
        assert effect["source"] == "api"
        assert (effect["before"]["conversion_status"], effect["after"]["conversion_status"]) == (
            1,
            2,
        )
        assert tenant.control.effects(bo["application_id"]) == [effect]

    @pytest.mark.parametrize("operation", [CONVERT, OFFBOARD, RESTORE, UNDO_CONVERT])
    def test_needs_somebody_who_is_there(self, tenant: TenantUnderTest, operation: int) -> None:
        gone = tenant.first("employees", onboard_status=2, external_employment_id="")
        info: dict[str, Any] = {"conversion_info": {}, "overboard_info": {}}
        assert self.refused(tenant, gone, operation=operation, **info) == (400, 1002902)

    def test_needs_the_matching_conversion_state(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        converted = tenant.first(
            "employees", onboard_status=1, conversion_status=2, external_employment_id=""
        )
        assert self.refused(tenant, bo, operation=UNDO_CONVERT) == (400, 1002902)
        assert self.refused(tenant, converted, operation=CONVERT, conversion_info={}) == (
            400,
            1002902,
        )
        assert self.refused(tenant, bo, operation=UNDO_OFFBOARD) == (400, 1002907)

    @pytest.mark.parametrize("operation", [CONVERT, OFFBOARD, RESTORE, UNDO_OFFBOARD, UNDO_CONVERT])
    def test_is_closed_for_people_in_core_hr_and_without_the_switch(
        self, tenant: TenantUnderTest, operation: int
    ) -> None:
        info: dict[str, Any] = {"conversion_info": {}, "overboard_info": {}}
        both = next(e for e in tenant.control.records("employees") if e["external_employment_id"])
        assert self.refused(tenant, both, operation=operation, **info) == (400, 1002910)
        tenant.control.settings(ehr_sync_switch=False)
        assert self.refused(tenant, both, operation=operation, **info) == (400, 1002908)

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"operation": 0},
            {"operation": 6},
            {"operation": "1", "conversion_info": {}},
            {"operation": True, "conversion_info": {}},
            {"operation": CONVERT},
            {"operation": CONVERT, "overboard_info": {}},
            {"operation": OFFBOARD, "conversion_info": {}},
            {"operation": CONVERT, "conversion_info": []},
            {"operation": CONVERT, "conversion_info": {"actual_conversion_time": "1767225600000"}},
            {"operation": CONVERT, "conversion_info": {"actual_conversion_time": True}},
            {"operation": CONVERT, "conversion_info": {"actual_conversion_time": 1767225600000.0}},
            {"operation": CONVERT, "conversion_info": {"actual_conversion_time": 2**63}},
            {"operation": OFFBOARD, "overboard_info": {"overboard_note": 7}},
        ],
    )
    def test_is_strict_about_types(self, tenant: TenantUnderTest, body: dict[str, Any]) -> None:
        assert self.refused(tenant, tenant.on_probation(), **body) == (400, 1002002)

    @pytest.mark.parametrize("moment", [0, -1, 1_767_225_600, 4_102_444_800_001, 2**62])
    @pytest.mark.parametrize(
        ("operation", "info", "name"),
        [
            (CONVERT, "conversion_info", "actual_conversion_time"),
            (OFFBOARD, "overboard_info", "actual_overboard_time"),
        ],
    )
    def test_refuses_absurd_times(
        self, tenant: TenantUnderTest, operation: int, info: str, name: str, moment: int
    ) -> None:
        body = {"operation": operation, info: {name: moment}}
        assert self.refused(tenant, tenant.on_probation(), **body) == (400, 1002905)

    def test_takes_the_sample_with_both_objects(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        moment = bo["onboard_time"] + DAY_MS
        shown = self.change(
            tenant, bo, operation=CONVERT, conversion_info={"actual_conversion_time": moment},
            overboard_info={"actual_overboard_time": moment, "overboard_note": "x"},
        )  # fmt: skip
        assert (shown["onboard_status"], shown["conversion_status"]) == (1, 2)


class TestEmployeeIds:
    def test_come_in_the_asked_form(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        path = f"hire/v1/employees/{bo['id']}"
        asked = tenant.data("GET", path, params=OPEN_IDS)["employee"]
        assert (asked["department"], asked["leader"]) == (bo["department"], bo["leader"])
        contact = tenant.control.record("contacts", bo["leader"])
        for user_type in ("union_id", "user_id"):
            shown = tenant.data("GET", path, params={**OPEN_IDS, "user_id_type": user_type})[
                "employee"
            ]
            assert shown["leader"] == contact[user_type]
        department = tenant.control.record("departments", bo["department"])
        shown = tenant.data(
            "GET", path, params={**OPEN_IDS, "department_id_type": "department_id"}
        )["employee"]
        assert shown["department"] == department["department_id"]

    def test_are_the_retiring_ones_by_default(self, tenant: TenantUnderTest) -> None:
        bo = tenant.on_probation()
        path = f"hire/v1/employees/{bo['id']}"
        asked, default = tenant.data("GET", path, params=OPEN_IDS), tenant.data("GET", path)
        level = tenant.control.record("job_levels", bo["level"])
        department = tenant.control.record("departments", bo["department"])
        assert default["employee"]["department"] == department["people_admin_department_id"]
        assert default["employee"]["level"] == level["people_admin_job_level_id"]
        assert default["employee"]["leader"] == asked["employee"]["leader"]
        for name in ("department", "sequence", "level", "employee_type"):
            assert default["employee"][name] != asked["employee"][name]

    def test_of_an_unknown_type_are_refused(self, tenant: TenantUnderTest) -> None:
        path = f"hire/v1/employees/{tenant.on_probation()['id']}"
        assert tenant.call("GET", path, params={"user_id_type": "people_corehr_id"}) == (
            400,
            1002002,
        )
