"""Onboard a candidate (入职): A3. The application becomes a Hire employee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django import forms

from lifecycle import calendars, mirror, pickers, remote, rules
from lifecycle.changes.kinds.applications import (
    ONBOARDED,
    PRE_HIRE,
    RECORD,
    STAGE,
    TERMINATED,
    read_application,
    read_employee,
    record_words,
    stage_type,
    stage_words,
)
from lifecycle.changes.kinds.base import Facts, FieldChange, Kind, ShownFact
from lifecycle.changes.kinds.forms import OnboardApplicationForm
from lifecycle.changes.kinds.subjects import APPLICATION
from lifecycle.changes.kinds.words import NOTHING, day_of, day_words, filled, refusal, text_words
from lifecycle.errors.words import Notice, Words
from lifecycle.models import Application, Employee, Employment, PreHire, StatusChange, User
from lifecycle.models.mirror import Mirrored

WRONG_STAGE, IS_EMPLOYEE, BAD_TIME, LOCKED = 1002902, 1002904, 1002905, 1002210
LOCKED_ELSEWHERE = 2
# The Labour Contract Law (article 19) knows no longer probation.
LONGEST_PROBATION_MONTHS = 6
# The moment sent is the day's midnight, which has to lie in the past by Feishu's clock too.
PAST_MIDNIGHT = timedelta(minutes=1)

ONBOARD_DAY = Words("入职日期", "Onboarded on")
DUE_DAY = Words("预计转正日期", "Conversion due on")
ID_FIELDS: dict[str, tuple[Words, str]] = {
    "job_requirement_id": (Words("招聘需求", "Job requirement"), "job_requirement"),
    "operator_id": (Words("操作人", "Operator"), "contact"),
    "department": (Words("部门", "Department"), "department"),
    "leader": (Words("直属上级", "Leader"), "contact"),
    "onboard_city_code": (Words("办公地点", "Office location"), "location"),
    "sequence": (Words("序列", "Job family"), "job_family"),
    "level": (Words("职级", "Job level"), "job_level"),
    "employee_type": (Words("人员类型", "Employee type"), "employee_type"),
}

ROUTE = Words(
    "通过飞书招聘的“操作候选人入职”发送：该投递会成为飞书招聘的员工记录。",
    "Sent through Feishu Hire, “onboard a candidate”: the application becomes an employee"
    " record in Hire.",
)
NOT_AT_PRE_HIRE = Words(
    "这条投递在“{stage}”阶段，不在“待入职”阶段。",
    "The application is at the stage “{stage}”, not at pre-hire.",
)
HAS_ENDED = Words("这条投递已经终止。", "The application has been terminated.")
DUE_BEFORE_START = Words(
    "预计转正日期早于入职日期。", "The conversion is due before the onboarding day."
)
BACKDATED = Notice(
    "plan.backdated-onboarding",
    Words("入职日期 {day} 早于今天。", "The onboarding day {day} lies in the past."),
    Words("补录是允许的，请确认日期无误。", "Backdating is allowed; make sure it is meant."),
)
NO_DUE_DATE = Notice(
    "plan.onboarding-without-due-date",
    Words("没有填写预计转正日期。", "There is no expected conversion date."),
    Words(
        "飞书会留空，之后不会提醒转正；没有试用期时可以不填。",
        "Feishu leaves it empty and nobody is reminded of the conversion; without a probation"
        " that is right.",
    ),
)
LONG_PROBATION = Notice(
    "plan.long-probation",
    Words("试用期超过 {months} 个月。", "The probation is longer than {months} months."),
    Words(
        "《劳动合同法》第十九条规定试用期最长六个月，请核对劳动合同。",
        "By article 19 of the Labour Contract Law six months are the most; check the contract.",
    ),
)
OTHER_RECORD = Notice(
    "plan.other-employee-record",
    Words(
        "这个人在另一条投递上已有员工记录。",
        "This person has an employee record already, from another application.",
    ),
    Words(
        "请确认不是重复办理；再次入职的，请先确认原记录已离职。",
        "Make sure that this is not done twice; for a rehire, that the other record has left.",
    ),
)
IN_CORE_HR = Notice(
    "plan.works-here-by-corehr",
    Words("这个人在飞书人事中已有在职记录。", "This person works here by Feishu CoreHR's account."),
    Words(
        "请确认是否需要在飞书招聘中再办理入职。",
        "Make sure that onboarding in Feishu Hire is needed as well.",
    ),
)
HAS_PRE_HIRE = Notice(
    "plan.has-pre-hire",
    Words(
        "飞书人事中有这条投递的待入职记录。",
        "Feishu CoreHR has a pre-hire record of this application.",
    ),
    Words(
        "贵公司如在飞书人事办理入职，请在那里完成，不要重复办理。",
        "If your company onboards in CoreHR, complete it there and not twice.",
    ),
)


class OnboardApplication(Kind[Application]):
    name = "onboard_application"
    url_name = "onboard-application"
    step = "onboard"
    title = Words("办理入职", "Onboard")
    explanation = Words(
        "候选人到岗后办理入职：飞书招聘会为这条投递建立员工记录。",
        "For a candidate who has started: Feishu Hire makes an employee record of the application.",
    )
    subject = APPLICATION
    endpoint = remote.endpoints.APPLICATION_TRANSFER_ONBOARD
    form_class = OnboardApplicationForm
    undo = Words(
        "可以撤销：之后可用“恢复至待入职”退回；飞书招聘会删去这条员工记录。",
        "It can be taken back later with “restore to pre-hire”; the employee record then goes"
        " away in Feishu Hire.",
    )
    inverse = "restore_to_pre_hire"
    is_everyday = True
    icon = "user-plus"
    reads_first = True
    day_margin = PAST_MIDNIGHT

    # -- the form -------------------------------------------------------------------------

    def is_legal(self, application: Application) -> bool:
        return rules.can_onboard_application(
            application.stage_type, is_active=application.is_active
        )

    def about(self, application: Application) -> Words:
        words = stage_words(stage_type(application.payload))
        name = application.stage_name
        return Words(f"投递阶段 {name or words.zh}", f"At the stage {name or words.en}")

    def form(
        self,
        application: Application,
        data: Mapping[str, Any] | None = None,
        *,
        today: date,
        undoes: StatusChange | None = None,
        user: User | None = None,
    ) -> forms.Form:
        suggested = self.initial(application, today=today)
        if data is not None:
            return OnboardApplicationForm(data, suggested=suggested)
        suggested |= self.initial_for(user) if user else {}
        return OnboardApplicationForm(initial=suggested, suggested=suggested)

    def initial(self, application: Application, *, today: date) -> dict[str, Any]:
        """The record an undone onboarding left behind, or the offer, or CoreHR's pre-hire."""
        former = Employee.everyone.filter(application_id=application.feishu_id).order_by("-pk")
        if record := former.first():
            return _from_record(record, today=today)
        pre_hire = PreHire.objects.filter(application_id=application.feishu_id).first()
        return _from_pre_hire(pre_hire, today=today) | _from_offer(application.offer)

    def initial_for(self, user: User) -> dict[str, Any]:
        known = bool(user.open_id) and pickers.find("contact", user.open_id) is not None
        return {"operator_id": user.open_id} if known else {}

    # -- the plan -------------------------------------------------------------------------

    def route_for(self, application: Application) -> Words:
        return ROUTE

    def call(self, application: Application, values: Facts, *, key: str) -> remote.Call:
        zone, due = remote.tenant_zone(), values.get("expected_conversion_on")
        ids: dict[str, Any] = {name: values.get(name) or None for name in ID_FIELDS}
        return remote.writes.transfer_onboard(
            application.feishu_id,
            actual_onboard_ms=remote.times.day_to_ms(values["onboarded_on"], zone),
            expected_conversion_ms=remote.times.day_to_ms(due, zone) if due else None,
            **ids,
        )

    def effective_day(self, values: Facts) -> date:
        day: date = values["onboarded_on"]
        return day

    def field_changes(self, application: Application, values: Facts) -> Sequence[FieldChange]:
        found = _employee_of(application)
        return (
            FieldChange(
                STAGE, stage_words(stage_type(application.payload)), stage_words(ONBOARDED)
            ),
            FieldChange(
                RECORD, record_words(is_there=found is not None), record_words(is_there=True)
            ),
            FieldChange(
                ONBOARD_DAY,
                day_words(found.onboarded_on if found else None),
                day_words(values["onboarded_on"]),
            ),
            FieldChange(DUE_DAY, NOTHING, day_words(values.get("expected_conversion_on"))),
            *(
                FieldChange(label, NOTHING, _named(what, values.get(name)))
                for name, (label, what) in ID_FIELDS.items()
            ),
        )

    def blockers(self, application: Application, values: Facts, *, today: date) -> Sequence[Notice]:
        found = []
        number = stage_type(application.payload)
        if number == ONBOARDED or _employee_of(application) is not None:
            found.append(refusal(self.endpoint, IS_EMPLOYEE))
        elif number != PRE_HIRE:
            stage = stage_words(number)
            sentence = Words(
                NOT_AT_PRE_HIRE.zh.format(stage=application.stage_name or stage.zh),
                NOT_AT_PRE_HIRE.en.format(stage=application.stage_name or stage.en),
            )
            found.append(refusal(self.endpoint, WRONG_STAGE, sentence))
        if not application.is_active:
            found.append(refusal(self.endpoint, WRONG_STAGE, HAS_ENDED))
        if application.is_locked:
            found.append(refusal(self.endpoint, LOCKED))
        due = values.get("expected_conversion_on")
        if due and due < values["onboarded_on"]:
            found.append(refusal(self.endpoint, BAD_TIME, DUE_BEFORE_START))
        return found

    def warnings(self, application: Application, values: Facts, *, today: date) -> Sequence[Notice]:
        day, due = values["onboarded_on"], values.get("expected_conversion_on")
        found = _warnings_about_person(application)
        if day < today:
            found.append(filled(BACKDATED, day=day))
        if due is None:
            found.append(NO_DUE_DATE)
        elif due > calendars.months_after(day, LONGEST_PROBATION_MONTHS):
            found.append(filled(LONG_PROBATION, months=LONGEST_PROBATION_MONTHS))
        return found

    # -- the facts ------------------------------------------------------------------------

    def known(self, application: Application) -> Facts:
        employee = _employee_of(application)
        return {
            "application": application.payload,
            "employee": employee.payload if employee else None,
        }

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        application = read_application(subject_id, feishu)
        return {
            "application_id": subject_id,
            "application": application,
            "employee": read_employee(subject_id, feishu),
            "is_locked": _is_locked(subject_id, application, feishu),
        }

    def read_for_form(self, subject_id: str, feishu: remote.Client) -> Facts:
        """With the terms of the offer, which save typing them again."""
        payload = dict(self.read(subject_id, feishu))
        try:
            detail = feishu.get_application_detail(subject_id, options=["with_offer"])
        except remote.errors.FeishuError:
            return payload
        offer = detail.get("offer", {}).get("offer_basic")
        return payload | {"offer": offer if isinstance(offer, Mapping) else {}}

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        application, employee = payload["application"], payload["employee"]
        if application is not None:
            mirror.store_applications([application], asked_at=asked_at)
            mirror.note_about_application(
                payload["application_id"],
                is_locked=payload.get("is_locked"),
                offer=payload.get("offer"),
            )
        if employee is not None:
            mirror.store_employees([employee], asked_at=asked_at)
        else:
            mirror.note_missing_employee(
                application_id=payload["application_id"], asked_at=asked_at
            )

    def facts(self, payload: Facts) -> dict[str, Any]:
        """An employee without a word about the application stands at its last stage."""
        application = payload["application"] or {"stage": {"type": ONBOARDED}}
        employee = payload["employee"] or {}
        return {
            "stage_type": stage_type(application),
            "is_terminated": application.get("active_status") == TERMINATED,
            "employee_id": employee.get("id"),
            "onboard_time": employee.get("onboard_time") or None,
        }

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        return (
            ShownFact(
                STAGE, HAS_ENDED if facts["is_terminated"] else stage_words(facts["stage_type"])
            ),
            ShownFact(RECORD, record_words(is_there=bool(facts["employee_id"]))),
            ShownFact(ONBOARD_DAY, day_words(day_of(facts["onboard_time"]))),
        )

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """An employee, onboarded on the day asked for."""
        wanted = (call.body or {})["actual_onboard_time"]
        return bool(facts["employee_id"]) and day_of(facts["onboard_time"]) == day_of(wanted)

    # -- the end --------------------------------------------------------------------------

    def answered_record(self, data: Facts) -> Facts | None:
        record = data.get("employee")
        if not isinstance(record, Mapping) or not record.get("id"):
            return None
        return {"application": None, "employee": record}

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        mirror.note_stage(change.subject_id, rules.StageType.ONBOARDED, at=at)

    def undone_on(self, change: StatusChange) -> Mirrored | None:
        """The employee this application became."""
        employees = Employee.objects.select_related("person")
        return employees.filter(application_id=change.subject_id).first()

    def outcome_sentence(self, change: StatusChange) -> Words:
        call = remote.Call.from_canonical(change.payload)
        name, day = change.person.name, day_of((call.body or {})["actual_onboard_time"])
        return Words(f"{name}已入职，入职日期 {day}。", f"{name} is onboarded as of {day}.")


