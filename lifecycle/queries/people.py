"""One person: every record Feishu keeps of them, and what has happened to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lifecycle import policies
from lifecycle.errors.words import Words
from lifecycle.models import (
    Application,
    CatalogueEntry,
    Employee,
    Employment,
    Offboarding,
    Person,
    PreHire,
    StatusChange,
    Talent,
)
from lifecycle.models.mirror import Mirrored
from lifecycle.policies import Someone
from lifecycle.queries.applications import ApplicationRow, stage_name
from lifecycle.queries.changes import changes_of_person, open_changes_by_person
from lifecycle.queries.employees import EmployeeRow
from lifecycle.queries.events import outside_events
from lifecycle.queries.lists import Badge, Text, days_in_words
from lifecycle.queries.names import catalogue_names, contact_names, department_names
from lifecycle.queries.offboardings import OffboardingRow, reason_of
from lifecycle.queries.pre_hires import PreHireRow
from lifecycle.queries.talents import TalentRow
from lifecycle.rules import (
    HIRED,
    TERMINATED,
    EmployeeState,
    EmploymentState,
    OffboardingStatus,
    OnboardingStatus,
    PersonState,
    System,
    who_says_left,
)

EMPLOYMENT_BADGES = {
    HIRED: Badge("good", _("Employed"), HIRED),
    TERMINATED: Badge("quiet", _("Left"), TERMINATED),
}
HIRE, CORE_HR = _("Feishu Hire"), _("Feishu CoreHR")
SAYS = {
    System.HIRE: _("the employee in Feishu Hire"),
    System.EMPLOYMENT: _("the employment in CoreHR"),
    System.OFFBOARDING: _("the offboarding in CoreHR"),
}
# More records of one kind than this are not one person's history.
MOST_RECORDS = 20
MOST_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Fact:
    """`kind`: text, day or id."""

    label: Text
    value: Any
    kind: str = "text"
    tone: str = ""


@dataclass(frozen=True, slots=True)
class RecordCard:
    """One record with its state and its facts in words."""

    title: Text
    source: Text
    icon: str
    record: Mirrored
    badge: Badge
    facts: list[Fact]


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline: a change made here, or what Feishu's records tell."""

    at: datetime
    title: Text | Words
    source: Text = ""
    change: StatusChange | None = None
    has_time: bool = True


@dataclass(frozen=True, slots=True)
class PersonPage:
    """`contradicts`: which records say that the person has left, and which that not."""

    person: Person
    cards: list[RecordCard]
    line: str
    open_change: StatusChange | None
    timeline: list[Happening]
    contradicts: tuple[list[Text], list[Text]] | None

    @property
    def name(self) -> str:
        known_by = self.cards[0].record.feishu_id if self.cards else f"#{self.person.pk}"
        return self.person.name or known_by

    @property
    def badge(self) -> Badge | None:
        return self.cards[0].badge if self.cards else None


@dataclass(frozen=True, slots=True)
class _Records:
    """Every record of one person this user may see, the newest of each kind first."""

    talents: list[Talent]
    applications: list[Application]
    pre_hires: list[PreHire]
    employees: list[Employee]
    employments: list[Employment]
    offboardings: list[Offboarding]


@dataclass(frozen=True, slots=True)
class _Names:
    departments: Mapping[str, str]
    contacts: Mapping[str, str]
    catalogue: Mapping[str, str]

    def department(self, feishu_id: str) -> str:
        return self.departments.get(feishu_id, feishu_id)


