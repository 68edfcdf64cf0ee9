"""Small builders of rows: only what a test speaks of is given, the rest is plausible."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.utils import timezone

from lifecycle.changes.kinds import kind_named
from lifecycle.models import (
    Attempt,
    Contact,
    Department,
    Employee,
    LogSample,
    Person,
    ReportingLine,
    StatusChange,
    SyncRun,
    User,
)

_numbers = count(1)


def a_department(name: str = "研发中心", *, below: Department | None = None) -> Department:
    feishu_id = f"od-{next(_numbers)}"
    return Department.objects.create(
        feishu_id=feishu_id,
        name=name,
        path=f"{below.path if below else '/'}{feishu_id}/",
        full_name=f"{below.full_name} / {name}" if below else name,
        asked_at=timezone.now(),
    )


def a_person(name: str = "柏小林", *, search: str = "", open_id: str = "") -> Person:
    return Person.objects.create(
        name=name, search_text=f"{name} {search}".lower().strip(), open_id=open_id
    )


def an_employee(
    name: str = "柏小林",
    *,
    due_on: date | None = None,
    department: Department | None = None,
    leader: str = "",
    open_id: str = "",
    search: str = "",
    **columns: Any,
) -> Employee:
    """On probation, with some days left."""
    number = next(_numbers)
    today = timezone.localdate()
    due_on = due_on or today + timedelta(days=20)
    feishu_id = f"71{number:012d}"
    return Employee.objects.create(
        feishu_id=feishu_id,
        person=a_person(name, search=f"{search} {feishu_id}", open_id=open_id),
        asked_at=timezone.now(),
        **{
            "onboard_status": "onboarded",
            "conversion_status": "not_converted",
            "onboarded_on": today - timedelta(days=160),
            "expected_conversion_on": due_on,
            "due_sort_on": due_on,
            "department_id": department.feishu_id if department else "",
            "leader_open_id": leader,
        }
        | columns,
    )


def a_converted_employee(name: str = "柏小林", **columns: Any) -> Employee:
    converted_on = timezone.localdate() - timedelta(days=3)
    return an_employee(
        name, **{"conversion_status": "converted", "converted_on": converted_on} | columns
    )


def a_leader(user: User, *reports: str) -> None:
    """The user's open id leads these open ids, and himself."""
    Contact.objects.get_or_create(
        feishu_id=user.open_id, defaults={"name": user.name, "asked_at": timezone.now()}
    )
    ReportingLine.objects.bulk_create(
        ReportingLine(leader_open_id=user.open_id, report_open_id=open_id)
        for open_id in (user.open_id, *reports)
    )


def a_change(
    employee: Employee,
    *,
    by: User,
    status: str = "approved",
    at: datetime | None = None,
    **columns: Any,
) -> StatusChange:
    """A conversion as it stands after it was confirmed, in the status asked for."""
    at = at or timezone.now()
    kind = kind_named("convert_employee")
    call = kind.call(employee, {"converted_on": timezone.localdate()}, key=str(uuid4()))
    final = status in ("succeeded", "failed", "rejected", "cancelled", "expired")
    return StatusChange.objects.create(
        kind=kind.name,
        submission_key=uuid4(),
        person=employee.person,
        subject_id=employee.feishu_id,
        payload=call.canonical(),
        payload_hash=call.hash,
        requested_by=by,
        created_at=at,
        effective_at=at,
        status=status,
        finished_at=at if final else None,
        **{
            "pre_image": {"onboard_status": 1, "conversion_status": 1},
            "pre_image_hash": "0" * 64,
            "next_run_at": None if final else at,
            "settled_via": "answer" if status == "succeeded" else "",
            "plan": {
                "fields": [
                    {
                        "label": {"zh": "转正状态", "en": "Conversion"},
                        "before": {"zh": "待转正", "en": "On probation"},
                        "after": {"zh": "已转正", "en": "Converted"},
                        "changed": True,
                    }
                ],
                "warnings": [],
                "route": {"zh": "通过飞书招聘发送", "en": "Sent through Feishu Hire"},
                "undo": {"zh": "可以撤销", "en": "It can be taken back"},
                "when": {"zh": "立即", "en": "At once"},
            },
        }
        | columns,
    )


def an_attempt(change: StatusChange, **columns: Any) -> Attempt:
    at = timezone.now()
    return Attempt.objects.create(
        change=change,
        request_hash=change.payload_hash,
        started_at=at,
        deadline_at=at,
        lease_until=at,
        **{"number": change.attempts.count() + 1, "finished_at": at, "outcome": "applied"}
        | columns,
    )


def a_sample(*, by: User, first: int = 1, last: int = 1, size: int = 1) -> LogSample:
    today = timezone.localdate()
    return LogSample.objects.create(
        seed="seed",
        size=size,
        since=today,
        until=today,
        first_seq=first,
        last_seq=last,
        drawn_by=by,
        drawn_at=timezone.now(),
    )


def a_sync(*, finished_at: datetime | None = None, kind: str = "employees") -> SyncRun:
    """A pass that went well."""
    at = finished_at or timezone.now()
    return SyncRun.objects.create(
        kind=kind, state="done", started_at=at, lease_until=at, finished_at=at
    )
