"""Asking a leader to decide about the end of a probation, and the leader's decision.

What is agreed to is one plan: the conversion on a day, and the facts it rests on, by their
hashes. Feishu is read once more when the leader agrees; when the facts have changed, the request
is void, nothing is sent, and the leader is asked again on the present facts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import Enum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from lifecycle import action_log, policies, remote
from lifecycle.changes import guards, protocol
from lifecycle.changes.doorbell import ring, ring_messages, ring_reminders
from lifecycle.changes.kinds import Kind, kind_named
from lifecycle.changes.plan import Plan, make_plan
from lifecycle.errors.problems import (
    ChangeBlocked,
    InvalidValues,
    LifecycleError,
    NotAllowed,
    RequestRefused,
)
from lifecycle.errors.words import Words
from lifecycle.models import (
    ConversionRequest,
    Delegation,
    Employee,
    Person,
    StatusChange,
    StepAgreement,
    User,
)
from lifecycle.policies import Capability
from lifecycle.queries.probation import ProbationRow, due_of
from lifecycle.services import changes as change_service
from lifecycle.services.approvers import agreed_at_steps, first_approver, may_be_approver
from lifecycle.services.changes import Seen
from lifecycle.services.routes import route_for

log = logging.getLogger(__name__)

Status, Held, Void = ConversionRequest.Status, ConversionRequest.Held, ConversionRequest.Void

REASON_LENGTH = 1000
LEADER = "approval.leader"
# Days before the end on which whoever has to decide is reminded, and the hour of it.
REMINDER_DAYS = (30, 14, 7, 0)
REMINDER_HOUR = time(9)
DAYS_MORE = 30

NO_LONGER = Words("已不在试用期", "no longer on probation")
ASKED_ALREADY = Words("已在等待上级决定", "a decision is awaited already")
CHANGE_OPEN = Words("有一项尚未完成的状态变更", "a status change is not finished")
IN_CORE_HR = Words("已同步到飞书人事，请在飞书人事办理", "in Feishu CoreHR, to be converted there")
ONESELF = Words("不能为自己发起", "nobody asks for oneself")


class Through(Enum):
    """Where somebody decides: on a page of the portal, or on a card in Feishu."""

    PORTAL = ""
    CARD = "card"

    @property
    def as_data(self) -> dict[str, str]:
        return {"through": self.value} if self.value else {}

    @property
    def client(self) -> remote.Client | None:
        """Feishu itself waits for the answer to a card, and not for long."""
        return remote.callback_client() if self is Through.CARD else None


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides, for whom they stand in, when, and where they do it."""

    by: User
    stands_for: User | None
    at: datetime
    through: Through = Through.PORTAL

    @property
    def as_data(self) -> dict[str, Any]:
        decided_for = {"decided_for": self.stands_for.pk} if self.stands_for else {}
        return decided_for | self.through.as_data


def convert_kind() -> Kind[Any]:
    return kind_named("convert_employee")


# -- asking -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking for several at once."""

    requests: list[ConversionRequest]
    skipped: list[tuple[ProbationRow, Words]]


def why_not_asked(row: ProbationRow, user: User) -> Words | None:
    """Why nobody is asked about this employee now; None when somebody may be."""
    if policies.is_self(user, row.employee):
        return ONESELF
    if row.open_request is not None:
        return ASKED_ALREADY
    if row.open_change is not None:
        return CHANGE_OPEN
    if not convert_kind().is_open_to(row.employee):
        return IN_CORE_HR
    return None


def ask_for_decisions(
    rows: Iterable[ProbationRow], *, note: str, acting_user: User, at: datetime
) -> Asked:
    """Ask the leader of each; those who cannot be asked about are skipped, with the reason.

    Raises NotAllowed.
    """
    if not policies.can(acting_user, Capability.ASK_FOR_DECISION):
        raise NotAllowed
    asked = Asked([], [])
    for row in rows:
        reason = why_not_asked(row, acting_user)
        if reason is None:
            try:
                request = ask(row.employee, note=note, acting_user=acting_user, at=at)
            except LifecycleError as error:
                reason = error.notice.sentence
            else:
                asked.requests.append(request)
                continue
        asked.skipped.append((row, reason))
    if asked.requests:
        ring_reminders()
    return asked


