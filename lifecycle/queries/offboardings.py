"""The list of offboardings: who is leaving, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from lifecycle.models import CatalogueEntry, Employee, Employment, Offboarding
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.lists import (
    Badge,
    Choice,
    Column,
    Condition,
    Figure,
    RecordList,
    RecordRow,
    RecordTab,
    person_in_department,
)
from lifecycle.queries.names import catalogue_names, department_names
from lifecycle.rules import LEAVING, OffboardingStatus

_S = OffboardingStatus

BADGES = {
    badge.state: badge
    for badge in (
        Badge("waiting", _("Awaiting approval"), _S.APPROVING.value),
        Badge("attention", _("Approved"), _S.APPROVED.value),
        Badge("attention", _("No approval needed"), _S.NO_NEED_APPROVAL.value),
        Badge("quiet", _("Offboarded"), _S.OFFBOARDED.value),
        Badge("bad", _("Rejected"), _S.REJECTED.value),
        Badge("quiet", _("Withdrawn"), _S.WITHDRAWN.value),
    )
}
STATUS_WORDS = {state: badge.label for state, badge in BADGES.items()}
INITIATED_BY: dict[str, str | Promise] = {
    "offboarding_initiated_by_self": _("the employee"),
    "offboarding_initiated_by_others": _("somebody else"),
    "offboarding_directly": _("HR, directly"),
}
AHEAD = Q(status__in=sorted(status.value for status in LEAVING))
GIVEN_UP = Q(status__in=[_S.REJECTED.value, _S.WITHDRAWN.value])
OFFBOARDED = Q(status=_S.OFFBOARDED.value)


@dataclass(frozen=True, slots=True)
class OffboardingRow(RecordRow[Offboarding]):
    department: str
    reason: str

    @property
    def is_due(self) -> bool:
        return self.record.is_ahead

    @property
    def initiated_by(self) -> str:
        """Who started it, in words; a value Feishu has added since is shown as it is."""
        kind = self.record.initiating_type
        return str(INITIATED_BY.get(kind, kind))

    @property
    def days_left(self) -> int | None:
        return self.days_until(self.record.last_day)

    @property
    def badge(self) -> Badge:
        status = self.record.status
        return BADGES.get(status) or Badge("quiet", status or _("Unknown"), status)


def offboarding_rows(offboardings: Sequence[Offboarding], today: date) -> list[OffboardingRow]:
    people = {row.person_id for row in offboardings}
    departments = _departments_of(people)
    reasons = catalogue_names(
        {reason_of(row.payload) for row in offboardings}, CatalogueEntry.Kind.OFFBOARDING_REASON
    )
    changes = open_changes_by_person(people)
    return [
        OffboardingRow(
            row,
            changes.get(row.person_id),
            today,
            departments.get(row.person_id, ""),
            reasons.get(reason_of(row.payload), reason_of(row.payload)),
        )
        for row in offboardings
    ]


def reason_of(payload: Mapping[str, Any]) -> str:
    reason = (payload.get("offboarding_info") or {}).get("reason")
    return str(reason.get("enum_name") or "") if isinstance(reason, Mapping) else ""


def _departments_of(people: set[int]) -> dict[int, str]:
    """Where these people work: by CoreHR's account, else by Hire's."""
    found: dict[int, str] = {}
    for model in (Employee, Employment):
        rows = model._default_manager.filter(person_id__in=people).exclude(department_id="")
        found |= dict(rows.values_list("person_id", "department_id"))
    names = department_names(set(found.values()))
    return {person: names.get(department, department) for person, department in found.items()}


def _last_day_within(days: int) -> Condition:
    return lambda today: AHEAD & Q(sort_on__range=(today, today + timedelta(days=days)))


def _last_day_passed(today: date) -> Q:
    return AHEAD & Q(sort_on__lt=today)


def _left_lately(today: date) -> Q:
    return OFFBOARDED & Q(sort_on__range=(today - timedelta(days=30), today))


def _tone(row: OffboardingRow) -> str:
    return "attention" if row.days_left is not None and row.days_left <= 7 else ""


OFFBOARDINGS = RecordList(
    name="offboardings",
    noun="offboarding",
    sync="offboardings",
    icon="user-minus",
    title=_("Offboardings"),
    about=_("Who is leaving, as CoreHR knows it; whose last day is nearest, comes first."),
    model=Offboarding,
    tabs=(
        RecordTab("ahead", _("Under way"), lambda today: AHEAD),
        RecordTab("approving", _("Awaiting approval"), lambda today: Q(status=_S.APPROVING.value)),
        RecordTab("due7", _("Last day in 7 days"), _last_day_within(7)),
        RecordTab("due30", _("Last day in 30 days"), _last_day_within(30), is_counted=True),
        RecordTab("passed", _("Last day has passed"), _last_day_passed),
        RecordTab("offboarded", _("Offboarded"), lambda today: OFFBOARDED, newest_first=True),
        RecordTab(
            "given_up", _("Rejected or withdrawn"), lambda today: GIVEN_UP, newest_first=True
        ),
        RecordTab("all", _("All"), lambda today: Q(), newest_first=True),
    ),
    sort="sort_on",
    rows=offboarding_rows,
    choices=(
        Choice("department", _("Department"), _("All departments"), person_in_department),
        Choice(
            "offboarding",
            _("Offboarding status"),
            _("All offboarding statuses"),
            lambda status: Q(status=status),
            STATUS_WORDS,
        ),
    ),
    columns=(
        Column(_("Department"), lambda row: row.department, kind="wrap"),
        Column(_("Last day"), lambda row: row.record.last_day, "day", tone=_tone, is_sorted=True),
        Column(_("Reason"), lambda row: row.reason),
        Column(_("Started by"), lambda row: row.initiated_by, place="secondary"),
        Column(_("CoreHR employment id"), lambda row: row.record.employment_id, "id", "export"),
    ),
    figures=(
        Figure(
            "ahead",
            _("Under way"),
            _("not left yet"),
            "hourglass",
            "ahead",
            lambda today: AHEAD,
        ),
        Figure(
            "due7",
            _("Last day in 7 days"),
            _("today included"),
            "calendar-clock",
            "due7",
            _last_day_within(7),
            "attention",
        ),
        Figure(
            "passed",
            _("Last day has passed"),
            _("not offboarded in CoreHR yet"),
            "triangle-alert",
            "passed",
            _last_day_passed,
            "attention",
        ),
        Figure(
            "left_lately",
            _("Left lately"),
            _("in the last 30 days"),
            "badge-check",
            "offboarded",
            _left_lately,
        ),
    ),
)
