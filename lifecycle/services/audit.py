"""What auditors do with the action log: have it checked, draw samples, review entries."""

from __future__ import annotations

import logging
import re
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import action_log, policies, queries
from lifecycle.errors.problems import (
    HoldInForce,
    InvalidValues,
    NotAllowed,
    NotFound,
)
from lifecycle.evidence import checkpoints, keys
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.keys import PublicKeys
from lifecycle.models import (
    ActionEntry,
    ActionLogHead,
    LegalHold,
    LogReview,
    LogSample,
    LogVerification,
    Person,
    SavedLogView,
    User,
)
from lifecycle.models.checks import LONGEST
from lifecycle.policies import Capability
from lifecycle.queries import Period
from lifecycle.services import messages, reasons
from lifecycle.transactions import whole

log = logging.getLogger(__name__)

# A large log takes minutes; the queue's own limit is for short jobs.
MOST_SECONDS = int(LONGEST.total_seconds())
MOST_NAME, MOST_QUERY, MOST_NOTE = 60, 1000, 2000
MOST_SAMPLE = 200
SEED = re.compile(r"[0-9A-Za-z_-]{1,60}")
State = LogVerification.State


# -- checkpoints --------------------------------------------------------------------------


def sign_checkpoints() -> int:
    """Sign what is due and bring it outside; the size of what was signed, 0 for nothing.

    A log that is not signed because something does not fit is written down as a check that
    found it, so that the page says so.
    """
    at = timezone.now()
    try:
        signed = checkpoints.sign_due(at)
    except keys.NoSigningKey:
        return 0
    except checkpoints.NotSigned as error:
        log.error("no checkpoint was signed: %s", error)
        _note_broken(error)
        return 0
    checkpoints.send_out(at)
    messages.post_checkpoint(at)
    return signed.size if signed else 0


def _note_broken(error: checkpoints.NotSigned) -> None:
    """Not at every try, but again after a check that found nothing. A person's check that did
    find something says more, so it stays."""
    found = {"bad_seq": error.seq, "bad_checkpoint": error.size, "fault": error.fault}
    last = LogVerification.objects.over().first()
    if last is not None and last.state == State.BROKEN:
        is_the_same = all(getattr(last, name) == said for name, said in found.items())
        if is_the_same or last.requested_by_id is not None:
            return
    at = timezone.now()
    check = LogVerification.objects.create(
        state=State.BROKEN,
        requested_at=at,
        started_at=at,
        finished_at=at,
        **found,
    )
    # Nothing can follow an end that was cut off; the row says it all the same.
    if ActionEntry.objects.filter(seq__in=ActionLogHead.objects.values("seq")).exists():
        _log_finding(check)


# -- the check ----------------------------------------------------------------------------


@transaction.atomic
def request_verification(*, is_full: bool, acting_user: User) -> LogVerification:
    """Have the log checked in the background; the check under way, when there is one."""
    if not policies.can(acting_user, Capability.VERIFY_LOG):
        raise NotAllowed
    # The lock lets only one of two clicks at the same moment begin a check.
    head = ActionLogHead.objects.select_for_update().filter(pk=1).first()
    at = timezone.now()
    running = LogVerification.objects.under_way(at=at).first()
    if running is not None:
        return running
    check = LogVerification.objects.create(
        is_full=is_full,
        requested_by=acting_user,
        requested_at=at,
        total=head.seq if head else 0,
    )
    action_log.record(
        "log.check_requested", actor=acting_user, data={"check": check.pk, "is_full": is_full}
    )
    async_task(
        "lifecycle.jobs.verify_log", check.pk, q_options={"timeout": MOST_SECONDS}, save=False
    )
    return check


def run_verification(check_id: int) -> str:
    """Do one check that waits; its state afterwards. Running it again changes nothing."""
    begun = LogVerification.objects.filter(pk=check_id, state=State.WAITING).update(
        state=State.RUNNING, started_at=timezone.now()
    )
    if not begun:
        return ""
    check = LogVerification.objects.get(pk=check_id)
    try:
        state, found = _verdict(check)
    except Exception:
        log.exception("the check of the action log broke off")
        _finish(check, state=State.FAILED)
        raise
    _finish(check, state=state, **found)
    return state.value


