"""CoreHR pre-hires: P1, P2 and P3 (reads)."""

from collections.abc import Callable
from typing import Any

from ..calls import DEPARTMENT_TYPES_CORE_HR, USER_TYPES_CORE_HR, Call, Refusal
from ..id_forms import find, show
from ..paging import page, place_of
from ..seed.days import local_date
from ..store import Record
from .days import check_range
from .shapes import enum, gender, select

STATUSES = ("preboarding", "day_one", "completed", "withdrawn", "deleted")
# P2's codes are not documented; P7 and P8 answer an absent record with this one.
ABSENT = 1161105


def list_pre_hires(call: Call) -> dict[str, Any]:
    """P1."""
    size = call.number("page_size", default=None, low=1, high=100)
    ids = call.texts("pre_hire_ids")
    if len(ids) > 10:
        raise call.bad("pre_hire_ids", "at most 10 pre_hire_ids")
    after = place_of(call)
    rows = call.tenant.store.scan("pre_hires", after[0] if after else 0)
    shown, tail = page(
        call, ((n, record) for n, record in rows if not ids or record["id"] in ids), size
    )
    return {"items": [_list_item(call, record) for record in shown], **tail}


def get_pre_hire(call: Call) -> dict[str, Any]:
    """P2."""
    record = call.tenant.store.get("pre_hires", call.path_values["pre_hire_id"])
    if record is None:
        raise Refusal(ABSENT)
    return {"pre_hire": show_pre_hire(record)}


def show_pre_hire(record: Record) -> dict[str, Any]:
    """The flat shape of A5, P1 and P2, where the status is an enum object."""
    return {
        "ats_application_id": record["ats_application_id"],
        "id": record["id"],
        "hire_date": record["hire_date"],
        "employee_type": enum(record["employment_type"]),
        "worker_id": record["worker_id"],
        "employee_type_id": record["employee_type_id"],
        "person_id": record["person_id"],
        "custom_fields": record["custom_fields"],
        "cost_center_rate": record["cost_center_rate"],
        "onboarding_status": enum(record["onboarding_status"]),
    }


def _list_item(call: Call, record: Record) -> dict[str, Any]:
    department = show(
        call.tenant.store, "departments", record["department"], "people_corehr_department_id"
    )
    email = {"email": record["email_address"], "is_primary": True, "is_public": True}
    return {**show_pre_hire(record), "work_email_list": [email], "department_id": department}


# -- P3 -------------------------------------------------------------------------------------------

_LISTS = {
    "worker_ids": "worker_id",
    "pre_hire_ids": "id",
    "person_ids": "person_id",
    "onboarding_location_ids": "location",
    "employee_type_ids": "employee_type_id",
    "job_family_ids": "job_family",
}


def search_pre_hires(call: Call) -> dict[str, Any]:
    """P3. Without `fields` only the ids come. Filters are combined with AND (implied, not documented)."""
    size = call.number("page_size", default=None, low=1, high=100)
    user_type = call.choice("user_id_type", USER_TYPES_CORE_HR, "open_id")
    department_type = call.choice(
        "department_id_type", DEPARTMENT_TYPES_CORE_HR, "open_department_id"
    )
    fields = call.body_texts("fields")
    tests = _tests(call, user_type, department_type)
    after = place_of(call)
    rows = call.tenant.store.scan("pre_hires", after[0] if after else 0, lagging=True)
    shown, tail = page(call, ((n, r) for n, r in rows if all(test(r) for test in tests)), size)
    items = [
        select(_full(call, r, user_type, department_type), fields, ("pre_hire_id",)) for r in shown
    ]
    return {"items": items, **tail}


