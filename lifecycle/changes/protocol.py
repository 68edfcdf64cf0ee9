"""The protocol of a status change: the only writer of a change's status.

Read downwards. `submit` writes the intent down. `run` is what a worker does with a change
that is due: look at Feishu first, commit the attempt, send with no transaction open,
and write down what came back together with the log entry. `settle` (its own module) does
the same for a change whose outcome is not known.

Every step is a compare-and-set on (status, version): of two workers, or a worker and a
person, one wins and the other notices. Each transition and its log entry stand in one
transaction. Nothing here knows a verb by name.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from lifecycle import action_log, differences, remote
from lifecycle.change_states import (
    EXCLUSIVE_STATUSES,
    FINAL_STATUSES,
    ChangeStatus,
    Who,
    may_move,
)
from lifecycle.changes import guards, responses, settle
from lifecycle.changes.kinds import Kind, RecordMissing, kind_named
from lifecycle.changes.plan import Plan, image_hash
from lifecycle.changes.settle import Verdict
from lifecycle.errors.problems import FeishuUnreadable
from lifecycle.models import Approval, Attempt, StatusChange, User
from lifecycle.remote import Outcome, SendResult

log = logging.getLogger(__name__)

Status, Via = ChangeStatus, StatusChange.Via

# How long to wait before looking again, by what stood in the way.
WAIT_FOR_EARLIER = timedelta(seconds=5)
WAIT_AFTER_UNREADABLE = timedelta(seconds=20)
WAIT_AFTER_NOT_SENT = timedelta(seconds=10)
WAIT_AFTER_SECOND_AUTH = timedelta(seconds=60)
WAIT_WHILE_STOPPED = timedelta(seconds=15)
SLOT_PATIENCE_S = 20.0
JITTER = 0.2
BACKGROUND_OUTCOMES = frozenset({Outcome.THROTTLED, Outcome.AUTH, Outcome.NOT_SENT})


class Lost(Exception):
    """Somebody else moved the change first; what was to be done is not done."""


# -- step 0 and 1: the intent -------------------------------------------------------------


def note_plan(plan: Plan, *, acting_user: User, at: datetime) -> None:
    """Log a plan that is shown to somebody. It carries the key it may be confirmed with, by which
    a change knows the plan it came from; one that nobody confirms stays in the log alone."""
    action_log.record(
        "change.planned",
        actor=acting_user,
        at=at,
        person=plan.record.person,
        data={
            "kind": plan.kind.name,
            "subject_id": plan.record.feishu_id,
            "submission": plan.key,
            "payload_hash": plan.payload_hash,
            "pre_image_hash": plan.pre_image_hash,
            "plan_hash": image_hash(plan.as_json()),
            "effective_at": plan.effective_at.isoformat(),
            "is_fresh": plan.is_fresh,
        }
        | ({"blockers": [notice.code for notice in plan.blockers]} if plan.is_blocked else {}),
        private={"request": plan.call.canonical()},
    )


def submit(
    plan: Plan,
    *,
    submission_key: str,
    reason: str,
    acting_user: User | None,
    at: datetime,
    undo_of: StatusChange | None = None,
    awaits: str = "",
    request: int | None = None,
) -> StatusChange:
    """Write down one confirmed plan as a change that may be sent when it is due.

    `acting_user`: who asked for it, None for a rule of the portal. `awaits`: why somebody else
    has to approve it first; "" when nobody has to. `request`: the number of the request it was
    agreed to in, whose entries tell of whoever agreed before. The same `submission_key` is the same
    change, however often it is posted: the first one stored is returned. Runs in the caller's
    transaction.
    """
    change, is_new = StatusChange.objects.get_or_create(
        submission_key=submission_key,
        defaults={
            "kind": plan.kind.name,
            "person_id": plan.record.person_id,
            "subject_id": plan.record.feishu_id,
            "payload": plan.call.canonical(),
            "payload_hash": plan.payload_hash,
            "pre_image": dict(plan.pre_image),
            "pre_image_hash": plan.pre_image_hash,
            "plan": plan.as_json(),
            "reason": reason,
            "requested_by": acting_user,
            "undo_of": undo_of,
            "created_at": at,
            "effective_at": plan.effective_at,
            "status": (Status.PENDING if awaits else Status.APPROVED).value,
            "next_run_at": None if awaits else plan.effective_at,
            "problem": awaits,
        },
    )
    if not is_new:
        return change
    action_log.record(
        "change.requested",
        actor=acting_user,
        at=at,
        change=change,
        data=_about(change)
        | {
            "to": change.status,
            "pre_image_hash": change.pre_image_hash,
            "plan_hash": image_hash(change.plan),
            "effective_at": change.effective_at.isoformat(),
        }
        | ({"undo_of": undo_of.pk} if undo_of else {})
        | ({"request": request} if request else {})
        | ({"problem": awaits} if awaits else {}),
        # A request can carry free text, such as the reason for leaving; its hash is chained.
        private={"request": change.payload} | ({"reason": reason} if reason else {}),
    )
    return change


def approve(change: StatusChange, *, acting_user: User, at: datetime) -> None:
    """A second person agrees to this very plan: it may be sent when it is due. Raises Lost.

    Like `reject`, runs in the caller's transaction.
    """
    _move(
        change,
        Status.APPROVED,
        by=Who.SECOND_PERSON,
        event="change.approved",
        at=at,
        actor=acting_user,
        data={
            "pre_image_hash": change.pre_image_hash,
            "effective_at": change.effective_at.isoformat(),
        },
        next_run_at=change.effective_at,
        problem="",
    )
    _note_verdict(change, Approval.Verdict.APPROVED, acting_user=acting_user, at=at)


def reject(change: StatusChange, *, reason: str, acting_user: User, at: datetime) -> None:
    """A second person does not agree. Raises Lost."""
    _move(
        change,
        Status.REJECTED,
        by=Who.SECOND_PERSON,
        event="change.rejected",
        at=at,
        actor=acting_user,
        private={"reason": reason},
    )
    verdict = Approval.Verdict.REJECTED
    _note_verdict(change, verdict, reason=reason, acting_user=acting_user, at=at)


def _note_verdict(
    change: StatusChange,
    verdict: Approval.Verdict,
    *,
    reason: str = "",
    acting_user: User,
    at: datetime,
) -> None:
    Approval.objects.create(
        change=change,
        by=acting_user,
        verdict=verdict,
        reason=reason,
        payload_hash=change.payload_hash,
        pre_image_hash=change.pre_image_hash,
        decided_at=at,
    )


def expire(
    change: StatusChange, problem: str, *, at: datetime, acting_user: User | None = None
) -> None:
    """What awaited approval has lost its ground, or its time is over. Raises Lost."""
    move(
        change,
        Status.EXPIRED,
        by=Who.RULE,
        event="change.expired",
        actor=acting_user,
        at=at,
        data={"problem": problem},
        problem=problem,
    )


def release_held(*, at: datetime) -> list[int]:
    """Writing goes on: what the stop has held up is due at once; its ids, in their order."""
    held = StatusChange.objects.filter(
        status=Status.APPROVED.value, problem=guards.WRITES_STOPPED
    ).order_by("effective_at", "created_at", "pk")
    ids = list(held.values_list("pk", flat=True))
    held.update(next_run_at=at, problem="")
    return ids


def cancel(change: StatusChange, *, acting_user: User | None, at: datetime) -> None:
    """Take back a change that has not been sent. Raises Lost when it has moved on."""
    if change.status == Status.NEEDS_ATTENTION and change.attempts.exists():
        raise Lost
    by = Who.ASKER if acting_user else Who.RULE
    move(change, Status.CANCELLED, by=by, event="change.cancelled", actor=acting_user, at=at)


def decide(
    change: StatusChange, target: ChangeStatus, *, reason: str, acting_user: User, at: datetime
) -> None:
    """A person's verdict on a change that needs one. Raises Lost when it has moved on."""
    is_verdict = target in FINAL_STATUSES
    move(
        change,
        target,
        by=Who.SECOND_PERSON,
        event=f"change.{target.value}",
        actor=acting_user,
        at=at,
        data={"via": Via.BY_HAND.value} if is_verdict else {"problem": "feishu.silent"},
        private={"reason": reason},
        settled_via=Via.BY_HAND.value if is_verdict else "",
        next_run_at=None if is_verdict else at,
        verifying_since=None if is_verdict else at,
        unapplied_read_at=None,
    )