def _employee_of(application: Application) -> Employee | None:
    """The employee it has become, unless the last reading found none."""
    found = Employee.objects.filter(application_id=application.feishu_id, missing_since=None)
    return found.order_by("-pk").first()


def _named(what: str, value: object) -> Words:
    return text_words(pickers.label(what, str(value))) if value else NOTHING


def _is_locked(application_id: str, application: Facts, feishu: remote.Client) -> bool | None:
    """Whether another application of the talent locks this one (H5); None for not known."""
    talent_id = application.get("talent_id")
    if not talent_id:
        return None
    try:
        page = feishu.list_application_ids(
            talent_id=str(talent_id), lock_status=[LOCKED_ELSEWHERE], background=False
        )
    except remote.errors.FeishuError:
        return None
    return application_id in page.items


def _warnings_about_person(application: Application) -> list[Notice]:
    person_id, application_id = application.person_id, application.feishu_id
    found = []
    if Employee.objects.filter(person_id=person_id).exclude(application_id=application_id).exists():
        found.append(OTHER_RECORD)
    works_here = Employment.objects.filter(person_id=person_id).exclude(status="terminated")
    if works_here.exists():
        found.append(IN_CORE_HR)
    if PreHire.objects.filter(
        application_id=application_id, onboarding_status__in=rules.AWAITED
    ).exists():
        found.append(HAS_PRE_HIRE)
    return found