def _verdict(check: LogVerification) -> tuple[State, dict[str, Any]]:
    """How the check ended, and what there is to say about it."""
    known = keys.public_keys()
    directory = checkpoints.outside_directory()
    try:
        outside = len(checkpoints.exported_in(directory)) if directory else 0
        result = _verify_with_progress(check, known)
    except OSError:
        log.exception("the copies of checkpoints in LOG_CHECKPOINT_DIR cannot be read")
        return State.FAILED, {"fault": "outside-unreadable"}
    found = {
        "checked": result.checked,
        "checkpoints": result.checkpoints,
        "signatures_checked": result.signatures_checked,
        "outside": outside,
        "bad_seq": checkpoints.whole_number(result.bad_seq),
        "bad_checkpoint": checkpoints.whole_number(result.bad_checkpoint),
        "fault": result.fault,
    }
    if not result.is_whole:
        return State.BROKEN, found
    try:
        checkpoints.confirmed_newest()
    except checkpoints.NotSigned as error:
        found |= {"bad_seq": error.seq, "bad_checkpoint": error.size, "fault": error.fault}
        return State.BROKEN, found
    return State.WHOLE, found


def _verify_with_progress(check: LogVerification, known: PublicKeys) -> Verification:
    directory = checkpoints.outside_directory()
    result = Verification(0)
    steps = verify(full=check.is_full, directory=directory, public_keys=known)
    for number, result in enumerate(steps):
        if number % 50 == 0:
            LogVerification.objects.filter(pk=check.pk).update(checked=result.checked)
    return result


@transaction.atomic
def _finish(check: LogVerification, *, state: State, **found: Any) -> None:
    LogVerification.objects.filter(pk=check.pk).update(
        state=state, finished_at=timezone.now(), **found
    )
    check.refresh_from_db()
    _log_finding(check)


def _log_finding(check: LogVerification) -> None:
    action_log.record(
        "log.checked",
        actor=None,
        data={
            "check": check.pk,
            "state": str(check.state),
            "checked": check.checked,
            "signatures_checked": check.signatures_checked and check.checkpoints > 0,
            "outside": check.outside,
            "bad_seq": check.bad_seq,
            "bad_checkpoint": check.bad_checkpoint,
            "fault": check.fault,
        },
    )


# -- views and samples --------------------------------------------------------------------


def save_view(name: str, query: str, *, acting_user: User) -> None:
    """Keep a filter under a name; the same name is the same view. Raises InvalidValues."""
    name = name.strip()
    if not 1 <= len(name) <= MOST_NAME or len(query) > MOST_QUERY:
        raise InvalidValues
    SavedLogView.objects.update_or_create(user=acting_user, name=name, defaults={"query": query})


def remove_view(pk: int, *, acting_user: User) -> None:
    """One's own only."""
    SavedLogView.objects.filter(pk=pk, user=acting_user).delete()


@transaction.atomic
def draw_sample(seed: str, *, size: int, period: Period, acting_user: User) -> LogSample:
    """Draw entries of a period for review. Raises InvalidValues for a seed or a size that
    cannot be used and for a period without entries."""
    _require_reviewer(acting_user)
    bounds = queries.bounds_of(period)
    if not SEED.fullmatch(seed) or not 1 <= size <= MOST_SAMPLE or bounds is None:
        raise InvalidValues
    sample = LogSample.objects.create(
        seed=seed,
        size=size,
        since=period.since,
        until=period.until,
        first_seq=bounds[0],
        last_seq=bounds[1],
        drawn_by=acting_user,
        drawn_at=timezone.now(),
    )
    action_log.record(
        "log.sample_drawn",
        actor=acting_user,
        data={
            "sample": sample.pk,
            "seed": seed,
            "size": size,
            "first_seq": bounds[0],
            "last_seq": bounds[1],
        },
    )
    return sample


