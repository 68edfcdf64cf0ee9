"""Working days in China: weekends, public holidays and the Saturdays that make up for them."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache

import holidays

from lifecycle.errors.words import Notice, Words

SATURDAY = 5
# The State Council announces a year's make-up days in the autumn before.
ESTIMATED_AFTER_YEAR = 2026


@lru_cache(maxsize=1)
def _china() -> holidays.HolidayBase:
    return holidays.country_holidays("CN", language="zh_CN")


def is_working_day(day: date) -> bool:
    """True for days people work, make-up Saturdays and Sundays included."""
    return bool(_china().is_working_day(day))


def working_days_between(first: date, last: date) -> int:
    """Working days after `first` up to and including `last`; 0 when `last` is not later."""
    days = (last - first).days
    return sum(is_working_day(first + timedelta(days=n)) for n in range(1, days + 1))


def months_after(day: date, months: int) -> date:
    """The same day of a later month; its last day where that month is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def day_off_notice(day: date) -> Notice | None:
    """What to say about a day on which nobody works; None for a working day."""
    if is_working_day(day):
        return None
    holiday = _china().get(day)
    if holiday:
        sentence = Words(f"{day} 是法定节假日（{holiday}）。", f"{day} is a public holiday.")
    else:
        sentence = Words(f"{day} 是周末。", f"{day} is a weekend.")
    estimated = day.year > ESTIMATED_AFTER_YEAR
    advice = Words(
        "日期可以是非工作日，请确认不是笔误。"
        + ("该年的调休安排尚未公布，以上为推算。" if estimated else ""),
        "A day off is allowed; make sure that it is meant."
        + (
            " That year's make-up days are not announced yet; this is an estimate."
            if estimated
            else ""
        ),
    )
    return Notice("plan.day-off", sentence, advice)