# -- what a worker does -------------------------------------------------------------------


def due(at: datetime) -> list[int]:
    """Ids of changes a worker may look at, in the order in which they take effect.

    Those to be looked up come first: however many are held up, what was sent is settled.
    """
    unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=at)
    ready = StatusChange.objects.filter(unclaimed, next_run_at__lte=at)
    in_order = ready.order_by("effective_at", "created_at", "pk").values_list("pk", flat=True)
    return [
        pk
        for status in (Status.VERIFYING, Status.APPROVED)
        for pk in in_order.filter(status=status.value)[:200]
    ]


def run(change_id: int, *, at: datetime | None = None) -> StatusChange | None:
    """Do the next step of one change, if it is due and nobody else is at it."""
    change = _claim(change_id, at or timezone.now())
    if change is None:
        return None
    try:
        if change.status == Status.VERIFYING:
            _settle(change, kind_named(change.kind))
        else:
            _send(change, kind_named(change.kind))
    except Lost:
        log.info("change %s was moved by somebody else", change.pk)
    finally:
        StatusChange.objects.filter(pk=change.pk, claimed_until=change.claimed_until).update(
            claimed_until=None
        )
    change.refresh_from_db()
    return change


def _settle(change: StatusChange, kind: Kind[Any]) -> None:
    """Step 8: look at Feishu and act on what it shows."""
    look = settle.look(change, kind, at=timezone.now())
    match look.verdict:
        case Verdict.APPLIED:
            succeed(change, _via_reading(change), facts=look.facts)
        case Verdict.NOT_APPLIED:
            not_applied(change, look.facts or {})
        case Verdict.NOT_APPLIED_TOO_OFTEN:
            first_read = {"first_read_at": _moment(change.unapplied_read_at)}
            need_attention(change, "change.not-applied", facts=look.facts, data=first_read)
        case Verdict.CANNOT_TELL:
            need_attention(change, "change.cannot-tell", facts=look.facts)
        case Verdict.CONFLICT:
            need_attention(change, "change.conflict", facts=look.facts)
        case Verdict.UNREADABLE_TOO_LONG:
            need_attention(change, "change.unreadable")
        case Verdict.LOOK_AGAIN:
            StatusChange.objects.filter(pk=change.pk, version=change.version).update(
                next_run_at=look.next_at,
                unapplied_read_at=look.unapplied_at,
                reads=F("reads") + 1,
            )


