"""Several processes at the same work at the same time."""

from __future__ import annotations

import time
from collections import Counter
from uuid import uuid4

import pytest

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

# Long enough for every process to be up: they start together at a moment given beforehand.
HEAD_START_S = 4.0
LOCKED = "database is locked"


class TestWorkersAndSweeper:
    def test_convert_each_of_forty_once(self, portal):
        posts = portal.ask("plans", first=0, count=40)
        ids = portal.ask("submit_all", posts=posts)
        starts_at = time.time() + HEAD_START_S
        workers = [
            portal.start_asking("run_at_once", change_ids=ids, seed=seed, starts_at=starts_at)
            for seed in (1, 2)
        ]
        sweeper = portal.start_asking("sweep_at_once", starts_at=starts_at, seconds=3)
        for process in (*workers, sweeper):
            portal.answer(process)
        assert portal.ask("sweep_until_settled") == {"succeeded": 40}
        assert LOCKED not in portal.complaints
        assert "Traceback" not in portal.complaints
        assert Counter(portal.tenant.operations()) == {"convert": 40}
        assert len(portal.tenant.requests(writes=True)) - tokens(portal) == 40
        report = portal.ask("report")
        assert all(len(change["attempts"]) == 1 for change in report["changes"])
        assert {change["via"] for change in report["changes"]} == {"answer"}
        assert report["log"] == {"checked": report["entries"], "bad_seq": None, "fault": ""}


def tokens(portal) -> int:
    return sum("auth" in request["path"] for request in portal.tenant.requests(writes=True))


class TestSubmittingTheSameForm:
    def test_eight_times_at_once_is_one_change(self, portal):
        (post,) = portal.ask("plans", first=0, count=1)
        starts_at = time.time() + HEAD_START_S * 2
        processes = [
            portal.start_asking(
                "submit_at_once", post=post, keys=[post["key"]] * 3, starts_at=starts_at
            )
            for _ in range(8)
        ]
        ids = {pk for process in processes for pk in portal.answer(process)}
        assert len(ids) == 1
        report = portal.ask("report")
        assert len(report["changes"]) == report["rings"] == 1
        assert [entry["event"] for entry in report["changes"][0]["log"]] == ["change.requested"]
        assert LOCKED not in portal.complaints

    def test_from_several_windows_is_refused_but_once(self, portal):
        """Each window has a key of its own; a second open change of one person is blocked."""
        (post,) = portal.ask("plans", first=0, count=1)
        starts_at = time.time() + HEAD_START_S
        processes = [
            portal.start_asking(
                "submit_at_once", post=post, keys=[str(uuid4())], starts_at=starts_at
            )
            for _ in range(4)
        ]
        answers = Counter(type(answer) for p in processes for answer in portal.answer(p))
        assert answers == {int: 1, str: 3}
        assert portal.ask("sweep_until_settled") == {"succeeded": 1}
        assert portal.tenant.operations(post["subject"]) == ["convert"]


class TestActionLog:
    def test_appended_by_four_processes_has_no_fork_and_no_gap(self, portal):
        already = portal.ask("report")["entries"]
        starts_at = time.time() + HEAD_START_S
        processes = [
            portal.start_asking("append", entries=60, starts_at=starts_at) for _ in range(4)
        ]
        assert [portal.answer(process) for process in processes] == [60] * 4
        report = portal.ask("report")
        total = already + 240
        assert report["entries"] == total
        assert report["log"] == {"checked": total, "bad_seq": None, "fault": ""}
        assert LOCKED not in portal.complaints
