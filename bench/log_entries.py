"""A long action log, the same one each time, and the ways of going through it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from lifecycle import action_log, append_only
from lifecycle.evidence import checkpoints
from lifecycle.evidence.checking import verify
from lifecycle.evidence.hashes import GENESIS, canonical, commitment
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, PrivateValue

TABLE = ActionEntry._meta.db_table
CHUNK = 5000
# The floor reads as many rows at once as serve it best.
FLOOR_BATCH = 1000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# One entry in three carries a private value: requests, reasons and addresses do.
PRIVATE_EVERY = 3
CHECKPOINT_EVERY = 1000


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
            checkpoints.sign(timezone.now())
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


def bare_chain() -> None:
    """The floor: read every row, hash its text onto the hash before, compare."""
    prev, after = bytes.fromhex(GENESIS), 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT seq, body, hash FROM {TABLE} WHERE seq > %s ORDER BY seq LIMIT"
                f" {FLOOR_BATCH}",
                [after],
            )
            rows = cursor.fetchall()
        if not rows:
            return
        for _, body, digest in rows:
            prev = hashlib.sha256(b"\x01" + prev + body.encode()).digest()
            assert prev.hex() == digest
        after = rows[-1][0]


def verifying(**how: bool) -> Callable[[], None]:
    def run() -> None:
        assert list(verify(**how))[-1].is_whole

    return run


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
