"""What a person asks for: a plan, a status change, taking it back, deciding a doubtful one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum, auto
from typing import Any

from django.db import transaction
from django.utils import timezone

from lifecycle import policies, remote
from lifecycle.change_states import FINAL_STATUSES, ChangeStatus
from lifecycle.changes import guards, protocol
from lifecycle.changes.doorbell import ring
from lifecycle.changes.kinds import Facts, Kind, RecordMissing, kind_named
from lifecycle.changes.plan import Plan, make_plan
from lifecycle.errors.problems import (
    NOTICES,
    ChangeBlocked,
    InvalidValues,
    NotAllowed,
    StalePlan,
    StepNotAllowed,
    VerdictRefused,
)
from lifecycle.models import Person, StatusChange, User
from lifecycle.models.mirror import Mirrored
from lifecycle.policies import Someone

VERDICTS = {
    "applied": ChangeStatus.SUCCEEDED,
    "not_applied": ChangeStatus.FAILED,
    "look_again": ChangeStatus.VERIFYING,
}


def refreshed(kind: Kind[Any], record: Mirrored) -> None:
    """Bring the record up to date before a form that shows what Feishu holds now."""
    if kind.reads_first:
        refresh(kind, record, read=kind.read_for_form)


def plan_change(
    kind: Kind[Any],
    record: Mirrored,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    submission_key: str,
    at: datetime,
) -> Plan:
    """The plan, from facts read from Feishu just now; from the mirror when Feishu is silent. That
    it was shown, and what it said, is logged.

    `submission_key`: the one to submit the plan with. Raises NotAllowed, InvalidValues.
    """
    _check_allowed(kind, record, acting_user)
    seen = refresh(kind, record)
    plan = _plan(
        kind,
        record,
        values,
        key=submission_key,
        at=at,
        is_fresh=seen is not Seen.NOT_READ,
        is_missing=seen is Seen.MISSING,
    )
    if guards.is_above_limit(kind, acting_user, at=at):
        plan = plan.awaiting(NOTICES[guards.DAILY_LIMIT])
    protocol.note_plan(plan, acting_user=acting_user, at=at)
    return plan


def submit_change(
    kind: Kind[Any],
    record: Mirrored,
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
    _check_allowed(kind, record, acting_user)
    with transaction.atomic():
        # The person, because the records of one person share one order of changes.
        Person.objects.select_for_update(no_key=True).get(pk=record.person_id)
        record.refresh_from_db()
        # Under the lock, or the second of two clicks would be blocked by the first one.
        already = StatusChange.objects.filter(
            submission_key=submission_key, requested_by=acting_user
        ).first()
        if already is not None:
            return already
        plan = _plan(kind, record, values, key=submission_key, at=at, is_fresh=True)
        if (plan.pre_image_hash, plan.payload_hash) != (pre_image_hash, payload_hash):
            raise StalePlan
        if plan.is_blocked:
            raise ChangeBlocked(plan.blockers)
        awaits = ""
        if guards.count_confirmation(kind, acting_user, at=at):
            awaits = guards.DAILY_LIMIT
            plan = plan.awaiting(NOTICES[awaits])
        change = protocol.submit(
            plan,
            submission_key=submission_key,
            reason=str(values.get("reason") or ""),
            acting_user=acting_user,
            at=at,
            undo_of=undo_of or _undone_by(kind, record),
            awaits=awaits,
        )
        if change.next_run_at is not None and change.next_run_at <= at:
            ring(change.pk)
    return change


def undoable_change(kind: Kind[Any], record: Mirrored, pk: int) -> StatusChange | None:
    """The change of this number, when this verb on this record takes it back."""
    change = StatusChange.objects.filter(
        pk=pk, person_id=record.person_id, status=ChangeStatus.SUCCEEDED.value
    ).first()
    if change is None or kind_named(change.kind).inverse != kind.name or _is_taken_back(change):
        return None
    return change if kind_named(change.kind).undone_on(change) == record else None


def way_to_undo(change: StatusChange, user: Someone) -> tuple[Kind[Any], Mirrored] | None:
    """The verb and the record that take a finished change back, when this user may do it now."""
    if change.status != ChangeStatus.SUCCEEDED or _is_taken_back(change):
        return None
    kind = kind_named(change.kind)
    record = kind.undone_on(change) if kind.inverse else None
    if record is None or not kind_named(kind.inverse).is_legal(record):
        return None
    if not policies.can_request(user, kind.inverse, record):
        return None
    return kind_named(kind.inverse), record


def _is_taken_back(change: StatusChange) -> bool:
    """Whether another change has taken this one back, or is about to."""
    in_vain = [status.value for status in FINAL_STATUSES - {ChangeStatus.SUCCEEDED}]
    return change.undone_by.exclude(status__in=in_vain).exists()


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


def _check_allowed(kind: Kind[Any], record: Mirrored, acting_user: User) -> None:
    if not policies.can_request(acting_user, kind.name, record):
        raise NotAllowed().about(person_id=record.person_id)


def _plan(
    kind: Kind[Any],
    record: Mirrored,
    values: Mapping[str, Any],
    *,
    key: str,
    at: datetime,
    is_fresh: bool,
    is_missing: bool = False,
) -> Plan:
    try:
        return make_plan(
            kind, record, values, key=key, at=at, is_fresh=is_fresh, is_missing=is_missing
        )
    except remote.errors.InvalidCall as error:
        raise InvalidValues from error


class Seen(Enum):
    """What came of reading one record while somebody waits."""

    READ = auto()
    MISSING = auto()
    NOT_READ = auto()


def refresh(
    kind: Kind[Any],
    record: Mirrored,
    *,
    read: Callable[[str, remote.Client], Facts] | None = None,
    client: remote.Client | None = None,
) -> Seen:
    """Bring this one record up to date, if Feishu gives a usable answer in time.

    `read`: instead of the kind's own way of reading. `client`: one with another patience than
    a page has.
    """
    asked_at = timezone.now()
    try:
        payload = (read or kind.read)(record.feishu_id, client or remote.page_client())
    except RecordMissing:
        return Seen.MISSING
    except remote.errors.FeishuError:
        return Seen.NOT_READ
    kind.store(payload, asked_at=asked_at)
    record.refresh_from_db()
    return Seen.READ


def _undone_by(kind: Kind[Any], record: Mirrored) -> StatusChange | None:
    """The last change that this one takes back, when it was made here."""
    if not kind.is_undo:
        return None
    made = StatusChange.objects.filter(
        person_id=record.person_id, kind=kind.inverse, status=ChangeStatus.SUCCEEDED.value
    )
    inverse = kind_named(kind.inverse)
    # Somebody with two applications has two records of a kind.
    return next((c for c in made.order_by("-pk")[:10] if inverse.undone_on(c) == record), None)
