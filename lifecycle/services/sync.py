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
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import action_log, mirror, organisation, remote
from lifecycle.errors.words import Words
from lifecycle.models import (
    Application,
    CatalogueEntry,
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
from lifecycle.organisation import Entry
from lifecycle.rules import StageType
from lifecycle.services import quarantine

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Progress = Callable[[SyncRun, int | None], None]

LEASE = timedelta(minutes=3)
RESUME_WITHIN = timedelta(hours=2)
CHUNK = 100
NOT_ONBOARDED = 1002903
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
    """One kind of record: how to read and store all of it, from a position on.

    `settle`: what a whole pass ends with, such as who is gone.
    """

    name: str
    label: Words
    model: type[models.Model]
    steps: Callable[[str], Iterator[Step]]
    settle: Callable[[SyncRun], None] | None = None


# -- the kinds ----------------------------------------------------------------------------


def _talents(cursor: str) -> Iterator[Step]:
    client = remote.client()
    return _paged(lambda token: client.list_talents(page_token=token), mirror.store_talents, cursor)


def _applications(cursor: str) -> Iterator[Step]:
    """H5 hands out ids only; each record is a read of its own (H6)."""
    client, token = remote.client(), cursor or None
    while True:
        page = client.list_application_ids(page_token=token)
        left = len(page.items)
        for ids in _chunks(page.items, CHUNK):
            asked_at = timezone.now()
            payloads = [p for p in map(_application_or_none, ids) if p is not None]
            stored = mirror.store_applications(payloads, asked_at=asked_at)
            left -= len(ids)
            # The page is done with its last chunk; until then it is read again.
            token = token if left else page.next_token
            yield _step(token or "", len(ids), stored)
        token = page.next_token
        if token is None:
            return


def _application_or_none(application_id: Any) -> Any:
    """H6, which Feishu no longer extends; H7 where H6 is not there any more."""
    try:
        return remote.client().get_application(str(application_id), background=True)
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


def _employees(cursor: str) -> Iterator[Step]:
    """Hire has no list of employees: they are found through their applications (H11)."""
    onboarded = models.Q(stage_type__in=(StageType.ONBOARDED.value, ""))
    known = models.Q(feishu_id__in=Employee.objects.values("application_id"))
    wanted = Application.objects.filter(onboarded | known).order_by("pk")
    total = wanted.count()
    last = int(cursor or 0)
    while rows := list(wanted.filter(pk__gt=last).values_list("pk", "feishu_id")[:CHUNK]):
        asked_at = timezone.now()
        answers = {row[1]: _employee_or_none(row[1]) for row in rows}
        payloads = [payload for payload in answers.values() if payload is not None]
        stored = mirror.store_employees(payloads, asked_at=asked_at)
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


def _pre_hires(cursor: str) -> Iterator[Step]:
    client = remote.client()
    return _paged(
        lambda token: client.search_pre_hires(fields=PRE_HIRE_FIELDS, page_token=token),
        mirror.store_pre_hires,
        cursor,
    )


def _offboardings(cursor: str) -> Iterator[Step]:
    client = remote.client()
    return _paged(
        lambda token: client.search_offboardings(page_token=token),
        mirror.store_offboardings,
        cursor,
    )


def _paged(
    read: Callable[[str | None], Any], store: Callable[..., mirror.Stored], cursor: str
) -> Iterator[Step]:
    """A list that comes with its records, page by page from `cursor` on."""
    token = cursor or None
    while True:
        asked_at = timezone.now()
        page = read(token)
        stored = store(page.items, asked_at=asked_at)
        token = page.next_token
        yield _step(token or "", len(page.items), stored)
        if token is None:
            return


def _employments(cursor: str) -> Iterator[Step]:
    """CoreHR employments of everybody we know to be there, with their Feishu accounts."""
    ids = sorted(_filled(Employee, "employment_id") | _filled(Offboarding, "employment_id"))
    start = int(cursor or 0)
    for done, chunk in enumerate(_chunks(ids[start:], CHUNK)):
        asked_at = timezone.now()
        payloads = list(_employment_payloads(chunk))
        stored = mirror.store_employments(payloads, asked_at=asked_at)
        _link_accounts(chunk)
        yield _step(str(start + (done + 1) * CHUNK), len(chunk), stored, of=len(ids))


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


def _link_accounts(employment_ids: Sequence[str]) -> None:
    page = remote.client().convert_ids(employment_ids, id_transform_type=1, id_type="user_id")
    pairs = [(str(item.get("id", "")), str(item.get("target_id", ""))) for item in page.items]
    organisation.link_people_to_contacts(pairs)


def _departments(cursor: str) -> Iterator[Step]:
    client, token = remote.client(), cursor or None
    while True:
        asked_at = timezone.now()
        page = client.search_departments(fields=DEPARTMENT_FIELDS, page_token=token)
        count = organisation.store_departments(page.items, asked_at=asked_at)
        token = page.next_token
        yield Step(token or "", len(page.items), count)
        if token is None:
            break
    organisation.rebuild_department_paths()


def _contacts(cursor: str) -> Iterator[Step]:
    """Everybody with an account, and their leaders up to the top: Feishu's directory has no
    list that this app may read, so people are asked for by the ids that are known."""
    asked: set[str] = set()
    wanted = (
        _filled(Employee, "leader_open_id")
        | set(
            Department.objects.exclude(manager_open_id="").values_list("manager_open_id", flat=True)
        )
        | _filled(User, "open_id")
        | _filled(Person, "open_id")
    )
    while wanted:
        leaders: set[str] = set()
        for ids in _chunks(sorted(wanted), 50):
            asked_at = timezone.now()
            items = remote.client().batch_get_users(ids).items
            count = organisation.store_contacts(items, asked_at=asked_at)
            leaders |= {str(item.get("leader_user_id") or "") for item in items}
            yield Step("", len(ids), count)
        asked |= wanted
        wanted = leaders - asked - {""}
    organisation.rebuild_reporting_lines()


def _catalogues(cursor: str) -> Iterator[Step]:
    """Each list stands alone: one that is refused does not keep the others from being read."""
    problem: Exception | None = None
    for kind, read in CATALOGUES.items():
        asked_at = timezone.now()
        try:
            entries = list(read())
        except (remote.errors.FeishuError, KeyError) as error:
            # Refused, or an entry without the id its page promises.
            problem = error
            continue
        count = organisation.store_catalogue(kind, entries, asked_at=asked_at)
        yield Step("", len(entries), count)
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
    named: dict[str, Entry] = {}
    holders = Employment.objects.order_by("asked_at").values_list("payload__job_family", flat=True)
    for family in holders.iterator():
        if isinstance(family, Mapping) and family.get("id"):
            entry = _entry(family, "id")
            named[entry.feishu_id] = entry
    listed = list(_in_directory(named.values(), "job_family_id"))
    yield from listed
    for feishu_id in sorted(_filled(Employee, "job_family_id") - {e.feishu_id for e in listed}):
        yield Entry(feishu_id, "", {})


def _in_directory(entries: Iterable[Entry], id_type: str) -> Iterator[Entry]:
    """Entries of CoreHR with the ids of Feishu's directory, which Hire uses (R12)."""
    for chunk in _chunks(list(entries), CHUNK):
        ids = [entry.feishu_id for entry in chunk]
        page = remote.client().convert_ids(ids, id_transform_type=1, id_type=id_type)
        converted = {str(item.get("id")): str(item.get("target_id") or "") for item in page.items}
        for entry in chunk:
            if converted.get(entry.feishu_id):
                yield replace(entry, feishu_id=converted[entry.feishu_id])


def _locations() -> Iterator[Entry]:
    """A3 names a location by the code of its city; several may share one."""
    cities: dict[str, Entry] = {}
    read = partial(remote.client().list_locations, usage="position_location", page_size=100)
    for page in remote.Client.pages(read):
        for item in page.items:
            city = item.get("city") or {}
            if city.get("code"):
                cities[city["code"]] = Entry(
                    str(city["code"]), city.get("name") or item.get("name"), city
                )
    yield from cities.values()


def _job_requirements() -> Iterator[Entry]:
    return _entries(partial(remote.client().list_job_requirements, page_size=100), "id")


def _cost_centers() -> Iterator[Entry]:
    for entry in _entries(remote.client().search_cost_centers, "cost_center_id"):
        yield replace(entry, ends_on=organisation.last_day(entry.payload.get("expiration_time")))


def _reasons() -> Iterator[Entry]:
    for item in remote.client().list_offboarding_reasons().items:
        identifier = str(item["offboarding_reason_unique_identifier"])
        yield Entry(identifier, item.get("name"), item, is_active=bool(item.get("active")))


def _fields(object_name: str) -> Iterator[Entry]:
    for item in remote.client().list_custom_fields([object_name]).items:
        is_open = item.get("is_open") is not False
        yield Entry(str(item["custom_api_name"]), item.get("name"), item, is_active=is_open)


def _entries(method: Callable[..., Any], id_field: str) -> Iterator[Entry]:
    for page in remote.Client.pages(method):
        for item in page.items:
            yield _entry(item, id_field)


def _entry(item: Mapping[str, Any], id_field: str) -> Entry:
    is_active = item.get("active") is not False
    return Entry(str(item[id_field]), item.get("name"), item, is_active=is_active)


CATALOGUES: dict[str, Callable[[], Iterable[Entry]]] = {
    CatalogueEntry.Kind.CORE_HR_EMPLOYEE_TYPE: _core_hr_employee_types,
    CatalogueEntry.Kind.EMPLOYEE_TYPE: _employee_types,
    CatalogueEntry.Kind.JOB_LEVEL: _job_levels,
    CatalogueEntry.Kind.JOB_FAMILY: _job_families,
    CatalogueEntry.Kind.LOCATION: _locations,
    CatalogueEntry.Kind.JOB_REQUIREMENT: _job_requirements,
    CatalogueEntry.Kind.COST_CENTER: _cost_centers,
    CatalogueEntry.Kind.OFFBOARDING_REASON: _reasons,
    CatalogueEntry.Kind.OFFBOARDING_FIELD: partial(_fields, "offboarding_info"),
    CatalogueEntry.Kind.PRE_HIRE_FIELD: partial(_fields, "pre_hire"),
}


KINDS: dict[str, SyncKind] = {
    kind.name: kind
    for kind in (
        SyncKind("departments", Words("部门", "Departments"), Department, _departments),
        SyncKind("talents", Words("人才", "Talents"), Talent, _talents),
        SyncKind("applications", Words("投递", "Applications"), Application, _applications),
        SyncKind(
            "employees",
            Words("员工", "Employees"),
            Employee,
            _employees,
            quarantine.settle_missing_employees,
        ),
        SyncKind("pre_hires", Words("待入职", "Pre-hires"), PreHire, _pre_hires),
        SyncKind("offboardings", Words("离职", "Offboardings"), Offboarding, _offboardings),
        SyncKind("employments", Words("人事雇佣", "Employments"), Employment, _employments),
        SyncKind("contacts", Words("同事", "Colleagues"), Contact, _contacts),
        SyncKind("catalogues", Words("字典", "Catalogues"), CatalogueEntry, _catalogues),
    )
}


class TakenOver(Exception):
    """Our lease ran out, and another process goes on with the run."""


# -- a pass -------------------------------------------------------------------------------


def sync_kind(name: str, *, progress: Progress | None = None) -> SyncRun | None:
    """One pass over one kind, from where a pass that was cut off had stopped.

    Returns the finished run, or None when another process is at it. Never raises for what
    Feishu answers, nor for an answer nobody thought of: the run says what went wrong.
    """
    run = _begin(name)
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
        kind = KINDS[run.kind]
        for step in kind.steps(run.cursor):
            _advance(run, step)
            if progress is not None:
                progress(run, step.of)
        if kind.settle is not None:
            kind.settle(run)
    except TakenOver:
        raise
    except remote.errors.FeishuError as error:
        return error
    except Exception as error:
        # Whatever is wrong with this kind must not keep the others from being synced.
        log.exception("sync of %s broke off", run.kind)
        return error
    return None


def sync_all(*, progress: Progress | None = None) -> list[SyncRun]:
    """One pass over every kind, in the order in which they build on each other."""
    runs = [sync_kind(name, progress=progress) for name in KINDS]
    return [run for run in runs if run is not None]


def _begin(name: str) -> SyncRun | None:
    """A new run, or one that was cut off and is taken over."""
    now = timezone.now()
    running = SyncRun.objects.filter(kind=name, state=SyncRun.State.RUNNING).first()
    if running is None:
        try:
            with transaction.atomic():
                return SyncRun.objects.create(kind=name, started_at=now, lease_until=now + LEASE)
        except IntegrityError:
            return None
    taken = SyncRun.objects.filter(
        pk=running.pk, state=SyncRun.State.RUNNING, lease_until__lt=now
    ).update(lease_until=now + LEASE)
    if not taken:
        return None
    running.refresh_from_db()
    if running.started_at < now - RESUME_WITHIN:
        running.cursor = ""
    return running


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
    _keep(run, "finished_at", "state", "problem", "detail", "log_id")
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
    if isinstance(error, remote.errors.ScopeMissing):
        return "scope-missing", " ".join([*error.scopes, *error.links]), error.log_id or ""
    if isinstance(error, remote.errors.Refused):
        return f"code-{error.code}", error.envelope.msg[:500], error.log_id or ""
    if isinstance(error, remote.errors.NoAnswer):
        return "no-answer", error.problem, error.log_id or ""
    if isinstance(error, remote.errors.NotSent):
        return "not-sent", error.problem, ""
    return type(error).__name__[:60], "", ""


def _step(cursor: str, read: int, stored: mirror.Stored, *, of: int | None = None) -> Step:
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


def mirror_health() -> list[KindHealth]:
    """Every kind with its last pass; two queries and a count per kind."""
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
    return [
        _health(kind, last.get(kind.name), successes.get(kind.name), unreadable)
        for kind in KINDS.values()
    ]


def _health(
    kind: SyncKind, last: SyncRun | None, success: datetime | None, unreadable: dict[str, int]
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
