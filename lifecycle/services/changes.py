"""What a person asks for: a plan, a status change, taking it back, deciding a doubtful one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from lifecycle import policies, remote
from lifecycle.changes import protocol
from lifecycle.changes.doorbell import ring
from lifecycle.changes.kinds import ALL, Kind, kind_named
from lifecycle.changes.plan import Plan, make_plan
from lifecycle.errors.problems import (
    ChangeBlocked,
    InvalidValues,
    NotAllowed,
    StalePlan,
    StepNotAllowed,
    VerdictRefused,
)
from lifecycle.models import Employee, StatusChange, User
from lifecycle.rules import ChangeStatus

VERDICTS = {
    "applied": ChangeStatus.SUCCEEDED,
    "not_applied": ChangeStatus.FAILED,
    "look_again": ChangeStatus.VERIFYING,
}


def legal_kinds(employee: Employee, user: User) -> list[Kind]:
    """The verbs that fit the employee's state and that this person may ask for."""
    return [
        kind
        for kind in ALL.values()
        if kind.is_legal(employee) and policies.can_request(user, kind.name, employee)
    ]


def plan_change(
    kind: Kind,
    employee: Employee,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    at: datetime,
) -> Plan:
    """The plan, from facts read from Feishu just now; from the mirror when Feishu is silent.

    Raises NotAllowed, InvalidValues.
    """
    _check_allowed(kind, employee, acting_user)
    is_fresh = _refresh(employee)
    return _plan(kind, employee, values, at=at, is_fresh=is_fresh)


def submit_change(
    kind: Kind,
    employee: Employee,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    submission_key: str,
    pre_image_hash: str,
    payload_hash: str,
    at: datetime,
    undo_of: StatusChange | None = None,
) -> StatusChange:
    """Confirm a plan that was shown. Feishu is written to by the worker, not here.

    `pre_image_hash` and `payload_hash` are those of the plan the person saw. Raises
    NotAllowed, StalePlan when it is no longer that plan, ChangeBlocked.
    """
    _check_allowed(kind, employee, acting_user)
    with transaction.atomic():
        locked = Employee.objects.select_for_update().select_related("person").get(pk=employee.pk)
        # Under the lock, or the second of two clicks would be blocked by the first one.
        already = StatusChange.objects.filter(
            submission_key=submission_key, requested_by=acting_user
        ).first()
        if already is not None:
            return already
        plan = _plan(kind, locked, values, at=at, is_fresh=True)
        if (plan.pre_image_hash, plan.payload_hash) != (pre_image_hash, payload_hash):
            raise StalePlan
        if plan.is_blocked:
            raise ChangeBlocked(plan.blockers)
        change = protocol.submit(
            plan,
            submission_key=submission_key,
            reason=str(values.get("reason") or ""),
            acting_user=acting_user,
            at=at,
            undo_of=undo_of or _undone_by(kind, locked),
        )
        if change.next_run_at is not None and change.next_run_at <= at:
            ring(change.pk)
    return change


def cancel_change(change: StatusChange, *, acting_user: User, at: datetime) -> None:
    """Take back a change before it is sent. Raises NotAllowed, StepNotAllowed."""
    if not policies.can_cancel(acting_user, change):
        raise NotAllowed
    try:
        protocol.cancel(change, acting_user=acting_user, at=at)
    except protocol.Lost as error:
        raise StepNotAllowed from error


def decide_change(
    change: StatusChange, *, verdict: str, reason: str, acting_user: User, at: datetime
) -> None:
    """A person's verdict: "applied", "not_applied" or "look_again".

    Raises NotAllowed, VerdictRefused for the requester's own change or a missing reason,
    StepNotAllowed.
    """
    if not policies.can_decide(acting_user, change):
        own = change.requested_by_id == acting_user.pk
        raise VerdictRefused("verdict.own-request") if own else NotAllowed
    if not reason.strip():
        raise VerdictRefused("verdict.reason-missing")
    if verdict not in VERDICTS or change.status != ChangeStatus.NEEDS_ATTENTION:
        raise StepNotAllowed
    try:
        protocol.decide(
            change, VERDICTS[verdict], reason=reason.strip(), acting_user=acting_user, at=at
        )
    except protocol.Lost as error:
        raise StepNotAllowed from error


def _check_allowed(kind: Kind, employee: Employee, acting_user: User) -> None:
    if not policies.can_request(acting_user, kind.name, employee):
        raise NotAllowed


def _plan(
    kind: Kind, employee: Employee, values: Mapping[str, Any], *, at: datetime, is_fresh: bool
) -> Plan:
    try:
        return make_plan(kind, employee, values, at=at, is_fresh=is_fresh)
    except remote.errors.InvalidCall as error:
        raise InvalidValues from error


def _refresh(employee: Employee) -> bool:
    """Bring this one record up to date. False when Feishu gave no usable answer in time."""
    kind = kind_named("convert_employee")
    asked_at = timezone.now()
    try:
        payload = remote.page_client().get_employee(employee.feishu_id)
    except remote.errors.FeishuError:
        return False
    kind.store(payload, asked_at=asked_at)
    employee.refresh_from_db()
    return True


def _undone_by(kind: Kind, employee: Employee) -> StatusChange | None:
    """The last change that this one takes back, when it was made here."""
    return (
        StatusChange.objects.filter(
            subject_id=employee.feishu_id,
            kind=kind.inverse,
            status=ChangeStatus.SUCCEEDED.value,
        )
        .order_by("-pk")
        .first()
        if kind.is_undo
        else None
    )
