"""Filling the mirror from Feishu, one kind of record after the other.

A pass is recorded as a SyncRun with the position up to which everything has been stored,
so that a pass that was cut off goes on where it stopped. Each kind stands alone: a missing
permission for one of them never stops the others. `manage.py sync` and the background job
run the same code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from django.conf import settings
from django.db import IntegrityError, OperationalError, models, transaction
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import action_log, mirror, organisation, remote, rules, watched
from lifecycle.changes.kinds.offboarding_record import STANDARD_FIELDS
from lifecycle.differences import POLLED
from lifecycle.errors.words import Words
from lifecycle.forms.object_fields import ENUM
from lifecycle.models import (
    Application,
    CatalogueEntry,
    ChangeEvent,
    Contact,
    Department,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    SyncRun,
    Talent,
    UnreadableRecord,
    User,
)
from lifecycle.models.mirror import Vanishing
from lifecycle.organisation import Entry
from lifecycle.rules import StageType
from lifecycle.services import quarantine
from lifecycle.unreadable import Stored

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Progress = Callable[[SyncRun, int | None], None]

LEASE = timedelta(minutes=3)
# A pass that was cut off longer ago begins anew: Feishu need not know its page any more. One
# that goes on may take as long as it likes: at Feishu's rates, a large company takes hours.
RESUME_WITHIN = timedelta(hours=2)
CHUNK = 100
# R13 takes so many.
CONTACTS_AT_ONCE = 50
IDS_AT_ONCE = 5_000
# The longest id that R12 takes.
CONVERTIBLE = 50
# So many pages are held back while none of them shows a record we know.
MOST_HELD_BACK = 20
# How far our clock and Feishu's may differ, and by how much two windows overlap.
CLOCKS_APART = timedelta(minutes=5)
# A search (P3) and R1 show what was true up to 5 s ago (contract 4.9).
SEARCH_BEHIND = timedelta(seconds=5)
PAGES_REPEAT = "page-token-repeats"
# The position of a pass that has read the list and reads again what it did not meet.
AGAIN = "again"
NOT_ONBOARDED = 1002903
SCOPE_MISSING = "scope-missing"
# R4: there is no such field, or what Feishu keeps of it is damaged.
NO_SUCH_FIELD = (1162020, 1160005)
# Refusals that say nothing about the one record that was asked for.
ABOUT_THE_APP = (remote.errors.ScopeMissing, remote.errors.AuthRefused, remote.errors.Throttled)
# How a server answers for a path it does not know.
ENDPOINT_GONE = (404, 405, 410, 501)
PRE_HIRE_FIELDS = (
    "person_info.talent_id",
    "person_info.preferred_name",
    "person_info.legal_name",
    "onboarding_info.onboarding_date",
    "onboarding_info.onboarding_status",
    "onboarding_info.ats_application_id",
    "employment_info.department_id",
    "employment_info.cost_center_rates",
)
EMPLOYMENT_FIELDS = (
    "employment_id_v2",
    "ats_application_id",
    "prehire_id",
    "employee_number",
    "employment_status",
    "department_id_v2",
    "direct_manager_id_v2",
    "effective_date",
    "expiration_date",
    "on_probation",
    "probation_end_date",
    "person_info.preferred_name",
    "person_info.legal_name",
    # The only documented place that names job families.
    "job_family",
)
NAMES_ACCOUNTS: tuple[tuple[type[models.Model], str], ...] = (
    (Employee, "leader_open_id"),
    (Department, "manager_open_id"),
    (User, "open_id"),
    (Person, "open_id"),
    (Contact, "leader_open_id"),
)
DEPARTMENT_FIELDS = ("department_name", "parent_department_id", "manager", "active", "code")


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a pass did. `cursor`: where the next one begins."""

    cursor: str
    read: int
    stored: int
    unreadable: int = 0
    of: int | None = None


@dataclass(frozen=True, slots=True)
class SyncKind:
    """One kind of record: how to read and store it, from the position of the run on.

    `settle`: what a pass ends with, such as who is gone.
    """

    name: str
    model: type[models.Model]
    steps: Callable[[SyncRun], Iterator[Step]]
    settle: Callable[[SyncRun], None] | None = None
    # Whether Feishu can be asked for what has changed since a moment.
    is_incremental: bool = False

    @property
    def label(self) -> Words:
        return watched.SYNCED[self.name]


# -- the kinds ----------------------------------------------------------------------------


def _talents(run: SyncRun) -> Iterator[Step]:
    client, (since, until) = remote.client(), _window(run)

    def read(token: str | None) -> Any:
        return client.list_talents(page_token=token, updated_from_ms=since, updated_until_ms=until)

    yield from _stored(_believed(run, Talent, _pages(read, run.cursor), "id"), mirror.store_talents)


