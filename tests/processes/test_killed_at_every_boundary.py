# ruff: noqa: T201
"""A process that dies at any moment of a change loses nothing and does nothing twice.

Each case is a process that kills itself (SIGKILL) at one call or return inside the portal's
code; run_until.py counts them. Afterwards clean processes sweep until everything is final,
and what the tenant has seen is compared with what the database says.

Which moments are tried: each one in the protocol itself and around a transaction, and a
sample of the others. KILL_SEED repeats a sample, KILL_CASES=0 tries every moment.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import pytest

from lifecycle.feishu.calls import Call
from tests.processes.portal import Portal

pytestmark = [pytest.mark.processes, pytest.mark.timeout(240)]

SEED = int(os.environ.get("KILL_SEED") or random.randrange(10**6))
OTHER_CASES = 24
CASES = int(os.environ.get("KILL_CASES") or 130)
MUST = ("protocol.py:", "settle.py:", "doorbell.py:", ":__exit__", ":_commit", "client.py:send")
# The effect of each verb.
OPERATIONS = {
    "convert_employee": "convert",
    "onboard_talent": "onboard_talent",
    "onboard_application": "onboard",
    "update_pre_hire": "update_pre_hire",
    "edit_offboarding": "edit_offboarding",
    "offboard_employee": "offboard",
}
# A count that differs by an event or two from run to run may let the last cases live.
SURVIVORS = 0.05


def moments(events: list[str], most: int) -> list[int]:
    """Numbers of the events to die at, first to last; 1 is the first."""
    everything = range(1, len(events) + 1)
    must = {number for number in everything if any(part in events[number - 1] for part in MUST)}
    others = sorted(set(everything) - must)
    left = len(others) if CASES == 0 else max(0, min(CASES, most) - len(must))
    chosen = must | set(random.Random(SEED).sample(others, min(left, len(others))))
    found = sorted(chosen)
    return found if len(found) <= most else sorted(random.Random(SEED).sample(found, most))


def whole_run(portal: Portal, step: str, subjects: list[Any]) -> list[str]:
    """The events of the second run: the first one also makes what is made only once."""
    _, events = portal.run_until(step, [(subject, 0) for subject in subjects], side_by_side=1)
    return list(events)


def kill_each(portal: Portal, step: str, subjects: list[Any], deaths: list[int]) -> None:
    statuses = portal.run_until(step, list(zip(subjects, deaths, strict=True)))
    count = Counter(statuses)
    print(f"{step}: seed {SEED}, {len(deaths)} moments up to {deaths[-1]}, ended {dict(count)}")
    assert set(count) <= {-9, 0}, portal.complaints[-4000:]
    assert count[0] <= SURVIVORS * len(deaths)


def assert_each_done_once(portal: Portal, posts: list[dict[str, Any]]) -> dict[str, Any]:
    """What has to be true of every change, whatever happened on the way."""
    settled = portal.ask("sweep_until_settled")
    assert settled == {"succeeded": len(posts)}
    report = portal.ask("report")
    assert_nothing_broken(portal, report, posts)
    seen = requests_by_change(portal, report)
    for change in report["changes"]:
        assert_told_whole_story(change, seen[change["id"]])
    return report


def assert_nothing_broken(
    portal: Portal, report: dict[str, Any], posts: list[dict[str, Any]]
) -> None:
    """The log is whole, each form is a change, each done change has its one effect, and the
    mirror holds what Feishu does."""
    assert report["log"]["bad_seq"] is None, report["log"]
    assert report["log"]["checked"] == report["entries"]
    assert report["violations"] == []
    assert sorted(change["key"] for change in report["changes"]) == sorted(
        post["key"] for post in posts
    )
    effects = defaultdict(list)
    for effect in portal.tenant.effects():
        effects[effect["subject"]].append(effect["operation"])
    for change in report["changes"]:
        done = [OPERATIONS[change["kind"]]]
        possible = [done] if change["status"] == "succeeded" else [done, []]
        assert effects[change["subject"]] in possible, change
        here, there = report["facts"][change["subject"]]
        assert here == there, change


def requests_by_change(portal: Portal, report: dict[str, Any]) -> dict[int, list[dict[str, Any]]]:
    by_record = {}
    for change in report["changes"]:
        call = Call.from_canonical(change["payload"])
        by_record[record_of(call.path, call.body or {})] = change["id"]
    seen = defaultdict(list)
    for request in portal.tenant.requests(writes=True):
        if "auth" not in request["path"]:
            seen[by_record[record_of(request["path"], request["body"])]].append(request)
    return seen


def record_of(path: str, body: dict[str, Any]) -> tuple[str, str]:
    """A4 names the record in its body alone."""
    return path, body.get("offboarding_id", "")


def flat(query: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, given in query.items()
        for value in (given if isinstance(given, list) else [given])
    ]


def assert_told_whole_story(change: dict[str, Any], requests: list[dict[str, Any]]) -> None:
    attempts = change["attempts"]
    assert [attempt["number"] for attempt in attempts] == list(range(1, len(attempts) + 1))
    assert all(attempt["outcome"] for attempt in attempts), change
    # Nothing reaches Feishu without an attempt that was committed before, for this very text.
    assert len(requests) <= len(attempts), change
    payload = json.loads(change["payload"])
    digest = hashlib.sha256(change["payload"].encode()).hexdigest()
    assert {change["payload_hash"], *(attempt["hash"] for attempt in attempts)} == {digest}
    for request in requests:
        assert request["body"] == payload["body"]
        assert sorted(flat(request["query"])) == sorted(map(tuple, payload["query"]))
    for number, request in enumerate(requests):
        assert attempts[number]["started_at"] * 1000 <= request["received_at"] + 1
    # Once Feishu has done it, it is never asked again: the portal looks before it repeats.
    assert [request["code"] for request in requests].count(0) == 1, requests
    assert requests[-1]["code"] == 0, requests
    events = [entry["event"] for entry in change["log"]]
    assert events[0] == "change.requested"
    assert events.count("change.requested") == events.count("change.succeeded") == 1
    assert events[-1] == "change.succeeded"
    sent = [
        entry["data"]["number"] for entry in change["log"] if entry["event"] == "change.sending"
    ]
    assert sent == [attempt["number"] for attempt in attempts]
    answered = {
        entry["data"]["number"]
        for entry in change["log"]
        if entry["event"] != "change.sending" and "number" in entry["data"]
    }
    assert answered == set(sent), change
    states = [entry["data"] for entry in change["log"] if "from" in entry["data"]]
    assert all(earlier["to"] == later["from"] for earlier, later in pairwise(states))


class TestKilledWorker:
    def test_while_it_sends(self, portal):
        probes = portal.ask("plans", first=0, count=2)
        events = whole_run(portal, "run_change", portal.ask("submit_all", posts=probes))
        deaths = moments(events, most=300)
        posts = portal.ask("plans", first=2, count=len(deaths))
        ids = portal.ask("submit_all", posts=posts)
        kill_each(portal, "run_change", ids, deaths)
        report = assert_each_done_once(portal, probes + posts)
        by_via = Counter(change["via"] for change in report["changes"])
        print(f"settled via {dict(by_via)}")
        # Some died before the attempt, some after Feishu did it: both must have been there.
        assert by_via["answer"] > 10
        assert by_via["readback"] > 10

    @pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
    def test_while_it_reads_back(self, portal, fault):
        """After drop_before the second look says "not applied" and it is sent again."""
        most = 110
        posts = portal.ask("plans", first=0, count=most + 2)
        ids = portal.ask("submit_all", posts=posts)
        portal.tenant.fault(fault, endpoint="A2", times=len(ids))
        assert set(portal.ask("run", change_ids=ids).values()) == {"verifying"}
        portal.tenant.clear_faults()
        if fault == "drop_before":
            assert set(portal.ask("run", change_ids=ids).values()) == {"verifying"}
        portal.ask("wait_until_due", change_ids=ids)
        deaths = moments(whole_run(portal, "run_change", ids[:2]), most=most)
        kill_each(portal, "run_change", ids[2 : len(deaths) + 2], deaths)
        report = assert_each_done_once(portal, posts)
        by_via = Counter(change["via"] for change in report["changes"])
        print(f"settled via {dict(by_via)}")
        if fault == "drop_after":
            assert by_via == {"readback": len(posts)}

    def test_while_it_sweeps(self, portal):
        """Sweepers that die again and again over work in every state, then one that lives."""
        posts = portal.ask("plans", first=0, count=45)
        ids = portal.ask("submit_all", posts=posts)
        portal.tenant.fault("drop_after", endpoint="A2", times=15)
        portal.ask("run", change_ids=ids[:15])
        portal.tenant.clear_faults()
        events = whole_run(portal, "run_change", ids[15:17])
        answered = events.index("return client.py:send") + 1
        portal.run_until("run_change", [(pk, answered) for pk in ids[17:30]])
        portal.ask("wait_until_due", change_ids=ids[:15])
        chance = random.Random(SEED)
        deaths = [chance.randrange(1, 2500) for _ in range(40)]
        print(f"sweep: seed {SEED}, deaths at {deaths}")
        statuses = portal.run_until("sweep", [(None, number) for number in deaths])
        assert -9 in statuses
        assert set(statuses) <= {-9, 0}
        assert_each_done_once(portal, posts)


class TestKilledWorkerOfOtherEndpoints:
    """Each endpoint has its own answer, its own reading, and its own rule for a repeat."""

    @pytest.mark.parametrize("verb", sorted(set(OPERATIONS) - {"convert_employee"}))
    def test_while_it_sends(self, portal, verb):
        probes = portal.ask("plans", first=0, count=2, verb=verb)
        events = whole_run(portal, "run_change", portal.ask("submit_all", posts=probes))
        around_the_send = [
            number
            for number, event in enumerate(events, 1)
            if any(part in event for part in ("protocol.py:", "client.py:send", ":_commit"))
        ]
        deaths = sorted(random.Random(SEED).sample(around_the_send, OTHER_CASES))
        posts = portal.ask("plans", first=2, count=len(deaths), verb=verb)
        assert len(posts) == len(deaths)
        kill_each(portal, "run_change", portal.ask("submit_all", posts=posts), deaths)
        report = assert_each_done_once(portal, probes + posts)
        print(f"settled via {dict(Counter(change['via'] for change in report['changes']))}")


class TestKilledWebProcess:
    def test_while_it_submits(self, portal):
        probes = portal.ask("plans", first=0, count=2)
        deaths = moments(whole_run(portal, "submit", probes), most=250)
        posts = portal.ask("plans", first=2, count=len(deaths))
        kill_each(portal, "submit", posts, deaths)
        report = portal.ask("report")
        stored = {change["key"] for change in report["changes"]}
        for change in report["changes"]:
            assert [entry["event"] for entry in change["log"]] == ["change.requested"], change
        # Both sides of the commit were tried, and the bell stands in the same transaction.
        assert 1 < len(stored) < len(posts)
        assert report["rings"] == len(stored)
        assert report["log"]["bad_seq"] is None
        ids = portal.ask("submit_all", posts=posts)
        assert portal.ask("submit_all", posts=posts) == ids
        assert_each_done_once(portal, probes + posts)
