"""Keeps a few programs running: starts them, looks after them, stops them without a trace.

Used by `manage.py run_portal` (sandbox, web server, worker) and by `manage.py run_worker`
(the queue's processes). Each program gets a process group of its own, so that a Ctrl-C in the
terminal reaches the supervisor only, and so that what a program leaves behind can be ended
with it. Should the supervisor itself be killed, its guard (a small process that waits for the
supervisor's end of a pipe to close) ends the programs.
"""

from __future__ import annotations

import contextlib
import http
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

Clock = Callable[[], float]
Say = Callable[[str], None]

# What the guard does: it reads "+<group>" and "-<group>" lines, and at the end of the file
# (the supervisor is gone) it asks the groups' leaders to stop and then ends the groups.
_GUARD = """
import os, signal, sys, time
groups, grace = set(), float(sys.argv[1])
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
def sent(kill, group, number):
    try:
        kill(group, number)
        return True
    except OSError:
        return False
for group in groups:
    sent(os.kill, group, signal.SIGTERM)
end = time.monotonic() + grace
while groups and time.monotonic() < end:
    time.sleep(0.05)
    groups = {group for group in groups if sent(os.killpg, group, 0)}
for group in groups:
    sent(os.killpg, group, signal.SIGKILL)
"""


@dataclass(frozen=True)
class Program:
    """`answers` asks the running program whether it is well; without one, running is enough."""

    name: str
    command: list[str]
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    log: Path | None = None
    answers: Callable[[], bool] | None = None
    # How long it may take until the first answer, and how long it may stay silent afterwards.
    start_within: float = 60.0
    silent_for: float = 30.0
    ask_every_at_start: float = 0.2


@dataclass(frozen=True)
class Timing:
    """Seconds."""

    probe_every: float = 5.0
    first_pause: float = 1.0
    longest_pause: float = 30.0
    # A program that ran well for so long starts again with the first pause.
    well_after: float = 60.0
    grace: float = 20.0


class Guard:
    """Ends the registered process groups when this process dies, however it dies."""

    def __init__(self, *, grace: float) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", "-S", "-c", _GUARD, str(grace)],
            stdin=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._tell(f"-{group}\n")

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._pipe.close()
        self._process.wait()

    @property
    def _pipe(self) -> IO[str]:
        assert self._process.stdin is not None  # noqa: S101 - it was asked for above
        return self._process.stdin

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):  # a guard that was killed leaves us unguarded, no more
            self._pipe.write(line)
            self._pipe.flush()


