"""The check of the whole log: the chain, the columns, what stands beside it, the checkpoints.

Always: every hash follows from the one before and the entry's text; every checkpoint is signed
by a known key, follows the one before, agrees with its copy outside, and fits the entries.
Unless `quick`: every column is what the text says, and every private value is the one
committed to. With `full` also: each text is made anew from its parts, and each Merkle root from
its leaves. Rows are read a batch at a time, so memory does not grow with the log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import add
from pathlib import Path
from typing import Any

from django.db import connection

from lifecycle.evidence import keys
from lifecycle.evidence.hashes import ENTRY_PREFIX, GENESIS, canonical, commitment, text_hash
from lifecycle.evidence.keys import PublicKeys
from lifecycle.evidence.merkle import Frontier
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint, PrivateValue

# Few enough to stay in the processor's cache while their columns are compared.
BATCH = 1000
BEFORE_ALL = -(2**63) + 1
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The moment as SQLite keeps it, "2026-11-21 06:27:48.123456" in UTC, or PostgreSQL's
# microseconds since 1970. (Its own wording of a moment leaves out that a year is before Christ.)
_TS = {
    "sqlite": "CAST(ts AS TEXT)",
    "postgresql": "CASE WHEN isfinite(ts) THEN (extract(epoch FROM ts) * 1000000)::bigint END",
}
# The canonical text begins and ends with what the columns say; the data lie in between.
_BEGINNING = '{"actor":%s,"change":%s,"data":{'
_END = '},"event":"%s","person":%s,"role":"%s","seq":%d,"ts":%d}'
_NUMBERS = {int, type(None)}
Row = tuple[
    int, str | int | None, int | None, str, str, int | None, int | None, str, str, str
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verification:
    """`bad_seq`: the first entry that does not fit; `bad_checkpoint`: the size of the first
    checkpoint that does not; None when all do. `fault` says what is wrong with it."""

    checked: int
    bad_seq: int | None = None
    fault: str = ""
    bad_checkpoint: int | None = None
    checkpoints: int = 0
    signatures_checked: bool = False

    @property
    def is_whole(self) -> bool:
        return self.bad_seq is None and self.bad_checkpoint is None


def verify(
    *,
    full: bool = True,
    quick: bool = False,
    since_checkpoint: bool = False,
    directory: Path | None = None,
    public_keys: PublicKeys | None = None,
) -> Iterator[Verification]:
    """Check the log; yields progress after each batch and the verdict last.

    `quick`: the chain and the checkpoints alone, not the columns and private values, which are
    copies beside the hashed text. `since_checkpoint`: only what came after the newest
    checkpoint, trusting that one's signature. `directory`: checkpoints as they were exported.
    `public_keys`: whose signatures count, by key id; those of the settings otherwise. Raises
    OSError when the directory cannot be read.
    """
    known = keys.public_keys() if public_keys is None else public_keys
    kept = list(LogCheckpoint.objects.order_by("size"))
    outside = read_directory(directory) if directory else {}
    fault = _checkpoint_fault(kept, outside, known, only_newest=since_checkpoint)
    start = kept[-1] if since_checkpoint and kept and fault is None else None
    sound = [checkpoint for checkpoint in kept if fault is None or checkpoint.size < fault[0]]
    scan = _Scan(sound, start, full=full and not quick, quick=quick)
    for result in scan.results():
        last = replace(result, checkpoints=len(kept), signatures_checked=bool(known))
        if fault is not None and last.is_whole and scan.is_over:
            yield replace(last, bad_checkpoint=fault[0], fault=fault[1])
            return
        yield last


# -- entries ------------------------------------------------------------------------------


class _Scan:
    """One walk over the entries, in their order."""

    def __init__(
        self,
        checkpoints: Sequence[LogCheckpoint],
        start: LogCheckpoint | None,
        *,
        full: bool,
        quick: bool,
    ) -> None:
        self.full, self.quick = full, quick
        self.first = start.size if start else 0
        self.prev = bytes.fromhex(start.head if start else GENESIS)
        self.seq = self.first
        self.tree = Frontier.from_hex(start.size, start.frontier) if start else Frontier()
        self.checkpoints = {c.size: c for c in checkpoints if c.size > self.first}
        self.is_over = False

    def results(self) -> Iterator[Verification]:
        after = self.first if self.first else BEFORE_ALL
        while rows := _links_after(after) if self.quick else _rows_after(after):
            until = rows[-1][0]
            if self.quick:
                found = self._check_links(rows)
            else:
                found = self._check(rows, _private_values(after, until))
            if found is not None:
                self.is_over = True
                yield found
                return
            yield Verification(self.seq)
            after = until
        self.is_over = True
        yield self._end()

    def _check(
        self, rows: Sequence[Row], private: Mapping[int, list[tuple[str, str, str]]]
    ) -> Verification | None:
        """One batch; what is wrong with the first entry or checkpoint that does not fit.

        A batch in which everything is as usual is compared as a whole, which is fast; any other
        is judged entry by entry.
        """
        if self.full or not self._is_as_usual(rows, private):
            return self._judge(rows, private)
        return None

    def _is_as_usual(
        self, rows: Sequence[Row], private: Mapping[int, list[tuple[str, str, str]]]
    ) -> bool:
        """Everything in this batch fits, in its most usual form. Nearly all of a check is spent
        here, so whole columns are compared at once wherever that can be."""
        seqs, stamps, actors, roles, events, persons, changes, bodies, prevs, digests = zip(
            *rows, strict=True
        )
        first = self.seq + 1
        if not (
            all(set(map(type, texts)) == {str} for texts in (roles, events, bodies, digests))
            and all(set(map(type, ids)) <= _NUMBERS for ids in (actors, persons, changes))
            and seqs == tuple(range(first, first + len(rows)))
            and prevs == (self.prev.hex(), *digests[:-1])
        ):
            return False
        made = _chained(self.prev, bodies)
        moments = _usual_moments(stamps)
        beginnings = map(_BEGINNING.__mod__, zip(_said(actors), _said(changes), strict=True))
        if (
            b"".join(made).hex() != "".join(digests)
            or moments is None
            or not all(map(str.startswith, bodies, beginnings))
        ):
            return False
        ends = map(_END.__mod__, zip(events, _said(persons), roles, seqs, moments, strict=True))
        if not (
            all(map(str.endswith, bodies, ends))
            and all(_values_fit(bodies[seq - first], private[seq], full=False) for seq in private)
            and all(
                checkpoint.head == digests[size - first]
                for size, checkpoint in self.checkpoints.items()
                if first <= size <= seqs[-1]
            )
        ):
            return False
        self.seq, self.prev = seqs[-1], made[-1]
        return True

    def _judge(
        self, rows: Sequence[Row], private: Mapping[int, list[tuple[str, str, str]]]
    ) -> Verification | None:
        """One batch, entry by entry."""
        before, prev = self.seq, self.prev
        for row in rows:
            seq, _, _, _, _, _, _, body, said_prev, digest = row
            # SQLite keeps bytes in a column of texts if somebody puts them there.
            text = body if isinstance(body, str) else ""
            made = hashlib.sha256(ENTRY_PREFIX + prev + text.encode())
            if not (
                seq == before + 1
                and said_prev == prev.hex()
                and digest == made.hexdigest()
                and _fits_its_columns(row)
            ):
                fault = _fault(row, before + 1, prev.hex(), made.hexdigest())
                return Verification(before, seq, fault)
            if self.full and not _is_canonical(row):
                return Verification(before, seq, "columns-changed")
            if seq in private and not _values_fit(body, private[seq], full=self.full):
                return Verification(before, seq, "private-value-changed")
            before, prev = seq, made.digest()
            if self.full:
                self.tree.append(prev)
            if seq in self.checkpoints:
                self.seq, self.prev = seq, prev
                found = self._against(self.checkpoints[seq])
                if found is not None:
                    return found
        self.seq, self.prev = before, prev
        return None

    def _check_links(self, rows: Sequence[Any]) -> Verification | None:
        """One batch of (number, text, hash before, hash): the chain alone."""
        sha256, checkpoints = hashlib.sha256, self.checkpoints
        before, prev = self.seq, self.prev
        prev_hex = prev.hex()
        for seq, body, said_prev, digest in rows:
            made = sha256(ENTRY_PREFIX + prev + body.encode())
            made_hex = made.hexdigest()
            if seq != before + 1 or said_prev != prev_hex or digest != made_hex:
                row = (seq, "", None, "", "", None, None, body, said_prev, digest)
                return Verification(before, seq, _fault(row, before + 1, prev_hex, made_hex))
            before, prev, prev_hex = seq, made.digest(), made_hex
            if seq in checkpoints:
                self.seq, self.prev = seq, prev
                found = self._against(checkpoints[seq])
                if found is not None:
                    return found
        self.seq, self.prev = before, prev
        return None

    def _against(self, checkpoint: LogCheckpoint) -> Verification | None:
        """A checkpoint that is signed, but not of these entries: they were rewritten."""
        if checkpoint.head != self.prev.hex():
            fault = "checkpoint-head"
        elif self.full and checkpoint.root != self.tree.root().hex():
            fault = "checkpoint-root"
        else:
            return None
        return Verification(self.seq, fault=fault, bad_checkpoint=checkpoint.size)

    def _end(self) -> Verification:
        head = ActionLogHead.objects.filter(pk=1).values_list("seq", "hash").first()
        ends_at, digest = head or (0, GENESIS)
        longest = max((size for size in self.checkpoints if size > self.seq), default=0)
        if (ends_at, digest) != (self.seq, self.prev.hex()) or longest:
            return Verification(
                self.seq, self.seq + 1, "tail-missing", bad_checkpoint=longest or None
            )
        stray = PrivateValue.objects.filter(seq__gt=self.seq).order_by("seq").first()
        if stray is not None:
            return Verification(self.seq, stray.seq, "private-value-changed")
        return Verification(self.seq)


def _rows_after(seq: int) -> list[Row]:
    """The next entries, as they lie in the database."""
    moment = _TS[connection.vendor]
    return _selected(
        f"seq, {moment}, actor_id, role, event, person_ref, change_id, body, prev, hash", seq
    )


def _links_after(seq: int) -> list[Any]:
    return _selected("seq, body, prev, hash", seq)


def _selected(columns: str, after: int) -> list[Any]:
    table = ActionEntry._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM {table} WHERE seq > %s ORDER BY seq LIMIT {BATCH}",  # noqa: S608
            [after],
        )
        return list(cursor.fetchall())


def _private_values(after: int, until: int) -> dict[int, list[tuple[str, str, str]]]:
    found: dict[int, list[tuple[str, str, str]]] = {}
    table = PrivateValue._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT seq, field, salt, value FROM {table} WHERE seq > %s AND seq <= %s",  # noqa: S608
            [after, until],
        )
        for seq, name, salt, value in cursor.fetchall():
            found.setdefault(seq, []).append((name, salt, value))
    return found


def _chained(prev: bytes, bodies: Sequence[str]) -> list[bytes]:
    """The hash of each text, onto the one before."""
    sha256, made = hashlib.sha256, []
    for body in bodies:
        prev = sha256(ENTRY_PREFIX + prev + body.encode()).digest()
        made.append(prev)
    return made


def _said(numbers: Sequence[int | None]) -> Sequence[int | str]:
    """As the canonical text writes them."""
    return ["null" if number is None else number for number in numbers]


def _usual_moments(stamps: Sequence[Any]) -> Sequence[int] | None:
    """Microseconds since 1970 of each; None when one is not of the usual form."""
    kinds = set(map(type, stamps))
    if kinds == {int}:
        return stamps
    if kinds != {str} or set(map(len, stamps)) != {26}:
        return None
    minutes, rests = [ts[:17] for ts in stamps], [ts[17:] for ts in stamps]
    starts = {minute: _microseconds(f"{minute}00") for minute in set(minutes)}
    if -1 in starts.values() or max(rests) >= "6" or {rest[2] for rest in rests} != {"."}:
        return None
    digits = "\n".join(rests).replace(".", "")
    if not (digits.isascii() and digits.replace("\n", "").isdecimal()):
        return None
    return list(map(add, map(starts.__getitem__, minutes), map(int, digits.split("\n"))))


def _fault(row: Row, expected_seq: int, prev: str, made: str) -> str:
    """What is wrong with an entry of which something is."""
    if row[0] != expected_seq:
        return "entry-missing"
    if row[8] != prev:
        return "chain-broken"
    return "body-changed" if row[9] != made else "columns-changed"


def _fits_its_columns(row: Row) -> bool:
    """The text begins and ends with what the columns say, and they are numbers and texts."""
    seq, stamp, actor, role, event, person, change, body, _, _ = row
    if not (
        {type(actor), type(person), type(change)} <= _NUMBERS and {type(role), type(event)} == {str}
    ):
        return False
    end = (event, *_said([person]), role, seq, _microseconds(stamp))
    return body.startswith(_BEGINNING % tuple(_said([actor, change]))) and body.endswith(_END % end)


def _microseconds(stamp: str | int | None) -> int:
    """Of a moment since 1970; -1 for one that the portal would not have written so."""
    if isinstance(stamp, int):
        return stamp
    try:
        moment = datetime.fromisoformat(stamp or "")
    except ValueError:
        return -1
    if moment.tzinfo is not None or str(moment) != stamp:
        return -1
    return (moment.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)


def _is_canonical(row: Row) -> bool:
    """The text is the one that its parts and the columns make."""
    seq, ts, actor, role, event, person, change, body, _, _ = row
    data = data_in(body)
    return data is not None and body == canonical(
        {
            "seq": seq,
            "ts": _microseconds(ts),
            "actor": actor,
            "role": role,
            "event": event,
            "person": person,
            "change": change,
            "data": data,
        }
    )


def _values_fit(body: str, private: Sequence[tuple[str, str, str]], *, full: bool) -> bool:
    """A value that was erased has no row and stays committed to: that is no fault. A value
    the entry never committed to, or another one than it did, is."""
    if full:
        data = data_in(body) or {}
        return all(
            data.get(f"private_{name}") == commitment(salt, value) for name, salt, value in private
        )
    return all(
        f'"private_{name}":"{commitment(salt, value)}"' in body for name, salt, value in private
    )


def data_in(body: str) -> dict[str, Any] | None:
    """The data of a body, None for a text that is no body of ours."""
    try:
        data = json.loads(body)["data"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


# -- checkpoints --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exported:
    """A checkpoint as it lies outside the database."""

    text: str
    signature: str


def read_directory(directory: Path) -> dict[int, Exported]:
    """The exported checkpoints by size; one that cannot be read has an empty text."""
    found = {}
    for path in sorted(directory.glob("checkpoint-*.json")):
        number = path.stem.removeprefix("checkpoint-")
        if not number.isdecimal():
            continue
        try:
            said = json.loads(path.read_text(encoding="utf-8"))
            found[int(number)] = Exported(str(said["checkpoint"]), str(said["signature"]))
        except (ValueError, KeyError, TypeError):
            found[int(number)] = Exported("", "")
    return found


def _checkpoint_fault(
    kept: Sequence[LogCheckpoint],
    outside: Mapping[int, Exported],
    known: PublicKeys,
    *,
    only_newest: bool,
) -> tuple[int, str] | None:
    """The first checkpoint that does not hold by itself, and why."""
    sizes = {checkpoint.size for checkpoint in kept}
    gone = sorted(outside.keys() - sizes)
    faults = [(gone[0], "checkpoint-missing")] if gone else []
    before: LogCheckpoint | None = kept[-2] if only_newest and len(kept) > 1 else None
    for checkpoint in kept[-1:] if only_newest else kept:
        fault = _own_fault(checkpoint, before, outside.get(checkpoint.size), known)
        if fault:
            faults.append((checkpoint.size, fault))
            break
        before = checkpoint
    return min(faults, default=None)


def _own_fault(
    checkpoint: LogCheckpoint,
    before: LogCheckpoint | None,
    outside: Exported | None,
    known: PublicKeys,
) -> str:
    if outside and (outside.text, outside.signature) != (checkpoint.text, checkpoint.signature):
        return "checkpoint-differs"
    if known and checkpoint.key_id not in known:
        return "checkpoint-unknown-key"
    public = known.get(checkpoint.key_id)
    if public and not keys.is_signed(checkpoint.text, checkpoint.signature, public):
        return "checkpoint-signature"
    if not _says_its_columns(checkpoint):
        return "checkpoint-changed"
    if checkpoint.previous != (text_hash(before.text) if before else GENESIS):
        return "checkpoint-order"
    return ""


def _says_its_columns(checkpoint: LogCheckpoint) -> bool:
    try:
        said = json.loads(checkpoint.text)
        frontier = Frontier.from_hex(checkpoint.size, checkpoint.frontier)
        named = {name: said[name] for name in ("size", "root", "head", "previous")}
    except (ValueError, KeyError, TypeError):
        return False
    columns = {
        "size": checkpoint.size,
        "root": checkpoint.root,
        "head": checkpoint.head,
        "previous": checkpoint.previous,
    }
    return named == columns and frontier.root().hex() == checkpoint.root
