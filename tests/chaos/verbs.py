"""What a person enters for each verb, and whom it fits: one entry per verb of the portal."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]
Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class Driver:
    """`kind`: of the tenant's records. `path`, `step`: of the page. `operation`: the effect."""

    verb: str
    kind: str
    path: str
    step: str
    operation: str
    fits: Callable[[Record], bool]
    values: Callable[[random.Random, Record], Values]
    # Less than one for what uses people up, and where Feishu publishes a low limit.
    weight: float = 1.0


def today() -> date:
    return datetime.now(ZoneInfo("Asia/Shanghai")).date()


def in_hire_only(record: Record) -> bool:
    return not record.get("external_employment_id")


def is_here(record: Record) -> bool:
    return record["onboard_status"] == 1 and in_hire_only(record)


def nothing(_chance: random.Random, _record: Record) -> Values:
    return {}


def conversion(chance: random.Random, _record: Record) -> Values:
    """Now and then it is for tomorrow, and waits."""
    return {"converted_on": str(today() + timedelta(days=chance.random() < 0.02))}


def first_day(_chance: random.Random, _record: Record) -> Values:
    return {"onboarded_on": str(today())}


def last_day(_chance: random.Random, _record: Record) -> Values:
    return {"left_on": str(today())}


def offboarding(chance: random.Random, _record: Record) -> Values:
    return {"left_on": str(today()), "overboard_note": chance.choice(["", "个人原因", "搬家"])}


def pre_hire_details(chance: random.Random, _record: Record) -> Values:
    """Another number each time, so that no update looks like another one."""
    return {"worker_id": f"W{chance.randrange(10**9):09}"}


def leaving_details(chance: random.Random, _record: Record) -> Values:
    return {"field_reason_explanation": f"第 {chance.randrange(10**9)} 次说明"}


DRIVERS: tuple[Driver, ...] = (
    Driver(
        "convert_employee", "employees", "employees", "convert", "convert",
        lambda r: is_here(r) and r["conversion_status"] == 1, conversion,
    ),
    Driver(
        "undo_conversion", "employees", "employees", "undo-conversion", "undo_convert",
        lambda r: is_here(r) and r["conversion_status"] == 2, nothing,
    ),
    Driver("offboard_employee", "employees", "employees", "offboard", "offboard", is_here,
           offboarding),
    Driver(
        "undo_offboarding", "employees", "employees", "undo-offboarding", "undo_offboard",
        lambda r: r["onboard_status"] == 2 and in_hire_only(r), nothing,
    ),
    Driver(
        "onboard_application", "applications", "applications", "onboard", "onboard",
        lambda r: r["stage_type"] == 6 and r["active_status"] == 1, first_day,
    ),
    Driver(
        "restore_to_pre_hire", "employees", "employees", "restore-to-pre-hire",
        "restore_to_pre_hire", is_here, nothing, weight=0.3,
    ),
    Driver(
        "onboard_talent", "talents", "talents", "onboard", "onboard_talent",
        lambda r: r["state"] == "none", first_day, weight=0.2,
    ),
    Driver(
        "mark_talent_left", "talents", "talents", "mark-left", "offboard_talent",
        lambda r: r["state"] == "onboarded", last_day, weight=0.2,
    ),
    Driver(
        "edit_offboarding", "offboardings", "offboardings", "edit", "edit_offboarding",
        lambda r: r["status"] == "Approved", leaving_details, weight=0.5,
    ),
    Driver(
        "update_pre_hire", "pre_hires", "pre-hires", "update", "update_pre_hire",
        lambda r: r["onboarding_status"] in ("preboarding", "day_one"), pre_hire_details,
    ),
)  # fmt: skip

# Of this verb each change needs a second person; the others may be asked for without end.
SECOND_PERSON = "undo_conversion"
NO_LIMIT = 1_000_000


def daily_limits() -> dict[str, str]:
    """The settings that go with it."""
    limits = {driver.verb: NO_LIMIT for driver in DRIVERS} | {SECOND_PERSON: 0}
    return {
        "DAILY_LIMITS": ",".join(f"{verb}={limit}" for verb, limit in limits.items()),
        "DAILY_LIMIT_PER_REQUESTER": str(NO_LIMIT),
    }
