"""The tenant: its records, settings, clock and the list of what changed."""

import sqlite3
import threading
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from .callbacks import Callback
from .ids import Ids
from .limits import Limits
from .seed.company import make_company
from .seed.days import today_in_tenant
from .store import SCHEMA_VERSION, Record, Store


class BadState(ValueError):
    """The state file is not one of ours."""


class Tenant:
    """All access goes through `lock`: one call at a time sees and changes the company."""

    def __init__(
        self,
        *,
        seed: int = 1,
        people: int = 300,
        today: date | None = None,
        state: str | None = None,
    ) -> None:
        self.lock = threading.RLock()
        # Both are given by whoever puts the sandbox together (cli.make_gateway).
        self.limits: Limits | None = None
        self.callback = Callback()
        self.store = _open_store(state)
        if self.store.meta("schema") == SCHEMA_VERSION:
            self._load()
        else:
            self.make(seed=seed, people=people, today=today or today_in_tenant())

    def make(self, *, seed: int, people: int, today: date) -> None:
        with self.lock, self.store.transaction():
            self.store.clear()
            make_company(self.store, seed=seed, people=people, today=today)
            for key, value in {
                "seed": seed,
                "people": people,
                "today": today,
                "schema": SCHEMA_VERSION,
            }.items():
                self.store.set_meta(key, str(value))
        self._load()

    def _load(self) -> None:
        self.seed = int(self.store.meta("seed") or 0)
        self.people = int(self.store.meta("people") or 0)
        self.today = date.fromisoformat(self.store.meta("today") or "")
        self.ids = Ids(self.seed)

    def reset(
        self, *, seed: int | None = None, people: int | None = None, today: date | None = None
    ) -> None:
        """The initial snapshot again; another company only when one of the three differs."""
        wanted = (seed or self.seed, people or self.people, today or self.today)
        if wanted == (self.seed, self.people, self.today):
            with self.lock, self.store.transaction():
                self.store.restore_originals()
        else:
            self.make(seed=wanted[0], people=wanted[1], today=wanted[2])

    def close(self) -> None:
        with self.lock:
            self.store.close()

    def settings(self) -> Record:
        return self.store.get("settings", "tenant") or {}

    def now_ms(self) -> int:
        """The real clock; `clock_offset_s` sets the tenant ahead or behind."""
        return int((time.time() + float(self.settings().get("clock_offset_s", 0))) * 1000)

    def record_effect(
        self,
        *,
        endpoint: str,
        operation: str,
        subject: str,
        before: Any,
        after: Any,
        source: str,
        at_ms: int,
        log_id: str = "",
        related: Iterable[str] = (),
    ) -> None:
        effect = {
            "endpoint": endpoint,
            "operation": operation,
            "subject": subject,
            "before": before,
            "after": after,
            "at": at_ms,
            "source": source,
            "log_id": log_id,
            "related": [other for other in related if other],
        }
        self.store.add_effect(effect, [subject, *related])


def _open_store(state: str | None) -> Store:
    if state is None:
        return Store(None)
    try:
        Path(state).parent.mkdir(parents=True, exist_ok=True)
        return Store(state)
    except (sqlite3.DatabaseError, OSError) as error:
        raise BadState(f"{state} cannot be used as the sandbox's state file ({error}).") from error


def difference(before: Record, after: Record) -> tuple[Record, Record]:
    """Only the fields that changed, as they were and as they are."""
    changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    return {key: before.get(key) for key in changed}, {key: after.get(key) for key in changed}