def _applications(run: SyncRun) -> Iterator[Step]:
    """H5 hands out ids only; each record is a read of its own (H6)."""
    client, (since, until) = remote.client(), _window(run)

    def read(token: str | None) -> Any:
        return client.list_application_ids(
            page_token=token, updated_from_ms=since, updated_until_ms=until
        )

    for listed in _believed(run, Application, _pages(read, run.cursor), ""):
        left = len(listed.items)
        if not left:
            yield Step(listed.next_cursor, 0, 0)
        for ids in _chunks(listed.items, CHUNK):
            asked_at = timezone.now()
            payloads = [p for p in map(_application_or_none, ids) if p is not None]
            stored = mirror.store_applications(payloads, asked_at=asked_at, origin=POLLED)
            left -= len(ids)
            # The page is done with its last chunk; until then it is read again.
            yield _step(listed.cursor if left else listed.next_cursor, len(ids), stored)


def _window(run: SyncRun) -> tuple[int | None, int | None]:
    """What H1 and H5 are asked for: everything, or what was updated between two moments."""
    if run.since is None:
        return None, None
    return _ms(run.since), _ms(run.started_at + CLOCKS_APART)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _application_or_none(application_id: Any) -> Any:
    """H6, which Feishu no longer extends; H7 where H6 is not there any more."""
    try:
        return remote.client().get_application(str(application_id), background=True)
    except remote.errors.InvalidId:
        # No record, so it is put aside by whoever stores it.
        return [application_id]
    except ABOUT_THE_APP:
        raise
    except remote.errors.Refused as error:
        log.warning("application refused with code %s (log %s)", error.code, error.log_id)
        return None
    except remote.errors.NoAnswer as error:
        if error.http_status not in ENDPOINT_GONE:
            raise
    detail = remote.client().get_application_detail(str(application_id), background=True)
    return detail.get("basic_info")


def _employees(run: SyncRun) -> Iterator[Step]:
    """Hire has no list of employees: they are found through their applications (H11)."""
    onboarded = models.Q(stage_type__in=(StageType.ONBOARDED.value, ""))
    known = models.Q(feishu_id__in=Employee.objects.values("application_id"))
    wanted = Application.objects.filter(onboarded | known).order_by("pk")
    total = wanted.count()
    last = int(run.cursor or 0)
    while rows := list(wanted.filter(pk__gt=last).values_list("pk", "feishu_id")[:CHUNK]):
        asked_at = timezone.now()
        answers = {row[1]: _employee_or_none(row[1]) for row in rows}
        payloads = [payload for payload in answers.values() if payload is not None]
        stored = mirror.store_employees(payloads, asked_at=asked_at, origin=POLLED)
        missing = [application_id for application_id, payload in answers.items() if payload is None]
        mirror.note_missing_employees(missing, among=answers, asked_at=asked_at)
        last = rows[-1][0]
        yield _step(str(last), len(rows), stored, of=total)


def _employee_or_none(application_id: str) -> Any:
    try:
        return remote.client().get_employee_by_application(application_id, background=True)
    except remote.errors.Refused as error:
        if error.code == NOT_ONBOARDED:
            return None
        raise


def _pre_hires(run: SyncRun) -> Iterator[Step]:
    """All of them; or those updated on the days since, and again those still awaited."""
    client = remote.client()
    days = None
    if run.since is not None:
        days = (timezone.localdate(run.since), timezone.localdate(run.started_at))

    def read(token: str | None) -> Any:
        return client.search_pre_hires(fields=PRE_HIRE_FIELDS, page_token=token, updated_days=days)

    def read_again(rows: Sequence[Any]) -> Any:
        ids = [row.feishu_id for row in rows]
        return client.search_pre_hires(fields=PRE_HIRE_FIELDS, pre_hire_ids=ids)

    store = partial(mirror.store_pre_hires, origin=POLLED)
    if run.cursor != AGAIN:
        pages = _believed(run, PreHire, _pages(read, run.cursor), "pre_hire_id")
        yield from _stored(pages, store, behind=SEARCH_BEHIND)
    if run.since is not None:
        awaited = models.Q(onboarding_status__in=rules.AWAITED)
        yield from _read_again(run, PreHire, awaited, read_again, store, behind=SEARCH_BEHIND)


