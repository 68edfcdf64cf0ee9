"""The tree of departments and the leaders in it, from the CEO down."""

from dataclasses import dataclass
from datetime import timedelta
from math import ceil, sqrt

from .builder import Builder
from .catalogues import CITIES, Catalogues
from .days import iso, stamp
from .people import Person, Place, add_contact, add_employment, new_person

_CENTRES = [
    ("研发中心", "研发序列", "平台 基础架构 应用 数据 安全 质量 智能 移动"),
    ("产品中心", "产品序列", "平台产品 商业产品 增长产品 体验 策略"),
    ("销售中心", "销售序列", "华东 华北 华南 西南 大客户 渠道"),
    ("职能中心", "职能序列", "人力资源 财务 法务 行政 审计"),
    ("运营中心", "运营序列", "用户运营 内容运营 客户服务 数据运营"),
    ("市场中心", "市场序列", "品牌 公关 活动 数字营销"),
    ("设计中心", "设计序列", "体验设计 品牌设计 用户研究"),
    ("供应链中心", "供应链序列", "采购 仓储 物流 质量管理"),
    ("国际业务中心", "销售序列", "东南亚 欧洲 北美 中东"),
    ("创新中心", "研发序列", "前沿研究 孵化 硬件"),
]
_NUMERALS = "一二三四五六七八九十"
_PEOPLE_PER_GROUP = 14


@dataclass(frozen=True)
class Node:
    """One department as the people in it see it."""

    place: Place
    name: str
    title: str


def add_organisation(build: Builder, lists: Catalogues) -> list[Place]:
    """Departments and leaders; returns the groups people work in."""
    root = _add_department(build, lists, "星河科技", "职能序列", parent=None, title="首席执行官")
    groups = max(3, build.people // _PEOPLE_PER_GROUP)
    centres = _CENTRES[: min(len(_CENTRES), max(3, groups // 3))]
    per_centre = ceil(groups / len(centres))
    departments = max(1, round(sqrt(per_centre)))
    places: list[Place] = []
    for centre_name, family, themes in centres:
        centre = _add_department(build, lists, centre_name, family, parent=root, title="中心总经理")
        for theme in _department_names(themes.split(), departments):
            department = _add_department(
                build, lists, theme + "部", family, parent=centre, title="部门负责人"
            )
            for n in range(1, ceil(per_centre / departments) + 1):
                group = _add_department(
                    build, lists, f"{theme}{_numeral(n)}组", family, parent=department, title="组长"
                )
                places.append(group.place)
    return places


def _department_names(themes: list[str], count: int) -> list[str]:
    made = themes[:count]
    for _, city, _ in CITIES:
        if len(made) < count:
            made += [f"{city}{theme}" for theme in themes][: count - len(made)]
    return made


def _numeral(n: int) -> str:
    if n <= 10:
        return _NUMERALS[n - 1]
    tens, ones = divmod(n, 10)
    return ("" if tens == 1 else _NUMERALS[tens - 1]) + "十" + (_NUMERALS[ones - 1] if ones else "")


def _add_department(
    build: Builder, lists: Catalogues, name: str, family: str, *, parent: Node | None, title: str
) -> Node:
    n = build.draw("departments")
    department = build.ids.open_department_id(n)
    cost_center = lists.cost_centers[n % 2] if n % 9 else lists.cost_centers[3 + n % 4]
    leader = new_person(build)
    place = Place(department, leader.open_id, lists.families[family], cost_center)
    parent_id = "" if parent is None else parent.place.department
    build.add(
        "departments",
        {
            "id": department,
            "department_id": build.ids.department_id(n),
            "people_corehr_department_id": build.ids.number("departments", n),
            "people_admin_department_id": build.ids.number("retiring", 10_000_000 + n),
            "name": name,
            "parent_id": parent_id,
            "manager": leader.open_id,
            "code": f"D{n:05d}",
            "is_root": parent is None,
            "active": True,
            "effective_date": "2018-01-01",
            "expiration_date": "9999-12-31",
            "disabled_on": "",
            "cost_center_id": cost_center,
            "created_time": stamp(build.today - timedelta(days=1500), 9),
            "list_order": f"{n:09d}",
        },
        n,
    )
    _add_leader(build, lists, leader, place, parent, title)
    return Node(place, name, title)


def _add_leader(
    build: Builder, lists: Catalogues, leader: Person, place: Place, parent: Node | None, title: str
) -> None:
    above = "" if parent is None else parent.place.manager
    own = Place(place.department, above, place.family, place.cost_center)
    joined = build.today - timedelta(days=build.rng.randrange(900, 3500))
    employment = add_employment(
        build,
        lists,
        leader,
        own,
        title=title,
        joined=joined,
        converted=True,
        city=build.rng.randrange(len(CITIES)),
    )
    add_contact(build, leader, own, title=title, joined=joined, employment=employment)


def add_closing_department(build: Builder, parent: Place) -> str:
    """A department that is disabled in 20 days, for the departures that run into it."""
    n = build.draw("departments")
    closes = iso(build.today + timedelta(days=20))
    build.add(
        "departments",
        {
            "id": build.ids.open_department_id(n),
            "department_id": build.ids.department_id(n),
            "people_corehr_department_id": build.ids.number("departments", n),
            "people_admin_department_id": build.ids.number("retiring", 10_000_000 + n),
            "name": "待撤并项目组",
            "parent_id": parent.department,
            "manager": parent.manager,
            "code": f"D{n:05d}",
            "is_root": False,
            "active": True,
            "effective_date": "2018-01-01",
            "expiration_date": closes,
            "disabled_on": closes,
            "cost_center_id": parent.cost_center,
            "created_time": stamp(build.today - timedelta(days=1500), 9),
            "list_order": f"{n:09d}",
        },
        n,
    )
    return build.ids.open_department_id(n)
