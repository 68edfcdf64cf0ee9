"""Any order of requests, faults, deaths, console edits and verdicts, and what always holds.

The rules stand in properties/machine.py, what has to hold in properties/watch.py; a failure
names the invariant that fell. The ordinary suite takes the same cases every time;
`PROTOCOL_EXAMPLES=500 PROTOCOL_STEPS=50` runs longer, over new ones, and `PROTOCOL_SEED`
repeats them.
"""

from __future__ import annotations

import json
import os
import random
from datetime import timedelta

import pytest
from django.conf import settings as portal
from django.utils import timezone

from lifecycle.services import changes as change_services
from tests.changes.properties import running
from tests.changes.properties.machine import World
from tests.changes.properties.verbs import KINDS

EXAMPLES = int(os.environ.get("PROTOCOL_EXAMPLES", "8"))
STEPS = int(os.environ.get("PROTOCOL_STEPS", "10"))
IS_LONG = "PROTOCOL_EXAMPLES" in os.environ
PARTS = 2
SETTLE_AFTER = dict(portal.SETTLE_AFTER)


@pytest.fixture
def world(mirrored, settings) -> World:
    tenant = mirrored(*KINDS)
    settings.SETTLE_AFTER = SETTLE_AFTER
    settings.SEND_DEADLINE = timedelta(seconds=2)
    for name, value in running.SETTINGS.items():
        setattr(settings, name, value)
    return running.make_world(tenant)


@pytest.mark.django_db
class TestLookAgain:
    def test_at_a_change_that_was_never_sent_reads_nothing_back(
        self, asking, bo, mirror, worker, hua
    ):
        """It went stale unsent; since then somebody has done it in the console."""
        change = asking.ask(bo)
        mirror.patch("employees", bo.feishu_id, onboard_status=2, overboard_time=1767110400000)
        assert worker(change).status == "needs_attention"
        wanted = json.loads(change.payload)["body"]["conversion_info"]["actual_conversion_time"]
        mirror.patch(
            "employees",
            bo.feishu_id,
            onboard_status=1,
            overboard_time=0,
            conversion_status=2,
            actual_conversion_time=wanted,
        )
        change_services.decide_change(
            change, verdict="look_again", reason="?", acting_user=hua, at=timezone.now()
        )
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert mirror.requests(writes=True) == []


@pytest.mark.thorough
@pytest.mark.django_db
def test_each_endpoint_is_silent_in_each_way(world):
    running.run_each(world)


@pytest.mark.thorough
@pytest.mark.django_db
def test_workers_are_overtaken_at_each_moment(world):
    running.run_each_moment(world)


@pytest.mark.django_db
@pytest.mark.timeout(0)
@pytest.mark.parametrize("part", range(PARTS))
def test_protocol_keeps_its_promises(world, part):
    first = int(os.environ.get("PROTOCOL_SEED") or (random.randrange(10**6) if IS_LONG else 1))
    print(f"PROTOCOL_SEED={first}")  # noqa: T201
    running.run(world, examples=EXAMPLES // PARTS, steps=STEPS, seed=first + part)
