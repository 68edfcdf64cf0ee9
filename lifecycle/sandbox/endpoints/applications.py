"""Hire applications: H5 (ids), H6 and H7 (one), H9 (processes), and the two catalogues A3 refers to."""

from typing import Any

from ..calls import USER_TYPES, Call, Refusal
from ..id_forms import show
from ..paging import page, place_of
from ..store import Record

_OPTIONS = {
    "with_job", "with_talent", "with_interview", "with_offer", "with_evaluation", "with_employee", "with_agency",
    "with_referral", "with_portal",
}  # fmt: skip
_USER_TYPES = (*USER_TYPES, "people_admin_id")


def list_applications(call: Call) -> dict[str, Any]:
    """H5: ids only."""
    size = call.number("page_size", default=10, low=1, high=200)
    after = place_of(call)
    where: list[str] = ["position > ?"]
    values: list[Any] = [after[0] if after else 0]
    for name in ("stage_id", "talent_id", "job_id"):
        if call.text(name):
            where.append(f"{name} = ?")
            values.append(call.text(name))
    for name, condition in (
        ("update_start_time", "updated_ms >= ?"),
        ("update_end_time", "updated_ms <= ?"),
    ):
        moment = call.moment_ms(name)
        if moment is not None:
            where.append(condition)
            values.append(moment)
    for field, wanted in _json_filters(call):
        where.append(f"json_extract(body, '$.{field}') IN ({', '.join('?' * len(wanted))})")
        values += wanted
    rows = call.tenant.store.select(
        "applications", " AND ".join(where), tuple(values), "position", size + 1
    )
    shown, tail = page(call, rows, size)
    return {"items": [record["id"] for record in shown], **tail}


def _json_filters(call: Call) -> list[tuple[str, list[Any]]]:
    filters: list[tuple[str, list[Any]]] = []
    active = call.choice("active_status", ("1", "2", "3"), "3")
    if active != "3":
        filters.append(("active_status", [int(active)]))
    if call.text("process_id"):
        filters.append(("process_id", [call.text("process_id")]))
    locks = call.texts("lock_status")
    if any(lock not in ("1", "2", "3") for lock in locks):
        raise call.bad("lock_status", "lock_status must be 1, 2 or 3")
    if locks:
        filters.append(("lock_status", [int(lock) for lock in locks]))
    return filters


def get_application(call: Call) -> dict[str, Any]:
    """H6."""
    user_type = call.choice("user_id_type", USER_TYPES, "open_id")
    record = _application(call)
    shown = _basic_info(call, record, user_type)
    reason = {
        "termination_type": record.get("termination_type", 0),
        "termination_reason_list": [],
        "termination_reason_note": record.get("termination_note", ""),
    }
    return {"application": {**shown, **(reason if record["active_status"] == 2 else {})}}


def get_application_detail(call: Call) -> dict[str, Any]:
    """H7. Its id types have other defaults than H10's, and its times are strings."""
    types = {
        "user_id_type": call.choice("user_id_type", _USER_TYPES, "open_id"),
        "department_id_type": call.choice(
            "department_id_type", ("open_department_id", "department_id"), "open_department_id"
        ),
        "job_level_id_type": call.choice(
            "job_level_id_type", ("people_admin_job_level_id", "job_level_id"), "job_level_id"
        ),
        "job_family_id_type": call.choice(
            "job_family_id_type", ("people_admin_job_category_id", "job_family_id"), "job_family_id"
        ),
        "employee_type_id_type": call.choice(
            "employee_type_id_type",
            ("people_admin_employee_type_id", "employee_type_enum_id"),
            "employee_type_enum_id",
        ),
    }
    options = set(call.texts("options"))
    if options - _OPTIONS:
        raise call.bad("options", "unknown option", ", ".join(sorted(options - _OPTIONS)))
    record = _application(call)
    employee = call.tenant.store.find("employees", "application_id", record["id"])
    basic = {
        **_basic_info(call, record, types["user_id_type"]),
        "onboard_status": 1 if employee is None else 2,
    }
    detail: dict[str, Any] = {"basic_info": basic}
    if "with_job" in options:
        detail["job"] = _job(call, record)
    if "with_talent" in options:
        detail["talent"] = _talent(call, record)
    if "with_offer" in options and record.get("offer"):
        detail["offer"] = {"offer_basic": _offer(call, record["offer"], types)}
    if "with_employee" in options and employee is not None:
        detail["employee"] = _employee(call, employee, types)
    return {"application_detail": detail}


