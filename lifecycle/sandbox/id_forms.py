"""The other forms of an id: what a caller asked for, and what a caller sent.

Inside, people are open ids, departments open department ids, and levels, families and types CoreHR ids.
"""

from .store import Record, Store

_COLUMNS = {
    "contacts": {"union_id": "union_id", "user_id": "user_id", "people_corehr_id": "employment_id"},
    "departments": {
        "department_id": "department_id",
        "people_corehr_department_id": "people_corehr_department_id",
        "people_admin_department_id": "people_admin_department_id",
    },
    "job_levels": {
        "job_level_id": "job_level_id",
        "people_admin_job_level_id": "people_admin_job_level_id",
    },
    "job_families": {
        "job_family_id": "job_family_id",
        "people_admin_job_category_id": "people_admin_job_category_id",
    },
    "employee_types": {
        "employee_type_enum_id": "employee_type_enum_id",
        "people_admin_employee_type_id": "people_admin_employee_type_id",
    },
}


def show(store: Store, kind: str, inner: str, id_type: str) -> str:
    """The id in the asked form; empty when there is none, as for somebody who is not in CoreHR."""
    column = _COLUMNS[kind].get(id_type)
    if not inner or column is None:
        return inner if id_type != "people_admin_id" else _retiring_user(inner)
    record = store.get(kind, inner)
    return "" if record is None else str(record[column])


def read(store: Store, kind: str, sent: str, id_type: str) -> str | None:
    """The inner id for a sent one, or None when the tenant does not know it in that form."""
    record = find(store, kind, sent, id_type)
    return None if record is None else str(record["id"])


def find(store: Store, kind: str, sent: str, id_type: str) -> Record | None:
    if not sent:
        return None
    column = _COLUMNS[kind].get(id_type)
    return store.get(kind, sent) if column is None else store.find(kind, column, sent)


def show_employment(store: Store, employment: Record | None, id_type: str) -> str:
    """The people of CoreHR reads: their employment id, or the contact id behind it."""
    if employment is None:
        return ""
    if id_type == "people_corehr_id":
        return str(employment["id"])
    return show(store, "contacts", employment["open_id"], id_type)


def find_employment(store: Store, sent: str, id_type: str) -> Record | None:
    if id_type == "people_corehr_id":
        return store.get("employments", sent) if sent else None
    contact = find(store, "contacts", sent, id_type)
    return store.find("employments", "open_id", contact["id"]) if contact else None


def _retiring_user(open_id: str) -> str:
    """The people_admin form of a user: another number than anywhere else."""
    return str(5 * 10**18 + int(open_id[3:17], 16) % 10**18) if open_id else ""