def _offboardings(run: SyncRun) -> Iterator[Step]:
    """All of them; or those that are open, and again those that were open and are no longer
    among them: O1 has no filter by the time of an update."""
    client = remote.client()
    statuses = None if run.is_whole else sorted(rules.LEAVING)

    def read(token: str | None) -> Any:
        return client.search_offboardings(page_token=token, statuses=statuses)

    def read_again(rows: Sequence[Any]) -> Any:
        return client.search_offboardings(employment_ids=[row.employment_id for row in rows])

    store = partial(mirror.store_offboardings, origin=POLLED)
    if run.cursor != AGAIN:
        pages = _believed(run, Offboarding, _pages(read, run.cursor), "offboarding_id")
        yield from _stored(pages, store)
    if run.since is not None:
        was_open = models.Q(status__in=rules.LEAVING)
        yield from _read_again(run, Offboarding, was_open, read_again, store)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page of a list: where it stands, and where the next one begins."""

    items: Sequence[Any]
    asked_at: datetime
    cursor: str
    next_cursor: str


def _pages(read: Callable[[str | None], Any], cursor: str) -> Iterator[Listed]:
    """A list page by page from `cursor` on. Raises NoAnswer when Feishu hands out a page a
    second time, which would go on for ever."""
    token, seen = cursor or None, {cursor}
    while True:
        asked_at = timezone.now()
        page = read(token)
        yield Listed(page.items, asked_at, token or "", page.next_token or "")
        token = page.next_token
        if token is None:
            return
        if token in seen:
            raise remote.errors.NoAnswer(page.endpoint, PAGES_REPEAT)
        seen.add(token)


def _stored(
    pages: Iterable[Listed],
    store: Callable[..., Stored],
    *,
    behind: timedelta = timedelta(0),
) -> Iterator[Step]:
    """Lists that come with their records. `behind`: how old an answer may be by itself."""
    for listed in pages:
        stored = store(listed.items, asked_at=listed.asked_at - behind)
        yield _step(listed.next_cursor, len(listed.items), stored)


def _read_again(
    run: SyncRun,
    model: type[Vanishing],
    condition: models.Q,
    read: Callable[[Sequence[Any]], Any],
    store: Callable[..., Stored],
    *,
    behind: timedelta = timedelta(0),
) -> Iterator[Step]:
    """Records that this pass has not met although they may have changed; what is not found is
    missing."""
    unmet = model.everyone.filter(condition | ~models.Q(missing_since=None), gone_at=None)
    last = 0
    while True:
        rows = list(
            unmet.filter(pk__gt=last, asked_at__lt=run.started_at - behind).order_by("pk")[:CHUNK]
        )
        if not rows:
            return
        asked_at = timezone.now()
        items = [item for page in _pages_of(read, rows) for item in page]
        stored = store(items, asked_at=asked_at - behind)
        mirror.note_unmet(model, rows, since=asked_at - behind, asked_at=asked_at)
        last = rows[-1].pk
        yield _step(AGAIN, len(items), stored)


def _pages_of(read: Callable[[Sequence[Any]], Any], rows: Sequence[Any]) -> Iterator[Any]:
    """A person may have had several offboardings: then a page is not enough, and each half
    is asked for by itself."""
    page = read(rows)
    if page.next_token is None or len(rows) == 1:
        yield page.items
        return
    half = len(rows) // 2
    yield from _pages_of(read, rows[:half])
    yield from _pages_of(read, rows[half:])


def _believed(
    run: SyncRun, model: type[models.Model], pages: Iterator[Listed], id_field: str
) -> Iterator[Listed]:
    """The pages, held back until one shows a record that we know.

    A list in which there is none comes from another company, or something else is wrong:
    nothing of it is stored, and a person decides. Raises NobodyKnown.
    """
    known = model._base_manager
    is_believed = bool(run.cursor) or not known.exists() or quarantine.is_allowed_foreign(run)
    held: list[Listed] = []
    for listed in pages:
        held.append(listed)
        if not is_believed:
            ids = [_listed_id(item, id_field) for item in listed.items]
            is_believed = known.filter(feishu_id__in=ids).exists()
        if is_believed:
            yield from held
            held.clear()
        elif len(held) == MOST_HELD_BACK:
            break
    found = sum(len(listed.items) for listed in held)
    if found >= quarantine.FEW:
        raise quarantine.NobodyKnown(found)
    yield from held


def _listed_id(item: Any, id_field: str) -> str:
    """Which record an item of a list is; "" when it does not say."""
    named = item.get(id_field) if id_field and isinstance(item, Mapping) else item
    return named if isinstance(named, str) else ""


def _employments(run: SyncRun) -> Iterator[Step]:
    """CoreHR employments of everybody we know to be there, with their Feishu accounts."""
    total = _employment_ids("").count()
    for chunk in _in_order(_employment_ids, run.cursor, CHUNK):
        asked_at = timezone.now()
        payloads = list(_employment_payloads(chunk))
        stored = mirror.store_employments(
            payloads, asked_at=asked_at - SEARCH_BEHIND, origin=POLLED
        )
        stored.unreadable += _link_accounts(chunk).unreadable
        yield _step(chunk[-1], len(chunk), stored, of=total)


def _in_order(
    ids: Callable[[str], models.QuerySet[Any]], after: str, size: int
) -> Iterator[list[str]]:
    """The ids after this one, so many at a time. To find them costs more than to read them,
    so they are found in larger parts."""
    while part := list(ids(after)[:IDS_AT_ONCE]):
        yield from _chunks(part, size)
        after = part[-1]


def _employment_ids(after: str) -> models.QuerySet[Any]:
    """Those named by Hire's employees and by offboardings, in order."""
    named = Offboarding.objects.filter(employment_id__gt=after).order_by()
    hired = Employee.objects.filter(employment_id__gt=after).order_by()
    return (
        hired.values_list("employment_id", flat=True)
        .union(named.values_list("employment_id", flat=True))
        .order_by("employment_id")
    )


