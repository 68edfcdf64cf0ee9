"""The portal's check of its own promises: every change against its attempts and the log."""

from __future__ import annotations

import logging
from dataclasses import asdict
from itertools import islice

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import action_log, policies
from lifecycle.changes import invariants
from lifecycle.errors.problems import NotAllowed
from lifecycle.models import ChangeCheck, StatusChange, User
from lifecycle.models.checks import LONGEST
from lifecycle.policies import Capability

log = logging.getLogger(__name__)

State = ChangeCheck.State

MOST_SHOWN = 20
MOST_SECONDS = int(LONGEST.total_seconds())
KEPT_CHECKS = 60


@transaction.atomic
def request(*, acting_user: User) -> ChangeCheck:
    """Have all changes checked in the background; the check under way, when there is one.
    Raises NotAllowed."""
    if not policies.can(acting_user, Capability.SEE_SYNC):
        raise NotAllowed
    at = timezone.now()
    running = ChangeCheck.objects.under_way(at=at).first()
    if running is not None:
        return running
    check = ChangeCheck.objects.create(requested_by=acting_user, requested_at=at)
    action_log.record("changes.check_requested", actor=acting_user, at=at, data={"check": check.pk})
    async_task(
        "lifecycle.jobs.check_changes", check.pk, q_options={"timeout": MOST_SECONDS}, save=False
    )
    return check


def run(check_id: int | None = None) -> str:
    """Do the check that waits, or one of the portal's own when `check_id` is None; its state
    afterwards. Running the same one again changes nothing."""
    if check_id is None:
        check_id = ChangeCheck.objects.create(requested_at=timezone.now()).pk
    begun = ChangeCheck.objects.filter(pk=check_id, state=State.WAITING)
    if not begun.update(state=State.RUNNING):
        return ""
    try:
        found = list(islice(invariants.violations(), MOST_SHOWN + 1))
    except Exception:
        ChangeCheck.objects.filter(pk=check_id).update(
            state=State.FAILED, finished_at=timezone.now()
        )
        raise
    return _finish(check_id, found)


@transaction.atomic
def _finish(check_id: int, found: list[invariants.Violation]) -> str:
    at, state = timezone.now(), State.BROKEN if found else State.KEPT
    changes = StatusChange.objects.count()
    ChangeCheck.objects.filter(pk=check_id).update(
        state=state,
        finished_at=at,
        changes=changes,
        violations=[asdict(violation) for violation in found[:MOST_SHOWN]],
        has_more=len(found) > MOST_SHOWN,
    )
    action_log.record(
        "changes.checked",
        actor=None,
        at=at,
        data={
            "check": check_id,
            "state": state.value,
            "changes": changes,
            "violations": len(found),
        },
    )
    if found:
        log.error("%s status changes break a promise of the protocol", len(found))
    old = ChangeCheck.objects.order_by("-pk").values_list("pk", flat=True)[KEPT_CHECKS:]
    ChangeCheck.objects.filter(pk__in=list(old)).delete()
    return state.value
