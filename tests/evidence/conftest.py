"""A log with a key to sign it, and somebody who can take the triggers away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from lifecycle import action_log, append_only
from lifecycle.evidence import checkpoints, keys
from tests.views.conftest import _a_browser_on_this_machine, as_user, li, zhou

__all__ = ["_a_browser_on_this_machine", "as_user", "li", "zhou"]


def write(count: int, *, first: int = 1) -> None:
    for number in range(first, first + count):
        action_log.record(
            "change.requested",
            actor=None,
            data={"kind": "convert_employee", "subject_id": f"号{number}"},
            private={"reason": f"because of {number}"},
        )


@pytest.fixture
def key_file(tmp_path: Path, settings) -> Path:
    """A signing key of this test's own."""
    return new_key(tmp_path / "log_key.pem", settings)


def new_key(path: Path, settings) -> Path:
    pem, _ = keys.make_key()
    path.write_bytes(pem)
    path.chmod(0o600)
    settings.LOG_SIGNING_KEY_FILE = str(path)
    return path


@pytest.fixture
def outside(tmp_path: Path, settings) -> Path:
    """A folder for checkpoints."""
    settings.LOG_CHECKPOINT_DIR = str(tmp_path / "checkpoints")
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


@pytest.fixture
def sign(key_file: Path) -> Callable[[], None]:
    def step() -> None:
        at = timezone.now()
        assert checkpoints.sign(at)
        checkpoints.send_out(at)

    return step


@pytest.fixture
def forger(db, sign, outside):
    """30 entries with checkpoints at 10, 20 and 27, signed and exported, in the hands of the
    database's owner. The triggers come back with the end of the test's transaction."""
    for first, count in ((1, 10), (11, 10), (21, 7)):
        write(count, first=first)
        sign()
    write(3, first=28)
    append_only.lift(connection)