def ask(
    employee: Employee,
    *,
    acting_user: User | None,
    at: datetime,
    note: str = "",
) -> ConversionRequest:
    """Ask the leader of one employee on probation; `acting_user` None is the rule.

    Without anybody up the line who may decide, and for somebody Feishu keeps in CoreHR, the
    request lies with HR. Raises NotAllowed, RequestRefused, InvalidValues.
    """
    if acting_user is not None and not (
        policies.can(acting_user, Capability.ASK_FOR_DECISION)
        and policies.can_request(acting_user, convert_kind().name, employee)
    ):
        raise NotAllowed
    return _open(employee, None, asked_for=acting_user, actor=acting_user, note=note, at=at)


def _open(
    employee: Employee,
    approver: User | None,
    *,
    asked_for: User | None,
    actor: User | None,
    note: str,
    at: datetime,
    follows: ConversionRequest | None = None,
) -> ConversionRequest:
    """Write the question down, on the facts the mirror holds now. `approver`: who is to decide
    first if they still may; otherwise whoever the first step says."""
    if not employee.is_on_probation:
        raise RequestRefused("request.overtaken")
    route, today = route_for(employee), remote.tenant_day(at)
    approver, held = _addressee(employee, approver, asked_for=asked_for, role=route[0])
    due = due_of(employee) or today
    suggested = max(due, today)
    plan = _plan(employee, suggested, key="", at=at)
    request = ConversionRequest(
        person_id=employee.person_id,
        employee=employee,
        requested_by=asked_for,
        created_at=at,
        suggested_on=suggested,
        due_on=due,
        note=note.strip()[:REASON_LENGTH],
        payload_hash=plan.payload_hash,
        pre_image_hash=plan.pre_image_hash,
        route=route,
        step_role=route[0],
        approver=approver,
        held=held,
        leader_open_id=employee.leader_open_id,
        addressed_at=at,
        # The first one at once: to be asked is to be told.
        next_reminder_at=at,
        follows=follows,
    )
    _write_down(request, actor=actor, at=at)
    return request


def _addressee(
    employee: Employee, approver: User | None, *, asked_for: User | None, role: str
) -> tuple[User | None, str]:
    """Who decides first, or why it lies with HR."""
    if not convert_kind().is_open_to(employee):
        return None, Held.CORE_HR
    if approver is None or not may_be_approver(
        approver, employee, requested_by=asked_for, role=role
    ):
        approver = first_approver(employee, requested_by=asked_for, role=role)
    return approver, "" if approver else Held.NO_APPROVER


def _write_down(request: ConversionRequest, *, actor: User | None, at: datetime) -> None:
    """Raises RequestRefused when the employee is asked about already."""
    signed = {
        "suggested_on": request.suggested_on.isoformat(),
        "payload_hash": request.payload_hash,
        "pre_image_hash": request.pre_image_hash,
    }
    follows = {"follows": request.follows_id} if request.follows_id else {}
    declined = ConversionRequest.objects.filter(employee=request.employee, status=Status.DECLINED)
    try:
        with transaction.atomic():
            declined.update(next_reminder_at=None)
            request.save(force_insert=True)
            record(
                "request.asked",
                request,
                actor=actor,
                at=at,
                data=signed | follows,
                private={"note": request.note} if request.note else None,
            )
    except IntegrityError as error:
        raise RequestRefused("request.not-open") from error


def _plan(employee: Employee, day: date, *, key: str, at: datetime) -> Plan:
    try:
        return make_plan(
            convert_kind(), employee, {"converted_on": day}, key=key, at=at, is_fresh=True
        )
    except remote.errors.InvalidCall as error:
        raise InvalidValues from error


# -- deciding -----------------------------------------------------------------------------


