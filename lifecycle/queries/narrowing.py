"""What the filters of all lists share: reading an address, and search."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from functools import reduce
from operator import and_, or_

from django.db import connection
from django.db.models import BooleanField, Count, Q
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.dateparse import parse_date

from lifecycle import person_index
from lifecycle.models import Person

SEARCH_LENGTH = 60

# A search is tried on some people first. When so many of them are found, a list in its order
# comes upon its rows soon enough by comparing texts; so it does when the index finds too many.
SAMPLE, COMMON, MOST_HELD = 2_000, 20, 200
MOST_FOUND = 2_000


def search_condition(text: str, column: str) -> Q:
    """Every word of the text, anywhere in the column; pinyin and ids are kept in lower case.

    `column` leads to the search text of a person: "search_text" or "person__search_text". Two
    queries at the most find the people where they are few; their texts are compared otherwise.
    """
    words = list(dict.fromkeys(text.lower().split()))
    found = _people_with(words)
    if found is not None:
        return Q(**{f"{column.removesuffix('search_text')}pk__in": found})
    return _texts_have(words, column)


def _texts_have(words: Sequence[str], column: str) -> Q:
    return reduce(and_, (Q(**{f"{column}__contains": word}) for word in words), Q())


def _people_with(words: Sequence[str]) -> list[int] | None:
    """The ids of everybody with all these words; None when they are many, or when the index
    cannot tell."""
    in_index = [word for word in words if person_index.can_find(word)]
    if not in_index or not person_index.can_ask(connection):
        return None
    seldom = _seldom(words, in_index)
    if not seldom:
        return None
    sql, params = person_index.condition(connection, seldom)
    in_the_index = RawSQL(sql, params, output_field=BooleanField())  # noqa: S611 - parameters
    people = Person.objects.filter(_texts_have(words, "search_text"), in_the_index)
    found = list(people.order_by().values_list("pk", flat=True)[: MOST_FOUND + 1])
    return found if len(found) <= MOST_FOUND else None


def _seldom(words: Sequence[str], in_index: Sequence[str]) -> list[str]:
    """The words to ask the index for: those that it has for few people of the sample, or else
    the one it has for the fewest. None when all the words together are common, or when it has
    each of them for too many, as zeros within ids."""
    sample = Person.objects.order_by("pk")[:SAMPLE]
    has = {f"word{n}": _texts_have_any(word) for n, word in enumerate(in_index)}
    has["all"] = _texts_have(words, "search_text")
    counts = sample.aggregate(**{name: Count("pk", filter=text) for name, text in has.items()})
    if counts["all"] >= COMMON:
        return []
    holders = {word: counts[f"word{n}"] for n, word in enumerate(in_index)}
    few = [word for word in in_index if holders[word] < COMMON]
    rarest = min(in_index, key=holders.__getitem__)
    return few or [rarest] * (holders[rarest] < MOST_HELD)


def _texts_have_any(word: str) -> Q:
    parts = person_index.parts(word)
    return reduce(or_, (Q(search_text__contains=part) for part in parts))


def start_of(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def read_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def read_day(text: str) -> date | None:
    """A day somebody could mean: days before and after it can be computed."""
    try:
        day = parse_date(text)
    except ValueError:
        return None
    return day if day and 1900 <= day.year <= 2200 else None
