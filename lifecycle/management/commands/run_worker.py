"""`manage.py run_worker`: does the work that is due, and keeps the queue's processes alive.

Two things side by side (docs/operations.md, "The worker"):

- a sweep of due and leased work every SWEEP_SECONDS, in this process, so that work goes on
  even when the queue stands still;
- the queue (django-q2's cluster) as a child. Its own report says "working" even when nothing
  moves, so proof of life is a job that really ran: one is put in the queue every
  CANARY_SECONDS, and without any progress for CANARY_PATIENCE_SECONDS the queue's processes
  are killed and started again.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, transaction
from django_q.models import Task
from django_q.tasks import async_task

from lifecycle import jobs
from lifecycle.models import WorkerBeat
from lifecycle.services import settings_log
from lifecycle.supervision import Program, Supervisor, Timing

logger = logging.getLogger(__name__)

QUEUE_BEAT, WORKER_BEAT = "queue", "worker"
# A sweep sends one request after another; one that takes longer than this is stuck.
_STUCK_AFTER = timedelta(minutes=10)
_LOOK_EVERY = timedelta(seconds=0.5)


class Sweeper(threading.Thread):
    """Calls jobs.sweep() again and again, whatever it raises."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._stop_event = stop
        self._alive_at = time.monotonic()
        self._has_noted_settings = False

    @property
    def is_stuck(self) -> bool:
        return time.monotonic() - self._alive_at > _STUCK_AFTER.total_seconds()

    def run(self) -> None:
        while not self._stop_event.is_set():
            close_old_connections()
            self._note_settings()
            try:
                jobs.sweep()
            except Exception:
                logger.exception("The sweep of due work failed; the next one will try again.")
            close_old_connections()
            self._alive_at = time.monotonic()
            self._stop_event.wait(settings.SWEEP_EVERY.total_seconds())

    def _note_settings(self) -> None:
        if not self._has_noted_settings:
            self._has_noted_settings = settings_log.try_to_note(settings_log.WORKER)


class QueueProof:
    """Has the queue finished anything since the last look? And gives it something to do."""

    def __init__(self) -> None:
        self._seen: tuple[datetime | None, datetime | None] | None = None

    def __call__(self) -> bool:
        close_old_connections()
        try:
            return self._look()
        except DatabaseError:
            logger.exception("The database did not say whether the queue works.")
            return False

    def _look(self) -> bool:
        beat = WorkerBeat.objects.filter(name=QUEUE_BEAT).values_list("beat_at", flat=True).first()
        last_task = Task.objects.order_by("-stopped").values_list("stopped", flat=True).first()
        progress = (beat, last_task)
        moved = self._seen is not None and progress != self._seen
        self._seen = progress
        with transaction.atomic():
            jobs.beat(WORKER_BEAT)
            async_task("lifecycle.jobs.beat", QUEUE_BEAT, save=False)
        return moved


class Command(BaseCommand):
    help = "Does the work that is due and keeps the queue's processes alive."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def on_signal(_number: int, _frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, on_signal)
        signal.signal(signal.SIGINT, on_signal)
        call_command("install_schedules")
        sweeper = Sweeper(stop)
        supervisor = Supervisor([_queue()], say=logger.warning, timing=_timing())
        sweeper.start()
        try:
            while not stop.wait(_LOOK_EVERY.total_seconds()) and not sweeper.is_stuck:
                supervisor.tend()
        finally:
            stop.set()
            supervisor.stop()
        if sweeper.is_stuck:
            raise SystemExit("The sweep of due work does not come to an end; the worker gives up.")
        # The attempt in hand is finished; should it take too long, its lease brings it back.
        sweeper.join(timeout=_grace())


def _queue() -> Program:
    return Program(
        "queue",
        [sys.executable, str(settings.BASE_DIR / "manage.py"), "qcluster"],
        answers=QueueProof(),
        start_within=settings.CANARY_PATIENCE.total_seconds(),
        silent_for=settings.CANARY_PATIENCE.total_seconds(),
        ask_every_at_start=2.0,
    )


def _timing() -> Timing:
    return Timing(probe_every=settings.CANARY_EVERY.total_seconds(), grace=_grace())


def _grace() -> float:
    return float(settings.SEND_DEADLINE.total_seconds()) + 5