def approve(
    request: ConversionRequest,
    *,
    day: date,
    pre_image_hash: str,
    acting_user: User,
    at: datetime,
    through: Through = Through.PORTAL,
) -> StatusChange | None:
    """Agree to the conversion on this day: it becomes a status change, asked for by whoever
    asked for the decision and approved by this user. Before the last step it goes on to the
    next one instead, with the very plan that was agreed to; then None.

    `pre_image_hash`: of the facts that were shown. Raises NotAllowed, RequestRefused (also when
    the facts have changed: then the request is void and asked again), ChangeBlocked.
    """
    _decision(request, acting_user, at, through)
    if request.step and day != request.suggested_on:
        raise RequestRefused("request.day-fixed")
    _check_ground(request, pre_image_hash, at=at, client=through.client)
    with transaction.atomic():
        _lock(request)
        # Once more: it may have been handed on while Feishu was read.
        decision = _decision(request, acting_user, at, through)
        plan = _agreed_plan(request, day, at=at)
        _note_agreement(request, plan, day, decision)
        if request.is_last_step:
            return _carry_out(request, plan, day, decision)
        _go_on(request, plan, day, decision)
        return None


def _lock(request: ConversionRequest) -> None:
    """Whoever else decides or hands on waits here: the person first, the end of the log last
    (lifecycle/transactions.py)."""
    Person.objects.select_for_update(no_key=True).get(pk=request.person_id)
    request.refresh_from_db(from_queryset=ConversionRequest.objects.select_for_update(no_key=True))


def _agreed_plan(request: ConversionRequest, day: date, *, at: datetime) -> Plan:
    """Raises RequestRefused over other facts than those that were shown, ChangeBlocked."""
    employee = Employee.everyone.select_related("person").get(pk=request.employee_id)
    plan = _plan(employee, day, key=str(request.key), at=at)
    if plan.pre_image_hash != request.pre_image_hash:
        raise RequestRefused("request.not-open")
    if plan.is_blocked:
        raise ChangeBlocked(plan.blockers)
    return plan


def _note_agreement(request: ConversionRequest, plan: Plan, day: date, decision: Decision) -> None:
    """Raises RequestRefused when somebody was quicker, or has agreed at an earlier step."""
    try:
        with transaction.atomic():
            StepAgreement.objects.create(
                request=request,
                step=request.step,
                role=request.step_role,
                by=decision.by,
                stands_for=decision.stands_for,
                at=decision.at,
                day=day,
                payload_hash=plan.payload_hash,
                pre_image_hash=plan.pre_image_hash,
            )
    except IntegrityError as error:
        raise RequestRefused("request.not-open") from error


def _carry_out(
    request: ConversionRequest, plan: Plan, day: date, decision: Decision
) -> StatusChange:
    """The last yes: what was agreed to becomes a status change. In the caller's transaction."""
    guards.count_confirmation(convert_kind(), request.requested_by, at=decision.at)
    # Asked for from another place than the one this is decided from.
    with action_log.coming_from(""):
        change = protocol.submit(
            plan,
            submission_key=str(request.key),
            reason=request.note,
            acting_user=request.requested_by,
            at=decision.at,
            awaits=LEADER,
            request=request.pk,
        )
    protocol.approve(change, acting_user=decision.by, at=decision.at)
    data = _agreed_to(plan, day)
    _close(request, Status.APPROVED, "request.approved", decision, data=data, change=change)
    if change.effective_at <= decision.at:
        ring(change.pk)
    return change


