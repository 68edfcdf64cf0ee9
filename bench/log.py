"""The action log against floors measured in the same run: `python bench/log.py [--entries N]`.

- check: `verify` (chain, columns, private values, checkpoints) and `verify --full` against a
  bare SHA-256 chain over the same rows read by the same cursor; and since a checkpoint;
- append: `action_log.record` against the same rows written by hand in the same transaction.

Each is run in turn, several times, and the median ratio is printed. Uses DATABASE_URL, or
SQLite in a folder of its own; the table is emptied first, so never point it at real data.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hrportal.settings")
os.environ.setdefault("HRPORTAL_VAR_DIR", tempfile.mkdtemp(prefix="hrportal-bench-"))

import django  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from lifecycle import action_log, append_only  # noqa: E402
from lifecycle.evidence import checkpoints, keys  # noqa: E402
from lifecycle.evidence.checking import verify  # noqa: E402
from lifecycle.evidence.hashes import GENESIS, canonical, commitment  # noqa: E402
from lifecycle.models import (  # noqa: E402
    ActionEntry,
    ActionLogHead,
    LogCheckpoint,
    PrivateValue,
)

TABLE = ActionEntry._meta.db_table
CHUNK = 5000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# One entry in ten carries a private value, as requests and reasons do among the steps.
PRIVATE_EVERY = 10
CHECKPOINT_EVERY = 100_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--appends", type=int, default=2000)
    options = parser.parse_args()
    call_command("migrate", interactive=False, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "key.pem"
        key_file.write_bytes(keys.make_key()[0])
        settings.LOG_SIGNING_KEY_FILE = str(key_file)
        empty()
        began = time.perf_counter()
        fill(options.entries)
        print(
            f"{connection.vendor}: {options.entries} entries in {time.perf_counter() - began:.1f} s"
        )
        measure_checks(options.rounds)
        measure_appends(options.rounds, options.appends)


def empty() -> None:
    append_only.lift(connection)
    with connection.cursor() as cursor:
        for model in (ActionEntry, PrivateValue, ActionLogHead, LogCheckpoint):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    append_only.install(connection)


def fill(count: int) -> None:
    """Entries as record() writes them, in bulk, with a checkpoint every so often."""
    append_only.lift(connection)
    prev, at = GENESIS, datetime(2026, 1, 1, tzinfo=UTC)
    for start in range(1, count + 1, CHUNK):
        entries, private = [], []
        for seq in range(start, min(start + CHUNK, count + 1)):
            moment = at + timedelta(seconds=seq, microseconds=seq * 7919 % 1_000_000)
            entry, values = one(seq, prev, moment)
            entries.append(entry)
            private += values
            prev = entry.hash
        ActionEntry.objects.bulk_create(entries)
        PrivateValue.objects.bulk_create(private)
        last = entries[-1]
        ActionLogHead.objects.update_or_create(pk=1, defaults={"seq": last.seq, "hash": last.hash})
        if last.seq % CHECKPOINT_EVERY == 0:
            began = time.perf_counter()
            checkpoints.sign(timezone.now())
            if last.seq in (CHECKPOINT_EVERY, count):
                took = time.perf_counter() - began
                print(f"checkpoint of {last.seq}, {CHECKPOINT_EVERY} new: {took:.2f} s")
    append_only.install(connection)


def one(seq: int, prev: str, at: datetime) -> tuple[ActionEntry, list[PrivateValue]]:
    values = []
    data = {
        "kind": "convert_employee", "subject_id": str(6_900_000_000_000 + seq),
        "payload_hash": hashlib.sha256(str(seq).encode()).hexdigest(),
        "number": 1, "outcome": "applied", "http_status": 200, "code": 0,
        "log_id": f"20260101{seq:024d}", "from": "in_flight", "to": "succeeded",
    }  # fmt: skip
    if seq % PRIVATE_EVERY == 0:
        values = [PrivateValue(seq=seq, field="reason", salt="ab" * 16, value=f"原因 {seq}")]
        data["private_reason"] = commitment("ab" * 16, f"原因 {seq}")
    columns = {
        "seq": seq, "ts": (at - EPOCH) // timedelta(microseconds=1), "actor": 1, "role": "hr",
        "event": "change.succeeded", "person": seq % 5000, "change": seq // 3,
    }  # fmt: skip
    body = canonical(columns | {"data": data})
    digest = action_log.entry_hash(prev, body)
    entry = ActionEntry(
        seq=seq, ts=at, actor_id=1, role="hr", event="change.succeeded", person_ref=seq % 5000,
        change_id=seq // 3, body=body, prev=prev, hash=digest,
    )  # fmt: skip
    return entry, values


# -- the check ----------------------------------------------------------------------------


def bare_chain() -> None:
    """The floor: read every row, hash its text onto the hash before, compare."""
    prev, after = bytes.fromhex(GENESIS), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT seq, body, hash FROM {TABLE} WHERE seq > %s ORDER BY seq LIMIT {CHUNK}",
                [after],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        for _, body, digest in rows:
            prev = hashlib.sha256(b"\x01" + prev + body.encode()).digest()
            assert prev.hex() == digest
        after = rows[-1][0]


def run_verify(**how: bool) -> Callable[[], None]:
    def run() -> None:
        assert list(verify(**how))[-1].is_whole

    return run


def measure_checks(rounds: int) -> None:
    before = peak_mb()
    ways = {
        "floor": bare_chain,
        "verify --quick": run_verify(quick=True),
        "verify": run_verify(full=False),
        "verify --full": run_verify(full=True),
    }
    times = timed(ways, rounds)
    count = ActionLogHead.objects.get().seq
    for name, took in times.items():
        rate = count / statistics.median(took)
        print(f"{name}: {statistics.median(took):.2f} s, {rate:,.0f} entries/s", end="")
        print("" if name == "floor" else f", {ratio(took, times['floor']):.2f} x floor")
    print(f"memory while checking: {before:.0f} -> {peak_mb():.0f} MB at most")
    for _ in range(999):
        action_log.record("user.signed_in", actor=None)
    (took,) = timed({"since": run_verify(since_checkpoint=True)}, rounds).values()
    print(f"verify --since-checkpoint, 999 entries: {statistics.median(took):.3f} s")


# -- appending ----------------------------------------------------------------------------

DATA = {"kind": "convert_employee", "subject_id": "6900000000000", "to": "cancelled"}


def append(count: int) -> Callable[[], None]:
    def run() -> None:
        for _ in range(count):
            with transaction.atomic():
                action_log.record("change.cancelled", actor=None, data=DATA)

    return run


def by_hand(count: int) -> Callable[[], None]:
    """The same two rows through the ORM: the locked head, the entry; without hash or checks."""

    def run() -> None:
        for _ in range(count):
            with transaction.atomic():
                head = ActionLogHead.objects.select_for_update().get(pk=1)
                body = canonical({"seq": head.seq + 1, "data": DATA})
                digest = action_log.entry_hash(head.hash, body)
                ActionEntry(
                    seq=head.seq + 1, ts=timezone.now(), event="change.cancelled", role="",
                    body=body, prev=head.hash, hash=digest,
                ).save(force_insert=True)  # fmt: skip
                ActionLogHead.objects.filter(pk=1).update(seq=head.seq + 1, hash=digest)

    return run


def measure_appends(rounds: int, count: int) -> None:
    times = timed({"by hand": by_hand(count), "record": append(count)}, rounds)
    for name, took in times.items():
        each = statistics.median(took) / count * 1000
        print(f"append, {name}: {each:.3f} ms", end="")
        print("" if name == "by hand" else f", {ratio(took, times['by hand']):.2f} x by hand")


# -- measuring ----------------------------------------------------------------------------


def timed(ways: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            began = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - began)
    return times


def ratio(took: list[float], floor: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(took, floor, strict=True))


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
