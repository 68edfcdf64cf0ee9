"""Fixtures of the Feishu client's tests."""

from __future__ import annotations

from collections.abc import Iterator

import hypothesis
import pytest

from lifecycle.feishu.client import Client, Timeouts
from lifecycle.feishu.limits import ProcessLimiter

from .servers import Recorder

# How fast a shared machine makes up examples says nothing about our code.
hypothesis.settings.register_profile(
    "any-machine",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("any-machine")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "oracle: compares us with the vendor's SDK")


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder().running() as recorder:
        yield recorder


@pytest.fixture
def client(recorder: Recorder) -> Client:
    return client_for(recorder.url)


def client_for(url: str, *, total_s: float = 3.0, read_s: float = 2.0) -> Client:
    """A client that waits briefly, sleeps not at all between repeats and is never paced."""
    return Client(
        base_url=url,
        app_id="cli_test",
        app_secret="secret-of-the-app",
        limiter=ProcessLimiter(scale=1000),
        timeouts=Timeouts(connect_s=0.5, read_s=read_s, total_s=total_s),
        sleep=lambda seconds: None,
    )
