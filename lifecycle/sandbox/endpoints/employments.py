"""R1: CoreHR employees in batches."""

from typing import Any

from ..calls import DEPARTMENT_TYPES_CORE_HR, USER_TYPES_CORE_HR, Call
from ..id_forms import find_employment, show
from ..store import Record
from .shapes import enum, gender, select


def batch_get_employees(call: Call) -> dict[str, Any]:
    """R1. With several lists only the first in this order counts. Unknown people are left out (not documented)."""
    user_type = call.choice("user_id_type", USER_TYPES_CORE_HR, "open_id")
    department_type = call.choice(
        "department_id_type", DEPARTMENT_TYPES_CORE_HR, "open_department_id"
    )
    fields = call.body_texts("fields")
    found = _found(call, user_type)
    records = [
        call.tenant.store.lagging_get("employments", employment)
        for employment in dict.fromkeys(found)
    ]
    items = [
        select(_full(call, record, user_type, department_type), fields, ("employment_id",))
        for record in records
        if record is not None
    ]
    return {"items": items}


def _found(call: Call, user_type: str) -> list[str]:
    store = call.tenant.store
    for name in ("employment_ids", "person_ids", "work_emails"):
        sent = call.body_texts(name)
        if not sent:
            continue
        if name == "employment_ids":
            rows = [find_employment(store, value, user_type) for value in sent]
        elif name == "person_ids":
            rows = [store.find("employments", "person_id", value) for value in sent]
        else:
            wanted = set(sent)
            rows = [record for _, record in store.scan("employments") if record["email"] in wanted]
        return [record["id"] for record in rows if record is not None]
    raise call.bad("employment_ids", "employment_ids, person_ids or work_emails is required")


def _full(call: Call, record: Record, user_type: str, department_type: str) -> dict[str, Any]:
    store = call.tenant.store
    employment = record["id"]
    if user_type != "people_corehr_id":
        employment = show(store, "contacts", record["open_id"], user_type)
    department = show(store, "departments", record["department"], department_type)
    manager = show(store, "contacts", record["manager"], user_type)
    reason = store.get("reasons", record["reason"]) if record["reason"] else None
    return {
        "employment_id": employment,
        "employment_id_v2": employment,
        "ats_application_id": record["ats_application_id"],
        "prehire_id": record["prehire_id"],
        "employee_number": record["employee_number"],
        "employee_type_id": record["employee_type"],
        "job_level_id": record["job_level"],
        "job_level": _named(call, "job_levels", record["job_level"]),
        "job_family_id": record["job_family"],
        "job_family": _named(call, "job_families", record["job_family"]),
        "job_title": record["job_title"],
        "work_location_id": record["location"],
        "company_id": record["company"],
        "department_id": department,
        "department_id_v2": department,
        "direct_manager_id": manager,
        "direct_manager_id_v2": manager,
        "employment_status": enum(record["employment_status"]),
        "employment_type": enum("type_1"),
        "effective_date": record["effective_date"],
        "probation_period": record["probation_months"],
        "on_probation": not record["converted"],
        "probation_start_date": record["probation_start_date"],
        "probation_end_date": record["probation_end_date"],
        "expiration_date": record["expiration_date"],
        "reason_for_offboarding": enum(record["reason"], reason["name"] if reason else []),
        "email_address": record["email"],
        "cost_center_list": record["cost_center_rate"],
        "person_info": {
            "person_id": record["person_id"],
            "legal_name": record["name"],
            "preferred_name": record["name"],
            "phone_number": record["phone_number"],
            "gender": gender(record["gender"]),
        },
    }


def _named(call: Call, kind: str, inner: str) -> dict[str, Any]:
    record = call.tenant.store.get(kind, inner) or {}
    return {key: record.get(key) for key in ("id", "code", "name", "active")}
