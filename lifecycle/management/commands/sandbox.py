"""`manage.py sandbox`: a local Feishu tenant to try the portal on."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lifecycle.sandbox.cli import add_options, run


class Command(BaseCommand):
    help = "Runs a local Feishu tenant over HTTP."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        raise SystemExit(run(argparse.Namespace(**options)))