def _via_reading(change: StatusChange) -> StatusChange.Via:
    """Who made it so, as far as that can be told: an attempt without an answer may have. A
    person may also have asked to look again at a change that was never sent."""
    in_doubt = change.attempts.filter(outcome=Outcome.UNKNOWN.value).exists()
    return Via.READBACK if in_doubt else Via.ALREADY


def expire_leases(at: datetime) -> int:
    """Attempts whose worker is gone: nobody knows what Feishu did, so it is looked up."""
    count = 0
    for attempt in Attempt.objects.filter(finished_at=None, lease_until__lte=at).select_related(
        "change"
    ):
        try:
            _finish_silent(attempt, at=at)
            count += 1
        except Lost:
            continue
    return count


def _claim(change_id: int, at: datetime) -> StatusChange | None:
    claimed_until = at + settings.CLAIM_LEASE
    won = (
        StatusChange.objects.filter(
            pk=change_id,
            status__in=(Status.APPROVED.value, Status.VERIFYING.value),
            next_run_at__lte=at,
        )
        .filter(Q(claimed_until=None) | Q(claimed_until__lte=at))
        .update(claimed_until=claimed_until)
    )
    if not won:
        return None
    return StatusChange.objects.select_related("person").get(pk=change_id)


def _send(change: StatusChange, kind: Kind[Any]) -> None:
    """Steps 2 to 7: order, look first, commit the attempt, send, write down the answer."""
    if guards.present_stop():
        return _hold(change)
    if _has_earlier(change):
        return postpone(change, "change.earlier-first", WAIT_FOR_EARLIER)
    facts = _look_first(change, kind)
    if facts is None:
        return None
    call = remote.Call.from_canonical(change.payload)
    if kind.holds(call, facts):
        return succeed(change, _via_reading(change), facts=facts)
    if image_hash(facts) != change.pre_image_hash:
        return need_attention(change, "change.stale-facts", facts=facts)
    if not _is_ready(change, kind):
        return None
    # Counted from before the commit: a worker that was stopped after it and goes on when
    # others have settled the attempt must not send any more.
    ends_at = time.monotonic() + settings.SEND_DEADLINE.total_seconds()
    try:
        attempt = _begin_attempt(change)
    except guards.WritesStopped:
        return _hold(change)
    if attempt is None:
        return postpone(change, "change.earlier-first", WAIT_FOR_EARLIER)
    result = remote.client().send(call, ends_at=ends_at)
    return _take_answer(attempt, change, kind, result)


