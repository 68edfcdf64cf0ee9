"""CoreHR reference data: R6 to R12."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..calls import DEPARTMENT_TYPES_CORE_HR, USER_TYPES_CORE_HR, Call
from ..id_forms import find, find_employment, show
from ..paging import page, place_of
from ..store import Record
from .shapes import both, enum, select

_LONGEST_ID = 50


def list_employee_types(call: Call) -> dict[str, Any]:
    """R6."""
    size = call.number("page_size", default=None, low=1, high=1999)
    shown, tail = page(call, _rest(call, "employee_types"), size)
    keys = ("id", "name", "default_employee_type", "active", "code")
    return {
        "items": [{**{key: record[key] for key in keys}, "custom_fields": []} for record in shown],
        **tail,
    }


def _rest(call: Call, kind: str) -> Iterator[tuple[int, Record]]:
    after = place_of(call)
    return call.tenant.store.scan(kind, after[0] if after else 0)


# -- departments ----------------------------------------------------------------------------------


def search_departments(call: Call) -> dict[str, Any]:
    """R7."""
    size = call.number("page_size", default=None, low=1, high=100)
    user_type, department_type = _types(call)
    fields = call.body_texts("fields")
    rows = _matching_departments(call, _rest(call, "departments"), user_type, department_type)
    shown, tail = page(call, rows, size)
    return {
        "items": [_department(call, r, fields, user_type, department_type) for r in shown],
        **tail,
    }


def _types(call: Call) -> tuple[str, str]:
    return (
        call.choice("user_id_type", USER_TYPES_CORE_HR, "open_id"),
        call.choice("department_id_type", DEPARTMENT_TYPES_CORE_HR, "open_department_id"),
    )


def _matching_departments(
    call: Call, rows: Iterable[tuple[int, Record]], user_type: str, department_type: str
) -> Iterator[tuple[int, Record]]:
    store = call.tenant.store
    active, deep = call.body_flag("active"), call.body_flag("get_all_children")
    names, codes = set(call.body_texts("name_list")), set(call.body_texts("code_list"))
    ids = _inner(call, "departments", call.body_texts("department_id_list"), department_type)
    managers = _inner(call, "contacts", call.body_texts("manager_list"), user_type)
    parent_sent = call.body_text("parent_department_id")
    parent = find(store, "departments", parent_sent, department_type) if parent_sent else None
    below = _children(call, parent, deep=bool(deep)) if parent_sent else None
    for position, record in rows:
        if (
            (active is None or record["active"] == active)
            and (not names or record["name"] in names)
            and (not codes or record["code"] in codes)
            and (ids is None or record["id"] in ids)
            and (managers is None or record["manager"] in managers)
            and (below is None or record["id"] in below)
        ):
            yield position, record


def _inner(call: Call, kind: str, sent: list[str], id_type: str) -> set[str] | None:
    if not sent:
        return None
    return {
        record["id"] for value in sent if (record := find(call.tenant.store, kind, value, id_type))
    }


def _children(call: Call, parent: Record | None, *, deep: bool) -> set[str]:
    if parent is None:
        return set()
    found, level = set(), {parent["id"]}
    children: dict[str, list[str]] = {}
    for _, record in call.tenant.store.scan("departments"):
        children.setdefault(record["parent_id"], []).append(record["id"])
    while level:
        level = {child for above in level for child in children.get(above, [])}
        found |= level
        if not deep:
            return found
    return found


def batch_get_departments(call: Call) -> dict[str, Any]:
    """R8. Neither list: an empty result."""
    user_type, department_type = _types(call)
    fields, names = call.body_texts("fields"), call.body_texts("department_name_list")
    ids = _inner(call, "departments", call.body_texts("department_id_list"), department_type)
    if ids is None and not names:
        return {"items": []}
    rows = [
        record
        for _, record in call.tenant.store.scan("departments")
        if (ids is None or record["id"] in ids) and (not names or record["name"] in names)
    ]
    return {"items": [_department(call, r, fields, user_type, department_type) for r in rows]}


def _department(
    call: Call, record: Record, fields: list[str], user_type: str, department_type: str
) -> dict[str, Any]:
    store = call.tenant.store
    full = {
        "id": show(store, "departments", record["id"], department_type),
        "version_id": record["people_corehr_department_id"],
        "department_name": both(record["name"], record["name"]),
        "sub_type": enum("department"),
        "parent_department_id": show(store, "departments", record["parent_id"], department_type),
        "manager": show(store, "contacts", record["manager"], user_type),
        "tree_order": record["list_order"],
        "list_order": record["list_order"],
        "code": record["code"],
        "is_root": record["is_root"],
        "effective_date": record["effective_date"],
        "expiration_date": record["expiration_date"],
        "active": record["active"],
        "description": [],
        "cost_center_id": record["cost_center_id"],
        "created_time": record["created_time"],
    }
    return select(full, fields, ("id",))


# -- cost centres and levels ----------------------------------------------------------------------


def search_cost_centers(call: Call) -> dict[str, Any]:
    """R9."""
    size = call.number("page_size", default=None, low=1, high=100)
    call.choice("user_id_type", USER_TYPES_CORE_HR, "people_corehr_id")
    call.body_flag("get_all_version")
    ids, names = set(call.body_texts("cost_center_id_list")), set(call.body_texts("name_list"))
    code, parent = call.body_text("code"), call.body_text("parent_cost_center_id")
    rows = (
        (position, record)
        for position, record in _rest(call, "cost_centers")
        if (not ids or record["id"] in ids)
        and (not names or any(name["value"] in names for name in record["name"]))
        and (not code or record["code"] == code)
        and (not parent or record["parent_cost_center_id"] == parent)
    )
    shown, tail = page(call, rows, size)
    return {"items": [_cost_center(record) for record in shown], **tail}


def _cost_center(record: Record) -> dict[str, Any]:
    keys = (
        "version_id",
        "name",
        "code",
        "parent_cost_center_id",
        "effective_time",
        "expiration_time",
        "active",
    )
    return {
        "cost_center_id": record["id"],
        **{key: record[key] for key in keys},
        "managers": [],
        "description": [],
    }


def list_job_levels(call: Call) -> dict[str, Any]:
    """R10. CoreHR's own ids: R12 turns them into the ones Hire uses."""
    size = call.number("page_size", default=None, low=1, high=100)
    shown, tail = page(call, _rest(call, "job_levels"), size)
    return {"items": [{"id": record["id"], **_level(record)} for record in shown], **tail}


