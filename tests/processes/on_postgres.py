"""The web server on a PostgreSQL of its own, which can go away and come back under it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from lifecycle.sandbox.testing import SandboxServer
from tests.operations.waiting import free_port, until
from tests.processes.portal import BASE_DIR, Portal, PostgresDatabases

SERVER = os.environ.get("DATABASE_URL", "")
if not SERVER.startswith("postgres"):
    SERVER = "postgres://postgres@127.0.0.1:5432/postgres"
GUNICORN = (
    "-m", "gunicorn", "hrportal.wsgi:application", "--workers", "1", "--worker-class", "gthread",
    "--threads", "4", "--no-control-socket", "--log-level", "warning",
)  # fmt: skip
DEPLOYED = {
    "DJANGO_DEBUG": "0",
    "DJANGO_HTTPS_ONLY": "0",
    "DJANGO_SECRET_KEY": "away-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGHIJKLMNO",
    "LOG_LEVEL": "ERROR",
}


class Web:
    """gunicorn, and the database behind it."""

    def __init__(self, portal: Portal, database_url: str, folder: Path) -> None:
        self.portal, self.tenant = portal, portal.tenant
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._database_url = database_url
        self._output = folder / "web.txt"

    def open(self, **settings: str) -> None:
        with self._output.open("a") as output:
            process = subprocess.Popen(
                [sys.executable, *GUNICORN, "--bind", f"127.0.0.1:{self.port}"],
                cwd=BASE_DIR,
                env=self.portal.environment | DEPLOYED | settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.portal.look_after(process)
        until(self._is_up, within=60, what="the web server")

    @property
    def says(self) -> str:
        return self._output.read_text()

    def _is_up(self) -> bool:
        try:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/healthz")
            return connection.getresponse().status == 200
        except OSError:
            return False

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """It takes no connection, and those there were end."""
        name = urlsplit(self._database_url).path.lstrip("/")
        with psycopg.connect(SERVER, autocommit=True) as server:
            server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
            try:
                end_sessions(server, name)
                yield
            finally:
                server.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')

    def end_sessions(self) -> None:
        name = urlsplit(self._database_url).path.lstrip("/")
        with psycopg.connect(SERVER, autocommit=True) as server:
            end_sessions(server, name)


def end_sessions(server: psycopg.Connection, name: str) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
    )


@contextmanager
def web_on_postgres(folder: Path, *, people: int = 60) -> Iterator[Web]:
    """A small company whose mirror is filled, and Mei of HR."""
    try:
        databases = PostgresDatabases(SERVER)
    except psycopg.OperationalError as error:
        pytest.skip(f"no PostgreSQL here: {error}")
    with SandboxServer().start(people=people, seed=3, rate_scale=100_000) as tenant:
        portal = Portal(tenant, databases.template, folder)
        try:
            portal.ask("prepare")
            subprocess.run(
                [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
                cwd=BASE_DIR, env=portal.environment | DEPLOYED, check=True,
            )  # fmt: skip
            web = Web(portal, databases.template, folder)
            web.open()
            yield web
        finally:
            portal.end()
            databases.drop()
