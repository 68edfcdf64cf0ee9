"""Cards of JSON 2.0, put together from plain values: the parts the portal uses, no others.

JSON 2.0 refuses attributes it does not know, has no `action` element, and knows shared cards
only (`update_multi` true). Texts come in both languages: Feishu shows each reader the one of
their own client (`i18n_content`). Sources: 卡片 JSON 2.0 结构, 配置卡片多语言, 按钮, 表单容器,
日期选择器, 输入框, 卡片回传交互回调.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from lifecycle.feishu.errors import InvalidValue

Element = dict[str, Any]
Template = Literal["blue", "green", "orange", "red", "grey"]
ButtonType = Literal["default", "primary", "danger"]
# What Markdown of cards would read as a mark, a link, a person or an image (富文本, 转义字符).
MARKS = re.compile(r"([\\`*_~\[\]()<>!#|&$-])")
# A picked date comes back as `2024-04-01 +0800` (卡片回传交互回调, form_value).
PICKED_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(?: [+-]\d{4})?")
# The most an input takes (输入框, max_length).
INPUT_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both languages."""

    zh: str
    en: str


def plain(text: str) -> str:
    """The text as Markdown shows it letter by letter: nobody's name or note becomes a link."""
    escaped = MARKS.sub(lambda found: f"&#{ord(found[1])};", text)
    return escaped.replace("\r", "").replace("\n", "<br>")


def card(title: Text, elements: Sequence[Element], *, template: Template) -> dict[str, Any]:
    return {
        "schema": "2.0",
        "config": {"update_multi": True, "enable_forward": False},
        "header": {"template": template, "title": _words("plain_text", title)},
        "body": {"elements": list(elements)},
    }


def markdown(text: Text) -> Element:
    """`text` is Markdown: what people have typed goes through `plain` first."""
    return _words("markdown", text)


def rule() -> Element:
    return {"tag": "hr"}


def button(
    name: str,
    label: Text,
    value: Mapping[str, str],
    *,
    look: ButtonType = "default",
    question: tuple[Text, Text] | None = None,
    submits: bool = False,
) -> Element:
    """A button that calls back. `question`: title and text asked first. `submits`: it sends
    the form it stands in; names are needed there and stand once in a card."""
    made: Element = {
        "tag": "button",
        "name": name,
        "type": look,
        "text": _words("plain_text", label),
        "behaviors": [{"type": "callback", "value": dict(value)}],
    }
    if question is not None:
        title, text = question
        made["confirm"] = {
            "title": _words("plain_text", title),
            "text": _words("plain_text", text),
        }
    if submits:
        made["form_action_type"] = "submit"
    return made


def link(label: Text, address: str) -> Element:
    return {
        "tag": "button",
        "type": "default",
        "text": _words("plain_text", label),
        "behaviors": [{"type": "open_url", "default_url": address}],
    }


def form(name: str, elements: Sequence[Element]) -> Element:
    """Stands at the root of a card only."""
    return {"tag": "form", "name": name, "elements": list(elements)}


def date_picker(name: str, label: Text, *, initial: date) -> Element:
    return {
        "tag": "date_picker",
        "name": name,
        "placeholder": _words("plain_text", label),
        "initial_date": initial.isoformat(),
    }


def text_input(name: str, label: Text, *, required: bool) -> Element:
    return {
        "tag": "input",
        "name": name,
        "required": required,
        "max_length": INPUT_LENGTH,
        "placeholder": _words("plain_text", label),
    }


def side_by_side(elements: Sequence[Element]) -> Element:
    columns = [{"tag": "column", "width": "auto", "elements": [element]} for element in elements]
    return {"tag": "column_set", "flex_mode": "flow", "columns": columns}


def picked_day(value: object) -> date | None:
    """The day of a date picker, None when none was picked. Raises InvalidValue."""
    if value in (None, ""):
        return None
    found = PICKED_DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if found:
            return date.fromisoformat(found[1])
    except ValueError:
        pass
    raise InvalidValue("That is no day of a date picker.")


def _words(tag: str, text: Text) -> Element:
    return {
        "tag": tag,
        "content": text.zh,
        "i18n_content": {"zh_cn": text.zh, "en_us": text.en},
    }