def _go_on(request: ConversionRequest, plan: Plan, day: date, decision: Decision) -> None:
    """Address the request to the next step, bound to the plan that was agreed to. In the
    caller's transaction, the request locked."""
    step = request.step + 1
    role = str(request.route[step])
    agreed = agreed_at_steps(request)
    to = first_approver(
        request.employee, requested_by=request.requested_by, role=role, agreed=agreed
    )
    ConversionRequest.objects.filter(pk=request.pk).update(
        step=step,
        step_role=role,
        suggested_on=day,
        payload_hash=plan.payload_hash,
        approver=to,
        held="" if to else Held.NO_APPROVER,
        addressed_at=decision.at,
        next_reminder_at=decision.at,
        reminders=0,
        reminded_at=None,
        escalations=0,
    )
    following = {"next": to.pk if to else None}
    data = _agreed_to(plan, day) | following | decision.as_data
    record("request.step_agreed", request, actor=decision.by, at=decision.at, data=data)
    request.refresh_from_db()
    ring_reminders()
    ring_messages()


def _agreed_to(plan: Plan, day: date) -> dict[str, str]:
    return {
        "day": day.isoformat(),
        "payload_hash": plan.payload_hash,
        "pre_image_hash": plan.pre_image_hash,
    }


def _about_step(request: ConversionRequest) -> dict[str, Any]:
    """Which step this is, where there are several."""
    if not request.has_steps:
        return {}
    return {
        "step": request.step_number,
        "steps": len(request.route),
        "step_role": str(request.step_role),
    }


def extend(
    request: ConversionRequest,
    *,
    until: date,
    reason: str,
    acting_user: User,
    at: datetime,
    through: Through = Through.PORTAL,
) -> None:
    """The probation goes on until this day. The portal keeps that day; Feishu is not written to.

    Raises NotAllowed, RequestRefused.
    """
    decision = _decision(request, acting_user, at, through)
    reason = _reason(reason)
    if until <= max(remote.tenant_day(at), request.due_on) or until.year > 2100:
        raise RequestRefused("request.bad-day")
    with transaction.atomic():
        _close(
            request,
            Status.EXTENDED,
            "request.extended",
            decision,
            reason=reason,
            data={"day": until.isoformat()},
            extended_to=until,
        )


def decline(
    request: ConversionRequest,
    *,
    reason: str,
    acting_user: User,
    at: datetime,
    through: Through = Through.PORTAL,
) -> None:
    """Do not convert. HR prepares the offboarding: nothing is sent by itself, and HR is reminded
    until it is done. Raises NotAllowed, RequestRefused.
    """
    decision = _decision(request, acting_user, at, through)
    reason = _reason(reason)
    with transaction.atomic():
        _close(
            request,
            Status.DECLINED,
            "request.declined",
            decision,
            reason=reason,
            next_reminder_at=at,
        )


def _decision(request: ConversionRequest, user: User, at: datetime, through: Through) -> Decision:
    """Raises NotAllowed, RequestRefused when it is closed already."""
    _still_open(request)
    theirs = policies.requests_to_decide(user, day=remote.tenant_day(at))
    if not theirs.filter(pk=request.pk).exists():
        raise NotAllowed
    stands_for = None if request.approver_id == user.pk else request.approver
    return Decision(user, stands_for, at, through)


def _check_ground(
    request: ConversionRequest,
    pre_image_hash: str,
    *,
    at: datetime,
    client: remote.Client | None = None,
) -> None:
    """Read Feishu once more. When it gives no answer the mirror counts: the worker looks again
    before it sends, and sends nothing over other facts."""
    kind, employee = convert_kind(), request.employee
    seen = change_service.refresh(kind, employee, client=client)
    if seen is Seen.MISSING or not kind.is_legal(employee):
        give_up(request, Void.OVERTAKEN, at=at)
        raise RequestRefused("request.overtaken")
    plan = _plan(employee, request.suggested_on, key=str(request.key), at=at)
    signed = (request.pre_image_hash, request.payload_hash)
    if pre_image_hash != request.pre_image_hash or signed != (
        plan.pre_image_hash,
        plan.payload_hash,
    ):
        ask_again(request, Void.FACTS_CHANGED, at=at)
        raise RequestRefused("request.facts-changed")


# -- giving up, asking again, handing on --------------------------------------------------


def give_up(request: ConversionRequest, because: ConversionRequest.Void, *, at: datetime) -> None:
    """The request has lost its ground. Raises RequestRefused when it is closed already."""
    with transaction.atomic():
        _void(request, because, at=at)


