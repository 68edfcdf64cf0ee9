"""CoreHR offboardings: O1 (search) and O2 (the reason catalogue, despite its path)."""

from collections.abc import Callable
from typing import Any

from ..calls import USER_TYPES_CORE_HR, Call, Refusal
from ..id_forms import find_employment, show_employment
from ..paging import page, place_of
from ..seed.days import local_stamp
from ..store import Record
from .days import check_range
from .fields import OFFBOARDING_FIELDS, field_name_of
from .shapes import enum

STATUSES = ("Approving", "Approved", "Offboarded", "Rejected", "Withdrawn", "NoNeedApproval")
_HALF_A_RANGE = 1160104
_ENUM_FIELDS = ("reason", "employee_reason", "block_reason")
_FLAGS = ("retain_account", "is_transfer_with_workforce", "enforce_noncompete_agreement")
_TEXTS = (
    "expected_offboarding_date", "offboarding_date", "last_attendance_date", "reason_explanation",
    "employee_reason_explanation", "block_reason_explanation", "social_insurance_end_date",
    "provident_fund_end_date", "noncompete_agreement_company", "noncompete_agreement_start_date",
    "noncompete_agreement_end_date",
)  # fmt: skip
# O1 numbers date-times 8 and attachments 9; R3 and A4 say 7 and 8.
_TYPE_HERE = {7: 8, 8: 9}


def search_offboardings(call: Call) -> dict[str, Any]:
    """O1."""
    size = call.number("page_size", default=None, low=1, high=100)
    user_type = call.choice("user_id_type", USER_TYPES_CORE_HR, "open_id")
    tests = _tests(call, user_type)
    after = place_of(call)
    rows = call.tenant.store.scan("offboardings", after[0] if after else 0, lagging=True)
    shown, tail = page(
        call, ((n, record) for n, record in rows if all(test(record) for test in tests)), size
    )
    # The printed sample has an empty page_token on the last page.
    return {"items": [_item(call, record, user_type) for record in shown], "page_token": "", **tail}


def _tests(call: Call, user_type: str) -> list[Callable[[Record], bool]]:
    tests: list[Callable[[Record], bool]] = []
    sent = call.body_texts("employment_ids")
    if sent:
        found = [find_employment(call.tenant.store, value, user_type) for value in sent]
        employments = {employment["id"] for employment in found if employment is not None}
        tests.append(lambda record: record["employment_id"] in employments)
    statuses = call.body_texts("statuses", limit=10)
    if any(status not in STATUSES for status in statuses):
        raise call.bad("statuses", "unknown status", statuses)
    if statuses:
        tests.append(lambda record: record["status"] in statuses)
    _add_moments(call, tests)
    _add_days(call, tests)
    for name, key in (("reasons", "reason"), ("employee_reasons", "employee_reason")):
        reasons = call.body_texts(name)
        if reasons:
            tests.append(lambda record, k=key, w=reasons: record["info"][k] in w)  # type: ignore[misc]
    return tests


def _add_moments(call: Call, tests: list[Callable[[Record], bool]]) -> None:
    """Filters in seconds, in strings, over stamps of the tenant's time zone."""
    for name, key in (
        ("apply_initiating_time", "apply_initiating_time"),
        ("apply_finished_time", "apply_finish_time"),
    ):
        start, end = call.body_text(f"{name}_start"), call.body_text(f"{name}_end")
        if not start and not end:
            continue
        if not start or not end:
            raise Refusal(_HALF_A_RANGE, f"{name} needs both ends")
        if not all(
            value.isascii() and value.isdigit() and len(value) <= 10 for value in (start, end)
        ):
            raise call.bad(name, f"{name} must be seconds in a string")
        low, high = local_stamp(int(start) * 1000), local_stamp(int(end) * 1000)
        tests.append(lambda record, k=key, a=low, b=high: a <= record[k] <= b)  # type: ignore[misc]


def _add_days(call: Call, tests: list[Callable[[Record], bool]]) -> None:
    for key in ("expected_offboarding_date", "offboarding_date"):
        days = check_range(call, f"{key}_start", f"{key}_end", one_end=_HALF_A_RANGE)
        if days:
            tests.append(lambda record, k=key, d=days: d[0] <= record["info"][k] <= d[1])  # type: ignore[misc]


def _item(call: Call, record: Record, user_type: str) -> dict[str, Any]:
    store = call.tenant.store
    employment = store.get("employments", record["employment_id"])
    initiator = (
        store.find("employments", "open_id", record["initiator"]) if record["initiator"] else None
    )
    return {
        "offboarding_id": record["id"],
        "initiating_type": record["initiating_type"],
        "status": record["status"],
        "application_info": {
            "apply_initiator_id": show_employment(store, initiator, user_type),
            "apply_initiating_time": record["apply_initiating_time"],
            "apply_finish_time": record["apply_finish_time"],
            "process_id": record["process_id"],
        },
        "offboarding_info": {
            "employment_id": show_employment(store, employment, user_type),
            "hrbp_id": [],
            **_info(call, record["info"]),
            "custom_fields": _custom_fields(record["custom"]),
        },
        "offboarding_checklist": {"checklist_status": record["checklist_status"]},
    }


def _info(call: Call, info: Record) -> dict[str, Any]:
    """`add_block_list` is a string here and a boolean elsewhere."""
    shown: dict[str, Any] = {name: info[name] for name in _TEXTS}
    shown["add_block_list"] = info["add_block_list"]
    shown.update({name: info[name] == "true" for name in _FLAGS})
    for name in _ENUM_FIELDS:
        reason = call.tenant.store.get("reasons", info[name]) if info[name] else None
        shown[name] = enum(info[name], reason["name"] if reason else [])
    return shown


def _custom_fields(custom: dict[str, str]) -> list[dict[str, Any]]:
    return [
        {
            "custom_api_name": name,
            "name": field_name_of(OFFBOARDING_FIELDS[name]),
            "type": _type_here(OFFBOARDING_FIELDS[name]["type"]),
            "value": value,
        }
        for name, value in custom.items()
    ]


def _type_here(field_type: int) -> int:
    return _TYPE_HERE.get(field_type, field_type)


def list_reasons(call: Call) -> dict[str, Any]:
    """O2. No paging."""
    active = call.body_flag("active")
    wanted = call.body_texts("offboarding_reason_unique_identifier", limit=20)
    return {
        "items": [
            _reason(record)
            for record in call.tenant.store.all("reasons")
            if (active is None or record["active"] == active)
            and (not wanted or record["id"] in wanted)
        ]
    }


def _reason(record: Record) -> dict[str, Any]:
    return {
        "offboarding_reason_unique_identifier": record["id"],
        "name": record["name"],
        "active": record["active"],
        "parent_offboarding_reason_unique_identifier": record["parent"],
        "created_time": record["created_time"],
        "updated_time": record["updated_time"],
    }
