"""`manage.py sync [kind ...]`: bring the mirror up to date, with a progress bar."""

from __future__ import annotations

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lifecycle.management import progress
from lifecycle.models import SyncRun
from lifecycle.services import sync

LOOK_EVERY_S = 0.5


class Command(BaseCommand):
    help = "Reads Feishu's records into the mirror."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kinds", nargs="*", metavar="kind", help=", ".join(sync.KINDS))

    def handle(self, *args: Any, **options: Any) -> None:
        names = options["kinds"] or list(sync.KINDS)
        unknown = [name for name in names if name not in sync.KINDS]
        if unknown:
            raise CommandError(
                f"There is no kind called {', '.join(unknown)}. Kinds: {', '.join(sync.KINDS)}."
            )
        failed = [name for name in names if not self._sync(name)]
        if failed:
            raise CommandError(f"Not complete: {', '.join(failed)}. The reasons stand above.")

    def _sync(self, name: str) -> bool:
        other = sync.taken_by_another(name)
        if other is not None:
            self._wait_for(other)
            other.refresh_from_db()
            if other.state == SyncRun.State.DONE and other.is_whole:
                self.stdout.write(f"{name:<14} was synced by another process")
                return True
        run = sync.sync_kind(name, progress=self._show)
        progress.clear()
        if run is None:
            self.stdout.write(f"{name:<14} was taken over by another process")
            return False
        if run.state == SyncRun.State.FAILED:
            self.stdout.write(
                f"{name:<14} failed: {run.problem} {run.detail} (log id {run.log_id or '-'})"
            )
            return False
        aside = f", {run.unreadable} put aside as unreadable" if run.unreadable else ""
        self.stdout.write(f"{name:<14} {run.read} read, {run.stored} stored{aside}")
        return True

    def _wait_for(self, other: SyncRun) -> None:
        """Until it has ended, or has not been heard of for so long that it must be dead: what
        it had read is kept, and the pass goes on from there."""
        self.stdout.write(
            f"{other.kind:<14} is being synced by another process, or one that was stopped a"
            " moment ago: waiting until it ends or has been silent for"
            f" {sync.LEASE.total_seconds():.0f} s"
        )
        self.stdout.flush()
        while sync.taken_by_another(other.kind) == other:
            time.sleep(LOOK_EVERY_S)

    def _show(self, run: SyncRun, of: int | None) -> None:
        progress.show(run.kind, run.read, of)
