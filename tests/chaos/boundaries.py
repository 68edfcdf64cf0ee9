"""Every boundary between two steps of the protocol, and processes that die at one of them.

A boundary is a path of events inside the portal: calls and returns, in this order. Nothing is
patched; the interpreter's profiler counts them, and at the last one the process kills itself
(SIGKILL), after it has written into a file which one that was.
"""

from __future__ import annotations

import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

Events = tuple[str, ...]

# The header of a request that says where its web process dies; no proxy would let it through.
DIES_AT = "X-Dies-At"

CLAIMED = "return changes/protocol.py:_claim"
RELEASED = "return changes/protocol.py:run"
READ = "return feishu/client.py:read"
BEGIN, FINISH = "call changes/protocol.py:_begin_attempt", "call changes/protocol.py:_finish"
SILENT = "call changes/protocol.py:_finish_silent"
SEND, PIECE_SENT = "call feishu/client.py:send", "return feishu/connections.py:send"
LOGGED = "return action_log/writer.py:record"
COMMITTED = "return base/base.py:_commit"
SUBMIT = "call services/changes.py:submit_change"
INTENT = "return changes/protocol.py:submit"
AGREED = "return changes/protocol.py:approve"
DJANGO = "/django/db/backends/base/base.py"

BOUNDARIES: dict[str, dict[str, Events]] = {
    # A worker with a change to be sent.
    "send": {
        "claimed": (CLAIMED,),
        "about to look first": ("call changes/protocol.py:_look_first",),
        "looked": ("call changes/protocol.py:_look_first", READ),
        "what was seen is stored": ("return changes/protocol.py:_look_first",),
        "token and slot in hand": ("return changes/protocol.py:_is_ready",),
        "attempt written": (BEGIN, LOGGED),
        "attempt committed": (BEGIN, COMMITTED),
        "about to send": (SEND, "call feishu/connections.py:before_sending"),
        "head sent": (SEND, PIECE_SENT),
        "all sent": (SEND, PIECE_SENT, PIECE_SENT),
        "answer received": ("return feishu/client.py:send",),
        "answer written": (FINISH, LOGGED),
        "answer committed": (FINISH, COMMITTED),
        "claim released": (FINISH, RELEASED),
    },
    # A worker with a change whose outcome nobody knows.
    "settle": {
        "claimed": (CLAIMED,),
        "about to read": ("call changes/settle.py:look",),
        "read": ("call changes/settle.py:look", READ),
        "judged": ("return changes/settle.py:look",),
        "verdict written": ("return changes/settle.py:look", LOGGED),
        "verdict committed": ("return changes/settle.py:look", LOGGED, COMMITTED),
        "claim released": ("return changes/settle.py:look", RELEASED),
    },
    # A worker that finds an attempt whose worker is gone.
    "lease": {
        "silence noticed": (SILENT,),
        "silence written": (SILENT, LOGGED),
        "silence committed": (SILENT, LOGGED, COMMITTED),
    },
    # A web process when somebody confirms a plan.
    "confirm": {
        "plan made again": (SUBMIT, "return services/changes.py:_plan"),
        "intent written": (SUBMIT, INTENT),
        "bell rung": (SUBMIT, INTENT, "return changes/doorbell.py:ring"),
        "intent committed": (SUBMIT, INTENT, COMMITTED),
        "confirmed": ("return services/changes.py:submit_change",),
    },
    # A web process when a second person agrees.
    "approve": {
        "agreement written": (AGREED,),
        "agreement committed": (AGREED, COMMITTED),
        "agreed": ("return services/approvals.py:approve_change",),
    },
}


def wanted(verbs: set[str], second_person: str) -> list[str]:
    """All boundaries of all verbs: "send / convert_employee / claimed". Only one verb of the
    run needs a second person, and its bell rings when that one agrees."""
    return [
        f"{step} / {verb} / {name}"
        for step, names in BOUNDARIES.items()
        for verb in sorted(verbs)
        for name in names
        if (verb == second_person or step != "approve")
        and not (verb == second_person and name == "bell rung")
    ]


def rarest(step: str, verb: str, deaths: Counter[str], chance: random.Random) -> tuple[str, int]:
    """The boundary of this step at which this verb died least often, and how often."""
    keys = [f"{step} / {verb} / {name}" for name in BOUNDARIES[step]]
    key = min(keys, key=lambda key: (deaths[key], chance.random()))
    return key, deaths[key]


class Deaths:
    """The file in which each process says where it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def count(self) -> Counter[str]:
        return Counter(self._path.read_text().splitlines() if self._path.exists() else [])

    def die(self, key: str) -> None:
        file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{key}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


class _Follower:
    """Goes along a path of events; `at_end` is called at its last one."""

    def __init__(self, path: Events, at_end: Callable[[], None]) -> None:
        self._left, self._at_end = list(path), at_end
        self._next = self._left.pop(0)

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> None:
        code = frame.f_code
        if not self._next.endswith(code.co_name) or event not in ("call", "return"):
            return
        file = code.co_filename
        if "/lifecycle/" not in file and not file.endswith(DJANGO):
            return
        if f"{event} {'/'.join(file.split('/')[-2:])}:{code.co_name}" != self._next:
            return
        if not self._left:
            self._at_end()
        else:
            self._next = self._left.pop(0)


@contextmanager
def dying_at(key: str, deaths: Deaths) -> Iterator[None]:
    """What this thread does meanwhile ends the process, if it comes to this boundary."""
    step, _, name = key.split(" / ")
    sys.setprofile(_Follower(BOUNDARIES[step][name], lambda: deaths.die(key)))
    try:
        yield
    finally:
        sys.setprofile(None)
