"""Converting an employee, from the plan to the log, against a real HTTP tenant."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log, remote
from lifecycle.action_log import data_in
from lifecycle.changes import invariants, protocol
from lifecycle.changes.kinds import kind_named
from lifecycle.errors.problems import (
    ChangeBlocked,
    NotAllowed,
    StalePlan,
    StepNotAllowed,
    VerdictRefused,
)
from lifecycle.models import ActionEntry, Attempt, Employee, StatusChange
from lifecycle.services import changes as change_services
from tests.views.conftest import _a_browser_on_this_machine, as_user

A2 = "A2"  # the sandbox names endpoints as its README does: A2 is 更新员工状态
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user"]


def events(change: StatusChange) -> list[str]:
    return list(
        ActionEntry.objects.filter(change_id=change.pk)
        .order_by("seq")
        .values_list("event", flat=True)
    )


def first_of(value):
    return value[0] if isinstance(value, list) else value


def whole_log() -> bool:
    return list(action_log.verify())[-1].bad_seq is None


class TestPlan:
    def test_shows_the_exact_request_and_sends_nothing(self, asking, bo, mirror):
        day = timezone.localdate()
        plan = asking.plan(bo, converted_on=day)
        assert plan.request.method == "PATCH"
        assert plan.request.path == f"/open-apis/hire/v1/employees/{bo.feishu_id}"
        body = json.loads(plan.request.body_text)
        assert body["operation"] == 1
        assert isinstance(body["conversion_info"]["actual_conversion_time"], int)
        assert not plan.is_blocked
        assert mirror.requests(writes=True) == []

    def test_names_every_blocker_at_once(self, asking, mirror):
        in_core_hr = Employee.objects.exclude(employment_id="").filter(
            onboard_status="onboarded", conversion_status="converted"
        )[0]
        plan = asking.plan(in_core_hr, converted_on=in_core_hr.onboarded_on - timedelta(days=1))
        assert {notice.code for notice in plan.blockers} == {
            "feishu.1002910",
            "feishu.1002902",
            "feishu.1002905",
        }
        with pytest.raises(ChangeBlocked):
            asking.confirm(plan)
        assert mirror.requests(writes=True) == []
        assert not StatusChange.objects.exists()

    def test_reads_feishu_so_that_a_console_edit_shows(self, asking, bo, mirror):
        mirror.patch("employees", bo.feishu_id, overboard_note="seen in the console")
        plan = asking.plan(bo)
        assert plan.is_fresh
        bo.refresh_from_db()
        assert bo.payload["overboard_note"] == "seen in the console"

    def test_falls_back_on_the_mirror_when_feishu_is_silent(self, asking, bo, mirror):
        mirror.fault("error_before", on="reads", times=20)
        plan = asking.plan(bo)
        assert not plan.is_fresh
        assert "plan.old-facts" in {notice.code for notice in plan.warnings}

    def test_is_refused_to_an_auditor(self, ana, bo):
        with pytest.raises(NotAllowed):
            change_services.plan_change(
                kind_named("convert_employee"),
                bo,
                {"converted_on": timezone.localdate()},
                acting_user=ana,
                submission_key=str(uuid4()),
                at=timezone.now(),
            )


class TestConvertEmployee:
    def test_is_done_once_and_logged(self, asking, bo, mirror, worker):
        change = worker(asking.ask(bo))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert mirror.operations(bo.feishu_id) == ["convert"]
        bo.refresh_from_db()
        assert bo.is_converted
        assert bo.converted_on == timezone.localdate()
        assert events(change) == ["change.requested", "change.sending", "change.succeeded"]
        assert change.log_id
        assert whole_log()

    def test_commits_the_attempt_with_the_hash_of_what_is_sent(self, asking, bo, mirror, worker):
        change = worker(asking.ask(bo))
        attempt = Attempt.objects.get(change=change)
        (sent,) = mirror.requests(writes=True)
        assert attempt.number == 1
        assert attempt.request_hash == change.payload_hash
        assert sent["path"].endswith(bo.feishu_id)
        assert sent["body"] == json.loads(change.payload)["body"]
        assert {name: first_of(value) for name, value in sent["query"].items()} == {
            "user_id_type": "open_id",
            "department_id_type": "open_department_id",
            "job_level_id_type": "job_level_id",
            "job_family_id_type": "job_family_id",
            "employee_type_id_type": "employee_type_enum_id",
        }

    def test_same_submission_is_the_same_change(self, asking, bo, mirror, worker):
        plan, key = asking.plan(bo), str(uuid4())
        first = asking.confirm(plan, key=key)
        assert asking.confirm(plan, key=key).pk == first.pk
        worker(first)
        worker(first)
        assert mirror.operations(bo.feishu_id) == ["convert"]

    def test_refuses_a_plan_whose_facts_have_changed(self, asking, bo, mirror):
        plan = asking.plan(bo)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1893427200000)
        asking.plan(bo)
        with pytest.raises(StalePlan):
            asking.confirm(plan)
        assert not StatusChange.objects.exists()

    def test_waits_for_its_day(self, asking, bo, mirror, worker):
        change = asking.ask(bo, converted_on=timezone.localdate() + timedelta(days=3))
        worker(change)
        assert change.status == "approved"
        assert mirror.requests(writes=True) == []
        assert change.next_run_at.astimezone(timezone.get_default_timezone()).hour == 0

    def test_sends_nothing_when_it_is_already_so(self, asking, bo, mirror, worker):
        change = asking.ask(bo)
        wanted = json.loads(change.payload)["body"]["conversion_info"]["actual_conversion_time"]
        mirror.patch("employees", bo.feishu_id, conversion_status=2, actual_conversion_time=wanted)
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert mirror.requests(writes=True) == []

    def test_sends_nothing_over_a_change_made_after_confirming(self, asking, bo, mirror, worker):
        change = asking.ask(bo)
        mirror.patch("employees", bo.feishu_id, onboard_status=2, overboard_time=1767110400000)
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert mirror.requests(writes=True) == []

    @pytest.mark.parametrize("code", [1002902, 1002905, 1002908, 1002910])
    def test_keeps_feishus_refusal(self, code, asking, bo, mirror, worker):
        mirror.fault("code", endpoint=A2, code=code, http_status=400)
        change = worker(asking.ask(bo))
        assert (change.status, change.feishu_code) == ("failed", code)
        assert mirror.operations(bo.feishu_id) == []
        assert events(change)[-1] == "change.failed"

    def test_cannot_be_cancelled_once_done(self, asking, bo, worker):
        change = worker(asking.ask(bo))
        with pytest.raises(StepNotAllowed):
            change_services.cancel_change(change, acting_user=asking.user, at=timezone.now())

    def test_can_be_cancelled_while_it_waits(self, asking, bo, mirror, worker):
        change = asking.ask(bo)
        change_services.cancel_change(change, acting_user=asking.user, at=timezone.now())
        worker(change)
        assert change.status == "cancelled"
        assert mirror.requests(writes=True) == []

    def test_can_be_undone_by_a_linked_change(self, asking, bo, mirror, worker):
        converted = worker(asking.ask(bo))
        bo.refresh_from_db()
        undone = worker(asking.ask(bo, "undo_conversion"))
        assert undone.status == "succeeded"
        assert undone.undo_of_id == converted.pk
        assert mirror.operations(bo.feishu_id) == ["convert", "undo_convert"]


class TestSilence:
    @pytest.mark.parametrize(
        "fault", ["drop_after", "reset_after", "error_after", "truncated_header", "garbage"]
    )
    def test_is_settled_by_reading_back(self, fault, asking, bo, mirror, worker):
        mirror.fault(fault, endpoint=A2)
        change = worker(asking.ask(bo))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert mirror.operations(bo.feishu_id) == ["convert"]
        assert events(change) == [
            "change.requested",
            "change.sending",
            "change.verifying",
            "change.succeeded",
        ]

    @pytest.mark.parametrize("fault", ["drop_before", "reset_before", "error_before"])
    def test_is_sent_again_only_after_two_reads_apart(self, fault, asking, bo, mirror, worker):
        mirror.fault(fault, endpoint=A2)
        change = worker(asking.ask(bo))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert change.status == "verifying"
        assert len(mirror.requests(writes=True)) == 1
        StatusChange.objects.filter(pk=change.pk).update(unapplied_read_at=timezone.now() - MINUTE)
        worker(change, later=MINUTE)
        assert change.status == "approved"
        worker(change)
        assert change.status == "succeeded"
        assert change.attempts_used == 2
        assert mirror.operations(bo.feishu_id) == ["convert"]

    def test_of_an_error_that_hides_an_effect_is_not_called_a_failure(
        self, asking, bo, mirror, worker
    ):
        mirror.fault("code", endpoint=A2, code=1002001, http_status=500, applied=True)
        change = worker(asking.ask(bo))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert change.settled_via == "readback"
        assert mirror.operations(bo.feishu_id) == ["convert"]

    def test_goes_to_a_person_when_feishu_shows_something_else(
        self, asking, bo, mirror, worker, hua
    ):
        mirror.fault("drop_before", endpoint=A2)
        change = worker(asking.ask(bo))
        mirror.patch("employees", bo.feishu_id, onboard_status=2, overboard_time=1767110400000)
        worker(change, later=MINUTE)
        assert (change.status, change.problem) == ("needs_attention", "change.conflict")
        with pytest.raises(VerdictRefused):
            decide(change, asking.user)
        decide(change, hua)
        change.refresh_from_db()
        assert (change.status, change.settled_via) == ("failed", "by_hand")

    def test_of_a_worker_that_died_is_verified(self, asking, bo, mirror, worker):
        change = asking.ask(bo)
        change = protocol._claim(change.pk, timezone.now())
        attempt = protocol._begin_attempt(change)
        assert attempt is not None
        StatusChange.objects.filter(pk=change.pk).update(claimed_until=None)
        assert protocol.expire_leases(timezone.now() + 10 * MINUTE) == 1
        change.refresh_from_db()
        assert change.status == "verifying"

    def test_that_comes_too_late_is_written_down_all_the_same(
        self, asking, bo, mirror, worker, as_user, ana
    ):
        asked = asking.ask(bo)
        change = protocol._claim(asked.pk, timezone.now())
        attempt = protocol._begin_attempt(change)
        assert protocol.expire_leases(timezone.now() + 10 * MINUTE) == 1
        call = remote.Call.from_canonical(change.payload)
        result = remote.client().send(call, ends_at=time.monotonic() + 5)
        with pytest.raises(protocol.Lost):
            protocol._take_answer(attempt, change, kind_named(change.kind), result)
        entry = ActionEntry.objects.get(event="change.answered_late")
        said = data_in(entry.body)
        assert (said["number"], said["outcome"], said["code"]) == (1, "applied", 0)
        assert said["log_id"] == result.log_id
        assert '"code": 0' in action_log.private_values(entry)["response"]
        page = as_user(ana).get(reverse("log-entry", args=[entry.seq]))
        assert (page.context["attempt"].outcome, page.context["attempt"].differs) == (
            "applied",
            False,
        )
        StatusChange.objects.update(claimed_until=None)
        asked.refresh_from_db()
        assert worker(asked, later=MINUTE).settled_via == "readback"
        assert list(invariants.violations()) == []


def decide(change, user):
    change_services.decide_change(
        change, verdict="not_applied", reason="checked in Hire", acting_user=user, at=timezone.now()
    )


class TestWaiting:
    def test_out_a_throttle_costs_no_attempt(self, asking, bo, mirror, worker):
        mirror.fault("throttle", endpoint=A2)
        change = worker(asking.ask(bo))
        assert (change.status, change.problem) == ("approved", "feishu.throttled")
        assert change.attempts_used == 0
        assert change.next_run_at > timezone.now()

    def test_for_a_renewed_token_costs_no_attempt(self, asking, bo, mirror, worker):
        mirror.fault("expired_token", endpoint=A2)
        change = worker(asking.ask(bo))
        assert (change.status, change.problem, change.attempts_used) == (
            "approved",
            "feishu.auth",
            0,
        )
        worker(change)
        assert change.status == "succeeded"
        assert [a.number for a in change.attempts.all()] == [1, 2]
        assert mirror.operations(bo.feishu_id) == ["convert"]

    def test_for_an_unreadable_feishu_sends_nothing(self, asking, bo, mirror, worker):
        change = asking.ask(bo)
        mirror.fault("error_before", on="reads", times=50)
        worker(change)
        assert (change.status, change.problem) == ("approved", "feishu.unreadable")
        assert mirror.requests(writes=True) == []


class TestOneAtATime:
    def test_second_change_for_the_same_person_waits(self, asking, bo, mirror, worker):
        first = asking.ask(bo)
        second_plan = asking.plan(bo)
        assert "plan.open-change" in {notice.code for notice in second_plan.blockers}
        mirror.fault("drop_after", endpoint=A2)
        worker(first)
        second = copy_of(first)
        worker(second)
        assert (second.status, second.problem) == ("approved", "change.earlier-first")
        assert mirror.operations(bo.feishu_id) == ["convert"]


def copy_of(change: StatusChange) -> StatusChange:
    """The same request as a change of its own, as an older release might have left it."""
    twin = StatusChange.objects.get(pk=change.pk)
    twin.pk, twin.submission_key = None, uuid4()
    twin.status, twin.next_run_at, twin.finished_at = "approved", timezone.now(), None
    twin.claimed_until, twin.version = None, 0
    twin.save(force_insert=True)
    return twin
