"""One row per read: the method, and the exact request it makes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from lifecycle.feishu import endpoints
from lifecycle.feishu.client import Client
from lifecycle.feishu.endpoints import Endpoint
from lifecycle.feishu.errors import InvalidId, InvalidValue, Refused

from .servers import Recorder, answer

Ask = Callable[[Client], Any]
DAYS = (date(2026, 1, 1), date(2026, 3, 31))
HIRE_IDS = [
    ("user_id_type", "open_id"),
    ("department_id_type", "open_department_id"),
    ("job_level_id_type", "job_level_id"),
    ("job_family_id_type", "job_family_id"),
    ("employee_type_id_type", "employee_type_enum_id"),
]
TWO_IDS = [("user_id_type", "open_id"), ("department_id_type", "open_department_id")]
SIZE_100 = [("page_size", "100")]

REQUESTS: list[tuple[Endpoint, Ask, list[tuple[str, str]], Any]] = [
    (
        endpoints.TALENT_LIST,
        lambda c: c.list_talents(updated_from_ms=1, updated_until_ms=2, page_token="p"),
        [
            ("update_start_time", "1"),
            ("update_end_time", "2"),
            ("page_size", "20"),
            ("page_token", "p"),
            ("user_id_type", "open_id"),
            ("query_option", "ignore_empty_error"),
        ],
        None,
    ),
    (
        endpoints.TALENT_GET,
        lambda c: c.get_talent("68"),
        [("user_id_type", "open_id")],
        None,
    ),
    (
        endpoints.APPLICATION_LIST,
        lambda c: c.list_application_ids(stage_id="6", active_status="1", lock_status=[1, 3]),
        [
            ("stage_id", "6"),
            ("active_status", "1"),
            ("lock_status", "1"),
            ("lock_status", "3"),
            ("page_size", "200"),
        ],
        None,
    ),
    (
        endpoints.APPLICATION_GET,
        lambda c: c.get_application("73"),
        [("user_id_type", "open_id")],
        None,
    ),
    (
        endpoints.APPLICATION_DETAIL,
        lambda c: c.get_application_detail("73", options=["with_employee", "with_offer"]),
        [*HIRE_IDS, ("options", "with_employee"), ("options", "with_offer")],
        None,
    ),
    (endpoints.JOB_PROCESS_LIST, lambda c: c.list_job_processes(), SIZE_100, None),
    (endpoints.EMPLOYEE_GET, lambda c: c.get_employee("70"), HIRE_IDS, None),
    (
        endpoints.EMPLOYEE_BY_APPLICATION,
        lambda c: c.get_employee_by_application("73"),
        [("application_id", "73"), *HIRE_IDS],
        None,
    ),
    (
        endpoints.LOCATION_LIST,
        lambda c: c.list_locations(usage="u", page_size=50),
        [("usage", "u"), ("page_size", "50")],
        None,
    ),
    (
        endpoints.JOB_REQUIREMENT_LIST,
        lambda c: c.list_job_requirements(job_id="9"),
        [("job_id", "9"), *HIRE_IDS],
        None,
    ),
    (
        endpoints.PRE_HIRE_LIST,
        lambda c: c.list_pre_hires(pre_hire_ids=["1", "2"]),
        [*SIZE_100, ("pre_hire_ids", "1"), ("pre_hire_ids", "2")],
        None,
    ),
    (endpoints.PRE_HIRE_GET, lambda c: c.get_pre_hire("154"), [], None),
    (
        endpoints.PRE_HIRE_SEARCH,
        lambda c: c.search_pre_hires(
            fields=["person_info"], onboarding_status="day_one", updated_days=DAYS
        ),
        [*SIZE_100, *TWO_IDS],
        {
            "fields": ["person_info"],
            "onboarding_status": "day_one",
            "updated_date_start": "2026-01-01",
            "updated_date_end": "2026-03-31",
        },
    ),
    (
        endpoints.OFFBOARDING_SEARCH,
        lambda c: c.search_offboardings(
            employment_ids=("72",),
            statuses=["Approved"],
            offboarding_days=DAYS,
            initiated_between_s=(1700000000, 1700000001),
        ),
        [*SIZE_100, ("user_id_type", "people_corehr_id")],
        {
            "employment_ids": ["72"],
            "statuses": ["Approved"],
            "offboarding_date_start": "2026-01-01",
            "offboarding_date_end": "2026-03-31",
            "apply_initiating_time_start": "1700000000",
            "apply_initiating_time_end": "1700000001",
        },
    ),
    (
        endpoints.OFFBOARDING_REASONS,
        lambda c: c.list_offboarding_reasons(active=True),
        [],
        {"active": True},
    ),
    (
        endpoints.EMPLOYMENT_BATCH_GET,
        lambda c: c.batch_get_employments(["72"], fields=["prehire_id"]),
        [("user_id_type", "people_corehr_id"), ("department_id_type", "open_department_id")],
        {"fields": ["prehire_id"], "employment_ids": ["72"]},
    ),
    (
        endpoints.CUSTOM_FIELD_LIST,
        lambda c: c.list_custom_fields(["offboarding_info", "pre_hire"]),
        [("object_api_name_list", "offboarding_info"), ("object_api_name_list", "pre_hire")],
        None,
    ),
    (
        endpoints.CUSTOM_FIELD_GET,
        lambda c: c.get_custom_field(object_api_name="pre_hire", custom_api_name="x__c"),
        [("object_api_name", "pre_hire"), ("custom_api_name", "x__c")],
        None,
    ),
    (endpoints.EMPLOYEE_TYPE_LIST, lambda c: c.list_employee_types(), SIZE_100, None),
    (
        endpoints.DEPARTMENT_SEARCH,
        lambda c: c.search_departments(fields=["code"], active=True),
        [*SIZE_100, *TWO_IDS],
        {"fields": ["code"], "active": True},
    ),
    (
        endpoints.DEPARTMENT_BATCH_GET,
        lambda c: c.batch_get_departments(["od-1"], fields=["code"]),
        TWO_IDS,
        {"department_id_list": ["od-1"], "fields": ["code"]},
    ),
    (
        endpoints.COST_CENTER_SEARCH,
        lambda c: c.search_cost_centers(code="CC-01"),
        [*SIZE_100, ("user_id_type", "open_id")],
        {"code": "CC-01"},
    ),
    (endpoints.JOB_LEVEL_LIST, lambda c: c.list_job_levels(), SIZE_100, None),
    (
        endpoints.ID_CONVERT,
        lambda c: c.convert_ids(["ou_1"], id_transform_type=2, id_type="user_id"),
        [
            ("id_transform_type", "2"),
            ("id_type", "user_id"),
            ("feishu_user_id_type", "open_id"),
            ("feishu_department_id_type", "open_department_id"),
        ],
        {"ids": ["ou_1"]},
    ),
    (
        endpoints.USER_BATCH_GET,
        lambda c: c.batch_get_users(["ou_1", "ou_2"]),
        [("user_ids", "ou_1"), ("user_ids", "ou_2"), *TWO_IDS],
        None,
    ),
]
HOLDERS = ("application", "application_detail", "employee", "pre_hire", "data")
ANY_RECORD = {"items": [], "has_more": False} | {holder: {"id": "1"} for holder in HOLDERS}


class TestReads:
    def test_are_all_here(self) -> None:
        assert [endpoint for endpoint, *_ in REQUESTS] == list(endpoints.READS)

    @pytest.mark.parametrize(
        ("endpoint", "ask", "query", "body"), REQUESTS, ids=[row[0].name for row in REQUESTS]
    )
    def test_make_the_documented_request(
        self,
        client: Client,
        recorder: Recorder,
        endpoint: Endpoint,
        ask: Ask,
        query: list[tuple[str, str]],
        body: Any,
    ) -> None:
        recorder.plan(answer(data=ANY_RECORD))
        ask(client)
        (seen,) = recorder.calls
        path = endpoint.path
        for name, value in {"talent": "68", "application": "73", "employee": "70"}.items():
            path = path.replace(f":{name}_id", value)
        assert (seen.method, seen.path) == (endpoint.method, path.replace(":pre_hire_id", "154"))
        assert seen.query == query
        assert (seen.json if seen.body else None) == body

    @pytest.mark.parametrize(
        ("ask", "data", "expected"),
        [
            (lambda c: c.get_talent("1"), {"talent_id": "1"}, {"talent_id": "1"}),
            (lambda c: c.get_employee("1"), {"employee": {"id": "1"}}, {"id": "1"}),
            (lambda c: c.get_pre_hire("1"), {"pre_hire": {"id": "2"}}, {"id": "2"}),
            (
                lambda c: c.get_custom_field(object_api_name="a", custom_api_name="b"),
                {"data": {"type": 1}},
                {"type": 1},
            ),
            (lambda c: c.list_application_ids().items, {"items": ["7", "8"]}, ["7", "8"]),
        ],
    )
    def test_unpack_the_record(
        self, client: Client, recorder: Recorder, ask: Ask, data: Any, expected: Any
    ) -> None:
        recorder.plan(answer(data=data))
        assert ask(client) == expected

    def test_say_when_a_candidate_is_not_onboarded(
        self, client: Client, recorder: Recorder
    ) -> None:
        recorder.plan(answer(1002903, status=400))
        with pytest.raises(Refused) as caught:
            client.get_employee_by_application("73")
        assert caught.value.code == 1002903

    @pytest.mark.parametrize(
        "ask",
        [
            lambda c: c.get_talent("1", user_id_type="people_corehr_id"),
            lambda c: c.search_offboardings(user_id_type="people_admin_id"),
            lambda c: c.search_offboardings(statuses=["Approved"] * 11),
            lambda c: c.list_pre_hires(pre_hire_ids=["1"] * 11),
            lambda c: c.batch_get_users(["1"] * 51),
            lambda c: c.batch_get_users([]),
            lambda c: c.batch_get_employments(["1"] * 101, fields=[]),
            lambda c: c.batch_get_employments([], fields=[]),
            lambda c: c.batch_get_employments(["1"], person_ids=["2"], fields=[]),
            lambda c: c.list_custom_fields([]),
            lambda c: c.batch_get_departments([], fields=[]),
            lambda c: c.convert_ids([], id_transform_type=1, id_type="user_id"),
        ],
    )
    def test_refuse_what_the_page_does_not_allow(
        self, client: Client, recorder: Recorder, ask: Ask
    ) -> None:
        with pytest.raises(InvalidValue):
            ask(client)
        assert recorder.seen == []

    def test_refuse_an_id_that_is_none(self, client: Client) -> None:
        with pytest.raises(InvalidId):
            client.get_employee_by_application("73&user_id_type=user_id")
