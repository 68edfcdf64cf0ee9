"""A pre-hire in plain values, from what Feishu holds (P2), and in words.

Three shapes of one record: the payload as Feishu sends it; the facts, which are plain JSON
and hashed; the held values, which a form starts with and a plan compares with. A day that is
none, or a field nobody has described, stays a fact and is no held value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from lifecycle import pickers, remote
from lifecycle.changes.kinds.words import NOTHING, text_words
from lifecycle.errors.words import Words
from lifecycle.forms import object_fields
from lifecycle.forms.object_fields import ObjectField
from lifecycle.rules import OnboardingStatus

Split = tuple[tuple[str, int], ...]
Fields = Mapping[str, ObjectField]

IDS = ("ats_application_id", "person_id")
TEXTS = ("worker_id", "employee_type_id", *IDS)
ENUMS = ("onboarding_status", "employee_type")
# In the order in which people read them.
NAMES = (
    "onboarding_status", "hire_date", "employee_type_id", "worker_id", "cost_center_rate",
    "employee_type", *IDS,
)  # fmt: skip
LABELS: dict[str, Words] = {
    "onboarding_status": Words("入职状态", "Onboarding status"),
    "hire_date": Words("入职日期", "Start date"),
    "employee_type_id": Words("人员类型", "Employee type"),
    "worker_id": Words("人员编号", "Employee number"),
    "cost_center_rate": Words("成本中心分摊", "Cost center split"),
    "employee_type": Words("雇佣类型枚举值", "Employment type code"),
    "ats_application_id": Words("招聘投递 ID", "Hire application id"),
    "person_id": Words("个人信息 ID", "Person id"),
}
STATUS_WORDS: dict[str, Words] = {
    OnboardingStatus.PREBOARDING: Words("待入职", "Pre-hire"),
    OnboardingStatus.DAY_ONE: Words("准备就绪", "Ready for day one"),
    OnboardingStatus.COMPLETED: Words("已完成", "Completed"),
    OnboardingStatus.WITHDRAWN: Words("已撤销", "Withdrawn"),
    OnboardingStatus.DELETED: Words("已删除", "Deleted"),
}


# -- facts --------------------------------------------------------------------------------


def facts_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Everything of P2 that can be changed. What Feishu leaves out is empty."""
    return {
        "hire_date": _text(payload.get("hire_date")),
        **{name: _text(payload.get(name)) for name in TEXTS},
        **{name: _enum_name(payload.get(name)) for name in ENUMS},
        "cost_center_rate": [list(share) for share in _split(payload.get("cost_center_rate"))],
        "custom_fields": dict(_custom_fields(payload.get("custom_fields"))),
    }


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _enum_name(value: Any) -> str:
    return _text(value.get("enum_name")) if isinstance(value, Mapping) else ""


def _split(items: Any) -> Split:
    """Sorted, because Feishu promises no order."""
    shares = (
        (_text(item.get("cost_center_id")), item.get("rate"))
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, Mapping)
    )
    return tuple(sorted((center, rate) for center, rate in shares if type(rate) is int))


def _custom_fields(items: Any) -> Iterator[tuple[str, str]]:
    for item in items if isinstance(items, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("field_name"), str):
            yield item["field_name"], _text(item.get("value"))


def facts_in(text: Any) -> dict[str, Any] | None:
    """The facts a text spells out, None when it does not: anybody may have written it."""
    try:
        kept = json.loads(text)
    except (ValueError, RecursionError, TypeError):
        return None
    if not isinstance(kept, dict):
        return None
    split, custom = kept.get("cost_center_rate"), kept.get("custom_fields")
    is_split = isinstance(split, list) and all(
        isinstance(share, list)
        and len(share) == 2
        and isinstance(share[0], str)
        and type(share[1]) is int
        for share in split
    )
    are_texts = all(isinstance(kept.get(name), str) for name in ("hire_date", *TEXTS, *ENUMS))
    if not is_split or not are_texts or not isinstance(custom, dict):
        return None
    return kept if all(isinstance(value, str) for value in custom.values()) else None


# -- held values --------------------------------------------------------------------------


def held_values(facts: Mapping[str, Any], fields: Fields) -> dict[str, Any]:
    """The facts as plain values; custom fields by their api names, under `custom_fields`."""
    custom = facts["custom_fields"]
    return {
        "hire_date": day_in(facts["hire_date"]),
        **{name: facts[name] for name in (*TEXTS, *ENUMS)},
        "cost_center_rate": tuple((center, rate) for center, rate in facts["cost_center_rate"]),
        "custom_fields": {name: held_custom(fields[name], custom.get(name)) for name in fields},
    }


def day_in(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def held_custom(field: ObjectField, text: str | None) -> object_fields.Value:
    """The value behind a string of P2, None where there is none to be read."""
    if text is None or field.kind is None:
        return None
    try:
        return object_fields.held(field, remote.values.decode_pre_hire_value(text, field.kind))
    except remote.errors.InvalidValue:
        return None


def is_same(name: str, left: Any, right: Any) -> bool:
    """Whether two values of one field are the same to Feishu: a split has no order."""
    if name == "cost_center_rate":
        return sorted(left) == sorted(right)
    return left == right or (is_empty(left) and is_empty(right))


def is_empty(value: Any) -> bool:
    return value is None or value in ("", ())


def changed_values(values: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the wanted values that Feishu does not hold already."""
    changed = {
        name: values[name]
        for name in NAMES
        if name in values and not is_same(name, values[name], held[name])
    }
    custom = {
        name: value
        for name, value in values.get("custom_fields", {}).items()
        if not is_same(name, value, held["custom_fields"].get(name))
    }
    return changed | ({"custom_fields": custom} if custom else {})


# -- comparing what was sent with what is there -------------------------------------------


def shows(facts: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether the facts show everything that the body of a request sets."""
    return all(_shows(facts[name], name, value) for name, value in body.items())


def _shows(fact: Any, name: str, sent: Any) -> bool:
    if name == "custom_fields":
        return all(
            item["field_name"] in fact and _is_same_text(item["value"], fact[item["field_name"]])
            for item in sent
        )
    if name == "cost_center_rate":
        return bool([list(share) for share in _split(sent)] == fact)
    return bool((_enum_name(sent) if name in ENUMS else sent) == fact)


def _is_same_text(sent: str, held: str) -> bool:
    """The same JSON value: Feishu may print a number, a truth or a day in another way."""
    return sent == held or _plain(sent) == _plain(held)


def _plain(text: str) -> Any:
    try:
        value = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation):
        return text
    if not isinstance(value, str):
        return value
    if value in ("true", "false"):
        return value == "true"
    return value.removesuffix(" 00:00:00")


# -- in words -----------------------------------------------------------------------------


def value_words(name: str, value: Any) -> Words:
    """A held or wanted value as people read it: names instead of ids."""
    if name == "onboarding_status":
        return STATUS_WORDS.get(value) or text_words(value)
    if name == "cost_center_rate":
        return split_words(value)
    if name == "employee_type_id" and value:
        return text_words(pickers.label("corehr_employee_type", value))
    return text_words(value)


def split_words(split: Split) -> Words:
    if not split:
        return NOTHING
    names = pickers.labels("cost_center", [center for center, _ in split])
    parts = [f"{names.get(center, center)} {rate}%" for center, rate in split]
    return Words("、".join(parts), ", ".join(parts))


def custom_words(field: ObjectField, text: str | None) -> Words:
    """A string of P2 as people read it; the string itself where it cannot be understood."""
    value = held_custom(field, text)
    return object_fields.shown(field, value) if value is not None else text_words(text)
