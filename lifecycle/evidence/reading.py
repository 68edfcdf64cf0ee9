"""How a check reads the log: a batch as whole columns, or entry by entry as it lies there.

Most of a check is reading. So a batch comes as one row, each column of it one text, put
together by the database; and the next batch is read while one is compared, because the
database needs Python's lock for none of its work. Whatever is not as usual (another type, a
form the portal does not write, bytes that are no text) shows as such and is then read
again, entry by entry, which takes anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event
from types import TracebackType
from typing import Any, NamedTuple

from django.db import connection

from lifecycle.evidence.dialects import Dialect, dialect_of
from lifecycle.evidence.hashes import GENESIS
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, PrivateValue

# Enough that waiting for each other costs little, few enough to stay near the processor.
BATCH = 4000
LEAST_SEQ, LARGEST_SEQ = -(2**63), 2**63 - 1
ENTRIES, PRIVATE = ActionEntry._meta.db_table, PrivateValue._meta.db_table
CHECKPOINTS, HEAD = LogCheckpoint._meta.db_table, ActionLogHead._meta.db_table
_OF_BATCH = {int, str, type(None)}
BETWEEN = "seq >= %s AND seq <= %s"


class Row(NamedTuple):
    """One entry as it lies in the database. A text is None where something else lies there;
    `moment`: microseconds since 1970, -1 for one the portal would not have written so."""

    seq: int
    moment: int
    actor: Any
    role: str | None
    event: str | None
    person: Any
    change: Any
    body: str | None
    prev: str | None
    hash: str | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One checkpoint as it lies in the database; a text is empty where something else lies."""

    size: int
    root: str
    head: str
    previous: str
    text: str
    signature: str
    key_id: str
    frontier: Any


class End(NamedTuple):
    """Where the log ends, in one reading: the number and hash of its head, how many entries
    there are, and the number of a private value that belongs to none of them."""

    seq: Any
    hash: str | None
    entries: int
    stray: int | None


class Private(NamedTuple):
    """One private value as it lies in the database."""

    field: str | None
    salt: str | None
    value: str | None


# The same with the number of its entry, put together by the database, whatever the types.
PrivateRow = tuple[int, str, str, str]


@dataclass(frozen=True, slots=True)
class Batch:
    """`count` entries with numbers from `first` to `last`. A column is one text: values with
    commas between them, bodies with line ends. Whoever takes it apart counts the parts, because
    a value may hold a comma. `private`: number, field, salt and value of each, as JSON."""

    count: int
    first: int
    last: int
    seqs: str
    bodies: str
    prevs: str
    hashes: str
    # What follows is read only where it is asked for.
    moments: str = ""
    actors: str = ""
    roles: str = ""
    events: str = ""
    persons: str = ""
    changes: str = ""
    private: str = ""


# There are no entries, or they cannot be read as a whole.
NOTHING = Batch(0, 0, 0, "", "", "", "")


class BatchReader:
    """Reads batches, the next one while the last is compared:

        batch = reader.batch(first)
        with reader.reading_on(batch):
            ...  # nothing here may use the connection

    A batch in which a number is neither that nor NULL, or a text is none, counts as nothing.
    `links_only`: numbers, bodies and hashes, not the other columns and private values.
    """

    def __init__(self, *, links_only: bool) -> None:
        dialect = dialect_of(connection)
        columns = _links(dialect) if links_only else [*_links(dialect), *_beside(dialect)]
        self._statement = (
            f"SELECT {_are_typed(dialect, links_only=links_only)}, {', '.join(columns)}"  # noqa: S608
            f" FROM {dialect.in_order(ENTRIES, BETWEEN)}"
        )
        self._times = 1 if links_only else 2
        self._pool = ThreadPoolExecutor(1, "log-reader")
        self._ahead: tuple[int, Batch] | None = None

    def __enter__(self) -> BatchReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def batch(self, first: int) -> Batch:
        """The entries from this number on, as many as fit."""
        ahead, self._ahead = self._ahead, None
        if ahead and ahead[0] == first:
            return ahead[1]
        return self._read(connection.cursor(), first)

    @contextmanager
    def reading_on(self, batch: Batch) -> Iterator[None]:
        if batch.count < BATCH:  # the last one
            yield
            return
        begun, cursor = Event(), connection.cursor()

        def read() -> Batch:
            begun.set()
            return self._read(cursor, batch.last + 1)

        future = self._pool.submit(read)
        begun.wait()  # else this thread would keep Python's lock until it has compared all
        try:
            yield
        finally:
            self._ahead = batch.last + 1, future.result()

    def _read(self, cursor: Any, first: int) -> Batch:
        with cursor:
            try:
                cursor.execute(self._statement, [first, _last(first)] * self._times)
                are_typed, *columns = cursor.fetchone()
            except dialect_of(connection).unreadable:
                return NOTHING
        if not are_typed or not columns[0] or not _OF_BATCH.issuperset(map(type, columns)):
            return NOTHING
        # Where there are no private values at all, there is NULL.
        count, first, last, *texts = columns
        return Batch(count, first, last, *["" if text is None else text for text in texts])


def _last(first: int) -> int:
    """The last number of the batch that begins so."""
    return max(first, 1) + BATCH - 1


