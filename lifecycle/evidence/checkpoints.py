"""Signed checkpoints: what the log was at one moment, kept outside the database.

A checkpoint names the number of entries, the Merkle root over their hashes, the hash of the
last one, and the checkpoint before it. Whoever rewrites the log and all its hashes still
cannot sign. Entries are looked at before they are signed: a chain that is broken gets no
checkpoint, nor does a log that has lost one which was exported or which this server signed.
docs/auditor.md says how to check one by hand.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, OperationalError, transaction

from lifecycle.evidence import keys, memory
from lifecycle.evidence.faults import FAULTS
from lifecycle.evidence.hashes import ENTRY_PREFIX, GENESIS, canonical, text_hash
from lifecycle.evidence.merkle import Frontier
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint

log = logging.getLogger(__name__)


class NotSigned(Exception):
    """Something does not fit, so nothing is signed. `fault`: what, in the words of a check;
    `seq`: the entry, `size`: the checkpoint, None where there is no such number."""

    def __init__(self, sentence: str, *, fault: str, seq: Any = None, size: Any = None) -> None:
        super().__init__(f"{sentence} Nothing was signed.")
        self.fault = fault
        self.seq = whole_number(seq)
        self.size = whole_number(size)


class ChainBroken(NotSigned):
    """An entry does not fit the chain."""

    def __init__(self, seq: Any, fault: str = "chain-broken") -> None:
        super().__init__(f"Entry {seq} does not fit the chain.", fault=fault, seq=seq)


class CheckpointBroken(NotSigned):
    """A checkpoint that was signed is gone, or is another one now."""

    def __init__(self, size: Any, fault: str) -> None:
        sentence = f"The checkpoint of {size} entries does not fit. {FAULTS[fault].en}"
        super().__init__(sentence, fault=fault, size=size)


def whole_number(found: Any) -> int | None:
    """SQLite keeps anything in any column, and a file is called anything; only a whole number
    that a column holds names an entry or a checkpoint."""
    return found if type(found) is int and -(2**63) <= found < 2**63 else None


def newest() -> LogCheckpoint | None:
    return LogCheckpoint.objects.order_by("-size").first()


def sign_due(at: datetime) -> LogCheckpoint | None:
    """Sign a checkpoint when enough entries or enough time have come since the last one.
    Raises as `sign` does; NotSigned also when none is due."""
    last = confirmed_newest()
    _remember(last)
    fresh = _end_after(last) - (last.size if last else 0)
    is_old = last is None or at - last.at >= settings.LOG_CHECKPOINT_EVERY
    if not fresh or not (is_old or fresh >= settings.LOG_CHECKPOINT_ENTRIES):
        return None
    return sign(at)


def sign(at: datetime) -> LogCheckpoint | None:
    """Sign a checkpoint of the log as it stands; None when there is nothing new, or another
    process was quicker. Raises NoSigningKey and NotSigned."""
    key = keys.signing_key()
    last = confirmed_newest()
    _remember(last)
    if _end_after(last) == (last.size if last else 0):
        return None
    head = ActionLogHead.objects.get(pk=1)
    frontier = _grown(last, head)
    text = canonical(
        {
            "origin": settings.LOG_ORIGIN,
            "size": head.seq,
            "root": frontier.root().hex(),
            "head": head.hash,
            "previous": text_hash(last.text) if last else GENESIS,
            "time": at.astimezone(UTC).isoformat(timespec="seconds"),
        }
    )
    made = _keep(text, key, frontier, at)
    _remember(made)
    return made


def _remember(checkpoint: LogCheckpoint | None) -> None:
    if checkpoint is not None:
        memory.remember(memory.Signed(checkpoint.size, text_hash(checkpoint.text)))


def _end_after(last: LogCheckpoint | None) -> int:
    """How many entries there are, which are never fewer than were signed. Read after `last`,
    so that another process' checkpoint is not ahead of it."""
    found = ActionLogHead.objects.filter(pk=1).values_list("seq", flat=True).first()
    size, end = last.size if last else 0, 0 if found is None else whole_number(found)
    if end is None or end < size:
        raise ChainBroken((end or 0) + 1, "tail-missing")
    return end


