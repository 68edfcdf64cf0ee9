"""Times as Feishu writes them: milliseconds since the epoch, as a number or as a string.

A day means a day of the tenant (its time zone is a setting); it starts at the tenant's
midnight. Feishu writes an unset time as 0, as an empty string or not at all.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from lifecycle.feishu.errors import InvalidValue

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,16}")

# A smaller number is a count of seconds, a larger one a count of microseconds.
EARLIEST_MS = 100_000_000_000
LATEST_MS = 32_503_680_000_000


def day_to_ms(day: date, zone: ZoneInfo) -> int:
    """Milliseconds at which the tenant day begins."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight - EPOCH) // MILLISECOND


def ms_to_day(ms: int, zone: ZoneInfo) -> date:
    """The tenant day in which the moment lies."""
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(zone).date()


def ms_of(value: str | int | None) -> int | None:
    """Read a time in ms that Feishu sent as a number or a string; unset is None.

    Anything that is not a whole number is None as well, so one odd field does not cost
    the whole record.
    """
    return _whole_number(value)


def seconds_of(value: str | int | None) -> int | None:
    """Read a time in seconds that Feishu sent as a number or a string; unset is None."""
    return _whole_number(value)


def checked_ms(name: str, value: int) -> int:
    """The value, when it can be a moment in milliseconds between 1973 and 2999.

    Raises InvalidValue for anything else, so seconds and microseconds never get through.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(f"{name} has to be a whole number of milliseconds.")
    if not EARLIEST_MS <= value < LATEST_MS:
        raise InvalidValue(f"{name} is not a moment in milliseconds between 1973 and 2999.")
    return value


def _whole_number(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value or None
    if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value.strip()):
        return int(value) or None
    return None
