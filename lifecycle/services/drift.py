"""Cases of records that contradict each other: opened and closed in bulk, taken by people."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from lifecycle import action_log, policies, rules
from lifecycle.errors.problems import NotAllowed, ReasonMissing, StepNotAllowed
from lifecycle.models import DriftCase, Person, SyncRun, User
from lifecycle.policies import Capability
from lifecycle.queries.drift import states_of

State = DriftCase.State
CHUNK = 500
LONGEST_REASON = 500
# Without these the records of a person cannot be compared.
NEEDED = ("applications", "employees", "employments", "offboardings", "pre_hires")


def tend(at: datetime) -> int:
    """Look at everybody: open what is new, close what is gone; how many cases are open.

    Nothing is concluded before each kind has been read to the end once.
    """
    done = SyncRun.objects.filter(kind__in=NEEDED, state=SyncRun.State.DONE)
    if done.values("kind").distinct().count() < len(NEEDED):
        return 0
    last = 0
    people = Person.objects.order_by("pk").values_list("pk", flat=True)
    while chunk := list(people.filter(pk__gt=last)[:CHUNK]):
        _tend(chunk, at=at)
        last = chunk[-1]
    return DriftCase.objects.filter(state=State.OPEN).count()


@transaction.atomic
def _tend(person_ids: list[int], *, at: datetime) -> None:
    found = {
        (pk, rule.value): fingerprint
        for pk, state in states_of(person_ids, today=timezone.localdate(at)).items()
        for rule, fingerprint in rules.drifts(state).items()
    }
    cases = DriftCase.objects.filter(person_id__in=person_ids)
    known = {(case.person_id, case.rule): case for case in cases.filter(state=State.OPEN)}
    dismissed = set(
        cases.filter(state=State.DISMISSED).values_list("person_id", "rule", "fingerprint")
    )
    over = [case.pk for key, case in known.items() if key not in found]
    DriftCase.objects.filter(pk__in=over, state=State.OPEN).update(
        state=State.RESOLVED, closed_at=at
    )
    moved = [
        case for key, case in known.items() if found.get(key, case.fingerprint) != case.fingerprint
    ]
    for case in moved:
        case.fingerprint = found[case.person_id, case.rule]
    DriftCase.objects.bulk_update(moved, ["fingerprint"])
    DriftCase.objects.bulk_create(
        [
            DriftCase(person_id=pk, rule=rule, fingerprint=fingerprint, opened_at=at)
            for (pk, rule), fingerprint in found.items()
            if (pk, rule) not in known and (pk, rule, fingerprint) not in dismissed
        ],
        ignore_conflicts=True,
    )


# -- what people do -----------------------------------------------------------------------


def take(case: DriftCase, *, acting_user: User, at: datetime) -> None:
    """This user looks after it, whoever did before. Raises NotAllowed, and StepNotAllowed when it
    is closed."""
    _require(acting_user)
    with transaction.atomic():
        now = DriftCase.objects.select_for_update().filter(pk=case.pk, state=State.OPEN).first()
        if now is None:
            raise StepNotAllowed
        if now.owner_id == acting_user.pk:
            return
        DriftCase.objects.filter(pk=case.pk).update(owner=acting_user)
        _record("drift.taken", case, acting_user, at, was=now.owner_id)


def dismiss(case: DriftCase, *, reason: str, acting_user: User, at: datetime) -> None:
    """It is right as it is, as long as the records say the same. Raises NotAllowed,
    ReasonMissing, and StepNotAllowed when it is closed."""
    _require(acting_user)
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise ReasonMissing
    with transaction.atomic():
        won = DriftCase.objects.filter(pk=case.pk, state=State.OPEN).update(
            state=State.DISMISSED, closed_at=at, closed_by=acting_user, reason=reason
        )
        if not won:
            raise StepNotAllowed
        _record("drift.dismissed", case, acting_user, at, private={"reason": reason})


def _require(acting_user: User) -> None:
    if not policies.can(acting_user, Capability.SETTLE_DRIFT):
        raise NotAllowed


def _record(
    event: str,
    case: DriftCase,
    acting_user: User,
    at: datetime,
    *,
    private: dict[str, str] | None = None,
    was: int | None = None,
) -> None:
    action_log.record(
        event,
        actor=acting_user,
        at=at,
        person=case.person,
        data={"case": case.pk, "rule": case.rule} | ({"was": was} if was else {}),
        private=private,
    )
