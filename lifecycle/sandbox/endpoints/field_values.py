"""Checks of one A4 value, by the type of its field. Values are strings whatever the type."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

from ..calls import Call, Refusal
from .days import is_day
from .fields import ATTACHMENT, DATE, ENUM, FLAG, LOOKUP, NUMBER, OFFBOARDING_FIELDS, TEXT, Field

_FORBIDDEN = {
    "wk_id", "wk_tenant_id", "employment", "process_id", "flow_id", "node_id", "initiator_id", "status",
    "checklist_status", "checklist_process_id", "type", "hrbp_ids", "hrbp_list", "probation_id", "wk_created_at",
    "wk_created_by", "wk_updated_at", "wk_updated_by", "wk_deleted_at", "wk_is_deleted", "noncompete_agreement_id",
    "social_insurance_end_date", "provident_fund_end_date", "sign_type",
}  # fmt: skip
_EXPLANATIONS = ("reason_explanation", "employee_reason_explanation")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d", re.ASCII)
_NUMBER = re.compile(r"-?\d+(?:\.(\d+))?", re.ASCII)


def check_value(call: Call, name: str, value: str) -> None:
    if name in _FORBIDDEN:
        raise Refusal(1160623, f"{name} cannot be edited", field_name=name)
    field = OFFBOARDING_FIELDS.get(name)
    if field is None:
        # A name that does not exist has no code of its own: an illegal parameter.
        raise Refusal(1160102, f"{name} is not a field of offboarding_info", field_name=name)
    if field["type"] == ATTACHMENT:
        raise Refusal(1160637, field_name=name)
    check = _CHECKS.get(field["type"])
    if check is None:
        raise Refusal(1160623, f"{name} is written by the system", field_name=name)
    if value or name == "offboarding_date":
        # An empty value is not documented; it clears, except for the one date a departure needs.
        check(call, field, value)


def _check_text(_call: Call, field: Field, value: str) -> None:
    name, setting = field["custom_api_name"], field["common_schema_config"]["text_field_setting"]
    if name in _EXPLANATIONS and len(value) > 6000:
        raise Refusal(1160604, field_name=name)
    if setting["is_url_type"] and not _is_link(value):
        raise Refusal(1160617, field_name=name, value=value)
    if len(value) > setting["max_length"]:
        raise Refusal(1160618, field_name=name)


def _is_link(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https") and bool(parts.hostname) and not re.search(r"\s", value)
    )


def _check_flag(_call: Call, field: Field, value: str) -> None:
    if value not in ("true", "false"):
        raise Refusal(1160639, field_name=field["custom_api_name"], value=value)


def _check_number(_call: Call, field: Field, value: str) -> None:
    matched = _NUMBER.fullmatch(value)
    decimals = field["common_schema_config"]["number_field_setting"]["decimal_places"]
    if matched is None or len(matched[1] or "") > decimals:
        raise Refusal(1160630, field_name=field["custom_api_name"], value=value)


def _check_enum(call: Call, field: Field, value: str) -> None:
    name, setting = field["custom_api_name"], field["common_schema_config"]["enum_field_setting"]
    known = {
        option["api_name"] for option in setting["enum_field_option_list"] if option["is_open"]
    }
    if name in ("reason", "employee_reason"):
        known = {reason["id"] for reason in call.tenant.store.all("reasons")}
    chosen = _options(value) if setting["is_multiple"] else [value]
    if chosen is None or any(option not in known for option in chosen):
        raise Refusal(1160619, field_name=name, value=value)


def _options(value: str) -> list[Any] | None:
    """`["option_1","option_2"]` inside the string."""
    try:
        chosen = json.loads(value)
    except (ValueError, RecursionError):
        return None
    return (
        chosen
        if isinstance(chosen, list) and all(isinstance(option, str) for option in chosen)
        else None
    )


def _check_lookup(call: Call, field: Field, value: str) -> None:
    """People by employment id whatever `user_id_type` says; companies by their id."""
    kind = field["common_schema_config"]["lookup_field_setting"]["lookup_obj_api_name"]
    if kind == "company" and call.tenant.store.get("companies", value) is None:
        raise Refusal(1160304, field_name=field["custom_api_name"], value=value)
    if kind == "employment" and call.tenant.store.get("employments", value) is None:
        raise Refusal(1160636, field_name=field["custom_api_name"], value=value)


def _check_date(_call: Call, field: Field, value: str) -> None:
    moment = field["common_schema_config"]["date_time_field_setting"]["date_time_type"] == 3
    if not is_day(value) and not (moment and _is_stamp(value)):
        raise Refusal(1160638, field_name=field["custom_api_name"], value=value)


def _is_stamp(value: str) -> bool:
    day, _, clock = value.partition(" ")
    return is_day(day) and _CLOCK.fullmatch(clock) is not None


_CHECKS = {
    TEXT: _check_text,
    FLAG: _check_flag,
    NUMBER: _check_number,
    ENUM: _check_enum,
    LOOKUP: _check_lookup,
    DATE: _check_date,
}
