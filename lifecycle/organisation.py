"""Departments, colleagues and catalogues: payloads to rows, and the trees made from them.

Part of the mirror, kept apart from `mirror.py` because these rows belong to no person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from lifecycle.models import (
    CatalogueEntry,
    Contact,
    Department,
    Employment,
    Person,
    ReportingLine,
)
from lifecycle.pinyin import search_text
from lifecycle.transactions import whole
from lifecycle.unreadable import (
    NAME_LENGTH,
    BadRecord,
    Odd,
    Stored,
    check_storable,
    forget_unreadable,
    is_storable,
    name_of,
    set_aside,
)

RowType = TypeVar("RowType")

DEEPEST = 60
LONGEST_ID = 64
LONGEST_ENTRY_ID = 128
LONGEST_NAME = 200
# Whose lines are written in one transaction.
CONTACTS_AT_ONCE = 500
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


def store_departments(payloads: Iterable[Any], *, asked_at: datetime) -> Stored:
    """Store items of R7, read with open_department_id and open_id."""
    read, odd = _read(payloads, "id", lambda payload: _department(payload, asked_at))
    return _write_departments(read, odd, asked_at)


@whole
def _write_departments(
    rows: Mapping[str, Department], odd: list[Odd], asked_at: datetime
) -> Stored:
    forget_unreadable(Department, rows, asked_at=asked_at)
    set_aside(Department, odd, asked_at=asked_at)
    Department.objects.bulk_create(
        [row for _, row in sorted(rows.items())],
        update_conflicts=True,
        unique_fields=["feishu_id"],
        update_fields=[
            "name", "parent_id", "manager_open_id", "search_text", "is_active", "payload",
            "asked_at",
        ],
        batch_size=500,
    )  # fmt: skip
    return _stored(rows, odd)


def _department(payload: Mapping[str, Any], asked_at: datetime) -> Department:
    feishu_id, names = payload["id"], payload.get("department_name")
    name = _short(name_in(names))
    other_names = [_short(one) for one in names_in(names)]
    return Department(
        feishu_id=feishu_id,
        name=name,
        search_text=search_text(name, *other_names, _short(payload.get("code")), feishu_id),
        parent_id=_id_in(payload, "parent_department_id"),
        manager_open_id=_id_in(payload, "manager"),
        is_active=payload.get("active") is not False,
        payload=dict(payload),
        asked_at=asked_at,
    )


def store_contacts(payloads: Iterable[Any], *, asked_at: datetime) -> Stored:
    """Store items of R13, read with open_id."""
    read, odd = _read(payloads, "open_id", lambda payload: _contact(payload, asked_at))
    return _write_contacts(read, odd, asked_at)


@whole
def _write_contacts(rows: Mapping[str, Contact], odd: list[Odd], asked_at: datetime) -> Stored:
    forget_unreadable(Contact, rows, asked_at=asked_at)
    set_aside(Contact, odd, asked_at=asked_at)
    Contact.objects.bulk_create(
        [row for _, row in sorted(rows.items())],
        update_conflicts=True,
        unique_fields=["feishu_id"],
        update_fields=["name", "leader_open_id", "search_text", "is_active", "payload", "asked_at"],
        batch_size=500,
    )
    return _stored(rows, odd)


def _contact(payload: Mapping[str, Any], asked_at: datetime) -> Contact:
    open_id, number = payload["open_id"], _short(payload.get("employee_no"))
    status = payload.get("status")
    english = _short(payload.get("en_name"))
    name = _short(payload.get("name")) or english
    departments = payload.get("department_ids")
    return Contact(
        feishu_id=open_id,
        name=name,
        leader_open_id=_id_in(payload, "leader_user_id"),
        search_text=search_text(name, english, number, open_id),
        is_active=not (isinstance(status, Mapping) and status.get("is_resigned", False)),
        payload={
            "department_ids": [
                one
                for one in (departments if isinstance(departments, list) else ())
                if _is_id(one, LONGEST_ID)
            ],
            "employee_no": number,
        },
        asked_at=asked_at,
    )


def _read(
    payloads: Iterable[Any], id_field: str, read: Callable[[Mapping[str, Any]], RowType]
) -> tuple[dict[str, RowType], list[Odd]]:
    """The rows by their ids, and what could not be read."""
    rows: dict[str, RowType] = {}
    odd: list[Odd] = []
    for payload in payloads:
        try:
            feishu_id = _checked_id(payload, id_field)
            rows[feishu_id] = read(payload)
        except BadRecord as error:
            odd.append(Odd(name_of(payload, (id_field,)), payload, str(error)))
    return rows, odd


def _checked_id(payload: Any, id_field: str) -> str:
    """The id of an item that is an object any database keeps. Raises BadRecord."""
    if not isinstance(payload, Mapping):
        raise BadRecord("the record is not an object")
    check_storable(payload)
    named = payload.get(id_field)
    if not _is_id(named, LONGEST_ID):
        raise BadRecord(f"{id_field} is missing or not an id")
    return str(named)


def _stored(rows: Mapping[str, object], odd: Iterable[Odd]) -> Stored:
    return Stored(len(rows), unreadable=[(one.name, one.problem) for one in odd])


def _is_id(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= longest and is_storable(value)


def _id_in(payload: Mapping[str, Any], name: str) -> str:
    """An id as our columns hold it; "" for anything else."""
    value = payload.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_ID else ""


def _short(value: Any) -> str:
    return str(value or "")[:LONGEST_NAME]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a catalogue on its way to a row. `feishu_id` and `payload` are whatever
    Feishu has sent: that they are an id and an object is seen when they are stored."""

    feishu_id: Any
    names: Any
    payload: Any
    is_active: bool = True
    ends_on: date | None = None

    @property
    def has_id(self) -> bool:
        return _is_id(self.feishu_id, LONGEST_ENTRY_ID)


