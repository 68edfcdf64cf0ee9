"""Waiting for something to become true, with an end to the patience."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path


def until(is_so: Callable[[], object], *, within: float = 20.0, what: str = "it") -> None:
    end = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < end, f"{what} did not happen within {within:g} s"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    """False for a zombie too: it runs no more, whoever has yet to collect it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
