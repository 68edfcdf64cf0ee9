"""`manage.py create_user`: a sign-in, for instance the first administrator's."""

from __future__ import annotations

import getpass
import sys
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.models import Role, User
from lifecycle.services.users import OpenIdTaken, create_user


class Command(BaseCommand):
    help = "Creates a sign-in; the password is asked for, or read from standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", required=True, choices=[role.value for role in Role])
        parser.add_argument("--name", default="", help="family name first, as in Chinese")
        parser.add_argument(
            "--departments", nargs="*", default=[], help="HR only: ids; without, the whole company"
        )
        parser.add_argument(
            "--open-id",
            default="",
            help="the Feishu account to sign in with, and whose reports they see",
        )
        parser.add_argument(
            "--no-password", action="store_true", help="signs in with Feishu, and only so"
        )
        parser.add_argument("--reason", default="", help="why; kept in the action log")

    def handle(self, *args: Any, **options: Any) -> None:
        if User.objects.filter(username=options["username"]).exists():
            raise CommandError(f"There is a user “{options['username']}” already.")
        user = User(
            username=options["username"],
            role=options["role"],
            last_name=options["name"][:1],
            first_name=options["name"][1:],
            open_id=options["open_id"],
            department_ids=sorted(options["departments"]),
        )
        if options["no_password"]:
            user.set_unusable_password()
        else:
            user.set_password(read_good_password(user))
        try:
            create_user(user, reason=options["reason"], acting_user=None)
        except OpenIdTaken as error:
            raise CommandError(f"Another user has the open_id {error} already.") from error
        self.stdout.write(f"Created “{user.username}”, {user.get_role_display()}.")


def read_good_password(user: User) -> str:
    """A new password that keeps to the rules. Raises CommandError."""
    password = _read_password()
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CommandError(" ".join(error.messages)) from error
    return password


def _read_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    password = getpass.getpass("Password: ")
    if password != getpass.getpass("The same again: "):
        raise CommandError("The two passwords differ.")
    return password
