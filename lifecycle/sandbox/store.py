# ruff: noqa: S608 - names of tables and columns come from KINDS alone, values are bound
"""Where the tenant lives: one SQLite database, in memory or in a file.

Each kind of record is a table with its JSON and a few columns that searches need.
The first change of a record keeps its original beside it, so a reset costs as much as was changed.
"""

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

Record = dict[str, Any]

SCHEMA_VERSION = "1"

KINDS: dict[str, tuple[str, ...]] = {
    "talents": ("updated_ms",),
    "applications": ("talent_id", "stage_id", "job_id", "updated_ms"),
    "employees": ("application_id", "talent_id"),
    "pre_hires": ("ats_application_id",),
    "employments": ("open_id", "person_id", "ats_application_id"),
    "offboardings": ("employment_id",),
    "contacts": ("union_id", "user_id", "employment_id"),
    "departments": (
        "department_id",
        "people_corehr_department_id",
        "people_admin_department_id",
        "parent_id",
    ),
    "cost_centers": (),
    "job_levels": ("job_level_id", "people_admin_job_level_id"),
    "job_families": ("job_family_id", "people_admin_job_category_id"),
    "employee_types": ("employee_type_enum_id", "people_admin_employee_type_id"),
    "job_processes": (),
    "job_requirements": ("updated_ms",),
    "jobs": (),
    "locations": (),
    "reasons": (),
    "companies": (),
    "messages": ("uuid", "receiver"),
    "settings": (),
    "specials": (),
}


