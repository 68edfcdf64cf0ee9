"""Evidence packs: entries of the log with everything that proves them, as one zip.

A pack can be checked by anybody with `verify_evidence.py`, which lies in it, and the public
key the auditors hold. It is made whole before it is handed over, so that its hash is known.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet
from django.template.loader import render_to_string

from lifecycle import action_log
from lifecycle.evidence import keys
from lifecycle.evidence.hashes import canonical
from lifecycle.evidence.merkle import proofs
from lifecycle.models import ActionEntry, LogCheckpoint, PrivateValue

VERIFIER = Path(__file__).with_name("verify_evidence.py")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Cover:
    """What the pack is about, in the words of its report."""

    title: str
    purpose: str
    taken_by: str
    taken_at: datetime


def write_pack(file: IO[bytes], entries: QuerySet[ActionEntry], cover: Cover) -> int:
    """Write the zip of these entries; how many they are."""
    rows = list(entries.order_by("seq"))
    kept = private_of(rows)
    checkpoints = list(LogCheckpoint.objects.order_by("size"))
    covering = checkpoints[-1] if checkpoints else None
    files: dict[str, bytes] = {
        "entries.jsonl": _lines(_entry(row, kept.get(row.seq, {})) for row in rows),
        "checkpoints.jsonl": _lines(_checkpoint(checkpoint) for checkpoint in checkpoints),
        "proofs.jsonl": _lines(_proofs(rows, covering)),
        "public_key.txt": _public_keys().encode(),
        "report.html": _report(rows, kept, covering, cover).encode(),
        "verify_evidence.py": VERIFIER.read_bytes(),
    }
    manifest = {
        "title": cover.title,
        "taken_at": cover.taken_at.astimezone(UTC).isoformat(timespec="seconds"),
        "entries": len(rows),
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["manifest.json"] = json.dumps(manifest, indent=1, ensure_ascii=False).encode()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, content in sorted(files.items()):
            pack.writestr(name, content)
    return len(rows)


def private_of(rows: Sequence[ActionEntry]) -> dict[int, dict[str, dict[str, str]]]:
    """What stands beside these entries: {number: {field: {"salt", "value"}}}."""
    found: dict[int, dict[str, dict[str, str]]] = {}
    for start in range(0, len(rows), CHUNK):
        numbers = [row.seq for row in rows[start : start + CHUNK]]
        for value in PrivateValue.objects.filter(seq__in=numbers):
            found.setdefault(value.seq, {})[value.field] = {
                "salt": value.salt,
                "value": value.value,
            }
    return found


def _entry(row: ActionEntry, private: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "ts": (row.ts - EPOCH) // timedelta(microseconds=1),
        "actor": row.actor_id,
        "role": row.role,
        "event": row.event,
        "person": row.person_ref,
        "change": row.change_id,
        "body": row.body,
        "prev": row.prev,
        "hash": row.hash,
        "private": private,
    }


def _checkpoint(checkpoint: LogCheckpoint) -> dict[str, str]:
    return {
        "checkpoint": checkpoint.text,
        "signature": checkpoint.signature,
        "key": checkpoint.key_id,
    }


def _proofs(
    rows: Sequence[ActionEntry], covering: LogCheckpoint | None
) -> Iterator[dict[str, Any]]:
    """That each entry is one of those the newest checkpoint was signed for."""
    covered = [row.seq for row in rows if covering and row.seq <= covering.size]
    if covering is None or not covered:
        return
    made = proofs(_leaves(covering.size), covering.size, [seq - 1 for seq in covered])
    for seq in covered:
        proof = [node.hex() for node in made[seq - 1]]
        yield {"seq": seq, "size": covering.size, "proof": proof}


def _leaves(size: int) -> Iterator[bytes]:
    hashes = ActionEntry.objects.filter(seq__lte=size).order_by("seq")
    for digest in hashes.values_list("hash", flat=True).iterator(chunk_size=10_000):
        yield bytes.fromhex(digest)


def _public_keys() -> str:
    return "".join(f"{key.hex()} {name}\n" for name, key in sorted(keys.public_keys().items()))


def _lines(items: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(f"{canonical(item)}\n" for item in items).encode()


# -- for people ---------------------------------------------------------------------------


def _report(
    rows: Sequence[ActionEntry],
    kept: Mapping[int, Mapping[str, Mapping[str, str]]],
    covering: LogCheckpoint | None,
    cover: Cover,
) -> str:
    """One page in both languages that needs nothing else: no script, nothing to load."""
    lines = [
        {
            "readable": readable,
            "private": {
                name: value["value"] for name, value in kept.get(readable.entry.seq, {}).items()
            },
        }
        for readable in action_log.entries_with_sentences(rows)
    ]
    context = {"cover": cover, "lines": lines, "covering": covering}
    return render_to_string("log/report.html", context)
