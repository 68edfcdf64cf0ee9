"""`manage.py erase_person ID --reason ...`: what the log keeps of one person beside its chain."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.errors.problems import HoldInForce, InvalidValues, NotFound
from lifecycle.services import audit

KEPT = (
    "Not erased: the portal's copies of Feishu's records of this person, which every sync fills"
    " again; what Feishu itself keeps; requests, plans and reasons kept with status changes,"
    " requests and holds; entries about others in which the person is mentioned; evidence packs,"
    " exports and backups already made; the reason of an erasure itself. The entries of the log"
    " stay, with fingerprints of what was erased."
)


class Command(BaseCommand):
    help = "Erases the personal data and free text beside all log entries of one person. Logged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("person", type=int, help="the number in the address of their page")
        parser.add_argument("--reason", required=True, help="kept in the action log")

    def handle(self, *args: Any, **options: Any) -> None:
        pk = options["person"]
        try:
            erased = audit.erase_person(pk, reason=options["reason"], acting_user=None)
        except NotFound as error:
            raise CommandError(f"There is no person {pk}.") from error
        except InvalidValues as error:
            raise CommandError("Say why, in 2 to 2,000 characters.") from error
        except HoldInForce as error:
            words = error.notice
            raise CommandError(f"{words.sentence.en} {words.advice.en}") from error
        self.stdout.write(f"{erased} private values of person {pk} were erased from the log.")
        self.stdout.write(KEPT)
