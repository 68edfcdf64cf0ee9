"""Who is on probation, by the day it ends, extensions made here included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, DateField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lifecycle import calendars, policies
from lifecycle.models import ConversionRequest, Employee, StatusChange
from lifecycle.models.mirror import LAST_DAY
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.employees import ON_PROBATION
from lifecycle.queries.lists import days_in_words, in_department, person_name
from lifecycle.queries.names import contact_names, department_names
from lifecycle.queries.narrowing import SEARCH_LENGTH, search_condition

Status = ConversionRequest.Status

DEPARTMENT_LENGTH = 64
# Beyond so many days ahead nobody counts working days.
WORKING_DAYS_WITHIN = 400

WINDOWS: dict[str, str | Promise] = {
    "all": _("All"),
    "overdue": _("Overdue"),
    "due7": _("7 days"),
    "due14": _("14 days"),
    "due30": _("30 days"),
    "later": _("Later"),
    "undated": _("No date"),
    "declined": _("Not to be converted"),
}


def _latest(status: str, column: str) -> Subquery:
    found = ConversionRequest.objects.filter(employee=OuterRef("pk"), status=status)
    return Subquery(found.order_by("-pk").values(column)[:1], output_field=DateField())


def on_probation(employees: QuerySet[Employee]) -> QuerySet[Any]:
    """Those on probation, each with `due`: the later of Feishu's expected day and the portal's
    own extension, and a day far away where there is neither."""
    extended = _latest(Status.EXTENDED, "extended_to")
    due = Greatest(F("due_sort_on"), Coalesce(extended, F("due_sort_on")))
    return employees.filter(ON_PROBATION).annotate(
        due=Coalesce(_undated_extension(), due, output_field=DateField())
    )


def _undated_extension() -> Subquery:
    """The extension of somebody for whom Feishu has no expected day."""
    found = ConversionRequest.objects.filter(
        employee=OuterRef("pk"),
        status=Status.EXTENDED,
        employee__expected_conversion_on=None,
    )
    return Subquery(found.order_by("-pk").values("extended_to")[:1], output_field=DateField())


def due_of(employee: Employee) -> date | None:
    """The day this probation ends, as `on_probation` says it; None without any."""
    extended = (
        ConversionRequest.objects.filter(employee=employee, status=Status.EXTENDED)
        .order_by("-pk")
        .values_list("extended_to", flat=True)
        .first()
    )
    known = [day for day in (employee.expected_conversion_on, extended) if day is not None]
    return max(known, default=None)


# -- the cockpit --------------------------------------------------------------------------


def _window(name: str, today: date) -> Q:
    def within(first: int, last: int) -> Q:
        return Q(due__range=(today + timedelta(days=first), today + timedelta(days=last)))

    return {
        "all": Q(),
        "overdue": Q(due__lt=today),
        "due7": within(0, 7),
        "due14": within(8, 14),
        "due30": within(15, 30),
        "later": Q(due__gt=today + timedelta(days=30), due__lt=LAST_DAY),
        "undated": Q(due=LAST_DAY),
        "declined": Q(pk__in=_declined()),
    }[name]


def _declined() -> QuerySet[ConversionRequest, int]:
    declined = ConversionRequest.objects.filter(status=Status.DECLINED)
    return declined.order_by().values_list("employee", flat=True)


@dataclass(frozen=True, slots=True)
class ProbationFilter:
    """What the cockpit is narrowed to; kept in its address."""

    tab: str = "all"
    department: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> ProbationFilter:
        tab = params.get("due", "all")
        return cls(
            tab=tab if tab in WINDOWS else "all",
            department=params.get("department", "")[:DEPARTMENT_LENGTH],
            q=params.get("q", "").strip()[:SEARCH_LENGTH],
        )

    def with_tab(self, tab: str) -> ProbationFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return self != ProbationFilter()

    def query_string(self, **more: str) -> str:
        tab = "" if self.tab == "all" else self.tab
        values = {"due": tab, "department": self.department, "q": self.q} | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, employees: QuerySet[Any], *, today: date) -> QuerySet[Any]:
        employees = employees.filter(_window(self.tab, today))
        if self.department:
            employees = employees.filter(in_department(self.department))
        if self.q:
            employees = employees.filter(search_condition(self.q, "person__search_text"))
        return employees


@dataclass(frozen=True, slots=True)
class ProbationRow:
    """Somebody on probation, and where the decision stands."""

    employee: Employee
    department: str
    leader: str
    due: date | None
    today: date
    request: ConversionRequest | None
    extended_to: date | None
    open_change: StatusChange | None

    @property
    def name(self) -> str:
        return person_name(self.employee)

    @property
    def days_left(self) -> int | None:
        return None if self.due is None else (self.due - self.today).days

    @property
    def time_left(self) -> str:
        return days_in_words(self.days_left)

    @property
    def working_days_left(self) -> int | None:
        """Working days up to the end; None when it has passed or is far away."""
        days = self.days_left
        if days is None or self.due is None or not 0 <= days <= WORKING_DAYS_WITHIN:
            return None
        return calendars.working_days_between(self.today, self.due)

    @property
    def tone(self) -> str:
        days = self.days_left
        return "" if days is None or days > 7 else "bad" if days < 0 else "attention"

    @property
    def open_request(self) -> ConversionRequest | None:
        return self.request if self.request and self.request.is_open else None

    @property
    def may_be_asked(self) -> bool:
        return self.open_request is None and self.open_change is None


@dataclass(frozen=True, slots=True)
class ProbationPage:
    page: Page[Any]
    rows: Sequence[ProbationRow]


def probation_page(
    user: Someone, narrowed: ProbationFilter, params: Mapping[str, str], *, today: date
) -> ProbationPage:
    employees = narrowed.apply(on_probation(policies.visible_employees(user)), today=today)
    page = page_by_key(employees.select_related("person"), params, order=("due", "pk"))
    return ProbationPage(page, probation_rows(page.rows, today=today))


def probation_counts(user: Someone, *, today: date) -> dict[str, int]:
    """How many stand in each window; one query."""
    counted = on_probation(policies.visible_employees(user)).order_by()
    names = [name for name in WINDOWS if name not in ("all", "declined")]
    return counted.aggregate(**{n: Count("pk", filter=_window(n, today)) for n in names})


def probation_rows(employees: Sequence[Any], *, today: date) -> list[ProbationRow]:
    """Five more queries, however many employees; they come from `on_probation`."""
    departments = department_names({e.department_id for e in employees})
    leaders = contact_names({e.leader_open_id for e in employees})
    changes = open_changes_by_person({e.person_id for e in employees})
    latest: dict[int, ConversionRequest] = {}
    extended: dict[int, date | None] = {}
    asked = ConversionRequest.objects.filter(employee__in=[e.pk for e in employees])
    for request in asked.select_related("approver", "change").order_by("pk"):
        latest[request.employee_id] = request
        if request.is_extended:
            extended[request.employee_id] = request.extended_to
    return [
        ProbationRow(
            employee=employee,
            department=departments.get(employee.department_id, ""),
            leader=leaders.get(employee.leader_open_id, ""),
            due=None if employee.due == LAST_DAY else employee.due,
            today=today,
            request=latest.get(employee.pk),
            extended_to=extended.get(employee.pk),
            open_change=changes.get(employee.person_id),
        )
        for employee in employees
    ]


def chosen_on_probation(user: Someone, ids: Sequence[int], *, today: date) -> list[ProbationRow]:
    """Those of these employees the user may see, by the day they are due."""
    employees = on_probation(policies.visible_employees(user)).filter(pk__in=ids)
    ordered = employees.select_related("person").order_by("due", "pk")
    return probation_rows(list(ordered), today=today)