def ask_again(
    request: ConversionRequest, because: ConversionRequest.Void, *, at: datetime
) -> ConversionRequest:
    """Void, and asked anew on the present facts, of whoever had to decide."""
    employee = Employee.everyone.select_related("person").get(pk=request.employee_id)
    asked_for = request.requested_by
    # Over other facts everybody has to agree anew, from the first step on.
    approver = request.approver if request.step == 0 else None
    with transaction.atomic():
        _void(request, because, at=at)
        ring_reminders()
        return _open(
            employee,
            approver,
            asked_for=asked_for,
            actor=None,
            note=request.note,
            at=at,
            follows=request,
        )


def _void(request: ConversionRequest, because: ConversionRequest.Void, *, at: datetime) -> None:
    moved = ConversionRequest.objects.filter(
        pk=request.pk, status__in=(Status.OPEN, Status.APPROVED)
    ).update(status=Status.VOID, void_because=because, closed_at=at, next_reminder_at=None)
    if not moved:
        raise RequestRefused("request.not-open")
    record("request.void", request, actor=None, at=at, data={"because": str(because)})
    ring_messages()
    request.refresh_from_db()


def cancel(request: ConversionRequest, *, reason: str, acting_user: User, at: datetime) -> None:
    """HR takes a request back. Raises NotAllowed, RequestRefused."""
    _check_hr(request, acting_user)
    reason = _reason(reason)
    with transaction.atomic():
        decision = Decision(acting_user, None, at)
        _close(request, Status.CANCELLED, "request.cancelled", decision, reason=reason)


def reassign(
    request: ConversionRequest, *, to: User | None, reason: str, acting_user: User, at: datetime
) -> None:
    """HR names somebody else to decide; HR itself never decides. Raises NotAllowed,
    RequestRefused."""
    _check_hr(request, acting_user)
    reason = _reason(reason)
    if request.is_for_core_hr:
        raise RequestRefused("request.in-core-hr")
    asked_by = request.requested_by
    if to is None or not may_be_approver(
        to,
        request.employee,
        requested_by=asked_by,
        role=request.step_role,
        agreed=agreed_at_steps(request),
    ):
        raise RequestRefused("request.unfit-approver")
    hand_on(
        request,
        to,
        event="request.reassigned",
        acting_user=acting_user,
        at=at,
        private={"reason": reason},
    )


def hand_on(
    request: ConversionRequest,
    to: User,
    *,
    event: str,
    acting_user: User | None,
    at: datetime,
    private: Mapping[str, str] | None = None,
    escalations: int | None = None,
) -> None:
    """Address an open request to somebody else, who is told at once. Raises RequestRefused."""
    was = request.approver_id
    with transaction.atomic():
        moved = ConversionRequest.objects.filter(
            pk=request.pk, status=Status.OPEN, approver_id=was
        ).update(
            approver=to,
            held="",
            addressed_at=at,
            next_reminder_at=at,
            escalations=request.escalations if escalations is None else escalations,
        )
        if not moved:
            raise RequestRefused("request.not-open")
        request.refresh_from_db()
        record(event, request, actor=acting_user, at=at, data={"was": was}, private=private)
        ring_reminders()


def _check_hr(request: ConversionRequest, user: User) -> None:
    if not policies.can(user, Capability.ASK_FOR_DECISION):
        raise NotAllowed
    if not policies.visible_requests(user).filter(pk=request.pk).exists():
        raise NotAllowed
    if policies.is_self(user, request.employee):
        raise NotAllowed


# -- standing in --------------------------------------------------------------------------


