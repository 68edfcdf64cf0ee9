"""Hire employees: A2 (status), H10 and H11 (reads)."""

from typing import Any

from ..calls import Call, Refusal
from ..id_forms import show
from ..store import Record
from ..tenant import difference
from .times import is_plausible_ms

_ID_TYPES: dict[str, tuple[tuple[str, ...], str]] = {
    "user_id_type": (("open_id", "union_id", "user_id"), "open_id"),
    "department_id_type": (
        ("open_department_id", "department_id", "people_admin_department_id"),
        "people_admin_department_id",
    ),
    "job_level_id_type": (
        ("people_admin_job_level_id", "job_level_id"),
        "people_admin_job_level_id",
    ),
    "job_family_id_type": (
        ("people_admin_job_category_id", "job_family_id"),
        "people_admin_job_category_id",
    ),
    "employee_type_id_type": (
        ("people_admin_employee_type_id", "employee_type_enum_id"),
        "people_admin_employee_type_id",
    ),
}
FIELD_KINDS = {
    "department": ("departments", "department_id_type"),
    "leader": ("contacts", "user_id_type"),
    "sequence": ("job_families", "job_family_id_type"),
    "level": ("job_levels", "job_level_id_type"),
    "employee_type": ("employee_types", "employee_type_id_type"),
}


def id_types(call: Call) -> dict[str, str]:
    """The five id types; a caller who leaves them out gets the retiring ids, as documented."""
    return {
        name: call.choice(name, allowed, default) for name, (allowed, default) in _ID_TYPES.items()
    }


def show_employee(call: Call, record: Record, types: dict[str, str]) -> dict[str, Any]:
    """The 16 fields of A2, A3 and H10."""
    shown: dict[str, Any] = {
        name: record[name]
        for name in (
            "id", "application_id", "onboard_status", "conversion_status", "onboard_time", "expected_conversion_time",
            "actual_conversion_time", "overboard_time", "overboard_note", "onboard_city_code", "job_requirement_id",
        )
    }  # fmt: skip
    for name, (kind, type_name) in FIELD_KINDS.items():
        shown[name] = show(call.tenant.store, kind, record[name], types[type_name])
    return shown


def get_employee(call: Call) -> dict[str, Any]:
    """H10. The code of an unknown id is not on its page; H11's is used."""
    types = id_types(call)
    record = call.tenant.store.get("employees", call.path_values["employee_id"])
    if record is None:
        raise Refusal(1002903)
    return {"employee": show_employee(call, record, types)}


def get_by_application(call: Call) -> dict[str, Any]:
    """H11. Also carries the bridge to CoreHR."""
    types = id_types(call)
    record = call.tenant.store.find(
        "employees", "application_id", call.required_text("application_id")
    )
    if record is None:
        raise Refusal(1002903)
    shown = show_employee(call, record, types)
    return {"employee": {**shown, "external_employment_id": record["external_employment_id"]}}


# -- A2 -------------------------------------------------------------------------------------------

CONVERT, OFFBOARD, RESTORE, UNDO_OFFBOARD, UNDO_CONVERT = 1, 2, 3, 4, 5
_WORDS = {
    CONVERT: "convert",
    OFFBOARD: "offboard",
    RESTORE: "restore_to_pre_hire",
    UNDO_OFFBOARD: "undo_offboard",
    UNDO_CONVERT: "undo_convert",
}


def change_employee(call: Call) -> dict[str, Any]:
    """A2. Bad input first, then the switch, the person, CoreHR, the state and last the time."""
    types = id_types(call)
    operation = call.body_int("operation")
    if operation not in _WORDS:
        raise call.bad("operation", "operation must be 1 to 5", operation)
    moment, note = _info(call, operation)
    if not call.tenant.settings()["ehr_sync_switch"]:
        raise Refusal(1002908)
    record = call.tenant.store.get("employees", call.path_values["employee_id"])
    if record is None:
        raise Refusal(1002903)
    if record["external_employment_id"]:
        raise Refusal(1002910)
    _check_state(record, operation)
    _check_time(record, operation, moment)
    after = {**record, **_changes(call, record, operation, moment, note), "updated_ms": call.now_ms}
    _store(call, operation, record, after)
    return {"employee": show_employee(call, after, types)}


