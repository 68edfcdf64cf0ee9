"""Triggers that keep a promise in the database itself, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_IN_PLACE = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
POSTGRES_IN_PLACE = (
    "SELECT tgname, relname, prosrc FROM pg_trigger"
    " JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid"
    " WHERE tgenabled = 'A' AND relnamespace = current_schema()::regnamespace"
)
_TRIGGER = re.compile(r"^CREATE TRIGGER (\w+)")
_FUNCTION = re.compile(r"FUNCTION (\w+)\(\) RETURNS trigger LANGUAGE plpgsql AS \$\$(.*?)\$\$")
_ON = re.compile(r"TRIGGER (\w+) BEFORE [A-Z ]+?(?:OF [\w, ]+)? ON (\w+) .*?FUNCTION (\w+)\(\)")


@dataclass(frozen=True, slots=True)
class Triggers:
    """The statements that make them, and those that take them away."""

    sqlite: tuple[str, ...]
    sqlite_lift: tuple[str, ...]
    postgres: tuple[str, ...]
    postgres_lift: tuple[str, ...]

    def install(self, connection: BaseDatabaseWrapper) -> None:
        """Put them in place; repeatable."""
        self.lift(connection)
        _execute(connection, self.sqlite if connection.vendor == "sqlite" else self.postgres)

    def lift(self, connection: BaseDatabaseWrapper) -> None:
        """Take them away: for tests that empty the tables, and to reverse a migration."""
        is_sqlite = connection.vendor == "sqlite"
        _execute(connection, self.sqlite_lift if is_sqlite else self.postgres_lift)

    def missing(self, connection: BaseDatabaseWrapper) -> list[str]:
        """The names of those that are not in place as they were made, or switched off, even if
        only for sessions that replicate; one query."""
        is_sqlite = connection.vendor == "sqlite"
        made = _made_on_sqlite(self.sqlite) if is_sqlite else _made_on_postgres(self.postgres)
        with connection.cursor() as cursor:
            cursor.execute(SQLITE_IN_PLACE if is_sqlite else POSTGRES_IN_PLACE)
            there = {name: tuple(rest) for name, *rest in cursor.fetchall()}
        return [name for name, rest in made.items() if there.get(name) != rest]


def _made_on_sqlite(statements: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """By name, the statement as SQLite keeps it."""
    kept = [one.replace("IF NOT EXISTS ", "") for one in statements]
    return {name: (one,) for one in kept for name in _TRIGGER.findall(one)}


def _made_on_postgres(statements: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """By name, the table it is on and what its function does."""
    made = " ".join(statements)
    bodies = dict(_FUNCTION.findall(made))
    return {name: (table, bodies[function]) for name, table, function in _ON.findall(made)}


def _execute(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