def person_page(user: Someone, person: Person, *, at: datetime) -> PersonPage:
    """All that is known of a person; sixteen queries at most, however many records there are."""
    today = timezone.localdate(at)
    records = _records_of(user, person)
    names = _names_in(records)
    open_change = open_changes_by_person({person.pk}).get(person.pk)
    employees = [_employee_row(row, names, today, open_change) for row in records.employees]
    cards = [
        *map(_employee_card, employees),
        *(_employment_card(row, names) for row in records.employments),
        *(_offboarding_card(row, names, today, open_change) for row in records.offboardings),
        *(_pre_hire_card(row, names, today, open_change) for row in records.pre_hires),
        *(_application_card(row, today, open_change) for row in records.applications),
        *(_talent_card(row, today, open_change) for row in records.talents),
    ]
    made_here = changes_of_person(user, person.pk)
    return PersonPage(
        person=person,
        cards=cards,
        line=_line(employees, records, names),
        open_change=open_change,
        timeline=_timeline(made_here, _seen_outside(user, person), records, today),
        contradicts=_contradiction(records),
    )


def _records_of(user: Someone, person: Person) -> _Records:
    def those(model: type[Mirrored]) -> list[Any]:
        rows: QuerySet[Any] = policies.visible(user, model).filter(person=person)
        return list(rows.select_related("person").order_by("-pk")[:MOST_RECORDS])

    return _Records(
        talents=those(Talent),
        applications=those(Application),
        pre_hires=those(PreHire),
        employees=those(Employee),
        employments=those(Employment),
        offboardings=those(Offboarding),
    )


def _names_in(records: _Records) -> _Names:
    places = {row.department_id for row in records.pre_hires}
    places |= {row.department_id for row in records.employees}
    places |= {row.department_id for row in records.employments}
    kinds = CatalogueEntry.Kind
    entries = {e.job_level_id for e in records.employees}
    entries |= {e.employee_type_id for e in records.employees}
    entries |= {reason_of(o.payload) for o in records.offboardings}
    return _Names(
        departments=department_names(places),
        contacts=contact_names({row.leader_open_id for row in records.employees}),
        catalogue=catalogue_names(
            entries, kinds.EMPLOYEE_TYPE, kinds.JOB_LEVEL, kinds.OFFBOARDING_REASON
        ),
    )


def _line(employees: Sequence[EmployeeRow], records: _Records, names: _Names) -> str:
    """Where this person works or is to work, and as what."""
    if employees:
        return " · ".join(part for part in (employees[0].department, employees[0].title) if part)
    places = [row.department_id for row in records.employments]
    places += [row.department_id for row in records.pre_hires]
    return next((names.department(place) for place in places if place), "")


# -- the cards ----------------------------------------------------------------------------


def _employee_row(
    employee: Employee, names: _Names, today: date, change: StatusChange | None
) -> EmployeeRow:
    ids = (employee.employee_type_id, employee.job_level_id)
    return EmployeeRow(
        record=employee,
        department=names.department(employee.department_id),
        leader=names.contacts.get(employee.leader_open_id, ""),
        title=" · ".join(names.catalogue[one] for one in ids if names.catalogue.get(one)),
        today=today,
        open_change=change,
    )


def _employee_card(row: EmployeeRow) -> RecordCard:
    employee = row.record
    facts = [
        Fact(_("Onboarded on"), employee.onboarded_on, "day"),
        Fact(_("Conversion due on"), employee.expected_conversion_on, "day"),
        Fact(_("Time left"), days_in_words(row.days_left), tone="bad" if row.is_overdue else ""),
        Fact(_("Converted on"), employee.converted_on, "day"),
        Fact(_("Left on"), employee.left_on, "day"),
        Fact(_("Leader"), row.leader),
        Fact(_("Department"), row.department),
        Fact(_("Employee id"), employee.feishu_id, "id"),
        Fact(_("Application id"), employee.application_id, "id"),
        Fact(_("CoreHR employment id"), employee.employment_id, "id"),
    ]
    return _card(_("Employee"), HIRE, "users", employee, row.badge, facts)