@transaction.atomic
def review_entry(
    sample: LogSample, seq: int, *, conclusion: str, note: str, acting_user: User
) -> None:
    """Write down what was concluded about one entry; a later conclusion replaces the earlier
    one on the page, and both stay in the log. Raises InvalidValues."""
    _require_reviewer(acting_user)
    note = note.strip()
    drawn = queries.draw(
        sample.seed, size=sample.size, first=sample.first_seq, last=sample.last_seq
    )
    needs_note = conclusion != LogReview.Conclusion.IN_ORDER
    is_known = conclusion in LogReview.Conclusion.values
    if seq not in drawn or not is_known or len(note) > MOST_NOTE or (needs_note and not note):
        raise InvalidValues
    LogReview.objects.update_or_create(
        sample=sample,
        seq=seq,
        defaults={
            "conclusion": conclusion,
            "note": note,
            "by": acting_user,
            "at": timezone.now(),
        },
    )
    action_log.record(
        "log.reviewed",
        actor=acting_user,
        data={"sample": sample.pk, "entry": seq, "conclusion": conclusion},
        private={"note": note} if note else {},
    )


def _require_reviewer(user: User) -> None:
    if not policies.can(user, Capability.REVIEW_LOG):
        raise NotAllowed


# -- retention ----------------------------------------------------------------------------


def erase_overdue() -> int:
    """Erase private values older than LOG_PRIVATE_RETENTION_DAYS, but of nobody under a legal
    hold; how many. 0 days: nothing is ever erased."""
    days = settings.LOG_PRIVATE_RETENTION_DAYS
    if not days:
        return 0
    return action_log.erase_private(before=timezone.now() - timedelta(days=days), days=days)


@whole
def erase_person(person_id: int, *, reason: str, acting_user: User | None) -> int:
    """Erase what the log keeps of this person beside its chain, whatever its age; how much.

    `acting_user`: None for whoever is at the command line. Raises NotAllowed, NotFound,
    InvalidValues without a reason, HoldInForce under a legal hold.
    """
    if acting_user is not None:
        _require_reviewer(acting_user)
    reason = reason.strip()
    if not 2 <= len(reason) <= MOST_NOTE:
        raise InvalidValues
    # A hold of this person is placed before or after all of it, not in between.
    person = Person.objects.select_for_update().filter(pk=person_id).first()
    if person is None:
        raise NotFound
    if person.pk in action_log.people_under_hold():
        raise HoldInForce
    return action_log.erase_person(person, reason=reason, actor=acting_user)


@transaction.atomic
def place_hold(person: Person, *, reason: str, acting_user: User) -> LegalHold:
    """Keep what the log holds of this person from being erased; a hold in force stays as it
    is. Raises InvalidValues without a reason."""
    _require_reviewer(acting_user)
    reason = reason.strip()
    if not 2 <= len(reason) <= MOST_NOTE:
        raise InvalidValues
    hold, is_new = LegalHold.objects.get_or_create(
        person=person,
        released_at=None,
        defaults={"reason": reason, "by": acting_user, "at": timezone.now()},
    )
    if is_new:
        action_log.record(
            "log.hold_placed",
            actor=acting_user,
            person=person,
            data={"hold": hold.pk},
            private={"reason": reason},
        )
    return hold


@transaction.atomic
def release_hold(hold: LegalHold, *, reason: str, acting_user: User) -> bool:
    """False when it was released already. Raises NotAllowed, ReasonMissing.

    With it goes what the log alone still counts as a hold of this person, because its row was
    changed or removed by another hand.
    """
    _require_reviewer(acting_user)
    reason = reasons.given(reason)
    released = LegalHold.objects.filter(pk=hold.pk, released_at=None).update(
        released_at=timezone.now(), released_by=acting_user
    )
    rows = LegalHold.objects.filter(person=hold.person, released_at=None)
    in_force = set(rows.values_list("pk", flat=True))
    by_log = {pk for pk, person in action_log.holds_in_the_log() if person == hold.person_id}
    numbers = (by_log - in_force) | ({hold.pk} if released else set())
    for number in sorted(numbers):
        action_log.record(
            "log.hold_released",
            actor=acting_user,
            person=hold.person,
            data={"hold": number},
            private={"reason": reason},
        )
    return bool(numbers)
