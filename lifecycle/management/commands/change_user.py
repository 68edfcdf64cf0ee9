"""`manage.py change_user`: another role, another reach, or no sign-in any more."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.models import Role, User
from lifecycle.services.users import change_user


class Command(BaseCommand):
    help = "Changes a sign-in's role, reach or whether it is on; its sessions end. Logged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=[role.value for role in Role])
        parser.add_argument(
            "--departments", nargs="*", help="HR only: ids; none after it means the whole company"
        )
        parser.add_argument("--open-id", help="the person's Feishu open_id")
        parser.add_argument("--on", action="store_true", help="may sign in again")
        parser.add_argument("--off", action="store_true", help="may not sign in any more")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["on"] and options["off"]:
            raise CommandError("Say --on or --off, not both.")
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['username']}”.")
        changed = change_user(
            user,
            acting_user=None,
            role=options["role"],
            departments=options["departments"],
            open_id=options["open_id"],
            is_active=True if options["on"] else False if options["off"] else None,
        )
        said = "Changed" if changed else "Nothing to change for"
        self.stdout.write(f"{said} “{user.username}”.")
