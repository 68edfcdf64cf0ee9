"""What is on the wire: a request as it came, refusals, and checks of types and ids."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from .company import Company, Thing

HIRE_USERS = ("open_id", "union_id", "user_id")
COREHR_USERS = (*HIRE_USERS, "people_corehr_id")
HIRE_IDS = {
    "user_id_type": (HIRE_USERS, "open_id"),
    "department_id_type": (
        ("open_department_id", "department_id", "people_admin_department_id"),
        "people_admin_department_id",
    ),
    "job_level_id_type": (
        ("people_admin_job_level_id", "job_level_id"),
        "people_admin_job_level_id",
    ),
    "job_family_id_type": (
        ("people_admin_job_category_id", "job_family_id"),
        "people_admin_job_category_id",
    ),
    "employee_type_id_type": (
        ("people_admin_employee_type_id", "employee_type_enum_id"),
        "people_admin_employee_type_id",
    ),
}
COREHR_DEPARTMENTS = ("open_department_id", "department_id", "people_corehr_department_id")
REQUIRED = object()


class Refusal(Exception):
    """An answer other than success."""

    def __init__(self, http_status: int, code: int, msg: str, field_name: str = "") -> None:
        super().__init__(f"{code} {msg}")
        self.http_status, self.code, self.msg, self.field = http_status, code, msg, field_name


@dataclass(slots=True)
class Request:
    """One request: what it asked for, and what it was answered."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    raw: bytes
    name: str = ""  # the row of the endpoint index: A1, H5, R12 ...
    body: Any = None
    ids: dict[str, str] = field(default_factory=dict)
    http_status: int = 0
    code: int | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that changed: which record, what was done to it, before and after."""

    record: str
    id: str
    done: str
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class Call:
    """One request on its way through an endpoint, with everything an endpoint needs."""

    def __init__(
        self, request: Request, company: Company, findings: list[str], effects: list[Effect]
    ) -> None:
        self.request, self.company = request, company
        self._findings, self._effects = findings, effects
        self.bad_parameter = 1002002 if "/hire/" in request.path else 1160102

    def found(self, what: str) -> None:
        """Something the pages do not know, although it did no harm."""
        self._findings.append(f"{self.request.name}: {what}")

    def effect(self, record: str, id_: str, done: str, **changed: tuple[Any, Any]) -> None:
        self._effects.append(Effect(record, id_, done, changed))

    def wrong(self, name: str, why: str) -> Refusal:
        return Refusal(400, self.bad_parameter, f"{name}: {why}", name)

    # The query.
    def query(self, known: dict[str, Any]) -> dict[str, str]:
        """The query as the page has it: `name: (allowed values or None, default)`."""
        for name in self.request.query.keys() - known.keys():
            self.found(f"query parameter {name} is not on the page")
        values = {}
        for name, (allowed, default) in known.items():
            given = self.request.query.get(name, [])
            if len(given) > 1 and allowed != "list":
                raise self.wrong(name, "given more than once")
            if not given and default is REQUIRED:
                raise self.wrong(name, "is required")
            value = given[0] if given else default
            if isinstance(allowed, tuple) and value not in allowed:
                raise self.wrong(name, f"{value} is none of {allowed}")
            values[name] = value
        return values

    def page(self, items: list[Any], size: str | int, most: int, *, below: bool = False) -> Any:
        """One page of the items and what follows, as the pages describe paging."""
        if not str(size).isdecimal() or not 1 <= int(size) <= most - below:
            raise self.wrong("page_size", f"{size} is not within 1 and {most}")
        start = 0
        token = self.request.query.get("page_token", [""])[0]
        if token:
            try:
                path, number = base64.urlsafe_b64decode(token).decode().split(" ")
                start = int(number)
            except ValueError as error:
                raise self.wrong("page_token", "not one of ours") from error
            if path != self.request.path or not 0 < start < len(items):
                raise self.wrong("page_token", "not one of this list")
        end = start + int(size)
        page = {"items": items[start:end], "has_more": end < len(items)}
        if page["has_more"]:
            text = f"{self.request.path} {end}".encode()
            page["page_token"] = base64.urlsafe_b64encode(text).decode()
        return page

    # The body.
    def body(self, known: dict[str, tuple[type, bool]]) -> dict[str, Any]:
        """The body as the page has it: `name: (type, required)`. Other names are noted."""
        return self.object("body", self.request.body, known)

    def object(self, where: str, value: Any, known: dict[str, tuple[type, bool]]) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, "is no object")
        for name in value.keys() - known.keys():
            self.found(f"{where}.{name} is not on the page")
        for name, (type_, required) in known.items():
            if name not in value:
                if required:
                    raise self.wrong(f"{where}.{name}", "is required")
            elif not is_a(value[name], type_):
                raise self.wrong(f"{where}.{name}", f"{value[name]!r} is no {type_.__name__}")
        return value

    def strings(self, where: str, value: Any, most: int) -> list[str]:
        if not isinstance(value, list) or len(value) > most:
            raise self.wrong(where, f"is no list of at most {most}")
        if not all(isinstance(item, str) and item for item in value):
            raise self.wrong(where, "holds something that is no text")
        return value

    def id_type(self, thing: Thing | None, id_type: str) -> str:
        return thing.ids[id_type] if thing else ""


def is_a(value: Any, type_: type) -> bool:
    """JSON's types: true is no number, 1.0 is no whole number."""
    if type_ is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, type_)


def parsed(raw: bytes) -> Any:
    return json.loads(raw.decode("utf-8")) if raw else None


def ms_text(call: Call, name: str, value: str) -> int:
    """Milliseconds in a string; seconds or a formatted time are refused."""
    if not (value.isascii() and value.isdecimal() and len(value) == 13):
        raise call.wrong(name, f"{value!r} are no milliseconds")
    return int(value)


def choose(record: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    """Only the asked fields; `group.field` keeps one field of a group."""
    chosen: dict[str, Any] = {}
    for name in fields:
        group, _, inner = name.partition(".")
        if group not in record:
            continue
        if inner and isinstance(record[group], dict):
            if inner in record[group]:
                chosen.setdefault(group, {})[inner] = record[group][inner]
        else:
            chosen[group] = record[group]
    return chosen
