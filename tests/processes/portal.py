"""The portal as processes: each with its own memory, all on one database and one tenant."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit
from uuid import uuid4

from lifecycle.sandbox.control import SandboxControl
from lifecycle.sandbox.testing import SandboxServer
from tests.operations.waiting import is_alive

BASE_DIR = Path(__file__).resolve().parent.parent.parent
# Seconds; short, so that what takes minutes in the office takes moments here.
QUICK = {
    "SETTLE_SECONDS_TALENT": "0",
    "SETTLE_SECONDS_APPLICATION": "0",
    "SETTLE_SECONDS_EMPLOYEE": "0",
    "SETTLE_SECONDS_PRE_HIRE": "0",
    "SETTLE_SECONDS_OFFBOARDING": "0",
    "SETTLE_READ_GAP_SECONDS": "0.2",
    "SEND_DEADLINE_SECONDS": "2",
    "ATTEMPT_LEASE_SECONDS": "2.5",
    "CLAIM_LEASE_SECONDS": "1",
    "SWEEP_SECONDS": "0.5",
    "CANARY_SECONDS": "0.5",
    "CANARY_PATIENCE_SECONDS": "4",
}


class Databases(Protocol):
    """A prepared database, and copies of it."""

    template: str

    def copy(self) -> str: ...

    def drop(self) -> None: ...


class SqliteDatabases:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "test_template.sqlite3"
        self.template = f"sqlite:///{self._path}"

    def copy(self) -> str:
        copy = self._folder / f"test_{uuid4().hex}.sqlite3"
        for ending in ("", "-wal"):
            source = Path(f"{self._path}{ending}")
            if source.exists():
                shutil.copy(source, f"{copy}{ending}")
        return f"sqlite:///{copy}"

    def drop(self) -> None:
        """The folder is pytest's."""


class PostgresDatabases:
    """Databases beside the one that DATABASE_URL names, gone at the end."""

    def __init__(self, url: str) -> None:
        import psycopg

        self._parts = urlsplit(url)
        self._connection = psycopg.connect(url, autocommit=True)
        self._names: list[str] = []
        self.template = self._make("")

    def copy(self) -> str:
        return self._make(f' TEMPLATE "{self._names[0]}"')

    def drop(self) -> None:
        for name in reversed(self._names):
            self._connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._connection.close()

    def _make(self, options: str) -> str:
        name = f"test_processes_{uuid4().hex[:12]}"
        self._connection.execute(f'CREATE DATABASE "{name}"{options}')
        self._names.append(name)
        return self._parts._replace(path=f"/{name}").geturl()


class Portal:
    """One database, one tenant, any number of processes."""

    python, base_dir = sys.executable, BASE_DIR

    def __init__(self, tenant: SandboxServer, database_url: str, folder: Path) -> None:
        self.tenant: SandboxControl = tenant.control
        self._folder = folder
        self._started: list[subprocess.Popen[str]] = []
        # What the processes wrote to their standard error.
        self.complaints = ""
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "DJANGO_SETTINGS_MODULE": "hrportal.settings",
            "DJANGO_DEBUG": "1",
            "HRPORTAL_VAR_DIR": str(folder),
            "DATABASE_URL": database_url,
            "FEISHU_BASE_URL": tenant.base_url,
            "FEISHU_APP_ID": "cli_sandbox",
            "FEISHU_APP_SECRET": "sandbox-secret",
            "FEISHU_RATE_SCALE": "100000",
            **QUICK,
        }

    # The module whose functions a process can be asked for, and how long it may take.
    module, patience_s = "tests.processes.inside", 110.0

    def ask(self, action: str, **arguments: Any) -> Any:
        """Have one process of the portal do one thing, and wait for its answer."""
        return self.answer(self.start_asking(action, **arguments))

    def start_asking(self, action: str, **arguments: Any) -> subprocess.Popen[str]:
        return self.start("-m", self.module, action, json.dumps(arguments))

    def answer(self, process: subprocess.Popen[str]) -> Any:
        output, errors = process.communicate(timeout=self.patience_s)
        assert process.returncode == 0, errors[-4000:]
        self.complaints += errors
        return json.loads(output.splitlines()[-1])

    def run_until(self, name: str, cases: list[tuple[Any, int]], *, side_by_side: int = 2) -> list:
        """Each case in a process of its own that dies at its event; see run_until.py."""
        processes = [
            self.start("-m", "tests.processes.run_until")
            for _ in range(min(side_by_side, len(cases)))
        ]
        for lane, process in enumerate(processes):
            assert process.stdin is not None
            process.stdin.write(json.dumps({"name": name, "cases": cases[lane::side_by_side]}))
            process.stdin.close()
            process.stdin = None
        results: list = [None] * len(cases)
        for lane, process in enumerate(processes):
            results[lane::side_by_side] = self.answer(process)
        return results

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=BASE_DIR,
            env=self.environment | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._started.append(process)
        return process

    def look_after(self, process: subprocess.Popen[str]) -> None:
        self._started.append(process)

    def end(self) -> None:
        """Whatever still runs of what was started here."""
        for process in self._started:
            for pid in [*descendants(process.pid), process.pid]:
                if process.poll() is None or pid != process.pid:
                    kill(pid)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    stream.close()


def kill(pid: int, number: int = signal.SIGKILL) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def descendants(ancestor: int) -> list[int]:
    """Every living process that came from this one, sessions of their own included."""
    parents = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(status.parent.name)] = int(words[1])
    found = {ancestor}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return [pid for pid in found - {ancestor} if is_alive(pid)]
