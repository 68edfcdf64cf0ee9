"""Collects seeded records and hands them to the store in batches."""

from datetime import date
from random import Random
from typing import Any

from ..ids import Ids
from ..store import KINDS, Record, Store

_BATCH = 2_000


class Builder:
    """What every part of the seeding needs: the dice, the ids, the day and somewhere to put records."""

    def __init__(self, store: Store, *, seed: int, people: int, today: date) -> None:
        self.rng = Random(f"{seed}:{people}:{today}")
        self.ids = Ids(seed)
        self.people = people
        self.today = today
        self._store = store
        self.counters: dict[str, int] = dict.fromkeys(KINDS, 0)
        self._waiting: dict[str, list[tuple[int, Record]]] = {kind: [] for kind in KINDS}

    def draw(self, counter: str) -> int:
        self.counters[counter] = self.counters.get(counter, 0) + 1
        return self.counters[counter]

    def add(self, kind: str, record: dict[str, Any], position: int | None = None) -> None:
        rows = self._waiting[kind]
        rows.append((position or self.draw(kind), record))
        if len(rows) >= _BATCH:
            self._flush(kind)

    def flush(self) -> None:
        for kind in self._waiting:
            self._flush(kind)

    def finish(self) -> None:
        self.flush()
        self._store.finish_seeding(self.counters)

    def _flush(self, kind: str) -> None:
        self._store.add_many(kind, self._waiting[kind])
        self._waiting[kind] = []
