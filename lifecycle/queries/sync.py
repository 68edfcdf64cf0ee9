"""How old the mirror is, and what could not be read into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from lifecycle.models import SyncRun, UnreadableRecord

EMPLOYEES_SYNC = "employees"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """How old the employees on the screen are."""

    last_success_at: datetime | None
    is_stale: bool


def mirror_state(*, at: datetime) -> MirrorState:
    done = SyncRun.objects.filter(kind=EMPLOYEES_SYNC, state=SyncRun.State.DONE)
    last = done.order_by("-pk").values_list("finished_at", flat=True).first()
    return MirrorState(last, last is None or at - last > settings.MIRROR_STALE_AFTER)


def unreadable_records(*, limit: int = 50) -> list[UnreadableRecord]:
    return list(UnreadableRecord.objects.order_by("-last_seen_at")[:limit])