def _hold(change: StatusChange) -> None:
    postpone(change, guards.WRITES_STOPPED, WAIT_WHILE_STOPPED)


def _has_earlier(change: StatusChange) -> bool:
    """Per person, changes are sent in the order in which they take effect."""
    earlier = Q(effective_at__lt=change.effective_at) | (
        Q(effective_at=change.effective_at)
        & (Q(created_at__lt=change.created_at) | Q(created_at=change.created_at, pk__lt=change.pk))
    )
    waiting = Q(status=Status.APPROVED.value) & earlier
    exclusive = Q(status__in=[status.value for status in EXCLUSIVE_STATUSES])
    return (
        StatusChange.objects.filter(waiting | exclusive, person_id=change.person_id)
        .exclude(pk=change.pk)
        .exists()
    )


def _look_first(change: StatusChange, kind: Kind[Any]) -> Mapping[str, Any] | None:
    """Step 4: the facts as they are now, or None when the change has been put off or ended."""
    asked_at = timezone.now()
    try:
        with remote.reading():
            payload = kind.read(change.subject_id, remote.client())
    except RecordMissing:
        fail(change, "feishu.record-missing")
        return None
    except FeishuUnreadable as error:
        postpone(change, error.problem, WAIT_AFTER_UNREADABLE, log_id=error.log_id)
        return None
    except remote.errors.Refused as error:
        code, log_id = error.code, error.log_id
        postpone(change, "feishu.unreadable", WAIT_AFTER_UNREADABLE, log_id=log_id, code=code)
        return None
    kind.store(payload, asked_at=asked_at)
    return kind.facts(payload)


def _is_ready(change: StatusChange, kind: Kind[Any]) -> bool:
    """A token and a rate slot in hand, so that only the send is left after the commit."""
    try:
        with remote.reading():
            remote.client().ready(kind.endpoint, give_up_after_s=SLOT_PATIENCE_S)
    except FeishuUnreadable as error:
        postpone(change, error.problem, WAIT_AFTER_UNREADABLE, log_id=error.log_id)
        return False
    except remote.errors.Refused as error:
        postpone(change, "feishu.auth", WAIT_AFTER_SECOND_AUTH, log_id=error.log_id)
        return False
    return True


def _begin_attempt(change: StatusChange) -> Attempt | None:
    """Step 5: the attempt is committed before its first byte leaves. None when another
    change of the same person is under way, which the database alone decides. Raises
    WritesStopped."""
    at = timezone.now()
    try:
        with transaction.atomic(durable=True):
            guards.check_writes_go_on()
            attempt = Attempt.objects.create(
                change=change,
                number=change.attempts.count() + 1,
                request_hash=change.payload_hash,
                started_at=at,
                deadline_at=at + settings.SEND_DEADLINE,
                lease_until=at + settings.ATTEMPT_LEASE,
            )
            _move(
                change,
                Status.IN_FLIGHT,
                event="change.sending",
                at=at,
                data={
                    "number": attempt.number,
                    "request_hash": attempt.request_hash,
                    "deadline_at": attempt.deadline_at.isoformat(),
                },
                next_run_at=None,
                problem="",
            )
    except IntegrityError:
        return None
    return attempt


