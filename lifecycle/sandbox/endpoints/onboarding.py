"""A3: an application at the pre-hire stage becomes an employee."""

from typing import Any

from ..calls import Call, Refusal
from ..id_forms import read
from ..store import Record
from .employees import FIELD_KINDS, id_types, move_to_stage, show_employee
from .times import is_plausible_ms


def transfer_onboard(call: Call) -> dict[str, Any]:
    """A3. Bad types first, then the application, the switch, its state, the times and the ids."""
    types = id_types(call)
    onboard_time = call.body_int("actual_onboard_time")
    expected = call.body_int("expected_conversion_time")
    texts = {
        name: call.body_text(name)
        for name in ("job_requirement_id", "operator_id", "onboard_city_code")
    }
    sent = {name: call.body_text(name) for name in FIELD_KINDS}
    store = call.tenant.store
    application = store.get("applications", call.path_values["application_id"])
    if application is None:
        raise Refusal(1002901)
    settings = call.tenant.settings()
    if not settings["ehr_sync_switch"]:
        raise Refusal(1002908)
    _check_application(call, application)
    onboard_time = call.now_ms if onboard_time is None else onboard_time
    _check_times(onboard_time, expected, call.now_ms)
    requirement = _requirement(
        call, texts["job_requirement_id"], required=settings["job_requirement_required"]
    )
    fields = _known_ids(call, sent, types)
    _check_texts(call, texts, types)
    employee = _new_employee(call, application, fields)
    employee.update(
        onboard_time=onboard_time,
        expected_conversion_time=expected or 0,
        onboard_city_code=texts["onboard_city_code"],
        job_requirement_id=texts["job_requirement_id"],
    )
    _store(call, employee, application, requirement)
    return {"employee": show_employee(call, employee, types)}


def _check_application(call: Call, application: Record) -> None:
    if application["stage_type"] == 7 or call.tenant.store.find(
        "employees", "application_id", application["id"]
    ):
        raise Refusal(1002904)
    if application["lock_status"] == 2:
        raise Refusal(1002210)
    if application["stage_type"] != 6 or application["active_status"] != 1:
        raise Refusal(1002902)


def _check_times(onboard_time: int, expected: int | None, now_ms: int) -> None:
    """ "Not later than now" is documented; the bounds below and the order of the two are not."""
    if not is_plausible_ms(onboard_time) or onboard_time > now_ms:
        raise Refusal(1002905, "actual_onboard_time must not be later than now")
    if expected and (not is_plausible_ms(expected) or expected < onboard_time):
        raise Refusal(1002905, "expected_conversion_time is not acceptable")


def _requirement(call: Call, sent: str, *, required: bool) -> Record | None:
    """Required or not is a tenant setting; what a missing or unknown one answers is not documented."""
    if not sent:
        if required:
            raise call.bad("job_requirement_id", "the tenant requires a job requirement")
        return None
    requirement = call.tenant.store.get("job_requirements", sent)
    if requirement is None:
        raise call.bad("job_requirement_id", "no such job requirement", sent)
    return requirement


def _known_ids(call: Call, sent: dict[str, str], types: dict[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for name, (kind, type_name) in FIELD_KINDS.items():
        inner = read(call.tenant.store, kind, sent[name], types[type_name])
        if sent[name] and inner is None:
            raise call.bad(name, f"{name} is not a known {types[type_name]}", sent[name])
        fields[name] = inner or ""
    return fields


def _check_texts(call: Call, texts: dict[str, str], types: dict[str, str]) -> None:
    operator, city = texts["operator_id"], texts["onboard_city_code"]
    if operator and read(call.tenant.store, "contacts", operator, types["user_id_type"]) is None:
        raise call.bad("operator_id", "no such operator", operator)
    if city and all(location["code"] != city for location in call.tenant.store.all("locations")):
        raise call.bad("onboard_city_code", "no such location", city)


def _new_employee(call: Call, application: Record, fields: dict[str, str]) -> Record:
    position = call.tenant.store.next_position("employees")
    return {
        "id": call.tenant.ids.number("employees", position),
        "position": position,
        "application_id": application["id"],
        "talent_id": application["talent_id"],
        "onboard_status": 1,
        "conversion_status": 1,
        "actual_conversion_time": 0,
        "overboard_time": 0,
        "overboard_note": "",
        "external_employment_id": "",
        "updated_ms": call.now_ms,
        **fields,
    }


def _store(call: Call, employee: Record, application: Record, requirement: Record | None) -> None:
    store = call.tenant.store
    store.put_at("employees", employee.pop("position"), employee)
    move_to_stage(call, application, 7)
    talent = store.get("talents", application["talent_id"])
    if talent is not None:
        talent.update(
            state="onboarded",
            is_onboarded=True,
            onboard_time=employee["onboard_time"],
            updated_ms=call.now_ms,
        )
        store.put("talents", talent)
    if requirement is not None:
        requirement["onboarded_count"] += 1
        store.put("job_requirements", requirement)
    related = (employee["id"], application["talent_id"])
    call.effect("onboard", application["id"], None, employee, related=related)