def _employment_card(employment: Employment, names: _Names) -> RecordCard:
    status = employment.status
    badge = EMPLOYMENT_BADGES.get(status) or Badge("quiet", status or _("Unknown"), status)
    facts = [
        Fact(_("Employee number"), employment.number, "id"),
        Fact(_("Started on"), employment.started_on, "day"),
        Fact(_("Last day"), employment.ends_on, "day"),
        Fact(_("Department"), names.department(employment.department_id)),
        Fact(_("CoreHR employment id"), employment.feishu_id, "id"),
    ]
    return _card(_("Employment"), CORE_HR, "briefcase", employment, badge, facts)


def _offboarding_card(
    offboarding: Offboarding, names: _Names, today: date, change: StatusChange | None
) -> RecordCard:
    reason = reason_of(offboarding.payload)
    row = OffboardingRow(offboarding, change, today, "", names.catalogue.get(reason, reason))
    facts = [
        Fact(_("Last day"), offboarding.offboards_on, "day"),
        Fact(_("Last day wished for"), offboarding.expected_on, "day"),
        Fact(_("Reason"), row.reason),
        Fact(_("Started by"), row.initiated_by),
        Fact(_("Offboarding id"), offboarding.feishu_id, "id"),
    ]
    return _card(_("Offboarding"), CORE_HR, "user-minus", offboarding, row.badge, facts)


def _pre_hire_card(
    pre_hire: PreHire, names: _Names, today: date, change: StatusChange | None
) -> RecordCard:
    row = PreHireRow(pre_hire, change, today, names.department(pre_hire.department_id))
    is_late = row.days_left is not None and row.days_left < 0
    facts = [
        Fact(_("Onboards on"), pre_hire.onboards_on, "day"),
        Fact(_("Time left"), days_in_words(row.days_left), tone="bad" if is_late else ""),
        Fact(_("Department"), row.department),
        Fact(_("Pre-hire id"), pre_hire.feishu_id, "id"),
        Fact(_("Application id"), pre_hire.application_id, "id"),
    ]
    return _card(_("Pre-hire"), CORE_HR, "user-plus", pre_hire, row.badge, facts)


def _application_card(
    application: Application, today: date, change: StatusChange | None
) -> RecordCard:
    row = ApplicationRow(application, change, today)
    facts = [
        Fact(_("Stage"), row.stage),
        Fact(_("Updated on"), application.updated_at, "day"),
        Fact(_("Application id"), application.feishu_id, "id"),
        Fact(_("Job id"), application.job_id, "id"),
    ]
    return _card(_("Application"), HIRE, "file-user", application, row.badge, facts)


def _talent_card(talent: Talent, today: date, change: StatusChange | None) -> RecordCard:
    row = TalentRow(talent, change, today)
    facts = [
        Fact(_("Phone"), row.phone),
        Fact(_("Email"), row.email),
        Fact(_("Updated on"), talent.updated_at, "day"),
        Fact(_("Talent id"), talent.feishu_id, "id"),
    ]
    return _card(_("Talent"), HIRE, "contact", talent, row.badge, facts)


def _card(
    title: Text, source: Text, icon: str, record: Mirrored, badge: Badge, facts: list[Fact]
) -> RecordCard:
    shown = [fact for fact in facts if fact.value not in (None, "")]
    return RecordCard(title, source, icon, record, badge, shown)


# -- what has happened --------------------------------------------------------------------


def _seen_outside(user: Someone, person: Person) -> list[Happening]:
    """What was changed in Feishu itself, by the moment it was first seen."""
    return [
        Happening(line.event.seen_at, line.alone, _("Seen from outside"))
        for line in outside_events(user, person.pk, limit=MOST_EVENTS)
    ]


def _timeline(
    changes: Sequence[StatusChange],
    seen: Sequence[Happening],
    records: _Records,
    today: date,
) -> list[Happening]:
    """Changes made here, those seen from outside, and days Feishu's records tell of, up to now,
    the latest first."""
    made_here = [Happening(change.created_at, "", change=change) for change in changes]
    outside = (
        happening for happening in _outside(records) if timezone.localdate(happening.at) <= today
    )
    return sorted([*made_here, *seen, *outside], key=lambda happening: happening.at, reverse=True)


