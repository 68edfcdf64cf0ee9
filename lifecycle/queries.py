"""What a page needs to show: one function per page's need, a fixed number of queries each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import reduce
from operator import and_
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from lifecycle import policies
from lifecycle.models import (
    ActionEntry,
    Attempt,
    CatalogueEntry,
    Contact,
    Department,
    Employee,
    Person,
    StatusChange,
    SyncRun,
    UnreadableRecord,
)
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.rules import (
    EXCLUSIVE_STATUSES,
    FINAL_STATUSES,
    ChangeStatus,
    ConversionStatus,
    OnboardStatus,
)

SEARCH_LENGTH = 60
# A waiting change whose turn is nearer than this is watched on the screen.
SOON = timedelta(seconds=90)

ON_PROBATION = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.NOT_CONVERTED.value,
)
CONVERTED = Q(
    onboard_status=OnboardStatus.ONBOARDED.value,
    conversion_status=ConversionStatus.CONVERTED.value,
)
OPEN = ~Q(status__in=[status.value for status in FINAL_STATUSES])


# -- employees ----------------------------------------------------------------------------

EMPLOYEE_TABS = ("all", "probation", "overdue", "due7", "due30", "converted", "left")
EMPLOYEE_ORDER = ("due_sort_on", "pk")


@dataclass(frozen=True, slots=True)
class EmployeeFilter:
    """What the list of employees is narrowed to; kept in its address.

    It starts with those on probation, who are the work to be done; a search that names no
    tab looks through everybody.
    """

    tab: str = "probation"
    department: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> EmployeeFilter:
        tab, q = params.get("status", ""), params.get("q", "").strip()[:SEARCH_LENGTH]
        return cls(
            tab=tab if tab in EMPLOYEE_TABS else "all" if q else "probation",
            department=params.get("department", "")[:64],
            q=q,
        )

    def with_tab(self, tab: str) -> EmployeeFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return bool(self.q or self.department) or self.tab not in ("all", "probation")

    @property
    def is_whole(self) -> bool:
        return self.tab == "all"

    def query_string(self, **more: str) -> str:
        """The address that leads back here, without what is not set."""
        values = {
            "status": "" if self.tab == "probation" and not self.q else self.tab,
            "department": self.department,
            "q": self.q,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, employees: QuerySet[Employee], *, today: date) -> QuerySet[Employee]:
        employees = employees.filter(_tab_condition(self.tab, today))
        if self.department:
            below = Department.objects.filter(path__contains=f"/{self.department}/")
            employees = employees.filter(department_id__in=below.values("feishu_id"))
        if self.q:
            employees = employees.filter(search_condition(self.q, "person__search_text"))
        return employees


def search_condition(text: str, column: str) -> Q:
    """Every word of the text, anywhere in the column; pinyin and ids are kept in lower case."""
    words = text.lower().split()
    return reduce(and_, (Q(**{f"{column}__contains": word}) for word in words), Q())


def _tab_condition(tab: str, today: date) -> Q:
    due = "expected_conversion_on"
    return {
        "all": Q(),
        "probation": ON_PROBATION,
        "overdue": ON_PROBATION & Q(**{f"{due}__lt": today}),
        "due7": ON_PROBATION & Q(**{f"{due}__range": (today, today + timedelta(days=7))}),
        "due30": ON_PROBATION & Q(**{f"{due}__range": (today, today + timedelta(days=30))}),
        "converted": CONVERTED,
        "left": Q(onboard_status=OnboardStatus.LEFT.value),
    }[tab]


@dataclass(frozen=True, slots=True)
class EmployeeCounts:
    """The figures above the list, over everybody the user may see."""

    probation: int
    due7: int
    due30: int
    overdue: int
    converted_lately: int

    def of_tab(self, tab: str) -> int | None:
        """The count beside a tab; None for tabs that are not counted."""
        return {
            "probation": self.probation,
            "due7": self.due7,
            "due30": self.due30,
            "overdue": self.overdue,
        }.get(tab)


def employee_counts(user: Someone, *, today: date) -> EmployeeCounts:
    lately = CONVERTED & Q(converted_on__range=(today - timedelta(days=30), today))
    counts = (
        policies.visible_employees(user)
        .order_by()
        .aggregate(
            **{
                tab: Count("pk", filter=_tab_condition(tab, today))
                for tab in ("probation", "due7", "due30", "overdue")
            },
            converted_lately=Count("pk", filter=lately),
        )
    )
    return EmployeeCounts(**counts)


@dataclass(frozen=True, slots=True)
class EmployeeRow:
    """An employee with the names behind the ids and the change that is under way."""

    employee: Employee
    department: str
    leader: str
    title: str
    today: date
    open_change: StatusChange | None

    @property
    def name(self) -> str:
        return self.employee.person.name or self.employee.feishu_id

    @property
    def days_left(self) -> int | None:
        """Days until the conversion is due, negative when overdue; None when nothing is due."""
        due = self.employee.expected_conversion_on
        if due is None or not self.employee.is_on_probation:
            return None
        return (due - self.today).days

    @property
    def is_due(self) -> bool:
        """True while a conversion lies ahead, or should have been made."""
        return self.employee.is_on_probation

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0

    @property
    def is_due_soon(self) -> bool:
        return self.days_left is not None and 0 <= self.days_left <= 7

    @property
    def state(self) -> str:
        if self.employee.has_left:
            return "left"
        if self.employee.is_converted:
            return "converted"
        if self.is_overdue:
            return "overdue"
        return "probation" if self.employee.is_on_probation else "unknown"


@dataclass(frozen=True, slots=True)
class EmployeePage:
    page: Page[Employee]
    rows: list[EmployeeRow]


def employee_page(
    user: Someone, narrowed: EmployeeFilter, params: Mapping[str, str], *, today: date
) -> EmployeePage:
    """One page of the list: who is due first comes first."""
    employees = narrowed.apply(policies.visible_employees(user), today=today)
    page = page_by_key(employees.select_related("person"), params, order=EMPLOYEE_ORDER)
    return EmployeePage(page, employee_rows(page.rows, today=today))


def employee_rows_by_id(user: Someone, ids: Iterable[int], *, today: date) -> list[EmployeeRow]:
    """Rows of the list by their ids, as far as the user may see them."""
    found = policies.visible_employees(user).filter(pk__in=list(ids)).select_related("person")
    return employee_rows(list(found), today=today)


def employee_rows(employees: list[Employee], *, today: date) -> list[EmployeeRow]:
    """Four more queries for the names and the open changes, however many employees."""
    departments = _department_names({e.department_id for e in employees})
    leaders = _contact_names({e.leader_open_id for e in employees})
    titles = _catalogue_names(
        {e.job_level_id for e in employees} | {e.employee_type_id for e in employees}
    )
    changes = open_changes_by_person({e.person_id for e in employees})
    return [
        EmployeeRow(
            employee=employee,
            department=departments.get(employee.department_id, ""),
            leader=leaders.get(employee.leader_open_id, ""),
            title=" · ".join(
                name
                for name in (
                    titles.get(employee.employee_type_id, ""),
                    titles.get(employee.job_level_id, ""),
                )
                if name
            ),
            today=today,
            open_change=changes.get(employee.person_id),
        )
        for employee in employees
    ]


def open_changes_by_person(person_ids: set[int]) -> dict[int, StatusChange]:
    """The open change of each person; the earliest where several wait for their turn."""
    changes = StatusChange.objects.filter(OPEN, person_id__in=person_ids).order_by("-pk")
    return {change.person_id: change for change in changes}


def _department_names(ids: set[str]) -> dict[str, str]:
    rows = Department.objects.filter(feishu_id__in=ids - {""})
    return {
        row.feishu_id: row.full_name or row.name
        for row in rows.only("feishu_id", "name", "full_name")
    }


def _contact_names(ids: set[str]) -> dict[str, str]:
    return dict(Contact.objects.filter(feishu_id__in=ids - {""}).values_list("feishu_id", "name"))


def _catalogue_names(ids: set[str]) -> dict[str, str]:
    kinds = (CatalogueEntry.Kind.EMPLOYEE_TYPE, CatalogueEntry.Kind.JOB_LEVEL)
    entries = CatalogueEntry.objects.filter(kind__in=kinds, feishu_id__in=ids - {""})
    return dict(entries.values_list("feishu_id", "name"))


@dataclass(frozen=True, slots=True)
class DepartmentChoice:
    feishu_id: str
    name: str


def department_choices(user: Someone) -> list[DepartmentChoice]:
    """The departments in reach by full name."""
    rows = policies.visible_departments(user).order_by("full_name", "pk")[:500]
    return [
        DepartmentChoice(row.feishu_id, row.full_name or row.name or row.feishu_id)
        for row in rows.only("feishu_id", "name", "full_name")
    ]


# -- changes ------------------------------------------------------------------------------

CHANGE_TABS = ("open", "attention", "succeeded", "failed", "cancelled", "all")
CHANGE_ORDER = ("-pk",)


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """What the list of status changes is narrowed to."""

    tab: str = "all"
    kind: str = ""
    q: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str], *, kinds: Iterable[str]) -> ChangeFilter:
        tab, kind = params.get("status", "all"), params.get("kind", "")
        return cls(
            tab=tab if tab in CHANGE_TABS else "all",
            kind=kind if kind in set(kinds) else "",
            q=params.get("q", "").strip()[:SEARCH_LENGTH],
        )

    def with_tab(self, tab: str) -> ChangeFilter:
        return replace(self, tab=tab)

    @property
    def is_narrow(self) -> bool:
        return self != ChangeFilter()

    def query_string(self, **more: str) -> str:
        values = {
            "status": "" if self.tab == "all" else self.tab,
            "kind": self.kind,
            "q": self.q,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, changes: QuerySet[StatusChange]) -> QuerySet[StatusChange]:
        changes = changes.filter(_change_tab_condition(self.tab))
        if self.kind:
            changes = changes.filter(kind=self.kind)
        if self.q:
            changes = changes.filter(search_condition(self.q, "person__search_text"))
        return changes


def _change_tab_condition(tab: str) -> Q:
    ended_badly = [
        ChangeStatus.FAILED.value,
        ChangeStatus.REJECTED.value,
        ChangeStatus.EXPIRED.value,
    ]
    return {
        "all": Q(),
        "open": OPEN,
        "attention": Q(status=ChangeStatus.NEEDS_ATTENTION.value),
        "succeeded": Q(status=ChangeStatus.SUCCEEDED.value),
        "failed": Q(status__in=ended_badly),
        "cancelled": Q(status=ChangeStatus.CANCELLED.value),
    }[tab]


def change_page(
    user: Someone, narrowed: ChangeFilter, params: Mapping[str, str]
) -> Page[StatusChange]:
    """One page of the list of status changes, newest first."""
    changes = narrowed.apply(policies.visible_changes(user))
    related = changes.select_related("person", "requested_by")
    return page_by_key(related, params, order=CHANGE_ORDER)


def changes_of_person(user: Someone, person_id: int, *, limit: int = 20) -> list[StatusChange]:
    """The latest changes of one person, newest first."""
    changes = policies.visible_changes(user).filter(person_id=person_id)
    return list(changes.select_related("requested_by", "undo_of").order_by("-pk")[:limit])


def employee_of(change: StatusChange) -> Employee | None:
    """The employee a change is about, None when the mirror no longer has one."""
    return Employee.objects.filter(feishu_id=change.subject_id).first()


def changes_needing_attention(user: Someone) -> int:
    """How many changes wait for a person's decision, counted up to 100."""
    waiting = policies.visible_changes(user).filter(_change_tab_condition("attention"))
    return waiting.order_by()[:100].count()


