"""The list of talents: who is in Hire's talent pool."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lifecycle.masking import masked_email, masked_phone
from lifecycle.models import Talent
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.lists import Badge, Column, RecordList, RecordRow, RecordTab

ONBOARDED = Badge("good", pgettext_lazy("talent", "Onboarded"), "onboarded")
NOT_ONBOARDED = Badge("plain", _("Not onboarded"), "not_onboarded")
LEFT = Badge("quiet", _("Left"), "left")


@dataclass(frozen=True, slots=True)
class TalentRow(RecordRow[Talent]):
    @property
    def phone(self) -> str:
        return masked_phone(self.record.phone)

    @property
    def email(self) -> str:
        return masked_email(self.record.email)

    @property
    def badge(self) -> Badge:
        if self.record.has_left:
            return LEFT
        return ONBOARDED if self.record.is_onboarded else NOT_ONBOARDED


def talent_rows(talents: Sequence[Talent], today: date) -> list[TalentRow]:
    changes = open_changes_by_person({talent.person_id for talent in talents})
    return [TalentRow(talent, changes.get(talent.person_id), today) for talent in talents]


TALENTS = RecordList(
    name="talents",
    noun="talent",
    sync="talents",
    icon="contact",
    title=_("Talents"),
    about=_("Everybody in the talent pool of Feishu Hire; who was updated last, comes first."),
    model=Talent,
    tabs=(
        RecordTab(
            "not_onboarded",
            _("Not onboarded"),
            lambda today: Q(is_onboarded=False),
            newest_first=True,
        ),
        RecordTab(
            "onboarded",
            pgettext_lazy("talent", "Onboarded"),
            lambda today: Q(is_onboarded=True),
            newest_first=True,
        ),
        RecordTab("all", _("All"), lambda today: Q(), newest_first=True),
    ),
    sort="sort_on",
    rows=talent_rows,
    columns=(
        Column(_("Phone"), lambda row: row.phone),
        Column(_("Email"), lambda row: row.email),
        Column(_("Updated on"), lambda row: row.record.updated_at, "day", is_sorted=True),
    ),
)
