"""Records that Feishu no longer shows: taken off the lists, or held back for a person to decide.

Only employees can disappear: Hire forgets an employee who goes back to pre-hire. The other
kinds keep every record they ever had, in Feishu and here, so a short list of them removes
nothing. An employee counts as gone when two passes, some time apart, find none; and when a pass
misses more than can be believed, none of them does until somebody has decided.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lifecycle import action_log, mirror, policies
from lifecycle.errors.problems import NotAllowed, StepNotAllowed
from lifecycle.models import SyncCase, SyncRun, User
from lifecycle.policies import Capability

log = logging.getLogger(__name__)

# A second pass confirms what the first one found, when it began at least so much later.
CONFIRM_AFTER = timedelta(minutes=1)
# So few are believed whatever their share, as long as they are not most of all.
FEW = 5
SAMPLE = 10

Doubt, Decision = SyncCase.Doubt, SyncCase.Decision


def settle_missing_employees(run: SyncRun) -> None:
    """After a whole pass: those who are gone leave the lists, or a case is opened."""
    at = timezone.now()
    with transaction.atomic():
        present, missing = mirror.count_missing_employees()
        case = SyncCase.objects.select_for_update().filter(kind=run.kind, closed_at=None).first()
        doubt = doubt_about(present=present, missing=missing)
        if doubt and not _is_allowed(case, missing):
            _hold_back(run, case, doubt, present=present, missing=missing, at=at)
            return
        gone = mirror.take_missing_employees_off(before=run.started_at - CONFIRM_AFTER, at=at)
        if case is not None and (not doubt or gone == missing):
            _close(case, run, at=at)


def doubt_about(*, present: int, missing: int) -> SyncCase.Doubt | None:
    """What cannot be believed when so many of those we list are missing; None for nothing."""
    if missing and missing == present:
        return Doubt.EMPTY
    if missing * 2 > present:
        return Doubt.HALF
    if missing >= FEW and missing * 100 > present * settings.SYNC_MOST_GONE_PERCENT:
        return Doubt.SHARE
    return None


def decide_case(case: SyncCase, *, decision: str, acting_user: User, at: datetime) -> None:
    """A person's decision: "go_on" when it is right, so that the next pass may take them off, or
    "ignore" when the answer was wrong. Raises NotAllowed, StepNotAllowed.
    """
    if not policies.can(acting_user, Capability.START_SYNC):
        raise NotAllowed
    if decision not in (Decision.GO_ON, Decision.IGNORE):
        raise StepNotAllowed
    closed_at = at if decision == Decision.IGNORE else None
    with transaction.atomic():
        won = SyncCase.objects.filter(pk=case.pk, decision="", closed_at=None).update(
            decision=decision, decided_by=acting_user, decided_at=at, closed_at=closed_at
        )
        if not won:
            raise StepNotAllowed
        if decision == Decision.IGNORE:
            mirror.forget_missing_employees()
        event = "sync.case_ignored" if decision == Decision.IGNORE else "sync.case_accepted"
        action_log.record(event, actor=acting_user, at=at, data=_about(case))


def _is_allowed(case: SyncCase | None, missing: int) -> bool:
    """Somebody has said that so many are rightly missing; a few more may have left meanwhile."""
    return case is not None and case.decision == Decision.GO_ON and missing < case.missing + FEW


def _hold_back(
    run: SyncRun,
    case: SyncCase | None,
    doubt: SyncCase.Doubt,
    *,
    present: int,
    missing: int,
    at: datetime,
) -> None:
    seen = {
        "doubt": doubt,
        "present": present,
        "missing": missing,
        "sample": mirror.missing_people(limit=SAMPLE),
        "seen_at": at,
        "run": run,
    }
    if case is not None and case.is_undecided:
        SyncCase.objects.filter(pk=case.pk).update(**seen)
        return
    if case is not None:
        # More are missing than somebody has agreed to.
        SyncCase.objects.filter(pk=case.pk).update(closed_at=at)
    case = SyncCase.objects.create(kind=run.kind, opened_at=at, **seen)
    log.error("%s of %s records of %s are missing; none is removed", missing, present, run.kind)
    action_log.record("sync.case_opened", actor=None, at=at, data=_about(case))


def _close(case: SyncCase, run: SyncRun, *, at: datetime) -> None:
    """Carried out, or no longer true."""
    fields = {"closed_at": at, "run": run}
    if case.is_undecided:
        fields |= {"decision": Decision.PASSED, "decided_at": at}
        action_log.record("sync.case_passed", actor=None, at=at, data=_about(case))
    SyncCase.objects.filter(pk=case.pk).update(**fields)


def _about(case: SyncCase) -> dict[str, object]:
    return {
        "kind": case.kind,
        "case": case.pk,
        "run": case.run_id,
        "present": case.present,
        "missing": case.missing,
        "doubt": str(case.doubt),
    }
