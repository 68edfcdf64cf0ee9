"""Which fields of which record are watched for changes, and what a change means to HR.

Only what stands here is reported: times of the last update, keys for searching and sorting,
and what the portal works out itself are not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from lifecycle import rules
from lifecycle.errors.words import Words
from lifecycle.masking import masked_email, masked_phone
from lifecycle.models import (
    Application,
    CatalogueEntry,
    ChangeEvent,
    Employee,
    Employment,
    Offboarding,
    PreHire,
    Talent,
)
from lifecycle.models.mirror import Mirrored

LONGEST = 300
What = ChangeEvent.What
ListKind = CatalogueEntry.Kind


class Shows(StrEnum):
    """What a value is, and so how it becomes words."""

    TEXT = "text"
    CHOICE = "choice"
    DEPARTMENT = "department"
    CONTACT = "contact"
    ENTRY = "entry"
    SPLIT = "split"
    # Only that it changed: the text is personal or free.
    HIDDEN = "hidden"


@dataclass(frozen=True, slots=True)
class Watched:
    """A field. Its value is the column of this name, or stands in the payload at `path`.

    `is_learnt`: the first value is only now known, which is no change.
    """

    name: str
    label: Words
    shows: Shows = Shows.TEXT
    path: tuple[str, ...] = ()
    choices: Mapping[str, Words] | None = None
    entries: tuple[ListKind, ...] = ()
    mask: Callable[[str], str] | None = None
    is_learnt: bool = False


@dataclass(frozen=True, slots=True)
class WatchedKind:
    """A kind of record. `tells_new`: records that come after the first import are reported."""

    name: str
    label: Words
    model: type[Mirrored]
    fields: tuple[Watched, ...]
    tells_new: bool = False
    alert_of: Callable[[str, str, str], str] = lambda field, before, after: ""

    @property
    def sync(self) -> str:
        """The name of its sync."""
        return self.name.replace("-", "_")

    def field(self, name: str) -> Watched | None:
        return next((field for field in self.fields if field.name == name), None)


Values = Mapping[str, str]

YES_NO = {"true": Words("是", "yes"), "false": Words("否", "no")}
ONBOARDED = {
    rules.OnboardStatus.ONBOARDED.value: Words("在职", "onboarded"),
    rules.OnboardStatus.LEFT.value: Words("已离职", "left"),
}
CONVERTED = {
    rules.ConversionStatus.NOT_CONVERTED.value: Words("待转正", "on probation"),
    rules.ConversionStatus.CONVERTED.value: Words("已转正", "converted"),
}
ONBOARDING = {
    rules.OnboardingStatus.PREBOARDING.value: Words("待入职", "awaited"),
    rules.OnboardingStatus.DAY_ONE.value: Words("准备就绪", "ready"),
    rules.OnboardingStatus.COMPLETED.value: Words("已完成入职", "onboarded"),
    rules.OnboardingStatus.WITHDRAWN.value: Words("已撤销", "withdrawn"),
    rules.OnboardingStatus.DELETED.value: Words("已删除", "deleted"),
}
EMPLOYED = {"hired": Words("在职", "employed"), "terminated": Words("已离职", "left")}
OFFBOARDING = {
    rules.OffboardingStatus.APPROVING.value: Words("审批中", "in approval"),
    rules.OffboardingStatus.APPROVED.value: Words("已通过", "approved"),
    rules.OffboardingStatus.NO_NEED_APPROVAL.value: Words("无需审批", "no approval needed"),
    rules.OffboardingStatus.OFFBOARDED.value: Words("已离职", "left"),
    rules.OffboardingStatus.REJECTED.value: Words("已拒绝", "rejected"),
    rules.OffboardingStatus.WITHDRAWN.value: Words("已撤销", "withdrawn"),
}
CHECKLIST = {
    "AntiBegin": Words("未开始", "not begun"),
    "Approving": Words("办理中", "under way"),
    "Finished": Words("已完成", "finished"),
    "Rejected": Words("已拒绝", "rejected"),
    "Withdrawn": Words("已撤销", "withdrawn"),
}

# Of a stage whose name nobody has read yet: those a change of ours leads to (contract H6).
STAGE_NAMES = {6: "待入职", 7: "已入职"}

ALERTS: dict[str, Words] = {
    "start-moved": Words("入职日期变动", "start date moved"),
    "pre-hire-lost": Words("待入职撤销或删除", "pre-hire withdrawn or deleted"),
    "offboarding-revoked": Words("离职被撤销", "offboarding revoked"),
    "last-day-moved": Words("最后工作日变动", "last day moved"),
    "left-outside": Words("在门户之外离职", "left outside the portal"),
}


def _alert_of_pre_hire(field: str, before: str, after: str) -> str:
    if field == What.GONE:
        return "pre-hire-lost"
    lost = (rules.OnboardingStatus.WITHDRAWN, rules.OnboardingStatus.DELETED)
    if field == "onboarding_status" and after in lost:
        return "pre-hire-lost"
    return "start-moved" if field == "onboards_on" else ""


def _alert_of_employee(field: str, before: str, after: str) -> str:
    has_left = field == "onboard_status" and after == rules.OnboardStatus.LEFT
    return "left-outside" if has_left else ""


def _alert_of_employment(field: str, before: str, after: str) -> str:
    return "left-outside" if field == "status" and after == "terminated" else ""


def _alert_of_offboarding(field: str, before: str, after: str) -> str:
    if field == What.GONE:
        return "offboarding-revoked"
    if field == "status" and after == rules.OffboardingStatus.WITHDRAWN:
        return "offboarding-revoked"
    return "last-day-moved" if field == "offboards_on" and before else ""


def _in_offboarding(name: str, label: Words, **more: Any) -> Watched:
    return Watched(name, label, path=("offboarding_info", name), **more)


KINDS: dict[type[Mirrored], WatchedKind] = {
    kind.model: kind
    for kind in (
        WatchedKind(
            "talents",
            Words("人才", "talent"),
            Talent,
            (
                Watched("name", Words("姓名", "name"), path=("basic_info", "name")),
                Watched(
                    "is_onboarded", Words("是否入职", "onboarded"), Shows.CHOICE, choices=YES_NO
                ),
                Watched("phone", Words("手机号", "phone number"), mask=masked_phone),
                Watched("email", Words("邮箱", "e-mail address"), mask=masked_email),
            ),
        ),
        WatchedKind(
            "applications",
            Words("投递", "application"),
            Application,
            (
                # Before a reading has named the stage, a change of ours may have noted its type.
                Watched("stage_id", Words("阶段", "stage"), is_learnt=True),
                Watched("is_active", Words("是否进行中", "active"), Shows.CHOICE, choices=YES_NO),
            ),
        ),
        WatchedKind(
            "pre-hires",
            Words("待入职", "pre-hire"),
            PreHire,
            (
                Watched("name", Words("姓名", "name"), path=("person_info", "preferred_name")),
                Watched(
                    "onboarding_status",
                    Words("入职状态", "status"),
                    Shows.CHOICE,
                    choices=ONBOARDING,
                ),
                Watched("onboards_on", Words("入职日期", "start date")),
                Watched("department_id", Words("部门", "department"), Shows.DEPARTMENT),
                Watched("application_id", Words("投递 ID", "application id"), is_learnt=True),
                Watched(
                    "cost_center_rates",
                    Words("成本中心分摊", "cost center split"),
                    Shows.SPLIT,
                    path=("employment_info", "cost_center_rates"),
                ),
            ),
            tells_new=True,
            alert_of=_alert_of_pre_hire,
        ),
        WatchedKind(
            "employees",
            Words("员工", "employee"),
            Employee,
            (
                Watched(
                    "onboard_status", Words("在职状态", "status"), Shows.CHOICE, choices=ONBOARDED
                ),
                Watched(
                    "conversion_status",
                    Words("转正状态", "conversion"),
                    Shows.CHOICE,
                    choices=CONVERTED,
                ),
                Watched("onboarded_on", Words("入职日期", "onboarding day")),
                Watched("expected_conversion_on", Words("预计转正日期", "conversion due day")),
                Watched("converted_on", Words("实际转正日期", "conversion day")),
                Watched("left_on", Words("离职日期", "last day")),
                Watched("department_id", Words("部门", "department"), Shows.DEPARTMENT),
                Watched("leader_open_id", Words("直属上级", "leader"), Shows.CONTACT),
                Watched(
                    "job_level_id",
                    Words("职级", "job level"),
                    Shows.ENTRY,
                    entries=(ListKind.JOB_LEVEL,),
                ),
                Watched(
                    "job_family_id",
                    Words("序列", "job family"),
                    Shows.ENTRY,
                    entries=(ListKind.JOB_FAMILY,),
                ),
                Watched(
                    "employee_type_id",
                    Words("人员类型", "employee type"),
                    Shows.ENTRY,
                    entries=(ListKind.EMPLOYEE_TYPE,),
                ),
                Watched("employment_id", Words("飞书人事雇佣 ID", "CoreHR employment id")),
            ),
            tells_new=True,
            alert_of=_alert_of_employee,
        ),
        WatchedKind(
            "employments",
            Words("雇佣信息", "employment"),
            Employment,
            (
                Watched("name", Words("姓名", "name"), path=("person_info", "preferred_name")),
                Watched("status", Words("雇佣状态", "status"), Shows.CHOICE, choices=EMPLOYED),
                Watched("number", Words("工号", "employee number")),
                Watched("started_on", Words("入职日期", "first day")),
                Watched("ends_on", Words("最后工作日", "last day")),
                Watched("department_id", Words("部门", "department"), Shows.DEPARTMENT),
                Watched("leader_employment_id", Words("直属上级", "leader")),
                Watched(
                    "on_probation",
                    Words("是否试用期", "on probation"),
                    Shows.CHOICE,
                    path=("on_probation",),
                    choices=YES_NO,
                ),
                Watched(
                    "probation_end_date",
                    Words("试用期结束日期", "end of probation"),
                    path=("probation_end_date",),
                ),
            ),
            alert_of=_alert_of_employment,
        ),
        WatchedKind(
            "offboardings",
            Words("离职", "offboarding"),
            Offboarding,
            (
                Watched("status", Words("离职状态", "status"), Shows.CHOICE, choices=OFFBOARDING),
                Watched("offboards_on", Words("离职日期", "last day")),
                Watched("expected_on", Words("期望离职日期", "last day wished for")),
                _in_offboarding("last_attendance_date", Words("最后出勤日期", "last attendance")),
                _in_offboarding(
                    "reason",
                    Words("离职原因", "reason"),
                    shows=Shows.ENTRY,
                    entries=(ListKind.OFFBOARDING_REASON,),
                ),
                _in_offboarding(
                    "employee_reason",
                    Words("员工离职原因", "reason of the employee"),
                    shows=Shows.ENTRY,
                    entries=(ListKind.OFFBOARDING_REASON,),
                ),
                _in_offboarding(
                    "reason_explanation",
                    Words("离职原因说明", "explanation of the reason"),
                    shows=Shows.HIDDEN,
                ),
                _in_offboarding(
                    "employee_reason_explanation",
                    Words("员工离职原因说明", "explanation of the employee"),
                    shows=Shows.HIDDEN,
                ),
                _in_offboarding(
                    "retain_account",
                    Words("是否保留账号", "account kept"),
                    shows=Shows.CHOICE,
                    choices=YES_NO,
                ),
                _in_offboarding(
                    "add_block_list",
                    Words("是否加入屏蔽名单", "on the block list"),
                    shows=Shows.CHOICE,
                    choices=YES_NO,
                ),
                _in_offboarding(
                    "enforce_noncompete_agreement",
                    Words("是否启用竞业限制", "non-compete enforced"),
                    shows=Shows.CHOICE,
                    choices=YES_NO,
                ),
                _in_offboarding(
                    "custom_fields", Words("自定义字段", "custom fields"), shows=Shows.HIDDEN
                ),
                Watched(
                    "checklist_status",
                    Words("离职交接", "handover"),
                    Shows.CHOICE,
                    path=("offboarding_checklist", "checklist_status"),
                    choices=CHECKLIST,
                ),
            ),
            tells_new=True,
            alert_of=_alert_of_offboarding,
        ),
    )
}
BY_NAME = {kind.name: kind for kind in KINDS.values()}
# What is read from Feishu, by the name of its sync.
SYNCED: dict[str, Words] = {
    "departments": Words("部门", "Departments"),
    "talents": Words("人才", "Talents"),
    "applications": Words("投递", "Applications"),
    "employees": Words("员工", "Employees"),
    "pre_hires": Words("待入职", "Pre-hires"),
    "offboardings": Words("离职", "Offboardings"),
    "employments": Words("人事雇佣", "Employments"),
    "contacts": Words("同事", "Colleagues"),
    "catalogues": Words("字典", "Catalogues"),
}


def values_of(
    kind: WatchedKind, columns: Mapping[str, Any], payload: Mapping[str, Any]
) -> dict[str, str]:
    """The watched fields as texts to be compared; "" for none."""
    return {field.name: _value(field, columns, payload) for field in kind.fields}


def _value(field: Watched, columns: Mapping[str, Any], payload: Mapping[str, Any]) -> str:
    value = _at(payload, field.path) if field.path else columns.get(field.name)
    return _split_text(value) if field.shows is Shows.SPLIT else _text(value)


def _split_text(rates: Any) -> str:
    """`<cost center>=<percent>`, whatever else a reading says of each line and in which order."""
    if not isinstance(rates, list):
        return ""
    lines = (line for line in rates if isinstance(line, Mapping))
    return ",".join(sorted(f"{line.get('cost_center_id')}={line.get('rate')}" for line in lines))


def shown_value(field: Watched, value: str, payload: Mapping[str, Any]) -> str:
    """The value as an event keeps it: nothing personal, and a stage by its name."""
    if field.shows is Shows.HIDDEN:
        return ""
    if field.name == "stage_id":
        stage = payload.get("stage") or {}
        name = stage.get("zh_name") or stage.get("en_name") or STAGE_NAMES.get(stage.get("type", 0))
        return str(name or value)[:LONGEST]
    return (field.mask(value) if field.mask else value)[:LONGEST]


def _at(payload: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = payload
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    """One text for one value; an enum of CoreHR is the name of its option."""
    match value:
        case None | [] | {}:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case date():
            return value.isoformat()
        case {"enum_name": name}:
            return str(name or "")
        case _:
            return json.dumps(value, ensure_ascii=False, sort_keys=True)