def store_catalogue(kind: str, entries: Iterable[Entry], *, asked_at: datetime) -> Stored:
    """Store the whole of one catalogue; what is no longer in it is not offered any more.

    An entry that cannot be read stays as it was. One that does not even say which it is may be
    any of those that are not in it, so all of them stay.
    """
    rows: dict[str, CatalogueEntry] = {}
    unread: list[tuple[Entry, Odd]] = []
    for entry in entries:
        try:
            row = _catalogue_entry(kind, entry, asked_at)
        except BadRecord as error:
            unread.append((entry, Odd(_name_of_entry(kind, entry), entry.payload, str(error))))
            continue
        rows[row.feishu_id] = row
    return _write_catalogue(kind, rows, unread, asked_at)


@whole
def _write_catalogue(
    kind: str,
    rows: Mapping[str, CatalogueEntry],
    unread: list[tuple[Entry, Odd]],
    asked_at: datetime,
) -> Stored:
    odd = [one for _, one in unread]
    readable = [_aside(kind, feishu_id) for feishu_id in rows]
    forget_unreadable(CatalogueEntry, readable, asked_at=asked_at)
    set_aside(CatalogueEntry, odd, asked_at=asked_at)
    CatalogueEntry.objects.bulk_create(
        [row for _, row in sorted(rows.items())],
        update_conflicts=True,
        unique_fields=["kind", "feishu_id"],
        update_fields=["name", "search_text", "is_active", "ends_on", "payload", "asked_at"],
        batch_size=500,
    )
    if rows and all(entry.has_id for entry, _ in unread):
        left_out = CatalogueEntry.objects.filter(kind=kind, asked_at__lt=asked_at)
        unreadable = [entry.feishu_id for entry, _ in unread]
        left_out.exclude(feishu_id__in=unreadable).update(is_active=False)
    return _stored(rows, odd)


def _catalogue_entry(kind: str, entry: Entry, asked_at: datetime) -> CatalogueEntry:
    if not isinstance(entry.payload, Mapping):
        raise BadRecord("the entry is not an object")
    check_storable(entry.payload)
    if not entry.has_id:
        raise BadRecord("the id of the entry is missing or not an id")
    name = _short(name_in(entry.names))
    other_names = [_short(one) for one in names_in(entry.names)]
    codes = (_short(entry.payload.get(key)) for key in ("code", "short_code"))
    return CatalogueEntry(
        kind=kind,
        feishu_id=entry.feishu_id,
        name=name,
        search_text=search_text(name, *other_names, *codes, entry.feishu_id),
        is_active=entry.is_active,
        ends_on=entry.ends_on,
        payload=dict(entry.payload),
        asked_at=asked_at,
    )


