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
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lifecycle.evidence import keys
from lifecycle.evidence.erasures import Erasures
from lifecycle.evidence.hashes import ENTRY_PREFIX, GENESIS, canonical, commitment, text_hash
from lifecycle.evidence.keys import PublicKeys
from lifecycle.evidence.merkle import Frontier
from lifecycle.evidence.parts import data_in
from lifecycle.evidence.reading import (
    LEAST_SEQ,
    Batch,
    BatchReader,
    Checkpoint,
    Private,
    PrivateRow,
    Row,
    are_own_tables,
    checkpoints_as_kept,
    end_of_log,
    moments_of,
    private_of,
    private_values,
    rows_from,
)

_NUMBERS = {int, type(None)}
PRIVATE_KEY = '"private_'
_PARTS = {"actor", "change", "data", "event", "person", "role", "seq", "ts"}


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
    if not are_own_tables():
        yield Verification(0, 1, "table-replaced")
        return
    known = keys.public_keys() if public_keys is None else public_keys
    since_checkpoint = since_checkpoint and bool(known)
    # The copies first: one that is signed meanwhile is then in the table at least.
    outside = read_directory(directory) if directory else {}
    kept = checkpoints_as_kept()
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
        checkpoints: Sequence[Checkpoint],
        start: Checkpoint | None,
        *,
        full: bool,
        quick: bool,
    ) -> None:
        self.full, self.quick = full, quick
        self.prev = bytes.fromhex(start.head if start else GENESIS)
        self.seq = start.size if start else 0
        self.tree = Frontier.from_hex(start.size, start.frontier) if start else Frontier()
        self.checkpoints = {c.size: c for c in checkpoints if c.size > self.seq}
        self.sizes = sorted(self.checkpoints)
        self.erasures, self.is_from_start = Erasures(), start is None
        # Private values that the texts commit to and that are not there.
        self.gone, self.first_gone = 0, 0
        self.is_over = False

    def results(self) -> Iterator[Verification]:
        """A batch in which everything is as usual is compared as a whole, which is fast; any
        other is judged entry by entry."""
        with BatchReader(links_only=self.quick) as reader:
            while True:
                if not self._is_as_usual(reader):
                    rows = rows_from(self._next())
                    found = self._judge(rows) if rows else self._end()
                    if found is not None:
                        self.is_over = True
                        yield found
                        return
                yield Verification(self.seq)

    def _next(self) -> int:
        """The least number that the next entry could have. The portal's begin with 1."""
        return self.seq + 1 if self.seq else LEAST_SEQ

    def _is_as_usual(self, reader: BatchReader) -> bool:
        """The next batch fits in everything, in its most usual form. Nearly all of a check is
        spent here, so whole columns are compared at once wherever that can be."""
        batch, first = reader.batch(self._next()), self.seq + 1
        if not batch.count or (batch.first, batch.last) != (first, self.seq + batch.count):
            return False
        with reader.reading_on(batch):
            bodies, private = batch.bodies.split("\n"), private_of(batch)
            made = _chained(self.prev, bodies)
            digests = b"".join(made).hex(",", 32)
            tree = self._grown(first, made) if self.full else self.tree
            fits = (
                len(bodies) == batch.count
                and batch.seqs == ",".join(map(str, range(first, batch.last + 1)))
                and batch.hashes == digests
                and batch.prevs == f"{self.prev.hex()},{digests}"[:-65]
                and (self.quick or _columns_fit(batch, bodies))
                and _private_values_fit(first, bodies, private, full=self.full)
                and (not self.full or all(map(_is_canonical, bodies)))
                and all(
                    self.checkpoints[size].head == made[size - first].hex()
                    for size in self._sizes(first, batch.last)
                )
            )
        if tree is None or not fits:
            return False
        if not (self.quick or self._are_accounted_for(batch, bodies, private)):
            return False
        self.seq, self.prev, self.tree = batch.last, made[-1], tree
        return True

    def _sizes(self, first: int, last: int) -> Sequence[int]:
        """Of the checkpoints after one of these entries."""
        return self.sizes[bisect_left(self.sizes, first) : bisect_right(self.sizes, last)]

    def _grown(self, first: int, made: Sequence[bytes]) -> Frontier | None:
        """The Merkle tree with these leaves too; None when a checkpoint has another root."""
        tree = Frontier(self.tree.size, list(self.tree.roots))
        for seq, digest in enumerate(made, first):
            tree.append(digest)
            checkpoint = self.checkpoints.get(seq)
            if checkpoint and checkpoint.root != tree.root().hex():
                return None
        return tree

    def _are_accounted_for(
        self, batch: Batch, bodies: Sequence[str], private: Sequence[PrivateRow]
    ) -> bool:
        """Private values that are not there were erased."""
        if batch.bodies.count(PRIVATE_KEY) == len(private):
            return True
        there = Counter(seq for seq, *_ in private)
        moments, persons = moments_of(batch) or (), batch.persons.split(",")
        gone = {}
        for at, body in enumerate(bodies):
            seq = batch.first + at
            said = body.count(PRIVATE_KEY)
            # A value may begin like that too: only the parts of the text tell.
            gone[seq] = _committed(body) - there[seq] if said != there[seq] else 0
            person = None if persons[at] == "null" else int(persons[at])
            if gone[seq] and not self._is_erased(seq, int(moments[at]), person):
                return False
        self._count(gone)
        return True

    def _is_erased(self, seq: int, moment: int, person: int | None) -> bool:
        if self.erasures.cover(seq, moment, person):
            return True
        self.erasures.read()
        return self.erasures.cover(seq, moment, person)

    def _count(self, gone: Mapping[int, int]) -> None:
        self.gone += sum(gone.values())
        self.first_gone = self.first_gone or next((seq for seq in gone if gone[seq]), 0)

    def _judge(self, rows: Sequence[Row]) -> Verification | None:
        """One batch, entry by entry; what is wrong with the first entry or checkpoint that
        does not fit."""
        before, prev = self.seq, self.prev
        private = {} if self.quick else private_values(rows[0].seq, rows[-1].seq)
        for row in rows:
            seq = row.seq
            made = hashlib.sha256(ENTRY_PREFIX + prev + (row.body or "").encode())
            fault = _link_fault(row, before, prev, made.hexdigest())
            if not fault and not self.quick:
                fault = _entry_fault(row, private.get(seq, ()), full=self.full)
            beside = private.get(seq, ())
            gone = 0 if fault or self.quick else _committed(row.body or "") - len(beside)
            if gone and not self._is_erased(seq, row.moment, row.person):
                fault = "private-value-missing"
            if fault:
                return Verification(before, seq if type(seq) is int else before + 1, fault)
            self._count({seq: gone})
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

    def _against(self, checkpoint: Checkpoint) -> Verification | None:
        """A checkpoint that is signed, but not of these entries: they were rewritten."""
        if checkpoint.head != self.prev.hex():
            fault = "checkpoint-head"
        elif self.full and checkpoint.root != self.tree.root().hex():
            fault = "checkpoint-root"
        else:
            return None
        return Verification(self.seq, fault=fault, bad_checkpoint=checkpoint.size)

    def _end(self) -> Verification | None:
        """The verdict after the last entry; None when more were appended meanwhile."""
        end = end_of_log(self.seq)
        if end.seq > self.seq and rows_from(self.seq + 1):
            return None
        longest = max((size for size in self.sizes if size > self.seq), default=0)
        if (end.seq, end.hash) != (self.seq, self.prev.hex()) or longest:
            return Verification(
                self.seq, self.seq + 1, "tail-missing", bad_checkpoint=longest or None
            )
        if end.entries != self.seq:
            return Verification(self.seq, self.seq + 1, "entry-planted")
        if end.stray is not None:
            return Verification(self.seq, end.stray, "private-value-changed")
        if self.is_from_start and self.gone > self.erasures.values:
            self.erasures.read()
            if self.gone > self.erasures.values:
                return Verification(self.seq, self.first_gone, "private-value-missing")
        return Verification(self.seq)


