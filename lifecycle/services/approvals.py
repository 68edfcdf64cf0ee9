"""Changes that somebody else has to agree to before they may be sent.

What is agreed to is one plan: the request and the facts it rests on, by their hashes. The facts
are read once more when somebody agrees; when they have changed, the change is void and has to be
asked for again.
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from lifecycle import policies, remote
from lifecycle.change_states import ChangeStatus
from lifecycle.changes import protocol
from lifecycle.changes.doorbell import ring
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.plan import image_hash
from lifecycle.errors.problems import (
    ApprovalRefused,
    ApprovalVoid,
    NotAllowed,
    StalePlan,
    StepNotAllowed,
)
from lifecycle.models import StatusChange, User
from lifecycle.services import changes as change_service
from lifecycle.services.changes import Seen

log = logging.getLogger(__name__)

REASON_LENGTH = 1000


def approve_change(
    change: StatusChange,
    *,
    payload_hash: str,
    pre_image_hash: str,
    acting_user: User,
    at: datetime,
) -> None:
    """Agree to the plan of these two hashes, as it was shown.

    Raises NotAllowed, ApprovalRefused for the requester, StepNotAllowed, StalePlan for other
    hashes than the change's, and ApprovalVoid when the change had to be given up instead.
    """
    _check_may_answer(change, acting_user)
    if (payload_hash, pre_image_hash) != (change.payload_hash, change.pre_image_hash):
        raise StalePlan
    problem = _is_void(change, at=at)
    try:
        if problem:
            protocol.expire(change, problem, acting_user=acting_user, at=at)
            raise ApprovalVoid(problem)
        with transaction.atomic():
            protocol.approve(change, acting_user=acting_user, at=at)
            if change.effective_at <= at:
                ring(change.pk)
    except protocol.Lost as error:
        raise StepNotAllowed from error


def reject_change(change: StatusChange, *, reason: str, acting_user: User, at: datetime) -> None:
    """Do not agree. Raises NotAllowed, ApprovalRefused, StepNotAllowed."""
    _check_may_answer(change, acting_user)
    reason = reason.strip()[:REASON_LENGTH]
    if not reason:
        raise ApprovalRefused("approval.reason-missing")
    try:
        with transaction.atomic():
            protocol.reject(change, reason=reason, acting_user=acting_user, at=at)
    except protocol.Lost as error:
        raise StepNotAllowed from error


def expire_overdue(at: datetime) -> int:
    """Give up what nobody has agreed to so long after its day; how many."""
    overdue = StatusChange.objects.filter(
        status=ChangeStatus.PENDING.value, effective_at__lt=_oldest_day(at)
    )
    count = 0
    for change in overdue[:200]:
        try:
            protocol.expire(change, "approval.too-late", at=at)
            count += 1
        except protocol.Lost:
            log.info("change %s was moved by somebody else", change.pk)
    return count


def _check_may_answer(change: StatusChange, acting_user: User) -> None:
    if not policies.can_approve(acting_user, change):
        own = change.is_pending and change.requested_by_id == acting_user.pk
        if own:
            raise ApprovalRefused("approval.own-request")
        if change.is_pending or not policies.may_approve_at_all(acting_user):
            raise NotAllowed
    if not change.is_pending:
        raise StepNotAllowed


def _is_void(change: StatusChange, *, at: datetime) -> str:
    """Why this change can no longer be agreed to; "" when it can.

    When Feishu gives no answer now, the mirror's facts count: the worker looks again before it
    sends, and sends nothing over other facts.
    """
    if change.effective_at < _oldest_day(at):
        return "approval.too-late"
    kind = kind_named(change.kind)
    record = kind.subject.find(change.subject_id)
    if record is None or change_service.refresh(kind, record) is Seen.MISSING:
        return "feishu.record-missing"
    facts = kind.facts(kind.known(record))
    if image_hash(facts) != change.pre_image_hash or not kind.is_legal(record):
        return "approval.facts-changed"
    return ""


def _oldest_day(at: datetime) -> datetime:
    """The start of the earliest tenant day whose changes may still be agreed to."""
    zone = remote.tenant_zone()
    day = at.astimezone(zone).date() - timedelta(days=settings.APPROVAL_DAYS)
    return datetime.combine(day, time(), tzinfo=zone)
