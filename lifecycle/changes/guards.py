"""What holds a change back: the switch that stops all writes, and the daily limits.

The protocol asks the switch in the transaction that commits an attempt, and holds its row until
then: once a stop has been committed, no further attempt is. The daily limits are counted in the
transaction that writes the change down, on rows that are locked meanwhile: of two confirmations
at the same moment one sees the other.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from lifecycle import policies, remote
from lifecycle.changes import kinds
from lifecycle.changes.kinds import Kind
from lifecycle.errors.words import Words
from lifecycle.models import DailyCount, User, WritesSwitch

WRITES_STOPPED = "guard.writes-stopped"
DAILY_LIMIT = "guard.daily-limit"
CONFIRMED_BY_YOU = Words("您本人确认（所有操作合计）", "Confirmed by yourself, all kinds together")


class WritesStopped(Exception):
    """Nothing may be sent to Feishu now."""


# -- the switch ---------------------------------------------------------------------------


def present_stop() -> WritesSwitch | None:
    """The stop in force with who stopped it, None while writing goes on; one query."""
    stopped = WritesSwitch.objects.select_related("stopped_by").exclude(stopped_at=None)
    return stopped.filter(pk=1).first()


def locked_switch() -> WritesSwitch:
    """The switch, held until the end of the caller's transaction."""
    switch, _ = WritesSwitch.objects.select_for_update().get_or_create(pk=1)
    return switch


def check_writes_go_on() -> None:
    """For the transaction that commits an attempt. Raises WritesStopped."""
    if locked_switch().is_stopped:
        raise WritesStopped


# -- the daily limits ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Used:
    """How much of one daily limit is used up."""

    title: Words
    count: int
    limit: int

    @property
    def is_reached(self) -> bool:
        return self.count >= self.limit


def limit_of(kind_name: str) -> int:
    """How many changes of one verb a tenant day takes before a second person has to agree."""
    limit: int = settings.DAILY_LIMITS.get(kind_name, settings.DAILY_LIMIT_OTHER_VERBS)
    return limit


def is_above_limit(kind: Kind[Any], user: User, *, at: datetime) -> bool:
    """Whether one more confirmation now would need a second person; nothing is counted."""
    counts = _counts(_limits(kind, user), day=remote.tenant_day(at))
    return any(counts.get(name, 0) >= limit for name, limit in _limits(kind, user).items())


def count_confirmation(kind: Kind[Any], user: User | None, *, at: datetime) -> bool:
    """Count one more confirmation, in the caller's transaction; True when it is above a limit.

    Everything that is confirmed counts, whatever becomes of it. `user`: None for a rule of the
    portal.
    """
    is_above = False
    # Always in this order, so that two confirmations never wait for each other in a circle.
    for name, limit in _limits(kind, user).items():
        row, _ = DailyCount.objects.select_for_update().get_or_create(
            day=remote.tenant_day(at), name=name
        )
        is_above |= row.count >= limit
        row.count += 1
        row.save(update_fields=["count"])
    return is_above


def used_today(user: User, *, at: datetime) -> list[Used]:
    """The limits of this day and how much is used: each verb, then what this person has
    confirmed, if they may; one query."""
    names = {kind.name: f"verb:{kind.name}" for kind in kinds.ALL.values()}
    counts = _counts([*names.values(), f"user:{user.pk}"], day=remote.tenant_day(at))
    found = [
        Used(kind.title, counts.get(names[kind.name], 0), limit_of(kind.name))
        for kind in kinds.ALL.values()
    ]
    if policies.can(user, policies.Capability.ASK_FOR_CHANGE):
        own = counts.get(f"user:{user.pk}", 0)
        found.append(Used(CONFIRMED_BY_YOU, own, settings.DAILY_LIMIT_PER_REQUESTER))
    return found


def _limits(kind: Kind[Any], user: User | None) -> dict[str, int]:
    own = {f"user:{user.pk}": settings.DAILY_LIMIT_PER_REQUESTER} if user else {}
    return {f"verb:{kind.name}": limit_of(kind.name)} | own


def _counts(names: Iterable[str], *, day: date) -> dict[str, int]:
    return dict(DailyCount.objects.filter(day=day, name__in=names).values_list("name", "count"))
