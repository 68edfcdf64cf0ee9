"""Workers that die, and workers that are overtaken, at any statement they send to the database.

A dead worker sends nothing more: what it had not committed is rolled back, and its lease and its
claim stay as they were. `connection.execute_wrapper` is Django's own way of seeing statements.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Execute = Callable[..., Any]
# What the server does by itself when a client is gone.
ROLLING_BACK = ("ROLLBACK TO", "RELEASE")


class Death(BaseException):
    """Not an error that anything could catch: the process is no more."""


class Dying:
    """Dies before the first statement for which `when` holds."""

    def __init__(self, when: Callable[[str], bool]) -> None:
        self._when = when
        self.is_dead = False

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(ROLLING_BACK) or sql.startswith("SAVEPOINT"):
            if self.is_dead and sql.startswith("SAVEPOINT"):
                raise Death
            return execute(sql, params, many, context)
        if self.is_dead or self._when(sql):
            self.is_dead = True
            raise Death
        return execute(sql, params, many, context)


def at_statement(number: int) -> Callable[[str], bool]:
    """Before the statement of this number, from 0."""
    left = iter(range(number))
    return lambda _sql: next(left, None) is None


def at_entry(number: int) -> Callable[[str], bool]:
    """Before the entry of this number of the action log, from 0."""
    left = iter(range(number))

    def when(sql: str) -> bool:
        is_entry = sql.startswith("INSERT") and "lifecycle_actionentry" in sql
        return is_entry and next(left, None) is None

    return when


class Overtaken:
    """Calls `act` once, at the moment of this number (from 0) at which no transaction is open."""

    def __init__(self, number: int, act: Callable[[], None]) -> None:
        self._left, self._act = number, act
        self._depth: int | None = None
        self.is_done = False

    def __call__(self, execute: Execute, sql: str, params: Any, many: bool, context: Any) -> Any:
        depth = len(context["connection"].savepoint_ids)
        if self._depth is None:
            self._depth = depth
        if not self.is_done and depth == self._depth and not sql.startswith(ROLLING_BACK):
            if self._left == 0:
                self.is_done = True
                self._act()
            self._left -= 1
        return execute(sql, params, many, context)
