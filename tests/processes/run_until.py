# ruff: noqa: T201
"""Runs one step of the portal and kills itself at the N-th event inside it.

An event is a call or a return of a function of the portal's own protocol, log, bridge and
client, or of Django's where a transaction begins and ends. Nothing is patched: the
interpreter's profiler counts. `python -m tests.processes.run_until JSON` forks one process
per case, so that each is a fresh one and none has to load Django again.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from tests.processes import inside

WATCHED = (
    "/lifecycle/changes/",
    "/lifecycle/services/changes.py",
    "/lifecycle/remote.py",
    "/lifecycle/action_log/",
    "/lifecycle/jobs.py",
    "/lifecycle/feishu/client.py",
    "/lifecycle/feishu/transport.py",
    "/lifecycle/feishu/connections.py",
    "/django/db/transaction.py",
)
# Before and after the statement that makes it durable.
COMMITS = {"_commit", "savepoint_commit"}
# Called around every statement, thousands of times, and nothing happens there.
DULL = {"get_connection", "<listcomp>", "<genexpr>", "<dictcomp>", "<lambda>"}


class Countdown:
    """Counts events of this thread; `deadly` is the one that is not survived, 0 for none."""

    def __init__(self, deadly: int, number: int = signal.SIGKILL) -> None:
        self.deadly, self.number = deadly, number
        self.seen: list[str] = []

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        if event not in ("call", "return"):
            return
        code = frame.f_code
        if not _is_watched(code.co_filename, code.co_name):
            return
        self.seen.append(f"{event} {Path(code.co_filename).name}:{code.co_name}")
        if len(self.seen) == self.deadly:
            os.kill(os.getpid(), self.number)


def _is_watched(filename: str, function: str) -> bool:
    if function in DULL:
        return False
    return any(part in filename for part in WATCHED) or (
        function in COMMITS and "/django/db/backends/" in filename
    )


def events_of(step: Callable[[], Any], deadly: int, number: int = signal.SIGKILL) -> list[str]:
    countdown = Countdown(deadly, number)
    sys.setprofile(countdown)
    try:
        step()
    finally:
        sys.setprofile(None)
    return countdown.seen


STEPS: dict[str, Callable[[Any], Callable[[], Any]]] = {
    "submit": lambda post: lambda: inside.submit(post),
    "run_change": lambda pk: lambda: inside.jobs.run_change(pk),
    "sweep": lambda _: inside.jobs.sweep,
}


def in_a_process(step: Callable[[], Any], deadly: int) -> int:
    """Its exit status: 0 or 1 when it lived, and -9 when it was killed."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            events_of(step, deadly)
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def count(step: Callable[[], Any]) -> list[str]:
    """The events of one whole run, in a process of its own."""
    reading, writing = os.pipe2(0)
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(events_of(step, 0), pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        events: list[str] = json.load(pipe)
    os.waitpid(pid, 0)
    return events


def main(name: str, cases: list[tuple[Any, int]]) -> list[Any]:
    """`cases`: what the step is about, and its deadly event; 0 counts the events instead."""
    steps = [(STEPS[name](about), deadly) for about, deadly in cases]
    return [in_a_process(step, deadly) if deadly else count(step) for step, deadly in steps]


def freeze(name: str, about: Any, event: int) -> int:
    """Stops the process at the event, says so, and lets it go on at the next line of input."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            events_of(STEPS[name](about), event, signal.SIGSTOP)
            status = 0
        except Exception:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.waitpid(pid, os.WUNTRACED)
    print("frozen", flush=True)
    sys.stdin.readline()
    os.kill(pid, signal.SIGCONT)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    if sys.argv[1:] == ["freeze"]:
        print(freeze(**json.loads(sys.stdin.readline())))
        sys.exit()
    print(json.dumps(main(**json.load(sys.stdin))))
