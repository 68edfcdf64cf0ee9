"""The ten verbs as the property test sees them: whom they are about, what is entered, and what
Feishu's own store says of it. Nothing here asks the portal what is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.error import HTTPError

from lifecycle.models import Application, Employee, Offboarding, PreHire, Talent
from lifecycle.models.mirror import Mirrored
from lifecycle.sandbox.control import SandboxControl

Record = dict[str, Any]
Truth = dict[str, Any]

EMPLOYEE_FIELDS = (
    "onboard_status", "conversion_status", "onboard_time", "expected_conversion_time",
    "actual_conversion_time", "overboard_time",
)  # fmt: skip
PRE_HIRE_FIELDS = (
    "onboarding_status", "hire_date", "worker_id", "employee_type_id", "ats_application_id",
    "person_id", "custom_fields",
)  # fmt: skip


def record_or_none(tenant: SandboxControl, noun: str, record_id: str) -> Record | None:
    try:
        return tenant.record(noun, record_id)
    except HTTPError:
        return None


# -- what is true in Feishu ---------------------------------------------------------------


def of_employee(tenant: SandboxControl, employee_id: str) -> Truth:
    record = record_or_none(tenant, "employees", employee_id) or {}
    return {name: record.get(name) or 0 for name in EMPLOYEE_FIELDS}


def of_restored(tenant: SandboxControl, employee_id: str) -> Truth:
    application_id = Employee.everyone.get(feishu_id=employee_id).application_id
    application = record_or_none(tenant, "applications", application_id) or {}
    stage = {"stage_type": application.get("stage_type")}
    return of_employee(tenant, employee_id) | stage


def of_application(tenant: SandboxControl, application_id: str) -> Truth:
    application = tenant.record("applications", application_id)
    employees = tenant.records("employees", application_id=application_id)
    employee = employees[0] if employees else {}
    return {
        "stage_type": application["stage_type"],
        "active_status": application["active_status"],
        "employee_id": employee.get("id"),
        "onboard_time": employee.get("onboard_time"),
    }


def of_talent(tenant: SandboxControl, talent_id: str) -> Truth:
    return {"is_onboarded": tenant.record("talents", talent_id)["is_onboarded"]}


def of_pre_hire(tenant: SandboxControl, pre_hire_id: str) -> Truth:
    record = tenant.record("pre_hires", pre_hire_id)
    return {name: record[name] for name in PRE_HIRE_FIELDS}


def of_offboarding(tenant: SandboxControl, offboarding_id: str) -> Truth:
    record = tenant.record("offboardings", offboarding_id)
    return {name: record[name] for name in ("status", "info", "custom")}


# -- what is entered ----------------------------------------------------------------------


def nothing(_day: date, _number: int) -> Record:
    return {}


def on_day(name: str) -> Callable[[date, int], Record]:
    return lambda day, _number: {name: day}


def worker_number(_day: date, number: int) -> Record:
    return {"worker_id": f"W{number:06}"}


def explanation(_day: date, number: int) -> Record:
    return {"operator_id": "", "field_reason_explanation": f"第 {number} 次说明"}


@dataclass(frozen=True, slots=True)
class Verb:
    """`noun`: the tenant's records. `truth`: all of the record that the verb depends on or
    alters. `reached`: whether that is what a request body wanted."""

    noun: str
    values: Callable[[date, int], Record]
    truth: Callable[[SandboxControl, str], Truth]
    reached: Callable[[Truth, Record], bool]


def _sent_explanation(body: Record) -> str:
    return str(body["update_data"][0]["value"])


VERBS: dict[str, Verb] = {
    "convert_employee": Verb(
        "employees", on_day("converted_on"), of_employee,
        lambda t, _: t["onboard_status"] == 1 and t["conversion_status"] == 2,
    ),
    "undo_conversion": Verb(
        "employees", nothing, of_employee,
        lambda t, _: t["onboard_status"] == 1 and t["conversion_status"] == 1,
    ),
    "offboard_employee": Verb(
        "employees", on_day("left_on"), of_employee, lambda t, _: t["onboard_status"] == 2
    ),
    "undo_offboarding": Verb(
        "employees", nothing, of_employee, lambda t, _: t["onboard_status"] == 1
    ),
    "restore_to_pre_hire": Verb(
        "employees", nothing, of_restored,
        lambda t, _: t["stage_type"] == 6 and t["onboard_status"] != 1,
    ),
    "onboard_application": Verb(
        "applications", on_day("onboarded_on"), of_application,
        lambda t, _: bool(t["employee_id"]),
    ),
    "onboard_talent": Verb(
        "talents", on_day("onboarded_on"), of_talent, lambda t, _: t["is_onboarded"]
    ),
    # No reading shows it, so that only our own request or a person can say that it is so.
    "mark_talent_left": Verb("talents", on_day("left_on"), of_talent, lambda _, __: False),
    "update_pre_hire": Verb(
        "pre_hires", worker_number, of_pre_hire, lambda t, body: t["worker_id"] == body["worker_id"]
    ),
    "edit_offboarding": Verb(
        "offboardings", explanation, of_offboarding,
        lambda t, body: t["info"]["reason_explanation"] == _sent_explanation(body),
    ),
}  # fmt: skip
# Of these verbs so many a day take one person alone, every further one a second.
DAILY_LIMITS = dict.fromkeys(VERBS, 1_000_000) | {
    "undo_conversion": 0,
    "mark_talent_left": 0,
    "offboard_employee": 1,
    "update_pre_hire": 1,
    "edit_offboarding": 2,
}


# -- whom they are about ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record is to be found; an employee by the application, because one who is onboarded
    again is another record."""

    noun: str
    key: str

    def find(self) -> Mirrored | None:
        if self.noun == "employees":
            found = Employee.objects.filter(application_id=self.key)
            return found.select_related("person").order_by("-pk").first()
        return _MODELS[self.noun].objects.select_related("person").get(feishu_id=self.key)