def _keep(
    text: str, key: Ed25519PrivateKey, frontier: Frontier, at: datetime
) -> LogCheckpoint | None:
    said = json.loads(text)
    try:
        # What is remembered of it afterwards must not be undone with somebody's transaction.
        with transaction.atomic(durable=True):
            return LogCheckpoint.objects.create(
                size=said["size"],
                root=said["root"],
                head=said["head"],
                previous=said["previous"],
                at=at,
                text=text,
                signature=key.sign(text.encode()).hex(),
                key_id=keys.key_id_of(key),
                frontier=frontier.as_hex(),
            )
    except IntegrityError:
        return None


def _grown(last: LogCheckpoint | None, head: ActionLogHead) -> Frontier:
    """The tree up to the head, from where the last checkpoint left it."""
    frontier = _frontier_of(last) if last else Frontier()
    prev = bytes.fromhex(last.head if last else GENESIS)
    for seq, body, before, digest in _entries(frontier.size, head.seq):
        if not isinstance(body, str) or (seq, before) != (frontier.size + 1, prev.hex()):
            raise ChainBroken(seq)
        prev = hashlib.sha256(ENTRY_PREFIX + prev + body.encode()).digest()
        if prev.hex() != digest:
            raise ChainBroken(seq)
        frontier.append(prev)
    if (frontier.size, prev.hex()) != (head.seq, head.hash):
        raise ChainBroken(frontier.size + 1)
    return frontier


def _frontier_of(checkpoint: LogCheckpoint) -> Frontier:
    try:
        frontier = Frontier.from_hex(checkpoint.size, checkpoint.frontier)
    except (ValueError, TypeError) as error:
        raise CheckpointBroken(checkpoint.size, "checkpoint-changed") from error
    fits = len(frontier.roots) == checkpoint.size.bit_count()
    if not fits or frontier.root().hex() != checkpoint.root:
        raise CheckpointBroken(checkpoint.size, "checkpoint-changed")
    return frontier


def _entries(after: int, until: int) -> Iterator[tuple[Any, Any, Any, Any]]:
    entries = ActionEntry.objects.filter(seq__lte=until).order_by("seq")
    rows = entries.values_list("seq", "body", "prev", "hash")
    for chunk_size in (5000, 1):
        try:
            for row in rows.filter(seq__gt=after).iterator(chunk_size=chunk_size):
                yield row
                after = row[0]
        except OperationalError as error:
            if "decode" not in str(error):
                raise
            # Bytes that are no text, somewhere in the chunk: which entry, shows one by one.
            if chunk_size == 1:
                raise ChainBroken(after + 1) from error
        else:
            return


# -- what was signed before ---------------------------------------------------------------


def confirmed_newest() -> LogCheckpoint | None:
    """The newest checkpoint, after which one may sign: none is gone that was exported or that
    this server signed. Raises NotSigned.

    What is out of the database's reach is read first: nothing comes there before it is kept.
    """
    outside, signed = _newest_outside(), _recalled()
    last = newest()
    if last is not None:
        _require_its_columns(last)
    if outside is not None:
        _require_as_exported(*outside)
    if signed is not None:
        _require_as_signed(signed)
    return last


def _newest_outside() -> tuple[int, str] | None:
    """The size and the text of the newest one in the folder; a folder that is away keeps
    nothing from being signed."""
    directory = outside_directory()
    try:
        files = exported_in(directory) if directory else {}
        if not files:
            return None
        size = max(files)
        return size, str(json.loads(files[size].read_text(encoding="utf-8"))["checkpoint"])
    except OSError:
        log.exception("LOG_CHECKPOINT_DIR cannot be read, so nothing was compared with it")
        return None
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointBroken(size, "checkpoint-differs") from error


def _recalled() -> memory.Signed | None:
    try:
        return memory.recall()
    except memory.CannotRecall as error:
        raise NotSigned(str(error), fault="memory-unreadable") from error


def _require_its_columns(checkpoint: LogCheckpoint) -> None:
    """What one goes on from is the columns; what was signed is the text."""
    columns = {
        "size": checkpoint.size,
        "root": checkpoint.root,
        "head": checkpoint.head,
        "previous": checkpoint.previous,
    }
    try:
        said = json.loads(checkpoint.text)
        is_the_same = {name: said[name] for name in columns} == columns
    except (ValueError, KeyError, TypeError, RecursionError):
        is_the_same = False
    if not is_the_same or not isinstance(checkpoint.text, str):
        raise CheckpointBroken(checkpoint.size, "checkpoint-changed")


def _require_as_exported(size: int, text: str) -> None:
    kept = LogCheckpoint.objects.filter(size=size).values_list("text", flat=True).first()
    if kept is None:
        raise CheckpointBroken(size, "checkpoint-missing")
    if kept != text:
        raise CheckpointBroken(size, "checkpoint-differs")