def _application(call: Call) -> Record:
    record = call.tenant.store.get("applications", call.path_values["application_id"])
    if record is None:
        raise Refusal(1002201)
    return record


def _basic_info(call: Call, record: Record, user_type: str) -> dict[str, Any]:
    times = [
        dict(zip(("stage_id", "enter_time", "exit_time"), entry, strict=True))
        for entry in record["stage_times"]
    ]
    return {
        "id": record["id"],
        "job_id": record["job_id"],
        "talent_id": record["talent_id"],
        "stage": _stage(call, record),
        "active_status": record["active_status"],
        "delivery_type": record["delivery_type"],
        "stage_time_list": times,
        "application_preferred_city_list": [],
        "owner_id": show(call.tenant.store, "contacts", record["owner"], user_type),
        "create_time": str(record["created_ms"]),
        "modify_time": str(record["updated_ms"]),
    }


def _stage(call: Call, record: Record) -> dict[str, Any]:
    process = call.tenant.store.get("job_processes", record["process_id"]) or {"stage_list": []}
    found = [stage for stage in process["stage_list"] if stage["id"] == record["stage_id"]]
    return dict(found[0]) if found else {"id": record["stage_id"], "type": record["stage_type"]}


def _job(call: Call, record: Record) -> dict[str, Any]:
    job = call.tenant.store.get("jobs", record["job_id"]) or {}
    return {"id": record["job_id"], "name": job.get("name", ""), "code": job.get("code", "")}


def _talent(call: Call, record: Record) -> dict[str, Any]:
    talent = call.tenant.store.get("talents", record["talent_id"]) or {}
    return {
        "id": record["talent_id"],
        "name": talent.get("name", ""),
        "mobile_code": "86",
        "mobile_number": talent.get("mobile", ""),
        "email": talent.get("email", ""),
    }


def _employee(call: Call, record: Record, types: dict[str, str]) -> dict[str, Any]:
    store = call.tenant.store
    times = ("onboard_time", "expected_conversion_time", "actual_conversion_time", "overboard_time")
    return {
        "id": record["id"],
        "application_id": record["application_id"],
        "onboard_status": record["onboard_status"],
        "conversion_status": record["conversion_status"],
        **{name: str(record[name]) for name in times},
        "overboard_note": record["overboard_note"],
        "onboard_city_code": record["onboard_city_code"],
        "department_id": show(
            store, "departments", record["department"], types["department_id_type"]
        ),
        "leader_id": show(store, "contacts", record["leader"], types["user_id_type"]),
        "sequence_id": show(store, "job_families", record["sequence"], types["job_family_id_type"]),
        "level_id": show(store, "job_levels", record["level"], types["job_level_id_type"]),
        "employee_type": show(
            store, "employee_types", record["employee_type"], types["employee_type_id_type"]
        ),
        "job_requirement_id": record["job_requirement_id"],
    }


def _offer(call: Call, offer: Record, types: dict[str, str]) -> dict[str, Any]:
    def named(kind: str, inner: str, type_name: str) -> dict[str, Any]:
        return {
            "id": show(call.tenant.store, kind, inner, types[type_name]),
            "name": name_of(call, kind, inner),
        }

    return {
        "id": offer["id"],
        "offer_status": offer["status"],
        "leader": named("contacts", offer["leader"], "user_id_type"),
        "employee_type": named("employee_types", offer["employee_type"], "employee_type_id_type"),
        "department": named("departments", offer["department"], "department_id_type"),
        "sequence": named("job_families", offer["family"], "job_family_id_type"),
        "level": named("job_levels", offer["level"], "job_level_id_type"),
        "company_main_body": {
            "id": offer["company"],
            "name": name_of(call, "companies", offer["company"]),
        },
        "job_requirement_id": offer["requirement"],
        "probation_month": offer["probation_month"],
        "contract_period": offer["contract_period"],
        "onboard_date": offer["onboard_date"],
        "onboard_address": {"id": offer["city"], "name": _city_name(call, offer["city"])},
        "owner": named("contacts", offer["leader"], "user_id_type"),
    }


