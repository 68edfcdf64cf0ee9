"""The company's short lists: cities, levels, families, types, cost centres, processes, reasons."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from .builder import Builder
from .days import iso, midnight_ms, stamp

CITIES = [
    ("CT_2", "上海", "Shanghai"), ("CT_11", "北京", "Beijing"), ("CT_128", "深圳", "Shenzhen"),
    ("CT_52", "杭州", "Hangzhou"), ("CT_45", "广州", "Guangzhou"), ("CT_22", "成都", "Chengdu"),
    ("CT_154", "武汉", "Wuhan"), ("CT_155", "西安", "Xi'an"), ("CT_107", "南京", "Nanjing"),
]  # fmt: skip
FAMILIES = [
    ("研发序列", "Engineering"), ("产品序列", "Product"), ("设计序列", "Design"), ("市场序列", "Marketing"),
    ("销售序列", "Sales"), ("职能序列", "Corporate functions"), ("运营序列", "Operations"),
    ("供应链序列", "Supply chain"),
]  # fmt: skip
TITLES = {
    "研发序列": ["后端工程师", "前端工程师", "测试工程师", "算法工程师", "数据工程师", "架构师"],
    "产品序列": ["产品经理", "高级产品经理", "产品运营"],
    "设计序列": ["交互设计师", "视觉设计师", "用户研究员"],
    "市场序列": ["市场专员", "品牌经理", "内容策划"],
    "销售序列": ["客户经理", "大客户经理", "解决方案顾问"],
    "职能序列": ["人事专员", "财务专员", "法务顾问", "行政专员"],
    "运营序列": ["用户运营", "客服专员", "数据分析师"],
    "供应链序列": ["采购专员", "物流专员", "质量工程师"],
}
EMPLOYEE_TYPES = [
    ("正式", "Regular"),
    ("实习", "Intern"),
    ("外包", "Outsourced"),
    ("劳务", "Contractor"),
    ("顾问", "Consultant"),
]
STAGES = [
    (1, "简历初筛", "Screening"), (2, "简历评估", "Evaluation"), (3, "笔试", "Written test"), (4, "面试", "Interview"),
    (5, "Offer 沟通", "Offer"), (6, "待入职", "Pre-hire"), (7, "已入职", "Onboarded"),
    (8, "人才储备", "Talent reserve"), (255, "系统默认", "System default"),
]  # fmt: skip
REASONS = [
    ("reason_for_offboarding_option1", "主动离职", "Voluntary", ""),
    ("reason_for_offboarding_option2", "被动离职", "Involuntary", ""),
    ("reason_for_offboarding_option8", "家庭原因", "Family reasons", "reason_for_offboarding_option1"),
    ("reason_for_offboarding_option9", "职业发展", "Career", "reason_for_offboarding_option1"),
    ("reason_for_offboarding_option10", "薪酬福利", "Compensation", "reason_for_offboarding_option1"),
    ("reason_for_offboarding_option11", "试用期不合格", "Failed probation", "reason_for_offboarding_option2"),
    ("reason_for_offboarding_option12", "合同到期", "Contract expired", "reason_for_offboarding_option2"),
    ("reason_for_offboarding_option13", "其他原因", "Other (retired)", ""),
]  # fmt: skip


@dataclass
class Catalogues:
    """Ids of the short lists, for the people who refer to them."""

    cities: list[str] = field(default_factory=list)
    locations: list[str] = field(default_factory=list)
    families: dict[str, str] = field(default_factory=dict)
    levels: list[str] = field(default_factory=list)
    types: list[str] = field(default_factory=list)
    cost_centers: list[str] = field(default_factory=list)
    companies: list[str] = field(default_factory=list)
    processes: list[tuple[str, dict[int, str]]] = field(default_factory=list)


def names(zh: str, en: str) -> list[dict[str, str]]:
    return [{"lang": "zh-CN", "value": zh}, {"lang": "en-US", "value": en}]


def add_catalogues(build: Builder) -> Catalogues:
    made = Catalogues()
    _add_locations(build, made)
    _add_job_lists(build, made)
    _add_employee_types(build, made)
    _add_cost_centers(build, made)
    _add_processes(build, made)
    _add_reasons_and_companies(build, made)
    return made


def _add_locations(build: Builder, made: Catalogues) -> None:
    for n, (code, zh, en) in enumerate(CITIES, start=1):
        location = build.ids.number("locations", n)
        build.add(
            "locations", {"id": location, "code": code, "zh": zh, "en": en, "active_status": 1}
        )
        made.cities.append(code)
        made.locations.append(location)


def _add_job_lists(build: Builder, made: Catalogues) -> None:
    for n, (zh, en) in enumerate(FAMILIES, start=1):
        family = build.ids.number("job_families", n)
        made.families[zh] = family
        build.add(
            "job_families",
            {
                "id": family,
                "job_family_id": build.ids.number("contact_forms", 100 + n),
                "people_admin_job_category_id": build.ids.number("retiring", 100 + n),
                "name": names(zh, en),
                "code": f"JF-{n:02d}",
                "active": True,
            },
        )
    for n in range(1, 13):
        level = build.ids.number("job_levels", n)
        made.levels.append(level)
        build.add(
            "job_levels",
            {
                "id": level,
                "job_level_id": build.ids.number("contact_forms", 200 + n),
                "people_admin_job_level_id": build.ids.number("retiring", 200 + n),
                "name": names(f"P{n}", f"P{n}"),
                "code": f"P{n}",
                "level_order": n,
                "active": n != 12,
            },
        )


def _add_employee_types(build: Builder, made: Catalogues) -> None:
    for n, (zh, en) in enumerate(EMPLOYEE_TYPES, start=1):
        employee_type = build.ids.number("employee_types", n)
        made.types.append(employee_type)
        build.add(
            "employee_types",
            {
                "id": employee_type,
                "employee_type_enum_id": build.ids.number("contact_forms", 300 + n),
                "people_admin_employee_type_id": str(n),
                "name": names(zh, en),
                "code": f"ET-{n}",
                "default_employee_type": n == 1,
                "active": n != 5,
            },
        )


def _add_cost_centers(build: Builder, made: Catalogues) -> None:
    """Most are active; number 3 is about to be disabled, every tenth is deactivated."""
    for n in range(1, min(200, max(12, build.people // 100)) + 1):
        cost_center = build.ids.number("cost_centers", n)
        deactivated, ending = n % 10 == 0, n == 3
        expiration = "9999-12-31"
        if ending:
            expiration = iso(build.today + timedelta(days=20))
        elif deactivated:
            expiration = iso(build.today - timedelta(days=40))
        build.add(
            "cost_centers",
            {
                "id": cost_center,
                "version_id": build.ids.number("cost_centers", 1_000_000 + n),
                "name": names(f"成本中心 {n:02d}", f"Cost center {n:02d}"),
                "code": f"CC-{n:02d}",
                "parent_cost_center_id": "" if n < 5 else made.cost_centers[n % 4],
                "effective_time": "2019-01-01",
                "expiration_time": expiration,
                "active": not deactivated,
            },
        )
        made.cost_centers.append(cost_center)


def _add_processes(build: Builder, made: Catalogues) -> None:
    for n, (zh, en, kind) in enumerate(
        [("社招流程", "Experienced", 1), ("校招流程", "Campus", 2)], start=1
    ):
        process = build.ids.number("job_processes", n)
        stages = {type_: build.ids.number("stages", n * 100 + type_) for type_, _, _ in STAGES}
        made.processes.append((process, stages))
        stage_list: list[dict[str, Any]] = [
            {"id": stages[type_], "zh_name": stage_zh, "en_name": stage_en, "type": type_}
            for type_, stage_zh, stage_en in STAGES
        ]
        build.add(
            "job_processes",
            {"id": process, "zh_name": zh, "en_name": en, "type": kind, "stage_list": stage_list},
        )


def _add_reasons_and_companies(build: Builder, made: Catalogues) -> None:
    for reason, zh, en, parent in REASONS:
        build.add(
            "reasons",
            {
                "id": reason,
                "name": names(zh, en),
                "active": zh != "其他原因",
                "parent": parent,
                "created_time": stamp(build.today - timedelta(days=900), 9),
                "updated_time": stamp(build.today - timedelta(days=300), 9),
            },
        )
    for n, (zh, en) in enumerate(
        [("上海星河科技有限公司", "Galaxy Shanghai"), ("北京星河科技有限公司", "Galaxy Beijing")],
        start=1,
    ):
        company = build.ids.number("companies", n)
        made.companies.append(company)
        build.add(
            "companies",
            {"id": company, "name": names(zh, en), "created_ms": midnight_ms(build.today)},
        )
