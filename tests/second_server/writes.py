"""The five calls that change something, A1 to A5, each after its own page."""

from __future__ import annotations

import json
import re
import time
from datetime import date
from typing import Any

from .company import (
    OFFBOARDING_FIELDS,
    ONBOARDED_STAGE,
    PRE_HIRE_STAGE,
    Company,
    Field,
    HireEmployee,
    Offboarding,
    Thing,
    by_id,
    today,
)
from .shapes import employee_json, pre_hire_json
from .wire import COREHR_USERS, HIRE_IDS, Call, Refusal, is_a, ms_text

DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def now_ms() -> int:
    return int(time.time() * 1000)


# A1, 更新人才在职状态.
def talent_status(call: Call) -> dict[str, Any]:
    call.query({})
    body = call.body(
        {"operation": (int, True), "onboard_time": (str, False), "overboard_time": (str, False)}
    )
    times = {name: ms_text(call, name, body[name]) for name in body if name.endswith("board_time")}
    operation = body["operation"]
    needed = {1: "onboard_time", 2: "overboard_time"}.get(operation)
    if needed is None or needed not in times:
        raise call.wrong("operation", "unknown, or without its time")
    talent = call.company.talents.get(call.request.ids["talent_id"])
    if talent is None:
        raise call.wrong("talent_id", "no such talent")
    if operation == 1 and talent.mark:
        raise call.wrong("operation", f"the talent has {talent.mark}")
    if operation == 2 and call.company.leaving_is_refused:
        raise call.wrong("operation", "not for this talent")
    before = talent.mark
    talent.mark = "onboarded" if operation == 1 else "left"
    talent.is_onboarded = operation == 1 or call.company.left_talents_stay_onboarded
    talent.updated_ms = now_ms()
    call.effect("talent", talent.id, talent.mark, mark=(before, talent.mark))
    return {}


# A2, 更新员工状态.
CONVERSION = {"actual_conversion_time": (int, False)}
OVERBOARD = {"actual_overboard_time": (int, False), "overboard_note": (str, False)}


def employee_status(call: Call) -> dict[str, Any]:
    ids = call.query(HIRE_IDS)
    body = call.body(
        {
            "operation": (int, True),
            "conversion_info": (dict, False),
            "overboard_info": (dict, False),
        }
    )
    operation = body["operation"]
    if operation not in (1, 2, 3, 4, 5):
        raise call.wrong("operation", f"{operation} is none of 1 to 5")
    info: dict[str, Any] = {}
    for name, known in (("conversion_info", CONVERSION), ("overboard_info", OVERBOARD)):
        if name in body:
            info |= call.object(name, body[name], known)
    needed = {1: "conversion_info", 2: "overboard_info"}.get(operation)
    if needed and needed not in body:
        raise call.wrong(needed, f"is required with operation {operation}")
    if not call.company.ehr_switch:
        raise Refusal(400, 1002908, "EHR同步开关未开启")
    employee = call.company.employees.get(call.request.ids["employee_id"])
    if employee is None:
        raise Refusal(400, 1002903, "员工不存在")
    if employee.synced_to_corehr:
        raise Refusal(400, 1002910, "候选人已经同步到飞书人事，请通过飞书人事进行相关操作")
    OPERATIONS[operation](call, employee, info)
    return {"employee": employee_json(employee, ids)}


def convert(call: Call, employee: HireEmployee, info: dict[str, Any]) -> None:
    _needs(employee.onboard_status == 1 and employee.conversion_status == 1)
    at = info.get("actual_conversion_time", now_ms())
    _not_before(call, "actual_conversion_time", at, employee)
    _change(call, "employee", employee, "converted", conversion_status=2, actual_conversion_time=at)


def offboard(call: Call, employee: HireEmployee, info: dict[str, Any]) -> None:
    _needs(employee.onboard_status == 1)
    at = info.get("actual_overboard_time", now_ms())
    _not_before(call, "actual_overboard_time", at, employee)
    note = info.get("overboard_note", "")
    _change(
        call,
        "employee",
        employee,
        "offboarded",
        onboard_status=2,
        overboard_time=at,
        overboard_note=note,
    )