def _take_answer(
    attempt: Attempt, change: StatusChange, kind: Kind[Any], result: SendResult
) -> None:
    """Step 7, and what is left of it when the attempt was given up meanwhile: nothing follows
    from a late answer but what a reading shows, and yet it was given. Raises Lost then."""
    try:
        _finish(attempt, change, kind, result)
    except Lost:
        action_log.record(
            "change.answered_late",
            actor=None,
            change=change,
            data=_about(change)
            | attempt.answer()
            | {"number": attempt.number, "request_hash": attempt.request_hash},
            private=responses.beside(result),
        )
        raise


def _finish(attempt: Attempt, change: StatusChange, kind: Kind[Any], result: SendResult) -> None:
    """Step 7: attempt, status, mirror and log in one transaction."""
    if result.outcome is Outcome.THROTTLED:
        remote.limiter().pause(kind.endpoint, max(1.0, result.reset_after_s or 1.0))
    with transaction.atomic(durable=True), differences.told_last():
        _write_answer(attempt, result)
        _after_answer(attempt, change, kind, result)


def _after_answer(
    attempt: Attempt, change: StatusChange, kind: Kind[Any], result: SendResult
) -> None:
    answer = attempt.answer() | {"number": attempt.number, "request_hash": attempt.request_hash}
    beside = responses.beside(result)
    if result.outcome is Outcome.APPLIED:
        record = kind.answered_record(result.data)
        if record is not None:
            kind.store(record, asked_at=attempt.finished_at or timezone.now())
        facts = kind.facts(record) if record is not None else None
        return _succeed(
            change, Via.ANSWER, facts=facts, data=answer, private=beside, uses_attempt=True
        )
    if result.outcome in BACKGROUND_OUTCOMES:
        return _try_later(attempt, change, result, answer)
    if result.outcome is Outcome.REJECTED and not _explained_by_earlier(attempt, result):
        return _fail(
            change,
            "feishu.refused",
            data=answer,
            private=beside,
            uses_attempt=True,
            feishu_code=result.code,
            feishu_msg=result.msg[:2000],
            log_id=result.log_id or "",
        )
    return _verify(change, attempt, data=answer, private=beside, uses_attempt=True)


def _explained_by_earlier(attempt: Attempt, result: SendResult) -> bool:
    """Step 9: "already done" after an attempt of unknown outcome may be our own doing."""
    endpoint = kind_named(attempt.change.kind).endpoint
    if not remote.outcomes.is_already(endpoint, result.code):
        return False
    return (
        attempt.change.attempts.filter(outcome=Outcome.UNKNOWN.value)
        .exclude(pk=attempt.pk)
        .exists()
    )


def _try_later(
    attempt: Attempt, change: StatusChange, result: SendResult, answer: dict[str, Any]
) -> None:
    problem, wait = _patience(attempt, result)
    next_run_at = timezone.now() + wait
    _move(
        change,
        Status.APPROVED,
        event="change.postponed",
        at=timezone.now(),
        data=answer | {"problem": problem, "next_run_at": next_run_at.isoformat()},
        private=responses.beside(result),
        next_run_at=next_run_at,
        problem=problem,
        log_id=result.log_id or "",
    )


def _patience(attempt: Attempt, result: SendResult) -> tuple[str, timedelta]:
    if result.outcome is Outcome.THROTTLED:
        wait_s = max(1.0, result.reset_after_s or 1.0) * (1 + random.random() * JITTER)  # noqa: S311
        return "feishu.throttled", timedelta(seconds=wait_s)
    if result.outcome is Outcome.NOT_SENT:
        return "feishu.not-sent", WAIT_AFTER_NOT_SENT
    previous = attempt.change.attempts.filter(number=attempt.number - 1).first()
    again = previous is not None and previous.outcome == Outcome.AUTH.value
    return "feishu.auth", WAIT_AFTER_SECOND_AUTH if again else timedelta(0)