def _name_of_entry(kind: str, entry: Entry) -> str:
    return _aside(kind, entry.feishu_id if entry.has_id else name_of(entry.payload, ()))


def _aside(kind: str, name: str) -> str:
    """What an entry is put aside under: ids are an entry's own within its catalogue only."""
    return f"{kind} {name}"[:NAME_LENGTH]


def last_day(text: Any) -> date | None:
    """The end of something, from YYYY-MM-DD; None for an endless one or an unreadable text."""
    try:
        day = date.fromisoformat(str(text))
    except ValueError:
        return None
    return None if day.year == ENDLESS else day


@whole
def rebuild_department_paths() -> None:
    """Paths and full names from the parents; a loop in Feishu's data ends at its first turn."""
    departments = {row.feishu_id: row for row in Department.objects.defer("payload")}
    parents = {key: row.parent_id for key, row in departments.items()}
    changed = []
    for row in departments.values():
        line = _line_up(row.feishu_id, parents)
        path = "/" + "/".join(reversed(line)) + "/"
        names = [departments[key].name for key in reversed(line) if parents[key]]
        full_name = " / ".join(name for name in names if name) or row.name
        if (row.path, row.full_name) != (path, full_name):
            row.path, row.full_name = path, full_name
            changed.append(row)
    Department.objects.bulk_update(changed, ["path", "full_name"], batch_size=50)


def rebuild_reporting_lines() -> None:
    """Who reports to whom through any number of steps: written where it differs from before,
    some people at a time, so that nobody waits for the table and memory stays small."""
    leaders = dict(Contact.objects.values_list("feishu_id", "leader_open_id"))
    contacts = iter(leaders)
    while some := list(islice(contacts, CONTACTS_AT_ONCE)):
        _write_reporting_lines(some, leaders)


@whole
def _write_reporting_lines(contacts: Sequence[str], leaders: Mapping[str, str]) -> None:
    wanted = {(leader, contact) for contact in contacts for leader in _line_up(contact, leaders)}
    rows = ReportingLine.objects.filter(report_open_id__in=contacts)
    kept = {
        (leader, contact): pk
        for pk, leader, contact in rows.values_list("pk", "leader_open_id", "report_open_id")
    }
    ended = [pk for pair, pk in kept.items() if pair not in wanted]
    if ended:
        ReportingLine.objects.filter(pk__in=ended).delete()
    ReportingLine.objects.bulk_create(
        ReportingLine(leader_open_id=leader, report_open_id=contact)
        for leader, contact in sorted(wanted - kept.keys())
    )


def link_people_to_contacts(payloads: Iterable[Any], *, asked_at: datetime) -> Stored:
    """Note the Feishu account of people in CoreHR, by items of R12 for their employments."""
    accounts, odd = _read(payloads, "id", _account)
    return _write_accounts(
        accounts, [replace(one, name=_account_of(one.name)) for one in odd], asked_at
    )


@whole
def _write_accounts(accounts: Mapping[str, str], odd: list[Odd], asked_at: datetime) -> Stored:
    locked = Person.objects.select_for_update(no_key=True).order_by("pk")
    changed = []
    for person in locked.filter(employment_id__in=accounts):
        open_id = accounts[str(person.employment_id)]
        if open_id and person.open_id != open_id:
            person.open_id = open_id
            changed.append(person)
    Person.objects.bulk_update(changed, ["open_id"], batch_size=500)
    forget_unreadable(Employment, map(_account_of, accounts), asked_at=asked_at)
    set_aside(Employment, odd, asked_at=asked_at)
    return Stored(len(changed), unreadable=[(one.name, one.problem) for one in odd])


def _account(payload: Mapping[str, Any]) -> str:
    """The account in an item of R12; "" where there is none."""
    target = payload.get("target_id") or ""
    if target and not _is_id(target, LONGEST_ID):
        raise BadRecord("target_id is not an id")
    return str(target)


def _account_of(employment_id: str) -> str:
    """What a counterpart of an employment is put aside under; the employment has its own name."""
    return f"account {employment_id}"[:NAME_LENGTH]


def _line_up(start: str, parents: Mapping[str, str]) -> list[str]:
    """From one node upwards, as far as the parents are known."""
    line = [start]
    while len(line) < DEEPEST:
        parent = parents.get(line[-1], "")
        if not parent or parent in line or parent not in parents:
            break
        line.append(parent)
    return line
