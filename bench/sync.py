"""A sync of employees against the database's own upsert of the same columns, and how long a
small write of the web waits meanwhile."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from bench.run import Figure, main, percentile, set_up

# As many records as a sync stores at once.
CHUNK = 200
# Seconds between two of those, far less than Feishu takes to answer.
PAUSE = 0.005
COPY = "bench_employee"


def measure(size: int, repeats: int) -> list[Figure]:
    from django.utils import timezone

    from bench import company

    company.empty()
    records, at = list(company.payloads(size)), timezone.now()
    first = _timed(lambda: _sync(records, at))
    later = iter(at + timedelta(minutes=minutes) for minutes in range(1, 10))
    again = min(_timed(lambda: _sync(records, next(later))) for _ in range(3))
    floor = min(_timed(lambda: _upsert(records, at)) for _ in range(3))
    queries = _queries(records[:CHUNK], next(later))
    waits = _waits_beside(lambda: _sync(records, next(later), pause=PAUSE))
    company.empty()
    return [
        Figure.at_most("first sync, people made and named", first, floor, 2),
        Figure.at_most("sync of what is known", again, floor, 2),
        Figure.below(f"queries for {CHUNK} that are known", queries, 12, "queries"),
        Figure.below(
            "a small write meanwhile, p99", round(1000 * percentile(waits, 0.99), 1), 50, "ms"
        ),
    ]


def _sync(records: list[dict[str, Any]], at: datetime, *, pause: float = 0) -> None:
    from lifecycle import mirror

    for chunk in _chunks(records):
        time.sleep(pause)
        mirror.store_employees(chunk, asked_at=at)


def _queries(records: list[dict[str, Any]], at: datetime) -> int:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as queries:
        _sync(records, at)
    return len(queries)


def _upsert(records: list[dict[str, Any]], at: datetime) -> None:
    """The same rows, read by the same function, in one statement per chunk."""
    from django.db import connection, transaction

    from lifecycle.mirror import employee_row

    names = sorted(employee_row(records[0]).columns)
    columns = ["feishu_id", "payload", "asked_at", *names]
    updates = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
    statement = (
        f"INSERT INTO {COPY} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"
        f" ON CONFLICT (feishu_id) DO UPDATE SET {updates}"
    )
    _make_copy(connection)
    for chunk in _chunks(records):
        rows = [employee_row(record) for record in chunk]
        values = [
            [row.feishu_id, json.dumps(row.payload), at, *(row.columns[name] for name in names)]
            for row in rows
        ]
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.executemany(statement, values)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {COPY}")


def _make_copy(connection: Any) -> None:
    """An empty table like that of the employees, with its indexes; nobody refers to it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {COPY}")
        if connection.vendor != "sqlite":
            cursor.execute(f"CREATE TABLE {COPY} (LIKE lifecycle_employee INCLUDING ALL)")
            cursor.execute(f"ALTER TABLE {COPY} ALTER COLUMN person_id DROP NOT NULL")
            return
        cursor.execute(f"CREATE TABLE {COPY} AS SELECT * FROM lifecycle_employee LIMIT 0")
        cursor.execute(f"CREATE UNIQUE INDEX {COPY}_once ON {COPY} (feishu_id)")
        cursor.execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = 'lifecycle_employee'"
            " AND type = 'index' AND sql IS NOT NULL"
        )
        for (made,) in cursor.fetchall():
            cursor.execute(
                made.replace('"lifecycle_employee"', f'"{COPY}"').replace(
                    'INDEX "', 'INDEX "bench_'
                )
            )


def _waits_beside(work: Any) -> list[float]:
    """How long each write took of another connection that writes one small row every 20 ms
    while the work is done."""
    done, waits = threading.Event(), []

    def write() -> None:
        from django.db import connection

        from bench.pages import hr

        user = hr()
        while not (waits and done.wait(0.02)):
            start = time.perf_counter()
            type(user).objects.filter(pk=user.pk).update(last_name="梅")
            waits.append(time.perf_counter() - start)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    try:
        work()
        time.sleep(0.05)
    finally:
        done.set()
        thread.join()
    return waits


def _chunks(records: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(records)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    set_up()
    main(measure, size=100_000, quick=2_000)