def _write_answer(attempt: Attempt, result: SendResult) -> None:
    attempt.finished_at = timezone.now()
    attempt.outcome = result.outcome.value
    attempt.http_status = result.http_status
    attempt.feishu_code = result.code
    attempt.feishu_msg = result.msg[:2000]
    attempt.log_id = (result.log_id or "")[:128]
    attempt.problem = (result.problem or "")[:60]
    attempt.elapsed_ms = result.elapsed_ms
    keep_evidence = result.outcome in (Outcome.UNKNOWN, Outcome.REJECTED)
    attempt.evidence = result.evidence if keep_evidence else ""
    won = Attempt.objects.filter(pk=attempt.pk, finished_at=None).update(
        **{
            name: getattr(attempt, name)
            for name in (
                "finished_at", "outcome", "http_status", "feishu_code", "feishu_msg",
                "log_id", "problem", "elapsed_ms", "evidence",
            )
        }
    )  # fmt: skip
    if not won:
        raise Lost


def _finish_silent(attempt: Attempt, *, at: datetime) -> None:
    """The lease ran out: the worker died or hangs, and the request may have gone out."""
    with transaction.atomic(durable=True):
        won = Attempt.objects.filter(pk=attempt.pk, finished_at=None).update(
            finished_at=at, outcome=Outcome.UNKNOWN.value, problem="worker-gone"
        )
        if not won:
            raise Lost
        data = {"number": attempt.number, "request_hash": attempt.request_hash}
        _verify(
            attempt.change,
            attempt,
            data=data | {"outcome": Outcome.UNKNOWN.value},
            uses_attempt=True,
        )


# -- transitions --------------------------------------------------------------------------


def succeed(
    change: StatusChange, via: StatusChange.Via, *, facts: Mapping[str, Any] | None
) -> None:
    with transaction.atomic(durable=True):
        _succeed(change, via, facts=facts)


def fail(change: StatusChange, problem: str) -> None:
    with transaction.atomic(durable=True):
        _fail(change, problem)


