"""The list of applications: who stands where in recruiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from lifecycle.models import Application
from lifecycle.queries.changes import open_changes_by_person
from lifecycle.queries.lists import Badge, Choice, Column, RecordList, RecordRow, RecordTab
from lifecycle.rules import StageType

STAGE_WORDS: dict[str, str | Promise] = {
    StageType.PRE_HIRE.value: pgettext_lazy("stage", "Pre-hire"),
    StageType.SCREENING.value: pgettext_lazy("stage", "Screening"),
    StageType.EVALUATION.value: pgettext_lazy("stage", "Evaluation"),
    StageType.WRITTEN_TEST.value: pgettext_lazy("stage", "Written test"),
    StageType.INTERVIEW.value: pgettext_lazy("stage", "Interview"),
    StageType.OFFER.value: pgettext_lazy("stage", "Offer"),
    StageType.ONBOARDED.value: pgettext_lazy("stage", "Onboarded"),
    StageType.OTHER.value: pgettext_lazy("stage", "Other stage"),
}
STAGE_TONES = {StageType.PRE_HIRE.value: "waiting", StageType.ONBOARDED.value: "good"}
ENDED = Badge("quiet", _("Ended"), "ended")


@dataclass(frozen=True, slots=True)
class ApplicationRow(RecordRow[Application]):
    @property
    def is_due(self) -> bool:
        return self.record.is_active

    @property
    def stage(self) -> str:
        return stage_name(self.record)

    @property
    def badge(self) -> Badge:
        stage = self.record.stage_type
        if not self.record.is_active:
            return ENDED
        return Badge(STAGE_TONES.get(stage, "plain"), STAGE_WORDS.get(stage, _("Unknown")), stage)


def stage_name(application: Application) -> str:
    """The company's own word for the stage, else Feishu's."""
    stage = application.stage_type
    return application.stage_name or str(STAGE_WORDS.get(stage, stage))


def application_rows(applications: Sequence[Application], today: date) -> list[ApplicationRow]:
    changes = open_changes_by_person({row.person_id for row in applications})
    return [ApplicationRow(row, changes.get(row.person_id), today) for row in applications]


def _at_pre_hire(today: date) -> Q:
    return Q(stage_type=StageType.PRE_HIRE.value, is_active=True)


APPLICATIONS = RecordList(
    name="applications",
    noun="application",
    sync="applications",
    icon="file-user",
    title=_("Applications"),
    about=_("Who stands where in recruiting; those who can be onboarded, come first."),
    model=Application,
    tabs=(
        RecordTab("pre_hire", _("At the pre-hire stage"), _at_pre_hire, newest_first=True),
        RecordTab("active", _("Active"), lambda today: Q(is_active=True), newest_first=True),
        RecordTab("ended", _("Ended"), lambda today: Q(is_active=False), newest_first=True),
        RecordTab("all", _("All"), lambda today: Q(), newest_first=True),
    ),
    sort="sort_on",
    rows=application_rows,
    choices=(
        Choice(
            "stage",
            _("Stage"),
            _("All stages"),
            lambda stage: Q(stage_type=stage),
            STAGE_WORDS,
        ),
    ),
    columns=(
        Column(_("Stage"), lambda row: row.stage),
        Column(_("Job id"), lambda row: row.record.job_id, "id"),
        Column(_("Talent id"), lambda row: row.record.talent_id, "id", "secondary"),
        Column(_("Updated on"), lambda row: row.record.updated_at, "day", is_sorted=True),
    ),
)