def _are_typed(dialect: Dialect, *, links_only: bool) -> str:
    if links_only:
        return dialect.are_texts("body", "prev", "hash")
    texts = dialect.are_texts("body", "prev", "hash", "ts", "role", "event")
    return f"{texts} AND {dialect.are_numbers('actor_id', 'person_ref', 'change_id')}"


def _links(dialect: Dialect) -> list[str]:
    return [
        "count(*)",
        "min(seq)",
        "max(seq)",
        dialect.joined(dialect.number_text("seq")),
        dialect.joined("body", "\n"),
        dialect.joined("prev"),
        dialect.joined("hash"),
    ]


def _beside(dialect: Dialect) -> list[str]:
    """The other columns of the entries, and their private values."""
    private = dialect.as_json("seq", "field", "salt", "value")
    return [
        dialect.joined(dialect.moment_text),
        dialect.joined(dialect.number_text("actor_id")),
        dialect.joined("role"),
        dialect.joined("event"),
        dialect.joined(dialect.number_text("person_ref")),
        dialect.joined(dialect.number_text("change_id")),
        f"(SELECT {private} FROM {PRIVATE} WHERE {BETWEEN})",  # noqa: S608
    ]


def moments_of(batch: Batch) -> Sequence[int | str] | None:
    """Microseconds since 1970 of each entry; None when one is not of the usual form."""
    return dialect_of(connection).moments(batch.moments)


def private_of(batch: Batch) -> list[PrivateRow]:
    """Number, field, salt and value of each, whatever their types."""
    return json.loads(batch.private) if batch.private else []


# -- one by one ---------------------------------------------------------------------------


def rows_from(first: int) -> list[Row]:
    """The next entries from this number on, one by one: all of as many numbers as a batch has,
    or the first one after a gap."""
    # One more than there are numbers: an entry that is there twice does not hide at the end.
    return _rows(first, _last(first), limit=BATCH + 1) or _rows(first, LARGEST_SEQ, limit=1)


def _rows(first: int, last: int, *, limit: int) -> list[Row]:
    dialect = dialect_of(connection)
    text, lies = dialect.text, dialect.as_it_lies
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT seq, {dialect.moment}, actor_id, {lies('role')}, {lies('event')},"  # noqa: S608
            f" person_ref, change_id, {lies('body')}, {lies('prev')}, {lies('hash')}"
            f" FROM {ENTRIES} WHERE {BETWEEN} ORDER BY seq LIMIT %s",
            [first, last, limit],
        )
        return [
            Row(
                seq, dialect.microseconds(moment), actor, text(role), text(event), person,
                change, text(body), text(prev), text(digest),
            )
            for seq, moment, actor, role, event, person, change, body, prev, digest in cursor
        ]  # fmt: skip


def private_values(first: int, last: int) -> dict[int, list[Private]]:
    """By the number of their entry."""
    dialect = dialect_of(connection)
    text, lies = dialect.text, dialect.as_it_lies
    found: dict[int, list[Private]] = {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT seq, {lies('field')}, {lies('salt')}, {lies('value')}"  # noqa: S608
            f" FROM {PRIVATE} WHERE {BETWEEN}",
            [first, last],
        )
        for seq, field, salt, value in cursor:
            found.setdefault(seq, []).append(Private(text(field), text(salt), text(value)))
    return found


# -- around the entries -------------------------------------------------------------------


def are_own_tables() -> bool:
    """The log and what belongs to it lie in tables as the portal made them, not in views that
    show one thing to some and another to others."""
    with connection.cursor() as cursor:
        return dialect_of(connection).are_own_tables(cursor, ENTRIES, PRIVATE, CHECKPOINTS, HEAD)


def checkpoints_as_kept() -> list[Checkpoint]:
    """By size; one whose size is no number comes last, as if it were of one entry more."""
    dialect = dialect_of(connection)
    names = ("root", "head", "previous", "text", "signature", "key_id", "frontier")
    columns = ", ".join(dialect.as_it_lies(dialect.json_text(name)) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT size, {columns} FROM {CHECKPOINTS} ORDER BY size")  # noqa: S608
        rows = list(cursor.fetchall())
    found: list[Checkpoint] = []
    for size, *values in rows:
        texts = [dialect.text(value) or "" for value in values]
        if type(size) is not int:
            size, texts = (found[-1].size if found else 0) + 1, [""] * len(names)
        root, head, previous, text, signature, key_id, frontier = texts
        found.append(
            Checkpoint(size, root, head, previous, text, signature, key_id, _json(frontier))
        )
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def end_of_log(seq: int) -> End:
    """`seq`: the last entry that was found."""
    dialect = dialect_of(connection)
    stray = f"FROM {PRIVATE} WHERE NOT {dialect.is_number_between('seq')}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT (SELECT max(seq) FROM {HEAD} WHERE id = 1),"  # noqa: S608
            f" (SELECT {dialect.as_it_lies('hash')} FROM {HEAD} WHERE id = 1),"
            f" (SELECT count(*) FROM {ENTRIES}),"
            f" (SELECT count(*) {stray}), (SELECT min(seq) {stray})",
            [1, seq, 1, seq],
        )
        head, digest, entries, strays, least = cursor.fetchone()
    if head is None:
        head, digest = 0, None
    elif type(head) is not int:
        head = -1
    named = least if type(least) is int else seq + 1
    return End(head, dialect.text(digest) or GENESIS, entries, named if strays else None)
