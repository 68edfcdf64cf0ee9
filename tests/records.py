"""Builders of mirrored rows other than employees: only what a test speaks of is given."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from lifecycle.models import (
    Application,
    Department,
    Employment,
    Offboarding,
    Person,
    PreHire,
    Talent,
)
from tests.builders import a_person

_numbers = count(1)


def _id(prefix: str) -> str:
    return f"{prefix}{next(_numbers):015d}"


def _person(who: str | Person, feishu_id: str, search: str) -> Person:
    return who if isinstance(who, Person) else a_person(who, search=f"{search} {feishu_id}")


def a_talent(who: str | Person = "柏小林", *, search: str = "", **columns: Any) -> Talent:
    """In the talent pool, not onboarded."""
    feishu_id = _id("6800")
    person = _person(who, feishu_id, search)
    return Talent.objects.create(
        feishu_id=feishu_id, person=person, asked_at=timezone.now(), **columns
    )


def an_application(
    who: str | Person = "柏小林", *, search: str = "", **columns: Any
) -> Application:
    """At the pre-hire stage (待入职)."""
    feishu_id = _id("7395")
    person = _person(who, feishu_id, search)
    return Application.objects.create(
        feishu_id=feishu_id,
        person=person,
        asked_at=timezone.now(),
        **{"stage_type": "pre_hire", "stage_id": "6793"} | columns,
    )


def a_pre_hire(
    who: str | Person = "柏小林",
    *,
    in_days: int = 10,
    department: Department | None = None,
    search: str = "",
    **columns: Any,
) -> PreHire:
    """Accepted, starting in some days."""
    feishu_id = _id("7345")
    person = _person(who, feishu_id, search)
    onboards_on = timezone.localdate() + timedelta(days=in_days)
    return PreHire.objects.create(
        feishu_id=feishu_id,
        person=person,
        asked_at=timezone.now(),
        **{
            "onboarding_status": "preboarding",
            "onboards_on": onboards_on,
            "department_id": department.feishu_id if department else "",
        }
        | columns,
    )


def an_employment(
    who: str | Person = "柏小林", *, department: Department | None = None, **columns: Any
) -> Employment:
    """Working here by CoreHR's account."""
    feishu_id = _id("7200")
    person = _person(who, feishu_id, "")
    return Employment.objects.create(
        feishu_id=feishu_id,
        person=person,
        asked_at=timezone.now(),
        **{"status": "hired", "department_id": department.feishu_id if department else ""}
        | columns,
    )


def an_offboarding(
    who: str | Person = "柏小林", *, in_days: int = 10, search: str = "", **columns: Any
) -> Offboarding:
    """Approved, the last day still ahead."""
    feishu_id = _id("7300")
    person = _person(who, feishu_id, search)
    last_day = timezone.localdate() + timedelta(days=in_days)
    return Offboarding.objects.create(
        feishu_id=feishu_id,
        person=person,
        asked_at=timezone.now(),
        **{"status": "Approved", "offboards_on": last_day} | columns,
    )
