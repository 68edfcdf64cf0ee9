"""What the filters of all lists share: reading an address, and search."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import reduce
from operator import and_

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date

SEARCH_LENGTH = 60


def search_condition(text: str, column: str) -> Q:
    """Every word of the text, anywhere in the column; pinyin and ids are kept in lower case."""
    words = text.lower().split()
    return reduce(and_, (Q(**{f"{column}__contains": word}) for word in words), Q())


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def read_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def read_day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None