def delegate(
    to: User | None, *, first_day: date, last_day: date, acting_user: User, at: datetime
) -> Delegation:
    """Let somebody else decide as well, from one day to another. Raises NotAllowed,
    RequestRefused."""
    if not policies.can(acting_user, Capability.DECIDE_REQUEST):
        raise NotAllowed
    fits = to is not None and policies.deciders().filter(pk=to.pk).exists()
    if to is None or not fits or to.pk == acting_user.pk:
        raise RequestRefused("request.bad-delegation")
    if last_day < max(first_day, remote.tenant_day(at)) or last_day.year > 2100:
        raise RequestRefused("request.bad-delegation")
    with transaction.atomic():
        made = Delegation.objects.create(
            from_user=acting_user,
            to_user=to,
            first_day=first_day,
            last_day=last_day,
            created_at=at,
        )
        days = {"first_day": first_day.isoformat(), "last_day": last_day.isoformat()}
        about = {"user": to.pk, "delegation": made.pk}
        # Whoever stands in is told of what waits with the next run of the reminders.
        waiting = ConversionRequest.objects.filter(approver=acting_user, status=Status.OPEN)
        if made.holds_on(remote.tenant_day(at)):
            waiting.update(next_reminder_at=at)
            ring_reminders()
        action_log.record("delegation.created", actor=acting_user, at=at, data=about | days)
    return made


def end_delegation(delegation: Delegation, *, acting_user: User, at: datetime) -> None:
    """Raises NotAllowed for somebody else's; ending twice changes nothing."""
    if delegation.from_user_id != acting_user.pk:
        raise NotAllowed
    with transaction.atomic():
        if Delegation.objects.filter(pk=delegation.pk, ended_at=None).update(ended_at=at):
            about = {"user": delegation.to_user_id, "delegation": delegation.pk}
            action_log.record("delegation.ended", actor=acting_user, at=at, data=about)


# -- what they share ----------------------------------------------------------------------


def longer(request: ConversionRequest, today: date) -> date:
    """The day to which a probation is extended when nobody says otherwise."""
    return max(request.due_on, today) + timedelta(days=DAYS_MORE)


def next_reminder(due_on: date, *, after: datetime) -> datetime:
    """The next moment to remind: so many days before the end, then every few days."""
    zone = remote.tenant_zone()
    for days in REMINDER_DAYS:
        moment = datetime.combine(due_on - timedelta(days=days), REMINDER_HOUR, tzinfo=zone)
        if moment > after:
            return moment
    return after + timedelta(days=settings.OVERDUE_REMINDER_DAYS)


def _still_open(request: ConversionRequest) -> None:
    if not ConversionRequest.objects.filter(pk=request.pk, status=Status.OPEN).exists():
        raise RequestRefused("request.not-open")


def _close(
    request: ConversionRequest,
    status: ConversionRequest.Status,
    event: str,
    decision: Decision,
    *,
    data: Mapping[str, Any] | None = None,
    reason: str = "",
    next_reminder_at: datetime | None = None,
    **fields: Any,
) -> None:
    """Write down a decision and its entry, in the caller's transaction. Raises RequestRefused
    when somebody else was first."""
    moved = ConversionRequest.objects.filter(pk=request.pk, status=Status.OPEN).update(
        status=status,
        closed_at=decision.at,
        decided_by=decision.by,
        decided_for=decision.stands_for,
        reason=reason,
        next_reminder_at=next_reminder_at,
        **fields,
    )
    if not moved:
        raise RequestRefused("request.not-open")
    request.refresh_from_db()
    ring_messages()
    record(
        event,
        request,
        actor=decision.by,
        at=decision.at,
        data=dict(data or {}) | decision.as_data,
        private={"reason": reason} if reason else None,
    )


def record(
    event: str,
    request: ConversionRequest,
    *,
    actor: User | None,
    at: datetime,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
) -> None:
    about = {
        "request": request.pk,
        "approver": request.approver_id,
        "due_on": request.due_on.isoformat(),
        "held": str(request.held),
    } | _about_step(request)
    action_log.record(
        event,
        actor=actor,
        at=at,
        person=request.person,
        change=request.change,
        data=about | dict(data or {}),
        private=private,
    )


def _reason(text: str) -> str:
    reason = text.strip()[:REASON_LENGTH]
    if not reason:
        raise RequestRefused("request.reason-missing")
    return reason
