"""The published rates, kept together by every thread and process on one database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from itertools import pairwise

import pytest
from django.db import connection, connections, transaction

from lifecycle.feishu.endpoints import Endpoint, Window
from lifecycle.models import EndpointGate
from lifecycle.remote import DatabaseLimiter, errors

pytestmark = pytest.mark.usefixtures("lifted_log")

TWO_WINDOWS = (Window(12, 1), Window(20, 3))
PATIENCE_S = 30.0


def endpoint(*windows: Window) -> Endpoint:
    return Endpoint(f"test.{time.time_ns()}", "GET", "/open-apis/test", windows)


def limiter() -> DatabaseLimiter:
    return DatabaseLimiter(scale=1)


def take(target: Endpoint, count: int, *, background: bool = False) -> list[float]:
    """When each of so many calls might leave."""
    left = []
    for _ in range(count):
        limiter().acquire(target, background=background, give_up_after_s=PATIENCE_S)
        left.append(time.time())
    return left


def in_threads(count: int, work) -> list[float]:
    """All departures of so many threads, in order."""
    left: list[float] = []

    def run() -> None:
        try:
            left.extend(work())
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(left)


def most_within(left: list[float], seconds: float) -> int:
    """The largest number of departures in any sliding window."""
    return max(
        sum(start <= moment < start + seconds for moment in left[index:])
        for index, start in enumerate(left)
    )


def assert_within(left: list[float], windows: tuple[Window, ...]) -> None:
    for window in windows:
        # A departure is noted some milliseconds after it was allowed.
        assert most_within(left, window.seconds - 0.03) <= window.calls


IN_ANOTHER_PROCESS = """
import json, sys, django
django.setup()
from django.db import connections
connections.databases["default"]["NAME"] = sys.argv[1]
from lifecycle.feishu.endpoints import Endpoint, Window
from tests.limits.test_database_limiter import take
target = Endpoint(sys.argv[2], "GET", "/", (Window(12, 1), Window(20, 3)))
print(json.dumps(take(target, 8)))
"""


@pytest.mark.thorough
class TestWindows:
    def test_hold_across_threads(self):
        target = endpoint(*TWO_WINDOWS)
        left = in_threads(4, lambda: take(target, 7))
        assert len(left) == 28
        assert_within(left, TWO_WINDOWS)

    def test_hold_across_processes(self):
        target = endpoint(*TWO_WINDOWS)
        environment = os.environ | {"DJANGO_SETTINGS_MODULE": "hrportal.settings"}
        name = connection.settings_dict["NAME"]
        others = [
            subprocess.Popen(
                [sys.executable, "-c", IN_ANOTHER_PROCESS, str(name), target.name],
                stdout=subprocess.PIPE,
                env=environment,
                text=True,
            )
            for _ in range(3)
        ]
        left = sorted(
            moment for other in others for moment in json_of(other.communicate(timeout=60)[0])
        )
        assert len(left) == 24
        assert_within(left, TWO_WINDOWS)

    def test_are_made_use_of(self):
        """Slower than published is a fault too: the pace is 95 % of it."""
        target = endpoint(Window(50, 1))
        left = in_threads(3, lambda: take(target, 30))
        assert left[-1] - left[0] < 90 / 50 * 1.35

    def test_of_one_endpoint_do_not_hold_up_another(self):
        take(endpoint(Window(1, 60)), 1)
        started = time.monotonic()
        take(endpoint(Window(1, 60)), 1)
        assert time.monotonic() - started < 1

    def test_that_are_not_published_cost_no_query(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            take(endpoint(), 5)

    def test_grow_with_the_plan_of_the_tenant(self):
        target = endpoint(Window(2, 60))
        for _ in range(3):
            DatabaseLimiter(scale=20000).acquire(target, background=False, give_up_after_s=1)


@pytest.mark.thorough
class TestBackgroundShare:
    def test_leaves_room_for_people(self):
        """The background keeps to 60 %; a person who comes along does not wait behind it."""
        target = endpoint(Window(20, 1))
        left = in_threads(2, lambda: take(target, 12, background=True))
        assert most_within(left, 0.97) <= 12
        gaps = [later - earlier for earlier, later in pairwise(left)]
        assert sum(gaps) / len(gaps) > 1 / 12.5

    def test_and_what_people_do_stay_within_the_window_together(self):
        target = endpoint(Window(20, 1))
        background = threading.Thread(
            target=lambda: (
                found.extend(take(target, 14, background=True)),
                connections.close_all(),
            )
        )
        found: list[float] = []
        background.start()
        people = take(target, 20)
        background.join()
        assert_within(sorted(people + found), target.windows)


class TestPause:
    def test_stops_everybody_until_it_ends(self):
        target = endpoint(Window(50, 1))
        take(target, 1)
        paused_at = time.time()
        limiter().pause(target, 1.0)
        left = in_threads(3, lambda: take(target, 2))
        assert min(left) >= paused_at + 0.99

    def test_is_never_cut_short_by_a_shorter_one(self):
        target = endpoint(Window(50, 1))
        limiter().pause(target, 60)
        limiter().pause(target, 0.1)
        with pytest.raises(errors.LimiterBusy):
            limiter().acquire(target, background=False, give_up_after_s=1)

    def test_leaves_other_endpoints_alone(self):
        limiter().pause(endpoint(Window(50, 1)), 60)
        take(endpoint(Window(50, 1)), 1)


class TestPatience:
    def test_ends_at_once_when_it_would_take_longer(self):
        target = endpoint(Window(1, 60))
        take(target, 1)
        started = time.monotonic()
        with pytest.raises(errors.LimiterBusy) as busy:
            limiter().acquire(target, background=False, give_up_after_s=5)
        assert time.monotonic() - started < 1
        assert 55 < busy.value.retry_after_s <= 64

    def test_that_ended_has_taken_nothing(self):
        target = endpoint(Window(4, 1), Window(1, 60))
        take(target, 1)
        before = dict(EndpointGate.objects.values_list("key", "tat_ms"))
        with pytest.raises(errors.LimiterBusy):
            limiter().acquire(target, background=True, give_up_after_s=0)
        after = dict(EndpointGate.objects.values_list("key", "tat_ms"))
        assert {key: after[key] for key in before} == before

    def test_is_not_taken_inside_a_transaction(self):
        """A slot taken in one would be given back by its rollback, and would keep the others
        waiting for its end."""
        with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
            limiter().acquire(endpoint(Window(1, 60)), background=False, give_up_after_s=1)


def json_of(text: str) -> list[float]:
    moments: list[float] = json.loads(text)
    return moments