def restore(call: Call, employee: HireEmployee, info: dict[str, Any]) -> None:
    """Back to pre-hire. Whether the record survives is not on the page: a switch decides."""
    _needs(employee.onboard_status == 1)
    application = employee.application
    application.stage, application.updated_ms = PRE_HIRE_STAGE, now_ms()
    application.talent.is_onboarded, application.talent.mark = False, ""
    if not call.company.restored_employees_stay:
        del call.company.employees[employee.id]
    call.effect("employee", employee.id, "restored", stage=(ONBOARDED_STAGE, PRE_HIRE_STAGE))


def undo_offboarding(call: Call, employee: HireEmployee, info: dict[str, Any]) -> None:
    if employee.onboard_status != 2:
        raise Refusal(400, 1002907, "员工不允许撤销离职")
    _change(
        call,
        "employee",
        employee,
        "offboarding undone",
        onboard_status=1,
        overboard_time=0,
        overboard_note="",
    )


def undo_conversion(call: Call, employee: HireEmployee, info: dict[str, Any]) -> None:
    _needs(employee.onboard_status == 1 and employee.conversion_status == 2)
    _change(
        call,
        "employee",
        employee,
        "conversion undone",
        conversion_status=1,
        actual_conversion_time=0,
    )


OPERATIONS = {1: convert, 2: offboard, 3: restore, 4: undo_offboarding, 5: undo_conversion}


def _needs(state_fits: bool) -> None:
    if not state_fits:
        raise Refusal(400, 1002902, "当前员工状态不支持此操作")


def _not_before(call: Call, name: str, at: int, employee: HireEmployee) -> None:
    if at < employee.onboard_time:
        raise Refusal(400, 1002905, "非法时间", name)


def _change(call: Call, record: str, row: Any, done: str, **values: Any) -> None:
    changed = {}
    for name, value in values.items():
        if getattr(row, name) != value:
            changed[name] = (getattr(row, name), value)
            setattr(row, name, value)
    call.effect(record, row.id, done, **changed)


# A3, 操作候选人入职.
ONBOARD_TEXTS = ("job_requirement_id", "operator_id", "onboard_city_code", "department")
ONBOARD_TEXTS += ("leader", "sequence", "level", "employee_type")
ONBOARD_BODY = {
    "actual_onboard_time": (int, False),
    "expected_conversion_time": (int, False),
} | dict.fromkeys(ONBOARD_TEXTS, (str, False))


def transfer_onboard(call: Call) -> dict[str, Any]:
    ids = call.query(HIRE_IDS)
    body = call.body(ONBOARD_BODY)
    company = call.company
    if not company.ehr_switch:
        raise Refusal(500, 1002908, "EHR同步开关未开启")
    application = company.applications.get(call.request.ids["application_id"])
    if application is None:
        raise Refusal(404, 1002901, "投递不存在")
    existing = company.employee_of(application.id)
    if application.stage == ONBOARDED_STAGE or (existing and existing.onboard_status == 1):
        raise Refusal(400, 1002904, "员工已入职")
    if application.stage != PRE_HIRE_STAGE or not application.active:
        raise Refusal(400, 1002902, "当前阶段不支持转移")
    if application.talent.locked_by not in ("", application.id):
        raise Refusal(500, 1002210, "人才被其他投递锁定")
    if company.job_requirement_needed and "job_requirement_id" not in body:
        raise call.wrong("job_requirement_id", "is required in this tenant")
    at = body.get("actual_onboard_time", now_ms())
    until = body.get("expected_conversion_time", 0)
    if not 10**12 <= at <= now_ms() or at > until > 0:
        raise Refusal(400, 1002905, "时间非法")
    employee = HireEmployee(
        company.number("74"),
        application,
        onboard_time=at,
        expected_conversion_time=until,
        onboard_city_code=_one_of(call, body, "onboard_city_code", company.locations),
        department=_thing(call, body, "department", company.departments, ids),
        leader=_thing(call, body, "leader", company.users, ids),
        sequence=_thing(call, body, "sequence", company.families, ids),
        level=_thing(call, body, "level", company.levels, ids),
        employee_type=_thing(call, body, "employee_type", company.employee_types, ids),
        job_requirement_id=_one_of(call, body, "job_requirement_id", company.job_requirements),
    )
    _thing(call, body, "operator_id", company.users, ids)
    company.employees[employee.id] = employee
    application.stage, application.updated_ms = ONBOARDED_STAGE, now_ms()
    application.talent.is_onboarded, application.talent.mark = True, "onboarded"
    if employee.job_requirement_id:
        company.job_requirements[employee.job_requirement_id].onboarded += 1
    stages = (PRE_HIRE_STAGE, ONBOARDED_STAGE)
    call.effect("application", application.id, "onboarded", stage=stages)
    return {"employee": employee_json(employee, ids)}


