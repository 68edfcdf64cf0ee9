"""A company of any size, the same one each time: names as they are spread in China, ids as
Feishu gives them, most people long converted."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from lifecycle.models import Contact, Department, Employee, Person
from lifecycle.pinyin import search_text

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈"
    "钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常"
)
GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文辉玲婷雪梅春红志鑫宇浩然子轩梓涵一诺欣怡晨曦博雅思琪"
    "嘉豪俊佳慧玉兰海燕小林云飞鹏程瑞泽天佑"
)
WEIGHTS = [1 / (place + 3) for place in range(len(SURNAMES))]
DEPARTMENTS, LEADERS, CHUNK = 200, 500, 5_000


def fill(size: int) -> None:
    """People and employees in the database; nothing is done when there are so many already."""
    if Employee.objects.order_by().count() == size:
        return
    empty()
    _fill_organisation()
    for chunk in _chunks(size):
        Person.objects.bulk_create([person for person, _ in chunk], batch_size=CHUNK)
        Employee.objects.bulk_create([one for _, one in chunk], batch_size=CHUNK)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "VACUUM ANALYZE")


def empty() -> None:
    for model in (Employee, Person, Department, Contact):
        model._base_manager.all()._raw_delete("default")  # type: ignore[attr-defined]


def names(choice: random.Random) -> Iterator[str]:
    while True:
        yield choice.choices(SURNAMES, WEIGHTS)[0] + "".join(
            choice.choices(GIVEN, k=choice.choice([1, 2, 2]))
        )


def payload(number: int, choice: random.Random, today: date) -> dict[str, Any]:
    """An employee as H10 answers."""
    state = choice.random()
    onboarded = today - timedelta(days=choice.randrange(30, 3000))
    due = onboarded + timedelta(days=180)
    if state < 0.05:
        onboarded = today - timedelta(days=choice.randrange(0, 190))
        due = onboarded + timedelta(days=180)
    return {
        "id": f"69{600000000000000 + number * 7919:015d}{number % 100:02d}",
        "application_id": f"70{100000000000000 + number * 104729:015d}{number % 100:02d}",
        "onboard_status": 2 if state > 0.92 else 1,
        "conversion_status": 1 if state < 0.05 else 2,
        "onboard_time": _ms(onboarded),
        "expected_conversion_time": _ms(due),
        "actual_conversion_time": 0 if state < 0.05 else _ms(due),
        "overboard_time": _ms(today - timedelta(days=1)) if state > 0.92 else 0,
        "department": f"od-{choice.randrange(DEPARTMENTS)}",
        "leader": f"ou_{choice.randrange(LEADERS)}",
        "level": "",
        "sequence": "",
        "employee_type": "",
    }


def payloads(size: int) -> Iterator[dict[str, Any]]:
    choice, today = random.Random(1), timezone.localdate()
    for number in range(1, size + 1):
        yield payload(number, choice, today)


def _chunks(size: int) -> Iterator[list[tuple[Person, Employee]]]:
    from lifecycle.mirror import employee_row

    named, known, at = names(random.Random(2)), {}, timezone.now()
    chunk: list[tuple[Person, Employee]] = []
    for number, record in enumerate(payloads(size), start=1):
        name = next(named)
        if name not in known:
            known[name] = search_text(name)
        row = employee_row(record)
        talent_id = f"71{number * 61803398874989484 % 10**17:017d}"
        person = Person(
            id=number,
            name=name,
            talent_id=talent_id,
            search_text="\n".join([known[name], row.feishu_id, talent_id]),
        )
        employee = Employee(
            id=number,
            feishu_id=row.feishu_id,
            person_id=number,
            payload=row.payload,
            asked_at=at,
            **row.columns,
        )
        chunk.append((person, employee))
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _fill_organisation() -> None:
    at = timezone.now()
    Department.objects.bulk_create(
        Department(
            feishu_id=f"od-{n}",
            name=f"部门{n}",
            full_name=f"集团 / 部门{n}",
            path=f"/od-{n}/",
            asked_at=at,
        )
        for n in range(DEPARTMENTS)
    )
    Contact.objects.bulk_create(
        Contact(feishu_id=f"ou_{n}", name=name, asked_at=at)
        for n, name in zip(range(LEADERS), names(random.Random(3)), strict=False)
    )


def _ms(day: date) -> int:
    return int(
        datetime(day.year, day.month, day.day, tzinfo=timezone.get_default_timezone()).timestamp()
        * 1000
    )
