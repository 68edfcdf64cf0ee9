"""What the verbs on a Hire employee share: one endpoint (A2), one record, one set of facts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, ClassVar

from lifecycle import mirror, remote
from lifecycle.changes.kinds.base import Facts, Kind, RecordMissing, ShownFact
from lifecycle.changes.kinds.subjects import EMPLOYEE
from lifecycle.changes.kinds.words import NOTHING, day_of, day_words, refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee

NO_SUCH_EMPLOYEE = 1002903
WRONG_STATE, BAD_TIME, NOT_LEFT, IN_CORE_HR = 1002902, 1002905, 1002907, 1002910
LATEST_YEAR = 2100
ONBOARDED, LEFT = 1, 2
NOT_CONVERTED, CONVERTED = 1, 2

FACTS = (
    "onboard_status",
    "conversion_status",
    "onboard_time",
    "expected_conversion_time",
    "actual_conversion_time",
    "overboard_time",
)


HIRE_ROUTE = Words(
    "通过飞书招聘的“更新员工状态”发送：该员工只在飞书招聘中，尚未同步到飞书人事。",
    "Sent through Feishu Hire, “update employee status”: this employee is in Hire only and has"
    " not been synced to CoreHR.",
)
IN_CORE_HR_ROUTE = Words(
    "该员工已同步到飞书人事，飞书招聘不再接受变更：请在飞书人事（企业版）中办理。",
    "This employee has been synced to CoreHR, so Hire takes no changes any more: it has to be"
    " done in Feishu CoreHR.",
)


class EmployeeStatusKind(Kind[Employee]):
    """A verb carried out by 更新员工状态 (PATCH hire/v1/employees/:employee_id)."""

    subject = EMPLOYEE
    endpoint = remote.endpoints.EMPLOYEE_PATCH
    # What A2 demands of the employee's present state, in words, and the code it refuses with.
    needed_state: ClassVar[Words]
    wrong_state: ClassVar[int] = WRONG_STATE

    def is_open_to(self, employee: Employee) -> bool:
        return not employee.employment_id

    def route_for(self, employee: Employee) -> Words:
        return IN_CORE_HR_ROUTE if employee.employment_id else HIRE_ROUTE

    def facts(self, payload: Facts) -> dict[str, Any]:
        """Statuses and times; a time of 0 and no time are the same to Feishu."""
        return {name: payload.get(name) or None for name in FACTS}

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        return tuple(
            ShownFact(label, _fact_words(name, facts.get(name)))
            for name, label in FACT_LABELS.items()
        )

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        try:
            return feishu.get_employee(subject_id)
        except remote.errors.Refused as error:
            if error.code == NO_SUCH_EMPLOYEE:
                raise RecordMissing from error
            raise

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        mirror.store_employees([payload], asked_at=asked_at)

    def answered_record(self, data: Facts) -> Facts | None:
        record = data.get("employee")
        return record if isinstance(record, Mapping) and record.get("id") else None

    def about(self, employee: Employee) -> Words:
        start, due = day_words(employee.onboarded_on), day_words(employee.expected_conversion_on)
        return Words(
            f"入职 {start.zh} · 预计转正 {due.zh}",
            f"Onboarded {start.en} · conversion due {due.en}",
        )

    def blockers(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        found = []
        if employee.employment_id:
            found.append(refusal(self.endpoint, IN_CORE_HR))
        if not self.is_legal(employee):
            found.append(refusal(self.endpoint, self.wrong_state, self.needed_state))
        return found


def is_bad_day(day: date, employee: Employee) -> bool:
    """A day Feishu refuses with 1002905: before the onboarding, or absurdly far away."""
    before_start = employee.onboarded_on is not None and day < employee.onboarded_on
    return before_start or day.year > LATEST_YEAR


IS_ONBOARDED = Words("在职", "Onboarded")
HAS_LEFT = Words("已离职", "Left")
ON_PROBATION = Words("待转正", "On probation")
IS_CONVERTED = Words("已转正", "Converted")


def conversion_words(employee: Employee) -> Words:
    return IS_CONVERTED if employee.is_converted else ON_PROBATION


def onboard_words(employee: Employee) -> Words:
    return HAS_LEFT if employee.has_left else IS_ONBOARDED


FACT_LABELS: dict[str, Words] = {
    "onboard_status": Words("在职状态", "Status"),
    "conversion_status": Words("转正状态", "Conversion"),
    "onboard_time": Words("入职日期", "Onboarded on"),
    "expected_conversion_time": Words("预计转正日期", "Conversion due on"),
    "actual_conversion_time": Words("实际转正日期", "Converted on"),
    "overboard_time": Words("离职日期", "Last day"),
}
STATUS_WORDS: dict[str, dict[object, Words]] = {
    "onboard_status": {ONBOARDED: IS_ONBOARDED, LEFT: HAS_LEFT},
    "conversion_status": {NOT_CONVERTED: ON_PROBATION, CONVERTED: IS_CONVERTED},
}


def _fact_words(name: str, value: object) -> Words:
    if not value:
        return NOTHING
    if name in STATUS_WORDS:
        return STATUS_WORDS[name].get(value, Words(str(value), str(value)))
    return day_words(day_of(value))
