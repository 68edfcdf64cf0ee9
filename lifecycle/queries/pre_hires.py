"""The list of pre-hires: who is to start, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lifecycle.models import PreHire
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
    days_in_words,
    in_department,
)
from lifecycle.queries.names import department_names
from lifecycle.rules import AWAITED, OnboardingStatus

_S = OnboardingStatus

BADGES = {
    badge.state: badge
    for badge in (
        Badge("waiting", _("To start"), _S.PREBOARDING.value),
        Badge("waiting", _("Ready to start"), _S.DAY_ONE.value),
        Badge("good", _("Started"), _S.COMPLETED.value),
        Badge("quiet", _("Withdrawn"), _S.WITHDRAWN.value),
        Badge("quiet", _("Deleted"), _S.DELETED.value),
    )
}
STATUS_WORDS = {state: badge.label for state, badge in BADGES.items()}
TO_COME = Q(onboarding_status__in=sorted(status.value for status in AWAITED))
NOT_COMING = Q(onboarding_status__in=[_S.WITHDRAWN.value, _S.DELETED.value])
COMPLETED = Q(onboarding_status=_S.COMPLETED.value)


@dataclass(frozen=True, slots=True)
class PreHireRow(RecordRow[PreHire]):
    department: str

    @property
    def is_due(self) -> bool:
        return self.record.is_awaited

    @property
    def days_left(self) -> int | None:
        """Days until the onboarding day, negative once it has passed without an onboarding."""
        return self.days_until(self.record.onboards_on)

    @property
    def badge(self) -> Badge:
        status = self.record.onboarding_status
        return BADGES.get(status) or Badge("quiet", status or _("Unknown"), status)


def pre_hire_rows(pre_hires: Sequence[PreHire], today: date) -> list[PreHireRow]:
    departments = department_names({row.department_id for row in pre_hires})
    changes = open_changes_by_person({row.person_id for row in pre_hires})
    return [
        PreHireRow(
            row,
            changes.get(row.person_id),
            today,
            departments.get(row.department_id, row.department_id),
        )
        for row in pre_hires
    ]


def _within(days: int) -> Condition:
    return lambda today: TO_COME & Q(onboards_on__range=(today, today + timedelta(days=days)))


def _overdue(today: date) -> Q:
    return TO_COME & Q(onboards_on__lt=today)


def _started_lately(today: date) -> Q:
    return COMPLETED & Q(onboards_on__range=(today - timedelta(days=30), today))


def _tone(row: PreHireRow) -> str:
    if row.days_left is None:
        return ""
    return "bad" if row.days_left < 0 else "attention" if row.days_left <= 7 else ""


PRE_HIRES = RecordList(
    name="pre-hires",
    noun="pre-hire",
    sync="pre_hires",
    icon="user-plus",
    title=_("Pre-hires"),
    about=_("Who has accepted an offer and has not started yet; who starts first, comes first."),
    model=PreHire,
    tabs=(
        RecordTab("awaited", _("To come"), lambda today: TO_COME),
        RecordTab("overdue", _("Onboarding overdue"), _overdue),
        RecordTab("due7", _("Starting in 7 days"), _within(7)),
        RecordTab("due30", _("Starting in 30 days"), _within(30), is_counted=True),
        RecordTab("completed", _("Started"), lambda today: COMPLETED, newest_first=True),
        RecordTab("not_coming", _("Not coming"), lambda today: NOT_COMING, newest_first=True),
        RecordTab("all", _("All"), lambda today: Q(), newest_first=True),
    ),
    sort="sort_on",
    rows=pre_hire_rows,
    choices=(
        Choice("department", _("Department"), _("All departments"), in_department),
        Choice(
            "onboarding",
            _("Onboarding status"),
            _("All onboarding statuses"),
            lambda status: Q(onboarding_status=status),
            STATUS_WORDS,
        ),
    ),
    columns=(
        Column(_("Department"), lambda row: row.department, kind="wrap"),
        Column(_("Onboards on"), lambda row: row.record.onboards_on, "day", is_sorted=True),
        Column(_("Time left"), lambda row: days_in_words(row.days_left), "text", "screen", _tone),
        Column(_("Application id"), lambda row: row.record.application_id, "id", "secondary"),
    ),
    figures=(
        Figure(
            "awaited",
            _("To come"),
            _("accepted, not started yet"),
            "hourglass",
            "awaited",
            lambda today: TO_COME,
        ),
        Figure(
            "due7",
            _("Starting in 7 days"),
            _("today included"),
            "calendar-clock",
            "due7",
            _within(7),
            "attention",
        ),
        Figure(
            "overdue",
            _("Onboarding overdue"),
            _("the day has passed"),
            "triangle-alert",
            "overdue",
            _overdue,
            "bad",
        ),
        Figure(
            "started_lately",
            _("Started lately"),
            _("in the last 30 days"),
            "badge-check",
            "completed",
            _started_lately,
        ),
    ),
)