def _outside(records: _Records) -> Iterator[Happening]:
    for application in records.applications:
        yield from _in_recruiting(application)
    for pre_hire in records.pre_hires:
        if pre_hire.onboarding_status == OnboardingStatus.COMPLETED:
            yield from _on(pre_hire.onboards_on, _("Onboarding completed"), CORE_HR)
    for employee in records.employees:
        yield from _on(employee.onboarded_on, pgettext_lazy("event", "Onboarded"), HIRE)
        yield from _on(employee.converted_on, pgettext_lazy("event", "Converted"), HIRE)
        yield from _on(employee.left_on, pgettext_lazy("event", "Left"), HIRE)
    for employment in records.employments:
        yield from _on(employment.started_on, _("Employment began"), CORE_HR)
        if employment.status == TERMINATED:
            yield from _on(employment.ends_on, _("Employment ended"), CORE_HR)
    for offboarding in records.offboardings:
        yield from _of_offboarding(offboarding)


def _in_recruiting(application: Application) -> Iterator[Happening]:
    payload = application.payload
    listed = payload.get("stage_time_list")
    yield from _at(_ms(payload.get("create_time")), _("Application received"), HIRE)
    entered = {
        str(step.get("stage_id")): step.get("enter_time")
        for step in (listed if isinstance(listed, list) else ())
        if isinstance(step, Mapping)
    }
    moment = _ms(entered.get(application.stage_id))
    stage = stage_name(application)
    yield from _at(moment, _("Reached the stage “{stage}”").format(stage=stage), HIRE)


def _of_offboarding(offboarding: Offboarding) -> Iterator[Happening]:
    steps = offboarding.payload.get("application_info")
    if not isinstance(steps, Mapping):
        steps = {}
    yield from _at(_local(steps.get("apply_initiating_time")), _("Offboarding started"), CORE_HR)
    yield from _at(_local(steps.get("apply_finish_time")), _("Offboarding decided"), CORE_HR)
    if offboarding.status == OffboardingStatus.OFFBOARDED:
        yield from _on(offboarding.last_day, _("Last day"), CORE_HR)


def _at(moment: datetime | None, title: Text, source: Text) -> Iterator[Happening]:
    if moment is not None:
        yield Happening(moment, title, source)


def _on(day: date | None, title: Text, source: Text) -> Iterator[Happening]:
    if day is not None:
        at = timezone.make_aware(datetime.combine(day, time.min))
        yield Happening(at, title, source, has_time=False)


def _ms(value: Any) -> datetime | None:
    """Milliseconds in a string, as Hire gives them; "" and 0 for none."""
    return _moment(lambda: datetime.fromtimestamp(int(value) / 1000, UTC)) if value else None


def _local(value: Any) -> datetime | None:
    """`YYYY-MM-DD HH:MM:SS` of the tenant's clock, as O1 gives it."""
    return _moment(lambda: timezone.make_aware(datetime.fromisoformat(value))) if value else None


def _moment(read: Callable[[], datetime]) -> datetime | None:
    try:
        moment = read()
        return moment if 1970 < moment.year < 9000 else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _contradiction(records: _Records) -> tuple[list[Text], list[Text]] | None:
    """Records that say the person has left, and others that say the person works here."""
    state = PersonState(
        employees=tuple(
            EmployeeState(row.onboard_status, row.conversion_status) for row in records.employees
        ),
        employments=tuple(
            EmploymentState(row.feishu_id, row.status) for row in records.employments
        ),
        offboardings=tuple((row.employment_id, row.status) for row in records.offboardings),
    )
    left, active = who_says_left(state)
    return ([SAYS[one] for one in left], [SAYS[one] for one in active]) if left and active else None