# -- a batch as a whole -------------------------------------------------------------------


def _chained(prev: bytes, bodies: Sequence[str]) -> list[bytes]:
    """The hash of each text, onto the one before."""
    sha256, made = hashlib.sha256, []
    for body in bodies:
        prev = sha256(ENTRY_PREFIX + prev + body.encode()).digest()
        made.append(prev)
    return made


def _columns_fit(batch: Batch, bodies: Sequence[str]) -> bool:
    """Each text begins and ends with what the columns say."""
    moments = moments_of(batch)
    if moments is None:
        return False
    try:
        beginnings = _beginnings(batch.actors.split(","), batch.changes.split(","))
        ends = _ends(
            batch.events.split(","), batch.persons.split(","), batch.roles.split(","),
            range(batch.first, batch.last + 1), moments,
        )  # fmt: skip
    except ValueError:  # one of them has a comma, or another number of values
        return False
    return (
        len(bodies) == len(beginnings) == len(ends)
        and all(map(str.startswith, bodies, beginnings))
        and all(map(str.endswith, bodies, ends))
    )


# The canonical text begins and ends with what the columns say; the data lie in between.
Said = Iterable[int | str]


def _beginnings(actors: Said, changes: Said) -> list[str]:
    return [
        f'{{"actor":{actor},"change":{change},"data":{{'
        for actor, change in zip(actors, changes, strict=True)
    ]


def _ends(events: Said, persons: Said, roles: Said, seqs: Said, moments: Said) -> list[str]:
    return [
        f'}},"event":"{event}","person":{person},"role":"{role}","seq":{seq},"ts":{moment}}}'
        for event, person, role, seq, moment in zip(
            events, persons, roles, seqs, moments, strict=True
        )
    ]


