"""`manage.py verify_log`: check that the action log is whole."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.evidence import keys
from lifecycle.evidence.checking import Verification, verify
from lifecycle.management import progress
from lifecycle.models import ActionLogHead

FAULTS: Mapping[str, str] = {
    "checkpoint-missing": "it was exported, and the database has it no more",
    "checkpoint-differs": "it is not the one that was exported",
    "checkpoint-unknown-key": "it is signed with a key nobody has named",
    "checkpoint-signature": "its signature is not right",
    "checkpoint-changed": "its columns are not what was signed",
    "checkpoint-order": "the one before it is missing",
    "checkpoint-head": "the entries before it have been rewritten",
    "checkpoint-root": "its Merkle root is not that of the entries",
}


class Command(BaseCommand):
    help = (
        "Checks the action log and its checkpoints; exit status 1 names the first bad entry,"
        " or the first checkpoint that does not fit."
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
        parser.add_argument("--checkpoints", type=Path, help="a folder of exported checkpoints")
        parser.add_argument("--public-key", type=Path, help="a file of public keys, one a line")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["full"] and options["quick"]:
            raise CommandError("Say --full or --quick, not both.")
        began = time.monotonic()
        result = Verification(0)
        head = ActionLogHead.objects.filter(pk=1).values_list("seq", flat=True).first()
        for result in self._results(options):
            progress.show("action log", result.checked, head)
        progress.clear()
        if not result.is_whole:
            raise CommandError(_fault_of(result))
        rate = result.checked / max(time.monotonic() - began, 0.001)
        self.stdout.write(f"All {result.checked} entries are whole.")
        self.stdout.write(_about_checkpoints(result))
        self.stdout.write(f"{rate:,.0f} entries a second.")

    def _results(self, options: Mapping[str, Any]) -> Any:
        directory, key_file = options["checkpoints"], options["public_key"]
        if directory is not None and not directory.is_dir():
            raise CommandError(f"{directory} is no folder.")
        try:
            known = keys.read_public_keys(key_file) if key_file else None
        except (OSError, ValueError) as error:
            raise CommandError(f"{key_file} cannot be read as public keys: {error}") from error
        return verify(
            full=options["full"],
            quick=options["quick"],
            since_checkpoint=options["since_checkpoint"],
            directory=directory,
            public_keys=known,
        )


def _fault_of(result: Verification) -> str:
    if result.bad_seq is not None:
        return f"Entry {result.bad_seq} does not fit: {result.fault}."
    why = FAULTS.get(result.fault, result.fault)
    return f"The checkpoint of {result.bad_checkpoint} entries does not fit: {why}."


def _about_checkpoints(result: Verification) -> str:
    if not result.checkpoints:
        return "There is no checkpoint yet: who can rewrite everything would not be noticed."
    if not result.signatures_checked:
        return (
            f"{result.checkpoints} checkpoints fit; without a public key no signature was checked."
        )
    return f"{result.checkpoints} checkpoints fit and are signed."
