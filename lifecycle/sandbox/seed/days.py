"""Dates of the seeded company, in the tenant's time zone (China has had no summer time since 1991)."""

from datetime import date, datetime, timedelta, timezone

TENANT_ZONE = timezone(timedelta(hours=8))
DAY_MS = 86_400_000


def midnight_ms(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=TENANT_ZONE).timestamp() * 1000)


def iso(day: date) -> str:
    return day.isoformat()


def stamp(day: date, hour: int, minute: int = 0) -> str:
    """`YYYY-MM-DD HH:MM:SS`; the zone of these strings is not documented, the tenant's is used."""
    return f"{day.isoformat()} {hour:02d}:{minute:02d}:00"


def local_date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, TENANT_ZONE).date().isoformat()


def local_stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, TENANT_ZONE).strftime("%Y-%m-%d %H:%M:%S")


def today_in_tenant() -> date:
    return datetime.now(TENANT_ZONE).date()


def months_later(day: date, months: int) -> date:
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise ValueError(f"no day {months} months after {day}")
