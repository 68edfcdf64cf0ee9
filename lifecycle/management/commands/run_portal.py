"""`manage.py run_portal`, behind `make run`: the whole portal on this machine.

Prepares the database, then keeps the sandbox tenant (unless a real one is given), the web
server and the worker running until Ctrl-C or SIGTERM. What the caller left out of the
environment is filled in by hrportal/local.py before the settings are read.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, close_old_connections, connection
from django.urls import reverse
from django.utils import timezone

from lifecycle.checks import is_stand_in
from lifecycle.management.commands.create_demo_users import create_demo_users
from lifecycle.management.commands.run_worker import WORKER_BEAT
from lifecycle.models import SyncRun, WorkerBeat
from lifecycle.supervision import Program, Supervisor, Timing, answers_http

MANAGE = str(settings.BASE_DIR / "manage.py")
LOGS = settings.VAR_DIR / "logs"
SANDBOX, WEB, WORKER, FIRST_SYNC = "sandbox", "web server", "worker", "first sync"
_LOOK_EVERY = timedelta(seconds=0.1)
_READY_WITHIN = timedelta(seconds=90)
# Longer than the worker's own, which waits for the attempt in hand.
_GRACE = timedelta(seconds=30)


class Stopped(Exception):
    """Somebody pressed Ctrl-C before the portal was up."""


class Command(BaseCommand):
    help = (
        "Runs the whole portal on this machine, with a sandbox tenant unless a real one is given."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = _stop_on_signals()
        with _only_one():
            _need_free_ports()
            if is_stand_in(settings.FEISHU_BASE_URL):
                os.environ["DEMO_SIGN_INS"] = "1"
            self._prepare()
            supervisor = Supervisor(
                _programs(), say=self._say, timing=Timing(grace=_GRACE.total_seconds())
            )
            try:
                self._start(supervisor, stop)
                while not stop.wait(_LOOK_EVERY.total_seconds()):
                    supervisor.tend()
            except Stopped:
                pass
            finally:
                self._say("Stopping ...")
                stop.clear()
                supervisor.stop(hurry=stop.is_set)

    def _prepare(self) -> None:
        try:
            connection.ensure_connection()
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {error}") from error
        self._say("Preparing the database ...")
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        call_command("install_schedules")
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        connection.close()

    def _start(self, supervisor: Supervisor, stop: threading.Event) -> None:
        self._say("Starting ...")
        give_up_at = timezone.now() + _READY_WITHIN
        while not supervisor.all_answer:
            _tend(supervisor, stop)
            if timezone.now() > give_up_at:
                raise CommandError(f"The portal did not come up. What it says is in {LOGS}.")
        if is_stand_in(settings.FEISHU_BASE_URL):
            self._first_sync(supervisor, stop)
            create_demo_users(settings.DEMO_PASSWORD)
            self._say(_welcome(demo=True))
        else:
            self._say(_welcome(demo=False))
            self._first_sync(supervisor, stop)  # a real tenant may take a while

    def _first_sync(self, supervisor: Supervisor, stop: threading.Event) -> None:
        """In a process of its own, so that Ctrl-C and the other programs are still looked after."""
        if SyncRun.objects.filter(kind="employees", state=SyncRun.State.DONE, read__gt=0).exists():
            return
        quiet = dict(os.environ) | {"LOG_LEVEL": "ERROR"}  # it says on the terminal what it does
        command = [sys.executable, MANAGE, "sync"]
        sync = supervisor.start_once(Program(FIRST_SYNC, command, environment=quiet))
        while sync.is_running:
            _tend(supervisor, stop)
        if sync.exit_status != 0:
            self._say("Not everything could be read from Feishu; the worker will try again.")

    def _say(self, sentence: str) -> None:
        # A terminal that was closed is no reason to leave the programs alone.
        with contextlib.suppress(OSError):
            self.stdout.write(sentence)
            self.stdout.flush()


def _tend(supervisor: Supervisor, stop: threading.Event) -> None:
    if stop.wait(_LOOK_EVERY.total_seconds()):
        raise Stopped
    supervisor.tend()


def _stop_on_signals() -> threading.Event:
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    return stop


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Two portals on one folder would keep two copies of the same tenant's data apart."""
    with (settings.VAR_DIR / "run_portal.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CommandError(
                f"A portal is running from {settings.VAR_DIR} already. "
                "Stop it, or set HRPORTAL_VAR_DIR to another folder."
            ) from error
        yield


