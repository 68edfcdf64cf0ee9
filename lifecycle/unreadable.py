"""Records that could not be read: put aside as evidence, and forgotten once they can be.

One of them never stops the others. What is kept stands in `UnreadableRecord`, under the name
of the model it would have become a row of, and is shown on the page about the sync.
"""

from __future__ import annotations

import hashlib
import json
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from lifecycle.models import UnreadableRecord

NAME_LENGTH = 128
PROBLEM_LENGTH = 200
# Feishu's records are nested ten levels at most. What is nested hundreds of levels can be read
# and still not be written: each step on the way to the database takes a part of Python's stack.
DEEPEST = 100

# What is nested deeper than that is written down as far as this goes.
_SHORTENED = reprlib.Repr()
_SHORTENED.maxlevel = DEEPEST


class BadRecord(Exception):
    """A record that does not hold what Feishu's page promises; the message says what."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A record that could not be read, and why. `name`: what it is kept under."""

    name: str
    payload: Any
    problem: str


@dataclass(slots=True)
class Stored:
    """How a batch went. `skipped`: rows we already had from a later question. `unreadable`:
    the names of those put aside, each with its problem."""

    stored: int = 0
    skipped: int = 0
    unreadable: list[tuple[str, str]] = field(default_factory=list)


def check_storable(payload: Any) -> None:
    """JSON may carry half a character, a NUL and NaN; PostgreSQL takes none of them, SQLite
    not all. One such record must not cost its whole batch. Raises BadRecord."""
    if not _is_shallow(payload):
        raise BadRecord(f"the record is nested deeper than {DEEPEST} levels")
    if not is_storable(payload):
        raise BadRecord("the record holds text or numbers that no database keeps")


def is_storable(payload: Any) -> bool:
    if not _is_shallow(payload):
        return False
    try:
        text = json.dumps(payload, ensure_ascii=False, allow_nan=False)
        text.encode()
    except (ValueError, TypeError):
        return False
    return "\\u0000" not in text


def _is_shallow(payload: Any) -> bool:
    level = [payload]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return True
    return False


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def name_of(payload: Any, id_fields: Sequence[str]) -> str:
    """Feishu's id where there is one, else a name made from the content: two records
    without an id must not take each other's place."""
    if isinstance(payload, Mapping):
        for key in id_fields:
            named = payload.get(key)
            if isinstance(named, str) and named and is_storable(named):
                return named[:NAME_LENGTH]
    return "sha256:" + hashlib.sha256(_as_text(payload).encode()).hexdigest()


def _as_text(payload: Any) -> str:
    return ascii(payload if _is_shallow(payload) else _SHORTENED.repr(payload))


def set_aside(model: type[models.Model], odd: Iterable[Odd], *, asked_at: datetime) -> None:
    """Keep records that could not be read."""
    rows = {
        one.name: UnreadableRecord(
            kind=model._meta.model_name or "",
            feishu_id=one.name,
            payload=_kept(one.payload),
            problem=one.problem[:PROBLEM_LENGTH],
            first_seen_at=asked_at,
            last_seen_at=asked_at,
        )
        for one in odd
    }
    UnreadableRecord.objects.bulk_create(
        [rows[name] for name in sorted(rows)],
        update_conflicts=True,
        unique_fields=["kind", "feishu_id"],
        update_fields=["payload", "problem", "last_seen_at"],
        batch_size=500,
    )


def _kept(payload: Any) -> Any:
    is_record = isinstance(payload, Mapping) and is_storable(payload)
    return dict(payload) if is_record else {"as_text": _as_text(payload)}


def forget_unreadable(
    model: type[models.Model], names: Iterable[str], *, asked_at: datetime
) -> None:
    """What can be read by now is no longer put aside."""
    UnreadableRecord.objects.filter(
        kind=model._meta.model_name or "", feishu_id__in=names, last_seen_at__lte=asked_at
    ).delete()
