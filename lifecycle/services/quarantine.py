"""Records that Feishu no longer shows: taken off the lists, or held back for a person to decide.

Employees, pre-hires and offboardings can disappear: Hire forgets an employee who goes back to
pre-hire, and CoreHR's console deletes. The other kinds keep every record they ever had, in Feishu
and here, so a short list of them removes nothing. A record counts as gone when two whole passes,
some time apart, find none; and when a pass misses more than can be believed, none of them does
until somebody has decided.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lifecycle import action_log, mirror, policies
from lifecycle.errors.problems import NotAllowed, StepNotAllowed
from lifecycle.models import (
    Application,
    Employee,
    Offboarding,
    PreHire,
    SyncCase,
    SyncRun,
    Talent,
    User,
)
from lifecycle.models.mirror import Mirrored, Vanishing
from lifecycle.policies import Capability
from lifecycle.services import reasons

log = logging.getLogger(__name__)

# A second pass confirms what the first one found, when it began at least so much later.
CONFIRM_AFTER = timedelta(minutes=1)
# So few are believed whatever their share, as long as they are not most of all.
FEW = 5
SAMPLE = 10

VANISHING: dict[str, type[Vanishing]] = {
    "employees": Employee,
    "pre_hires": PreHire,
    "offboardings": Offboarding,
}
# Kinds whose lists tell whether they are of this company.
KNOWN: dict[str, type[Mirrored]] = {
    "talents": Talent,
    "applications": Application,
    "pre_hires": PreHire,
    "offboardings": Offboarding,
}
Doubt, Decision = SyncCase.Doubt, SyncCase.Decision


def settle_missing(run: SyncRun) -> None:
    """After a pass: those who are gone leave the lists, or a case is opened."""
    model, at = VANISHING[run.kind], timezone.now()
    with transaction.atomic():
        present, missing = mirror.count_missing(model)
        case = SyncCase.objects.select_for_update().filter(kind=run.kind, closed_at=None).first()
        doubt = doubt_about(present=present, missing=missing)
        if doubt and not _is_allowed(case, missing):
            _hold_back(run, model, case, doubt, present=present, missing=missing, at=at)
            return
        gone = mirror.take_missing_off(model, before=run.started_at - CONFIRM_AFTER, at=at)
        if case is not None and (not doubt or gone == missing):
            _close(case, run, at=at)


class NobodyKnown(Exception):
    """A list of Feishu's shows none of the records we know."""

    def __init__(self, found: int) -> None:
        super().__init__(f"{found} records, none of them known")
        self.found = found


@transaction.atomic
def hold_foreign(run: SyncRun, *, found: int) -> None:
    """A whole pass found only records nobody knows: nothing is stored, a person decides."""
    at = timezone.now()
    present = KNOWN[run.kind]._base_manager.count()
    case = SyncCase.objects.select_for_update().filter(kind=run.kind, closed_at=None).first()
    sizes = {"present": present, "missing": present}
    _open_or_renew(run, case, {"doubt": Doubt.FOREIGN, "sample": [], **sizes}, at=at)
    log.error("a list of %s shows %s records and none we know", run.kind, found)


def is_allowed_foreign(run: SyncRun) -> bool:
    """Somebody has said that a list without a known record is right."""
    return SyncCase.objects.filter(
        kind=run.kind, closed_at=None, doubt=Doubt.FOREIGN, decision=Decision.GO_ON
    ).exists()


@transaction.atomic
def close_foreign(run: SyncRun) -> None:
    """A whole pass was stored: what had been held back is carried out or no longer true."""
    at = timezone.now()
    cases = SyncCase.objects.select_for_update().filter(kind=run.kind, closed_at=None)
    case = cases.filter(doubt=Doubt.FOREIGN).first()
    if case is not None:
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


def decide_case(
    case: SyncCase, *, decision: str, reason: str, acting_user: User, at: datetime
) -> None:
    """A person's decision: "go_on" when it is right, so that the next pass may take them off, or
    "ignore" when the answer was wrong. Raises NotAllowed, StepNotAllowed, ReasonMissing.
    """
    if not policies.can(acting_user, Capability.START_SYNC):
        raise NotAllowed
    if decision not in (Decision.GO_ON, Decision.IGNORE):
        raise StepNotAllowed
    private = {"reason": reasons.given(reason)}
    closed_at = at if decision == Decision.IGNORE else None
    with transaction.atomic():
        won = SyncCase.objects.filter(pk=case.pk, decision="", closed_at=None).update(
            decision=decision, decided_by=acting_user, decided_at=at, closed_at=closed_at
        )
        if not won:
            raise StepNotAllowed
        if decision == Decision.IGNORE:
            _forget(case)
        event = "sync.case_ignored" if decision == Decision.IGNORE else "sync.case_accepted"
        action_log.record(event, actor=acting_user, at=at, data=_about(case), private=private)


def _forget(case: SyncCase) -> None:
    if case.doubt != Doubt.FOREIGN:
        mirror.forget_missing(VANISHING[case.kind])


def _is_allowed(case: SyncCase | None, missing: int) -> bool:
    """Somebody has said that so many are rightly missing; a few more may have left meanwhile."""
    return case is not None and case.decision == Decision.GO_ON and missing < case.missing + FEW


def _hold_back(
    run: SyncRun,
    model: type[Vanishing],
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
        "sample": mirror.missing_people(model, limit=SAMPLE),
    }
    _open_or_renew(run, case, seen, at=at)
    log.error("%s of %s records of %s are missing; none is removed", missing, present, run.kind)


def _open_or_renew(
    run: SyncRun, case: SyncCase | None, seen: dict[str, object], *, at: datetime
) -> None:
    seen |= {"seen_at": at, "run": run}
    if case is not None and case.is_undecided:
        SyncCase.objects.filter(pk=case.pk).update(**seen)
        return
    if case is not None:
        # More are missing than somebody has agreed to.
        SyncCase.objects.filter(pk=case.pk).update(closed_at=at)
    case = SyncCase.objects.create(kind=run.kind, opened_at=at, **seen)
    action_log.record("sync.case_opened", actor=None, at=at, data=_about(case))


def _close(case: SyncCase, run: SyncRun, *, at: datetime) -> None:
    """Carried out, or no longer true. In the caller's transaction, the case locked."""
    fields = {"closed_at": at, "run": run}
    if case.is_undecided:
        fields |= {"decision": Decision.PASSED, "decided_at": at}
    SyncCase.objects.filter(pk=case.pk).update(**fields)
    if case.is_undecided:
        action_log.record("sync.case_passed", actor=None, at=at, data=_about(case))


def _about(case: SyncCase) -> dict[str, object]:
    return {
        "kind": case.kind,
        "case": case.pk,
        "run": case.run_id,
        "present": case.present,
        "missing": case.missing,
        "doubt": str(case.doubt),
    }
