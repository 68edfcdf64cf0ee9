"""`manage.py verify_log`: check that the action log is whole."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from lifecycle import append_only
from lifecycle.evidence import checkpoints, keys
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.faults import FAULTS
from lifecycle.evidence.keys import PublicKeys
from lifecycle.management import progress
from lifecycle.models import ActionLogHead

UNSIGNED = 3


class Command(BaseCommand):
    help = (
        "Checks the action log and its checkpoints. Exit status 1: it does not fit, with the"
        " first bad entry or checkpoint, or it could not be checked. Exit status 3: everything"
        " fits, but no signature could be checked, because no public key is known."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--full", action="store_true", help="also makes each text and each Merkle root anew"
        )
        parser.add_argument(
            "--quick", action="store_true", help="the chain and the checkpoints, not the columns"
        )
        parser.add_argument(
            "--since-checkpoint", action="store_true", help="only what came after the newest one"
        )
        parser.add_argument(
            "--checkpoints",
            type=Path,
            help="a folder of exported checkpoints, otherwise LOG_CHECKPOINT_DIR",
        )
        parser.add_argument("--public-key", type=Path, help="a file of public keys, one a line")
        parser.add_argument(
            "--no-signatures",
            action="store_true",
            help="exit status 0, not 3, when no signature could be checked",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["full"] and options["quick"]:
            raise CommandError("Say --full or --quick, not both.")
        began = time.monotonic()
        directory = options["checkpoints"] or checkpoints.outside_directory()
        known = _public_keys(options["public_key"])
        outside = _count(directory)
        result = Verification(0)
        head = ActionLogHead.objects.filter(pk=1).values_list("seq", flat=True).first()
        try:
            for result in _results(options, directory, known):
                progress.show("action log", result.checked, head)
        except OSError as error:
            raise CommandError(f"{directory} cannot be read: {error}") from error
        progress.clear()
        if not result.is_whole:
            raise CommandError(_fault_of(result))
        _require_what_was_signed()
        rate = result.checked / max(time.monotonic() - began, 0.001)
        self.stdout.write(f"All {result.checked} entries are whole.")
        self.stdout.write(_about_checkpoints(result))
        self.stdout.write(_about_copies(outside))
        self.stdout.write(f"{rate:,.0f} entries a second.")
        self._warn_of(append_only.missing(connection))
        if result.checkpoints and not result.signatures_checked and not options["no_signatures"]:
            raise CommandError(
                "No signature was checked: whoever can rewrite everything would not be noticed."
                " Name the auditors' public key with --public-key.",
                returncode=UNSIGNED,
            )

    def _warn_of(self, missing: list[str]) -> None:
        """The log is whole all the same; but the database would let it be changed."""
        if missing:
            self.stderr.write(
                f"The database does not refuse to change the log: {', '.join(missing)} missing."
                " “manage.py protect_log” puts that back."
            )


def _public_keys(file: Path | None) -> PublicKeys:
    try:
        return keys.read_public_keys(file) if file else keys.public_keys()
    except (OSError, ValueError) as error:
        name = file or settings.LOG_PUBLIC_KEY_FILE
        raise CommandError(f"{name} cannot be read as public keys: {error}") from error


def _count(directory: Path | None) -> int:
    """How many checkpoints there are outside. One that was named has to be there."""
    if directory is None:
        return 0
    if not directory.is_dir():
        raise CommandError(f"{directory} is no folder.")
    try:
        return len(checkpoints.exported_in(directory))
    except OSError as error:
        raise CommandError(f"{directory} cannot be read: {error}") from error


def _results(
    options: Mapping[str, Any], directory: Path | None, known: PublicKeys
) -> Iterator[Verification]:
    return verify(
        full=options["full"],
        quick=options["quick"],
        since_checkpoint=options["since_checkpoint"],
        directory=directory,
        public_keys=known,
    )


def _require_what_was_signed() -> None:
    """On the worker's machine: what it remembers to have signed has to be there too."""
    try:
        checkpoints.confirmed_newest()
    except checkpoints.NotSigned as error:
        raise CommandError(str(error)) from error


def _fault_of(result: Verification) -> str:
    why = FAULTS[result.fault].en
    if result.bad_seq is not None:
        return f"Entry {result.bad_seq} does not fit. {why}"
    return f"The checkpoint of {result.bad_checkpoint} entries does not fit. {why}"


def _about_checkpoints(result: Verification) -> str:
    if not result.checkpoints:
        return "There is no checkpoint yet: who can rewrite everything would not be noticed."
    if not result.signatures_checked:
        return (
            f"{result.checkpoints} checkpoints fit; without a public key no signature was checked."
        )
    return f"{result.checkpoints} checkpoints fit and are signed."


def _about_copies(outside: int) -> str:
    if not outside:
        return "No checkpoint outside the database was compared."
    return f"Compared with {outside} checkpoints outside."
