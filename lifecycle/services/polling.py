"""Which kinds are due to be read, and whether all of them or what may have changed.

Every kind has its minutes (POLL_MINUTES) and may be paused; somebody may want it now. Once a
night, at FULL_SYNC_HOUR, each kind is read as a whole, because Feishu cannot tell everything by
the time of an update, and only a whole pass shows what is no longer there.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import action_log, policies
from lifecycle.errors.problems import NotAllowed, NotFound
from lifecycle.models import SyncPlan, SyncRun, User
from lifecycle.policies import Capability
from lifecycle.services import sync

log = logging.getLogger(__name__)

# What HR waits for: read by itself, so that a long pass over the others holds nothing up.
OFTEN = ("pre_hires", "offboardings")
REST = tuple(name for name in sync.KINDS if name not in OFTEN)


@dataclass(frozen=True, slots=True)
class KindPlan:
    """When a kind is read next. `next_at` None: not before somebody says so."""

    kind: str
    minutes: int
    is_paused: bool
    is_wanted: bool
    next_at: datetime | None

    def is_due(self, at: datetime) -> bool:
        return self.next_at is not None and self.next_at <= at


def plans(*, at: datetime) -> dict[str, KindPlan]:
    """Every kind's; three queries."""
    said = {plan.kind: plan for plan in SyncPlan.objects.all()}
    newest = SyncRun.objects.values("kind").annotate(newest=Max("pk")).values("newest")
    last = {run.kind: run for run in SyncRun.objects.filter(pk__in=newest)}
    return {name: _plan(name, said.get(name), last.get(name), at) for name in sync.KINDS}


def poll(names: Collection[str], *, at: datetime) -> list[SyncRun]:
    """Read those of these kinds that are due, one after the other, unless another process is at
    one of them."""
    if _is_busy(names, at):
        return []
    found = plans(at=at)
    runs = [poll_kind(name) for name in names if found[name].is_due(at)]
    return [run for run in runs if run is not None]


def poll_kind(name: str) -> SyncRun | None:
    """One pass over one kind: the whole of it when that is due."""
    at = timezone.now()
    since = since_when(name, at=at)
    SyncPlan.objects.filter(kind=name, wanted_at__lte=at).update(wanted_at=None)
    return sync.sync_kind(name, since=since)


def since_when(name: str, *, at: datetime) -> datetime | None:
    """What the next pass has to read from; None for everything."""
    if SyncPlan.objects.filter(kind=name).exclude(wanted_at=None).exists():
        return None
    done = SyncRun.objects.filter(kind=name, state=SyncRun.State.DONE).order_by("-pk")
    whole = done.filter(since=None, started_at__gte=last_night(at))
    if not whole.exists():
        return None
    started_at = done.values_list("started_at", flat=True).first()
    return started_at - sync.CLOCKS_APART if started_at else None


def last_night(at: datetime) -> datetime:
    """The latest moment at which everything was due."""
    local = timezone.localtime(at)
    tonight = timezone.make_aware(datetime.combine(local.date(), time(settings.FULL_SYNC_HOUR)))
    return tonight if tonight <= at else tonight - timedelta(days=1)


# -- what people say ----------------------------------------------------------------------


@transaction.atomic
def request_kind(name: str, *, acting_user: User, at: datetime) -> None:
    """Read all of this kind now. Raises NotAllowed, NotFound."""
    _require(name, acting_user)
    SyncPlan.objects.update_or_create(kind=name, defaults={"wanted_at": at})
    action_log.record("sync.kind_requested", actor=acting_user, at=at, data={"kind": name})
    async_task("lifecycle.jobs.poll")


@transaction.atomic
def pause(name: str, *, is_paused: bool, acting_user: User, at: datetime) -> None:
    """Stop reading this kind by itself, or go on. Raises NotAllowed, NotFound."""
    _require(name, acting_user)
    plan, _ = SyncPlan.objects.select_for_update().get_or_create(kind=name)
    if plan.is_paused == is_paused:
        return
    plan.is_paused = is_paused
    plan.save(update_fields=["is_paused"])
    event = "sync.paused" if is_paused else "sync.resumed"
    action_log.record(event, actor=acting_user, at=at, data={"kind": name})


def _require(name: str, acting_user: User) -> None:
    if not policies.can(acting_user, Capability.START_SYNC):
        raise NotAllowed
    if name not in sync.KINDS:
        raise NotFound


# -- when ---------------------------------------------------------------------------------


def _plan(name: str, said: SyncPlan | None, last: SyncRun | None, at: datetime) -> KindPlan:
    minutes = settings.POLL_MINUTES[name]
    is_paused = said is not None and said.is_paused
    wanted_at = said.wanted_at if said is not None else None
    next_at = wanted_at
    if wanted_at is None and not is_paused:
        next_at = _next_at(last, timedelta(minutes=minutes), at)
    return KindPlan(name, minutes, is_paused, wanted_at is not None, next_at)


def _next_at(last: SyncRun | None, every: timedelta, at: datetime) -> datetime:
    """A run that was cut off is taken up as soon as its lease is over, one that failed is not
    asked for without a pause, however long ago it began."""
    if last is None:
        return at
    if last.state == SyncRun.State.RUNNING:
        return last.lease_until
    failed_at = last.finished_at if last.state == SyncRun.State.FAILED else None
    return (failed_at or last.started_at) + every


def _is_busy(names: Iterable[str], at: datetime) -> bool:
    running = SyncRun.objects.filter(kind__in=list(names), state=SyncRun.State.RUNNING)
    return running.filter(lease_until__gt=at).exists()