def _info(call: Call, operation: int) -> tuple[int | None, str]:
    """The time and note of the operation. The other object may be there as well: the printed sample sends both."""
    found: dict[str, tuple[int | None, str]] = {}
    for name, time_name in (
        ("conversion_info", "actual_conversion_time"),
        ("overboard_info", "actual_overboard_time"),
    ):
        info = call.body_object(name)
        if info is not None:
            found[name] = call.body_int(time_name, info), call.body_text("overboard_note", info)
    needed = {CONVERT: "conversion_info", OFFBOARD: "overboard_info"}.get(operation)
    if needed is not None and needed not in found:
        raise call.bad(needed, f"{needed} is required for operation {operation}")
    return found[needed] if needed else (None, "")


def _check_state(record: Record, operation: int) -> None:
    """Which state allows what is documented only through the codes; this is the natural reading."""
    onboarded, converted = record["onboard_status"] == 1, record["conversion_status"] == 2
    if operation == UNDO_OFFBOARD:
        if onboarded:
            raise Refusal(1002907)
        return
    allowed = {CONVERT: not converted, UNDO_CONVERT: converted}.get(operation, True)
    if not onboarded or not allowed:
        raise Refusal(1002902)


def _check_time(record: Record, operation: int, moment: int | None) -> None:
    """Future dates are not documented and pass; a time before the onboarding day does not."""
    if moment is None or operation not in (CONVERT, OFFBOARD):
        return
    if not is_plausible_ms(moment) or moment < record["onboard_time"]:
        raise Refusal(1002905)


def _changes(
    call: Call, record: Record, operation: int, moment: int | None, note: str
) -> dict[str, Any]:
    at = call.now_ms if moment is None else moment
    changes: dict[int, dict[str, Any]] = {
        CONVERT: {"conversion_status": 2, "actual_conversion_time": at},
        OFFBOARD: {"onboard_status": 2, "overboard_time": at, "overboard_note": note},
        RESTORE: {},
        UNDO_OFFBOARD: {"onboard_status": 1, "overboard_time": 0, "overboard_note": ""},
        UNDO_CONVERT: {"conversion_status": 1, "actual_conversion_time": 0},
    }
    return changes[operation]


def _store(call: Call, operation: int, record: Record, after: Record) -> None:
    store = call.tenant.store
    state = {OFFBOARD: "left", UNDO_OFFBOARD: "onboarded", RESTORE: "none"}.get(operation)
    if state:
        _mark_talent(call, record["talent_id"], state)
    related = (record["application_id"], record["talent_id"])
    if operation != RESTORE:
        store.put("employees", after)
        call.effect(_WORDS[operation], record["id"], *difference(record, after), related=related)
        return
    # Whether the record survives operation 3 is not documented; here it goes and the candidate waits again.
    store.delete("employees", record["id"])
    _back_to_waiting(call, record["application_id"])
    call.effect(_WORDS[operation], record["id"], record, None, related=related)


def _mark_talent(call: Call, talent_id: str, state: str) -> None:
    talent = call.tenant.store.get("talents", talent_id)
    if talent is not None:
        talent.update(state=state, is_onboarded=state == "onboarded", updated_ms=call.now_ms)
        call.tenant.store.put("talents", talent)


def _back_to_waiting(call: Call, application_id: str) -> None:
    application = call.tenant.store.get("applications", application_id)
    if application is not None:
        move_to_stage(call, application, 6)


def move_to_stage(call: Call, application: Record, stage_type: int) -> None:
    process = call.tenant.store.get("job_processes", application["process_id"]) or {
        "stage_list": []
    }
    stage = next(stage for stage in process["stage_list"] if stage["type"] == stage_type)
    times = [[*entry[:2], entry[2] or str(call.now_ms)] for entry in application["stage_times"]]
    application.update(
        stage_id=stage["id"],
        stage_type=stage_type,
        stage_times=[*times, [stage["id"], str(call.now_ms), ""]],
        updated_ms=call.now_ms,
    )
    call.tenant.store.put("applications", application)
