"""Undo a conversion (撤销转正): A2 operation 5."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lifecycle import remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange
from lifecycle.changes.kinds.employee_status import (
    NOT_CONVERTED,
    ON_PROBATION,
    ONBOARDED,
    EmployeeStatusKind,
    conversion_words,
)
from lifecycle.changes.kinds.forms import UndoForm
from lifecycle.changes.kinds.words import day_words
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, StatusChange


class UndoConversion(EmployeeStatusKind):
    name = "undo_conversion"
    url_name = "undo-conversion"
    step = "undo-conversion"
    title = Words("撤销转正", "Undo conversion")
    explanation = Words(
        "把已转正的员工恢复为待转正。原来的转正记录会保留在操作日志中。",
        "Puts a converted employee back on probation. The record of the conversion stays in"
        " the action log.",
    )
    form_class = UndoForm
    undo = Words("可以再次转正。", "The employee can be converted again.")
    inverse = "convert_employee"
    is_undo = True
    needed_state = Words(
        "只有在职且已转正的员工可以撤销转正。",
        "Only an employee who is onboarded and converted can have the conversion undone.",
    )

    def is_legal(self, employee: Employee) -> bool:
        return rules.can_undo_conversion(employee.onboard_status, employee.conversion_status)

    def call(self, employee: Employee, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_employee(
            employee.feishu_id, operation=remote.writes.EmployeeOperation.UNDO_CONVERSION
        )

    def effective_day(self, values: Facts) -> None:
        return None

    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        return {}

    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        return (
            FieldChange(
                Words("转正状态", "Conversion"),
                conversion_words(employee),
                ON_PROBATION,
            ),
            FieldChange(
                Words("实际转正日期", "Converted on"),
                day_words(employee.converted_on),
                day_words(None),
            ),
        )

    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        return ()

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        return (facts["onboard_status"], facts["conversion_status"]) == (ONBOARDED, NOT_CONVERTED)

    def outcome_sentence(self, change: StatusChange) -> Words:
        name = change.person.name
        return Words(f"{name}已恢复为待转正。", f"{name} is back on probation.")
