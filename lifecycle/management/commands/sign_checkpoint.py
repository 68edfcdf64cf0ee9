"""`manage.py sign_checkpoint`: sign what the action log is now, and bring it outside."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from lifecycle.evidence import checkpoints, keys


class Command(BaseCommand):
    help = "Signs a checkpoint of the action log now, and exports what has not been exported."

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        try:
            signed = checkpoints.sign(at)
        except (keys.NoSigningKey, checkpoints.NotSigned) as error:
            raise CommandError(str(error)) from error
        checkpoints.send_out(at)
        if signed is None:
            self.stdout.write("Nothing new since the last checkpoint.")
            return
        self.stdout.write(f"Signed {signed.size} entries with key {signed.key_id}.")