ID_TYPE_OF = {
    "department": "department_id_type",
    "leader": "user_id_type",
    "operator_id": "user_id_type",
    "sequence": "job_family_id_type",
    "level": "job_level_id_type",
    "employee_type": "employee_type_id_type",
}


def _thing(
    call: Call, body: dict[str, Any], name: str, things: list[Thing], ids: dict[str, str]
) -> Thing | None:
    if name not in body:
        return None
    found = by_id(things, ids[ID_TYPE_OF[name]], body[name])
    if found is None:
        raise call.wrong(name, f"{body[name]} is no {ids[ID_TYPE_OF[name]]} of anything")
    return found


def _one_of(call: Call, body: dict[str, Any], name: str, known: Any) -> str:
    if name in body and body[name] not in known:
        raise call.wrong(name, f"there is no {body[name]}")
    return str(body.get(name, ""))


# A4, 编辑离职信息.
NO_SUCH_COMPANY = 1160304
FIXED = {
    *("wk_id", "wk_tenant_id", "employment", "process_id"),
    *("flow_id", "node_id", "initiator_id", "status"),
    *("checklist_status", "checklist_process_id", "type", "hrbp_ids"),
    *("hrbp_list", "probation_id", "wk_created_at", "wk_created_by"),
    *("wk_updated_at", "wk_updated_by", "wk_deleted_at", "wk_is_deleted"),
    *(
        "noncompete_agreement_id",
        "social_insurance_end_date",
        "provident_fund_end_date",
        "sign_type",
    ),
}


def edit_offboarding(call: Call) -> dict[str, Any]:
    ids = call.query({"user_id_type": (COREHR_USERS, "people_corehr_id")})
    body = call.body(
        {
            "offboarding_id": (str, True),
            "operator_id": (str, False),
            "update_data": (list, True),
        }
    )
    changes = body["update_data"]
    if not body["offboarding_id"] or not 1 <= len(changes) <= 10_000:
        raise call.wrong("update_data", "offboarding_id and update_data may not be empty")
    for item in changes:
        call.object("update_data[]", item, {"field_name": (str, True), "value": (str, True)})
    record = _editable(call, body["offboarding_id"])
    operator = body.get("operator_id", "")
    if operator and not call.company.user_by(ids["user_id_type"], operator):
        raise Refusal(400, 1160624, "operator does not exist")
    new = {item["field_name"]: item["value"] for item in changes}
    for name, value in new.items():
        _check_value(call, name, value)
    _check_block_list(record.values | new)
    if "offboarding_date" in new:
        _check_day(record, date.fromisoformat(new["offboarding_date"]))
    changed = {
        name: (record.values.get(name, ""), value)
        for name, value in new.items()
        if record.values.get(name) != value
    }
    record.values |= new
    call.effect("offboarding", record.id, "edited", **changed)
    return {"data": [{"field_name": name, "value": value} for name, value in new.items()]}


def _editable(call: Call, offboarding_id: str) -> Offboarding:
    record = call.company.offboardings.get(offboarding_id)
    if record is None:
        raise Refusal(400, 1160625, "offboarding does not exist")
    for stands_in_the_way, code, msg in (
        (record.outside_data_scope, 1160610, "has no permission to edit this offboarding"),
        (
            record.employment.status == "terminated" or record.status == "Offboarded",
            1160631,
            "employee is not exist or has offboarded",
        ),
        (record.change_in_approval, 1161001, "a change is in approval"),
        (record.withdrawal_in_approval, 1161002, "a withdrawal is in approval"),
        (record.status != "Approved", 1160623, "not allowed to edit this offboarding"),
        (record.transform_in_approval, 1160200, "has approving transform"),
    ):
        if stands_in_the_way:
            raise Refusal(400, code, msg)
    return record