_MODELS: dict[str, Any] = {
    "applications": Application,
    "talents": Talent,
    "pre_hires": PreHire,
    "offboardings": Offboarding,
}
KINDS = (
    "departments", "talents", "applications", "employees", "employments", "contacts",
    "pre_hires", "offboardings", "catalogues",
)  # fmt: skip


def cast(tenant: SandboxControl) -> list[Place]:
    """Bo with all three records of recruiting, Li, and one of each of the others."""
    bo, li = Employee.objects.filter(
        onboard_status="onboarded", conversion_status="not_converted", employment_id=""
    ).order_by("pk")[:2]
    bos_talent = Talent.objects.get(person_id=bo.person_id)
    candidate = Application.objects.filter(
        stage_type="pre_hire", is_active=True, is_locked=False
    ).order_by("pk")[0]
    applied = Application.objects.values("person_id")
    talent = (
        Talent.objects.filter(is_onboarded=False).exclude(person_id__in=applied).order_by("pk")[0]
    )
    pre_hire = PreHire.objects.filter(onboarding_status="preboarding").order_by("pk")[0]
    return [
        Place("employees", bo.application_id),
        Place("employees", li.application_id),
        Place("applications", bo.application_id),
        Place("talents", bos_talent.feishu_id),
        Place("applications", candidate.feishu_id),
        Place("talents", talent.feishu_id),
        Place("pre_hires", pre_hire.feishu_id),
        Place("offboardings", tenant.specials()["A4:1160604"]["subject"]),
    ]


# -- what is done in Feishu's console -----------------------------------------------------


def edits_of(noun: str, record: Record, number: int, today_ms: int) -> list[Record]:
    """What somebody may do to this record there; `number` makes each text another one."""
    if noun == "employees":
        due = record["expected_conversion_time"] or 1767052800000
        leaves, is_converted = record["onboard_status"] == 1, record["conversion_status"] == 2
        return [
            {"expected_conversion_time": due + 86_400_000},
            {
                "onboard_status": 2 if leaves else 1,
                "overboard_time": 1767110400000 if leaves else 0,
            },
            {
                "conversion_status": 1 if is_converted else 2,
                "actual_conversion_time": 0 if is_converted else today_ms,
            },
        ]
    if noun == "applications":
        moved = [{"stage_type": 11 - record["stage_type"]}] if record["stage_type"] != 7 else []
        return [*moved, {"active_status": 3 - record["active_status"]}]
    if noun == "talents":
        return [{"state": "onboarded" if record["state"] == "none" else "none"}]
    if noun == "pre_hires":
        other = "day_one" if record["onboarding_status"] == "preboarding" else "preboarding"
        return [{"worker_id": f"C{number:06}"}, {"onboarding_status": other}]
    other = "Approving" if record["status"] == "Approved" else "Approved"
    return [{"info": {"reason_explanation": f"控制台 {number}"}}, {"status": other}]


def edit_to(name: str, record: Record, body: Record, today_ms: int) -> Record | None:
    """The edit by which somebody does there what a change is about to do; None for none."""
    if name == "convert_employee" and record["onboard_status"] == 1:
        return {"conversion_status": 2, "actual_conversion_time": today_ms}
    if name == "update_pre_hire":
        return {"worker_id": body["worker_id"]}
    if name == "edit_offboarding":
        return {"info": {"reason_explanation": _sent_explanation(body)}}
    if name == "onboard_talent":
        return {"state": "onboarded"}
    return None


def undone(record: Record, edit: Record) -> Record:
    """The edit that takes this one back."""
    return {
        name: undone(record[name], value) if isinstance(value, dict) else record[name]
        for name, value in edit.items()
    }