def is_moving(change: StatusChange, *, at: datetime) -> bool:
    """True while something is expected to happen by itself within moments."""
    if change.is_final or change.needs_attention:
        return False
    if change.status in EXCLUSIVE_STATUSES:
        return True
    return change.next_run_at is not None and change.next_run_at <= at + SOON


# -- action log ---------------------------------------------------------------------------

ENTRY_ORDER = ("-pk",)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What the action log is narrowed to; days are the tenant's, both included."""

    event: str = ""
    q: str = ""
    since: date | None = None
    until: date | None = None
    log_id: str = ""
    change: int | None = None

    @classmethod
    def read(cls, params: Mapping[str, str], *, events: Iterable[str]) -> EntryFilter:
        event = params.get("event", "")
        return cls(
            event=event if event in set(events) else "",
            q=params.get("q", "").strip()[:SEARCH_LENGTH],
            since=_day(params.get("since", "")),
            until=_day(params.get("until", "")),
            log_id=params.get("log_id", "").strip()[:128],
            change=_number(params.get("change", "")),
        )

    @property
    def is_narrow(self) -> bool:
        return self != EntryFilter()

    def query_string(self, **more: str) -> str:
        values = {
            "event": self.event,
            "q": self.q,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "log_id": self.log_id,
            "change": str(self.change) if self.change is not None else "",
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, entries: QuerySet[ActionEntry]) -> QuerySet[ActionEntry]:
        if self.change is not None:
            entries = entries.filter(change_id=self.change)
        if self.event:
            entries = entries.filter(event=self.event)
        if self.since:
            entries = entries.filter(ts__gte=_start_of(self.since))
        if self.until:
            entries = entries.filter(ts__lt=_start_of(self.until + timedelta(days=1)))
        if self.q:
            people = Person.objects.filter(search_condition(self.q, "search_text"))
            entries = entries.filter(person_ref__in=people.values("pk"))
        if self.log_id:
            attempts = Attempt.objects.filter(log_id=self.log_id)
            entries = entries.filter(change_id__in=attempts.values("change_id"))
        return entries