def _need_free_ports() -> None:
    ports = {"PORT": settings.PORT}
    if settings.OWN_SANDBOX:
        ports["SANDBOX_PORT"] = settings.SANDBOX_PORT
    for name, port in ports.items():
        if not _is_free(port):
            raise CommandError(
                f"Port {port} is in use by another program; choose another one with {name}=..."
            )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _programs() -> list[Program]:
    programs = [_web(), _worker()]
    return [_sandbox(), *programs] if settings.OWN_SANDBOX else programs


def _sandbox() -> Program:
    state = settings.VAR_DIR / f"sandbox-{settings.PEOPLE}.sqlite3"
    scale = f"{settings.FEISHU_RATE_SCALE:g}"
    options = ["--port", str(settings.SANDBOX_PORT), "--people", str(settings.PEOPLE)]
    options += ["--state", str(state), "--rate-scale", scale]
    callback = f"http://127.0.0.1:{settings.PORT}{reverse('feishu-cards')}"
    options += ["--callback-url", callback, "--encrypt-key", settings.FEISHU_EVENT_ENCRYPT_KEY]
    options += ["--event-token", settings.FEISHU_EVENT_TOKEN]
    return Program(
        SANDBOX,
        [sys.executable, MANAGE, "sandbox", *options],
        log=LOGS / "sandbox.log",
        answers=lambda: answers_http(f"{settings.FEISHU_BASE_URL}/sandbox/info"),
    )


def _web() -> Program:
    gunicorn = [sys.executable, "-m", "gunicorn", "hrportal.wsgi:application"]
    gunicorn += ["--chdir", str(settings.BASE_DIR), "--bind", f"127.0.0.1:{settings.PORT}"]
    gunicorn += ["--worker-class", "gthread", "--threads", "4"]
    gunicorn += ["--workers", str(settings.WEB_PROCESSES), "--no-control-socket"]
    gunicorn += ["--timeout", "60", "--graceful-timeout", "10", "--log-level", "warning"]
    return Program(
        WEB,
        gunicorn,
        log=LOGS / "web.log",
        answers=lambda: answers_http(f"http://127.0.0.1:{settings.PORT}/healthz"),
    )


def _worker() -> Program:
    return Program(
        WORKER,
        [sys.executable, MANAGE, "run_worker"],
        log=LOGS / "worker.log",
        answers=_worker_beats,
        silent_for=90,
    )


def _worker_beats() -> bool:
    """The worker writes this beat down; one from before this start does not count for long."""
    close_old_connections()
    try:
        recent = timezone.now() - 3 * settings.CANARY_EVERY
        return WorkerBeat.objects.filter(name=WORKER_BEAT, beat_at__gte=recent).exists()
    except DatabaseError:
        return False


def _welcome(*, demo: bool) -> str:
    lines = [f"\nhrportal is running at http://127.0.0.1:{settings.PORT}/\n"]
    if demo:
        lines += [
            f"  Sign in as hr, manager, auditor or admin; the password is {settings.DEMO_PASSWORD}",
            f"  Feishu is a sandbox of invented people at {settings.FEISHU_BASE_URL}",
            f"  Their phones, with what the portal sends: {settings.FEISHU_BASE_URL}/sandbox/phone",
            "  Your own tenant:  make run FEISHU_APP_ID=cli_... FEISHU_APP_SECRET=...  (README.md)",
        ]
    else:
        lines += [
            f"  Feishu is {settings.FEISHU_BASE_URL}",
            '  The first sign-in:  make manage ARGS="create_user NAME --role administrator"',
        ]
    return "\n".join([*lines, f"  Logs are in {LOGS}", "  Ctrl-C stops everything.\n"])