def _private_values_fit(
    first: int, bodies: Sequence[str], private: Sequence[PrivateRow], *, full: bool
) -> bool:
    try:
        return len({(seq, name) for seq, name, _, _ in private}) == len(private) and all(
            _is_committed(bodies[seq - first], name, salt, value, full=full)
            for seq, name, salt, value in private
        )
    except (AttributeError, TypeError, IndexError):  # no text, or of an entry that is not there
        return False


# -- one entry ----------------------------------------------------------------------------


def _link_fault(row: Row, before: int, prev: bytes, made: str) -> str:
    """What is wrong with an entry as a link of the chain."""
    if type(row.seq) is not int or row.seq != before + 1:
        return "entry-missing"
    if row.prev != prev.hex():
        return "chain-broken"
    return "" if row.hash == made and row.body is not None else "body-changed"


def _entry_fault(row: Row, private: Sequence[Private], *, full: bool) -> str:
    """What is wrong between an entry's text and what stands beside it."""
    body = row.body or ""
    if not _fits_its_columns(row) or (full and not _is_canonical(body)):
        return "columns-changed"
    if not _are_committed(body, private, full=full):
        return "private-value-changed"
    return ""


def _fits_its_columns(row: Row) -> bool:
    """The text begins and ends with what the columns say, and they are numbers and texts."""
    if not {type(row.actor), type(row.person), type(row.change)} <= _NUMBERS:
        return False
    if row.body is None or row.role is None or row.event is None:
        return False
    (beginning,) = _beginnings([_said(row.actor)], [_said(row.change)])
    (end,) = _ends([row.event], [_said(row.person)], [row.role], [row.seq], [row.moment])
    return row.body.startswith(beginning) and row.body.endswith(end)


def _said(number: int | None) -> int | str:
    """As the canonical text writes it."""
    return "null" if number is None else number


def _is_canonical(body: str) -> bool:
    """The text is the one that its parts make. (That they are the columns' is seen before.)"""
    try:
        parts = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return (
        isinstance(parts, dict)
        and parts.keys() == _PARTS
        and isinstance(parts["data"], dict)
        and body == canonical(parts)
    )


def _are_committed(body: str, private: Sequence[Private], *, full: bool) -> bool:
    """A value that was erased has no row and stays committed to: that is no fault. A value
    the entry never committed to, or another one than it did, is."""
    return len({one.field for one in private}) == len(private) and all(
        name is not None
        and salt is not None
        and value is not None
        and _is_committed(body, name, salt, value, full=full)
        for name, salt, value in private
    )


def _committed(body: str) -> int:
    """How many private values the text commits to."""
    return sum(name.startswith("private_") for name in data_in(body) or {})


def _is_committed(body: str, name: str, salt: str, value: str, *, full: bool) -> bool:
    committed = commitment(salt, value)
    if not committed or '"' in name:
        return False
    if full:
        return (data_in(body) or {}).get(f"private_{name}") == committed
    return f'"private_{name}":"{committed}"' in body


# -- checkpoints --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exported:
    """A checkpoint as it lies outside the database."""

    text: str
    signature: str


def read_directory(directory: Path) -> dict[int, Exported]:
    """The exported checkpoints by size; one that cannot be read has an empty text. Raises
    OSError: `glob` would find nothing in a folder that is away."""
    found = {}
    for path in sorted(path for path in directory.iterdir() if path.match("checkpoint-*.json")):
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
    kept: Sequence[Checkpoint],
    outside: Mapping[int, Exported],
    known: PublicKeys,
    *,
    only_newest: bool,
) -> tuple[int, str] | None:
    """The first checkpoint that does not hold by itself, and why."""
    sizes = {checkpoint.size for checkpoint in kept}
    gone = sorted(outside.keys() - sizes)
    faults = [(gone[0], "checkpoint-missing")] if gone else []
    before: Checkpoint | None = kept[-2] if only_newest and len(kept) > 1 else None
    for checkpoint in kept[-1:] if only_newest else kept:
        fault = _own_fault(checkpoint, before, outside.get(checkpoint.size), known)
        if fault:
            faults.append((checkpoint.size, fault))
            break
        before = checkpoint
    return min(faults, default=None)


def _own_fault(
    checkpoint: Checkpoint,
    before: Checkpoint | None,
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


def _says_its_columns(checkpoint: Checkpoint) -> bool:
    try:
        said = json.loads(checkpoint.text)
        frontier = Frontier.from_hex(checkpoint.size, checkpoint.frontier)
        named = {name: said[name] for name in ("size", "root", "head", "previous")}
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    columns = {
        "size": checkpoint.size,
        "root": checkpoint.root,
        "head": checkpoint.head,
        "previous": checkpoint.previous,
    }
    return named == columns and frontier.root().hex() == checkpoint.root
