"""The self-check on live data: quiet about what the protocol did, and each broken promise found."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.utils import timezone

from lifecycle import action_log, step_triggers
from lifecycle.changes import invariants, protocol
from lifecycle.models import Attempt, Employee, StatusChange
from lifecycle.services import changes as change_services
from tests import builders
from tests.operations.waiting import until

pytestmark = pytest.mark.django_db


def found(**options) -> set[str]:
    return {violation.invariant for violation in invariants.violations(**options)}


def another() -> Employee:
    """Somebody on probation for whom nothing was asked yet."""
    on_probation = Employee.objects.filter(
        onboard_status="onboarded", conversion_status="not_converted", employment_id=""
    )
    return on_probation.filter(person__changes=None).order_by("due_sort_on", "pk")[0]


def told(change: StatusChange, event: str, **data) -> None:
    about = {"kind": change.kind, "payload_hash": change.payload_hash}
    action_log.record(event, actor=None, change=change, data=about | data)


@pytest.fixture(autouse=True)
def impatient(mirror, settings) -> None:
    """Silence is over in moments: the check compares real times, so none are made up here."""
    settings.SEND_DEADLINE = timedelta(seconds=0.4)
    settings.SETTLE_READ_GAP = timedelta(seconds=0.01)


@pytest.fixture
def done(asking, bo, worker) -> StatusChange:
    """Converted, as Feishu confirmed at once."""
    change = worker(asking.ask(bo))
    assert change.settled_via == "answer"
    assert found() == set()
    return change


@pytest.fixture
def waiting(asking, bo) -> StatusChange:
    """Confirmed, and not sent yet."""
    change = asking.ask(bo)
    assert found() == set()
    return change


@pytest.fixture
def silent(asking, bo, worker, mirror) -> StatusChange:
    """Sent once; the answer got lost on the way, and nothing was done."""
    change = asking.ask(bo)
    mirror.fault("drop_before", endpoint="A2")
    worker(change)
    assert change.status == "verifying"
    assert found() == set()
    return change


@pytest.fixture
def sent_again(silent, worker) -> StatusChange:
    """Read back twice, and sent again with success."""
    until(lambda: worker(silent).status == "succeeded")
    assert [attempt.outcome for attempt in silent.attempts.all()] == ["unknown", "applied"]
    assert found() == set()
    return silent


class TestWhatTheProtocolDid:
    def test_is_in_order_however_it_ended(self, asking, mirror, worker, sent_again, hua, settings):
        read_back = asking.ask(another())
        mirror.fault("drop_after", endpoint="A2")
        until(lambda: worker(read_back).settled_via == "readback")
        refused = asking.ask(another())
        mirror.fault("code", code=1002908, endpoint="A2")
        assert worker(refused).status == "failed"
        stale = asking.ask(another())
        mirror.patch("employees", stale.subject_id, expected_conversion_time=1767052800000)
        assert worker(stale).status == "needs_attention"
        change_services.decide_change(
            stale, verdict="not_applied", reason="?", acting_user=hua, at=timezone.now()
        )
        settings.ATTEMPT_LEASE = timedelta(0)
        abandoned = asking.ask(another())
        protocol._begin_attempt(protocol._claim(abandoned.pk, timezone.now()))
        protocol.expire_leases(timezone.now())
        cancelled = asking.ask(another())
        change_services.cancel_change(cancelled, acting_user=asking.user, at=timezone.now())
        assert StatusChange.objects.count() == 6
        assert list(invariants.violations()) == []

    def test_counts_a_late_effect_as_read_back(self, silent, worker, mirror):
        """Called not applied, and right before it is sent again it is there after all."""
        until(lambda: worker(silent).status == "approved")
        wanted = json.loads(silent.payload)["body"]["conversion_info"]["actual_conversion_time"]
        mirror.patch(
            "employees", silent.subject_id, conversion_status=2, actual_conversion_time=wanted
        )
        assert worker(silent).settled_via == "readback"
        assert found() == set()

    def test_is_read_again_when_it_moves_meanwhile(self, waiting, worker):
        """The rows are read one after the other; here a worker sends it in between."""
        sent = []

        def send_first(execute, sql, *arguments):
            if not sent and sql.startswith("SELECT") and 'FROM "lifecycle_attempt"' in sql:
                sent.append(waiting)
                worker(waiting)
            return execute(sql, *arguments)

        with connection.execute_wrapper(send_first):
            assert found() == set()
        assert sent[0].status == "succeeded"


class TestEnds:
    def test_confirmed_twice(self, done):
        builders.an_attempt(done)
        assert "I1-I3" in found()

    def test_confirmed_and_called_failed(self, done):
        step_triggers.lift(connection)
        StatusChange.objects.update(status="failed")
        assert "I1-I3" in found()

    @pytest.mark.parametrize("via", ["readback", "already", "by_hand"])
    def test_settled_in_a_way_the_attempts_do_not_show(self, done, via):
        StatusChange.objects.update(settled_via=via)
        assert found() == {"I1-I3"}

    def test_confirmed_without_an_answer(self, done):
        Attempt.objects.update(outcome="unknown")
        assert found() == {"I1-I3"}


class TestI4:
    @pytest.mark.parametrize("column", ["payload", "payload_hash"])
    def test_another_request_than_its_hash(self, done, column):
        StatusChange.objects.update(**{column: "0" * 64})
        assert found() == {"I4"}

    def test_an_attempt_for_another_request(self, done):
        Attempt.objects.update(request_hash="0" * 64)
        assert found() == {"I4"}

    def test_an_entry_about_another_request(self, done):
        told(done, "change.postponed", payload_hash="0" * 64)
        assert found() == {"I4"}


class TestI7:
    def test_two_of_a_person_under_way_by_the_log(self, silent):
        other = builders.a_change(another(), by=silent.requested_by, status="approved")
        StatusChange.objects.filter(pk=other.pk).update(person=silent.person, version=1)
        told(other, "change.requested", to="approved")
        told(other, "change.sending", **{"from": "approved", "to": "in_flight"},
             deadline_at=timezone.now().isoformat())  # fmt: skip
        assert "I7" in found()

    def test_two_of_a_person_under_way_by_the_rows(self, silent):
        with connection.cursor() as cursor:
            cursor.execute("DROP INDEX one_open_change_per_person")
        other = builders.a_change(another(), by=silent.requested_by, status="verifying")
        StatusChange.objects.filter(pk=other.pk).update(person=silent.person)
        assert "I7" in found()


class TestI8:
    def test_sent_before_its_day(self, done):
        StatusChange.objects.update(effective_at=timezone.now() + timedelta(days=1))
        assert found() == {"I8"}

    def test_sent_before_an_earlier_one(self, waiting, asking, worker):
        """The earlier one still waits when the later one is sent."""
        later = builders.a_change(another(), by=asking.user)
        told(later, "change.requested", to="approved")
        worker(later)
        assert "I8" not in found()
        StatusChange.objects.filter(pk=later.pk).update(person=waiting.person)
        told(later, "change.sending", deadline_at=timezone.now().isoformat(),
             **{"from": "approved", "to": "in_flight"})  # fmt: skip
        assert "I8" in found()


class TestI9:
    def test_a_gap_in_the_numbers(self, sent_again):
        Attempt.objects.filter(number=1).delete()
        assert "I9" in found()

    def test_a_wrong_count(self, done):
        StatusChange.objects.update(attempts_used=0)
        assert found() == {"I9"}

    def test_more_than_the_budget(self, sent_again, settings):
        settings.ATTEMPT_BUDGET = 1
        assert found() == {"I9"}


class TestI10:
    def test_a_step_that_is_not_allowed(self, waiting):
        told(waiting, "change.verifying", **{"from": "approved", "to": "verifying"})
        assert "I10" in found()

    def test_a_step_from_elsewhere(self, waiting):
        told(waiting, "change.cancelled", **{"from": "pending", "to": "cancelled"})
        assert "I10" in found()

    def test_a_verdict_that_nobody_gave(self, silent, mei):
        step = {"from": "verifying", "to": "needs_attention"}
        told(silent, "change.needs_attention", problem="change.conflict", **step)
        told(silent, "change.failed", **{"from": "needs_attention", "to": "failed"})
        (verdict,) = (one for one in invariants.violations() if one.invariant == "I10")
        assert "nobody decided" in str(verdict)

    def test_a_step_of_the_worker_that_a_person_took(self, waiting, mei):
        about = {"kind": waiting.kind, "payload_hash": waiting.payload_hash}
        step = {"from": "approved", "to": "succeeded", "via": "already"}
        action_log.record("change.succeeded", actor=mei, change=waiting, data=about | step)
        (step_taken,) = (one for one in invariants.violations() if one.invariant == "I10")
        assert "a person" in str(step_taken)

    def test_a_step_after_the_end(self, done):
        told(done, "change.failed", **{"from": "succeeded", "to": "failed"})
        assert "I10" in found()


class TestI11:
    def test_a_step_nobody_logged(self, waiting):
        StatusChange.objects.update(status="cancelled", finished_at=timezone.now())
        assert found() == {"I11"}

    def test_a_version_without_a_step(self, done):
        StatusChange.objects.update(version=5)
        assert found() == {"I11"}

    def test_a_request_nobody_logged(self, mei, bo):
        builders.a_change(bo, by=mei)
        assert found() == {"I11"}

    def test_an_attempt_nobody_logged(self, waiting):
        builders.an_attempt(waiting, outcome="throttled")
        assert found() == {"I11"}

    def test_an_answer_told_twice(self, done):
        told(done, "change.postponed", number=1)
        assert found() == {"I11"}


class TestI12:
    @pytest.fixture
    def in_flight(self, waiting) -> StatusChange:
        protocol._begin_attempt(protocol._claim(waiting.pk, timezone.now()))
        return waiting

    def test_still_on_its_way_is_fine_until_its_lease_is_long_over(self, in_flight):
        lease = Attempt.objects.get().lease_until
        assert found(at=lease + timedelta(seconds=29)) == set()
        assert found(at=lease + timedelta(seconds=31)) == {"I12"}

    def test_on_its_way_without_an_attempt(self, in_flight):
        Attempt.objects.update(finished_at=timezone.now(), outcome="unknown")
        assert "I12" in found()


class TestI15:
    @pytest.fixture
    def keys_repeat(self, lifted_log):
        """A database that would take the same form twice."""
        unique = StatusChange._meta.get_field("submission_key")
        free = models.UUIDField(default=uuid4)
        free.set_attributes_from_name("submission_key")
        with connection.schema_editor() as editor:
            editor.alter_field(StatusChange, unique, free)
        yield
        Attempt.objects.all().delete()
        StatusChange.objects.all().delete()
        with connection.schema_editor() as editor:
            editor.alter_field(StatusChange, free, unique)

    def test_the_same_form_twice(self, keys_repeat, mei):
        for _ in range(2):
            builders.a_change(builders.an_employee(), by=mei)
        assert "I15" not in found()
        StatusChange.objects.update(submission_key=uuid4())
        assert "I15" in found()


class TestI16:
    def test_called_not_applied_after_one_reading(self, silent):
        told(silent, "change.not_applied", **{"from": "verifying", "to": "approved"})
        assert "I16" in found()

    def test_called_not_applied_before_the_wait_was_over(self, silent):
        """The first look is due after the deadline, which is yet to come."""
        at = timezone.now().isoformat()
        told(silent, "change.needs_attention", problem="change.not-applied", first_read_at=at)
        assert found() == {"I16"}

    def test_to_be_read_before_the_deadline(self, silent):
        at = timezone.now().isoformat()
        told(silent, "change.verifying", next_run_at=at)
        assert found() == {"I16"}


class TestCommand:
    def test_says_that_all_is_well(self, sent_again):
        out = StringIO()
        call_command("check_changes", stdout=out)
        assert "All 1 status changes" in out.getvalue()

    def test_names_what_is_not(self, done):
        StatusChange.objects.update(version=5)
        errors = StringIO()
        with pytest.raises(CommandError, match="1 violations in 1 status changes") as caught:
            call_command("check_changes", stderr=errors)
        assert caught.value.returncode == 1
        assert errors.getvalue().startswith(f"I11, change {done.pk}: ")
