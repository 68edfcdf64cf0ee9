"""The five writes against the pages they are built from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from lifecycle.feishu import writes
from lifecycle.feishu.calls import Call
from lifecycle.feishu.errors import FieldNotEditable, InvalidId, InvalidValue
from lifecycle.feishu.values import FieldValue
from lifecycle.feishu.writes import (
    CostCenterShare,
    EmployeeOperation,
    OnboardingStatus,
    TalentOperation,
)

HALF: Any = 50.0
HIRE_IDS = (
    ("user_id_type", "open_id"),
    ("department_id_type", "open_department_id"),
    ("job_level_id_type", "job_level_id"),
    ("job_family_id_type", "job_family_id"),
    ("employee_type_id_type", "employee_type_enum_id"),
)


class TestUpdateTalentOnboardStatus:
    def test_sends_the_onboarding_time_as_text(self) -> None:
        call = writes.update_talent_onboard_status(
            "6960663240925956661", operation=TalentOperation.ONBOARD, at_ms=1676548784889
        )
        assert call.path == "/open-apis/hire/v1/talents/6960663240925956661/onboard_status"
        assert (call.endpoint.method, call.query) == ("POST", ())
        assert call.body == {"operation": 1, "onboard_time": "1676548784889"}

    def test_sends_only_the_time_of_its_operation(self) -> None:
        call = writes.update_talent_onboard_status(
            "1", operation=TalentOperation.OFFBOARD, at_ms=1676548784890
        )
        assert call.body == {"operation": 2, "overboard_time": "1676548784890"}

    @pytest.mark.parametrize("operation", [0, 3, True, "1", None, 1.0])
    def test_refuses_another_operation(self, operation: Any) -> None:
        with pytest.raises(InvalidValue):
            writes.update_talent_onboard_status("1", operation=operation, at_ms=1676548784889)


class TestUpdateEmployee:
    def test_converts_with_a_number_of_ms(self) -> None:
        call = writes.update_employee(
            "6891613503971461384",
            operation=EmployeeOperation.CONVERT,
            actual_conversion_ms=1637596800000,
        )
        assert call.endpoint.method == "PATCH"
        assert call.path == "/open-apis/hire/v1/employees/6891613503971461384"
        assert call.query == HIRE_IDS
        assert call.body == {
            "operation": 1,
            "conversion_info": {"actual_conversion_time": 1637596800000},
        }

    def test_offboards_with_time_and_note(self) -> None:
        call = writes.update_employee(
            "1",
            operation=EmployeeOperation.OFFBOARD,
            actual_overboard_ms=1637596800000,
            overboard_note="职业发展考虑",
        )
        assert call.body == {
            "operation": 2,
            "overboard_info": {
                "actual_overboard_time": 1637596800000,
                "overboard_note": "职业发展考虑",
            },
        }

    @pytest.mark.parametrize("number", [3, 4, 5])
    def test_sends_no_info_with_the_other_operations(self, number: int) -> None:
        call = writes.update_employee(
            "1",
            operation=EmployeeOperation(number),
            actual_conversion_ms=1637596800000,
            actual_overboard_ms=1637596800000,
            overboard_note="x",
        )
        assert call.body == {"operation": number}

    def test_sends_the_info_object_even_without_a_time(self) -> None:
        call = writes.update_employee("1", operation=EmployeeOperation.CONVERT)
        assert call.body == {"operation": 1, "conversion_info": {}}

    def test_lets_each_id_type_be_named(self) -> None:
        call = writes.update_employee(
            "1",
            operation=EmployeeOperation.UNDO_CONVERSION,
            user_id_type="user_id",
            employee_type_id_type="people_admin_employee_type_id",
        )
        assert dict(call.query) == dict(HIRE_IDS) | {
            "user_id_type": "user_id",
            "employee_type_id_type": "people_admin_employee_type_id",
        }

    @pytest.mark.parametrize("wrong", [{"user_id_type": "people_corehr_id"}, {"lang": "zh"}])
    def test_refuses_an_id_type_the_page_does_not_have(self, wrong: Any) -> None:
        with pytest.raises(InvalidValue):
            writes.update_employee("1", operation=EmployeeOperation.UNDO_OFFBOARDING, **wrong)


class TestTransferOnboard:
    def test_sends_every_field_of_the_page(self) -> None:
        call = writes.transfer_onboard(
            "7073372582620416300",
            actual_onboard_ms=1616428800000,
            expected_conversion_ms=1616428800000,
            job_requirement_id="6960663240925956402",
            operator_id="7326856229396906012",
            onboard_city_code="CT_2",
            department="6966123381141866028",
            leader="7326856229396906012",
            sequence="7006234385490345986",
            level="6937934036379650311",
            employee_type="cSbrHjS5Ogiwq0Zu-cKz1g==",
        )
        assert call.path == "/open-apis/hire/v1/applications/7073372582620416300/transfer_onboard"
        assert call.query == HIRE_IDS
        assert call.body == {
            "actual_onboard_time": 1616428800000,
            "expected_conversion_time": 1616428800000,
            "job_requirement_id": "6960663240925956402",
            "operator_id": "7326856229396906012",
            "onboard_city_code": "CT_2",
            "department": "6966123381141866028",
            "leader": "7326856229396906012",
            "sequence": "7006234385490345986",
            "level": "6937934036379650311",
            "employee_type": "cSbrHjS5Ogiwq0Zu-cKz1g==",
        }

    def test_leaves_out_what_is_not_given(self) -> None:
        assert writes.transfer_onboard("1").body == {}

    def test_refuses_an_id_that_is_a_number(self) -> None:
        number: Any = 7326856229396906012
        with pytest.raises(InvalidValue):
            writes.transfer_onboard("1", leader=number)


class TestEditOffboarding:
    def test_sends_the_sample_of_the_page(self) -> None:
        call = writes.edit_offboarding(
            "7095671727698478604",
            operator_id="6982509313466189341",
            update_data=[FieldValue("name", "Sandy")],
        )
        assert (call.endpoint.method, call.path) == (
            "POST",
            "/open-apis/corehr/v2/offboardings/edit",
        )
        assert call.query == (("user_id_type", "people_corehr_id"),)
        assert call.body == {
            "offboarding_id": "7095671727698478604",
            "operator_id": "6982509313466189341",
            "update_data": [{"field_name": "name", "value": "Sandy"}],
        }

    def test_lets_the_system_be_the_operator(self) -> None:
        call = writes.edit_offboarding("1", update_data=[FieldValue("name", "")])
        assert call.body is not None
        assert "operator_id" not in call.body

    def test_lets_the_id_type_be_named(self) -> None:
        fields = [FieldValue("name", "x")]
        call = writes.edit_offboarding("1", update_data=fields, user_id_type="open_id")
        assert call.query == (("user_id_type", "open_id"),)

    def test_knows_24_fixed_fields(self) -> None:
        assert len(writes.FIXED_OFFBOARDING_FIELDS) == 24

    @pytest.mark.parametrize("name", sorted(writes.FIXED_OFFBOARDING_FIELDS))
    def test_refuses_a_fixed_field(self, name: str) -> None:
        with pytest.raises(FieldNotEditable) as caught:
            writes.edit_offboarding("1", update_data=[FieldValue("ok", "x"), FieldValue(name, "")])
        assert caught.value.field_name == name

    @pytest.mark.parametrize(
        ("count", "fits"), [(0, False), (1, True), (10_000, True), (10_001, False)]
    )
    def test_takes_1_to_10000_fields(self, count: int, fits: bool) -> None:
        fields = [FieldValue(f"f{number}", "x") for number in range(count)]
        if fits:
            body = writes.edit_offboarding("1", update_data=fields).body
            assert body is not None
            assert len(body["update_data"]) == count
        else:
            with pytest.raises(InvalidValue):
                writes.edit_offboarding("1", update_data=fields)

    @pytest.mark.parametrize(("name", "value"), [("", "x"), ("a", 1), ("a", None)])
    def test_refuses_a_field_without_name_or_text(self, name: str, value: Any) -> None:
        with pytest.raises(InvalidValue):
            writes.edit_offboarding("1", update_data=[FieldValue(name, value)])

    def test_needs_a_record(self) -> None:
        with pytest.raises(InvalidValue):
            writes.edit_offboarding("", update_data=[FieldValue("a", "x")])


class TestUpdatePreHire:
    def test_sends_every_field_of_the_page(self) -> None:
        call = writes.update_pre_hire(
            "1616161616",
            client_token="12454646",
            onboarding_status=OnboardingStatus.PREBOARDING,
            hire_date=date(2020, 1, 1),
            employee_type="type_1",
            worker_id="1245646",
            employee_type_id="正式",
            person_id="656464648662",
            ats_application_id="4719168654814483759",
            custom_fields=[FieldValue("name", '"Sandy"')],
            cost_center_rate=[CostCenterShare("6950635856373745165", 100)],
        )
        assert (call.endpoint.method, call.path) == (
            "PATCH",
            "/open-apis/corehr/v1/pre_hires/1616161616",
        )
        assert call.query == (("client_token", "12454646"),)
        assert call.body == {
            "ats_application_id": "4719168654814483759",
            "hire_date": "2020-01-01",
            "employee_type": {"enum_name": "type_1"},
            "worker_id": "1245646",
            "employee_type_id": "正式",
            "person_id": "656464648662",
            "custom_fields": [{"field_name": "name", "value": '"Sandy"'}],
            "cost_center_rate": [{"cost_center_id": "6950635856373745165", "rate": 100}],
            "onboarding_status": {"enum_name": "preboarding"},
        }

    def test_always_sends_the_status_and_nothing_else_unasked(self) -> None:
        call = writes.update_pre_hire("1", client_token="t", onboarding_status="day_one")
        assert call.body == {"onboarding_status": {"enum_name": "day_one"}}

    @pytest.mark.parametrize(
        "wrong",
        [
            {"onboarding_status": "type_1"},
            {"onboarding_status": None},
            {"client_token": ""},
            {"client_token": None},
            {"hire_date": "2020-1-1"},
            {"hire_date": "2021-02-29"},
            {"hire_date": datetime(2020, 1, 1)},
            {"hire_date": 20200101},
            {"cost_center_rate": [CostCenterShare("1", True)]},
            {"cost_center_rate": [CostCenterShare("1", HALF)]},
            {"worker_id": 1},
        ],
    )
    def test_refuses_a_wrong_type(self, wrong: dict[str, Any]) -> None:
        given: dict[str, Any] = {"client_token": "t", "onboarding_status": "completed"} | wrong
        with pytest.raises(InvalidValue):
            writes.update_pre_hire("1", **given)


TIMES: list[Callable[[Any], Call]] = [
    lambda ms: writes.update_talent_onboard_status(
        "1", operation=TalentOperation.ONBOARD, at_ms=ms
    ),
    lambda ms: writes.update_employee(
        "1", operation=EmployeeOperation.CONVERT, actual_conversion_ms=ms
    ),
    lambda ms: writes.update_employee(
        "1", operation=EmployeeOperation.OFFBOARD, actual_overboard_ms=ms
    ),
    lambda ms: writes.transfer_onboard("1", actual_onboard_ms=ms),
    lambda ms: writes.transfer_onboard("1", expected_conversion_ms=ms),
]


class TestTimesOfWrites:
    @pytest.mark.parametrize("build", TIMES)
    @pytest.mark.parametrize(
        "odd",
        [True, 0, -1, 1676548784, 1676548784889000, 2**63, "1676548784889", 1676548784889.0],
    )
    def test_are_whole_milliseconds(self, build: Callable[[Any], Call], odd: object) -> None:
        with pytest.raises(InvalidValue):
            build(odd)

    @pytest.mark.parametrize("build", TIMES)
    def test_may_be_any_day_of_a_career(self, build: Callable[[Any], Call]) -> None:
        assert build(1582905600000).body


class TestIdsOfWrites:
    def test_are_checked(self) -> None:
        with pytest.raises(InvalidId):
            writes.transfer_onboard("1/cancel_onboard?x=")
        with pytest.raises(InvalidId):
            writes.update_pre_hire("", client_token="t", onboarding_status="day_one")
