"""How old the mirror is, and what could not be read into it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Subquery

from lifecycle.models import SyncRun, UnreadableRecord

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


def unreadable_records(*, limit: int = 50) -> list[UnreadableRecord]:
    return list(UnreadableRecord.objects.order_by("-last_seen_at")[:limit])
