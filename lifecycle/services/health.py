"""Whether the portal can do its work, told truthfully."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from lifecycle.models import WorkerBeat

OLDEST_BEAT = {"queue": timedelta(seconds=60), "sweeper": timedelta(seconds=120)}


@dataclass(frozen=True, slots=True)
class Check:
    """`detail`: what to tell whoever keeps the portal running; no personal data."""

    name: str
    ok: bool
    detail: str


def readiness() -> list[Check]:
    """Database, migrations, and the background work's proofs of progress."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return [Check("database", False, type(error).__name__)]
    return [Check("database", True, connection.vendor), _migrations(), *_beats()]


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
        checks.append(Check(name, age <= oldest, f"{int(age.total_seconds())} s ago"))
    return checks
