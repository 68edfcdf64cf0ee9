"""The list of employees and its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lifecycle.models import CatalogueEntry, Employee
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.lists import (
    Badge,
    Choice,
    Column,
    Condition,
    Figure,
    RecordList,
    RecordRow,
    RecordTab,
    days_in_words,
    in_department,
)
from lifecycle.queries.names import catalogue_names, contact_names, department_names
from lifecycle.rules import ConversionStatus, OnboardStatus

ON_PROBATION = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.NOT_CONVERTED.value,
)
CONVERTED = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.CONVERTED.value,
)
LATELY = timedelta(days=30)


# -- the rows -----------------------------------------------------------------------------

BADGES = {
    badge.state: badge
    for badge in (
        Badge("plain", _("On probation"), "probation"),
        Badge("bad", _("Overdue"), "overdue"),
        Badge("good", _("Converted"), "converted"),
        Badge("quiet", _("Left"), "left"),
        Badge("quiet", _("Unknown"), "unknown"),
    )
}


@dataclass(frozen=True, slots=True)
class EmployeeRow(RecordRow[Employee]):
    department: str
    leader: str
    title: str

    @property
    def sub(self) -> str:
        return self.title or self.record.feishu_id

    @property
    def days_left(self) -> int | None:
        """Days until the conversion is due, negative when overdue; None when nothing is due."""
        return self.days_until(self.record.expected_conversion_on)

    @property
    def is_due(self) -> bool:
        """True while a conversion lies ahead, or should have been made."""
        return self.record.is_on_probation

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def is_due_soon(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= 7

    @property
    def state(self) -> str:
        if self.record.has_left:
            return "left"
        if self.record.is_converted:
            return "converted"
        if self.is_overdue:
            return "overdue"
        return "probation" if self.record.is_on_probation else "unknown"

    @property
    def badge(self) -> Badge:
        return BADGES[self.state]


def employee_rows(employees: Sequence[Employee], *, today: date) -> list[EmployeeRow]:
    """Four more queries for the names and the open changes, however many employees."""
    departments = department_names({e.department_id for e in employees})
    leaders = contact_names({e.leader_open_id for e in employees})
    titles = catalogue_names(
        {e.job_level_id for e in employees} | {e.employee_type_id for e in employees},
        CatalogueEntry.Kind.EMPLOYEE_TYPE,
        CatalogueEntry.Kind.JOB_LEVEL,
    )
    changes = open_changes_by_person({e.person_id for e in employees})
    return [
        EmployeeRow(
            record=employee,
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


# -- the list -----------------------------------------------------------------------------


# By the day the list sorts by, which for whoever is on probation is the day of the conversion:
# one index finds them and puts them in order.
def _due_within(days: int) -> Condition:
    return lambda today: ON_PROBATION & Q(due_sort_on__range=(today, today + timedelta(days=days)))


def _overdue(today: date) -> Q:
    return ON_PROBATION & Q(due_sort_on__lt=today)


def _converted_lately(today: date) -> Q:
    return CONVERTED & Q(converted_on__range=(today - LATELY, today))


def _due_tone(row: EmployeeRow) -> str:
    return "bad" if row.is_overdue else "attention" if row.is_due_soon else ""


EMPLOYEES = RecordList(
    name="employees",
    noun="employee",
    sync="employees",
    icon="users",
    title=_("Employees"),
    about=_(
        "Everybody Feishu Hire knows as an employee; who is to be converted first, comes first."
    ),
    model=Employee,
    tabs=(
        RecordTab("probation", _("On probation"), lambda today: ON_PROBATION),
        RecordTab("overdue", _("Overdue"), _overdue),
        RecordTab("due7", _("Due in 7 days"), _due_within(7)),
        RecordTab("due30", _("Due in 30 days"), _due_within(30), is_counted=True),
        RecordTab("converted", _("Converted"), lambda today: CONVERTED),
        RecordTab("left", _("Left"), lambda today: Q(onboard_status=OnboardStatus.LEFT.value)),
        RecordTab("all", _("All"), lambda today: Q()),
    ),
    sort="due_sort_on",
    rows=lambda employees, today: employee_rows(employees, today=today),
    choices=(Choice("department", _("Department"), _("All departments"), in_department),),
    columns=(
        Column(_("Department"), lambda row: row.department, kind="wrap"),
        Column(_("Onboarded on"), lambda row: row.record.onboarded_on, "day", "secondary"),
        Column(
            _("Due on"),
            lambda row: row.record.expected_conversion_on,
            "day",
            is_sorted=True,
        ),
        Column(
            _("Time left"),
            lambda row: days_in_words(row.days_left),
            place="screen",
            tone=_due_tone,
        ),
        Column(_("Leader"), lambda row: row.leader, place="secondary"),
        Column(_("Converted on"), lambda row: row.record.converted_on, "day", "export"),
        Column(_("Left on"), lambda row: row.record.left_on, "day", "export"),
        Column(_("Type and level"), lambda row: row.title, place="export"),
        Column(_("Application id"), lambda row: row.record.application_id, "id", "export"),
        Column(_("CoreHR employment id"), lambda row: row.record.employment_id, "id", "export"),
    ),
    figures=(
        Figure(
            "probation",
            _("On probation"),
            _("not converted yet"),
            "hourglass",
            "probation",
            lambda today: ON_PROBATION,
        ),
        Figure(
            "due7",
            _("Due in 7 days"),
            _("today included"),
            "calendar-clock",
            "due7",
            _due_within(7),
            "attention",
        ),
        Figure(
            "overdue",
            _("Overdue"),
            _("to be dealt with now"),
            "triangle-alert",
            "overdue",
            _overdue,
            "bad",
        ),
        Figure(
            "converted_lately",
            _("Converted lately"),
            _("in the last 30 days"),
            "badge-check",
            "converted",
            _converted_lately,
        ),
    ),
)
