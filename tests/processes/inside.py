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
from datetime import timedelta
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

from lifecycle import action_log, jobs, remote
from lifecycle.change_states import FINAL_STATUSES, ChangeStatus
from lifecycle.changes import invariants
from lifecycle.changes.kinds import kind_named
from lifecycle.models import (
    ActionEntry,
    Application,
    Attempt,
    Employee,
    Offboarding,
    PreHire,
    Role,
    StatusChange,
    Talent,
    User,
    WorkerBeat,
)
from lifecycle.models.mirror import Mirrored
from lifecycle.services import changes, sync

MIRRORED = (
    "departments", "talents", "applications", "employees", "employments", "contacts", "pre_hires",
    "offboardings", "catalogues",
)  # fmt: skip
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


# Verbs of the different endpoints: whom they fit, and what is entered.
WHOM: dict[str, Callable[[], Any]] = {
    "convert_employee": convertible,
    "onboard_talent": lambda: (
        Talent.objects.filter(is_onboarded=False)
        .exclude(person__in=Employee.objects.values("person"))
        .order_by("pk")
    ),
    "onboard_application": lambda: Application.objects.filter(
        stage_type="pre_hire", is_active=True
    ).order_by("pk"),
    "update_pre_hire": lambda: PreHire.objects.filter(
        onboarding_status__in=("preboarding", "day_one")
    ).order_by("pk"),
    "edit_offboarding": lambda: Offboarding.objects.filter(status="Approved").order_by("pk"),
    "offboard_employee": convertible,
}


def values_for(verb: str, record: Mirrored) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "convert_employee": {"converted_on": today},
        "onboard_talent": {"onboarded_on": today},
        "onboard_application": {"onboarded_on": today},
        "update_pre_hire": {"worker_id": f"W{record.pk}"},
        "edit_offboarding": {
            "operator_id": "",
            "field_offboarding_date": getattr(record, "offboards_on", today) + timedelta(days=7),
        },
        "offboard_employee": {"left_on": today, "overboard_note": ""},
    }[verb]


def plans(first: int, count: int, verb: str = "convert_employee") -> list[dict[str, Any]]:
    """What a browser would post to confirm the verb for so many people it fits."""
    kind, mei = kind_named(verb), User.objects.get(username="mei")
    posts: list[dict[str, Any]] = []
    for record in WHOM[verb]()[first:]:
        if len(posts) == count:
            break
        key = f"00000000-0000-4000-8000-{record.pk:012d}"
        plan = changes.plan_change(
            kind,
            record,
            values_for(verb, record),
            acting_user=mei,
            submission_key=key,
            at=timezone.now(),
        )
        if plan.is_blocked:
            continue
        posts.append(
            {
                "verb": verb,
                "record": record.pk,
                "subject": record.feishu_id,
                "key": key,
                "pre_image_hash": plan.pre_image_hash,
                "payload_hash": plan.payload_hash,
            }
        )
    return posts


def submit(post: dict[str, Any], key: str | None = None) -> int:
    kind = kind_named(post["verb"])
    record = kind.subject.model._default_manager.get(pk=post["record"])
    change = changes.submit_change(
        kind,
        record,
        values_for(kind.name, record),
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
    """Sweeps until every change is final or with a person; how many are in which status then."""
    end = time.monotonic() + LONGEST_WAIT_S
    while open_changes().exists() and time.monotonic() < end:
        if not jobs.sweep():
            time.sleep(0.05)
    found: dict[str, int] = {}
    for status in StatusChange.objects.values_list("status", flat=True):
        found[status] = found.get(status, 0) + 1
    return found


def open_changes() -> Any:
    """Those that somebody or something is still to move by itself."""
    ends = [*FINAL_STATUSES, ChangeStatus.NEEDS_ATTENTION]
    return StatusChange.objects.exclude(status__in=[status.value for status in ends])


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


def settings_told() -> list[tuple[str, str, list[str]]]:
    """Each entry about settings: its event, the program, and what has changed."""
    entries = ActionEntry.objects.filter(event__in=("settings.noted", "settings.changed"))
    bodies = [(entry.event, action_log.data_in(entry.body) or {}) for entry in entries[::-1]]
    return [(event, data["program"], sorted(data.get("changed", ()))) for event, data in bodies]


def change(pk: int) -> dict[str, Any]:
    return _change(StatusChange.objects.get(pk=pk))


def report() -> dict[str, Any]:
    """Everything the database says at the end of a run."""
    verdict = list(action_log.verify())[-1]
    return {
        "log": {"checked": verdict.checked, "bad_seq": verdict.bad_seq, "fault": verdict.fault},
        "entries": ActionEntry.objects.count(),
        "rings": OrmQ.objects.count(),
        "facts": _known_facts(),
        "violations": [str(violation) for violation in invariants.violations()],
        "changes": [_change(change) for change in StatusChange.objects.order_by("pk")],
    }


def _known_facts() -> dict[str, Any]:
    """What the mirror holds of each change's record, by Feishu's id, and what Feishu holds."""
    found = {}
    for change in StatusChange.objects.all():
        kind = kind_named(change.kind)
        record = kind.subject.find(change.subject_id)
        there = kind.facts(kind.read(change.subject_id, remote.client()))
        found[change.subject_id] = [kind.facts(kind.known(record)) if record else None, there]
    return found


def _change(change: StatusChange) -> dict[str, Any]:
    entries = ActionEntry.objects.filter(change_id=change.pk).order_by("seq")
    return {
        "id": change.pk,
        "kind": change.kind,
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
                "finished_at": attempt.finished_at.timestamp() if attempt.finished_at else None,
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
        append, change, plans, prepare, queue_beats, report, run, run_at_once, settings_told,
        submit_all, submit_at_once, sweep_at_once, sweep_until_settled, wait_until_due,
    )
}  # fmt: skip


if __name__ == "__main__":
    assert "test" in str(settings.DATABASES["default"]["NAME"])
    answer = ACTIONS[sys.argv[1]](**json.loads(sys.argv[2]))
    print(json.dumps(answer))
