"""Who decides on conversions, one after the other, by department.

A department's steps hold for all below it, until one of those has its own; without any, the
leader decides alone. A request keeps the steps it was asked with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from lifecycle import action_log, policies
from lifecycle.errors.problems import InvalidValues, NotAllowed
from lifecycle.models import ApprovalRoute, ApprovalStep, Department, Employee, User
from lifecycle.models.requests import one_step
from lifecycle.services import reasons

COMPANY = ""
# The leader begins; who else has to agree, in this order.
ROUTES: tuple[tuple[ApprovalStep, ...], ...] = (
    (ApprovalStep.LEADER,),
    (ApprovalStep.LEADER, ApprovalStep.HRBP),
    (ApprovalStep.LEADER, ApprovalStep.ABOVE),
    (ApprovalStep.LEADER, ApprovalStep.ABOVE, ApprovalStep.HRBP),
)


def name_of(steps: Sequence[str]) -> str:
    """A route as forms and the log write it."""
    return "-".join(steps)


NAMED = {name_of([step.value for step in route]): route for route in ROUTES}


@dataclass(frozen=True, slots=True)
class Configured:
    """The steps of one department, with its name; `department` None: the whole company."""

    route: ApprovalRoute
    department: Department | None

    @property
    def steps(self) -> list[str]:
        return [str(ApprovalStep(step).label) for step in self.route.steps]


def route_for(employee: Employee) -> list[str]:
    """The steps of whoever works in this employee's department; two queries."""
    department = Department.objects.filter(feishu_id=employee.department_id).first()
    ids = department.line if department else []
    found = ApprovalRoute.objects.filter(department_id__in=[COMPANY, employee.department_id, *ids])
    by_department = {route.department_id: route.steps for route in found}
    # The department itself first, then up the tree, the company last.
    for department_id in (employee.department_id, *reversed(ids), COMPANY):
        steps = by_department.get(department_id)
        if steps:
            return [str(step) for step in steps]
    return one_step()


def configured() -> list[Configured]:
    """Two queries."""
    routes = list(ApprovalRoute.objects.select_related("changed_by"))
    ids = [route.department_id for route in routes if route.department_id]
    departments = Department.objects.in_bulk(ids, field_name="feishu_id")
    shown = [Configured(route, departments.get(route.department_id)) for route in routes]
    return sorted(shown, key=lambda one: str(one.department or ""))


@transaction.atomic
def set_route(
    department_id: str, name: str, *, reason: str, acting_user: User, at: datetime
) -> None:
    """Give a department, or the whole company, its steps. Raises NotAllowed, InvalidValues,
    ReasonMissing."""
    _check_may_set(acting_user)
    reason = reasons.given(reason)
    _check_exists(department_id)
    if name not in NAMED:
        raise InvalidValues
    steps = [step.value for step in NAMED[name]]
    known = ApprovalRoute.objects.filter(department_id=department_id).first()
    before = name_of(known.steps) if known else ""
    if before == name:
        return
    ApprovalRoute.objects.update_or_create(
        department_id=department_id,
        defaults={"steps": steps, "changed_by": acting_user, "changed_at": at},
    )
    _record(department_id, before, name, reason, acting_user, at)


@transaction.atomic
def remove_route(department_id: str, *, reason: str, acting_user: User, at: datetime) -> None:
    """The department has the steps of the one above again. Raises NotAllowed, ReasonMissing."""
    _check_may_set(acting_user)
    reason = reasons.given(reason)
    known = ApprovalRoute.objects.filter(department_id=department_id).first()
    if known is not None:
        known.delete()
        _record(department_id, name_of(known.steps), "", reason, acting_user, at)


def _check_may_set(user: User) -> None:
    if not policies.may_set_approval_steps(user):
        raise NotAllowed


def _check_exists(department_id: str) -> None:
    exists = Department.objects.filter(feishu_id=department_id, is_active=True).exists()
    if department_id != COMPANY and not exists:
        raise InvalidValues


def _record(
    department_id: str, before: str, after: str, reason: str, user: User, at: datetime
) -> None:
    action_log.record(
        "settings.approval_steps",
        actor=user,
        at=at,
        data={"department": department_id, "before_steps": before, "after_steps": after},
        private={"reason": reason},
    )