def _employment_payloads(ids: Sequence[str]) -> Iterator[Any]:
    """One id outside the app's data scope has the whole call refused with 1160104, so a
    refused batch is halved until the id is alone."""
    try:
        yield from remote.client().batch_get_employments(ids, fields=EMPLOYMENT_FIELDS).items
    except remote.errors.ScopeMissing:
        raise
    except remote.errors.Refused as error:
        if error.code != 1160104:
            raise
        if len(ids) == 1:
            log.warning("an employment is outside the app's data scope (log %s)", error.log_id)
            return
        half = len(ids) // 2
        yield from _employment_payloads(ids[:half])
        yield from _employment_payloads(ids[half:])


def _link_accounts(employment_ids: Sequence[str]) -> Stored:
    asked_at = timezone.now()
    page = remote.client().convert_ids(employment_ids, id_transform_type=1, id_type="user_id")
    return organisation.link_people_to_contacts(page.items, asked_at=asked_at)


def _departments(run: SyncRun) -> Iterator[Step]:
    def read(token: str | None) -> Any:
        return remote.client().search_departments(fields=DEPARTMENT_FIELDS, page_token=token)

    yield from _stored(_pages(read, run.cursor), organisation.store_departments)
    organisation.rebuild_department_paths()


def _contacts(run: SyncRun) -> Iterator[Step]:
    """Everybody with an account, and their leaders up to the top: Feishu's directory has no
    list that this app may read, so people are asked for by the ids that are known."""
    for ids in _in_order(_account_ids, run.cursor, CONTACTS_AT_ONCE):
        yield _step(ids[-1], len(ids), _read_contacts(ids))
    position = run.cursor
    # Leaders that only this pass has learnt of, and their leaders; one whom Feishu does not
    # show stays unread, so a round that finds nobody is the last.
    found = 1
    while found:
        found = 0
        for ids in _in_order(partial(_leaders_unread, run), "", CONTACTS_AT_ONCE):
            stored = _read_contacts(ids)
            # Of those asked for: Feishu may answer with somebody else, again and again.
            read = Contact.objects.filter(asked_at__gte=run.started_at)
            found += read.filter(feishu_id__in=ids).count()
            yield _step(position, len(ids), stored)
    organisation.rebuild_reporting_lines()


def _read_contacts(open_ids: Sequence[str]) -> Stored:
    asked_at = timezone.now()
    items = remote.client().batch_get_users(open_ids).items
    return organisation.store_contacts(items, asked_at=asked_at)


def _account_ids(after: str) -> models.QuerySet[Any]:
    """The accounts that any record names, in order."""
    named = [
        model._default_manager.filter(**{f"{column}__gt": after})
        .order_by()
        .values_list(column, flat=True)
        for model, column in NAMES_ACCOUNTS
    ]
    return named[0].union(*named[1:]).order_by(NAMES_ACCOUNTS[0][1])


def _leaders_unread(run: SyncRun, after: str) -> models.QuerySet[Any]:
    read = Contact.objects.filter(asked_at__gte=run.started_at).values("feishu_id")
    led = Contact.objects.filter(leader_open_id__gt=after).exclude(leader_open_id__in=read)
    leaders = led.order_by("leader_open_id").values_list("leader_open_id", flat=True)
    return leaders.distinct()


