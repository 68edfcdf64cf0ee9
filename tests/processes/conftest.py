"""A tenant of its own, and for each test a database of its own with its mirror filled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle.sandbox.testing import SandboxServer
from tests.processes.portal import Databases, Portal, PostgresDatabases, SqliteDatabases

PEOPLE = 1000


@pytest.fixture(scope="session")
def tenant() -> Iterator[SandboxServer]:
    with SandboxServer().start(people=PEOPLE, seed=3, rate_scale=100_000) as server:
        yield server


@pytest.fixture(scope="session")
def databases(tenant: SandboxServer, tmp_path_factory) -> Iterator[Databases]:
    """Copies of one prepared database, on SQLite or where DATABASE_URL says."""
    folder = tmp_path_factory.mktemp("databases")
    url = os.environ.get("DATABASE_URL", "")
    kind = PostgresDatabases(url) if url.startswith("postgres") else SqliteDatabases(folder)
    try:
        Portal(tenant, kind.template, folder).ask("prepare")
        yield kind
    finally:
        kind.drop()


@pytest.fixture
def portal(tenant: SandboxServer, databases: Databases, tmp_path: Path) -> Iterator[Portal]:
    tenant.control.reset()
    portal = Portal(tenant, databases.copy(), tmp_path)
    yield portal
    tenant.control.clear_faults()
    portal.end()
