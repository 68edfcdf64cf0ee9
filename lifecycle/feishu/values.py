"""Field values of CoreHR records, as the two endpoints that write them want them.

Both endpoints take `{field_name, value}` with `value` a string, yet they fill that
string differently: a text is `Sandy` when an offboarding record is edited and `"Sandy"`
with inner quotes when a pre-hire is. So there are two encoders and two decoders, and on
purpose they share no encoding.

Offboarding: https://open.feishu.cn/document/corehr-v1/offboarding/edit, request body,
`update_data[].value`.
Pre-hire:
https://open.feishu.cn/document/uAjLw4CM/ukTMukTMukTM/reference/corehr-v1/pre_hire/patch,
request body, `custom_fields[].value`; a single choice and a person follow the general guide to
custom fields, because that page shows neither.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from urllib.parse import urlsplit

from lifecycle.feishu.errors import InvalidValue


class FieldKind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    BOOLEAN = "boolean"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    DAY = "day"
    LINK = "link"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """One entry of `update_data` or `custom_fields`, its value already encoded."""

    field_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Boolean:
    value: bool


@dataclass(frozen=True, slots=True)
class Number:
    value: int | Decimal


@dataclass(frozen=True, slots=True)
class Choice:
    """The code (api name) of one option."""

    code: str


@dataclass(frozen=True, slots=True)
class Choices:
    """The codes (api names) of several options, in order."""

    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Day:
    value: date


@dataclass(frozen=True, slots=True)
class Link:
    """An http or https address."""

    url: str


@dataclass(frozen=True, slots=True)
class Person:
    """A person by CoreHR employment id, the only id these fields take."""

    employment_id: str


TypedValue = Text | Boolean | Number | Choice | Choices | Day | Link | Person

PLAIN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,30})?")


# --- Offboarding records ---------------------------------------------------------------


def encode_offboarding_value(value: TypedValue) -> str:
    """The string to send in `update_data[].value`. Raises InvalidValue."""
    match value:
        case Text(text) if isinstance(text, str):
            return text
        case Boolean(flag) if isinstance(flag, bool):
            return "true" if flag else "false"
        case Number(number) if _is_exact(number):
            return f"{number:f}" if isinstance(number, Decimal) else str(number)
        case Choice(code) if _is_code(code):
            return code
        case Choices(codes) if all(_is_code(code) for code in codes):
            return json.dumps(list(codes), separators=(",", ":"), ensure_ascii=False)
        case Day(day) if _is_day(day):
            return day.isoformat()
        case Link(url) if is_link(url):
            return url
        case Person(employment_id) if _is_code(employment_id):
            return employment_id
    raise InvalidValue(f"An offboarding field cannot hold this {type(value).__name__}.")


def decode_offboarding_value(text: str, kind: FieldKind) -> TypedValue:
    """The value behind a string that Feishu printed. Raises InvalidValue."""
    match kind:
        case FieldKind.TEXT:
            return Text(text)
        case FieldKind.BOOLEAN if text in {"true", "false"}:
            return Boolean(text == "true")
        case FieldKind.NUMBER if PLAIN_NUMBER.fullmatch(text):
            return Number(Decimal(text) if "." in text else int(text))
        case FieldKind.CHOICE:
            return Choice(text)
        case FieldKind.CHOICES:
            return Choices(_offboarding_codes(text))
        case FieldKind.DAY:
            return Day(_offboarding_day(text))
        case FieldKind.LINK:
            return Link(text)
        case FieldKind.PERSON:
            return Person(text)
    raise InvalidValue(f"This is not how an offboarding record prints a {kind}.")


def _offboarding_codes(text: str) -> tuple[str, ...]:
    try:
        codes = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidValue("The choices are not a list.") from error
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise InvalidValue("The choices are not a list of codes.")
    return tuple(codes)


def _offboarding_day(text: str) -> date:
    if not PLAIN_DAY.match(text):
        raise InvalidValue("The day is not written YYYY-MM-DD.")
    try:
        return date.fromisoformat(text[:10])
    except ValueError as error:
        raise InvalidValue("There is no such day.") from error


# --- Pre-hires -------------------------------------------------------------------------


def encode_pre_hire_value(value: TypedValue) -> str:
    """The JSON-encoded string to send in `custom_fields[].value`. Raises InvalidValue.

    A day is sent as the page's sample writes it, with a time of midnight.
    """
    match value:
        case Text(text) if isinstance(text, str):
            return _quoted(text)
        case Boolean(flag) if isinstance(flag, bool):
            return '"true"' if flag else '"false"'
        case Number(number) if _is_exact(number):
            return format(number, "f") if isinstance(number, Decimal) else str(number)
        case Choice(code) if _is_code(code):
            return _quoted(code)
        case Choices(codes) if all(_is_code(code) for code in codes):
            return "[" + ",".join(_quoted(code) for code in codes) + "]"
        case Day(day) if _is_day(day):
            return f'"{day.isoformat()} 00:00:00"'
        case Link(url) if is_link(url):
            return _quoted(url)
        case Person(employment_id) if _is_code(employment_id):
            return _quoted(employment_id)
    raise InvalidValue(f"A pre-hire field cannot hold this {type(value).__name__}.")


def decode_pre_hire_value(text: str, kind: FieldKind) -> TypedValue:
    """The value behind a JSON-encoded string that Feishu printed. Raises InvalidValue."""
    try:
        held = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise InvalidValue(f"This is not how a pre-hire prints a {kind}.") from error
    match kind, held:
        case FieldKind.TEXT, str():
            return Text(held)
        case FieldKind.BOOLEAN, "true" | "false" | True | False:
            return Boolean(held in ("true", True))
        case FieldKind.NUMBER, bool():
            raise InvalidValue("A number is printed as true or false.")
        case FieldKind.NUMBER, int() | Decimal():
            return Number(held)
        case FieldKind.CHOICE, str():
            return Choice(held)
        case FieldKind.CHOICES, list() if all(isinstance(code, str) for code in held):
            return Choices(tuple(held))
        case FieldKind.DAY, str():
            return Day(_pre_hire_day(held))
        case FieldKind.LINK, str():
            return Link(held)
        case FieldKind.PERSON, str():
            return Person(held)
    raise InvalidValue(f"This is not how a pre-hire prints a {kind}.")


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _pre_hire_day(text: str) -> date:
    layout = "%Y-%m-%d %H:%M:%S" if " " in text else "%Y-%m-%d"
    try:
        return datetime.strptime(text, layout).date()
    except ValueError as error:
        raise InvalidValue("The day is not written YYYY-MM-DD or YYYY-MM-DD HH:MM:SS.") from error


# --- Checks of what is given (no encoding) ---------------------------------------------


def _is_exact(number: object) -> bool:
    if isinstance(number, Decimal):
        return number.is_finite()
    return isinstance(number, int) and not isinstance(number, bool)


def _is_code(code: object) -> bool:
    return isinstance(code, str) and bool(code.strip())


def _is_day(day: object) -> bool:
    return isinstance(day, date) and not isinstance(day, datetime)


def is_link(url: object) -> bool:
    """True for a whole http or https address."""
    if not isinstance(url, str) or any(character.isspace() for character in url):
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc)
