"""The portal pointed at the second server, and its mirror filled from there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from lifecycle.services import sync

from .server import APP_ID, APP_SECRET, SecondServer


@pytest.fixture(scope="session")
def second_server() -> Iterator[SecondServer]:
    with SecondServer() as server:
        yield server


@pytest.fixture
def feishu(second_server: SecondServer, settings) -> Iterator[SecondServer]:
    """A fresh company. After the test nothing may have been asked that the pages do not know."""
    second_server.start_afresh()
    settings.FEISHU_BASE_URL = second_server.url
    settings.FEISHU_APP_ID = APP_ID
    settings.FEISHU_APP_SECRET = APP_SECRET
    settings.FEISHU_RATE_SCALE = 1000
    settings.SEND_DEADLINE = timedelta(seconds=2)
    settings.SETTLE_AFTER = {name: timedelta(0) for name in settings.SETTLE_AFTER}
    settings.SETTLE_READ_GAP = timedelta(0)
    yield second_server
    assert second_server.findings == []


@pytest.fixture
def synced(feishu: SecondServer, db) -> SecondServer:
    """The mirror, filled from the second server."""
    runs = {kind: sync.sync_kind(kind) for kind in sync.KINDS}
    assert {kind: run.state for kind, run in runs.items()} == dict.fromkeys(sync.KINDS, "done")
    feishu.forget()
    return feishu
