"""A PostgreSQL server of one's own, which may be stopped in the middle of everything.

Made with initdb as Debian's packages leave it on the disk: every commit is flushed, so what
was confirmed before a stop has to be there after it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.operations.waiting import free_port

PROGRAMS = Path("/usr/lib/postgresql")
# PostgreSQL refuses to run as root; Debian's packages make this user.
USER = "postgres"


class NoServer(Exception):
    """There is no PostgreSQL server on this machine to start."""


class PostgresServer:
    """`url`: of its database postgres, whose user may do everything."""

    def __init__(self) -> None:
        self._programs = _programs()
        self.folder = Path(tempfile.mkdtemp(prefix="chaos-postgres-"))
        self._data = self.folder / "data"
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER, USER)
        port = free_port()
        self.url = f"postgres://{USER}@127.0.0.1:{port}/postgres"
        self._options = f"-p {port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("initdb", f"--username={USER}", "--auth=trust", "--encoding=UTF8", "--locale=C")
        self.start()

    def start(self) -> None:
        """And wait until it has recovered from how it was stopped."""
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "--wait", "--silent", f"--log={log}", f"-o{self._options}")

    def stop_at_once(self) -> None:
        """As a power cut does: no checkpoint, no good-bye to anybody."""
        self._run("pg_ctl", "stop", "--mode=immediate", "--wait", "--silent")

    def execute(self, statement: str, *values: str) -> None:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement, values)

    def end(self) -> None:
        self.stop_at_once()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        become = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        command = [str(self._programs / program), f"--pgdata={self._data}", *arguments]
        done = subprocess.run(
            [*(become if os.geteuid() == 0 else []), *command],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{program} {arguments[:1]}: {done.stderr}"


def _programs() -> Path:
    """Those of the newest version there is. Raises NoServer."""
    found = [path.parent for path in PROGRAMS.glob("*/bin/pg_ctl")]
    if not found:
        raise NoServer(
            f"No pg_ctl under {PROGRAMS}: a chaos run on PostgreSQL stops and starts a server of"
            " its own. Install the package postgresql, or run it on SQLite without DATABASE_URL."
        )
    return max(found, key=lambda folder: int(folder.parent.name))
