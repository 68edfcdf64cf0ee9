"""Undo an offboarding (撤销离职): A2 operation 4."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from lifecycle import remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange
from lifecycle.changes.kinds.employee_status import (
    IS_ONBOARDED,
    NOT_LEFT,
    ONBOARDED,
    EmployeeStatusKind,
    onboard_words,
)
from lifecycle.changes.kinds.forms import UndoForm
from lifecycle.changes.kinds.words import day_words
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Employee, StatusChange


class UndoOffboarding(EmployeeStatusKind):
    name = "undo_offboarding"
    url_name = "undo-offboarding"
    step = "undo-offboarding"
    title = Words("撤销离职", "Undo offboarding")
    explanation = Words(
        "把已离职的员工恢复为已入职。原来的离职记录会保留在操作日志中。",
        "Puts an employee who has left back to onboarded. The record of the offboarding stays"
        " in the action log.",
    )
    form_class = UndoForm
    undo = Words("可以再次办理离职。", "The employee can be offboarded again.")
    inverse = "offboard_employee"
    is_undo = True
    wrong_state = NOT_LEFT
    needed_state = Words(
        "只有已离职的员工可以撤销离职。",
        "Only an employee who has left can have the offboarding undone.",
    )

    def is_legal(self, employee: Employee) -> bool:
        return rules.can_undo_offboarding(employee.onboard_status)

    def call(self, employee: Employee, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_employee(
            employee.feishu_id, operation=remote.writes.EmployeeOperation.UNDO_OFFBOARDING
        )

    def effective_day(self, values: Facts) -> None:
        return None

    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        return {}

    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        return (
            FieldChange(Words("在职状态", "Status"), onboard_words(employee), IS_ONBOARDED),
            FieldChange(
                Words("离职日期", "Last day"), day_words(employee.left_on), day_words(None)
            ),
        )

    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        return ()

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        return bool(facts["onboard_status"] == ONBOARDED)

    def outcome_sentence(self, change: StatusChange) -> Words:
        name = change.person.name
        return Words(f"{name}已恢复为已入职。", f"{name} is onboarded again.")
