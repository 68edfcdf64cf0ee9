# ruff: noqa: E402, T201 - Django is set up before anything of it is imported.
"""What a process of the portal does or says for a chaos run: `python -m tests.chaos.inside ...`.

As tests/processes/inside.py: plain JSON in and out, the portal's own code, unchanged.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db.models import Q
from django.utils import timezone

from lifecycle import remote
from lifecycle.changes.kinds import ALL, RecordMissing, kind_named
from lifecycle.models import Role, StatusChange, SyncRun, User
from lifecycle.services import sync
from tests.chaos.browser import PASSWORD
from tests.processes import inside as one_process


def prepare(users: list[str]) -> list[str]:
    """A migrated database with the whole mirror, and these people of HR; the verbs there are."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    sync.sync_all()
    for username in users:
        User.objects.create_user(username, password=PASSWORD, role=Role.HR)
    return list(ALL)


def addresses() -> dict[str, dict[str, int]]:
    """Feishu's id to the number in our addresses, by the first part of the address."""
    return {
        subject.path: dict(subject.model._default_manager.values_list("feishu_id", "pk"))
        for subject in {kind.subject.path: kind.subject for kind in ALL.values()}.values()
    }


def unsettled() -> list[list[Any]]:
    """What is due and neither at its end nor with a person."""
    waiting = Q(status="approved", effective_at__lte=timezone.now())
    under_way = Q(status__in=("in_flight", "verifying"))
    changes = StatusChange.objects.filter(waiting | under_way).order_by("pk")
    return [list(row) for row in changes.values_list("pk", "kind", "status", "problem")]


def wait_until_settled(seconds: float) -> list[list[Any]]:
    end = time.monotonic() + seconds
    while (left := unsettled()) and time.monotonic() < end:
        time.sleep(0.5)
    return left


def minutes_pass() -> int:
    """A pass of the sync that was killed is taken over only when its lease is over."""
    running = SyncRun.objects.filter(state=SyncRun.State.RUNNING)
    return int(running.update(lease_until=timezone.now()))


def submit_conversions(count: int) -> int:
    """As many people as there are, confirmed one after the other."""
    return len(one_process.submit_all(one_process.plans(0, count)))


def report() -> list[dict[str, Any]]:
    changes = StatusChange.objects.order_by("pk").prefetch_related("attempts")
    return [
        {
            "id": change.pk,
            "key": str(change.submission_key),
            "kind": change.kind,
            "subject": change.subject_id,
            "status": change.status,
            "via": change.settled_via,
            "problem": change.problem,
            "payload": json.loads(change.payload),
            "payload_hash": change.payload_hash,
            "call": _as_sent(change.payload),
            "attempts": [
                {
                    "number": attempt.number,
                    "hash": attempt.request_hash,
                    "outcome": attempt.outcome,
                    "started_ms": attempt.started_at.timestamp() * 1000,
                    "deadline_ms": attempt.deadline_at.timestamp() * 1000,
                }
                for attempt in change.attempts.all()
            ],
        }
        for change in changes
    ]


def _as_sent(payload: str) -> dict[str, Any]:
    call = remote.Call.from_canonical(payload)
    return {"method": call.endpoint.method, "path": call.path, "query": call.query}


def differences() -> list[str]:
    """Records whose copy here is not what Feishu holds now, as each verb sees them: all that a
    change was about, and one verb's view of all others."""
    seen = {}
    for kind in ALL.values():
        if kind.reads_first:
            # Of these records a sync reads less than the verb does.
            continue
        for subject_id in kind.subject.model._base_manager.values_list("feishu_id", flat=True):
            seen.setdefault((kind.subject.path, subject_id), kind.name)
    changed = StatusChange.objects.values_list("kind", "subject_id").distinct()
    compared = {*changed, *((name, subject_id) for (_, subject_id), name in seen.items())}
    found = []
    for name, subject_id in sorted(compared):
        kind = kind_named(name)
        record = kind.subject.model._base_manager.filter(feishu_id=subject_id).first()
        try:
            there = kind.facts(kind.read(subject_id, remote.client()))
        except RecordMissing:
            there = None
        is_gone = record is None or getattr(record, "missing_since", None) is not None
        here = None if is_gone and there is None else kind.facts(kind.known(record))
        if here != there:
            found.append(f"{name} {subject_id}: {here} here, {there} in Feishu")
    return found


ACTIONS: dict[str, Callable[..., Any]] = {
    action.__name__: action
    for action in (
        addresses, differences, minutes_pass, prepare, report, submit_conversions,
        wait_until_settled,
    )
}  # fmt: skip


if __name__ == "__main__":
    assert "test" in str(settings.DATABASES["default"]["NAME"])
    print(json.dumps(ACTIONS[sys.argv[1]](**json.loads(sys.argv[2]))))
