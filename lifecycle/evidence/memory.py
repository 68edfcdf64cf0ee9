"""What the worker remembers of the newest checkpoint it signed, beside its signing key.

The owner of the database can remove every checkpoint and rewrite the log; a worker that knew
nothing else would then sign that. This file is out of the database's reach. It is written
after the checkpoint is kept, so it may be behind the database, but never ahead of it.
"""

from __future__ import annotations

import json
import logging
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from lifecycle.evidence import keys
from lifecycle.evidence.hashes import canonical

log = logging.getLogger(__name__)


class CannotRecall(Exception):
    """The file is there and says nothing that can be used."""


@dataclass(frozen=True, slots=True)
class Signed:
    """The number of entries of a checkpoint, and the hash of its text."""

    size: int
    text_hash: str


def path() -> Path | None:
    """One file for each database: a demo's key signs for several. None for a process that
    cannot sign."""
    if not keys.has_signing_key():
        return None
    key = Path(settings.LOG_SIGNING_KEY_FILE)
    database = re.sub(r"[^0-9A-Za-z_-]+", "-", Path(str(connection.settings_dict["NAME"])).stem)
    return key.with_name(f"{key.name}.{database}.signed")


def recall() -> Signed | None:
    """None when nothing has been signed here yet. Raises CannotRecall."""
    file = path()
    if file is None:
        return None
    try:
        said = json.loads(file.read_text(encoding="utf-8"))
        size, text_hash = said["size"], said["text_hash"]
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotRecall(f"{file} cannot be read: {type(error).__name__}.") from error
    if type(size) is not int or not isinstance(text_hash, str):
        raise CannotRecall(f"{file} cannot be read: it says something else.")
    return Signed(size, text_hash)


def remember(signed: Signed) -> None:
    """Never goes back. A file that cannot be written keeps nothing from being signed."""
    file, before = path(), recall()
    if file is None or (before is not None and before.size >= signed.size):
        return
    try:
        _replace(file, canonical({"size": signed.size, "text_hash": signed.text_hash}) + "\n")
    except OSError:
        log.exception("what was signed could not be remembered in %s", file)


def _replace(file: Path, text: str) -> None:
    """The whole new file or the old one. It belongs to whom the key belongs: what root signs
    at the command line, the worker has to read."""
    key = Path(settings.LOG_SIGNING_KEY_FILE).stat()
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    unfinished = Path(name)
    try:
        with os.fdopen(number, "w", encoding="utf-8") as made:
            made.write(text)
            made.flush()
            os.fsync(number)
            os.fchmod(number, key.st_mode & 0o666)
            if os.geteuid() == 0:
                os.fchown(number, key.st_uid, key.st_gid)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
