"""The company the second server keeps: records in memory, and builders for them.

Ids of every kind differ in every id type, so that an id read in one type and sent in
another is noticed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Shanghai")
PRE_HIRE_STAGE, ONBOARDED_STAGE = 6, 7


def ms(day: date) -> int:
    """The first millisecond of a day of the tenant."""
    return int(datetime(day.year, day.month, day.day, tzinfo=ZONE).timestamp() * 1000)


def today() -> date:
    return datetime.now(ZONE).date()


@dataclass(slots=True)
class Thing:
    """Anything that has one id per id type: a user, a department, a job level ..."""

    ids: dict[str, str]
    name: str
    active: bool = True
    parent: Thing | None = None
    manager: Thing | None = None
    en_name: str = ""
    order: int = 0
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Talent:
    id: str
    name: str
    email: str
    updated_ms: int
    is_onboarded: bool = False
    mark: str = ""  # "onboarded" or "left", as the pages of Hire show it
    locked_by: str = ""  # the application that locks the talent, if any


@dataclass(slots=True)
class Application:
    id: str
    talent: Talent
    stage: int
    updated_ms: int
    active: bool = True
    job_id: str = "7390000000000000001"
    offer: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class HireEmployee:
    id: str
    application: Application
    onboard_status: int = 1
    conversion_status: int = 1
    onboard_time: int = 0
    expected_conversion_time: int = 0
    actual_conversion_time: int = 0
    overboard_time: int = 0
    overboard_note: str = ""
    onboard_city_code: str = ""
    department: Thing | None = None
    leader: Thing | None = None
    sequence: Thing | None = None
    level: Thing | None = None
    employee_type: Thing | None = None
    job_requirement_id: str = ""
    synced_to_corehr: bool = False
    employment: Employment | None = None


@dataclass(slots=True)
class Employment:
    """CoreHR's record; its id is the user's `people_corehr_id`."""

    user: Thing
    number: str
    since: date
    department: Thing | None = None
    leader: Thing | None = None
    level: Thing | None = None
    family: Thing | None = None
    application_id: str = ""
    pre_hire_id: str = ""
    status: str = "hired"
    on_probation: bool = False
    probation_end: date | None = None
    last_day: date | None = None

    @property
    def id(self) -> str:
        return self.user.ids["people_corehr_id"]


@dataclass(slots=True)
class PreHire:
    id: str
    name: str
    talent: Talent | None
    ats_application_id: str
    hire_date: str
    onboarding_status: str = "preboarding"
    employee_type: str = "regular"
    employee_type_id: str = ""
    worker_id: str = ""
    person_id: str = ""
    custom_fields: dict[str, str] = field(default_factory=dict)  # JSON-encoded values
    cost_center_rate: list[dict[str, Any]] = field(default_factory=list)
    department: Thing | None = None
    updated_on: date = field(default_factory=today)


@dataclass(slots=True)
class Offboarding:
    id: str
    employment: Employment
    status: str = "Approved"
    values: dict[str, str] = field(default_factory=dict)
    initiated: str = ""
    finished: str = ""
    # What stands in the way of an edit, in the words of the error table.
    outside_data_scope: bool = False
    transform_in_approval: bool = False
    change_in_approval: bool = False
    withdrawal_in_approval: bool = False
    probation_start: date | None = None
    last_transform: date | None = None
    department_disabled_from: date | None = None
    contract_start: date | None = None
    contract_end: date | None = None
    contract_ended_on: date | None = None
    future_contract: bool = False
    has_contract: bool = True


@dataclass(slots=True)
class Field:
    """A field of CoreHR. Types as on the edit page: 1 text, 2 boolean, 3 number, 4 enum,
    5 person, 7 date, 8 attachment."""

    object_name: str
    api_name: str
    type: int
    zh_name: str
    options: tuple[str, ...] = ()
    multiple: bool = False
    multiline: bool = False
    is_url: bool = False
    required: bool = False
    most: int = 0
    with_time: bool = False


# The standard fields that the pages name. Their names as A4 takes them are not printed; these
# are the names under which O1 prints them.
OFFBOARDING_FIELDS = [
    Field("offboarding_info", "offboarding_date", 7, "离职日期"),
    Field("offboarding_info", "expected_offboarding_date", 7, "期望离职日期"),
    Field("offboarding_info", "last_attendance_date", 7, "最后出勤日期"),
    Field("offboarding_info", "apply_initiating_time", 7, "申请发起时间", with_time=True),
    Field("offboarding_info", "apply_finish_time", 7, "审批通过时间", with_time=True),
    Field("offboarding_info", "reason", 4, "离职原因"),
    Field("offboarding_info", "employee_reason", 4, "离职原因（员工）"),
    Field("offboarding_info", "reason_explanation", 1, "离职原因说明", multiline=True),
    Field(
        "offboarding_info", "employee_reason_explanation", 1, "离职原因说明（员工）", multiline=True
    ),
    Field("offboarding_info", "add_block_list", 2, "加入屏蔽名单"),
    Field("offboarding_info", "block_reason", 4, "屏蔽原因", options=("option_1", "option_2")),
    Field("offboarding_info", "block_reason_explanation", 1, "屏蔽原因说明", multiline=True),
    Field("offboarding_info", "retain_account", 2, "保留飞书账号"),
    Field("offboarding_info", "noncompete_agreement_company", 1, "竞业公司"),
    Field("offboarding_info", "noncompete_agreement_start_date", 7, "竞业开始日期"),
    Field("offboarding_info", "noncompete_agreement_end_date", 7, "竞业结束日期"),
]


@dataclass(slots=True)
class CostCenter:
    id: str
    name: str
    code: str
    active: bool = True
    closing: bool = False


@dataclass(slots=True)
class JobRequirement:
    id: str
    name: str
    onboarded: int = 0


class Company:
    """Everything the server knows. Tests build it and read it; the server changes it."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.ehr_switch = True
        self.job_requirement_needed = False
        # What the pages leave open, one way or the other.
        self.left_talents_stay_onboarded = False
        self.restored_employees_stay = False
        self.leaving_is_refused = False
        self.users: list[Thing] = []
        self.departments: list[Thing] = []
        self.levels: list[Thing] = []
        self.families: list[Thing] = []
        self.employee_types: list[Thing] = []
        self.locations: dict[str, str] = {}  # city code: name
        self.talents: dict[str, Talent] = {}
        self.applications: dict[str, Application] = {}
        self.employees: dict[str, HireEmployee] = {}
        self.employments: dict[str, Employment] = {}
        self.pre_hires: dict[str, PreHire] = {}
        self.offboardings: dict[str, Offboarding] = {}
        self.fields: list[Field] = []
        self.cost_centers: dict[str, CostCenter] = {}
        self.job_requirements: dict[str, JobRequirement] = {}
        self.reasons: dict[str, tuple[str, str]] = {}  # identifier: (name, parent)
        self.companies: set[str] = set()
        self.tokens_spent: dict[str, str] = {}  # client_token: pre-hire id

    def number(self, prefix: str) -> str:
        """An id as Feishu has them: nineteen digits, always a string."""
        return f"{prefix}{next(self._numbers):0{19 - len(prefix)}d}"

    # Reference data.
    def user(self, name: str, *, leader: Thing | None = None, en_name: str = "") -> Thing:
        n = next(self._numbers)
        ids = {
            "open_id": f"ou_{n:032x}",
            "union_id": f"on_{n:032x}",
            "user_id": f"u{n:07d}",
            "people_corehr_id": self.number("72"),
            "people_admin_id": self.number("61"),
        }
        user = Thing(ids, name, manager=leader, en_name=en_name)
        self.users.append(user)
        return user

    def department(self, name: str, *, under: Thing | None = None) -> Thing:
        n = next(self._numbers)
        ids = {
            "open_department_id": f"od-{n:032x}",
            "department_id": f"D{n:06d}",
            "people_corehr_department_id": self.number("71"),
            "people_admin_department_id": self.number("62"),
        }
        department = Thing(ids, name, parent=under, order=len(self.departments))
        self.departments.append(department)
        return department

    def level(self, name: str) -> Thing:
        ids = {
            "job_level_id": f"mga{next(self._numbers)}",
            "people_admin_job_level_id": self.number("63"),
            "id": self.number("69"),
        }
        self.levels.append(Thing(ids, name, order=len(self.levels)))
        return self.levels[-1]

    def family(self, name: str) -> Thing:
        ids = {
            "job_family_id": f"mgb{next(self._numbers)}",
            "people_admin_job_category_id": self.number("64"),
            "id": self.number("60"),
        }
        self.families.append(Thing(ids, name))
        return self.families[-1]

    def employee_type(self, name: str) -> Thing:
        ids = {
            "employee_type_enum_id": str(len(self.employee_types) + 1),
            "people_admin_employee_type_id": self.number("65"),
            "id": self.number("66"),
        }
        self.employee_types.append(Thing(ids, name))
        return self.employee_types[-1]

    def cost_center(self, name: str, **facts: Any) -> CostCenter:
        center = CostCenter(self.number("75"), name, f"CC-{len(self.cost_centers) + 1:02d}")
        for fact, value in facts.items():
            setattr(center, fact, value)
        self.cost_centers[center.id] = center
        return center

    def job_requirement(self, name: str) -> JobRequirement:
        one = JobRequirement(self.number("77"), name)
        self.job_requirements[one.id] = one
        return one

    def custom(self, object_name: str, api_name: str, type_: int, **facts: Any) -> Field:
        facts.setdefault("zh_name", api_name)
        self.fields.append(Field(object_name, api_name, type_, **facts))
        return self.fields[-1]

    # People.
    def talent(self, name: str, **facts: Any) -> Talent:
        number = self.number("68")
        talent = Talent(number, name, f"{number}@example.com", ms(today()))
        for fact, value in facts.items():
            setattr(talent, fact, value)
        self.talents[talent.id] = talent
        return talent

    def application(self, talent: Talent, *, stage: int = PRE_HIRE_STAGE) -> Application:
        one = Application(self.number("73"), talent, stage, ms(today()))
        self.applications[one.id] = one
        return one

    def employee(self, name: str, *, since: date | None = None, **facts: Any) -> HireEmployee:
        """Onboarded through Hire, on probation unless told otherwise."""
        since = since or today() - timedelta(days=100)
        talent = self.talent(name, is_onboarded=True, mark="onboarded")
        application = self.application(talent, stage=ONBOARDED_STAGE)
        one = HireEmployee(
            self.number("74"),
            application,
            onboard_time=ms(since),
            expected_conversion_time=ms(since + timedelta(days=180)),
            onboard_city_code=next(iter(self.locations), ""),
        )
        for fact, value in facts.items():
            setattr(one, fact, value)
        self.employees[one.id] = one
        return one

    def employment(self, user: Thing, *, since: date | None = None, **facts: Any) -> Employment:
        since = since or today() - timedelta(days=400)
        one = Employment(user, f"E{len(self.employments) + 1:05d}", since)
        for fact, value in facts.items():
            setattr(one, fact, value)
        self.employments[one.id] = one
        return one

    def pre_hire(self, name: str, *, on: date | None = None, **facts: Any) -> PreHire:
        talent = self.talent(name)
        application = self.application(talent)
        one = PreHire(
            self.number("76"),
            name,
            talent,
            application.id,
            (on or today() + timedelta(days=14)).isoformat(),
            person_id=self.number("67"),
        )
        for fact, value in facts.items():
            setattr(one, fact, value)
        self.pre_hires[one.id] = one
        return one

    def offboarding(
        self, employment: Employment, *, on: date | None = None, **facts: Any
    ) -> Offboarding:
        on = on or today() + timedelta(days=20)
        one = Offboarding(
            self.number("70"),
            employment,
            values={"offboarding_date": on.isoformat(), "reason": next(iter(self.reasons), "")},
            initiated="2026-01-05 10:00:00",
            finished="2026-01-06 09:30:00",
        )
        for fact, value in facts.items():
            setattr(one, fact, value)
        self.offboardings[one.id] = one
        return one

    # Finding.
    def user_by(self, id_type: str, value: str) -> Thing | None:
        return by_id(self.users, id_type, value)

    def employee_of(self, application_id: str) -> HireEmployee | None:
        found = (e for e in self.employees.values() if e.application.id == application_id)
        return next(found, None)


