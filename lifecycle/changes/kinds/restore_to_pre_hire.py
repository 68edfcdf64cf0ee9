"""Restore an employee to pre-hire (恢复至待入职): A2 operation 3, which undoes an onboarding.

What Feishu shows afterwards is not documented. The name of the operation says where the
application stands: at pre-hire again. The employee record may be gone, or no longer onboarded.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from lifecycle import mirror, remote, rules
from lifecycle.changes.kinds.applications import (
    PRE_HIRE,
    RECORD,
    STAGE,
    read_application,
    record_words,
    stage_type,
    stage_words,
)
from lifecycle.changes.kinds.base import Facts, FieldChange, RecordMissing, ShownFact
from lifecycle.changes.kinds.employee_status import (
    NO_SUCH_EMPLOYEE,
    ONBOARDED,
    EmployeeStatusKind,
)
from lifecycle.changes.kinds.forms import UndoForm
from lifecycle.changes.kinds.words import NOTHING, day_words, refusal
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Application, Employee, StatusChange
from lifecycle.models.mirror import Mirrored

RECORD_GOES = Notice(
    "plan.employee-record-goes",
    Words(
        "飞书招聘会删去这条员工记录，入职、转正和离职的信息也随之消失。",
        "Feishu Hire drops the employee record, and with it what it holds of the onboarding,"
        " the conversion and the departure.",
    ),
    Words(
        "再次办理入职会生成新的员工记录，员工 ID 也是新的；门户的操作日志会保留。",
        "Onboarding again makes a new employee record with a new employee id; the portal's"
        " action log stays.",
    ),
)
IS_CONVERTED = Notice(
    "plan.restoring-the-converted",
    Words("这名员工已经转正。", "This employee has been converted."),
    Words(
        "请确认要撤销的是入职，而不只是转正。",
        "Make sure that the onboarding is to be undone, not the conversion alone.",
    ),
)


class RestoreToPreHire(EmployeeStatusKind):
    name = "restore_to_pre_hire"
    url_name = "restore-to-pre-hire"
    step = "restore-to-pre-hire"
    title = Words("恢复至待入职", "Restore to pre-hire")
    explanation = Words(
        "撤销入职：把员工恢复为待入职的候选人，投递回到“待入职”阶段。",
        "Undoes the onboarding: the employee becomes a candidate again, and the application goes"
        " back to the pre-hire stage.",
    )
    form_class = UndoForm
    undo = Words(
        "可以在该投递上重新办理入职；那会是一条新的员工记录，员工 ID 也是新的。",
        "The application can be onboarded again; that makes a new employee record with a new"
        " employee id.",
    )
    inverse = "onboard_application"
    is_undo = True
    icon = "user-minus"
    needed_state = Words(
        "只有在职的员工可以恢复至待入职。",
        "Only an employee who is onboarded can be restored to pre-hire.",
    )

    def is_legal(self, employee: Employee) -> bool:
        return rules.can_restore_to_pre_hire(employee.onboard_status)

    def call(self, employee: Employee, values: Facts, *, key: str) -> remote.Call:
        return remote.writes.update_employee(
            employee.feishu_id, operation=remote.writes.EmployeeOperation.RESTORE_TO_PRE_HIRE
        )

    def effective_day(self, values: Facts) -> None:
        return None

    def initial(self, employee: Employee, *, today: date) -> dict[str, Any]:
        return {}

    def field_changes(self, employee: Employee, values: Facts) -> Sequence[FieldChange]:
        application = _application_of(employee)
        at = stage_type(application.payload if application else None)
        return (
            FieldChange(STAGE, stage_words(at), stage_words(PRE_HIRE)),
            FieldChange(
                RECORD, record_words(is_there=_is_there(employee)), record_words(is_there=False)
            ),
            FieldChange(
                Words("入职日期", "Onboarded on"), day_words(employee.onboarded_on), NOTHING
            ),
        )

    def blockers(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        found = list(super().blockers(employee, values, today=today))
        if not _is_there(employee):
            found.append(refusal(self.endpoint, NO_SUCH_EMPLOYEE))
        return found

    def warnings(self, employee: Employee, values: Facts, *, today: date) -> Sequence[Notice]:
        return (RECORD_GOES, IS_CONVERTED) if employee.is_converted else (RECORD_GOES,)

    # -- the facts ------------------------------------------------------------------------

    def known(self, employee: Employee) -> Facts:
        application = _application_of(employee)
        return {
            "employee": employee.payload if _is_there(employee) else None,
            "application": application.payload if application else None,
        }

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        """A missing employee is a fact here, not an end: it may be our own doing."""
        try:
            employee: Facts | None = super().read(subject_id, feishu)
        except RecordMissing:
            employee = None
        application_id = _application_id(subject_id, employee)
        try:
            application = read_application(application_id, feishu) if application_id else None
        except RecordMissing:
            application = None
        return {"employee_id": subject_id, "employee": employee, "application": application}

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        if payload["employee"] is not None:
            super().store(payload["employee"], asked_at=asked_at)
        else:
            mirror.note_missing_employee(employee_id=payload["employee_id"], asked_at=asked_at)
        if payload["application"] is not None:
            mirror.store_applications([payload["application"]], asked_at=asked_at)

    def facts(self, payload: Facts) -> dict[str, Any]:
        employee = payload["employee"]
        return super().facts(employee or {}) | {
            "is_there": employee is not None,
            "stage_type": stage_type(payload["application"]),
        }

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        return (
            ShownFact(STAGE, stage_words(facts["stage_type"])),
            ShownFact(RECORD, record_words(is_there=facts["is_there"])),
            *super().shown_facts(facts),
        )

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """The application waits for the first day again, and nobody is onboarded from it.

        A missing record alone proves nothing: the application may have been deleted.
        """
        waits_again = facts["stage_type"] == PRE_HIRE
        return bool(waits_again and facts["onboard_status"] != ONBOARDED)

    # -- the end --------------------------------------------------------------------------

    def answered_record(self, data: Facts) -> None:
        """Whether the record in the answer still exists is not documented."""
        return None

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        mirror.note_employee_gone(change.subject_id, at=at)
        application_id = _application_id(change.subject_id, None)
        if application_id:
            mirror.note_stage(application_id, rules.StageType.PRE_HIRE, at=at)

    def undone_on(self, change: StatusChange) -> Mirrored | None:
        """The application, which can be onboarded again."""
        applications = Application.objects.select_related("person")
        return applications.filter(feishu_id=_application_id(change.subject_id, None)).first()

    def outcome_sentence(self, change: StatusChange) -> Words:
        name = change.person.name
        return Words(f"{name}已恢复至待入职。", f"{name} is back at pre-hire.")


def _is_there(employee: Employee) -> bool:
    """Unless the last reading found no such employee."""
    return employee.missing_since is None and employee.gone_at is None


def _application_of(employee: Employee) -> Application | None:
    return Application.objects.filter(feishu_id=employee.application_id).first()


def _application_id(employee_id: str, employee: Facts | None) -> str:
    """From Feishu's record, or from our own row of one that is gone."""
    if employee and employee.get("application_id"):
        return str(employee["application_id"])
    known = Employee.everyone.filter(feishu_id=employee_id)
    return known.values_list("application_id", flat=True).first() or ""
