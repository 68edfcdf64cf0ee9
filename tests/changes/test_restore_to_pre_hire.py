"""Restoring an employee to pre-hire, against a real HTTP tenant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import mirror as mirroring
from lifecycle.changes.kinds import kind_named
from lifecycle.models import Application, Employee
from lifecycle.services import changes as change_service
from lifecycle.services import sync

A2 = "A2"
VERB = "restore_to_pre_hire"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def application_of(employee: Employee) -> Application:
    return Application.objects.get(feishu_id=employee.application_id)


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


def is_gone(employee: Employee) -> bool:
    return not Employee.objects.filter(pk=employee.pk).exists()


class TestRestoreToPreHire:
    def test_takes_the_employee_off_the_lists_at_once(self, asking, bo, mirror, worker):
        change = worker(asking.ask(bo, VERB))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert is_gone(bo)
        assert application_of(bo).stage_type == "pre_hire"
        assert mirror.operations(bo.feishu_id) == ["restore_to_pre_hire"]
        (sent,) = mirror.requests(writes=True)
        assert sent["body"] == {"operation": 3}

    def test_says_what_goes_away(self, asking, bo):
        plan = asking.plan(bo, VERB)
        assert codes(plan.warnings) == ["plan.employee-record-goes"]
        assert plan.blockers == ()

    def test_is_settled_by_reading_back(self, asking, bo, mirror, worker):
        mirror.fault("drop_after", endpoint=A2)
        change = worker(asking.ask(bo, VERB))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert is_gone(bo)
        assert mirror.operations(bo.feishu_id) == ["restore_to_pre_hire"]

    def test_is_sent_again_once_it_is_known_not_to_have_worked(
        self, asking, bo, mirror, worker, settings
    ):
        settings.SETTLE_READ_GAP = timedelta(0)
        mirror.fault("drop_before", endpoint=A2)
        change = worker(asking.ask(bo, VERB))
        for minutes in (1, 2, 2):
            worker(change, later=minutes * MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert mirror.operations(bo.feishu_id) == ["restore_to_pre_hire"]

    def test_that_was_done_in_the_console_is_not_sent(self, asking, bo, mirror, worker):
        change = asking.ask(bo, VERB)
        mirror.delete("employees", bo.feishu_id)
        back_at_pre_hire(mirror, bo)
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert mirror.requests(writes=True) == []

    def test_a_missing_employee_alone_is_no_success(self, asking, bo, mirror, worker):
        change = asking.ask(bo, VERB)
        mirror.delete("employees", bo.feishu_id)
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert not is_gone(bo)
        assert mirror.requests(writes=True) == []

    def test_an_application_back_at_pre_hire_alone_is_no_success(self, asking, bo, mirror, worker):
        change = asking.ask(bo, VERB)
        back_at_pre_hire(mirror, bo)
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert mirror.requests(writes=True) == []

    def test_is_not_overwritten_by_a_reading_from_before(self, asking, bo, worker):
        before, old, stage = timezone.now(), dict(bo.payload), dict(application_of(bo).payload)
        worker(asking.ask(bo, VERB))
        mirroring.store_employees([old], asked_at=before)
        mirroring.store_applications([stage], asked_at=before)
        assert is_gone(bo)
        assert application_of(bo).stage_type == "pre_hire"

    def test_a_record_feishu_has_kept_comes_back_with_the_next_reading(self, asking, bo, worker):
        old = dict(bo.payload)
        worker(asking.ask(bo, VERB))
        mirroring.store_employees([old], asked_at=timezone.now())
        assert not is_gone(bo)


class TestBlockers:
    def test_somebody_in_core_hr(self, asking, mirror):
        synced = Employee.objects.exclude(employment_id="").filter(onboard_status="onboarded")[0]
        assert codes(asking.plan(synced, VERB).blockers) == ["feishu.1002910"]

    def test_somebody_who_has_left(self, asking, mirror):
        left = Employee.objects.filter(onboard_status="left", employment_id="")[0]
        assert codes(asking.plan(left, VERB).blockers) == ["feishu.1002902"]

    def test_an_employee_feishu_no_longer_has(self, asking, bo, mirror):
        mirror.delete("employees", bo.feishu_id)
        assert codes(asking.plan(bo, VERB).blockers) == ["feishu.1002903"]
        assert mirror.requests(writes=True) == []


class TestCodes:
    """Every code Feishu documents for this call; the first three are blockers, see above."""

    @pytest.mark.parametrize(
        "code", [1002910, 1002902, 1002903, 1002905, 1002907, 1002908, 1002002]
    )
    def test_is_explained_when_feishu_answers(self, asking, bo, mirror, worker, code):
        mirror.fault("code", endpoint=A2, code=code, http_status=400)
        change = worker(asking.ask(bo, VERB))
        assert (change.status, change.feishu_code) == ("failed", code)
        assert not is_gone(bo)

    def test_a_system_error_is_looked_up(self, asking, bo, mirror, worker):
        mirror.fault("code", endpoint=A2, code=1002001, http_status=500, applied=True)
        change = worker(asking.ask(bo, VERB))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")


class TestBothWays:
    def test_onboarding_is_undone_and_done_again(self, asking, mirror, worker, mei):
        (record, *_) = mirror.records("applications", stage_type=6, active_status=1, lock_status=1)
        application = Application.objects.get(feishu_id=record["id"])
        today = timezone.localdate()
        first = worker(asking.ask(application, "onboard_application", onboarded_on=today))
        employee = Employee.objects.get(application_id=application.feishu_id)
        undone = worker(asking.ask(employee, VERB))
        assert (undone.status, undone.undo_of_id) == ("succeeded", first.pk)
        kind, there = change_service.way_to_undo(undone, mei)
        assert (kind.name, there) == ("onboard_application", application)
        application.refresh_from_db()
        second = worker(asking.ask(application, "onboard_application", onboarded_on=today))
        assert second.status == "succeeded"
        again = Employee.objects.get(application_id=application.feishu_id)
        assert again.feishu_id != employee.feishu_id
        assert again.person_id == employee.person_id

    def test_the_form_starts_with_what_the_record_held(self, asking, bo, worker):
        change = worker(asking.ask(bo, VERB))
        kind = kind_named("onboard_application")
        form = kind.form(application_of(bo), today=timezone.localdate(), undoes=change)
        assert form.initial["onboarded_on"] == bo.onboarded_on
        assert form.initial["leader"] == bo.leader_open_id

    def test_a_sync_afterwards_agrees(self, asking, bo, mirror, worker):
        worker(asking.ask(bo, VERB))
        for kind in ("applications", "employees"):
            sync.sync_kind(kind)
        assert is_gone(bo)
        assert application_of(bo).stage_type == "pre_hire"


def back_at_pre_hire(tenant, employee: Employee) -> None:
    waiting = tenant.records("applications", stage_type=6)[0]
    tenant.patch(
        "applications",
        employee.application_id,
        stage_type=6,
        stage_id=waiting["stage_id"],
        process_id=waiting["process_id"],
    )