def _catalogues(run: SyncRun) -> Iterator[Step]:
    """Each list stands alone: one that is refused does not keep the others from being read."""
    problem: Exception | None = None
    for kind, read in CATALOGUES.items():
        asked_at = timezone.now()
        try:
            entries = list(read())
        except remote.errors.FeishuError as error:
            problem = error
            continue
        stored = organisation.store_catalogue(kind, entries, asked_at=asked_at)
        yield _step("", len(entries), stored)
    if problem is not None:
        raise problem


def _core_hr_employee_types() -> Iterator[Entry]:
    return _entries(remote.client().list_employee_types, "id")


def _employee_types() -> Iterator[Entry]:
    return _in_directory(_core_hr_employee_types(), "employee_type_id")


def _job_levels() -> Iterator[Entry]:
    return _in_directory(_entries(remote.client().list_job_levels, "id"), "job_level_id")


def _job_families() -> Iterator[Entry]:
    """Those of people in CoreHR by name, and the ids that Hire's employees hold besides."""
    holders = Employment.objects.order_by("asked_at").values_list("payload__job_family", flat=True)
    entries = [_entry(family, "id") for family in holders.iterator() if not _is_unset(family, "id")]
    named = {entry.feishu_id: entry for entry in entries if entry.has_id}
    yield from (entry for entry in entries if not entry.has_id)
    listed = list(_in_directory(named.values(), "job_family_id"))
    yield from listed
    known = {entry.feishu_id for entry in listed if entry.has_id}
    for feishu_id in sorted(_filled(Employee, "job_family_id") - known):
        yield Entry(feishu_id, "", {})


def _is_unset(part: Any, id_field: str) -> bool:
    """Whether a record simply has no such part; one that makes no sense is something else."""
    return not part or (isinstance(part, Mapping) and part.get(id_field) in (None, ""))


def _in_directory(entries: Iterable[Entry], id_type: str) -> Iterator[Entry]:
    """Entries of CoreHR with the ids of Feishu's directory, which Hire uses (R12). What of them
    or of their ids cannot be read comes along as an entry without an id."""
    for chunk in _chunks(entries, CHUNK):
        yield from (replace(one, feishu_id=None) for one in chunk if not _is_convertible(one))
        by_id = {one.feishu_id: one for one in chunk if _is_convertible(one)}
        if not by_id:
            continue
        page = remote.client().convert_ids(list(by_id), id_transform_type=1, id_type=id_type)
        for item in page.items:
            yield from _converted(by_id, item)


def _is_convertible(entry: Entry) -> bool:
    return entry.has_id and len(entry.feishu_id) <= CONVERTIBLE


def _converted(entries: Mapping[str, Entry], item: Any) -> Iterator[Entry]:
    """The entry that an item of R12 is about, under its other id; none for one without."""
    if not isinstance(item, Mapping) or not isinstance(item.get("id"), str):
        yield Entry(None, "", item)
        return
    entry = entries.get(item["id"])
    if entry is None or not item.get("target_id"):
        return
    converted = replace(entry, feishu_id=item["target_id"])
    yield converted if converted.has_id else replace(converted, feishu_id=None, payload=item)


def _locations() -> Iterator[Entry]:
    """A3 names a location by the code of its city; several may share one."""
    read = partial(remote.client().list_locations, usage="position_location", page_size=100)
    for page in remote.Client.pages(read):
        for item in page.items:
            city = item.get("city") if isinstance(item, Mapping) else item
            if not isinstance(item, Mapping) or not isinstance(city, Mapping | None):
                yield Entry(None, "", item)
            elif city and city.get("code"):
                yield Entry(city["code"], city.get("name") or item.get("name"), city)


def _job_requirements() -> Iterator[Entry]:
    return _entries(partial(remote.client().list_job_requirements, page_size=100), "id")


def _cost_centers() -> Iterator[Entry]:
    for entry in _entries(remote.client().search_cost_centers, "cost_center_id"):
        yield replace(entry, ends_on=organisation.last_day(_part(entry.payload, "expiration_time")))


def _reasons() -> Iterator[Entry]:
    for item in remote.client().list_offboarding_reasons().items:
        entry = _entry(item, "offboarding_reason_unique_identifier")
        yield replace(entry, is_active=bool(_part(item, "active")))


def _offboarding_fields() -> Iterator[Entry]:
    """The custom fields, and those of the standard ones that Feishu knows by the names of O1."""
    yield from _fields("offboarding_info")
    for name in STANDARD_FIELDS:
        item = _field_or_none("offboarding_info", name)
        if item is not None:
            yield _field_entry(item | {"custom_api_name": name})


