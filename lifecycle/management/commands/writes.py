"""`manage.py writes stop|start --reason ...`: stop all writes to Feishu, or let them go on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from lifecycle.changes import guards
from lifecycle.errors.problems import GuardRefused
from lifecycle.services import guards as guard_service


class Command(BaseCommand):
    help = "Stops all writes to Feishu at once, lets them go on, or says how it stands."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["stop", "start", "status"])
        parser.add_argument("--reason", default="", help="kept in the action log; required")

    def handle(self, *args: Any, **options: Any) -> None:
        action = {"stop": self._stop, "start": self._start, "status": self._status}
        try:
            action[options["action"]](options["reason"])
        except GuardRefused as error:
            raise CommandError(error.notice.sentence.en) from error

    def _stop(self, reason: str) -> None:
        in_flight = guard_service.stop_writes(reason=reason, acting_user=None, at=timezone.now())
        self.stdout.write(f"Writing to Feishu is stopped; {in_flight} requests were on their way.")

    def _start(self, reason: str) -> None:
        held = guard_service.start_writes(reason=reason, acting_user=None, at=timezone.now())
        self.stdout.write(f"Writing to Feishu goes on; {held} changes had been held up.")

    def _status(self, reason: str) -> None:
        stop = guards.present_stop()
        if stop is None or stop.stopped_at is None:
            self.stdout.write("Writing to Feishu goes on.")
            return
        who = stop.stopped_by.username if stop.stopped_by else "the command line"
        since = timezone.localtime(stop.stopped_at)
        self.stdout.write(f"Stopped since {since:%Y-%m-%d %H:%M} by {who}: {stop.reason}")
