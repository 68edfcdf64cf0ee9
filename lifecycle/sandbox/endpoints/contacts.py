"""Contact users: R13 (batch) and R14 (one)."""

from typing import Any

from ..calls import USER_TYPES, Call, Refusal
from ..id_forms import find, show
from ..store import Record

_DEPARTMENT_TYPES = ("open_department_id", "department_id")


def batch_get_users(call: Call) -> dict[str, Any]:
    """R13. Users the app cannot see are left out without an error; unknown ones likewise."""
    user_type, department_type = _types(call)
    ids = call.texts("user_ids")
    if not ids or len(ids) > 50:
        raise call.bad("user_ids", "user_ids takes 1 to 50 ids")
    found = [find(call.tenant.store, "contacts", sent, user_type) for sent in ids]
    return {
        "items": [
            _user(call, record, user_type, department_type)
            for record in found
            if record is not None
        ]
    }


def get_user(call: Call) -> dict[str, Any]:
    """R14."""
    user_type, department_type = _types(call)
    record = find(call.tenant.store, "contacts", call.path_values["user_id"], user_type)
    if record is None:
        raise Refusal(41012, field_name="user_id", value=call.path_values["user_id"])
    return {"user": _user(call, record, user_type, department_type)}


def _types(call: Call) -> tuple[str, str]:
    return (
        call.choice("user_id_type", USER_TYPES, "open_id"),
        call.choice("department_id_type", _DEPARTMENT_TYPES, "open_department_id"),
    )


def _user(call: Call, record: Record, user_type: str, department_type: str) -> dict[str, Any]:
    store = call.tenant.store
    return {
        "open_id": record["id"],
        "union_id": record["union_id"],
        "user_id": record["user_id"],
        "name": record["name"],
        "en_name": record["en_name"],
        "nickname": "",
        "email": record["email"],
        "mobile": record["mobile"],
        "status": {
            "is_frozen": False,
            "is_resigned": record["is_resigned"],
            "is_activated": not record["is_resigned"],
            "is_exited": False,
            "is_unjoin": False,
        },
        "department_ids": [show(store, "departments", record["department"], department_type)],
        "leader_user_id": show(store, "contacts", record["leader"], user_type),
        "employee_no": record["employee_no"],
        "employee_type": record["employee_type"],
        "job_title": record["job_title"],
        "join_time": record["join_time"],
    }
