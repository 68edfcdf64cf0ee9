"""Small answer shapes that CoreHR uses everywhere."""

from collections.abc import Iterable
from typing import Any

_ENUM_TEXTS = {
    "preboarding": ("待入职", "Preboarding"),
    "day_one": ("准备就绪", "Ready"),
    "completed": ("已完成", "Completed"),
    "withdrawn": ("已撤销", "Withdrawn"),
    "deleted": ("已删除", "Deleted"),
    "hired": ("在职", "Hired"),
    "terminated": ("离职", "Terminated"),
    "male": ("男", "Male"),
    "female": ("女", "Female"),
}


def both(zh: str, en: str) -> list[dict[str, str]]:
    return [{"lang": "zh-CN", "value": zh}, {"lang": "en-US", "value": en}]


def enum(name: str, display: list[dict[str, str]] | None = None) -> dict[str, Any]:
    if display is None:
        display = both(*_ENUM_TEXTS[name]) if name in _ENUM_TEXTS else []
    return {"enum_name": name, "display": display}


def gender(number: int) -> dict[str, Any]:
    return enum("male" if number == 1 else "female")


def select(full: dict[str, Any], fields: Iterable[str], always: tuple[str, ...]) -> dict[str, Any]:
    """Only what was asked for: `group`, or `group.field`; a bare group brings all its children."""
    shown: dict[str, Any] = {name: full[name] for name in always}
    for asked in fields:
        group, _, child = asked.partition(".")
        if group not in full:
            continue
        value = full[group]
        if child and isinstance(value, dict):
            if child in value and shown.get(group) is not value:
                shown.setdefault(group, {})[child] = value[child]
        else:
            shown[group] = value
    return shown
