"""The portal's check of its promises, and the page that shows it."""

from __future__ import annotations

import json

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from lifecycle import jobs, step_triggers
from lifecycle.errors.problems import NotAllowed
from lifecycle.models import ActionEntry, ChangeCheck, EndpointGate, StatusChange, WorkerBeat
from lifecycle.models.checks import LONGEST
from lifecycle.services import self_check

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(as_user, mei) -> Client:
    return as_user(mei)


@pytest.fixture
def broken(asking, bo, worker) -> StatusChange:
    """Called failed although Feishu confirmed it: what no step of the protocol leads to."""
    change = worker(asking.ask(bo))
    assert change.status == "succeeded"
    step_triggers.lift(connection)
    StatusChange.objects.filter(pk=change.pk).update(status="failed")
    return change


def logged(event: str) -> list[dict]:
    entries = ActionEntry.objects.filter(event=event).order_by("seq")
    return [json.loads(entry.body)["data"] for entry in entries]


class TestCheck:
    def test_of_the_night_finds_everything_in_order(self, asking, bo, worker):
        worker(asking.ask(bo))
        assert jobs.check_changes() == "kept"
        check = ChangeCheck.objects.get()
        assert (check.changes, check.violations, check.requested_by) == (1, [], None)
        assert logged("changes.checked") == [
            {"changes": 1, "check": check.pk, "state": "kept", "violations": 0}
        ]

    def test_names_what_does_not_fit(self, broken):
        assert jobs.check_changes() == "broken"
        check = ChangeCheck.objects.get()
        assert {one["change_id"] for one in check.violations} == {broken.pk}
        assert "I1-I3" in {one["invariant"] for one in check.violations}

    def test_asked_for_is_done_once(self, mei):
        check = self_check.request(acting_user=mei)
        assert self_check.request(acting_user=mei) == check
        assert OrmQ.objects.count() == 1
        assert jobs.check_changes(check.pk) == "kept"
        assert jobs.check_changes(check.pk) == ""
        assert self_check.request(acting_user=mei) != check
        assert [entry["check"] for entry in logged("changes.check_requested")] == [
            check.pk,
            check.pk + 1,
        ]

    def test_is_not_for_a_manager(self, li):
        with pytest.raises(NotAllowed):
            self_check.request(acting_user=li)


class TestPage:
    def test_says_which_part_stands_still(self, page):
        WorkerBeat.objects.create(name="queue", beat_at=timezone.now())
        text = page.get(reverse("health")).text
        assert "Not working as it should" in text
        assert text.count("Stands still") == 1  # the sweeper, never seen

    def test_counts_what_is_under_way_and_waits(self, page, asking, bo):
        asking.ask(bo)
        ahead_ms = int(timezone.now().timestamp() * 1000) + 60_000
        EndpointGate.objects.create(key="pause:A2", paused_until_ms=ahead_ms)
        text = page.get(reverse("health")).text
        assert "oldest of" in text
        assert "Feishu asked to wait until" in text

    def test_follows_a_check_to_its_end(self, page):
        page.post(reverse("start-change-check"))
        assert "every 2s" in page.get(reverse("health")).text
        jobs.check_changes(ChangeCheck.objects.get().pk)
        text = page.get(reverse("health"), HTTP_HX_REQUEST="true").text
        assert "everything as it should be" in text
        assert "every 10s" in text

    def test_does_not_wait_for_a_check_whose_worker_is_gone(self, page):
        begun = timezone.now() - LONGEST
        ChangeCheck.objects.create(state=ChangeCheck.State.RUNNING, requested_at=begun)
        assert "every 10s" in page.get(reverse("health")).text

    def test_does_not_say_that_changes_were_compared_when_the_check_broke_off(self, page):
        at = timezone.now()
        ChangeCheck.objects.create(state=ChangeCheck.State.FAILED, requested_at=at, finished_at=at)
        text = page.get(reverse("health")).text
        assert "The check broke off at" in text
        assert "compared" not in text

    def test_shows_what_was_found(self, page, broken):
        jobs.check_changes()
        text = page.get(reverse("health")).text
        assert reverse("change", args=[broken.pk]) in text
        assert "Each change has one effect, or none" in text
        assert "something is not as it should be" in text

    def test_takes_the_same_queries_however_much_is_under_way(
        self, page, asking, bo, django_assert_num_queries
    ):
        page.get(reverse("health"))
        with django_assert_num_queries(QUERIES):
            page.get(reverse("health"))
        asking.ask(bo)
        with django_assert_num_queries(QUERIES):
            page.get(reverse("health"))


QUERIES = 13