def _tests(call: Call, user_type: str, department_type: str) -> list[Callable[[Record], bool]]:
    tests: list[Callable[[Record], bool]] = []
    for name, column in _LISTS.items():
        wanted = set(call.body_texts(name))
        if wanted:
            tests.append(lambda r, c=column, w=wanted: r[c] in w)  # type: ignore[misc]
    for name, kind, column, id_type in (
        ("department_ids", "departments", "department", department_type),
        ("direct_manager_ids", "contacts", "manager", user_type),
    ):
        sent = call.body_texts(name)
        if sent:
            inner = {
                found["id"]
                for value in sent
                if (found := find(call.tenant.store, kind, value, id_type))
            }
            tests.append(lambda r, c=column, w=inner: r[c] in w)  # type: ignore[misc]
    status = call.body_text("onboarding_status")
    if status and status not in STATUSES:
        raise call.bad("onboarding_status", "unknown onboarding_status", status)
    if status:
        tests.append(lambda r: r["onboarding_status"] == status)
    _add_dates(call, tests)
    keyword = call.body_text("key_word")
    if keyword:
        tests.append(lambda r: keyword in r["name"] or keyword == r["worker_id"])
    return tests


def _add_dates(call: Call, tests: list[Callable[[Record], bool]]) -> None:
    onboarding = check_range(call, "onboarding_date_start", "onboarding_date_end")
    updated = check_range(call, "updated_date_start", "updated_date_end")
    if onboarding:
        tests.append(lambda r: onboarding[0] <= r["hire_date"] <= onboarding[1])
    if updated:
        tests.append(lambda r: updated[0] <= local_date(r["updated_ms"]) <= updated[1])


def _full(call: Call, record: Record, user_type: str, department_type: str) -> dict[str, Any]:
    store = call.tenant.store
    leader = show(store, "contacts", record["manager"], user_type)
    stamps = {
        "created_at": local_date(record["created_ms"]),
        "updated_at": local_date(record["updated_ms"]),
    }
    return {
        "pre_hire_id": record["id"],
        "person_info": {
            "person_id": record["person_id"],
            "talent_id": record["talent_id"],
            "legal_name": record["name"],
            "preferred_name": record["name"],
            "preferred_local_full_name": record["name"],
            "phone_number": record["phone_number"],
            "email_address": record["email_address"],
            "gender": gender(record["gender"]),
            "custom_fields": [],
            **stamps,
        },
        "employment_info": {
            "department_id": show(store, "departments", record["department"], department_type),
            "cost_center_rates": record["cost_center_rate"],
            "office_location_id": record["location"],
            "work_location_id": record["location"],
            "worker_id": record["worker_id"],
            "direct_leader_id": leader,
            "job_family_id": record["job_family"],
            "job_level_id": record["job_level"],
            "job_title": record["job_title"],
            "employee_type_id": record["employee_type_id"],
            "employment_type": record["employment_type"],
            "company_id": record["company"],
            "rehire": "no",
            "custom_fields": record["custom_fields"],
            **stamps,
        },
        "onboarding_info": _onboarding_info(record, leader),
        "probation_info": {
            "probation_start_date": record["hire_date"],
            "probation_period": record["probation_days"],
        },
        "contract_info": {
            "contract_start_date": record["hire_date"],
            "duration_type": "fixed_term",
        },
    }


def _onboarding_info(record: Record, leader: str) -> dict[str, Any]:
    """Here the status is a bare string; A5, P1 and P2 make it an enum object."""
    done = record["onboarding_status"] == "completed"
    tasks = [("1", "职位信息"), ("2", "个人信息"), ("4", "签到")]
    return {
        "onboarding_date": record["hire_date"],
        "onboarding_status": record["onboarding_status"],
        "ats_application_id": record["ats_application_id"],
        "offer_hr_id_v2": leader,
        "onboarding_location_id": record["location"],
        "onboarding_task_list": [
            {
                "task_code": code,
                "task_name": name,
                "task_status": "completed" if done else "in_progress",
                "operator_id": leader,
            }
            for code, name in tasks
        ],
        "withdrawn_reason": record["withdrawn_reason"],
    }
