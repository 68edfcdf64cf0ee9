"""Departments, colleagues and catalogues: payloads to rows, and the trees made from them.

Part of the mirror, kept apart from `mirror.py` because these rows belong to no person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from lifecycle.models import CatalogueEntry, Contact, Department, Person, ReportingLine
from lifecycle.pinyin import search_text
from lifecycle.transactions import whole

DEEPEST = 60
LONGEST_ID = 64
# The year by which Feishu says "without end".
ENDLESS = 9999


def name_in(names: Any) -> str:
    """The Chinese name of an i18n list or map, else any name."""
    if isinstance(names, str):
        return names
    if isinstance(names, Mapping):
        return str(names.get("zh_cn") or names.get("en_us") or "")
    if not isinstance(names, list):
        return ""
    texts = {
        str(item.get("lang")): item.get("value")
        for item in names
        if isinstance(item, Mapping) and isinstance(item.get("value"), str)
    }
    return str(texts.get("zh-CN") or next(iter(texts.values()), ""))


def names_in(names: Any) -> tuple[str, ...]:
    """Every name of an i18n list or map, for search."""
    if isinstance(names, str):
        return (names,)
    if isinstance(names, Mapping):
        return tuple(name for name in names.values() if isinstance(name, str))
    if not isinstance(names, list):
        return ()
    found = (item.get("value") for item in names if isinstance(item, Mapping))
    return tuple(name for name in found if isinstance(name, str))


def store_departments(payloads: Iterable[Mapping[str, Any]], *, asked_at: datetime) -> int:
    """Store items of R7, read with open_department_id and open_id."""
    rows = [
        Department(
            feishu_id=payload["id"],
            name=name_in(payload.get("department_name"))[:200],
            search_text=search_text(
                name_in(payload.get("department_name"))[:200],
                *names_in(payload.get("department_name")),
                str(payload.get("code") or ""),
                payload["id"],
            ),
            parent_id=_id_in(payload, "parent_department_id"),
            manager_open_id=_id_in(payload, "manager"),
            is_active=payload.get("active") is not False,
            payload=dict(payload),
            asked_at=asked_at,
        )
        for payload in payloads
        if isinstance(payload, Mapping) and _id_in(payload, "id")
    ]
    Department.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["feishu_id"],
        update_fields=[
            "name", "parent_id", "manager_open_id", "search_text", "is_active", "payload",
            "asked_at",
        ],
        batch_size=500,
    )  # fmt: skip
    return len(rows)


def store_contacts(payloads: Iterable[Mapping[str, Any]], *, asked_at: datetime) -> int:
    """Store items of R13, read with open_id."""
    rows = [
        _contact(payload, asked_at)
        for payload in payloads
        if isinstance(payload, Mapping) and _id_in(payload, "open_id")
    ]
    Contact.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["feishu_id"],
        update_fields=["name", "leader_open_id", "search_text", "is_active", "payload", "asked_at"],
        batch_size=500,
    )
    return len(rows)


def _contact(payload: Mapping[str, Any], asked_at: datetime) -> Contact:
    open_id, number = payload["open_id"], str(payload.get("employee_no") or "")
    status = payload.get("status")
    english = str(payload.get("en_name") or "")
    name = (str(payload.get("name") or "") or english)[:200]
    return Contact(
        feishu_id=open_id,
        name=name,
        leader_open_id=_id_in(payload, "leader_user_id"),
        search_text=search_text(name, english, number, open_id),
        is_active=not (isinstance(status, Mapping) and status.get("is_resigned", False)),
        payload={"department_ids": payload.get("department_ids") or [], "employee_no": number},
        asked_at=asked_at,
    )


def _id_in(payload: Mapping[str, Any], name: str) -> str:
    """An id as our columns hold it; "" for anything else."""
    value = payload.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a catalogue on its way to a row."""

    feishu_id: str
    names: Any
    payload: Mapping[str, Any]
    is_active: bool = True
    ends_on: date | None = None


def store_catalogue(kind: str, entries: Iterable[Entry], *, asked_at: datetime) -> int:
    """Store the whole of one catalogue; what is no longer in it is not offered any more."""
    rows = list({e.feishu_id: _catalogue_entry(kind, e, asked_at) for e in entries}.values())
    CatalogueEntry.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["kind", "feishu_id"],
        update_fields=["name", "search_text", "is_active", "ends_on", "payload", "asked_at"],
        batch_size=500,
    )
    if rows:
        left_out = CatalogueEntry.objects.filter(kind=kind, asked_at__lt=asked_at)
        left_out.update(is_active=False)
    return len(rows)


def _catalogue_entry(kind: str, entry: Entry, asked_at: datetime) -> CatalogueEntry:
    name = name_in(entry.names)[:200]
    codes = (str(entry.payload.get(key) or "") for key in ("code", "short_code"))
    return CatalogueEntry(
        kind=kind,
        feishu_id=entry.feishu_id[:128],
        name=name,
        search_text=search_text(name, *names_in(entry.names), *codes, entry.feishu_id[:128]),
        is_active=entry.is_active,
        ends_on=entry.ends_on,
        payload=dict(entry.payload),
        asked_at=asked_at,
    )


def last_day(text: Any) -> date | None:
    """The end of something, from YYYY-MM-DD; None for an endless one or an unreadable text."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        return None
    return None if day.year == ENDLESS else day


@transaction.atomic
def rebuild_department_paths() -> None:
    """Paths and full names from the parents; a loop in Feishu's data ends at its first turn."""
    departments = {row.feishu_id: row for row in Department.objects.all()}
    for row in departments.values():
        line = _line_up(row.feishu_id, {key: d.parent_id for key, d in departments.items()})
        row.path = "/" + "/".join(reversed(line)) + "/"
        names = [departments[key].name for key in reversed(line) if departments[key].parent_id]
        row.full_name = " / ".join(name for name in names if name) or row.name
    Department.objects.bulk_update(departments.values(), ["path", "full_name"], batch_size=200)


@transaction.atomic
def rebuild_reporting_lines() -> None:
    """Who reports to whom through any number of steps."""
    leaders = dict(Contact.objects.values_list("feishu_id", "leader_open_id"))
    lines = [
        ReportingLine(leader_open_id=leader, report_open_id=contact)
        for contact in leaders
        for leader in _line_up(contact, leaders)
    ]
    ReportingLine.objects.all().delete()
    ReportingLine.objects.bulk_create(lines, batch_size=1000)


@whole
def link_people_to_contacts(pairs: Sequence[tuple[str, str]]) -> int:
    """Note the Feishu account of people in CoreHR: (employment id, open_id), from R12."""
    people = {
        person.employment_id: person
        for person in Person.objects.select_for_update(no_key=True)
        .filter(employment_id__in=[pair[0] for pair in pairs])
        .order_by("pk")
    }
    changed = []
    for employment_id, open_id in pairs:
        person = people.get(employment_id)
        if person is not None and open_id and person.open_id != open_id:
            person.open_id = open_id
            changed.append(person)
    Person.objects.bulk_update(changed, ["open_id"], batch_size=500)
    return len(changed)


def _line_up(start: str, parents: Mapping[str, str]) -> list[str]:
    """From one node upwards, as far as the parents are known."""
    line = [start]
    while len(line) < DEEPEST:
        parent = parents.get(line[-1], "")
        if not parent or parent in line or parent not in parents:
            break
        line.append(parent)
    return line
