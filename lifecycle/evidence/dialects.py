"""What each database says in its own way when the log is read for a check.

What is tampered with may be of any type and form. So a text is only called one after its type
was asked for, and a moment only the usual one when it is written exactly as the portal does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import repeat
from operator import floordiv, sub
from typing import Any

from django.db import OperationalError

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - moments lie in SQLite as UTC without a zone
MICROSECOND = timedelta(microseconds=1)
UNUSUAL = -1


class SQLite:
    """A column of SQLite takes a value of any type, and bytes of any kind as a text. A moment
    lies there as "2026-11-21 06:27:48.123456", in UTC."""

    moment_text = "ts"
    # Bytes that are no text, met while whole columns are put together.
    unreadable: tuple[type[Exception], ...] = (OperationalError,)
    # Taken from moments of the usual form, their digits leave this.
    _digits = str.maketrans("", "", "0123456789")
    _without_digits, _length = "-- ::.", 26

    @staticmethod
    def joined(expression: str, separator: str = ",") -> str:
        return f"group_concat({expression}, '{separator}')"

    @staticmethod
    def as_json(*names: str) -> str:
        return f"json_group_array(json_array({', '.join(names)}))"

    @staticmethod
    def number_text(name: str) -> str:
        return f"ifnull({name}, 'null')"

    @staticmethod
    def are_texts(*names: str) -> str:
        texts = " AND ".join(f"typeof({name}) = 'text'" for name in names)
        return f"count(*) FILTER (WHERE {texts}) = count(*)"

    @staticmethod
    def are_numbers(*names: str) -> str:
        # The greatest of a column is a text or bytes if one of them is.
        return " AND ".join(f"typeof(max({name})) IN ('integer', 'null')" for name in names)

    @staticmethod
    def in_order(table: str, condition: str) -> str:
        # By the index of the numbers, so in their order; in another it would only be slower.
        return f"{table} WHERE {condition}"

    @staticmethod
    def is_number_between(name: str) -> str:
        return f"(typeof({name}) = 'integer' AND {name} BETWEEN %s AND %s)"

    @staticmethod
    def are_own_tables(cursor: Any, *names: str) -> bool:
        """`names`: of entries and private values, then of what else belongs to them."""
        marks = ", ".join(["%s"] * len(names))
        cursor.execute(
            f"SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name IN ({marks})",  # noqa: S608
            names,
        )
        return bool(cursor.fetchone()[0] == len(names))

    # -- one value --

    moment = "CASE typeof(ts) WHEN 'text' THEN CAST(ts AS BLOB) END"

    @staticmethod
    def json_text(name: str) -> str:
        return name

    @staticmethod
    def as_it_lies(name: str) -> str:
        return f"CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) END"

    @staticmethod
    def text(value: bytes | None) -> str | None:
        try:
            return None if value is None else value.decode()
        except UnicodeDecodeError:
            return None

    @classmethod
    def microseconds(cls, stamp: bytes | None) -> int:
        text = cls.text(stamp) or ""
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return UNUSUAL
        if moment.tzinfo is not None or str(moment) != text:
            return UNUSUAL
        return (moment - EPOCH) // MICROSECOND

    @classmethod
    def moments(cls, text: str) -> list[int] | None:
        """Microseconds since 1970 of each; None when one is not of the usual form."""
        stamps = text.split(",")
        shape = ",".join(repeat(cls._without_digits, len(stamps)))
        if text.translate(cls._digits) != shape or set(map(len, stamps)) != {cls._length}:
            return None
        try:
            moments = map(datetime.fromisoformat, stamps)
            return list(map(floordiv, map(sub, moments, repeat(EPOCH)), repeat(MICROSECOND)))
        except ValueError:
            return None


_OF_ENTRIES = {
    "seq": "bigint",
    "ts": "timestamp with time zone",
    "actor_id": "bigint",
    "role": "character varying",
    "event": "character varying",
    "person_ref": "bigint",
    "change_id": "bigint",
    "body": "text",
    "prev": "character varying",
    "hash": "character varying",
}
_OF_PRIVATE = {
    "id": "bigint",
    "seq": "bigint",
    "field": "character varying",
    "salt": "character varying",
    "value": "text",
}


class PostgreSQL:
    """Types are PostgreSQL's to keep, unless somebody declared a column anew."""

    # (Its own wording of a moment leaves out that a year is before Christ.)
    moment = "CASE WHEN isfinite(ts) THEN (extract(epoch FROM ts) * 1000000)::numeric(24) END"
    moment_text = f"({moment})::text"
    unreadable: tuple[type[Exception], ...] = ()

    @staticmethod
    def joined(expression: str, separator: str = ",") -> str:
        return f"string_agg({expression}, '{separator}')"

    @staticmethod
    def as_json(*names: str) -> str:
        return f"json_agg(json_build_array({', '.join(names)}))::text"

    @staticmethod
    def number_text(name: str) -> str:
        return f"coalesce({name}::text, 'null')"

    @staticmethod
    def are_texts(*names: str) -> str:
        # What is NULL leaves no trace in a text made of a column.
        return " AND ".join(f"count({name}) = count(*)" for name in names)

    @staticmethod
    def are_numbers(*names: str) -> str:
        return " AND ".join(f"pg_typeof(max({name})) = 'bigint'::regtype" for name in names)

    @staticmethod
    def in_order(table: str, condition: str) -> str:
        return f"(SELECT * FROM {table} WHERE {condition} ORDER BY seq) AS in_order"  # noqa: S608

    @staticmethod
    def is_number_between(name: str) -> str:
        return f"coalesce({name} BETWEEN %s AND %s, FALSE)"

    @staticmethod
    def are_own_tables(cursor: Any, *names: str) -> bool:
        cursor.execute(
            "SELECT count(*) FROM pg_class WHERE oid = ANY (%s::regclass[])"
            " AND relkind IN ('r', 'p') AND NOT relrowsecurity AND NOT relhasrules",
            [list(names)],
        )
        if cursor.fetchone()[0] != len(names):
            return False
        for name, columns in zip(names, (_OF_ENTRIES, _OF_PRIVATE), strict=False):
            cursor.execute(
                "SELECT attname, atttypid::regtype::text FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [name],
            )
            if dict(cursor.fetchall()) != columns:
                return False
        return True

    # -- one value --

    @staticmethod
    def json_text(name: str) -> str:
        return f"{name}::text"

    @staticmethod
    def as_it_lies(name: str) -> str:
        return name

    @staticmethod
    def text(value: Any) -> str | None:
        return value if isinstance(value, str) else None

    @staticmethod
    def microseconds(moment: Decimal | None) -> int:
        return UNUSUAL if moment is None else int(moment)

    @staticmethod
    def moments(text: str) -> Sequence[str]:
        return text.split(",")


Dialect = type[SQLite] | type[PostgreSQL]
_DIALECTS: dict[str, Dialect] = {"sqlite": SQLite, "postgresql": PostgreSQL}


def dialect_of(connection: Any) -> Dialect:
    return _DIALECTS[connection.vendor]
