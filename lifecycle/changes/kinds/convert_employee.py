"""Convert an employee (转正): A2 operation 1."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from lifecycle import remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange
from lifecycle.changes.kinds.employee_status import (
    BAD_TIME,
    CONVERTED,
    IS_CONVERTED,
    ONBOARDED,
    EmployeeStatusKind,
    conversion_words,
    is_bad_day,
)
from lifecycle.changes.kinds.forms import ConvertEmployeeForm
from lifecycle.changes.kinds.words import day_of, day_words, filled, refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, StatusChange

BACKDATED = Notice(
    "plan.backdated",
    Words("转正日期 {day} 早于今天。", "The conversion date {day} lies in the past."),
    Words("补录是允许的，请确认日期无误。", "Backdating is allowed; make sure it is meant."),
)
EARLY = Notice(
    "plan.early-conversion",
    Words(
        "比预计转正日期 {due} 提前 {days} 天。",
        "This is {days} days before the expected conversion date {due}.",
    ),
    Words("提前转正请确认已按公司制度审批。", "Make sure an early conversion has been agreed to."),
)
LATE = Notice(
    "plan.late-conversion",
    Words(
        "比预计转正日期 {due} 晚 {days} 天。",
        "This is {days} days after the expected conversion date {due}.",
    ),
    Words(
        "如果实际转正日就是预计日期，请改回该日期。",
        "If the conversion took place on the expected day, use that day.",
    ),
)
NO_DUE_DATE = Notice(
    "plan.no-due-date",
    Words("飞书中没有这名员工的预计转正日期。", "Feishu has no expected conversion date."),
    Words("请核对试用期约定。", "Check what the contract says about probation."),
)


class ConvertEmployee(EmployeeStatusKind):
    name = "convert_employee"
    url_name = "convert-employee"
    step = "convert"
    title = Words("转正", "Convert")
    explanation = Words(
        "把员工从试用期转为正式员工，并在飞书招聘中记录实际转正日期。",
        "Ends the probation: the employee becomes permanent, and Feishu Hire records the"
        " actual conversion date.",
    )
    form_class = ConvertEmployeeForm
    undo = Words(
        "可以撤销：之后可用“撤销转正”恢复为待转正；本次记录会保留。",
        "It can be taken back later with “undo conversion”; this record stays.",
    )
    inverse = "undo_conversion"
    is_everyday = True
    icon = "user-check"
    needed_state = Words(
        "只有在职且尚未转正的员工可以转正。",
        "Only an employee who is onboarded and not yet converted can be converted.",
    )

    def is_legal(self, employee: Employee) -> bool:
        return rules.can_convert(employee.onboard_status, employee.conversion_status)

    def call(self, employee: Employee, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_employee(
            employee.feishu_id,
            operation=remote.writes.EmployeeOperation.CONVERT,
            actual_conversion_ms=remote.times.day_to_ms(
                values["converted_on"], remote.tenant_zone()
            ),
        )

    def effective_day(self, values: Facts) -> date:
        day: date = values["converted_on"]
        return day

    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        return {"converted_on": employee.expected_conversion_on or today}

    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        due = day_words(employee.expected_conversion_on)
        return (
            FieldChange(
                Words("转正状态", "Conversion"),
                conversion_words(employee),
                IS_CONVERTED,
            ),
            FieldChange(
                Words("实际转正日期", "Converted on"),
                day_words(employee.converted_on),
                day_words(values["converted_on"]),
            ),
            FieldChange(Words("预计转正日期", "Conversion due on"), due, due),
        )

    def blockers(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        found = list(super().blockers(employee, values, today=today))
        if is_bad_day(values["converted_on"], employee):
            found.append(refusal(self.endpoint, BAD_TIME))
        return found

    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        day, due = values["converted_on"], employee.expected_conversion_on
        found = []
        if day < today:
            found.append(filled(BACKDATED, day=day))
        if due is None:
            found.append(NO_DUE_DATE)
        elif day < due:
            found.append(filled(EARLY, due=due, days=(due - day).days))
        elif day > due + timedelta(days=1):
            found.append(filled(LATE, due=due, days=(day - due).days))
        return found

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Converted, on the day asked for: Feishu may keep another moment of that day."""
        if (facts["onboard_status"], facts["conversion_status"]) != (ONBOARDED, CONVERTED):
            return False
        wanted = (call.body or {})["conversion_info"]["actual_conversion_time"]
        return day_of(facts["actual_conversion_time"]) == day_of(wanted)

    def outcome_sentence(self, change: StatusChange) -> Words:
        call = remote.Call.from_canonical(change.payload)
        day = day_of((call.body or {})["conversion_info"]["actual_conversion_time"])
        name = change.person.name
        return Words(f"{name}已转正，实际转正日期 {day}。", f"{name} is converted as of {day}.")
