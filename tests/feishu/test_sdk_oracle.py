"""The same call made by the vendor's own SDK and by us: the same request on the wire.

Each row says what we ask in our words and what a caller of the SDK would write. The values
of both sides are written out, so a slip in a builder cannot hide. Needs
requirements-oracle.txt; without it this file is skipped.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from operator import attrgetter
from typing import Any

import pytest

from lifecycle.feishu import endpoints, writes
from lifecycle.feishu.client import Client
from lifecycle.feishu.values import FieldValue

from .servers import Recorder, Seen, answer

lark = pytest.importorskip("lark_oapi")
pytestmark = pytest.mark.oracle

HIRE_IDS = {
    "user_id_type": "open_id",
    "department_id_type": "open_department_id",
    "job_level_id_type": "job_level_id",
    "job_family_id_type": "job_family_id",
    "employee_type_id_type": "employee_type_enum_id",
}
TWO_IDS = {"user_id_type": "open_id", "department_id_type": "open_department_id"}
ANY_RECORD = {"items": [], "has_more": False} | {
    holder: {"id": "1"}
    for holder in ("application", "application_detail", "employee", "pre_hire", "data")
}


@dataclass(frozen=True)
class Twin:
    """One call twice: `ask` in our words; service method, request class, values, body."""

    ask: Callable[[Client], Any]
    service: str
    request: str
    values: dict[str, Any] = field(default_factory=dict)
    body_class: str = ""
    body: dict[str, Any] = field(default_factory=dict)


WRITES = [
    Twin(
        lambda c: c.send(
            writes.update_talent_onboard_status(
                "6960663240925956661",
                operation=writes.TalentOperation.ONBOARD,
                at_ms=1676548784889,
            )
        ),
        "hire.v1.talent.onboard_status",
        "OnboardStatusTalentRequest",
        {"talent_id": "6960663240925956661"},
        "OnboardStatusTalentRequestBody",
        {"operation": 1, "onboard_time": "1676548784889"},
    ),
    Twin(
        lambda c: c.send(
            writes.update_talent_onboard_status(
                "6960663240925956661",
                operation=writes.TalentOperation.OFFBOARD,
                at_ms=1676548784890,
            )
        ),
        "hire.v1.talent.onboard_status",
        "OnboardStatusTalentRequest",
        {"talent_id": "6960663240925956661"},
        "OnboardStatusTalentRequestBody",
        {"operation": 2, "overboard_time": "1676548784890"},
    ),
    Twin(
        lambda c: c.send(
            writes.update_employee(
                "6891613503971461384",
                operation=writes.EmployeeOperation.CONVERT,
                actual_conversion_ms=1637596800000,
            )
        ),
        "hire.v1.employee.patch",
        "PatchEmployeeRequest",
        {"employee_id": "6891613503971461384"} | HIRE_IDS,
        "ChangeEmployeeStage",
        {"operation": 1, "conversion_info": {"actual_conversion_time": 1637596800000}},
    ),
    Twin(
        lambda c: c.send(
            writes.update_employee(
                "6891613503971461384",
                operation=writes.EmployeeOperation.OFFBOARD,
                actual_overboard_ms=1637596800000,
                overboard_note="职业发展考虑",
                user_id_type="union_id",
            )
        ),
        "hire.v1.employee.patch",
        "PatchEmployeeRequest",
        {"employee_id": "6891613503971461384"} | HIRE_IDS | {"user_id_type": "union_id"},
        "ChangeEmployeeStage",
        {
            "operation": 2,
            "overboard_info": {
                "actual_overboard_time": 1637596800000,
                "overboard_note": "职业发展考虑",
            },
        },
    ),
    *(
        Twin(
            lambda c, operation=operation: c.send(
                writes.update_employee("6891613503971461384", operation=operation)
            ),
            "hire.v1.employee.patch",
            "PatchEmployeeRequest",
            {"employee_id": "6891613503971461384"} | HIRE_IDS,
            "ChangeEmployeeStage",
            {"operation": number},
        )
        for operation, number in (
            (writes.EmployeeOperation.RESTORE_TO_PRE_HIRE, 3),
            (writes.EmployeeOperation.UNDO_OFFBOARDING, 4),
            (writes.EmployeeOperation.UNDO_CONVERSION, 5),
        )
    ),
    Twin(
        lambda c: c.send(
            writes.transfer_onboard(
                "7073372582620416300",
                actual_onboard_ms=1616428800000,
                expected_conversion_ms=1616428800001,
                job_requirement_id="6960663240925956402",
                operator_id="7326856229396906012",
                onboard_city_code="CT_2",
                department="6966123381141866028",
                leader="7326856229396906013",
                sequence="7006234385490345986",
                level="6937934036379650311",
                employee_type="cSbrHjS5Ogiwq0Zu-cKz1g==",
            )
        ),
        "hire.v1.application.transfer_onboard",
        "TransferOnboardApplicationRequest",
        {"application_id": "7073372582620416300"} | HIRE_IDS,
        "TransferOnboardApplicationRequestBody",
        {
            "actual_onboard_time": 1616428800000,
            "expected_conversion_time": 1616428800001,
            "job_requirement_id": "6960663240925956402",
            "operator_id": "7326856229396906012",
            "onboard_city_code": "CT_2",
            "department": "6966123381141866028",
            "leader": "7326856229396906013",
            "sequence": "7006234385490345986",
            "level": "6937934036379650311",
            "employee_type": "cSbrHjS5Ogiwq0Zu-cKz1g==",
        },
    ),
    Twin(
        lambda c: c.send(
            writes.edit_offboarding(
                "7095671727698478604",
                operator_id="6982509313466189341",
                update_data=[
                    FieldValue("name", "Sandy"),
                    FieldValue("next__c", '["option_1","option_2"]'),
                ],
            )
        ),
        "corehr.v2.offboarding.edit",
        "EditOffboardingRequest",
        {"user_id_type": "people_corehr_id"},
        "EditOffboardingRequestBody",
        {
            "offboarding_id": "7095671727698478604",
            "operator_id": "6982509313466189341",
            "update_data": [
                {"field_name": "name", "value": "Sandy"},
                {"field_name": "next__c", "value": '["option_1","option_2"]'},
            ],
        },
    ),
    Twin(
        lambda c: c.send(
            writes.update_pre_hire(
                "1616161616",
                client_token="12454646",
                onboarding_status="preboarding",
                hire_date=date(2020, 1, 1),
                employee_type="type_1",
                worker_id="1245646",
                employee_type_id="正式",
                person_id="656464648662",
                ats_application_id="4719168654814483759",
                custom_fields=[FieldValue("name", '"Sandy"')],
                cost_center_rate=[writes.CostCenterShare("6950635856373745165", 100)],
            )
        ),
        "corehr.v1.pre_hire.patch",
        "PatchPreHireRequest",
        {"pre_hire_id": "1616161616", "client_token": "12454646"},
        "PreHire",
        {
            "ats_application_id": "4719168654814483759",
            "hire_date": "2020-01-01",
            "employee_type": {"enum_name": "type_1"},
            "worker_id": "1245646",
            "employee_type_id": "正式",
            "person_id": "656464648662",
            "custom_fields": [{"field_name": "name", "value": '"Sandy"'}],
            "cost_center_rate": [{"cost_center_id": "6950635856373745165", "rate": 100}],
            "onboarding_status": {"enum_name": "preboarding"},
        },
    ),
]

READS = [
    Twin(
        lambda c: c.list_talents(page_token="p", updated_from_ms=1, updated_until_ms=2),
        "hire.v1.talent.list",
        "ListTalentRequest",
        {
            "update_start_time": "1",
            "update_end_time": "2",
            "page_size": 20,
            "page_token": "p",
            "user_id_type": "open_id",
            "query_option": "ignore_empty_error",
        },
    ),
    Twin(
        lambda c: c.get_talent("68"),
        "hire.v2.talent.get",
        "GetTalentRequest",
        {"talent_id": "68", "user_id_type": "open_id"},
    ),
    Twin(
        lambda c: c.list_application_ids(stage_id="6", active_status="1", lock_status=[1, 3]),
        "hire.v1.application.list",
        "ListApplicationRequest",
        {"stage_id": "6", "active_status": "1", "lock_status": [1, 3], "page_size": 200},
    ),
    Twin(
        lambda c: c.get_application("73"),
        "hire.v1.application.get",
        "GetApplicationRequest",
        {"application_id": "73", "user_id_type": "open_id"},
    ),
    Twin(
        lambda c: c.get_application_detail("73", options=["with_employee", "with_offer"]),
        "hire.v1.application.get_detail",
        "GetDetailApplicationRequest",
        {"application_id": "73", "options": ["with_employee", "with_offer"]} | HIRE_IDS,
    ),
    Twin(
        lambda c: c.list_job_processes(page_token="p"),
        "hire.v1.job_process.list",
        "ListJobProcessRequest",
        {"page_size": 100, "page_token": "p"},
    ),
    Twin(
        lambda c: c.get_employee("70"),
        "hire.v1.employee.get",
        "GetEmployeeRequest",
        {"employee_id": "70"} | HIRE_IDS,
    ),
    Twin(
        lambda c: c.get_employee_by_application("73"),
        "hire.v1.employee.get_by_application",
        "GetByApplicationEmployeeRequest",
        {"application_id": "73"} | HIRE_IDS,
    ),
    Twin(
        lambda c: c.list_locations(usage="position_location", page_size=50),
        "hire.v1.location.list",
        "ListLocationRequest",
        {"usage": "position_location", "page_size": 50},
    ),
    Twin(
        lambda c: c.list_job_requirements(job_id="9", page_size=50),
        "hire.v1.job_requirement.list",
        "ListJobRequirementRequest",
        {"job_id": "9", "page_size": 50} | HIRE_IDS,
    ),
    Twin(
        lambda c: c.list_pre_hires(pre_hire_ids=["1", "2"]),
        "corehr.v1.pre_hire.list",
        "ListPreHireRequest",
        {"page_size": "100", "pre_hire_ids": ["1", "2"]},
    ),
    Twin(
        lambda c: c.get_pre_hire("154"),
        "corehr.v1.pre_hire.get",
        "GetPreHireRequest",
        {"pre_hire_id": "154"},
    ),
    Twin(
        lambda c: c.search_pre_hires(
            fields=["person_info"],
            pre_hire_ids=["1"],
            onboarding_status="day_one",
            onboarding_days=(date(2026, 1, 1), date(2026, 1, 2)),
            updated_days=(date(2026, 1, 3), date(2026, 1, 4)),
            department_ids=["od-1"],
            key_word="王",
        ),
        "corehr.v2.pre_hire.search",
        "SearchPreHireRequest",
        {"page_size": 100} | TWO_IDS,
        "SearchPreHireRequestBody",
        {
            "fields": ["person_info"],
            "pre_hire_ids": ["1"],
            "onboarding_status": "day_one",
            "onboarding_date_start": "2026-01-01",
            "onboarding_date_end": "2026-01-02",
            "updated_date_start": "2026-01-03",
            "updated_date_end": "2026-01-04",
            "department_ids": ["od-1"],
            "key_word": "王",
        },
    ),
    Twin(
        lambda c: c.search_offboardings(
            page_token="p",
            employment_ids=["72"],
            statuses=["Approved", "Approving"],
            offboarding_days=(date(2026, 1, 1), date(2026, 1, 2)),
            expected_days=(date(2026, 1, 3), date(2026, 1, 4)),
            initiated_between_s=(1700000000, 1700000001),
            finished_between_s=(1700000002, 1700000003),
            reasons=["r1"],
            employee_reasons=["r2"],
        ),
        "corehr.v1.offboarding.search",
        "SearchOffboardingRequest",
        {"page_size": 100, "page_token": "p", "user_id_type": "people_corehr_id"},
        "SearchOffboardingRequestBody",
        {
            "employment_ids": ["72"],
            "statuses": ["Approved", "Approving"],
            "offboarding_date_start": "2026-01-01",
            "offboarding_date_end": "2026-01-02",
            "expected_offboarding_date_start": "2026-01-03",
            "expected_offboarding_date_end": "2026-01-04",
            "apply_initiating_time_start": "1700000000",
            "apply_initiating_time_end": "1700000001",
            "apply_finished_time_start": "1700000002",
            "apply_finished_time_end": "1700000003",
            "reasons": ["r1"],
            "employee_reasons": ["r2"],
        },
    ),
    Twin(
        lambda c: c.list_offboarding_reasons(active=True, identifiers=["r1"]),
        "corehr.v1.offboarding.query",
        "QueryOffboardingRequest",
        {},
        "QueryOffboardingRequestBody",
        {"active": True, "offboarding_reason_unique_identifier": ["r1"]},
    ),
    Twin(
        lambda c: c.batch_get_employments(["72"], fields=["prehire_id"]),
        "corehr.v2.employee.batch_get",
        "BatchGetEmployeeRequest",
        {"user_id_type": "people_corehr_id", "department_id_type": "open_department_id"},
        "BatchGetEmployeeRequestBody",
        {"fields": ["prehire_id"], "employment_ids": ["72"]},
    ),
    Twin(
        lambda c: c.list_custom_fields(["offboarding_info", "pre_hire"]),
        "corehr.v1.custom_field.query",
        "QueryCustomFieldRequest",
        {"object_api_name_list": ["offboarding_info", "pre_hire"]},
    ),
    Twin(
        lambda c: c.get_custom_field(object_api_name="pre_hire", custom_api_name="x__c"),
        "corehr.v1.custom_field.get_by_param",
        "GetByParamCustomFieldRequest",
        {"object_api_name": "pre_hire", "custom_api_name": "x__c"},
    ),
    Twin(
        lambda c: c.list_employee_types(page_token="p"),
        "corehr.v1.employee_type.list",
        "ListEmployeeTypeRequest",
        {"page_size": "100", "page_token": "p"},
    ),
    Twin(
        lambda c: c.search_departments(
            fields=["code"],
            active=True,
            department_ids=["od-1"],
            parent_department_id="od-0",
            get_all_children=False,
        ),
        "corehr.v2.department.search",
        "SearchDepartmentRequest",
        {"page_size": 100} | TWO_IDS,
        "SearchDepartmentRequestBody",
        {
            "fields": ["code"],
            "active": True,
            "department_id_list": ["od-1"],
            "parent_department_id": "od-0",
            "get_all_children": False,
        },
    ),
    Twin(
        lambda c: c.batch_get_departments(["od-1"], fields=["code"]),
        "corehr.v2.department.batch_get",
        "BatchGetDepartmentRequest",
        TWO_IDS,
        "BatchGetDepartmentRequestBody",
        {"department_id_list": ["od-1"], "fields": ["code"]},
    ),
    Twin(
        lambda c: c.search_cost_centers(
            cost_center_ids=["7"], code="CC-01", parent_cost_center_id="6", get_all_version=False
        ),
        "corehr.v2.cost_center.search",
        "SearchCostCenterRequest",
        {"page_size": 100, "user_id_type": "open_id"},
        "SearchCostCenterRequestBody",
        {
            "cost_center_id_list": ["7"],
            "code": "CC-01",
            "parent_cost_center_id": "6",
            "get_all_version": False,
        },
    ),
    Twin(
        lambda c: c.list_job_levels(),
        "corehr.v1.job_level.list",
        "ListJobLevelRequest",
        {"page_size": "100"},
    ),
    Twin(
        lambda c: c.convert_ids(["ou_1"], id_transform_type=2, id_type="user_id"),
        "corehr.v1.common_data_id.convert",
        "ConvertCommonDataIdRequest",
        {
            "id_transform_type": 2,
            "id_type": "user_id",
            "feishu_user_id_type": "open_id",
            "feishu_department_id_type": "open_department_id",
        },
        "ConvertCommonDataIdRequestBody",
        {"ids": ["ou_1"]},
    ),
    Twin(
        lambda c: c.batch_get_users(["ou_1", "ou_2"]),
        "contact.v3.user.batch",
        "BatchUserRequest",
        {"user_ids": ["ou_1", "ou_2"]} | TWO_IDS,
    ),
]


# Every field of the request tables of the five pages.
BODIES = {
    "hire.v1.talent.onboard_status": {"operation", "onboard_time", "overboard_time"},
    "hire.v1.employee.patch": {
        "operation",
        "conversion_info.actual_conversion_time",
        "overboard_info.actual_overboard_time",
        "overboard_info.overboard_note",
    },
    "hire.v1.application.transfer_onboard": {
        *("actual_onboard_time", "expected_conversion_time", "job_requirement_id", "operator_id"),
        *("onboard_city_code", "department", "leader", "sequence", "level", "employee_type"),
    },
    "corehr.v2.offboarding.edit": {
        *("offboarding_id", "operator_id", "update_data[].field_name", "update_data[].value"),
    },
    "corehr.v1.pre_hire.patch": {
        *("ats_application_id", "hire_date", "employee_type.enum_name", "worker_id"),
        *("employee_type_id", "person_id", "custom_fields[].field_name", "custom_fields[].value"),
        *("cost_center_rate[].cost_center_id", "cost_center_rate[].rate"),
        "onboarding_status.enum_name",
    },
}


def paths_of(value: Any, path: str = "") -> set[str]:
    """The dotted name of every leaf; `[]` for any item of a list."""
    if isinstance(value, dict):
        return {one for key in value for one in paths_of(value[key], f"{path}.{key}".lstrip("."))}
    if isinstance(value, list):
        return {one for item in value for one in paths_of(item, f"{path}[]")}
    return {path}


def make_with_sdk(url: str, twin: Twin) -> None:
    service, version, resource, method = twin.service.split(".")
    models = importlib.import_module(f"lark_oapi.api.{service}.{version}")
    builder = getattr(models, twin.request).builder()
    for name, value in twin.values.items():
        getattr(builder, name)(value)
    if twin.body_class:
        builder.request_body(getattr(models, twin.body_class)(twin.body))
    sdk = lark.Client.builder().app_id("cli_oracle").app_secret("s").domain(url).build()
    attrgetter(f"{service}.{version}.{resource}.{method}")(sdk)(builder.build())


def on_the_wire(seen: Seen) -> tuple[str, str, list[tuple[str, str]], Any]:
    body = json.loads(seen.body) if seen.body else None
    return seen.method, seen.path, sorted(seen.query), body


class TestSameRequestAsTheSdk:
    @pytest.mark.parametrize("twin", WRITES + READS, ids=lambda twin: twin.service)
    def test_on_the_wire(self, client: Client, recorder: Recorder, twin: Twin) -> None:
        recorder.plan(*[answer(data={} if twin in WRITES else ANY_RECORD)] * 2)
        make_with_sdk(recorder.url, twin)
        twin.ask(client)
        theirs, ours = recorder.calls
        assert on_the_wire(ours) == on_the_wire(theirs)
        sent = json.loads(theirs.body) if theirs.body else None
        assert sent == (twin.body or None), "the SDK left a field out"

    @pytest.mark.parametrize(("service", "fields"), BODIES.items())
    def test_covers_every_field_of_the_pages(self, service: str, fields: set[str]) -> None:
        bodies = [twin.body for twin in WRITES if twin.service == service]
        assert {path for body in bodies for path in paths_of(body)} == fields

    def test_covers_every_read_and_every_write(self) -> None:
        assert len(READS) == len(endpoints.READS)
        assert {twin.service for twin in WRITES} == {
            "hire.v1.talent.onboard_status",
            "hire.v1.employee.patch",
            "hire.v1.application.transfer_onboard",
            "corehr.v2.offboarding.edit",
            "corehr.v1.pre_hire.patch",
        }
