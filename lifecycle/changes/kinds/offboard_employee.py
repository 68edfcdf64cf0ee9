"""Offboard an employee (离职): A2 operation 2."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lifecycle import remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange
from lifecycle.changes.kinds.employee_status import (
    BAD_TIME,
    HAS_LEFT,
    LEFT,
    EmployeeStatusKind,
    is_bad_day,
    onboard_words,
)
from lifecycle.changes.kinds.forms import OffboardEmployeeForm
from lifecycle.changes.kinds.words import day_of, day_words, filled, refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, StatusChange

# The Labour Contract Law (article 37) has employees give 30 days' notice, 3 on probation.
USUAL_NOTICE_DAYS, PROBATION_NOTICE_DAYS = 30, 3
LONGEST_NOTICE_DAYS = 120

BACKDATED = Notice(
    "plan.backdated-offboarding",
    Words("离职日期 {day} 早于今天。", "The last day {day} lies in the past."),
    Words("补录是允许的，请确认日期无误。", "Backdating is allowed; make sure it is meant."),
)
SHORT_NOTICE = Notice(
    "plan.short-notice",
    Words(
        "距离职日期只有 {days} 天，通常至少 {usual} 天。",
        "The last day is {days} days away; the usual notice is at least {usual} days.",
    ),
    Words("请确认双方已就提前离职达成一致。", "Make sure that both sides have agreed to it."),
)
LONG_NOTICE = Notice(
    "plan.long-notice",
    Words("离职日期在 {days} 天之后。", "The last day is {days} days away."),
    Words("请确认日期不是笔误。", "Make sure that the date is meant."),
)
LAST_DAY = Notice(
    "plan.last-working-day",
    Words(
        "{day} 是该员工的最后工作日；飞书在当天结束时按离职处理。",
        "{day} is the employee's last working day; Feishu counts it as worked.",
    ),
    Words(
        "请确认填写的是最后工作日，而不是次日。", "Enter the last day worked, not the day after."
    ),
)


class OffboardEmployee(EmployeeStatusKind):
    name = "offboard_employee"
    url_name = "offboard-employee"
    step = "offboard"
    title = Words("离职", "Offboard")
    explanation = Words(
        "在飞书招聘中把员工标记为已离职，并记录离职日期和原因。",
        "Marks the employee as left in Feishu Hire, with the last day and the reason.",
    )
    form_class = OffboardEmployeeForm
    undo = Words(
        "可以撤销：之后可用“撤销离职”恢复为已入职；本次记录会保留。",
        "It can be taken back later with “undo offboarding”; this record stays.",
    )
    inverse = "undo_offboarding"
    icon = "user-x"
    needed_state = Words(
        "只有在职的员工可以办理离职。", "Only an employee who is onboarded can be offboarded."
    )

    def is_legal(self, employee: Employee) -> bool:
        return rules.can_offboard(employee.onboard_status)

    def call(self, employee: Employee, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_employee(
            employee.feishu_id,
            operation=remote.writes.EmployeeOperation.OFFBOARD,
            actual_overboard_ms=remote.times.day_to_ms(values["left_on"], remote.tenant_zone()),
            overboard_note=values.get("overboard_note") or None,
        )

    def effective_day(self, values: Facts) -> date:
        day: date = values["left_on"]
        return day

    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        return {"left_on": today}

    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        note_before = str(employee.payload.get("overboard_note") or "—")
        note_after = str(values.get("overboard_note") or "—")
        return (
            FieldChange(Words("在职状态", "Status"), onboard_words(employee), HAS_LEFT),
            FieldChange(
                Words("离职日期", "Last day"),
                day_words(employee.left_on),
                day_words(values["left_on"]),
            ),
            FieldChange(
                Words("离职原因", "Reason for leaving"),
                Words(note_before, note_before),
                Words(note_after, note_after),
            ),
        )

    def blockers(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        found = list(super().blockers(employee, values, today=today))
        if is_bad_day(values["left_on"], employee):
            found.append(refusal(self.endpoint, BAD_TIME))
        return found

    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        day = values["left_on"]
        days = (day - today).days
        usual = PROBATION_NOTICE_DAYS if employee.is_on_probation else USUAL_NOTICE_DAYS
        found = [filled(LAST_DAY, day=day)]
        if days < 0:
            found.append(filled(BACKDATED, day=day))
        elif days < usual:
            found.append(filled(SHORT_NOTICE, days=days, usual=usual))
        elif days > LONGEST_NOTICE_DAYS:
            found.append(filled(LONG_NOTICE, days=days))
        return found

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Left, on the day asked for."""
        wanted = (call.body or {})["overboard_info"]["actual_overboard_time"]
        same_day = day_of(facts["overboard_time"]) == day_of(wanted)
        return facts["onboard_status"] == LEFT and same_day

    def outcome_sentence(self, change: StatusChange) -> Words:
        call = remote.Call.from_canonical(change.payload)
        day = day_of((call.body or {})["overboard_info"]["actual_overboard_time"])
        name = change.person.name
        return Words(f"{name}已离职，离职日期 {day}。", f"{name} has left as of {day}.")
