"""Which kind of id a call names and asks for.

Feishu's defaults differ between endpoints and several point to ids it is retiring, so
every call says every id type. The values are those of the endpoint pages.
"""

from __future__ import annotations

from typing import Literal, TypedDict, Unpack

from lifecycle.feishu.calls import Query
from lifecycle.feishu.errors import InvalidValue

UserIdType = Literal["open_id", "union_id", "user_id"]
TalentUserIdType = Literal["open_id", "union_id", "user_id", "people_admin_id"]
CoreHrUserIdType = Literal["open_id", "union_id", "user_id", "people_corehr_id"]
CoreHrDepartmentIdType = Literal[
    "open_department_id", "department_id", "people_corehr_department_id"
]


class HireIdTypes(TypedDict, total=False):
    """The five id types of Hire's employee calls, each with its allowed values."""

    user_id_type: UserIdType
    department_id_type: Literal["open_department_id", "department_id", "people_admin_department_id"]
    job_level_id_type: Literal["job_level_id", "people_admin_job_level_id"]
    job_family_id_type: Literal["job_family_id", "people_admin_job_category_id"]
    employee_type_id_type: Literal["employee_type_enum_id", "people_admin_employee_type_id"]


# The first value of each row is the one sent unless the caller names another.
HIRE_ID_TYPES: dict[str, tuple[str, ...]] = {
    "user_id_type": ("open_id", "union_id", "user_id"),
    "department_id_type": (
        "open_department_id",
        "department_id",
        "people_admin_department_id",
    ),
    "job_level_id_type": ("job_level_id", "people_admin_job_level_id"),
    "job_family_id_type": ("job_family_id", "people_admin_job_category_id"),
    "employee_type_id_type": ("employee_type_enum_id", "people_admin_employee_type_id"),
}
TALENT_USER_ID_TYPES = ("open_id", "union_id", "user_id", "people_admin_id")
COREHR_USER_ID_TYPES = ("open_id", "union_id", "user_id", "people_corehr_id")
COREHR_DEPARTMENT_ID_TYPES = (
    "open_department_id",
    "department_id",
    "people_corehr_department_id",
)
CONTACT_DEPARTMENT_ID_TYPES = ("open_department_id", "department_id")


def hire_id_types(**chosen: Unpack[HireIdTypes]) -> Query:
    """The five query parameters. Raises InvalidValue for a name or value not on the page."""
    given: dict[str, str] = {name: str(value) for name, value in chosen.items()}
    unknown = given.keys() - HIRE_ID_TYPES.keys()
    if unknown:
        raise InvalidValue(f"There is no id type called {min(unknown)}.")
    return tuple(
        (name, checked_id_type(name, given.get(name, allowed[0]), allowed))
        for name, allowed in HIRE_ID_TYPES.items()
    )


def checked_id_type(name: str, value: str, allowed: tuple[str, ...]) -> str:
    """The value, when the page allows it. Raises InvalidValue otherwise."""
    if value not in allowed:
        raise InvalidValue(f"{name} has to be one of {', '.join(allowed)}.")
    return value