class Child:
    """A running process and what belongs to it."""

    def __init__(self, program: Program, guard: Guard) -> None:
        self._guard = guard
        output = _open_log(program)
        self._process = subprocess.Popen(  # noqa: S603 - our own programs
            program.command,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )
        guard.watch(self.pid)
        if output:
            output.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def exit_status(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._process.poll()

    @property
    def is_running(self) -> bool:
        return self.exit_status is None

    def ask_to_stop(self) -> None:
        """To the main process only: it knows how to end its own."""
        if self.is_running:
            self._process.terminate()

    def end(self) -> None:
        """Whatever still runs of it ends now."""
        _kill_group(self.pid)
        self._process.wait()
        self._guard.forget(self.pid)


class Keeper:
    """Keeps one program running: knows when it last answered and when it may start again."""

    def __init__(
        self, program: Program, guard: Guard, timing: Timing, say: Say, clock: Clock
    ) -> None:
        self.program = program
        self._guard, self._timing, self._say, self._clock = guard, timing, say, clock
        self._child: Child | None = None
        self._started_at = self._answered_at = self._probed_at = self._start_at = 0.0
        self._pause = timing.first_pause
        self.has_answered = False

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    @property
    def is_running(self) -> bool:
        return self._child is not None and self._child.is_running

    def tend(self) -> None:
        """One look: start again what has ended or fallen silent."""
        now = self._clock()
        if self._child is None:
            if now >= self._start_at:
                self._start()
            return
        status = self._child.exit_status
        if status is not None:
            self._start_later(f"ended ({_ending(status)})")
        elif now - self._probed_at >= self._probe_interval():
            self._probe()

    def ask_to_stop(self) -> None:
        if self._child:
            self._child.ask_to_stop()

    def end(self) -> None:
        if self._child:
            self._child.end()
            self._child = None

    def _start(self) -> None:
        self._child = Child(self.program, self._guard)
        self._started_at = self._answered_at = self._probed_at = self._clock()
        self.has_answered = self.program.answers is None

    def _probe(self) -> None:
        well = self.program.answers is None or self.program.answers()
        now = self._probed_at = self._clock()
        if well:
            self.has_answered, self._answered_at = True, now
            return
        patience = self.program.silent_for if self.has_answered else self.program.start_within
        if now - self._answered_at > patience:
            self._start_later("did not answer")

    def _probe_interval(self) -> float:
        if self.has_answered:
            return self._timing.probe_every
        return min(self.program.ask_every_at_start, self._timing.probe_every)

    def _start_later(self, what_happened: str) -> None:
        """At first soon, then less and less often, until it has run well for a while."""
        self.end()
        now = self._clock()
        if now - self._started_at > self._timing.well_after:
            self._pause = self._timing.first_pause
        where = f" Its output is in {self.program.log}." if self.program.log else ""
        pause = f"starting it again in {self._pause:g} s"
        self._say(f"The {self.program.name} {what_happened}; {pause}.{where}")
        self._start_at = now + self._pause
        self._pause = min(self._pause * 2, self._timing.longest_pause)


class Supervisor:
    """The programs in the order they are started; they are stopped in the opposite order."""

    def __init__(
        self,
        programs: list[Program],
        *,
        say: Say,
        timing: Timing | None = None,
        clock: Clock = time.monotonic,
    ) -> None:
        self.timing = timing or Timing()
        self._clock = clock
        self._guard = Guard(grace=self.timing.grace)
        self._keepers = [
            Keeper(program, self._guard, self.timing, say, clock) for program in programs
        ]
        self._once: list[Child] = []

    def keeper(self, name: str) -> Keeper:
        return next(keeper for keeper in self._keepers if keeper.program.name == name)

    def start_once(self, program: Program) -> Child:
        """Runs beside the others to its own end; what is unfinished is stopped with them."""
        child = Child(program, self._guard)
        self._once.append(child)
        return child

    def tend(self) -> None:
        for keeper in self._keepers:
            keeper.tend()

    @property
    def all_answer(self) -> bool:
        return all(keeper.is_running and keeper.has_answered for keeper in self._keepers)

    def stop(self, *, hurry: Callable[[], bool] = lambda: False) -> None:
        """Last started, first stopped, each with its grace; `hurry` cuts the grace short."""
        parts: list[Child | Keeper] = [*self._once, *reversed(self._keepers)]
        for part in parts:
            part.ask_to_stop()
            end = self._clock() + self.timing.grace
            while part.is_running and self._clock() < end and not hurry():
                time.sleep(0.02)
            part.end()
        self._once.clear()
        self._guard.close()


def _open_log(program: Program) -> IO[bytes] | None:
    if program.log is None:
        return None
    program.log.parent.mkdir(parents=True, exist_ok=True)
    return program.log.open("ab")


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _ending(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"signal {-status}"


def http_get(url: str, *, timeout: float = 3.0) -> tuple[int, bytes]:
    """Status and body; raises OSError when nobody answers. Neither proxies nor redirects:
    it asks programs of this machine."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=timeout)
    try:
        connection.request("GET", parts.path or "/")
        answer = connection.getresponse()
        return answer.status, answer.read(1_000_000)
    except http.client.HTTPException as error:
        raise ConnectionError(str(error)) from error
    finally:
        connection.close()


def answers_http(url: str) -> bool:
    try:
        return http_get(url)[0] < http.HTTPStatus.INTERNAL_SERVER_ERROR
    except OSError:
        return False
