"""`manage.py verify_log`: check that the action log is whole."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle import action_log


class Command(BaseCommand):
    help = "Checks the chain of the action log; exit status 1 names the first bad entry."

    def handle(self, *args: Any, **options: Any) -> None:
        result = action_log.Verification(0)
        for result in action_log.verify():
            if result.checked % 100_000 == 0 and result.checked:
                self.stdout.write(f"{result.checked} entries checked")
        if result.bad_seq is not None:
            raise CommandError(f"Entry {result.bad_seq} does not fit: {result.fault}.")
        self.stdout.write(f"All {result.checked} entries are whole.")
