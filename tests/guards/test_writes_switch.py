"""The switch that stops all writes: nothing is sent after it, and all goes on after it."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.utils import timezone
from django_q.models import OrmQ

from lifecycle import action_log, jobs
from lifecycle.changes import guards, protocol
from lifecycle.errors.problems import GuardRefused, NotAllowed
from lifecycle.models import ActionEntry, Attempt, StatusChange, WritesSwitch
from lifecycle.services import guards as guard_service

pytestmark = pytest.mark.django_db


def stop(user=None, reason: str = "wrong list"):
    return guard_service.stop_writes(reason=reason, acting_user=user, at=timezone.now())


def start(user=None, reason: str = "list is right now"):
    return guard_service.start_writes(reason=reason, acting_user=user, at=timezone.now())


class TestWhileStopped:
    def test_a_change_waits_and_nothing_is_sent(self, asking, bo, mei, mirror, worker):
        change = asking.ask(bo)
        stop(mei)
        before = timezone.now()
        worker(change)
        assert (change.status, change.problem) == ("approved", "guard.writes-stopped")
        assert before < change.next_run_at < timezone.now() + timedelta(seconds=30)
        assert not change.attempts.exists()
        assert not mirror.requests(writes=True)

    def test_it_is_logged_once_however_often_it_is_looked_at(self, asking, bo, mei, worker):
        change = asking.ask(bo)
        stop(mei)
        for minutes in (0, 1, 2):
            worker(change, later=timedelta(minutes=minutes))
        entries = ActionEntry.objects.filter(event="change.postponed", change_id=change.pk)
        assert entries.count() == 1
        assert "stopped" in action_log.sentence(entries.get()).en

    def test_planning_and_confirming_stay_possible(self, asking, bo, mei):
        stop(mei)
        plan = asking.plan(bo)
        assert not plan.is_blocked
        assert asking.confirm(plan).status == "approved"

    def test_what_was_sent_before_is_settled(self, asking, bo, mei, mirror, worker):
        change = asking.ask(bo)
        mirror.fault("drop_after", endpoint="A2")
        worker(change)
        assert change.status == "verifying"
        stop(mei)
        worker(change, later=timedelta(minutes=1))
        assert (change.status, change.settled_via) == ("succeeded", "readback")

    def test_what_was_not_applied_is_not_sent_again(
        self, asking, bo, mei, mirror, worker, settings
    ):
        settings.SETTLE_READ_GAP = timedelta(0)
        change = asking.ask(bo)
        mirror.fault("drop_before", endpoint="A2")
        worker(change)
        stop(mei)
        mirror.clear_requests()
        for minutes in (1, 2, 3):
            worker(change, later=timedelta(minutes=minutes))
        assert change.problem == "guard.writes-stopped"
        assert not mirror.requests(writes=True)

    def test_a_stop_after_the_look_comes_in_time(self, asking, bo, mei, mirror):
        """The attempt is what counts: it is not committed once the stop has been."""
        change = asking.ask(bo)
        stop(mei)
        claimed = protocol._claim(change.pk, timezone.now())
        with pytest.raises(guards.WritesStopped):
            protocol._begin_attempt(claimed)
        assert not Attempt.objects.exists()
        change.refresh_from_db()
        assert (change.status, change.version) == ("approved", 0)

    def test_held_changes_do_not_keep_others_from_being_settled(self, asking, two, mei, worker):
        held, sent = (asking.ask(employee) for employee in two)
        for status in ("in_flight", "verifying"):
            StatusChange.objects.filter(pk=sent.pk).update(
                status=status, verifying_since=timezone.now()
            )
        stop(mei)
        assert protocol.due(timezone.now()) == [sent.pk, held.pk]


class TestGoingOn:
    def test_what_waited_is_due_at_once_and_in_its_order(
        self, asking, two, mei, zhou, mirror, worker
    ):
        stop(mei)
        later, earlier = (asking.ask(employee) for employee in two)
        StatusChange.objects.filter(pk=earlier.pk).update(
            effective_at=earlier.effective_at - timedelta(hours=1)
        )
        for change in (later, earlier):
            worker(change)
        assert protocol.due(timezone.now()) == []
        OrmQ.objects.all().delete()
        assert start(zhou) == 2
        assert protocol.due(timezone.now()) == [earlier.pk, later.pk]
        assert OrmQ.objects.count() == 2
        jobs.sweep()
        for change in (later, earlier):
            change.refresh_from_db()
            assert (change.status, change.problem) == ("succeeded", "")
        written = [request["path"].rsplit("/", 1)[1] for request in mirror.requests(writes=True)]
        assert written == [earlier.subject_id, later.subject_id]

    def test_a_later_day_stays_a_later_day(self, asking, bo, mei, zhou):
        tomorrow = timezone.localdate() + timedelta(days=1)
        change = asking.ask(bo, converted_on=tomorrow)
        stop(mei)
        start(zhou)
        assert protocol.due(timezone.now()) == []
        change.refresh_from_db()
        assert change.next_run_at == change.effective_at


class TestWhoMay:
    def test_hr_stops_and_an_administrator_starts(self, mei, zhou):
        stop(mei)
        with pytest.raises(NotAllowed):
            start(mei)
        start(zhou)
        stop(zhou)
        assert guards.present_stop().stopped_by == zhou

    def test_nobody_else_does_either(self, ana, mei):
        with pytest.raises(NotAllowed):
            stop(ana)
        stop(mei)
        with pytest.raises(NotAllowed):
            start(ana)

    @pytest.mark.parametrize("reason", ["", " \n "])
    def test_not_without_a_reason(self, mei, zhou, reason):
        with pytest.raises(GuardRefused) as refusal:
            stop(mei, reason)
        assert (refusal.value.notice.code, refusal.value.http_status) == (
            "guard.reason-missing",
            422,
        )
        stop(mei)
        with pytest.raises(GuardRefused):
            start(zhou, reason)

    def test_not_twice(self, mei, zhou):
        with pytest.raises(GuardRefused) as refusal:
            start(zhou)
        assert (refusal.value.notice.code, refusal.value.http_status) == ("guard.not-stopped", 409)
        stop(mei)
        with pytest.raises(GuardRefused) as refusal:
            stop(zhou, "another reason")
        assert refusal.value.notice.code == "guard.already-stopped"
        assert guards.present_stop().reason == "wrong list"

    def test_both_are_logged_with_a_private_reason(self, mei, zhou):
        stop(mei)
        start(zhou)
        entries = ActionEntry.objects.filter(event__startswith="writes.").order_by("seq")
        assert [entry.event for entry in entries] == ["writes.stopped", "writes.started"]
        assert [action_log.private_values(entry)["reason"] for entry in entries] == [
            "wrong list",
            "list is right now",
        ]
        assert "wrong list" not in entries[0].body
        assert json.loads(entries[0].body)["data"]["in_flight"] == 0


class TestCommand:
    def test_stops_says_how_it_stands_and_starts(self, capsys):
        call_command("writes", "stop", reason="a fire drill")
        assert guards.present_stop().reason == "a fire drill"
        call_command("writes", "status")
        assert "from" not in capsys.readouterr().err
        call_command("writes", "start", reason="over")
        assert guards.present_stop() is None
        entry = ActionEntry.objects.get(event="writes.stopped")
        assert json.loads(entry.body)["data"]["at_command_line"] is True

    def test_says_how_it_stands(self, capsys, mei):
        call_command("writes", "status")
        stop(mei)
        call_command("writes", "status")
        said = capsys.readouterr().out
        assert "goes on" in said
        assert "by mei: wrong list" in said

    def test_refuses_in_a_sentence(self):
        with pytest.raises(CommandError, match=r"Give a reason\."):
            call_command("writes", "stop")
        with pytest.raises(CommandError, match="not stopped"):
            call_command("writes", "start", reason="x")


@pytest.mark.usefixtures("lifted_log")
@pytest.mark.django_db(transaction=True)
class TestOneSwitchForAll:
    def test_a_stop_waits_for_an_attempt_that_is_being_committed(self, mei):
        """So there is none that has looked before the stop and is committed after it."""

        def stop_elsewhere() -> None:
            try:
                stop(mei)
            finally:
                connections.close_all()

        stopping = threading.Thread(target=stop_elsewhere)
        with transaction.atomic():
            guards.check_writes_go_on()
            stopping.start()
            stopping.join(0.3)
            assert stopping.is_alive()
        stopping.join(20)
        assert guards.present_stop().stopped_by == mei
        with transaction.atomic(), pytest.raises(guards.WritesStopped):
            guards.check_writes_go_on()
        assert WritesSwitch.objects.count() == 1