def _start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def entry_page(
    user: Someone, narrowed: EntryFilter, params: Mapping[str, str]
) -> Page[ActionEntry]:
    """One page of the action log, newest first."""
    entries = narrowed.apply(policies.visible_entries(user))
    return page_by_key(entries, params, order=ENTRY_ORDER)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The entries of the same change before and after one."""

    previous: int | None
    next: int | None


def neighbours_of(user: Someone, entry: ActionEntry) -> Neighbours:
    if entry.change_id is None:
        return Neighbours(None, None)
    same = policies.visible_entries(user).filter(change_id=entry.change_id)
    earlier = same.filter(seq__lt=entry.seq).order_by("-seq").values_list("seq", flat=True)
    later = same.filter(seq__gt=entry.seq).order_by("seq").values_list("seq", flat=True)
    return Neighbours(earlier.first(), later.first())


def attempt_numbered(change_id: int | None, number: object) -> Attempt | None:
    """The attempt an entry speaks of."""
    if change_id is None or not isinstance(number, int):
        return None
    return Attempt.objects.filter(change_id=change_id, number=number).first()


# -- the mirror ---------------------------------------------------------------------------

EMPLOYEES_SYNC = "employees"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """How old the employees on the screen are."""

    last_success_at: datetime | None
    is_stale: bool


def mirror_state(*, at: datetime) -> MirrorState:
    done = SyncRun.objects.filter(kind=EMPLOYEES_SYNC, state=SyncRun.State.DONE)
    last = done.order_by("-pk").values_list("finished_at", flat=True).first()
    return MirrorState(last, last is None or at - last > settings.MIRROR_STALE_AFTER)


def unreadable_records(*, limit: int = 50) -> list[UnreadableRecord]:
    return list(UnreadableRecord.objects.order_by("-last_seen_at")[:limit])
