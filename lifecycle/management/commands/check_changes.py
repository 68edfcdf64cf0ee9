"""`manage.py check_changes`: check on the data itself that the protocol kept its promises."""

from __future__ import annotations

from itertools import islice
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lifecycle.changes import invariants
from lifecycle.models import StatusChange

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Checks every status change against its attempts and the action log; exit status 1 names"
        " the first violations. Changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = StatusChange.objects.count()
        found = list(islice(invariants.violations(), SHOWN + 1))
        for violation in found[:SHOWN]:
            self.stderr.write(str(violation))
        if found:
            more = " at least" if len(found) > SHOWN else ""
            raise CommandError(f"{len(found[:SHOWN])} violations{more} in {count} status changes.")
        self.stdout.write(f"All {count} status changes are as they should be.")
