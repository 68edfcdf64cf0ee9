"""What an offboarding record (离职信息) of O1 holds, field by field, under the names by which A4
changes it.

O1 names a standard field and A4 takes the same name only where R4 knows a field of that name
too: the sync asks for each of `STANDARD_FIELDS`, and those it does not get are not offered.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any

from lifecycle import remote
from lifecycle.errors.words import Words
from lifecycle.forms.object_fields import (
    NOTHING,
    ObjectField,
    Option,
    Value,
    held,
    object_fields,
    shown,
    words_in,
)
from lifecycle.models import CatalogueEntry
from lifecycle.remote import values

DEPARTURE, LAST_ATTENDANCE = "offboarding_date", "last_attendance_date"
REASONS = ("reason", "employee_reason")
BLOCKED, BLOCK_REASON = "add_block_list", "block_reason"
BLOCK_DETAILS = (BLOCK_REASON, "block_reason_explanation")
NON_COMPETE = "enforce_noncompete_agreement"
NON_COMPETE_FROM = "noncompete_agreement_start_date"
NON_COMPETE_UNTIL = "noncompete_agreement_end_date"
NON_COMPETE_DETAILS = ("noncompete_agreement_company", NON_COMPETE_FROM, NON_COMPETE_UNTIL)
APPLICATION_TIMES = ("apply_initiating_time", "apply_finish_time")

GROUPS: tuple[tuple[Words, tuple[str, ...]], ...] = (
    (
        Words("日期", "Dates"),
        (DEPARTURE, "expected_offboarding_date", LAST_ATTENDANCE, *APPLICATION_TIMES),
    ),
    (
        Words("离职原因", "Reasons"),
        ("reason", "reason_explanation", "employee_reason", "employee_reason_explanation"),
    ),
    (
        Words("账号与编制", "Account and headcount"),
        ("retain_account", "is_transfer_with_workforce"),
    ),
    (Words("屏蔽名单", "Block list"), (BLOCKED, *BLOCK_DETAILS)),
    (Words("竞业限制", "Non-compete"), (NON_COMPETE, *NON_COMPETE_DETAILS)),
)
CUSTOM_GROUP = Words("自定义字段", "Custom fields")
STANDARD_FIELDS: tuple[str, ...] = tuple(name for _, names in GROUPS for name in names)


def offboarding_fields() -> dict[str, ObjectField]:
    """Every field Feishu has described; two queries. The reasons are those of O2, by which
    Feishu says which are still in use."""
    fields = object_fields(CatalogueEntry.Kind.OFFBOARDING_FIELD)
    reasons = _reasons()
    for name in REASONS:
        if name in fields and reasons:
            fields[name] = replace(fields[name], options=reasons)
    return fields


def _reasons() -> tuple[Option, ...]:
    """The tree of reasons as one list, each under its parent."""
    rows = CatalogueEntry.objects.filter(kind=CatalogueEntry.Kind.OFFBOARDING_REASON.value)
    named = {row.feishu_id: row for row in rows.order_by("pk")}
    options = []
    for code, row in named.items():
        own = words_in(row.payload.get("name")) or Words(code, code)
        above = named.get(str(row.payload.get("parent_offboarding_reason_unique_identifier")))
        over = words_in(above.payload.get("name")) if above else None
        name = Words(f"{over.zh} / {own.zh}", f"{over.en} / {own.en}") if over else own
        options.append(Option(code, name, row.is_active))
    return tuple(sorted(options, key=lambda option: option.name.zh))


# -- reading ------------------------------------------------------------------------------


def texts_of(payload: Mapping[str, Any], fields: Mapping[str, ObjectField]) -> dict[str, str]:
    """What the record holds of these fields, written as A4 would take it; "" for nothing.

    A field O1 leaves out is left out here: it may be empty, or the app may lack the scope.
    Custom fields come in a list of their own, and one that is missing there is empty.
    """
    info, application = _part(payload, "offboarding_info"), _part(payload, "application_info")
    listed = info.get("custom_fields")
    custom = {
        str(item.get("custom_api_name")): item.get("value")
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, Mapping)
    }
    found: dict[str, str] = {}
    for name, field in fields.items():
        if field.kind is None:
            continue
        if field.is_custom:
            if isinstance(listed, list):
                found[name] = _text(custom.get(name))
        else:
            source = application if name in APPLICATION_TIMES else info
            if name in source:
                found[name] = _text(source[name])
    return found


def _part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: Any) -> str:
    """O1 prints the same thing as a string, a boolean or an enum object, by the field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return str(value.get("enum_name") or "")
    if isinstance(value, list):
        return json.dumps([_item(item) for item in value], ensure_ascii=False) if value else ""
    return str(value)


def _item(value: Any) -> str:
    """Feishu's lists are flat. One within another is quoted once: quoted anew at each level, it
    would grow twofold with each."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else _text(value)


def value_of(field: ObjectField, text: str | None) -> Value:
    """The value behind such a text; None for nothing and for what cannot be understood."""
    if not text or field.kind is None:
        return None
    try:
        return held(field, values.decode_offboarding_value(text, field.kind))
    except remote.errors.InvalidValue:
        return None


def words_of(field: ObjectField, text: str | None) -> Words:
    """Such a text for people; what cannot be understood is shown as it is."""
    if not text:
        return NOTHING
    value = value_of(field, text)
    return Words(text, text) if value is None or field.has_clock else shown(field, value)


# -- after an edit ------------------------------------------------------------------------


def with_edits(
    payload: Mapping[str, Any], edits: Mapping[str, str], fields: Mapping[str, ObjectField]
) -> dict[str, Any]:
    """The record as O1 would show it once these texts were taken over."""
    changed = deepcopy(dict(payload))
    info = changed.setdefault("offboarding_info", {})
    for name, text in edits.items():
        field = fields.get(name)
        if field is None:
            continue
        if field.is_custom:
            _put_custom(info.setdefault("custom_fields", []), field, text)
        elif name in APPLICATION_TIMES:
            changed.setdefault("application_info", {})[name] = text
        else:
            info[name] = _as_printed(info.get(name), field, text)
    return changed


def _put_custom(listed: list[Any], field: ObjectField, text: str) -> None:
    for item in listed:
        if item.get("custom_api_name") == field.api_name:
            item["value"] = text
            return
    listed.append({"custom_api_name": field.api_name, "value": text})


def _as_printed(before: Any, field: ObjectField, text: str) -> Any:
    """As O1 printed the field before: `add_block_list` is a string there, other flags are not."""
    if field.kind is values.FieldKind.BOOLEAN and not isinstance(before, str):
        return text == "true"
    if field.kind is values.FieldKind.CHOICE and not field.refers_to:
        name = shown(field, text)
        display = [{"lang": "zh-CN", "value": name.zh}, {"lang": "en-US", "value": name.en}]
        return {"enum_name": text, "display": display}
    return text
