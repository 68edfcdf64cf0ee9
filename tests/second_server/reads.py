"""The calls that only read. Lists page as each page says, id types default as it says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from .company import (
    OFFBOARDING_FIELDS,
    ZONE,
    Application,
    Company,
    Offboarding,
    PreHire,
    Thing,
    by_id,
)
from .shapes import (
    STAGES,
    application_json,
    cost_center_json,
    department_json,
    employee_json,
    employee_part,
    employment_json,
    field_json,
    i18n,
    offboarding_json,
    pre_hire_found,
    pre_hire_json,
    stage_json,
    talent_detail,
    talent_json,
)
from .wire import (
    COREHR_DEPARTMENTS,
    COREHR_USERS,
    HIRE_IDS,
    HIRE_USERS,
    REQUIRED,
    Call,
    Refusal,
    choose,
)

TALENT_USERS = (*HIRE_USERS, "people_admin_id")
PAGE = {"page_token": (None, "")}
SEARCH = {"page_size": (None, REQUIRED)} | PAGE
SEARCH_IDS = {
    "user_id_type": (COREHR_USERS, "open_id"),
    "department_id_type": (COREHR_DEPARTMENTS, "open_department_id"),
}
MOST_IDS = 100


# Hire.
def talents(call: Call) -> dict[str, Any]:
    query = call.query(
        {
            "keyword": (None, ""),
            "update_start_time": (None, ""),
            "update_end_time": (None, ""),
            "page_size": (None, "10"),
            "sort_by": (("1", "2", "3", "4"), "1"),
            "user_id_type": (TALENT_USERS, "people_admin_id"),
            "query_option": (("", "ignore_empty_error"), ""),
        }
        | PAGE
    )
    found = [
        talent
        for talent in call.company.talents.values()
        if within(call, query, talent.updated_ms) and query["keyword"] in talent.name
    ]
    if not found and not query["query_option"]:
        raise Refusal(400, 1002004, "empty result")
    found.sort(key=lambda talent: -talent.updated_ms)
    return call.page([talent_json(talent) for talent in found], query["page_size"], 20)


def within(call: Call, query: dict[str, str], at: int) -> bool:
    """The update window, in milliseconds as text."""
    for name in ("update_start_time", "update_end_time"):
        if query[name] and not (query[name].isdecimal() and len(query[name]) == 13):
            raise call.wrong(name, "are no milliseconds")
    return int(query["update_start_time"] or 0) <= at <= int(query["update_end_time"] or 10**13)


def talent(call: Call) -> dict[str, Any]:
    call.query({"user_id_type": (TALENT_USERS, "people_admin_id")})
    found = call.company.talents.get(call.request.ids["talent_id"])
    if found is None:
        raise Refusal(404, 1002102, "talent not found")
    return talent_detail(found)


def applications(call: Call) -> dict[str, Any]:
    query = call.query(
        {
            **dict.fromkeys(("process_id", "stage_id", "talent_id", "job_id"), (None, "")),
            "active_status": (("1", "2", "3"), "3"),
            "lock_status": ("list", ""),
            "page_size": (None, "10"),
            "update_start_time": (None, ""),
            "update_end_time": (None, ""),
        }
        | PAGE
    )
    locks = call.request.query.get("lock_status", [])
    if set(locks) - {"1", "2", "3"}:
        raise call.wrong("lock_status", f"{locks}")
    found = [
        one.id
        for one in call.company.applications.values()
        if (not locks or lock_of(one) in locks)
        and query["stage_id"] in ("", STAGES[one.stage][0])
        and query["talent_id"] in ("", one.talent.id)
        and query["job_id"] in ("", one.job_id)
        and query["active_status"] in ("3", "1" if one.active else "2")
        and within(call, query, one.updated_ms)
    ]
    return call.page(found, query["page_size"], 200)


def lock_of(application: Application) -> str:
    """1 free, 2 locked by another, 3 locked by this one."""
    locked_by = application.talent.locked_by
    return {"": "1", application.id: "3"}.get(locked_by, "2")


def application(call: Call) -> dict[str, Any]:
    call.query({"user_id_type": (HIRE_USERS, "open_id"), "options": ("list", "")})
    return {"application": application_json(_application(call))}


def _application(call: Call) -> Any:
    found = call.company.applications.get(call.request.ids["application_id"])
    if found is None:
        raise Refusal(400, 1002201, "application not found")
    return found


DETAIL_IDS = {
    "user_id_type": (TALENT_USERS, "open_id"),
    "department_id_type": (("open_department_id", "department_id"), "open_department_id"),
    "job_level_id_type": (HIRE_IDS["job_level_id_type"][0], "job_level_id"),
    "job_family_id_type": (HIRE_IDS["job_family_id_type"][0], "job_family_id"),
    "employee_type_id_type": (HIRE_IDS["employee_type_id_type"][0], "employee_type_enum_id"),
}
DETAIL_PARTS = {
    f"with_{part}"
    for part in (
        *("job", "talent", "interview", "offer", "evaluation", "employee", "agency"),
        *("referral", "portal"),
    )
}


def application_detail(call: Call) -> dict[str, Any]:
    ids = call.query(DETAIL_IDS | {"options": ("list", "")})
    options = set(call.request.query.get("options", []))
    if options - DETAIL_PARTS:
        raise call.wrong("options", f"{sorted(options - DETAIL_PARTS)}")
    one = _application(call)
    employee = call.company.employee_of(one.id)
    basic = application_json(one)
    basic["onboard_status"] = 2 if employee and one.stage == 7 else 1
    detail: dict[str, Any] = {"basic_info": basic}
    if "with_employee" in options and employee:
        detail["employee"] = employee_part(employee, ids)
    if "with_talent" in options:
        name, email = one.talent.name, one.talent.email
        detail["talent"] = {"id": one.talent.id, "name": name, "email": email}
    if "with_job" in options:
        detail["job"] = {"id": one.job_id, "name": "工程师", "code": "A1"}
    if "with_offer" in options and one.offer:
        detail["offer"] = {"offer_basic": one.offer}
    return {"application_detail": detail}


def job_processes(call: Call) -> dict[str, Any]:
    query = call.query({"page_size": (None, "10")} | PAGE)
    stages = [stage_json(number) for number in sorted(STAGES)]
    process = {"id": "7380000000000000001", "zh_name": "社招流程", "en_name": "Experienced"}
    return call.page([process | {"type": 1, "stage_list": stages}], query["page_size"], 100)


def employee(call: Call) -> dict[str, Any]:
    ids = call.query(HIRE_IDS)
    found = call.company.employees.get(call.request.ids["employee_id"])
    if found is None:
        raise Refusal(400, 1002903, "员工不存在")
    return {"employee": employee_json(found, ids)}


def employee_by_application(call: Call) -> dict[str, Any]:
    ids = call.query(HIRE_IDS | {"application_id": (None, REQUIRED)})
    found = call.company.employee_of(ids["application_id"])
    if found is None:
        raise Refusal(400, 1002903, "员工不存在")
    record = employee_json(found, ids)
    if found.employment:
        record["external_employment_id"] = found.employment.id
    return {"employee": record}


def locations(call: Call) -> dict[str, Any]:
    query = call.query({"usage": (None, ""), "page_size": (None, "10")} | PAGE)
    items = [
        {
            "id": f"78{number:017d}",
            "name": {"zh_cn": f"{name}办公室", "en_us": f"{name} office"},
            "city": {"code": id_, "name": {"zh_cn": name, "en_us": name}},
            "active_status": 1,
        }
        for number, (id_, name) in enumerate(call.company.locations.items())
    ]
    return call.page(items, query["page_size"], 100)


def job_requirements(call: Call) -> dict[str, Any]:
    times = ("create_time_begin", "create_time_end", "update_time_begin", "update_time_end")
    known = dict.fromkeys((*times, "job_id"), (None, ""))
    query = call.query(HIRE_IDS | known | {"page_size": (None, "10")} | PAGE)
    items = [
        {"id": one.id, "short_code": one.id[-6:], "name": one.name, "head_count": 2}
        for one in call.company.job_requirements.values()
    ]
    return call.page(items, query["page_size"], 100)


# CoreHR: pre-hires and offboardings.
def pre_hires(call: Call) -> dict[str, Any]:
    query = call.query(SEARCH | {"pre_hire_ids": ("list", "")})
    asked = call.request.query.get("pre_hire_ids", [])
    if len(asked) > 10:
        raise Refusal(400, 1164301, "too many pre_hire_ids")
    found = [one for one in call.company.pre_hires.values() if not asked or one.id in asked]
    return call.page([pre_hire_json(one) for one in found], query["page_size"], 100)


def pre_hire(call: Call) -> dict[str, Any]:
    call.query({})
    found = call.company.pre_hires.get(call.request.ids["pre_hire_id"])
    if found is None:
        raise call.wrong("pre_hire_id", "no such pre-hire")
    return {"pre_hire": pre_hire_json(found)}


PRE_HIRE_LISTS = (
    *("worker_ids", "pre_hire_ids", "person_ids", "onboarding_location_ids", "department_ids"),
    *("direct_manager_ids", "employee_type_ids", "employee_subtype_ids", "job_family_ids"),
    "fields",
)


def search_pre_hires(call: Call) -> dict[str, Any]:
    ids = call.query(SEARCH | SEARCH_IDS)
    texts = ("onboarding_status", "key_word", "rehire")
    days = ("onboarding_date_start", "onboarding_date_end")
    days += ("updated_date_start", "updated_date_end")
    body = call.body(
        dict.fromkeys(PRE_HIRE_LISTS, (list, False))
        | dict.fromkeys((*texts, *days), (str, False))
        | {"condition_worker": (bool, False)}
    )
    for name in PRE_HIRE_LISTS:
        call.strings(name, body.get(name, []), MOST_IDS)
    hired = _days(call, body, "onboarding_date")
    updated = _days(call, body, "updated_date")

    def fits(one: PreHire) -> bool:
        return (
            one.id in body.get("pre_hire_ids", [one.id])
            and one.onboarding_status == body.get("onboarding_status", one.onboarding_status)
            and hired[0] <= date.fromisoformat(one.hire_date) <= hired[1]
            and updated[0] <= one.updated_on <= updated[1]
            and body.get("key_word", "") in one.name
        )

    items = [
        choose(pre_hire_found(one, ids), ["pre_hire_id", *body.get("fields", [])])
        for one in call.company.pre_hires.values()
        if fits(one)
    ]
    return call.page(items, ids["page_size"], 100)


def _days(call: Call, body: dict[str, Any], name: str) -> tuple[date, date]:
    """Both ends of a range of days, or neither."""
    ends = [body.get(f"{name}_{end}") for end in ("start", "end")]
    if (ends[0] is None) != (ends[1] is None):
        raise Refusal(400, 1160104, f"{name}: one end is missing")
    if ends[0] is None or ends[1] is None:
        return date.min, date.max
    try:
        return date.fromisoformat(ends[0]), date.fromisoformat(ends[1])
    except ValueError as error:
        raise call.wrong(name, "is no day") from error


STATUSES = ("Approving", "Approved", "Offboarded", "Rejected", "Withdrawn", "NoNeedApproval")


def search_offboardings(call: Call) -> dict[str, Any]:
    query = call.query(SEARCH | {"user_id_type": (COREHR_USERS, "open_id")})
    seconds = [
        f"{name}_{end}"
        for name in ("apply_initiating_time", "apply_finished_time")
        for end in ("start", "end")
    ]
    days = [
        f"{name}_{end}"
        for name in ("expected_offboarding_date", "offboarding_date")
        for end in ("start", "end")
    ]
    lists = ("employment_ids", "statuses", "reasons", "employee_reasons")
    body = call.body(
        dict.fromkeys(lists, (list, False)) | dict.fromkeys(seconds + days, (str, False))
    )
    for name in lists:
        call.strings(name, body.get(name, []), 10 if name == "statuses" else MOST_IDS)
    for name in seconds:
        if name in body and not (body[name].isdecimal() and len(body[name]) == 10):
            raise call.wrong(name, "are no seconds")
    if unknown := set(body.get("statuses", [])) - set(STATUSES):
        raise call.wrong("statuses", f"{unknown}")
    initiated = _seconds(body, "apply_initiating_time")
    finished = _seconds(body, "apply_finished_time")
    leaving = _days(call, body, "offboarding_date")
    user_ids = query["user_id_type"]

    def fits(one: Offboarding) -> bool:
        user = one.employment.user.ids[user_ids]
        return (
            not one.outside_data_scope
            and user in (body.get("employment_ids") or [user])
            and one.status in (body.get("statuses") or [one.status])
            and one.values.get("reason") in (body.get("reasons") or [one.values.get("reason")])
            and leaving[0] <= date.fromisoformat(one.values["offboarding_date"]) <= leaving[1]
            and initiated[0] <= _at(one.initiated) <= initiated[1]
            and finished[0] <= _at(one.finished) <= finished[1]
        )

    found = [one for one in call.company.offboardings.values() if fits(one)]
    return call.page([offboarding_json(one, user_ids) for one in found], query["page_size"], 100)


def _seconds(body: dict[str, Any], name: str) -> tuple[int, int]:
    ends = [body.get(f"{name}_{end}") for end in ("start", "end")]
    if (ends[0] is None) != (ends[1] is None):
        raise Refusal(400, 1160104, f"{name}: one end is missing")
    return int(ends[0] or 0), int(ends[1] or 10**11)


def _at(text: str) -> int:
    if not text:
        return 0
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def offboarding_reasons(call: Call) -> dict[str, Any]:
    call.query({})
    body = call.body(
        {"active": (bool, False), "offboarding_reason_unique_identifier": (list, False)}
    )
    asked = call.strings("ids", body.get("offboarding_reason_unique_identifier", []), 20)
    items = []
    for id_, (name, parent) in call.company.reasons.items():
        if asked and id_ not in asked:
            continue
        item = {"offboarding_reason_unique_identifier": id_, "name": i18n(name), "active": True}
        if parent:
            item["parent_offboarding_reason_unique_identifier"] = parent
        items.append(item | {"created_time": "2020-01-01 00:00:00"})
    return {"items": items}


# CoreHR: people and reference data.
def employments(call: Call) -> dict[str, Any]:
    ids = call.query(SEARCH_IDS)
    lists = ("fields", "employment_ids", "person_ids", "work_emails")
    body = call.body(dict.fromkeys(lists, (list, False)))
    for name in lists:
        call.strings(name, body.get(name, []), MOST_IDS)
    asked = body.get("employment_ids", [])
    if not any(body.get(name) for name in lists[1:]):
        raise call.wrong("employment_ids", "one of the lists is needed")
    if sum(bool(body.get(name)) for name in lists[1:]) > 1:
        call.found("more than one list of ids: only the first counts")
    items = []
    for one in call.company.employments.values():
        if one.user.ids[ids["user_id_type"]] in asked:
            record = employment_json(one, ids["user_id_type"], ids["department_id_type"])
            items.append(choose(record, ["employment_id", *body.get("fields", [])]))
    return {"items": items}


def custom_fields(call: Call) -> dict[str, Any]:
    call.bad_parameter = 1160005
    call.query({"object_api_name_list": ("list", REQUIRED)})
    asked = call.request.query["object_api_name_list"]
    if len(asked) > 20:
        raise Refusal(400, 1160005, "object_api_name_list: at most 20")
    custom = [f for f in call.company.fields if f.api_name.endswith("__c")]
    return {"items": [field_json(f) for f in custom if f.object_name in asked]}


def custom_field(call: Call) -> dict[str, Any]:
    call.bad_parameter = 1160006
    query = call.query({"object_api_name": (None, REQUIRED), "custom_api_name": (None, REQUIRED)})
    for field in (*OFFBOARDING_FIELDS, *call.company.fields):
        if (field.object_name, field.api_name) == tuple(query.values()):
            return {"data": field_json(field, tuple(call.company.reasons))}
    raise Refusal(400, 1162020, "no such field")


def employee_types(call: Call) -> dict[str, Any]:
    query = call.query(SEARCH)
    items = [
        {
            "id": one.ids["id"],
            "name": i18n(one.name),
            "default_employee_type": False,
            "active": one.active,
            "code": one.ids["employee_type_enum_id"],
        }
        for one in call.company.employee_types
    ]
    return call.page(items, query["page_size"], 2000, below=True)


def departments(call: Call) -> dict[str, Any]:
    ids = call.query(SEARCH | SEARCH_IDS)
    lists = ("manager_list", "department_id_list", "name_list", "code_list", "fields")
    flags = ("active", "get_all_children")
    body = call.body(
        dict.fromkeys(lists, (list, False))
        | dict.fromkeys(flags, (bool, False))
        | {"parent_department_id": (str, False)}
    )
    for name in lists:
        call.strings(name, body.get(name, []), MOST_IDS)
    id_type = ids["department_id_type"]
    parent = by_id(call.company.departments, id_type, body.get("parent_department_id", ""))
    if "parent_department_id" in body and parent is None:
        raise call.wrong("parent_department_id", "no such department")
    items = []
    for one in call.company.departments:
        asked = body.get("department_id_list") or [one.ids[id_type]]
        above = _above(one) if body.get("get_all_children") else [one.parent]
        fits = (
            one.ids[id_type] in asked
            and one.active == body.get("active", one.active)
            and one.name in (body.get("name_list") or [one.name])
            and (parent is None or any(each is parent for each in above))
        )
        if fits:
            record = department_json(one, id_type, ids["user_id_type"])
            items.append(choose(record, ["id", *body.get("fields", [])]))
    return call.page(items, ids["page_size"], 100)


def _above(department: Any) -> list[Any]:
    above = []
    while department.parent:
        department = department.parent
        above.append(department)
    return above


def departments_by_id(call: Call) -> dict[str, Any]:
    ids = call.query(SEARCH_IDS)
    lists = ("department_id_list", "department_name_list", "fields")
    body = call.body(dict.fromkeys(lists, (list, False)))
    for name in lists:
        call.strings(name, body.get(name, []), MOST_IDS)
    id_type = ids["department_id_type"]
    items = [
        choose(department_json(one, id_type, ids["user_id_type"]), ["id", *body.get("fields", [])])
        for one in call.company.departments
        if one.ids[id_type] in body.get("department_id_list", [])
    ]
    return {"items": items}


def cost_centers(call: Call) -> dict[str, Any]:
    call.bad_parameter = 1160001
    query = call.query(SEARCH | {"user_id_type": (COREHR_USERS, "people_corehr_id")})
    lists = ("cost_center_id_list", "name_list")
    body = call.body(
        dict.fromkeys(lists, (list, False))
        | dict.fromkeys(("code", "parent_cost_center_id"), (str, False))
        | {"get_all_version": (bool, False)}
    )
    for name in lists:
        call.strings(name, body.get(name, []), MOST_IDS)
    items = [
        cost_center_json(one)
        for one in call.company.cost_centers.values()
        if one.id in (body.get("cost_center_id_list") or [one.id])
        and one.name in (body.get("name_list") or [one.name])
        and one.code == body.get("code", one.code)
    ]
    return call.page(items, query["page_size"], 100)


def job_levels(call: Call) -> dict[str, Any]:
    query = call.query(SEARCH)
    items = [
        {
            "id": one.ids["id"],
            "level_order": one.order,
            "code": one.name,
            "name": i18n(one.name),
            "active": one.active,
        }
        for one in call.company.levels
    ]
    return call.page(items, query["page_size"], 100)


CONVERTED = ("user_id", "department_id", "job_level_id", "job_family_id", "employee_type_id")


def convert_ids(call: Call) -> dict[str, Any]:
    call.bad_parameter = 1160001
    query = call.query(
        {
            "id_transform_type": (("1", "2", "3", "4"), REQUIRED),
            "id_type": (CONVERTED, REQUIRED),
            "feishu_user_id_type": (HIRE_USERS, "open_id"),
            "feishu_department_id_type": (
                ("open_department_id", "department_id"),
                "open_department_id",
            ),
        }
    )
    ids = call.strings("ids", call.body({"ids": (list, True)})["ids"], 100)
    if not ids or any(len(one) > 50 for one in ids):
        raise call.wrong("ids", "1 to 100, at most 50 characters each")
    core, contact, admin, things = _id_names(call.company, query)
    source, target = {
        "1": (core, contact),
        "2": (contact, core),
        "3": (admin, contact),
        "4": (admin, core),
    }[query["id_transform_type"]]
    pairs = ((one, by_id(things, source, one)) for one in ids)
    return {"items": [{"id": one, "target_id": thing.ids[target]} for one, thing in pairs if thing]}


def _id_names(company: Company, query: dict[str, str]) -> tuple[str, str, str, list[Thing]]:
    """What CoreHR, the directory and the retiring system call the id, and the things it is of."""
    return {
        "user_id": (
            *("people_corehr_id", query["feishu_user_id_type"], "people_admin_id"),
            company.users,
        ),
        "department_id": (
            *("people_corehr_department_id", query["feishu_department_id_type"]),
            *("people_admin_department_id", company.departments),
        ),
        "job_level_id": ("id", "job_level_id", "people_admin_job_level_id", company.levels),
        "job_family_id": ("id", "job_family_id", "people_admin_job_category_id", company.families),
        "employee_type_id": (
            *("id", "employee_type_enum_id", "people_admin_employee_type_id"),
            company.employee_types,
        ),
    }[query["id_type"]]


def users(call: Call) -> dict[str, Any]:
    call.bad_parameter = 40001
    query = call.query(
        {
            "user_ids": ("list", REQUIRED),
            "user_id_type": (HIRE_USERS, "open_id"),
            "department_id_type": (("open_department_id", "department_id"), "open_department_id"),
        }
    )
    asked = call.request.query["user_ids"]
    if len(asked) > 50:
        raise call.wrong("user_ids", "at most 50")
    items = []
    for one in call.company.users:
        if one.active and one.ids[query["user_id_type"]] in asked:
            status = {"is_frozen": False, "is_resigned": False, "is_activated": True}
            item = {name: one.ids[name] for name in ("open_id", "union_id")}
            item |= {"name": one.name, "en_name": one.en_name, "status": status}
            if one.manager:
                item["leader_user_id"] = one.manager.ids[query["user_id_type"]]
            items.append(item)
    return {"items": items}
