"""One step of a status change, with its entry in the action log, against the same two rows
written by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from bench.run import Figure, interleaved, main, set_up

TABLES = (
    "DROP TABLE IF EXISTS bench_change",
    "DROP TABLE IF EXISTS bench_head",
    "DROP TABLE IF EXISTS bench_entry",
    "CREATE TABLE bench_change (id integer PRIMARY KEY, version integer)",
    "CREATE TABLE bench_head (id integer PRIMARY KEY, seq bigint, hash text)",
    "CREATE TABLE bench_entry (seq bigint PRIMARY KEY, body text, prev text, hash text UNIQUE)",
    "INSERT INTO bench_change VALUES (1, 0)",
    f"INSERT INTO bench_head VALUES (1, 0, '{'0' * 64}')",
)


def measure(size: int, repeats: int) -> list[Figure]:
    """`size`: steps in a turn."""
    ours, hand = interleaved(_steps(size), _by_hand(size), repeats=repeats)
    return [Figure.at_most("step and log entry", ours / size, hand / size, 2)]


def _steps(size: int) -> Callable[[], None]:
    from django.db import transaction

    from bench.pages import hr
    from lifecycle import action_log
    from lifecycle.models import Person

    user = hr()
    person = Person.objects.create(name="柏小林")

    def run() -> None:
        for _ in range(size):
            with transaction.atomic():
                Person.objects.filter(pk=person.pk, open_id="").update(name="柏小林")
                action_log.record("user.signed_in", actor=user, person=person)

    return run


def _by_hand(size: int) -> Callable[[], None]:
    """A change, an entry chained to the one before it, and the head of the chain: the least
    the same promise takes."""
    from django.db import connection, transaction

    locked = "" if connection.vendor == "sqlite" else " FOR UPDATE"
    with connection.cursor() as cursor:
        for statement in TABLES:
            cursor.execute(statement)

    def run() -> None:
        for _ in range(size):
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("UPDATE bench_change SET version = version + 1 WHERE id = 1")
                cursor.execute(f"SELECT seq, hash FROM bench_head WHERE id = 1{locked}")
                seq, prev = cursor.fetchone()
                body = json.dumps({"seq": seq + 1, "event": "user.signed_in", "person": 1})
                digest = hashlib.sha256((prev + body).encode()).hexdigest()
                cursor.execute(
                    "INSERT INTO bench_entry VALUES (%s, %s, %s, %s)", [seq + 1, body, prev, digest]
                )
                cursor.execute(
                    "UPDATE bench_head SET seq = %s, hash = %s WHERE id = 1", [seq + 1, digest]
                )

    return run


if __name__ == "__main__":
    set_up()
    main(measure, size=300, quick=50)
