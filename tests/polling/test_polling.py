"""What is read when: by itself, at night as a whole, on request, and not while it is paused."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle import jobs
from lifecycle.errors.problems import NotAllowed, NotFound
from lifecycle.models import ActionEntry, SyncPlan, SyncRun
from lifecycle.services import polling, sync

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def a_run(kind: str, *, ago: timedelta, state: str = "done", since=None) -> SyncRun:
    started_at = timezone.now() - ago
    return SyncRun.objects.create(
        kind=kind,
        state=state,
        started_at=started_at,
        lease_until=started_at + sync.LEASE,
        finished_at=None if state == "running" else started_at,
        since=since,
    )


def due() -> set[str]:
    at = timezone.now()
    return {name for name, plan in polling.plans(at=at).items() if plan.is_due(at)}


class TestDue:
    def test_is_everything_at_first(self, db):
        assert due() == set(sync.KINDS)

    def test_is_what_was_read_long_enough_ago(self, settings):
        for kind in sync.KINDS:
            a_run(kind, ago=timedelta(minutes=4))
        assert due() == {"pre_hires", "offboardings"}
        settings.POLL_MINUTES = settings.POLL_MINUTES | {"talents": 2, "pre_hires": 5}
        assert due() == {"offboardings", "talents"}

    def test_is_nothing_that_is_paused(self, hua):
        polling.pause("pre_hires", is_paused=True, acting_user=hua, at=timezone.now())
        assert "pre_hires" not in due()
        polling.pause("pre_hires", is_paused=False, acting_user=hua, at=timezone.now())
        assert "pre_hires" in due()
        events = ActionEntry.objects.order_by("pk").values_list("event", flat=True)
        assert list(events) == ["sync.paused", "sync.resumed"]

    def test_is_what_somebody_wants_even_when_paused(self, hua):
        a_run("talents", ago=timedelta(0))
        polling.pause("talents", is_paused=True, acting_user=hua, at=timezone.now())
        polling.request_kind("talents", acting_user=hua, at=timezone.now())
        assert "talents" in due()

    def test_is_a_pass_that_was_cut_off(self):
        for kind in sync.KINDS:
            a_run(kind, ago=timedelta(0))
        a_run("contacts", ago=timedelta(minutes=10), state="running")
        assert due() == {"contacts"}

    def test_waits_for_another_process(self):
        a_run("contacts", ago=timedelta(0), state="running")
        assert polling.poll(["contacts", "departments"], at=timezone.now()) == []


class TestHowMuchIsRead:
    def at(self, hour: int) -> datetime:
        return datetime(2026, 11, 21, hour, 30, tzinfo=SHANGHAI)

    @pytest.mark.parametrize(("hour", "day"), [(2, 20), (3, 21), (23, 21), (0, 20)])
    def test_the_night_begins_at_its_hour(self, hour, day):
        night = polling.last_night(self.at(hour))
        assert (night.astimezone(SHANGHAI).day, night.astimezone(SHANGHAI).hour) == (day, 3)

    def test_is_everything_once_a_night(self):
        assert polling.since_when("talents", at=timezone.now()) is None
        run = a_run("talents", ago=timedelta(0))
        at = polling.last_night(timezone.now()) + timedelta(hours=24)
        SyncRun.objects.update(started_at=at - timedelta(minutes=1))
        run.refresh_from_db()
        before = at - timedelta(seconds=1)
        assert polling.since_when("talents", at=before) == run.started_at - sync.CLOCKS_APART
        assert polling.since_when("talents", at=at) is None

    def test_is_everything_when_somebody_asks(self, hua):
        a_run("talents", ago=timedelta(0))
        polling.request_kind("talents", acting_user=hua, at=timezone.now())
        assert polling.since_when("talents", at=timezone.now()) is None

    def test_is_little_between_the_nights(self, sandbox):
        assert jobs.poll() > 0
        assert set(SyncRun.objects.values_list("kind", flat=True)) == set(sync.KINDS)
        SyncRun.objects.update(started_at=timezone.now() - timedelta(hours=2))
        sandbox.clear_requests()
        night = polling.last_night(timezone.now())
        SyncRun.objects.update(started_at=max(night, timezone.now() - timedelta(hours=2)))
        polling.poll_kind("applications")
        assert not SyncRun.objects.order_by("-pk")[0].is_whole
        asked = [request["path"] for request in sandbox.requests()]
        assert len(asked) < 10, asked


class TestAsking:
    def test_is_not_for_everybody(self, ana):
        with pytest.raises(NotAllowed):
            polling.request_kind("talents", acting_user=ana, at=timezone.now())
        with pytest.raises(NotAllowed):
            polling.pause("talents", is_paused=True, acting_user=ana, at=timezone.now())

    def test_knows_its_kinds(self, hua):
        with pytest.raises(NotFound):
            polling.request_kind("nothing", acting_user=hua, at=timezone.now())
        assert not SyncPlan.objects.exists()

    def test_stands_on_the_page(self, as_user, hua):
        client = as_user(hua)
        a_run("talents", ago=timedelta(0))
        client.post(reverse("pause-kind", args=["talents"]), {"pause": "1"})
        page = client.get(reverse("sync")).content.decode()
        assert "Paused" in page
        client.post(reverse("start-kind", args=["talents"]))
        assert SyncPlan.objects.get().wanted_at is not None
        assert client.post(reverse("start-kind", args=["nothing"])).status_code == 404
