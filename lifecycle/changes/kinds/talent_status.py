"""What the verbs on a talent share: one endpoint (A1), one record, one fact.

Feishu hands out `is_onboarded` and nothing else about it: no reading shows that a talent was
marked as left, nor what `is_onboarded` is afterwards. The mirror keeps what we did ourselves.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from lifecycle import mirror, remote
from lifecycle.changes.kinds.base import Facts, FieldChange, Kind, RecordMissing, ShownFact
from lifecycle.changes.kinds.subjects import TALENT
from lifecycle.changes.kinds.words import NOTHING, day_of, day_words, filled, refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, Employment, StatusChange, Talent

NO_SUCH_TALENT = 1002102
BAD_REQUEST = 1002002

STATUS = Words("在职状态", "Status")
NOT_ONBOARDED = Words("未入职", "Not onboarded")
IS_ONBOARDED = Words("已入职", "Onboarded")
HAS_LEFT = Words("已离职", "Left")

ROUTE = Words(
    "通过飞书招聘的“更新人才在职状态”发送：只改变人才库中的标记。",
    "Sent through Feishu Hire, “update talent status”: it changes the mark in the talent pool"
    " alone.",
)
BACKDATED = Notice(
    "plan.backdated-talent",
    Words("日期 {day} 早于今天。", "The day {day} lies in the past."),
    Words("补录是允许的，请确认日期无误。", "Backdating is allowed; make sure it is meant."),
)
HAS_EMPLOYEE = Notice(
    "plan.has-employee-record",
    Words(
        "这个人在飞书招聘中有员工记录；更新人才状态是否会影响它，飞书没有说明。",
        "This person has an employee record in Feishu Hire; whether the talent's status touches"
        " it, Feishu does not say.",
    ),
    Words(
        "如果要办理的是员工的入职或离职，请在投递或员工页面办理。",
        "To onboard or offboard the employee, use the application's or the employee's page.",
    ),
)
IN_CORE_HR = Notice(
    "plan.is-in-corehr",
    Words(
        "这个人在飞书人事中有在职记录，这里的变更不会改变它。",
        "This person works here by Feishu CoreHR's account; this does not change that.",
    ),
    Words(
        "请确认要改的只是人才库中的标记。",
        "Make sure that the mark in the talent pool is all you mean to change.",
    ),
)


class TalentStatusKind(Kind[Talent]):
    """A verb carried out by 更新人才在职状态 (POST hire/v1/talents/:talent_id/onboard_status)."""

    subject = TALENT
    endpoint = remote.endpoints.TALENT_ONBOARD_STATUS
    operation: ClassVar[remote.writes.TalentOperation]
    # The day's field in the form, its words, and what the talent is afterwards.
    day_name: ClassVar[str]
    day_label: ClassVar[Words]
    becomes: ClassVar[Words]
    # What cannot be taken back, said before it is done.
    for_good: ClassVar[Notice]

    def about(self, talent: Talent) -> Words:
        words = state_words(talent)
        return Words(f"人才库状态：{words.zh}", f"In the talent pool: {words.en}")

    def initial(self, talent: Talent, *, today: date) -> dict[str, Any]:
        return {self.day_name: today}

    def route_for(self, talent: Talent) -> Words:
        return ROUTE

    def call(self, talent: Talent, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_talent_onboard_status(
            talent.feishu_id,
            operation=self.operation,
            at_ms=remote.times.day_to_ms(values[self.day_name], remote.tenant_zone()),
        )

    def effective_day(self, values: Facts) -> date:
        day: date = values[self.day_name]
        return day

    def field_changes(self, talent: Talent, values: Facts) -> Sequence[FieldChange]:
        return (
            FieldChange(STATUS, state_words(talent), self.becomes),
            FieldChange(self.day_label, NOTHING, day_words(values[self.day_name])),
        )

    def blockers(self, talent: Talent, values: Facts, *, today: date) -> Sequence[Notice]:
        if self.is_legal(talent):
            return ()
        return (refusal(self.endpoint, BAD_REQUEST, self.refused_because(talent)),)

    @abstractmethod
    def refused_because(self, talent: Talent) -> Words:
        """Why the talent's present state does not take this."""

    def warnings(self, talent: Talent, values: Facts, *, today: date) -> Sequence[Notice]:
        found = [self.for_good]
        if values[self.day_name] < today:
            found.append(filled(BACKDATED, day=values[self.day_name]))
        if Employee.objects.filter(person_id=talent.person_id).exists():
            found.append(HAS_EMPLOYEE)
        works_here = Employment.objects.filter(person_id=talent.person_id)
        if works_here.exclude(status="terminated").exists():
            found.append(IN_CORE_HR)
        return found

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        try:
            return feishu.get_talent(subject_id)
        except remote.errors.Refused as error:
            if error.code == NO_SUCH_TALENT:
                raise RecordMissing from error
            raise

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        mirror.store_talents([payload], asked_at=asked_at)

    def facts(self, payload: Facts) -> dict[str, Any]:
        return {"is_onboarded": payload.get("is_onboarded") is True}

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        return (ShownFact(STATUS, IS_ONBOARDED if facts["is_onboarded"] else NOT_ONBOARDED),)

    def answered_record(self, data: Facts) -> None:
        """A1 answers with an empty object."""
        return None


def state_words(talent: Talent) -> Words:
    if talent.has_left:
        return HAS_LEFT
    return IS_ONBOARDED if talent.is_onboarded else NOT_ONBOARDED


def sent_day(change: StatusChange) -> date | None:
    """The day the request names."""
    body = remote.Call.from_canonical(change.payload).body or {}
    return day_of(body.get("onboard_time") or body.get("overboard_time"))
