"""Triggers that keep a promise in the database itself, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper

SQLITE_IN_PLACE = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
POSTGRES_IN_PLACE = "SELECT tgname FROM pg_trigger WHERE tgenabled = 'A'"
_MADE = re.compile(r"CREATE (?:OR REPLACE )?TRIGGER (?:IF NOT EXISTS )?(\w+)")


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
        """The names of those that are not in place, or switched off, even if only for sessions
        that replicate; one query."""
        is_sqlite = connection.vendor == "sqlite"
        made = " ".join(self.sqlite if is_sqlite else self.postgres)
        with connection.cursor() as cursor:
            cursor.execute(SQLITE_IN_PLACE if is_sqlite else POSTGRES_IN_PLACE)
            there = {name for (name,) in cursor.fetchall()}
        return [name for name in _MADE.findall(made) if name not in there]


def _execute(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
