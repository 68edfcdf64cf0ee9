"""Triggers that keep a promise in the database itself, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.backends.base.base import BaseDatabaseWrapper


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


def _execute(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
