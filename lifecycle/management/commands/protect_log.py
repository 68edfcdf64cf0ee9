"""`manage.py protect_log`: has the database refuse again to change the action log."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from lifecycle import action_log, append_only


class Command(BaseCommand):
    help = "Puts back the triggers that keep the action log from being changed. Logged."

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic():
            missing = append_only.missing(connection)
            if missing:
                append_only.install(connection)
                data = {"missing": missing, "at_command_line": True}
                action_log.record("log.protected", actor=None, data=data)
        said = f"Put back: {', '.join(missing)}." if missing else "Everything is in place."
        self.stdout.write(said)
