"""What a card of JSON 2.0 may look like: what is not known here is refused, as Feishu does.

Covers the parts the portal uses. Sources: 卡片 JSON 2.0 结构, 卡片 JSON 2.0 版本更新说明 (unknown
attributes are errors; no `action` element), 表单容器 (at the root only, names needed and unique).
"""

import json
from typing import Any

MOST_BYTES = 30 * 1024
_TEXT = {"tag", "content", "i18n_content"}
_ALLOWED: dict[str, set[str]] = {
    "markdown": _TEXT,
    "hr": {"tag"},
    "button": {"tag", "name", "type", "text", "behaviors", "confirm", "form_action_type"},
    "form": {"tag", "name", "elements"},
    "column_set": {"tag", "flex_mode", "columns"},
    "column": {"tag", "width", "elements"},
    "date_picker": {"tag", "name", "placeholder", "initial_date"},
    "input": {"tag", "name", "required", "max_length", "placeholder"},
}
_INPUTS = ("date_picker", "input")
_TEMPLATES = {"blue", "wathet", "turquoise", "green", "yellow", "orange", "red", "grey", "default"}


class BadCard(ValueError):
    """`code` is the sub code that Feishu prints in the text of 230099."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"ErrCode: {code}; ErrMsg: {text}")


def read_card(content: object) -> dict[str, Any]:
    """The card in a message's content. Raises BadCard."""
    if not isinstance(content, str):
        raise BadCard(200621, "content is not a string")
    try:
        card = json.loads(content)
    except ValueError:
        raise BadCard(200621, "parse card json err") from None
    return checked(card)


def checked(card: object) -> dict[str, Any]:
    if not isinstance(card, dict) or card.get("schema") != "2.0":
        raise BadCard(200621, "the card is not of schema 2.0")
    _only(card, {"schema", "config", "header", "body"})
    config = card.get("config", {})
    _only(config, {"update_multi", "enable_forward"})
    if config.get("update_multi") is not True:
        raise BadCard(200861, "update_multi must be true")
    header = card.get("header", {})
    _only(header, {"template", "title"})
    _text(header.get("title"), "plain_text")
    if header.get("template") not in _TEMPLATES:
        raise BadCard(200621, "unknown template")
    body = card.get("body", {})
    _only(body, {"elements"})
    names: list[str] = []
    for element in _elements(body):
        _element(element, names, at_root=True, in_form=False)
    if len(names) != len(set(names)):
        raise BadCard(200530, "a name stands twice")
    return card


def _element(element: Any, names: list[str], *, at_root: bool, in_form: bool) -> None:
    tag = element.get("tag") if isinstance(element, dict) else None
    if tag not in _ALLOWED:
        raise BadCard(200861, f"not support tag: {tag}")
    _only(element, _ALLOWED[tag])
    if element.get("name"):
        names.append(element["name"])
    if tag == "form" and not at_root:
        raise BadCard(200621, "a form stands at the root only")
    if in_form and tag in (*_INPUTS, "button") and not element.get("name"):
        raise BadCard(200530, "a part of a form needs a name")
    if tag == "markdown":
        _text(element, "markdown")
    if tag == "button":
        _button(element, in_form=in_form)
    for child in _elements(element) if tag in ("form", "column") else element.get("columns", []):
        _element(child, names, at_root=False, in_form=in_form or tag == "form")


def _button(element: dict[str, Any], *, in_form: bool) -> None:
    _text(element.get("text"), "plain_text")
    if ("form_action_type" in element) and not in_form:
        raise BadCard(200621, "only a form can be submitted")
    for behaviour in element.get("behaviors", []):
        if behaviour.get("type") == "callback" and isinstance(behaviour.get("value"), dict):
            continue
        if behaviour.get("type") == "open_url" and behaviour.get("default_url"):
            continue
        raise BadCard(200621, "unknown behaviour")
    for part in element.get("confirm", {}).values():
        _text(part, "plain_text")


def _elements(holder: dict[str, Any]) -> list[Any]:
    found = holder.get("elements")
    if not isinstance(found, list):
        raise BadCard(200621, "elements is not a list")
    return found


def _text(value: Any, tag: str) -> None:
    if not isinstance(value, dict) or value.get("tag") != tag:
        raise BadCard(200621, f"a text of tag {tag} is needed")
    words = [value.get("content"), *value.get("i18n_content", {}).values()]
    if not all(isinstance(word, str) for word in words):
        raise BadCard(200621, "content is not a string")


def _only(holder: Any, allowed: set[str]) -> None:
    strange = sorted(set(holder) - allowed) if isinstance(holder, dict) else ["?"]
    if strange:
        raise BadCard(200621, f"unknown property, property: {strange[0]}")
