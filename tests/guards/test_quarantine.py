"""Nobody leaves the lists because one answer of Feishu's was strangely short."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from lifecycle import action_log
from lifecycle.errors.problems import NotAllowed, StepNotAllowed
from lifecycle.models import ActionEntry, Employee, SyncCase, SyncRun
from lifecycle.services import quarantine, sync
from tests.builders import a_sync

pytestmark = pytest.mark.django_db


def time_passes() -> None:
    Employee.everyone.exclude(missing_since=None).update(
        missing_since=timezone.now() - timedelta(minutes=5)
    )


def passes(number: int = 1) -> None:
    for _ in range(number):
        time_passes()
        assert sync.sync_kind("employees").state == SyncRun.State.DONE


def decide(decision: str, user) -> None:
    quarantine.decide_case(
        SyncCase.objects.get(closed_at=None),
        decision=decision,
        reason="seen in Feishu",
        acting_user=user,
        at=timezone.now(),
    )


@pytest.fixture
def vanish(mirror):
    """`vanish(n)`: so many more employees are not in Feishu; how many we list."""

    def take_away(number: int) -> int:
        left = {record["id"] for record in mirror.records("employees")}
        there = Employee.objects.filter(feishu_id__in=left).order_by("pk")
        for employee in there[:number]:
            mirror.delete("employees", employee.feishu_id)
        return Employee.objects.count()

    return take_away


@pytest.fixture
def restore(mirror):
    return mirror.reset


class TestDoubt:
    @pytest.mark.parametrize(
        ("present", "missing", "doubt"),
        [
            (0, 0, None),
            (40, 0, None),
            (1, 1, "empty"),
            (2, 1, None),
            (3, 2, "half"),
            (8, 4, None),
            (8, 5, "half"),
            (20, 4, None),
            (20, 5, "share"),
            (25, 5, None),
            (100, 20, None),
            (100, 21, "share"),
            (100, 51, "half"),
            (100, 100, "empty"),
        ],
    )
    def test_of_so_many_missing(self, present, missing, doubt):
        assert quarantine.doubt_about(present=present, missing=missing) == doubt

    def test_has_its_share_from_the_settings(self, settings):
        settings.SYNC_MOST_GONE_PERCENT = 45
        assert quarantine.doubt_about(present=100, missing=45) is None
        assert quarantine.doubt_about(present=100, missing=46) == "share"


class TestTooManyMissing:
    def test_open_one_case_and_nobody_goes(self, vanish):
        present = vanish(20)
        passes(3)
        assert Employee.objects.count() == present
        case = SyncCase.objects.get()
        assert (case.kind, case.present, case.missing) == ("employees", present, 20)
        assert case.found == present - 20
        assert len(case.sample) == quarantine.SAMPLE
        assert case.run == SyncRun.objects.filter(kind="employees").first()
        entry = ActionEntry.objects.get(event="sync.case_opened")
        assert json.loads(entry.body)["data"]["missing"] == 20
        assert "held back" in action_log.sentence(entry).en

    def test_opens_at_the_first_look(self, vanish):
        vanish(999)
        sync.sync_kind("employees")
        assert SyncCase.objects.get().doubt == "empty"

    def test_hold_back_those_too_who_alone_would_have_gone(self, vanish):
        vanish(2)
        passes(1)
        present = vanish(20)
        passes(2)
        assert Employee.objects.count() == present

    def test_a_pass_that_finds_them_again_closes_the_case(self, vanish, restore):
        present = vanish(20)
        passes(1)
        restore()
        passes(1)
        case = SyncCase.objects.get()
        assert (case.decision, case.decided_by) == ("passed", None)
        assert case.closed_at is not None
        assert Employee.objects.filter(missing_since=None).count() == present
        assert ActionEntry.objects.filter(event="sync.case_passed").count() == 1

    @pytest.mark.parametrize(
        "statement", ['UPDATE "lifecycle_synccase"', 'INSERT INTO "lifecycle_actionentry"']
    )
    def test_of_records_nobody_knows_is_closed_with_its_entry_or_not_at_all(self, db, statement):
        run = a_sync(kind="talents")
        SyncCase.objects.create(
            kind="talents",
            doubt="foreign",
            present=9,
            missing=9,
            run=run,
            opened_at=timezone.now(),
            seen_at=timezone.now(),
        )

        def break_off(execute, sql, *given):
            if sql.startswith(statement):
                raise OperationalError("the database went away")
            return execute(sql, *given)

        with connection.execute_wrapper(break_off), pytest.raises(OperationalError):
            quarantine.close_foreign(run)
        assert SyncCase.objects.get().closed_at is None
        assert not ActionEntry.objects.exists()
        quarantine.close_foreign(run)
        assert SyncCase.objects.get().decision == "passed"
        assert ActionEntry.objects.get().event == "sync.case_passed"


class TestAFewMissing:
    def test_go_with_the_second_pass(self, vanish):
        present = vanish(3)
        passes(1)
        assert Employee.objects.count() == present
        passes(1)
        assert Employee.objects.count() == present - 3
        assert not SyncCase.objects.exists()

    def test_a_record_that_cannot_be_read_is_not_missing(self, mirror):
        employee = Employee.objects.first()
        Employee.everyone.filter(pk=employee.pk).update(missing_since=timezone.now())
        mirror.patch("employees", employee.feishu_id, onboard_status=9)
        passes(2)
        employee.refresh_from_db()
        assert (employee.missing_since, employee.gone_at) == (None, None)


class TestGoingOn:
    def test_lets_the_next_pass_take_them_off(self, vanish, mei):
        present = vanish(20)
        passes(2)
        decide("go_on", mei)
        assert Employee.objects.count() == present
        passes(1)
        assert Employee.objects.count() == present - 20
        case = SyncCase.objects.get()
        assert (case.decision, case.decided_by) == ("go_on", mei)
        assert case.closed_at is not None

    def test_takes_nobody_who_was_missed_once_only(self, vanish, mei):
        present = vanish(20)
        sync.sync_kind("employees")
        decide("go_on", mei)
        sync.sync_kind("employees")
        assert Employee.objects.count() == present
        passes(1)
        assert Employee.objects.count() == present - 20
        assert SyncCase.objects.get().closed_at is not None

    def test_is_not_for_many_more_than_were_seen(self, vanish, mei):
        vanish(20)
        passes(1)
        decide("go_on", mei)
        present = vanish(10)
        passes(2)
        assert Employee.objects.count() == present
        assert list(SyncCase.objects.values_list("missing", "decision")) == [
            (30, ""),
            (20, "go_on"),
        ]


class TestIgnoring:
    def test_starts_anew(self, vanish, mei):
        present = vanish(20)
        passes(1)
        decide("ignore", mei)
        assert not Employee.objects.exclude(missing_since=None).exists()
        passes(1)
        assert Employee.objects.count() == present
        assert list(SyncCase.objects.values_list("decision", flat=True)) == ["", "ignore"]
        entry = ActionEntry.objects.get(event="sync.case_ignored")
        assert entry.actor_id == mei.pk
        assert action_log.private_values(entry) == {"reason": "seen in Feishu"}


class TestDeciding:
    def test_is_for_those_who_may_start_a_sync(self, vanish, ana, zhou):
        vanish(20)
        passes(1)
        with pytest.raises(NotAllowed):
            decide("go_on", ana)
        decide("go_on", zhou)
        assert ActionEntry.objects.get(event="sync.case_accepted").actor_id == zhou.pk

    @pytest.mark.parametrize("decision", ["", "passed", "x"])
    def test_knows_two_answers(self, vanish, mei, decision):
        vanish(20)
        passes(1)
        with pytest.raises(StepNotAllowed):
            decide(decision, mei)

    def test_comes_once(self, vanish, mei, hua):
        vanish(20)
        passes(1)
        case = SyncCase.objects.get()
        decide("go_on", mei)
        with pytest.raises(StepNotAllowed):
            quarantine.decide_case(
                case, decision="ignore", reason="x", acting_user=hua, at=timezone.now()
            )
        assert SyncCase.objects.get().decided_by == mei
