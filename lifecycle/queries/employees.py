"""The list of employees and its rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet

from lifecycle import policies
from lifecycle.models import Department, Employee, StatusChange
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.names import catalogue_names, contact_names, department_names
from lifecycle.queries.narrowing import SEARCH_LENGTH, search_condition
from lifecycle.rules import ConversionStatus, OnboardStatus

ON_PROBATION = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.NOT_CONVERTED.value,
)
CONVERTED = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.CONVERTED.value,
)
EMPLOYEE_TABS = ("all", "probation", "overdue", "due7", "due30", "converted", "left")
EMPLOYEE_ORDER = ("due_sort_on", "pk")


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    """What the list of employees is narrowed to; kept in its address.

    It starts with those on probation, who are the work to be done; a search that names no
    tab looks through everybody.
    """

    tab: str = "probation"
    department: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> EmployeeFilter:
        tab, q = params.get("status", ""), params.get("q", "").strip()[:SEARCH_LENGTH]
        return cls(
            tab=tab if tab in EMPLOYEE_TABS else "all" if q else "probation",
            department=params.get("department", "")[:64],
            q=q,
        )

    def with_tab(self, tab: str) -> EmployeeFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.department) or self.tab not in ("all", "probation")

    @property
    def is_whole(self) -> bool:
        return self.tab == "all"

    def query_string(self, **more: str) -> str:
        """The address that leads back here, without what is not set."""
        values = {
            "status": "" if self.tab == "probation" and not self.q else self.tab,
            "department": self.department,
            "q": self.q,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, employees: QuerySet[Employee], *, today: date) -> QuerySet[Employee]:
        employees = employees.filter(_tab_condition(self.tab, today))
        if self.department:
            below = Department.objects.filter(path__contains=f"/{self.department}/")
            employees = employees.filter(department_id__in=below.values("feishu_id"))
        if self.q:
            employees = employees.filter(search_condition(self.q, "person__search_text"))
        return employees


def _tab_condition(tab: str, today: date) -> Q:
    due = "expected_conversion_on"
    return {
        "all": Q(),
        "probation": ON_PROBATION,
        "overdue": ON_PROBATION & Q(**{f"{due}__lt": today}),
        "due7": ON_PROBATION & Q(**{f"{due}__range": (today, today + timedelta(days=7))}),
        "due30": ON_PROBATION & Q(**{f"{due}__range": (today, today + timedelta(days=30))}),
        "converted": CONVERTED,
        "left": Q(onboard_status=OnboardStatus.LEFT.value),
    }[tab]


@dataclass(frozen=True, slots=True)
class EmployeeCounts:
    """The figures above the list, over everybody the user may see."""

    probation: int
    due7: int
    due30: int
    overdue: int
    converted_lately: int

    def of_tab(self, tab: str) -> int | None:
        """The count beside a tab; None for tabs that are not counted."""
        return {
            "probation": self.probation,
            "due7": self.due7,
            "due30": self.due30,
            "overdue": self.overdue,
        }.get(tab)


def employee_counts(user: Someone, *, today: date) -> EmployeeCounts:
    lately = CONVERTED & Q(converted_on__range=(today - timedelta(days=30), today))
    counts = (
        policies.visible_employees(user)
        .order_by()
        .aggregate(
            **{
                tab: Count("pk", filter=_tab_condition(tab, today))
                for tab in ("probation", "due7", "due30", "overdue")
            },
            converted_lately=Count("pk", filter=lately),
        )
    )
    return EmployeeCounts(**counts)


@dataclass(frozen=True, slots=True)
class EmployeeRow:
    """An employee with the names behind the ids and the change that is under way."""

    employee: Employee
    department: str
    leader: str
    title: str
    today: date
    open_change: StatusChange | None

    @property
    def name(self) -> str:
        return self.employee.person.name or self.employee.feishu_id

    @property
    def days_left(self) -> int | None:
        """Days until the conversion is due, negative when overdue; None when nothing is due."""
        due = self.employee.expected_conversion_on
        if due is None or not self.employee.is_on_probation:
            return None
        return (due - self.today).days

    @property
    def is_due(self) -> bool:
        """True while a conversion lies ahead, or should have been made."""
        return self.employee.is_on_probation

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def is_due_soon(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= 7

    @property
    def state(self) -> str:
        if self.employee.has_left:
            return "left"
        if self.employee.is_converted:
            return "converted"
        if self.is_overdue:
            return "overdue"
        return "probation" if self.employee.is_on_probation else "unknown"


@dataclass(frozen=True, slots=True)
class EmployeePage:
    page: Page[Employee]
    rows: list[EmployeeRow]


def employee_page(
    user: Someone, narrowed: EmployeeFilter, params: Mapping[str, str], *, today: date
) -> EmployeePage:
    """One page of the list: who is due first comes first."""
    employees = narrowed.apply(policies.visible_employees(user), today=today)
    page = page_by_key(employees.select_related("person"), params, order=EMPLOYEE_ORDER)
    return EmployeePage(page, employee_rows(page.rows, today=today))


def employee_rows_by_id(user: Someone, ids: Iterable[int], *, today: date) -> list[EmployeeRow]:
    """Rows of the list by their ids, as far as the user may see them."""
    found = policies.visible_employees(user).filter(pk__in=list(ids)).select_related("person")
    return employee_rows(list(found), today=today)


def employee_rows(employees: list[Employee], *, today: date) -> list[EmployeeRow]:
    """Four more queries for the names and the open changes, however many employees."""
    departments = department_names({e.department_id for e in employees})
    leaders = contact_names({e.leader_open_id for e in employees})
    titles = catalogue_names(
        {e.job_level_id for e in employees} | {e.employee_type_id for e in employees}
    )
    changes = open_changes_by_person({e.person_id for e in employees})
    return [
        EmployeeRow(
            employee=employee,
            department=departments.get(employee.department_id, ""),
            leader=leaders.get(employee.leader_open_id, ""),
            title=" · ".join(
                name
                for name in (
                    titles.get(employee.employee_type_id, ""),
                    titles.get(employee.job_level_id, ""),
                )
                if name
            ),
            today=today,
            open_change=changes.get(employee.person_id),
        )
        for employee in employees
    ]