def _require_as_signed(signed: memory.Signed) -> None:
    """The one that is remembered, and after it only what follows it and is signed: whoever was
    stopped between keeping a checkpoint and remembering it is a step behind."""
    kept = list(LogCheckpoint.objects.filter(size__gte=signed.size).order_by("size"))
    if not kept or kept[0].size != signed.size:
        raise CheckpointBroken(signed.size, "checkpoint-lost")
    first, later = kept[0], kept[1:]
    if not isinstance(first.text, str) or text_hash(first.text) != signed.text_hash:
        raise CheckpointBroken(signed.size, "checkpoint-replaced")
    known = keys.public_keys() if later else {}
    previous = signed.text_hash
    for checkpoint in later:
        _require_its_columns(checkpoint)
        public = known.get(checkpoint.key_id)
        if not public or not keys.is_signed(checkpoint.text, checkpoint.signature, public):
            raise CheckpointBroken(checkpoint.size, "checkpoint-signature")
        if checkpoint.previous != previous:
            raise CheckpointBroken(checkpoint.size, "checkpoint-order")
        previous = text_hash(checkpoint.text)


# -- outside the database -----------------------------------------------------------------


def outside_directory() -> Path | None:
    return Path(settings.LOG_CHECKPOINT_DIR) if settings.LOG_CHECKPOINT_DIR else None


def file_name(size: int) -> str:
    return f"checkpoint-{size:012d}.json"


def exported_in(directory: Path) -> dict[int, Path]:
    """The files of a folder by the size they are called after. Raises OSError."""
    files = {path: path.stem.removeprefix("checkpoint-") for path in directory.iterdir()}
    return {
        int(number): path
        for path, number in files.items()
        if number.isdecimal() and path.match("checkpoint-*.json")
    }


def as_file(checkpoint: LogCheckpoint) -> str:
    """One line of JSON: the signed text as it is, its signature, and whose it is."""
    return canonical(
        {
            "checkpoint": checkpoint.text,
            "signature": checkpoint.signature,
            "key": checkpoint.key_id,
        }
    )


def export_missing(directory: Path) -> int:
    """Write every checkpoint that has no file yet; a file that is there is never touched. The
    folder is not made: in place of a share that is away it would be one of this machine.
    Raises OSError."""
    there = {path.name for path in directory.iterdir()}
    sizes = LogCheckpoint.objects.order_by("size").values_list("size", flat=True)
    missing = [size for size in sizes if file_name(size) not in there]
    for size in missing:
        checkpoint = LogCheckpoint.objects.get(size=size)
        _write_once(directory / file_name(size), as_file(checkpoint) + "\n")
    return len(missing)


def _write_once(path: Path, text: str) -> None:
    """The whole file or none, and never over another one."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=".unfinished-")
    unfinished = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        unfinished.chmod(0o444)
        os.link(unfinished, path)
    except FileExistsError:
        return
    finally:
        unfinished.unlink()


def mail_newest(at: datetime) -> bool:
    """Send the newest checkpoint, which stands for all before it, once in a while."""
    last = newest()
    if not settings.LOG_CHECKPOINT_EMAILS or last is None or last.mailed_at is not None:
        return False
    mailed = LogCheckpoint.objects.exclude(mailed_at=None).order_by("-size").first()
    gap = timedelta(minutes=settings.LOG_CHECKPOINT_EMAIL_MINUTES)
    if mailed and mailed.mailed_at and at - mailed.mailed_at < gap:
        return False
    send_mail(
        subject=f"{settings.LOG_ORIGIN}: 操作日志检查点 / log checkpoint {last.size}",
        message=f"{as_file(last)}\n",
        from_email=None,
        recipient_list=settings.LOG_CHECKPOINT_EMAILS,
    )
    LogCheckpoint.objects.filter(pk=last.pk).update(mailed_at=at)
    return True


def send_out(at: datetime) -> None:
    """Bring outside what is not there yet; what fails is tried again the next time."""
    directory = outside_directory()
    if directory is not None:
        try:
            export_missing(directory)
        except OSError:
            log.exception("checkpoints could not be written to LOG_CHECKPOINT_DIR")
    try:
        mail_newest(at)
    except OSError:  # SMTP's errors are among them
        log.exception("the newest checkpoint could not be mailed")
