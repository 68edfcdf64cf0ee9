"""In which order the statements of one transaction take their locks.

SQLite locks the whole database, so what would be a deadlock on PostgreSQL is seen here from
the statements alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db.transaction import Atomic

from lifecycle.models import ActionEntry, Person
from lifecycle.models.mirror import Mirrored

APPENDS = f'INSERT INTO "{ActionEntry._meta.db_table}"'
LOCKS = re.compile(
    r'(?:UPDATE|INSERT INTO|DELETE FROM) "(\w+)"|.* FROM "(\w+)" .* FOR (?:NO KEY )?UPDATE'
)
MIRROR = {
    model._meta.db_table
    for model in apps.get_app_config("lifecycle").get_models()
    if issubclass(model, (Mirrored, Person))
}


class LockOrder:
    """To be put around each statement of a connection. `broken`: the tables of the mirror that
    were written by a transaction that had appended to the log."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._appended_in: Atomic | None = None

    def __call__(
        self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        self._look(sql, context["connection"].atomic_blocks)
        return execute(sql, params, many, context)

    def _look(self, sql: str, blocks: list[Atomic]) -> None:
        outermost = next((block for block in blocks if not block._from_testcase), None)
        if outermost is None:
            self._appended_in = None
        elif sql.startswith(APPENDS):
            self._appended_in = outermost
        elif self._appended_in is outermost and (found := LOCKS.match(sql)):
            table = found[1] or found[2]
            if table in MIRROR:
                self.broken.append(f"{table}: {sql[:80]}")