def encode(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


class Store:
    """Not thread-safe by itself: the tenant's lock guards it."""

    def __init__(self, path: str | None) -> None:
        self._db = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None
        )
        self._recent: dict[str, dict[str, list[tuple[float, int, Record | None]]]] = {}
        self.search_lag_s = 0.0
        self._prepare()

    def _prepare(self) -> None:
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS counters (kind TEXT PRIMARY KEY, value INT, initial INT)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS originals (kind TEXT, id TEXT, position INT, body TEXT, PRIMARY KEY (kind, id))"
        )
        self._db.execute("CREATE TABLE IF NOT EXISTS answers (token TEXT PRIMARY KEY, body TEXT)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS effects (seq INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS subjects (id TEXT, seq INT, PRIMARY KEY (id, seq)) WITHOUT ROWID"
        )
        for kind, columns in KINDS.items():
            names = "".join(f", {column}" for column in columns)
            self._db.execute(
                f"CREATE TABLE IF NOT EXISTS {kind} (position INTEGER PRIMARY KEY, id TEXT UNIQUE, body TEXT{names})"
            )
            for column in columns:
                self._db.execute(
                    f"CREATE INDEX IF NOT EXISTS {kind}_{column} ON {kind} ({column}, position)"
                )

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commits when the block ends well, so nothing is answered before it is kept."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    # -- meta -----------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        row = self._db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    def set_meta(self, key: str, value: str) -> None:
        self._db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def next_position(self, kind: str) -> int:
        # A tenant from before this kind has no counter of it.
        self._db.execute("INSERT OR IGNORE INTO counters VALUES (?, 0, 0)", (kind,))
        self._db.execute("UPDATE counters SET value = value + 1 WHERE kind = ?", (kind,))
        row = self._db.execute("SELECT value FROM counters WHERE kind = ?", (kind,)).fetchone()
        return int(row[0])

    # -- a new company ----------------------------------------------------------------------------

    def clear(self) -> None:
        for table in (*KINDS, "meta", "counters", "originals", "answers", "effects", "subjects"):
            self._db.execute(f"DELETE FROM {table}")
        self._recent.clear()

    def add_many(self, kind: str, rows: Iterable[tuple[int, Record]]) -> None:
        """Seeded records: part of the initial snapshot, so no original is kept."""
        marks = ", ".join("?" * (3 + len(KINDS[kind])))
        self._db.executemany(
            f"INSERT INTO {kind} VALUES ({marks})",
            (self._row(kind, position, record) for position, record in rows),
        )

    def finish_seeding(self, counters: dict[str, int]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO counters VALUES (?, ?, ?)",
            [(kind, n, n) for kind, n in counters.items()],
        )

    @staticmethod
    def _row(kind: str, position: int, record: Record) -> tuple[Any, ...]:
        return (
            position,
            record["id"],
            encode(record),
            *(record.get(column) for column in KINDS[kind]),
        )

    # -- reading ----------------------------------------------------------------------------------

    def get(self, kind: str, record_id: str) -> Record | None:
        row = self._db.execute(f"SELECT body FROM {kind} WHERE id = ?", (record_id,)).fetchone()
        return None if row is None else json.loads(row[0])

    def find(self, kind: str, column: str, value: str) -> Record | None:
        row = self._db.execute(
            f"SELECT body FROM {kind} WHERE {column} = ? ORDER BY position LIMIT 1", (value,)
        ).fetchone()
        return None if row is None else json.loads(row[0])

    def all(self, kind: str) -> list[Record]:
        return [
            json.loads(row[0])
            for row in self._db.execute(f"SELECT body FROM {kind} ORDER BY position")
        ]

    def count(self, kind: str) -> int:
        return int(self._db.execute(f"SELECT count(*) FROM {kind}").fetchone()[0])

    def select(
        self, kind: str, where: str, values: tuple[Any, ...], order: str, limit: int
    ) -> list[tuple[int, Record]]:
        sql = f"SELECT position, body FROM {kind} WHERE {where} ORDER BY {order} LIMIT ?"
        return [
            (position, json.loads(body))
            for position, body in self._db.execute(sql, (*values, limit))
        ]

    def scan(
        self, kind: str, after: int = 0, *, lagging: bool = False
    ) -> Iterator[tuple[int, Record]]:
        """Every record behind a position; a lagging search shows what was true `search_lag_s` ago."""
        stale = self._stale(kind) if lagging and self.search_lag_s else {}
        gone = {
            position: record
            for position, record in stale.values()
            if record is not None and position > after
        }
        sql = f"SELECT position, id, body FROM {kind} WHERE position > ? ORDER BY position"
        for position, record_id, body in self._db.execute(sql, (after,)):
            for earlier in sorted(p for p in gone if p < position):
                yield earlier, gone.pop(earlier)
            gone.pop(position, None)
            if record_id not in stale:
                yield position, json.loads(body)
                continue
            old = stale[record_id][1]
            if old is not None:
                yield position, old
        yield from sorted(gone.items())

    def lagging_get(self, kind: str, record_id: str) -> Record | None:
        stale = self._stale(kind) if self.search_lag_s else {}
        return stale[record_id][1] if record_id in stale else self.get(kind, record_id)

    def _stale(self, kind: str) -> dict[str, tuple[int, Record | None]]:
        horizon = time.monotonic() - self.search_lag_s
        shown: dict[str, tuple[int, Record | None]] = {}
        for record_id, versions in list(self._recent.get(kind, {}).items()):
            fresh = [version for version in versions if version[0] > horizon]
            self._recent[kind][record_id] = fresh
            if fresh:
                shown[record_id] = (fresh[0][1], fresh[0][2])
            else:
                del self._recent[kind][record_id]
        return shown

    # -- changing ---------------------------------------------------------------------------------

    def put(self, kind: str, record: Record) -> None:
        position, before = self._before(kind, record["id"])
        if position is None:
            position = self.next_position(kind)
        self._keep_original(kind, record["id"], position, before)
        marks = ", ".join("?" * (3 + len(KINDS[kind])))
        self._db.execute(
            f"INSERT OR REPLACE INTO {kind} VALUES ({marks})", self._row(kind, position, record)
        )

    def put_at(self, kind: str, position: int, record: Record) -> None:
        """A record whose position was already drawn, because its id is made from it."""
        self._keep_original(kind, record["id"], position, None)
        marks = ", ".join("?" * (3 + len(KINDS[kind])))
        self._db.execute(f"INSERT INTO {kind} VALUES ({marks})", self._row(kind, position, record))

    def delete(self, kind: str, record_id: str) -> None:
        position, before = self._before(kind, record_id)
        if position is None:
            return
        self._keep_original(kind, record_id, position, before)
        self._db.execute(f"DELETE FROM {kind} WHERE id = ?", (record_id,))

    def _before(self, kind: str, record_id: str) -> tuple[int | None, str | None]:
        row = self._db.execute(
            f"SELECT position, body FROM {kind} WHERE id = ?", (record_id,)
        ).fetchone()
        return (None, None) if row is None else (int(row[0]), str(row[1]))

    def _keep_original(self, kind: str, record_id: str, position: int, before: str | None) -> None:
        self._db.execute(
            "INSERT OR IGNORE INTO originals VALUES (?, ?, ?, ?)",
            (kind, record_id, position, before),
        )
        if self.search_lag_s:
            versions = self._recent.setdefault(kind, {}).setdefault(record_id, [])
            versions.append(
                (time.monotonic(), position, None if before is None else json.loads(before))
            )

    def restore_originals(self) -> None:
        for kind, record_id, position, body in self._db.execute(
            "SELECT * FROM originals"
        ).fetchall():
            self._db.execute(f"DELETE FROM {kind} WHERE id = ?", (record_id,))
            if body is not None:
                self.add_many(kind, [(position, json.loads(body))])
        for table in ("originals", "answers", "effects", "subjects"):
            self._db.execute(f"DELETE FROM {table}")
        self._db.execute("UPDATE counters SET value = initial")
        self._recent.clear()

    # -- effects and answers that repeat ----------------------------------------------------------

    def add_effect(self, effect: Record, subjects: Iterable[str]) -> None:
        seq = self._db.execute("INSERT INTO effects (body) VALUES (?)", (encode(effect),)).lastrowid
        self._db.executemany(
            "INSERT INTO subjects VALUES (?, ?)", [(s, seq) for s in {*subjects} if s]
        )

    def effects(self, subject: str | None = None) -> list[Record]:
        if subject is None:
            rows = self._db.execute("SELECT seq, body FROM effects ORDER BY seq")
        else:
            rows = self._db.execute(
                "SELECT e.seq, e.body FROM subjects s JOIN effects e USING (seq) WHERE s.id = ? ORDER BY e.seq",
                (subject,),
            )
        return [{"seq": seq, **json.loads(body)} for seq, body in rows]

    def answer_for(self, token: str) -> Record | None:
        row = self._db.execute("SELECT body FROM answers WHERE token = ?", (token,)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_answer(self, token: str, body: Record) -> None:
        self._db.execute("INSERT INTO answers VALUES (?, ?)", (token, encode(body)))