def need_attention(
    change: StatusChange,
    problem: str,
    *,
    facts: Mapping[str, Any] | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Hand the change to a person, with what Feishu shows now."""
    observed = dict(facts) if facts is not None else None
    try:
        with transaction.atomic(durable=True):
            _move(
                change,
                Status.NEEDS_ATTENTION,
                event="change.needs_attention",
                at=timezone.now(),
                data={"problem": problem, "observed": _chained(change, observed)}
                | dict(data or {}),
                next_run_at=None,
                problem=problem,
                observed=observed,
            )
    except IntegrityError:
        postpone(change, "change.earlier-first", WAIT_FOR_EARLIER)


def postpone(
    change: StatusChange,
    problem: str,
    wait: timedelta,
    *,
    log_id: str | None = None,
    code: int | None = None,
) -> None:
    """Look again later. Not a transition; logged when the reason is a new one."""
    at = timezone.now()
    is_news = change.problem != problem
    with transaction.atomic(durable=True):
        won = StatusChange.objects.filter(
            pk=change.pk, status=change.status, version=change.version
        ).update(next_run_at=at + wait, problem=problem, log_id=(log_id or "")[:128])
        if won and is_news:
            data: dict[str, Any] = {"problem": problem, "next_run_at": (at + wait).isoformat()}
            data |= {"log_id": log_id} if log_id else {}
            data |= {"code": code} if code else {}
            action_log.record(
                "change.postponed", actor=None, at=at, change=change, data=_about(change) | data
            )
    change.problem = problem


def not_applied(change: StatusChange, facts: Mapping[str, Any]) -> None:
    """Settled: Feishu shows no effect on two reads apart, so it may be sent again."""
    at = timezone.now()
    with transaction.atomic(durable=True):
        _move(
            change,
            Status.APPROVED,
            event="change.not_applied",
            at=at,
            data={
                "observed": _chained(change, facts),
                "first_read_at": _moment(change.unapplied_read_at),
                "next_run_at": at.isoformat(),
            },
            next_run_at=at,
            problem="",
            verifying_since=None,
            unapplied_read_at=None,
            reads=0,
        )


def move(change: StatusChange, target: ChangeStatus, **kwargs: Any) -> None:
    """One transition with its log entry, in a transaction of its own."""
    with transaction.atomic(durable=True):
        _move(change, target, **kwargs)


def _succeed(
    change: StatusChange,
    via: StatusChange.Via,
    *,
    facts: Mapping[str, Any] | None,
    data: dict[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
    uses_attempt: bool = False,
) -> None:
    observed = dict(facts) if facts is not None else None
    answer = data or {}
    _move(
        change,
        Status.SUCCEEDED,
        event="change.succeeded",
        at=timezone.now(),
        data=answer | {"via": via.value, "observed": _chained(change, observed)},
        private=private,
        uses_attempt=uses_attempt,
        next_run_at=None,
        settled_via=via.value,
        problem="",
        observed=observed,
        log_id=str(answer.get("log_id") or change.log_id),
    )


def _fail(
    change: StatusChange,
    problem: str,
    *,
    data: dict[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
    uses_attempt: bool = False,
    **fields: Any,
) -> None:
    _move(
        change,
        Status.FAILED,
        event="change.failed",
        at=timezone.now(),
        data=(data or {}) | {"problem": problem},
        private=private,
        uses_attempt=uses_attempt,
        next_run_at=None,
        problem=problem,
        **fields,
    )


def _verify(
    change: StatusChange,
    attempt: Attempt,
    *,
    data: dict[str, Any],
    private: Mapping[str, str] | None = None,
    uses_attempt: bool,
) -> None:
    """Step 8: nobody knows; the first look comes when Feishu can no longer be at it."""
    at = timezone.now()
    endpoint = kind_named(change.kind).endpoint
    next_run_at = max(at, attempt.deadline_at + settings.SETTLE_AFTER[endpoint.name])
    _move(
        change,
        Status.VERIFYING,
        event="change.verifying",
        at=at,
        data=data | {"problem": "feishu.silent", "next_run_at": next_run_at.isoformat()},
        private=private,
        uses_attempt=uses_attempt,
        next_run_at=next_run_at,
        verifying_since=at,
        unapplied_read_at=None,
        reads=0,
        problem="feishu.silent",
        log_id=attempt.log_id,
    )


def _move(
    change: StatusChange,
    target: ChangeStatus,
    *,
    event: str,
    at: datetime,
    by: Who = Who.WORKER,
    actor: User | None = None,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
    uses_attempt: bool = False,
    **fields: Any,
) -> None:
    """Compare and set. Raises Lost when the change is not where it was thought to be."""
    current = ChangeStatus(change.status)
    if not may_move(current, target, by=by):
        raise Lost
    if target in FINAL_STATUSES:
        fields["finished_at"] = at
    if uses_attempt:
        fields["attempts_used"] = change.attempts_used + 1
    won = StatusChange.objects.filter(
        pk=change.pk, status=current.value, version=change.version
    ).update(status=target.value, version=F("version") + 1, **fields)
    if not won:
        raise Lost
    about = _about(change) | {"from": current.value, "to": target.value} | dict(data or {})
    change.status, change.version = target.value, change.version + 1
    for name, value in fields.items():
        setattr(change, name, value)
    if target is Status.SUCCEEDED:
        with differences.told_last():
            kind_named(change.kind).applied(change, at=at)
    # Last, because the end of the log is the last thing that any transaction locks.
    action_log.record(event, actor=actor, at=at, change=change, data=about, private=private)


def _chained(change: StatusChange, facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if facts is None else dict(kind_named(change.kind).chained(facts))


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


def _about(change: StatusChange) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "subject_id": change.subject_id,
        "payload_hash": change.payload_hash,
    }
