"""`manage.py change_user`: another role, reach, Feishu account or password, or no sign-in."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.management.commands.create_user import read_good_password
from lifecycle.models import Role, User
from lifecycle.services.users import OpenIdTaken, change_password, change_user


class Command(BaseCommand):
    help = "Changes what a user may do or how they sign in; their sessions end. Logged."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=[role.value for role in Role])
        parser.add_argument(
            "--departments", nargs="*", help="HR only: ids; none after it means the whole company"
        )
        parser.add_argument(
            "--open-id", help="the Feishu account to sign in with, and whose reports they see"
        )
        parser.add_argument(
            "--password", action="store_true", help="asks for a new one, or reads standard input"
        )
        parser.add_argument("--reason", default="", help="why; kept in the action log")
        parser.add_argument("--on", action="store_true", help="may sign in again")
        parser.add_argument("--off", action="store_true", help="may not sign in any more")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["on"] and options["off"]:
            raise CommandError("Say --on or --off, not both.")
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user “{options['username']}”.")
        if options["password"]:
            change_password(user, read_good_password(user), acting_user=None)
        changed = self._change(user, options) or options["password"]
        said = "Changed" if changed else "Nothing to change for"
        self.stdout.write(f"{said} “{user.username}”.")

    def _change(self, user: User, options: dict[str, Any]) -> bool:
        try:
            return change_user(
                user,
                acting_user=None,
                role=options["role"],
                departments=options["departments"],
                open_id=options["open_id"],
                reason=options["reason"],
                is_active=True if options["on"] else False if options["off"] else None,
            )
        except OpenIdTaken as error:
            raise CommandError(f"Another user has the open_id {error} already.") from error
