"""The list of employees, one row of it, and one employee."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from lifecycle import policies, queries
from lifecycle.changes import kinds
from lifecycle.changes.kinds import Kind
from lifecycle.models import Employee, StatusChange
from lifecycle.policies import Someone
from lifecycle.queries import EmployeeFilter, EmployeeRow
from lifecycle.views.answers import flat, neighbour_queries, page, push_address, wants_partial
from lifecycle.views.tabs import EMPLOYEE_TAB_LABELS, Tab

ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ListedEmployee:
    """A row, what may be asked for it, and whether the screen should keep looking at it."""

    row: EmployeeRow
    next_steps: list[Kind[Any]]
    is_watched: bool


@require_safe
def employees(request: HttpRequest) -> HttpResponse:
    today, params = timezone.localdate(), flat(request.GET)
    narrowed = EmployeeFilter.read(params)
    listed = queries.employee_page(request.user, narrowed, params, today=today)
    counts = queries.employee_counts(request.user, today=today)
    context = {
        "narrowed": narrowed,
        "page": listed.page,
        **neighbour_queries(narrowed, listed.page),
        "listed": [list_employee(request.user, row) for row in listed.rows],
        "counts": counts,
        "whole_query": narrowed.with_tab("all").query_string(),
        "tabs": [
            Tab(tab, str(label), narrowed.with_tab(tab).query_string(), counts.of_tab(tab))
            for tab, label in EMPLOYEE_TAB_LABELS.items()
        ],
    }
    if not wants_partial(request):
        context["departments"] = queries.department_choices(request.user)
    response = page(request, "employees/list.html", "employees/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_safe
def employee_rows(request: HttpRequest) -> HttpResponse:
    """Rows that may have moved, each to be put in its own place."""
    ids = {int(text) for text in request.GET.getlist("ids") if text.isdecimal() and len(text) < 19}
    some = sorted(ids)[:ROWS_AT_ONCE]
    today = timezone.localdate()
    rows = queries.employee_rows_by_id(request.user, some, today=today)
    listed = [list_employee(request.user, row) for row in rows]
    context: dict[str, Any] = {"listed": listed}
    if any(not item.is_watched for item in listed):
        # A change has come to rest, so the figures above the list may have moved too.
        context["counts"] = queries.employee_counts(request.user, today=today)
    return render(request, "employees/_rows.html", context)


@require_safe
def employee(request: HttpRequest, pk: int) -> HttpResponse:
    found = policies.employee_for(request.user, pk)
    (row,) = queries.employee_rows([found], today=timezone.localdate())
    changes = queries.changes_of_person(request.user, found.person_id)
    context = {
        "employee": found,
        "row": row,
        "next_steps": next_steps(request.user, found, row.open_change),
        "changes": changes,
        "open_change": row.open_change,
    }
    return render(request, "employees/detail.html", context)


def list_employee(user: Someone, row: EmployeeRow) -> ListedEmployee:
    """A row of the list offers the step that is due; all the others are on the employee's page."""
    change = row.open_change
    steps = next_steps(user, row.employee, change) if row.is_due else []
    return ListedEmployee(
        row=row,
        next_steps=[k for k in steps if k.is_everyday and k.is_open_to(row.employee)],
        is_watched=change is not None and queries.is_moving(change, at=timezone.now()),
    )


def next_steps(
    user: Someone, employee: Employee, open_change: StatusChange | None
) -> list[Kind[Any]]:
    """The verbs that fit this employee and that this user may ask for. The employee comes from
    a query of what the user may see, so the scope needs no second look."""
    if open_change is not None or policies.is_self(user, employee):
        return []
    return [
        kind
        for kind in kinds.ALL.values()
        if policies.may_ask(user, kind.name) and kind.is_legal(employee)
    ]
