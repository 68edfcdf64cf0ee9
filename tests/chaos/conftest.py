"""The summary: the last line on standard output, and what it does to the exit status."""

from __future__ import annotations

import pytest

from tests.chaos.tally import Tally

TALLY = pytest.StashKey[Tally]()


@pytest.fixture(scope="session")
def tally(request: pytest.FixtureRequest) -> Tally:
    """Made by the first chaos test that is really run."""
    return request.config.stash.setdefault(TALLY, Tally())


def pytest_sessionfinish(session: pytest.Session) -> None:
    tally = session.config.stash.get(TALLY, None)
    if tally is not None and not tally.is_clean:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure(config: pytest.Config) -> None:
    tally = config.stash.get(TALLY, None)
    if tally is not None:
        config.get_terminal_writer().line(tally.line)