def _fields(object_name: str) -> Iterator[Entry]:
    """Custom fields by R3; one whose options it leaves out is asked for alone (R4)."""
    for item in remote.client().list_custom_fields([object_name]).items:
        entry = _field_entry(item)
        is_whole = _part(item, "type") != ENUM or _part(item, "common_schema_config")
        if is_whole or not entry.has_id:
            yield entry
        else:
            alone = _field_or_none(object_name, entry.feishu_id)
            named = {"custom_api_name": entry.feishu_id}
            yield entry if alone is None else _field_entry(alone | named)


def _field_entry(item: Any) -> Entry:
    is_open = _part(item, "is_open") is not False
    return replace(_entry(item, "custom_api_name"), is_active=is_open)


def _field_or_none(object_name: str, api_name: str) -> Any:
    """One field by R4, standard or custom; None for one Feishu does not know."""
    try:
        return remote.client().get_custom_field(
            object_api_name=object_name, custom_api_name=api_name, background=True
        )
    except remote.errors.Refused as error:
        if error.code in NO_SUCH_FIELD:
            return None
        raise


def _entries(method: Callable[..., Any], id_field: str) -> Iterator[Entry]:
    for page in remote.Client.pages(method):
        for item in page.items:
            yield _entry(item, id_field)


def _entry(item: Any, id_field: str) -> Entry:
    is_active = _part(item, "active") is not False
    return Entry(_part(item, id_field), _part(item, "name"), item, is_active=is_active)


def _part(item: Any, name: str) -> Any:
    """A field of an item, which may be no object."""
    return item.get(name) if isinstance(item, Mapping) else None


CATALOGUES: dict[str, Callable[[], Iterable[Entry]]] = {
    CatalogueEntry.Kind.CORE_HR_EMPLOYEE_TYPE: _core_hr_employee_types,
    CatalogueEntry.Kind.EMPLOYEE_TYPE: _employee_types,
    CatalogueEntry.Kind.JOB_LEVEL: _job_levels,
    CatalogueEntry.Kind.JOB_FAMILY: _job_families,
    CatalogueEntry.Kind.LOCATION: _locations,
    CatalogueEntry.Kind.JOB_REQUIREMENT: _job_requirements,
    CatalogueEntry.Kind.COST_CENTER: _cost_centers,
    CatalogueEntry.Kind.OFFBOARDING_REASON: _reasons,
    CatalogueEntry.Kind.OFFBOARDING_FIELD: _offboarding_fields,
    CatalogueEntry.Kind.PRE_HIRE_FIELD: partial(_fields, "pre_hire"),
}


def _settle_list(model: type[Vanishing], behind: timedelta, run: SyncRun) -> None:
    if run.is_whole:
        since = run.started_at - behind
        mirror.note_unseen(model, since=since, asked_at=timezone.now())
    quarantine.settle_missing(run)


KINDS: dict[str, SyncKind] = {
    kind.name: kind
    for kind in (
        SyncKind("departments", Department, _departments),
        SyncKind("talents", Talent, _talents, is_incremental=True),
        SyncKind(
            "applications",
            Application,
            _applications,
            is_incremental=True,
        ),
        SyncKind(
            "employees",
            Employee,
            _employees,
            quarantine.settle_missing,
        ),
        SyncKind(
            "pre_hires",
            PreHire,
            _pre_hires,
            partial(_settle_list, PreHire, SEARCH_BEHIND),
            is_incremental=True,
        ),
        SyncKind(
            "offboardings",
            Offboarding,
            _offboardings,
            partial(_settle_list, Offboarding, timedelta(0)),
            is_incremental=True,
        ),
        SyncKind("employments", Employment, _employments),
        SyncKind("contacts", Contact, _contacts),
        SyncKind("catalogues", CatalogueEntry, _catalogues),
    )
}


class TakenOver(Exception):
    """Our lease ran out, and another process goes on with the run."""


# -- a pass -------------------------------------------------------------------------------


def sync_kind(
    name: str, *, since: datetime | None = None, progress: Progress | None = None
) -> SyncRun | None:
    """One pass over one kind, from where a pass that was cut off had stopped.

    `since`: read only what may have changed since then, where Feishu can tell. Returns the
    finished run, or None when another process is at it. Never raises for what Feishu answers,
    nor for an answer nobody thought of: the run says what went wrong.
    """
    run = _begin(name, since if KINDS[name].is_incremental else None)
    if run is None:
        return None
    try:
        _finish(run, _go_through(run, progress))
    except TakenOver:
        log.warning("sync of %s was taken over by another process", name)
        return None
    return run