# -- what the form starts with ------------------------------------------------------------


def _from_record(record: Employee, *, today: date) -> dict[str, Any]:
    names = [name for name in ID_FIELDS if name != "operator_id"]
    return {
        "onboarded_on": record.onboarded_on or today,
        "expected_conversion_on": record.expected_conversion_on,
        **{name: record.payload.get(name) or "" for name in names},
    }


def _from_pre_hire(pre_hire: PreHire | None, *, today: date) -> dict[str, Any]:
    if pre_hire is None:
        return {"onboarded_on": today}
    return {"onboarded_on": pre_hire.onboards_on or today, "department": pre_hire.department_id}


def _from_offer(offer: Mapping[str, Any]) -> dict[str, Any]:
    names = ("department", "leader", "sequence", "level", "employee_type")
    found = {name: _id_of(offer.get(name)) for name in names}
    found["job_requirement_id"] = str(offer.get("job_requirement_id") or "")
    suggested: dict[str, Any] = {name: value for name, value in found.items() if value}
    day = _day_of_offer(offer.get("onboard_date"))
    if day is None:
        return suggested
    months = offer.get("probation_month")
    if isinstance(months, int) and 0 < months <= LONGEST_PROBATION_MONTHS:
        suggested["expected_conversion_on"] = calendars.months_after(day, months)
    return suggested | {"onboarded_on": day}


def _id_of(value: object) -> str:
    """The id of `{id, name}`."""
    return str(value.get("id") or "") if isinstance(value, Mapping) else ""


def _day_of_offer(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text or ""))
    except ValueError:
        return None