def _check_value(call: Call, name: str, value: str) -> None:
    if name in FIXED:
        raise Refusal(400, 1160623, "not allowed to edit this offboarding", name)
    known = [
        *OFFBOARDING_FIELDS,
        *(f for f in call.company.fields if f.object_name == "offboarding_info"),
    ]
    field = next((one for one in known if one.api_name == name), None)
    if field is None:
        raise call.wrong(name, "no such field")
    refusal = _value_fault(call.company, field, value)
    if refusal and name.startswith("noncompete") and refusal[0] != NO_SUCH_COMPANY:
        raise Refusal(400, 1160700, "non compete agreement field value is illegal", name)
    if refusal:
        raise Refusal(400, *refusal, name)


def _value_fault(company: Company, field: Field, value: str) -> tuple[int, str] | None:
    if field.type == 8:
        return 1160637, "not support edit attachment"
    if field.type == 2 and value not in ("true", "false"):
        return 1160639, "invalid bool value"
    if field.type == 3 and not re.fullmatch(r"-?\d+(\.\d+)?", value):
        return 1160630, "invalid number value"
    if field.type == 7 and not (is_moment(value) if field.with_time else is_day(value)):
        return 1160638, "invalid date time value"
    if field.type == 5 and value not in company.employments:
        return 1160636, "custom employment does not exist"
    if field.type == 4 and not _options_fit(company, field, value):
        return 1160619, "enum value of the enum field is invalid"
    if field.api_name == "noncompete_agreement_company" and value not in company.companies:
        return NO_SUCH_COMPANY, "company id not found"
    return _text_fault(field, value) if field.type == 1 else None


def _text_fault(field: Field, value: str) -> tuple[int, str] | None:
    if field.is_url and not re.match(r"https?://\S+$", value):
        return 1160617, "hyperlink field format is illegal"
    if len(value) > (6000 if field.multiline else 255):
        if field.api_name in ("reason_explanation", "employee_reason_explanation"):
            return 1160604, "reason explanation length exceed maximum"
        return 1160618, "text field exceeds maximum limit"
    return None


def _options_fit(company: Company, field: Field, value: str) -> bool:
    options = tuple(company.reasons) if field.api_name.endswith("reason") else field.options
    if field.api_name == "block_reason":
        options = field.options
    if not field.multiple:
        return value in options
    try:
        chosen = json.loads(value)
    except ValueError:
        return False
    return isinstance(chosen, list) and all(one in options for one in chosen)


def _check_block_list(values: dict[str, str]) -> None:
    blocked = values.get("add_block_list") == "true"
    if blocked != bool(values.get("block_reason")):
        raise Refusal(400, 1160710, "invalid block list")


def _check_day(record: Offboarding, day: date) -> None:
    r = record
    never, ever = date.min, date.max
    for refused, code, msg in (
        (day < r.employment.since, 1160601, "offboarding is earlier than onboarding"),
        (day < (r.probation_start or never), 1160602, "offboarding is earlier than probation"),
        (day < (r.last_transform or never), 1160603, "offboarding is earlier than transform"),
        (r.contract_ended_on, 1160205, "contract has actual end date"),
        (r.future_contract, 1160204, "has future contract"),
        (not r.has_contract, 1160203, "no current contract"),
        (
            day < (r.contract_start or never),
            1160607,
            "offboarding is earlier than contract start date",
        ),
        (day > (r.contract_end or ever), 1160608, "offboarding is later than contract end date"),
        (
            day >= (r.department_disabled_from or ever),
            1160300,
            "the department has been disable on the date of offboarding",
        ),
    ):
        if refused:
            raise Refusal(400, code, msg, "offboarding_date")


