"""What the page of the portal's own health shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min

from lifecycle import change_states
from lifecycle.change_states import ChangeStatus
from lifecycle.models import ChangeCheck, EndpointGate, StatusChange


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Changes that are not at their end. `since`: of the oldest."""

    status: StatusChange.Status
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Pause:
    """An endpoint that waits because Feishu asked for it."""

    endpoint: str
    until: datetime


def changes_under_way() -> Sequence[UnderWay]:
    """By status, in the order in which a change goes through them; those of later days too."""
    open_ones = StatusChange.objects.exclude(
        status__in=[status.value for status in change_states.FINAL_STATUSES]
    )
    counted: dict[str, tuple[int, datetime | None]] = {
        status: (count, since)
        for status, count, since in open_ones.order_by()
        .values("status")
        .annotate(count=Count("pk"), since=Min("created_at"))
        .values_list("status", "count", "since")
    }
    return [
        UnderWay(StatusChange.Status(status.value), *counted.get(status.value, (0, None)))
        for status in ChangeStatus
        if status not in change_states.FINAL_STATUSES
    ]


def paused_endpoints(*, at: datetime) -> Sequence[Pause]:
    now_ms = int(at.timestamp() * 1000)
    gates = EndpointGate.objects.filter(paused_until_ms__gt=now_ms).order_by("key")
    return [
        Pause(gate.key, at + timedelta(milliseconds=gate.paused_until_ms - now_ms))
        for gate in gates
    ]


def change_checks(*, at: datetime) -> tuple[ChangeCheck | None, ChangeCheck | None]:
    """The last check that is over, and the one under way."""
    recent = list(ChangeCheck.objects.select_related("requested_by")[:5])
    last = next((check for check in recent if check.is_over), None)
    return last, next((check for check in recent if check.is_under_way(at=at)), None)