def _go_through(run: SyncRun, progress: Progress | None) -> Exception | None:
    """Read and store to the end; what stood in the way, None for nothing."""
    try:
        _pass_over(KINDS[run.kind], run, progress)
    except TakenOver:
        raise
    except remote.errors.FeishuError as error:
        return error
    except Exception as error:
        # Whatever is wrong with this kind must not keep the others from being synced.
        log.exception("sync of %s broke off", run.kind)
        return error
    return None


def _pass_over(kind: SyncKind, run: SyncRun, progress: Progress | None) -> None:
    try:
        for step in kind.steps(run):
            _advance(run, step)
            if progress is not None:
                progress(run, step.of)
    except quarantine.NobodyKnown as error:
        if run.is_whole:
            quarantine.hold_foreign(run, found=error.found)
            raise
        # Only new ones in a short time may be right: a whole pass tells.
        _make_whole(run)
        return _pass_over(kind, run, progress)
    if run.is_whole:
        quarantine.close_foreign(run)
    if kind.settle is not None:
        kind.settle(run)


def _make_whole(run: SyncRun) -> None:
    run.since, run.cursor, run.started_at = None, "", timezone.now()
    _keep(run, "since", "cursor", "started_at")


def sync_all(*, progress: Progress | None = None) -> list[SyncRun]:
    """One pass over every kind, in the order in which they build on each other."""
    runs = [sync_kind(name, progress=progress) for name in KINDS]
    return [run for run in runs if run is not None]


def taken_by_another(name: str) -> SyncRun | None:
    """The pass over this kind that another process is at, as far as its lease tells."""
    held = SyncRun.objects.filter(kind=name, state=SyncRun.State.RUNNING)
    return held.filter(lease_until__gte=timezone.now()).first()


def _begin(name: str, since: datetime | None = None) -> SyncRun | None:
    """A new run, or one that was cut off and is taken over."""
    now = timezone.now()
    running = SyncRun.objects.filter(kind=name, state=SyncRun.State.RUNNING).first()
    if running is None:
        try:
            with transaction.atomic():
                return SyncRun.objects.create(
                    kind=name, lease_until=now + LEASE, **_beginning(name, since, at=now)
                )
        except IntegrityError:
            return None
    taken = SyncRun.objects.filter(
        pk=running.pk, state=SyncRun.State.RUNNING, lease_until__lt=now
    ).update(lease_until=now + LEASE)
    if not taken:
        return None
    has_lain = now - running.lease_until
    running.refresh_from_db()
    if has_lain > RESUME_WITHIN:
        running.cursor = ""
    return running


def _beginning(name: str, since: datetime | None, *, at: datetime) -> dict[str, Any]:
    """A new pass begins at the first record, or goes on from where the last one had to stop
    because nothing answered: hours of reading are not lost to one bad minute."""
    last = SyncRun.objects.filter(kind=name).order_by("-pk").first()
    goes_on = (
        last is not None
        and last.state == SyncRun.State.FAILED
        and last.cursor
        and last.is_whole == (since is None)
        and at - (last.finished_at or last.started_at) <= RESUME_WITHIN
    )
    if last is None or not goes_on:
        return {"since": since, "started_at": at}
    kept = ("since", "started_at", "cursor", "read", "stored", "unreadable")
    return {name: getattr(last, name) for name in kept}


def _is_passing(error: Exception) -> bool:
    """Whether the same question may well be answered later, so that the place is kept."""
    if isinstance(error, remote.errors.NoAnswer):
        return error.problem != PAGES_REPEAT
    return isinstance(
        error,
        (
            remote.errors.NotSent,
            remote.errors.Throttled,
            remote.errors.LimiterBusy,
            OperationalError,
        ),
    )


def _advance(run: SyncRun, step: Step) -> None:
    run.cursor = step.cursor
    run.read += step.read
    run.stored += step.stored
    run.unreadable += step.unreadable
    _keep(run, "cursor", "read", "stored", "unreadable")


def _keep(run: SyncRun, *names: str) -> None:
    """Save and renew the lease, as long as the run is still ours."""
    lease_until = timezone.now() + LEASE
    ours = SyncRun.objects.filter(
        pk=run.pk, state=SyncRun.State.RUNNING, lease_until=run.lease_until
    )
    if not ours.update(lease_until=lease_until, **{name: getattr(run, name) for name in names}):
        raise TakenOver
    run.lease_until = lease_until


