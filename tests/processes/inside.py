# ruff: noqa: E402, T201 - Django is set up before anything of it is imported.
"""What a real process of the portal does for a test: `python -m tests.processes.inside NAME JSON`.

Each function below takes and returns plain JSON and calls the portal's own code, unchanged.
The last line printed is the answer.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Max
from django.utils import timezone
from django_q.models import OrmQ

from lifecycle import action_log, jobs
from lifecycle.changes.kinds import kind_named
from lifecycle.models import ActionEntry, Attempt, Employee, Role, StatusChange, User, WorkerBeat
from lifecycle.rules import FINAL_STATUSES
from lifecycle.services import changes, sync

MIRRORED = ("departments", "talents", "applications", "employees", "employments", "contacts")
LONGEST_WAIT_S = 60.0


def prepare() -> int:
    """A migrated database with the mirror filled and Mei of HR; how many can be converted."""
    call_command("migrate", interactive=False, verbosity=0)
    call_command("createcachetable", verbosity=0)
    for kind in MIRRORED:
        sync.sync_kind(kind)
    User.objects.create_user("mei", password="correct horse", role=Role.HR, last_name="梅")
    return convertible().count()


def convertible() -> Any:
    return Employee.objects.filter(
        onboard_status="onboarded", conversion_status="not_converted", employment_id=""
    ).order_by("due_sort_on", "pk")


def plans(first: int, count: int) -> list[dict[str, Any]]:
    """What a browser would post to confirm the conversion of so many people."""
    kind, mei = kind_named("convert_employee"), User.objects.get(username="mei")
    posts = []
    for employee in convertible()[first : first + count]:
        values = {"converted_on": timezone.localdate()}
        key = f"00000000-0000-4000-8000-{employee.pk:012d}"
        plan = changes.plan_change(
            kind, employee, values, acting_user=mei, submission_key=key, at=timezone.now()
        )
        posts.append(
            {
                "employee": employee.pk,
                "subject": employee.feishu_id,
                "key": key,
                "pre_image_hash": plan.pre_image_hash,
                "payload_hash": plan.payload_hash,
            }
        )
    return posts


def submit(post: dict[str, Any], key: str | None = None) -> int:
    change = changes.submit_change(
        kind_named("convert_employee"),
        Employee.objects.get(pk=post["employee"]),
        {"converted_on": timezone.localdate()},
        acting_user=User.objects.get(username="mei"),
        submission_key=key or post["key"],
        pre_image_hash=post["pre_image_hash"],
        payload_hash=post["payload_hash"],
        at=timezone.now(),
    )
    return change.pk


def submit_all(posts: list[dict[str, Any]]) -> list[int]:
    return [submit(post) for post in posts]


def submit_at_once(post: dict[str, Any], keys: list[str], starts_at: float) -> list[Any]:
    """The same form again and again; the id of the change or the name of the refusal."""
    submitted: list[Any] = []
    connection.ensure_connection()
    wait_until(starts_at)
    for key in keys:
        try:
            submitted.append(submit(post, key))
        except changes.ChangeBlocked as refusal:
            submitted.append(type(refusal).__name__)
    return submitted


def run(change_ids: list[int]) -> dict[str, str]:
    """The next step of each, as soon as it is due; their statuses afterwards."""
    statuses = {}
    for pk in change_ids:
        due_at = StatusChange.objects.values_list("next_run_at", flat=True).get(pk=pk)
        if due_at is not None:
            wait_until(due_at.timestamp() + 0.001)
        statuses[str(pk)] = jobs.run_change(pk)
    return statuses


def wait_until_due(change_ids: list[int]) -> None:
    due_at = StatusChange.objects.filter(pk__in=change_ids).aggregate(last=Max("next_run_at"))
    wait_until(due_at["last"].timestamp() + 0.001)


def run_at_once(change_ids: list[int], seed: int, starts_at: float) -> int:
    """A worker: all the changes, in an order of its own, three times over."""
    connection.ensure_connection()
    wait_until(starts_at)
    for turn in range(3):
        random.Random(seed + turn).shuffle(change_ids)
        for pk in change_ids:
            jobs.run_change(pk)
    return len(change_ids)


def sweep_at_once(starts_at: float, seconds: float) -> int:
    connection.ensure_connection()
    wait_until(starts_at)
    found = 0
    while time.time() < starts_at + seconds:
        found += jobs.sweep()
    return found


def sweep_until_settled() -> dict[str, int]:
    """Sweeps until every change is final; how many are in which status then."""
    end = time.monotonic() + LONGEST_WAIT_S
    while open_changes().exists() and time.monotonic() < end:
        if not jobs.sweep():
            time.sleep(0.05)
    found: dict[str, int] = {}
    for status in StatusChange.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def open_changes() -> Any:
    return StatusChange.objects.exclude(status__in=[status.value for status in FINAL_STATUSES])


def append(entries: int, starts_at: float) -> int:
    connection.ensure_connection()
    wait_until(starts_at)
    mei = User.objects.get(username="mei")
    for _ in range(entries):
        action_log.record("sync.requested", actor=mei)
    return entries


def wait_until(moment: float) -> None:
    while time.time() < moment:
        time.sleep(0.001)


def queue_beats() -> bool:
    return WorkerBeat.objects.filter(name="queue").exists()


def change(pk: int) -> dict[str, Any]:
    return _change(StatusChange.objects.get(pk=pk))


def report() -> dict[str, Any]:
    """Everything the database says at the end of a run."""
    verdict = list(action_log.verify())[-1]
    kind = kind_named("convert_employee")
    return {
        "log": {"checked": verdict.checked, "bad_seq": verdict.bad_seq, "fault": verdict.fault},
        "entries": ActionEntry.objects.count(),
        "rings": OrmQ.objects.count(),
        "facts": {
            employee.feishu_id: kind.facts(employee.payload)
            for employee in Employee.objects.filter(
                feishu_id__in=StatusChange.objects.values("subject_id")
            )
        },
        "changes": [_change(change) for change in StatusChange.objects.order_by("pk")],
    }


def _change(change: StatusChange) -> dict[str, Any]:
    entries = ActionEntry.objects.filter(change_id=change.pk).order_by("seq")
    return {
        "id": change.pk,
        "key": str(change.submission_key),
        "subject": change.subject_id,
        "status": change.status,
        "problem": change.problem,
        "via": change.settled_via,
        "created_at": change.created_at.timestamp(),
        "payload": change.payload,
        "payload_hash": change.payload_hash,
        "attempts_used": change.attempts_used,
        "attempts": [
            {
                "number": attempt.number,
                "hash": attempt.request_hash,
                "outcome": attempt.outcome,
                "started_at": attempt.started_at.timestamp(),
            }
            for attempt in Attempt.objects.filter(change=change).order_by("number")
        ],
        "log": [
            {"event": entry.event, "data": json.loads(entry.body)["data"]} for entry in entries
        ],
    }


ACTIONS: dict[str, Callable[..., Any]] = {
    action.__name__: action
    for action in (
        append, change, plans, prepare, queue_beats, report, run, run_at_once, submit_all,
        submit_at_once, sweep_at_once, sweep_until_settled, wait_until_due,
    )
}  # fmt: skip


if __name__ == "__main__":
    assert "test" in str(settings.DATABASES["default"]["NAME"])
    answer = ACTIONS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(answer))
