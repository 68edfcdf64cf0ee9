"""A run that goes well looks like one that looked at nothing: each figure is seen to move."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.boundaries import BOUNDARIES, Deaths, rarest, wanted
from tests.chaos.evidence import Evidence, over_the_limit, tracebacks, turned_away
from tests.chaos.tally import Tally
from tests.processes.portal import BASE_DIR

PATH = "/open-apis/hire/v1/employees/71"


def change(status: str = "succeeded", via: str = "answer", **fields):
    return {
        "id": 1, "kind": "convert_employee", "status": status, "via": via, "problem": "",
        "payload": {"body": {"operation": 1}}, "payload_hash": "h",
        "call": {"method": "PATCH", "path": PATH, "query": []},
        "attempts": [{"number": 1, "hash": "h", "started_ms": 1000, "deadline_ms": 4000}],
    } | fields  # fmt: skip


def request(log_id: str = "a", received_at: int = 1100, **fields):
    return {
        "method": "PATCH", "path": PATH, "query": {}, "body": {"operation": 1},
        "log_id": log_id, "received_at": received_at, "code": 0, "fault": None,
    } | fields  # fmt: skip


def effect(log_id: str = "a"):
    return {"source": "api", "log_id": log_id, "operation": "convert", "subject": "71"}


def figures(changes, requests, effects) -> tuple[int, int, int]:
    found = Evidence(changes, requests, effects)
    return len(found.duplicates), len(found.lost), len(found.wrong)


class TestEvidence:
    def test_one_effect_of_one_attempt_is_as_it_should_be(self):
        assert figures([change()], [request()], [effect()]) == (0, 0, 0)

    def test_an_attempt_sent_twice_with_two_effects_counts_twice(self):
        requests = [request(), request("b", 1200)]
        assert figures([change()], requests, [effect(), effect("b")]) == (2, 0, 0)

    def test_a_request_without_an_attempt_and_its_effect_count(self):
        other = request("b", body={"operation": 2})
        assert figures([change()], [request(), other], [effect(), effect("b")]) == (2, 0, 0)

    def test_a_request_before_its_attempt_has_none(self):
        assert figures([change("failed")], [request(received_at=900)], [])[0] == 1

    def test_done_without_an_effect_is_lost(self):
        assert figures([change()], [request()], []) == (0, 1, 0)

    def test_refused_with_an_effect_is_lost(self):
        assert figures([change("failed", "")], [request()], [effect()]) == (0, 1, 0)

    def test_too_late_is_wrong(self):
        assert figures([change()], [request(received_at=6000)], [effect()]) == (0, 0, 1)


class TestLimits:
    def test_each_window_that_is_over_counts(self):
        path = "/open-apis/hire/v1/talents/7/onboard_status"
        came = [request(received_at=n * 1000, method="POST", path=path) for n in range(22)]
        assert over_the_limit(came[:20], scale=1) == []
        assert len(over_the_limit(came, scale=1)) == 2

    def test_turned_away_counts_unless_it_was_a_fault(self):
        refused = request(code=99991400)
        assert len(turned_away([request(), refused, refused | {"fault": "throttle"}])) == 1


class TestTracebacks:
    ENDED = "Traceback (most recent call last):\n  File x\n{}\n"

    @pytest.mark.parametrize(
        ("error", "on_sqlite", "on_postgres"),
        [
            ("KeyError: 'status'", 1, 1),
            ("django.db.utils.OperationalError: the connection is closed", 1, 0),
            ("RuntimeError: Q failed to start: sentinel exited with code 1", 1, 0),
            ("RuntimeError: Q failed to start: sentinel exited with code -9", 0, 0),
        ],
    )
    def test_what_has_a_good_reason_is_left_out(self, tmp_path, error, on_sqlite, on_postgres):
        said = tmp_path / "worker-1.txt"
        said.write_text(self.ENDED.format(error))
        found = [len(tracebacks(said, database_goes_away=away)) for away in (False, True)]
        assert found == [on_sqlite, on_postgres]

    def test_others_write_between_its_lines(self, tmp_path):
        said = tmp_path / "worker-1.txt"
        said.write_text(
            "Process Process-1:\nTraceback (most recent call last):\n"
            "2026-11-21 17:27:30,477 ERROR run_worker The sweep failed\n"
            "  File x\ndjango.db.utils.OperationalError: the connection is closed\n"
        )
        assert tracebacks(said, database_goes_away=True) == []
        assert len(tracebacks(said, database_goes_away=False)) == 1


class TestTally:
    def test_says_all_in_one_line(self):
        tally = Tally(2003, 1043, 1398, 1861, 0, 0, 0, 0)
        assert tally.is_clean
        assert tally.line == (
            "chaos: changes=2003 faults=1043 kills=1398 effects=1861"
            " duplicates=0 lost=0 unsettled=0 limit_trips=0"
        )

    def test_what_was_not_counted_is_not_clean(self):
        tally = Tally()
        tally.count("lost", ["a", "b"])
        tally.count("lost", ["c"])
        assert (tally.lost, tally.duplicates, tally.is_clean) == (3, None, False)
        assert "duplicates=unknown lost=3" in tally.line


DIES = """
import contextlib
import os
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "hrportal.settings"

import django

django.setup()

from lifecycle.services.approvals import approve_change
from tests.chaos.boundaries import Deaths, dying_at

key = "approve / undo_conversion / agreed"
with dying_at(key, Deaths(Path({file!r}))), contextlib.suppress(AttributeError):
    approve_change(None, payload_hash="", pre_image_hash="", acting_user=None, at=None)
"""


class TestBoundaries:
    def test_each_names_functions_there_are(self):
        """Or a run would never come to it, and not say so."""
        code = {
            "/".join(path.parts[-2:]): path.read_text()
            for path in Path(BASE_DIR / "lifecycle").rglob("*.py")
        }
        events = {
            event for names in BOUNDARIES.values() for path in names.values() for event in path
        }
        for event in events - {"return base/base.py:_commit"}:
            file, function = event.split()[1].split(":")
            assert f"def {function}(" in code[file], event

    def test_the_rarest_is_next(self, tmp_path):
        deaths = Deaths(tmp_path / "deaths.txt")
        for name in list(BOUNDARIES["lease"])[:-1]:
            (tmp_path / "deaths.txt").open("a").write(f"lease / offboard_employee / {name}\n")
        key, times = rarest("lease", "offboard_employee", deaths.count(), random.Random(1))
        assert (key, times) == ("lease / offboard_employee / silence committed", 0)
        assert key in wanted({"offboard_employee"}, "undo_conversion")

    def test_a_process_dies_there_and_says_where(self, tmp_path):
        file = tmp_path / "deaths.txt"
        code = DIES.format(file=str(file))
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=BASE_DIR,
            env={**os.environ, "HRPORTAL_LOCAL": "1", "HRPORTAL_VAR_DIR": str(tmp_path)},
            check=False,
        )
        assert done.returncode == -signal.SIGKILL
        assert file.read_text() == "approve / undo_conversion / agreed\n"
