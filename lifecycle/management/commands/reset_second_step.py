"""`manage.py reset_second_step`: for whoever has lost the phone and the recovery codes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.models import User
from lifecycle.services import second_step


class Command(BaseCommand):
    help = "Takes a user's second step away; their sessions end. Logged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['username']}”.")
        if second_step.reset(user, acting_user=None):
            self.stdout.write(f"“{user.username}” has no second step any more.")
        else:
            self.stdout.write(f"“{user.username}” had none.")
