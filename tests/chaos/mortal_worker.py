# ruff: noqa: E402 - Django is set up before anything of it is imported.
"""A worker beside the others that takes due work in a child of its own, which dies at one of
the boundaries between two steps: `python -m tests.chaos.mortal_worker SEED`.

Where a verb has died least is where it dies next, as far as there is work of that kind.
"""

from __future__ import annotations

import os
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")

import django

django.setup()

from django.db import DatabaseError, connections
from django.db.models import Q
from django.utils import timezone

from lifecycle import jobs
from lifecycle.changes import protocol
from lifecycle.models import Attempt, StatusChange
from tests.chaos.boundaries import Deaths, dying_at, rarest

LOOKS_EVERY_S = 0.05
# Two workers of the usual kind want work too: what was struck so often waits for so long.
RESTS_S = {0: 0.0, 1: 0.3}
RESTS_LONGER_S = 1.5


@dataclass(frozen=True)
class Work:
    """`key`: the boundary. `times`: how often it was struck before."""

    key: str
    times: int
    do: Callable[[], Any]


def main(seed: str) -> None:
    chance, deaths = random.Random(seed), Deaths(Path(os.environ["CHAOS_DEATHS"]))
    while True:
        try:
            work = find_work(deaths.count(), chance)
        except DatabaseError:
            connections.close_all()
            work = None
        if work is None:
            time.sleep(LOOKS_EVERY_S)
            continue
        in_a_child(work, deaths)
        time.sleep(RESTS_S.get(work.times, RESTS_LONGER_S))


def find_work(deaths: Counter[str], chance: random.Random) -> Work | None:
    """Of what is due, that which would die where nothing has died yet."""
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    due = StatusChange.objects.filter(
        free, status__in=("approved", "verifying"), next_run_at__lte=now
    )
    changes = due.order_by("pk").values_list("pk", "kind", "status")[:40]
    found = [
        Work(
            *rarest("settle" if status == "verifying" else "send", kind, deaths, chance),
            lambda pk=pk: jobs.run_change(pk),
        )
        for pk, kind, status in changes
    ]
    gone = Attempt.objects.filter(finished_at=None, lease_until__lte=now)
    verb = gone.order_by("pk").values_list("change__kind", flat=True).first()
    if verb is not None:
        found.append(
            Work(*rarest("lease", verb, deaths, chance), lambda: protocol.expire_leases(now))
        )
    return min(found, key=lambda work: (work.times, chance.random()), default=None)


def in_a_child(work: Work, deaths: Deaths) -> None:
    # A child must not speak on its parent's connection.
    connections.close_all()
    pid = os.fork()
    if pid == 0:
        try:
            with dying_at(work.key, deaths):
                work.do()
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


if __name__ == "__main__":
    main(sys.argv[1])