@transaction.atomic
def _finish(run: SyncRun, error: Exception | None) -> None:
    run.finished_at = timezone.now()
    run.state = SyncRun.State.DONE if error is None else SyncRun.State.FAILED
    if error is not None:
        run.problem, run.detail, run.log_id = _problem_of(error)
        run.cursor = run.cursor if _is_passing(error) else ""
    _keep(run, "finished_at", "state", "problem", "detail", "log_id", "cursor")
    data = {
        "kind": run.kind,
        "read": run.read,
        "stored": run.stored,
        "unreadable": run.unreadable,
        "run": run.pk,
    }
    if error is None:
        action_log.record("sync.finished", actor=None, data=data)
        return
    log.warning("sync of %s failed: %s (log %s)", run.kind, run.problem, run.log_id)
    action_log.record(
        "sync.failed", actor=None, data=data | {"problem": run.problem, "log_id": run.log_id}
    )


def _problem_of(error: Exception) -> tuple[str, str, str]:
    """(one word, what a person needs to know, Feishu's log id)."""
    if isinstance(error, quarantine.NobodyKnown):
        return "nobody-known", "", ""
    if isinstance(error, remote.errors.ScopeMissing):
        return SCOPE_MISSING, " ".join([*error.scopes, *error.links]), error.log_id or ""
    if isinstance(error, remote.errors.Refused):
        return f"code-{error.code}", error.envelope.msg[:500], error.log_id or ""
    if isinstance(error, remote.errors.NoAnswer):
        return "no-answer", error.problem, error.log_id or ""
    if isinstance(error, remote.errors.NotSent):
        return "not-sent", error.problem, ""
    return type(error).__name__[:60], "", ""


def _step(cursor: str, read: int, stored: Stored, *, of: int | None = None) -> Step:
    return Step(cursor, read, stored.stored, len(stored.unreadable), of)


def _filled(model: type[models.Model], column: str) -> set[str]:
    """The values of a column, without the empty one."""
    rows = model._default_manager.exclude(**{column: ""})
    return set(rows.values_list(column, flat=True))


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


# -- what the screens ask -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KindHealth:
    """How the mirror of one kind stands."""

    kind: str
    label: Words
    last_success_at: datetime | None
    is_stale: bool
    running: SyncRun | None
    last: SyncRun | None
    rows: int
    problem: str
    unreadable: int
    # Events of the last day.
    changes: int

    @property
    def lacks_scope(self) -> bool:
        """Feishu has refused for want of a permission; `last.detail` names it."""
        return self.problem == SCOPE_MISSING

    @property
    def seconds(self) -> float | None:
        """How long the last pass took."""
        if self.last is None or self.last.finished_at is None:
            return None
        return (self.last.finished_at - self.last.started_at).total_seconds()


def mirror_health() -> list[KindHealth]:
    """Every kind with its last pass; four queries and a count per kind."""
    newest = SyncRun.objects.filter(
        pk__in=SyncRun.objects.values("kind").annotate(newest=models.Max("pk")).values("newest")
    )
    last = {run.kind: run for run in newest}
    successes = dict(
        SyncRun.objects.filter(state=SyncRun.State.DONE)
        .values_list("kind")
        .annotate(models.Max("finished_at"))
    )
    unreadable = dict(UnreadableRecord.objects.values_list("kind").annotate(models.Count("pk")))
    since = timezone.now() - timedelta(days=1)
    events = ChangeEvent.objects.filter(seen_at__gte=since).order_by()
    changes = dict(events.values_list("record_kind").annotate(models.Count("pk")))
    return [
        _health(kind, last.get(kind.name), successes.get(kind.name), unreadable, changes)
        for kind in KINDS.values()
    ]


def _health(
    kind: SyncKind,
    last: SyncRun | None,
    success: datetime | None,
    unreadable: dict[str, int],
    changes: dict[str, int],
) -> KindHealth:
    stale = success is None or success < timezone.now() - settings.MIRROR_STALE_AFTER
    running = last if last is not None and last.state == SyncRun.State.RUNNING else None
    return KindHealth(
        kind=kind.name,
        label=kind.label,
        last_success_at=success,
        is_stale=stale,
        running=running,
        last=last,
        rows=kind.model._default_manager.count(),
        problem=last.problem if last is not None and last.state == SyncRun.State.FAILED else "",
        unreadable=unreadable.get(kind.model._meta.model_name or "", 0),
        changes=changes.get(kind.name.replace("_", "-"), 0),
    )


def last_synced_at(kind: str = "employees") -> datetime | None:
    """When the mirror of this kind was last brought up to date."""
    run = SyncRun.objects.filter(kind=kind, state=SyncRun.State.DONE).order_by("-pk").first()
    return run.finished_at if run else None


@transaction.atomic
def request_sync(*, acting_user: User) -> None:
    """Ask for a pass over everything, in the background."""
    action_log.record("sync.requested", actor=acting_user)
    async_task("lifecycle.jobs.sync_all")