def by_id(things: list[Thing], id_type: str, value: str) -> Thing | None:
    return next((thing for thing in things if thing.ids.get(id_type) == value), None)


def a_company() -> Company:
    """About thirty people: on probation, converted, left, to come and about to leave."""
    c = Company()
    c.locations = {"CT_2": "北京", "CT_125": "上海"}
    c.reasons = {
        "reason_for_offboarding_option1": ("个人原因", ""),
        "reason_for_offboarding_option8": ("家庭原因", "reason_for_offboarding_option1"),
    }
    c.companies = {"6900000000000000001"}
    root = c.department("总公司")
    rnd, sales = c.department("研发中心", under=root), c.department("销售部", under=root)
    boss = c.user("赵敏", en_name="Zhao Min")
    chief = c.user("钱进", leader=boss, en_name="Qian Jin")
    rnd.manager, sales.manager, root.manager = chief, boss, boss
    level, family = c.level("P5"), c.family("研发")
    regular = c.employee_type("正式")
    for name in ("研发成本", "销售成本"):
        c.cost_center(name)
    c.job_requirement("后端工程师")
    c.custom("offboarding_info", "next_step__c", 4, zh_name="去向", options=("opt_a", "opt_b"))
    c.custom("offboarding_info", "note__c", 1, zh_name="备注", most=255)
    c.custom("pre_hire", "badge__c", 1, zh_name="工牌", most=255)
    for user in (boss, chief):
        c.employment(user, department=root)
    place = {"leader": chief, "department": rnd, "level": level, "sequence": family}
    place["employee_type"] = regular
    for index in range(12):
        c.employee(f"试用{index + 1:02d}", **place)
    for index in range(4):
        c.employee(
            f"转正{index + 1:02d}",
            since=today() - timedelta(days=300),
            conversion_status=2,
            actual_conversion_time=ms(today() - timedelta(days=30)),
            **place,
        )
    for index in range(3):
        c.employee(
            f"离职{index + 1:02d}",
            onboard_status=2,
            overboard_time=ms(today() - timedelta(days=5)),
            overboard_note="职业发展考虑",
            **place,
        )
    for index in range(3):
        c.application(c.talent(f"候选{index + 1:02d}"))
    for index in range(2):
        c.pre_hire(f"待入职{index + 1:02d}", department=rnd, employee_type_id=regular.ids["id"])
    for index in range(3):
        user = c.user(f"在职{index + 1:02d}", leader=chief)
        employment = c.employment(user, department=sales, leader=boss, level=level, family=family)
        c.offboarding(employment, status=("Approved", "Approved", "Approving")[index])
    synced = c.user("已同步", leader=chief)
    person = c.employee("已同步", synced_to_corehr=True, **place)
    person.employment = c.employment(
        synced, department=rnd, leader=chief, application_id=person.application.id
    )
    return c