def is_day(text: str) -> bool:
    if not DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_moment(text: str) -> bool:
    day, _, clock = text.partition(" ")
    return is_day(day) and bool(re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d", clock))


# A5, 更新待入职信息(不推荐).
STATUSES = ("preboarding", "deleted", "day_one", "withdrawn", "completed")
PRE_HIRE_BODY = {
    "ats_application_id": (str, False),
    "hire_date": (str, False),
    "employee_type": (dict, False),
    "worker_id": (str, False),
    "employee_type_id": (str, False),
    "person_id": (str, False),
    "custom_fields": (list, False),
    "cost_center_rate": (list, False),
    "onboarding_status": (dict, True),
}


def update_pre_hire(call: Call) -> dict[str, Any]:
    call.bad_parameter = 1160001
    token = call.query({"client_token": (None, "")})["client_token"]
    body = call.body(PRE_HIRE_BODY)
    new: dict[str, Any] = {
        name: body[name]
        for name in ("ats_application_id", "hire_date", "worker_id", "employee_type_id")
        if name in body
    }
    if "person_id" in body:
        new["person_id"] = body["person_id"]
    for name in ("employee_type", "onboarding_status"):
        if name in body:
            new[name] = call.object(name, body[name], {"enum_name": (str, True)})["enum_name"]
    if new["onboarding_status"] not in STATUSES:
        raise call.wrong("onboarding_status", f"{new['onboarding_status']} is no status")
    if "hire_date" in new and not is_day(new["hire_date"]):
        raise call.wrong("hire_date", "is no day")
    record = call.company.pre_hires.get(call.request.ids["pre_hire_id"])
    if record is None:
        raise call.wrong("pre_hire_id", "no such pre-hire")
    if "custom_fields" in body:
        new["custom_fields"] = record.custom_fields | _json_values(call, body["custom_fields"])
    if "cost_center_rate" in body:
        new["cost_center_rate"] = _split(call, body["cost_center_rate"])
    repeated = bool(token) and call.company.tokens_spent.get(token) == record.id
    if not repeated:
        _change(call, "pre_hire", record, "edited", **new)
        record.updated_on = today()
        if token:
            call.company.tokens_spent[token] = record.id
    return {"pre_hire": pre_hire_json(record)}


def _json_values(call: Call, items: list[Any]) -> dict[str, str]:
    """Values are JSON in a string, so a text carries quotes of its own."""
    known = {f.api_name: f for f in call.company.fields if f.object_name == "pre_hire"}
    values = {}
    for item in items:
        call.object("custom_fields[]", item, {"field_name": (str, True), "value": (str, True)})
        field = known.get(item["field_name"])
        if field is None:
            raise call.wrong(item["field_name"], "no such field")
        try:
            value = json.loads(item["value"])
        except ValueError as error:
            raise call.wrong(item["field_name"], "the value is no JSON") from error
        quoted = field.type != 3 and not field.multiple
        if quoted and not isinstance(value, str):
            raise call.wrong(item["field_name"], "the value is no text in JSON")
        values[item["field_name"]] = item["value"]
    return values


def _split(call: Call, items: list[Any]) -> list[dict[str, Any]]:
    centers = call.company.cost_centers
    for item in items:
        if not isinstance(item, dict) or not item.get("cost_center_id") or "rate" not in item:
            raise Refusal(400, 1161021, "Incomplete cost center data")
        for name in item.keys() - {"cost_center_id", "rate"}:
            call.found(f"cost_center_rate[].{name} is not on the page")
        if not is_a(item["rate"], int) or not 1 <= item["rate"] <= 100:
            raise Refusal(
                400, 1161020, "The number of allocation proportion must be an integer from 1 to 100"
            )
    chosen = [item["cost_center_id"] for item in items]
    if len(set(chosen)) < len(chosen):
        raise Refusal(400, 1161019, "Duplicate cost center")
    for one in chosen:
        if one not in centers:
            raise Refusal(400, 1161022, "No cost centers found")
        if not centers[one].active:
            raise Refusal(400, 1161024, "Cost center is deactivated")
        if centers[one].closing:
            raise Refusal(400, 1161025, "Cost center will be disabled")
    if items and sum(item["rate"] for item in items) != 100:
        raise Refusal(
            400, 1161023, "The total allocation proportion of all cost centers must be 100%"
        )
    return items
