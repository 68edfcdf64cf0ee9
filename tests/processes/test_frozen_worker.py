"""A worker that is stopped for a while (a paused virtual machine) and then goes on.

By then somebody else has read back, concluded that nothing was applied and sent it again.
What the first one still holds in its hands must not leave.
"""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.processes.portal import Portal

pytestmark = [pytest.mark.processes, pytest.mark.timeout(120)]

MOMENTS = (
    "return protocol.py:_begin_attempt",
    "call client.py:send",
    "call transport.py:write",
    "call connections.py:before_sending",
)


def freeze(portal: Portal, change_id: int, event: int) -> subprocess.Popen[str]:
    process = portal.start("-m", "tests.processes.run_until", "freeze")
    tell(process, json.dumps({"name": "run_change", "about": change_id, "event": event}))
    assert process.stdout is not None
    assert process.stdout.readline() == "frozen\n"
    return process


def tell(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


class TestFrozenWorker:
    def test_sends_nothing_when_it_goes_on_too_late(self, portal):
        posts = portal.ask("plans", first=0, count=2 + len(MOMENTS))
        ids = portal.ask("submit_all", posts=posts)
        _, events = portal.run_until("run_change", [(pk, 0) for pk in ids[:2]], side_by_side=1)
        # The last of its name: getting a token is an exchange too, before the attempt.
        at = [len(events) - events[::-1].index(moment) for moment in MOMENTS]
        frozen = [freeze(portal, pk, event) for pk, event in zip(ids[2:], at, strict=True)]
        before = portal.ask("report")["changes"][2:]
        assert {change["status"] for change in before} == {"in_flight"}
        assert portal.ask("sweep_until_settled") == {"succeeded": len(posts)}
        for process in frozen:
            tell(process, "go on")
        assert [portal.answer(process) for process in frozen] == [0] * len(frozen)
        requests = [request["path"] for request in portal.tenant.requests(writes=True)]
        for moment, change in zip(MOMENTS, portal.ask("report")["changes"][2:], strict=True):
            assert change["status"] == "succeeded"
            assert [attempt["outcome"] for attempt in change["attempts"]] == ["unknown", "applied"]
            sent = [path for path in requests if path.endswith(change["subject"])]
            assert len(sent) == 1, moment
            assert portal.tenant.operations(change["subject"]) == ["convert"]
