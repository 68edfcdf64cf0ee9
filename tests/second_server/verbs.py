"""One row a verb: whom it fits, the exact body Feishu must see, and what stands against it.

A new verb is one more row; `test_verbs.py` puts each through the same tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from .company import Company, HireEmployee, ms, today


@dataclass(frozen=True)
class Verb:
    """`fits` and `forbidden` pick records of the server; `prevent` makes Feishu refuse."""

    kind: str
    endpoint: str
    fits: Callable[[Company], Any]
    values: Callable[[Company], dict[str, Any]]
    body: Callable[[Company, Any], dict[str, Any]]
    done: str
    after: Callable[[Company, Any], bool]
    prevent: Callable[[Company, Any], None]
    code: int
    forbidden: Callable[[Company], Any]
    query: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.kind


HIRE_QUERY = (
    *("department_id_type", "employee_type_id_type", "job_family_id_type"),
    *("job_level_id_type", "user_id_type"),
)


def employee_who(**facts: Any) -> Callable[[Company], HireEmployee]:
    """The first Hire employee with these facts, outside CoreHR unless told otherwise."""
    wanted = {"synced_to_corehr": False, "onboard_status": 1} | facts

    def pick(company: Company) -> HireEmployee:
        return next(
            one
            for one in company.employees.values()
            if all(getattr(one, name) == value for name, value in wanted.items())
        )

    return pick


def switch_off(company: Company, record: Any) -> None:
    company.ehr_switch = False


def has(**facts: Any) -> Callable[[Company, Any], bool]:
    return lambda company, record: all(
        getattr(record, name) == value for name, value in facts.items()
    )


def on(name: str, day: Callable[[], date] = today) -> Callable[[Company], dict[str, Any]]:
    return lambda company: {name: day()}


def sends(body: Callable[[], dict[str, Any]]) -> Callable[[Company, Any], dict[str, Any]]:
    return lambda company, record: body()


VERBS = [
    Verb(
        kind="convert_employee",
        endpoint="A2",
        query=HIRE_QUERY,
        fits=employee_who(conversion_status=1),
        values=on("converted_on"),
        body=sends(
            lambda: {
                "operation": 1,
                "conversion_info": {"actual_conversion_time": ms(today())},
            }
        ),
        done="converted",
        after=lambda company, one: (
            (one.conversion_status, one.actual_conversion_time) == (2, ms(today()))
        ),
        prevent=switch_off,
        code=1002908,
        forbidden=employee_who(conversion_status=2),
    ),
    Verb(
        kind="undo_conversion",
        endpoint="A2",
        query=HIRE_QUERY,
        fits=employee_who(conversion_status=2),
        values=lambda company: {},
        body=sends(lambda: {"operation": 5}),
        done="conversion undone",
        after=has(conversion_status=1, actual_conversion_time=0),
        prevent=switch_off,
        code=1002908,
        forbidden=employee_who(conversion_status=1),
    ),
    Verb(
        kind="offboard_employee",
        endpoint="A2",
        query=HIRE_QUERY,
        fits=employee_who(conversion_status=1),
        values=lambda company: {"left_on": today(), "overboard_note": "职业发展考虑"},
        body=sends(
            lambda: {
                "operation": 2,
                "overboard_info": {
                    "actual_overboard_time": ms(today()),
                    "overboard_note": "职业发展考虑",
                },
            }
        ),
        done="offboarded",
        after=lambda company, one: (
            (one.onboard_status, one.overboard_time, one.overboard_note)
            == (2, ms(today()), "职业发展考虑")
        ),
        prevent=switch_off,
        code=1002908,
        forbidden=employee_who(onboard_status=2),
    ),
    Verb(
        kind="undo_offboarding",
        endpoint="A2",
        query=HIRE_QUERY,
        fits=employee_who(onboard_status=2),
        values=lambda company: {},
        body=sends(lambda: {"operation": 4}),
        done="offboarding undone",
        after=has(onboard_status=1, overboard_time=0),
        prevent=switch_off,
        code=1002908,
        forbidden=employee_who(onboard_status=1),
    ),
]
