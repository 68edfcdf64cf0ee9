"""Signed checkpoints: what the log was at one moment, kept outside the database.

A checkpoint names the number of entries, the Merkle root over their hashes, the hash of the
last one, and the checkpoint before it. Whoever rewrites the log and all its hashes still
cannot sign. Entries are looked at before they are signed: a chain that is broken gets no
checkpoint. docs/auditor.md says how to check one by hand.
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

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings
from django.core.mail import send_mail
from django.db import IntegrityError, transaction

from lifecycle.evidence import keys
from lifecycle.evidence.hashes import ENTRY_PREFIX, GENESIS, canonical, text_hash
from lifecycle.evidence.merkle import Frontier
from lifecycle.models import ActionEntry, ActionLogHead, LogCheckpoint

log = logging.getLogger(__name__)


class ChainBroken(Exception):
    """An entry does not fit the chain, so nothing is signed. `seq`: the entry."""

    def __init__(self, seq: int) -> None:
        super().__init__(f"Entry {seq} does not fit the chain; nothing was signed.")
        self.seq = seq


def newest() -> LogCheckpoint | None:
    return LogCheckpoint.objects.order_by("-size").first()


def sign_due(at: datetime) -> LogCheckpoint | None:
    """Sign a checkpoint when enough entries or enough time have come since the last one."""
    head, last = ActionLogHead.objects.filter(pk=1).first(), newest()
    fresh = (head.seq if head else 0) - (last.size if last else 0)
    is_old = last is None or at - last.at >= settings.LOG_CHECKPOINT_EVERY
    if fresh <= 0 or not (is_old or fresh >= settings.LOG_CHECKPOINT_ENTRIES):
        return None
    return sign(at)


def sign(at: datetime) -> LogCheckpoint | None:
    """Sign a checkpoint of the log as it stands; None when there is nothing new, or another
    process was quicker. Raises NoSigningKey and ChainBroken."""
    key = keys.signing_key()
    head = ActionLogHead.objects.filter(pk=1).first()
    last = newest()
    if head is None or head.seq <= (last.size if last else 0):
        return None
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
    return _keep(text, key, frontier, at)


def _keep(
    text: str, key: Ed25519PrivateKey, frontier: Frontier, at: datetime
) -> LogCheckpoint | None:
    said = json.loads(text)
    try:
        with transaction.atomic():
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
    frontier = Frontier.from_hex(last.size, last.frontier) if last else Frontier()
    if last and frontier.root().hex() != last.root:
        raise ChainBroken(last.size)
    prev = bytes.fromhex(last.head if last else GENESIS)
    for seq, body, digest in _entries(frontier.size, head.seq):
        prev_and_body = ENTRY_PREFIX + prev + body.encode()
        prev = hashlib.sha256(prev_and_body).digest()
        if seq != frontier.size + 1 or prev.hex() != digest:
            raise ChainBroken(seq)
        frontier.append(prev)
    if (frontier.size, prev.hex()) != (head.seq, head.hash):
        raise ChainBroken(frontier.size + 1)
    return frontier


def _entries(after: int, until: int) -> Iterator[tuple[int, str, str]]:
    rows = ActionEntry.objects.filter(seq__gt=after, seq__lte=until).order_by("seq")
    return rows.values_list("seq", "body", "hash").iterator(chunk_size=5000)


# -- outside the database -----------------------------------------------------------------


def file_name(size: int) -> str:
    return f"checkpoint-{size:012d}.json"


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
    """Write every checkpoint that has no file yet; a file that is there is never touched."""
    directory.mkdir(parents=True, exist_ok=True)
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
    if settings.LOG_CHECKPOINT_DIR:
        try:
            export_missing(Path(settings.LOG_CHECKPOINT_DIR))
        except OSError:
            log.exception("checkpoints could not be written to LOG_CHECKPOINT_DIR")
    try:
        mail_newest(at)
    except OSError:  # SMTP's errors are among them
        log.exception("the newest checkpoint could not be mailed")
