"""`manage.py make_log_key`: the key that signs the action log's checkpoints, made once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.evidence import keys


class Command(BaseCommand):
    help = "Makes the signing key of LOG_SIGNING_KEY_FILE, and beside it the public key (.pub)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", nargs="?", help="instead of LOG_SIGNING_KEY_FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        named = options["path"] or settings.LOG_SIGNING_KEY_FILE
        if not named:
            raise CommandError("Name a file, or set LOG_SIGNING_KEY_FILE.")
        path = Path(named)
        pem, public = keys.make_key()
        try:
            number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(number, "wb") as file:
                file.write(pem)
        except FileExistsError as error:
            raise CommandError(f"{path} is there already; a key is never overwritten.") from error
        except OSError as error:
            raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
        line = f"{public.hex()} {settings.LOG_ORIGIN}\n"
        path.with_name(f"{path.name}.pub").write_text(line, encoding="utf-8")
        self.stdout.write(f"Key {keys.key_id(public)} is in {path}; its public key:")
        self.stdout.write(line.strip())
        self.stdout.write("Hand the public key to the auditors, on paper or by another way.")
