"""One row a verb: whom it fits, the exact body Feishu must see, and what stands against it.

A new verb is one more row; `test_verbs.py` puts each through the same tests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
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
    # Whether any reading of the pages can tell afterwards that it was done.
    can_be_read_back: bool = True
    forbidden_values: Callable[[Company], dict[str, Any]] | None = None

    def __str__(self) -> str:
        return self.kind


HIRE_QUERY = (
    *("department_id_type", "employee_type_id_type", "job_family_id_type"),
    *("job_level_id_type", "user_id_type"),
)


def employee_who(*, newest: bool = False, **facts: Any) -> Callable[[Company], HireEmployee]:
    """The first Hire employee with these facts (or the last), outside CoreHR unless told
    otherwise."""
    wanted = {"synced_to_corehr": False, "onboard_status": 1} | facts

    def pick(company: Company) -> HireEmployee:
        employees = list(company.employees.values())
        return next(
            one
            for one in (reversed(employees) if newest else employees)
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


def first(records: str, **facts: Any) -> Callable[[Company], Any]:
    """The first record with these facts."""
    return lambda company: next(
        one
        for one in getattr(company, records).values()
        if all(getattr(one, name) == value for name, value in facts.items())
    )


def sets(**facts: Any) -> Callable[[Company, Any], None]:
    """Something in Feishu that no reading shows, and that has it refuse."""

    def prevent(company: Company, record: Any) -> None:
        for name, value in facts.items():
            setattr(record if hasattr(record, name) else company, name, value)

    return prevent


YESTERDAY, NEXT_MONTH = today() - timedelta(days=1), today() + timedelta(days=30)


def onboarding(company: Company) -> dict[str, Any]:
    """All there is to say about an onboarding, in the id types the portal names."""
    chief = company.user_by("open_id", company.departments[1].manager.ids["open_id"])
    return {
        "job_requirement_id": next(iter(company.job_requirements)),
        "operator_id": chief.ids["open_id"],
        "onboard_city_code": next(iter(company.locations)),
        "department": company.departments[1].ids["open_department_id"],
        "leader": chief.ids["open_id"],
        "sequence": company.families[0].ids["job_family_id"],
        "level": company.levels[0].ids["job_level_id"],
        "employee_type": company.employee_types[0].ids["employee_type_enum_id"],
    }


def operator(company: Company) -> str:
    """Somebody in CoreHR whom the portal has met."""
    return [one.employment.id for one in company.offboardings.values()][1]


def deactivate_centers(company: Company, record: Any) -> None:
    for center in company.cost_centers.values():
        center.active = False


def split(company: Company, *rates: int) -> list[tuple[str, int]]:
    return list(zip(company.cost_centers, rates, strict=True))


ROWS = [
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
    Verb(
        kind="restore_to_pre_hire",
        endpoint="A2",
        query=HIRE_QUERY,
        # Whoever is restored is no employee any more, for as long as one mirror lasts.
        fits=employee_who(conversion_status=1, newest=True),
        values=lambda company: {},
        body=sends(lambda: {"operation": 3}),
        done="restored",
        after=lambda company, one: one.application.stage == 6 and one.id not in company.employees,
        prevent=switch_off,
        code=1002908,
        forbidden=employee_who(onboard_status=2),
    ),
    Verb(
        kind="onboard_talent",
        endpoint="A1",
        fits=first("talents", is_onboarded=False, name="候选01"),
        values=on("onboarded_on"),
        body=sends(lambda: {"operation": 1, "onboard_time": str(ms(today()))}),
        done="onboarded",
        after=has(is_onboarded=True, mark="onboarded"),
        prevent=sets(mark="left"),
        code=1002002,
        forbidden=first("talents", is_onboarded=True),
    ),
    Verb(
        kind="mark_talent_left",
        endpoint="A1",
        fits=first("talents", is_onboarded=True),
        values=on("left_on"),
        body=sends(lambda: {"operation": 2, "overboard_time": str(ms(today()))}),
        done="left",
        after=has(is_onboarded=False, mark="left"),
        can_be_read_back=False,
        prevent=sets(leaving_is_refused=True),
        code=1002002,
        forbidden=first("talents", is_onboarded=False),
    ),
    Verb(
        kind="onboard_application",
        endpoint="A3",
        query=HIRE_QUERY,
        fits=first("applications", stage=6),
        values=lambda company: (
            onboarding(company) | {"onboarded_on": YESTERDAY, "expected_conversion_on": NEXT_MONTH}
        ),
        body=lambda company, one: (
            onboarding(company)
            | {"actual_onboard_time": ms(YESTERDAY), "expected_conversion_time": ms(NEXT_MONTH)}
        ),
        done="onboarded",
        after=lambda company, one: one.stage == 7 and company.employee_of(one.id) is not None,
        prevent=switch_off,
        code=1002908,
        forbidden=first("applications", stage=7),
    ),
    Verb(
        kind="edit_offboarding",
        endpoint="A4",
        query=("user_id_type",),
        fits=first("offboardings", status="Approved"),
        values=lambda company: {
            "field_offboarding_date": NEXT_MONTH,
            "field_note__c": "交接完成",
            "operator_id": operator(company),
        },
        body=lambda company, one: {
            "offboarding_id": one.id,
            "operator_id": operator(company),
            "update_data": [
                {"field_name": "offboarding_date", "value": NEXT_MONTH.isoformat()},
                {"field_name": "note__c", "value": "交接完成"},
            ],
        },
        done="edited",
        after=lambda company, one: (
            (one.values["offboarding_date"], one.values["note__c"])
            == (NEXT_MONTH.isoformat(), "交接完成")
        ),
        prevent=sets(future_contract=True),
        code=1160204,
        forbidden=first("offboardings", status="Approving"),
    ),
    Verb(
        kind="update_pre_hire",
        endpoint="A5",
        query=("client_token",),
        fits=first("pre_hires"),
        values=lambda company: {
            "hire_date": NEXT_MONTH,
            "cost_center_rate": split(company, 60, 40),
            "custom_fields": {"badge__c": "蓝色"},
        },
        body=lambda company, one: {
            "hire_date": NEXT_MONTH.isoformat(),
            "onboarding_status": {"enum_name": "preboarding"},
            "cost_center_rate": [
                {"cost_center_id": id_, "rate": rate} for id_, rate in split(company, 60, 40)
            ],
            "custom_fields": [{"field_name": "badge__c", "value": '"蓝色"'}],
        },
        done="edited",
        after=lambda company, one: (
            (one.hire_date, one.onboarding_status, one.custom_fields)
            == (NEXT_MONTH.isoformat(), "preboarding", {"badge__c": '"蓝色"'})
        ),
        prevent=deactivate_centers,
        code=1161024,
        forbidden=first("pre_hires"),
        forbidden_values=lambda company: {"cost_center_rate": split(company, 60, 30)},
    ),
]
VERBS = {verb.kind: verb for verb in ROWS}
