"""Hire talents: A1 (status), H1 (list), H2 and H3 (one)."""

from typing import Any

from ..calls import USER_TYPES_TALENT, Call, Refusal
from ..paging import make_token, place_of
from ..store import Record
from ..tenant import difference
from .times import is_plausible_ms

_EMPTY_RESULT = 1002102


def list_talents(call: Call) -> dict[str, Any]:
    """H1. Newest change first; `sort_by` is checked but has nothing else to sort by here.

    `keyword` looks into names, or matches an id or mobile number; its words and, or, not are plain text here.
    """
    call.choice("user_id_type", USER_TYPES_TALENT, "people_admin_id")
    call.number("sort_by", default=1, low=1, high=4)
    option = call.choice("query_option", ("", "ignore_empty_error"), "")
    size = call.number("page_size", default=10, low=1, high=20)
    where, values = _window(call)
    keyword = call.text("keyword").strip()
    if keyword:
        where.append(
            "(json_extract(body, '$.name') LIKE ? ESCAPE '\\' OR ? IN (id, json_extract(body, '$.mobile')))"
        )
        values += [f"%{_escaped(keyword)}%", keyword]
    start = place_of(call, 2)
    if start:
        where.append("(updated_ms < ? OR (updated_ms = ? AND position < ?))")
        values += [start[0], start[0], start[1]]
    rows = call.tenant.store.select(
        "talents", " AND ".join(where), tuple(values), "updated_ms DESC, position DESC", size + 1
    )
    if not rows and option != "ignore_empty_error":
        # That an empty result is an error is documented, its code is not.
        raise Refusal(_EMPTY_RESULT, "no talent found")
    data: dict[str, Any] = {
        "has_more": len(rows) > size,
        "items": [_list_item(record) for _, record in rows[:size]],
    }
    if data["has_more"]:
        position, record = rows[size - 1]
        data["page_token"] = make_token("H1", [record["updated_ms"], position])
    return data


def _window(call: Call) -> tuple[list[str], list[Any]]:
    where, values = ["1"], []
    for name, condition in (
        ("update_start_time", "updated_ms >= ?"),
        ("update_end_time", "updated_ms <= ?"),
    ):
        moment = call.moment_ms(name)
        if moment is not None:
            where.append(condition)
            values.append(moment)
    return where, values


def _escaped(keyword: str) -> str:
    return keyword.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def get_talent(call: Call) -> dict[str, Any]:
    """H2."""
    call.choice("user_id_type", USER_TYPES_TALENT, "people_admin_id")
    record = _talent(call)
    return {"talent": {**_list_item(record), "customized_data_list": [], "registration_list": []}}


def get_talent_detail(call: Call) -> dict[str, Any]:
    """H3. The talent lies directly in `data`; no field tells that somebody left."""
    call.choice("user_id_type", USER_TYPES_TALENT, "people_admin_id")
    record = _talent(call)
    return {
        "talent_id": record["id"],
        "basic_info": {
            "name": record["name"],
            "mobile_number": record["mobile"],
            "mobile_code": "86",
            "email": record["email"],
            "experience_years": record["experience_years"],
            "age": record["age"],
            "nationality_code": "CN_1",
            "gender": record["gender"],
            "current_location_code": record["city"],
            "birthday": record["birthday"],
            "customized_data_list": [],
            "create_time": str(record["created_ms"]),
            "update_time": str(record["updated_ms"]),
            "confidential": 2,
        },
        "education_list": [],
        "career_list": [],
        "registration_list": [],
        "is_onboarded": record["is_onboarded"],
        "is_in_agency_period": False,
        "top_degree": record["degree"],
        "talent_pool_id_list": [],
    }


def _talent(call: Call) -> Record:
    record = call.tenant.store.get("talents", call.path_values["talent_id"])
    if record is None:
        raise Refusal(1002102)
    return record


def _list_item(record: Record) -> dict[str, Any]:
    return {
        "id": record["id"],
        "is_in_agency_period": False,
        "is_onboarded": record["is_onboarded"],
        "basic_info": {
            "name": record["name"],
            "mobile": record["mobile"],
            "mobile_code": "86",
            "mobile_country_code": "CN_1",
            "email": record["email"],
            "experience_years": record["experience_years"],
            "age": record["age"],
            "nationality": {"nationality_code": "CN_1", "zh_name": "中国", "en_name": "China"},
            "gender": record["gender"],
            "current_city": {"city_code": record["city"]},
            "birthday": record["birthday"],
            "modify_time": str(record["updated_ms"]),
        },
        "education_list": [],
        "career_list": [],
        "resume_source_list": [],
        "interview_registration_list": [],
        "resume_attachment_id_list": [],
        "top_degree": record["degree"],
        "first_degree": record["degree"],
    }


# -- A1 -------------------------------------------------------------------------------------------

_STATES = {1: ("none", "onboarded"), 2: ("onboarded", "left")}
_TIMES = {1: "onboard_time", 2: "overboard_time"}
_WORDS = {1: "onboard_talent", 2: "offboard_talent"}


def change_onboard_status(call: Call) -> dict[str, Any]:
    """A1. Has two codes only, so an illegal transition and an unknown talent are bad parameters too."""
    operation = call.body_int("operation")
    if operation not in _STATES:
        raise call.bad("operation", "operation must be 1 or 2", operation)
    times = {name: _time_text(call, name) for name in _TIMES.values()}
    moment = times[_TIMES[operation]]
    if moment is None:
        raise call.bad(_TIMES[operation], f"{_TIMES[operation]} is required")
    record = call.tenant.store.get("talents", call.path_values["talent_id"])
    if record is None:
        raise call.bad("talent_id", "no such talent")
    needed, reached = _STATES[operation]
    if record["state"] != needed:
        # Offboarding somebody who was never onboarded is not documented; it is refused the same way.
        raise call.bad("operation", f"the talent's state is {record['state']}")
    _apply(call, record, operation, reached, moment)
    return {}


def _apply(call: Call, record: Record, operation: int, reached: str, moment: int) -> None:
    # `is_onboarded` after leaving is not documented; false is what the word says.
    after = {
        **record,
        "state": reached,
        "is_onboarded": reached == "onboarded",
        _TIMES[operation]: moment,
        "updated_ms": call.now_ms,
    }
    call.tenant.store.put("talents", after)
    call.effect(_WORDS[operation], record["id"], *difference(record, after))


def _time_text(call: Call, name: str) -> int | None:
    """A time in milliseconds inside a JSON string; A2 and A3 want numbers, this one does not."""
    value = call.body_text(name)
    if not value:
        return None
    if not value.isascii() or not value.isdigit() or not is_plausible_ms(int(value)):
        raise call.bad(name, f"{name} must be milliseconds in a string", value)
    return int(value)
