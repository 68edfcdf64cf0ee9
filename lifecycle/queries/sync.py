"""How old the mirror is, and what could not be read into it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Max, Subquery

from lifecycle import policies
from lifecycle.models import SyncCase, SyncRun, UnreadableRecord
from lifecycle.policies import Someone

EMPLOYEES_SYNC = "employees"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """How old the records on the screen are. `has_failed`: the latest pass did."""

    last_success_at: datetime | None
    is_stale: bool
    has_failed: bool = False


def mirror_state(kind: str = EMPLOYEES_SYNC, *, at: datetime) -> MirrorState:
    """How old our copy of this kind of record is; one query."""
    runs = SyncRun.objects.filter(kind=kind).order_by("-pk")
    success = Subquery(runs.filter(state=SyncRun.State.DONE).values("finished_at")[:1])
    ended = runs.exclude(state=SyncRun.State.RUNNING).annotate(success=success)
    state, last = ended.values_list("state", "success").first() or ("", None)
    return MirrorState(
        last,
        is_stale=last is None or at - last > settings.MIRROR_STALE_AFTER,
        has_failed=state == SyncRun.State.FAILED,
    )


def oldest_mirror_state(kinds: Collection[str], *, at: datetime) -> MirrorState:
    """That of the kind which has waited the longest; `has_failed` when one of them did. Two
    queries, however many kinds."""
    runs = SyncRun.objects.filter(kind__in=kinds).order_by()
    done = runs.filter(state=SyncRun.State.DONE)
    successes = dict(done.values_list("kind").annotate(Max("finished_at")))
    ended = runs.exclude(state=SyncRun.State.RUNNING)
    newest = ended.values("kind").annotate(newest=Max("pk")).values("newest")
    has_failed = SyncRun.objects.filter(pk__in=newest, state=SyncRun.State.FAILED).exists()
    oldest = min(successes.values()) if len(successes) == len(set(kinds)) else None
    return MirrorState(
        oldest,
        is_stale=oldest is None or at - oldest > settings.MIRROR_STALE_AFTER,
        has_failed=has_failed,
    )


@dataclass(frozen=True, slots=True)
class ShownCase:
    """A case with the names of some of the missing, as far as this user may see them."""

    case: SyncCase
    names: list[str]


def open_sync_cases(user: Someone) -> list[ShownCase]:
    """What a sync has held back; two queries, or one when there is nothing."""
    cases = list(SyncCase.objects.select_related("decided_by").filter(closed_at=None))
    wanted = {pk for case in cases for pk in case.sample}
    names: dict[int, str] = {}
    if wanted:
        people = policies.visible_people(user).filter(pk__in=wanted)
        names = dict(people.values_list("pk", "name"))
    return [ShownCase(case, [names[pk] for pk in case.sample if pk in names]) for case in cases]


def unreadable_records(*, limit: int = 50) -> list[UnreadableRecord]:
    return list(UnreadableRecord.objects.order_by("-last_seen_at")[:limit])
