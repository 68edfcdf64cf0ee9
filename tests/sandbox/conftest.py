from collections.abc import Iterator
from datetime import date

import pytest

from lifecycle.sandbox.testing import SandboxServer

from .tenant_under_test import TenantUnderTest

TODAY = date(2026, 1, 15)


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer().start(people=40, seed=1, today=TODAY) as server:
        yield server


@pytest.fixture
def tenant(sandbox_server: SandboxServer) -> Iterator[TenantUnderTest]:
    sandbox_server.control.options(rate_scale=1000, search_lag_s=0, old_style_429=False)
    sandbox_server.control.reset(seed=1, people=40, today=TODAY.isoformat())
    under_test = TenantUnderTest(sandbox_server)
    sandbox_server.control.clear_requests()
    yield under_test
    under_test.http.close()