def name_of(call: Call, kind: str, inner: str) -> dict[str, str]:
    """`{zh_cn, en_us}` of a record that has either a plain name or one per language."""
    name = (call.tenant.store.get(kind, inner) or {}).get("name", "")
    if isinstance(name, str):
        return {"zh_cn": name, "en_us": name}
    return {"zh_cn": name[0]["value"], "en_us": name[1]["value"]}


def _city_name(call: Call, code: str) -> dict[str, str]:
    for location in call.tenant.store.all("locations"):
        if location["code"] == code:
            return {"zh_cn": location["zh"], "en_us": location["en"]}
    return {"zh_cn": "", "en_us": ""}


# -- catalogues -----------------------------------------------------------------------------------


def list_processes(call: Call) -> dict[str, Any]:
    """H9."""
    size = call.number("page_size", default=10, low=1, high=100)
    shown, tail = page(call, _behind(call, "job_processes"), size)
    return {"items": shown, **tail}


def _behind(call: Call, kind: str) -> Any:
    after = place_of(call)
    return call.tenant.store.scan(kind, after[0] if after else 0)


def list_locations(call: Call) -> dict[str, Any]:
    """Shape after the vendor's type definitions; the page is not part of the contract."""
    size = call.number("page_size", default=10, low=1, high=100)
    shown, tail = page(call, _behind(call, "locations"), size)
    country = {"code": "CN_1", "name": {"zh_cn": "中国", "en_us": "China"}}
    items = []
    for record in shown:
        name = {"zh_cn": record["zh"], "en_us": record["en"]}
        city = {"code": record["code"], "name": name}
        items.append(
            {"id": record["id"], "name": name, "city": city, "country": country, "active_status": 1}
        )
    return {"items": items, **tail}


def list_job_requirements(call: Call) -> dict[str, Any]:
    """Shape after the vendor's type definitions; `onboarded_count` is this tenant's own, to see A3 count."""
    size = call.number("page_size", default=10, low=1, high=100)
    wanted = call.text("job_id")
    user_type = call.choice("user_id_type", _USER_TYPES, "open_id")
    after = place_of(call)
    start, end = call.moment_ms("update_time_begin"), call.moment_ms("update_time_end")
    rows = (
        (position, record)
        for position, record in call.tenant.store.scan("job_requirements", after[0] if after else 0)
        if (not wanted or wanted in record["job_id_list"])
        and (start is None or record["updated_ms"] >= start)
        and (end is None or record["updated_ms"] <= end)
    )
    shown, tail = page(call, rows, size)
    return {"items": [_requirement(call, record, user_type) for record in shown], **tail}


def _requirement(call: Call, record: Record, user_type: str) -> dict[str, Any]:
    store = call.tenant.store
    return {
        "id": record["id"],
        "short_code": record["short_code"],
        "name": record["name"],
        "display_progress": 2,
        "head_count": record["head_count"],
        "onboarded_count": record["onboarded_count"],
        "department": {
            "id": record["department"],
            "name": name_of(call, "departments", record["department"]),
        },
        "sequence": {
            "id": record["family"],
            "name": name_of(call, "job_families", record["family"]),
        },
        "employee_type": {
            "id": show(store, "employee_types", record["employee_type"], "employee_type_enum_id"),
            "name": name_of(call, "employee_types", record["employee_type"]),
        },
        "direct_leader_list": [
            {
                "id": show(store, "contacts", record["leader"], user_type),
                "name": name_of(call, "contacts", record["leader"]),
            }
        ],
        "job_id_list": record["job_id_list"],
        "create_time": str(record["created_ms"]),
        "update_time": str(record["updated_ms"]),
    }
