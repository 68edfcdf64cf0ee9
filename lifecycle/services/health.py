"""Whether the portal can do its work, told truthfully."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from lifecycle.models import WorkerBeat

OLDEST_BEAT = {"queue": timedelta(seconds=60), "sweeper": timedelta(seconds=120)}


@dataclass(frozen=True, slots=True)
class Check:
    """`detail`: what to tell whoever keeps the portal running; no personal data. `seen_at`: the
    last sign of life of a part that gives one."""

    name: str
    ok: bool
    detail: str
    seen_at: datetime | None = None


def readiness() -> list[Check]:
    """Database, migrations, and the background work's proofs of progress. A database that goes
    away halfway is away."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return [Check("database", True, connection.vendor), _migrations(), *_beats()]
    except Error as error:
        return [Check("database", False, type(error).__name__)]


def _migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return Check("migrations", not missing, f"{len(missing)} to apply")


def _beats() -> list[Check]:
    beats = dict(WorkerBeat.objects.values_list("name", "beat_at"))
    now = timezone.now()
    checks = []
    for name, oldest in OLDEST_BEAT.items():
        beat_at = beats.get(name)
        if beat_at is None:
            checks.append(Check(name, False, "never seen"))
            continue
        age = now - beat_at
        detail = f"{int(age.total_seconds())} s ago"
        checks.append(Check(name, age <= oldest, detail, seen_at=beat_at))
    return checks