def batch_get_job_levels(call: Call) -> dict[str, Any]:
    """R11. Here the id is called `job_level_id`."""
    ids, codes = call.body_texts("job_level_ids"), call.body_texts("job_level_codes")
    if not ids and not codes:
        raise call.bad("job_level_ids", "job_level_ids or job_level_codes is required")
    rows = [r for r in call.tenant.store.all("job_levels") if r["id"] in ids or r["code"] in codes]
    return {"items": [{"job_level_id": record["id"], **_level(record)} for record in rows]}


def _level(record: Record) -> dict[str, Any]:
    shown = {key: record[key] for key in ("level_order", "code", "name", "active")}
    return {**shown, "description": [], "job_grade": [], "pathway_ids": []}


# -- R12 ------------------------------------------------------------------------------------------

CORE_HR_TO_CONTACT, CONTACT_TO_CORE_HR, ADMIN_TO_CONTACT, ADMIN_TO_CORE_HR = 1, 2, 3, 4
# Per kind of id: our table, then the CoreHR, the contact and the retiring form.
_FORMS = {
    "job_level_id": ("job_levels", "id", "job_level_id", "people_admin_job_level_id"),
    "job_family_id": ("job_families", "id", "job_family_id", "people_admin_job_category_id"),
    "employee_type_id": (
        "employee_types",
        "id",
        "employee_type_enum_id",
        "people_admin_employee_type_id",
    ),
}


def convert_ids(call: Call) -> dict[str, Any]:
    """R12. Unknown ids are left out (not documented)."""
    direction = call.number("id_transform_type", default=None, low=1, high=4)
    kind = call.choice("id_type", ("user_id", "department_id", *_FORMS), "")
    user_type = call.choice("feishu_user_id_type", ("open_id", "union_id", "user_id"), "open_id")
    department_type = call.choice(
        "feishu_department_id_type", ("open_department_id", "department_id"), "open_department_id"
    )
    ids = call.body_texts("ids")
    if not ids or any(len(sent) > _LONGEST_ID for sent in ids):
        raise call.bad("ids", "ids must be 1 to 100 strings of at most 50 characters")
    items = []
    for sent in ids:
        target = _converted(call, kind, direction, sent, user_type, department_type)
        if target:
            items.append({"id": sent, "target_id": target})
    return {"items": items}


def _converted(
    call: Call, kind: str, direction: int, sent: str, user_type: str, department_type: str
) -> str:
    if kind == "user_id":
        return _converted_user(call, direction, sent, user_type)
    table, core_hr, contact, admin = _FORMS.get(
        kind,
        (
            "departments",
            "people_corehr_department_id",
            department_type,
            "people_admin_department_id",
        ),
    )
    source = {CORE_HR_TO_CONTACT: core_hr, CONTACT_TO_CORE_HR: contact}.get(direction, admin)
    target = contact if direction in (CORE_HR_TO_CONTACT, ADMIN_TO_CONTACT) else core_hr
    record = find(call.tenant.store, table, sent, source)
    return "" if record is None else str(record.get(target, record["id"]))


def _converted_user(call: Call, direction: int, sent: str, user_type: str) -> str:
    """The retiring user ids cannot be turned back here: nothing gives them out."""
    store = call.tenant.store
    if direction == CORE_HR_TO_CONTACT:
        employment = store.get("employments", sent)
        return (
            "" if employment is None else show(store, "contacts", employment["open_id"], user_type)
        )
    if direction == CONTACT_TO_CORE_HR:
        employment = find_employment(store, sent, user_type)
        return "" if employment is None else str(employment["id"])
    return ""
