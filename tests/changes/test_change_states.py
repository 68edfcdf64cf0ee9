"""The page of the state machine, the protocol and the database agree about every step."""

from __future__ import annotations

from itertools import product

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from lifecycle import step_triggers
from lifecycle.change_states import (
    EXCLUSIVE_STATUSES,
    FINAL_STATUSES,
    FIRST_STATUSES,
    STEPS,
    ChangeStatus,
    Who,
    may_move,
    needs_a_person,
    never_a_person,
)
from lifecycle.changes import protocol
from lifecycle.models import Attempt, StatusChange
from tests import builders

PAIRS = [(start, target) for start, target in product(ChangeStatus, repeat=2) if start != target]


class TestTheTable:
    def test_names_each_step_once(self):
        assert len({(step.start, step.target) for step in STEPS}) == len(STEPS)

    def test_leads_out_of_every_status_but_the_final_ones(self):
        assert {step.start for step in STEPS} == set(ChangeStatus) - FINAL_STATUSES

    def test_leads_from_a_first_status_to_every_other(self):
        reached = set(FIRST_STATUSES)
        for _ in ChangeStatus:
            reached |= {step.target for step in STEPS if step.start in reached}
        assert reached == set(ChangeStatus)

    def test_leads_from_everywhere_to_an_end(self):
        """No status that a change could never get out of."""
        ends = set(FINAL_STATUSES)
        for _ in ChangeStatus:
            ends |= {step.start for step in STEPS if step.target in ends}
        assert ends == set(ChangeStatus)

    def test_leaves_everything_about_sending_to_the_worker(self):
        for step in STEPS:
            if {step.start, step.target} & {ChangeStatus.IN_FLIGHT}:
                assert never_a_person(step.start, step.target), step

    def test_wants_a_second_person_for_every_verdict(self):
        for target in (ChangeStatus.SUCCEEDED, ChangeStatus.FAILED, ChangeStatus.VERIFYING):
            assert needs_a_person(ChangeStatus.NEEDS_ATTENTION, target)
            assert not may_move(ChangeStatus.NEEDS_ATTENTION, target, by=Who.ASKER)
        assert not may_move(ChangeStatus.PENDING, ChangeStatus.APPROVED, by=Who.ASKER)

    def test_knows_what_is_under_way(self):
        assert not EXCLUSIVE_STATUSES & FINAL_STATUSES


def put(change: StatusChange, status: ChangeStatus) -> None:
    """As it would stand there, whatever it was before."""
    step_triggers.lift(connection)
    StatusChange.objects.filter(pk=change.pk).update(
        status=status,
        finished_at=timezone.now() if status in FINAL_STATUSES else None,
        settled_via="answer",
    )
    step_triggers.install(connection)


def is_taken(change: StatusChange, target: ChangeStatus) -> bool:
    finished_at = timezone.now() if target in FINAL_STATUSES else None
    try:
        with transaction.atomic():
            StatusChange.objects.filter(pk=change.pk).update(
                status=target, finished_at=finished_at, settled_via="answer"
            )
    except IntegrityError:
        return False
    return True


@pytest.mark.django_db
class TestTheDatabase:
    def test_takes_the_steps_of_the_table_and_no_other(self, asking, bo):
        change = asking.ask(bo)
        wrong = []
        for start, target in PAIRS:
            put(change, start)
            if is_taken(change, target) != may_move(start, target):
                wrong.append((start, target))
        assert wrong == []

    def test_lets_everything_else_of_a_final_change_be_written(self, asking, bo):
        change = asking.ask(bo)
        put(change, ChangeStatus.CANCELLED)
        assert StatusChange.objects.filter(pk=change.pk).update(feishu_msg="?", status="cancelled")

    def test_has_its_trigger_again_after_a_rebuilt_table(self, asking, bo):
        """SQLite loses a table's triggers when a migration rebuilds it."""
        change = asking.ask(bo)
        step_triggers.lift(connection)
        step_triggers.install(connection)
        step_triggers.install(connection)
        with (
            pytest.raises(IntegrityError, match=step_triggers.MESSAGE),
            transaction.atomic(),
        ):
            StatusChange.objects.filter(pk=change.pk).update(status="rejected")

    @pytest.mark.parametrize("status", ["approved", "verifying"])
    def test_forgets_nothing_that_is_to_go_on(self, asking, bo, status):
        change = asking.ask(bo)
        put(change, ChangeStatus(status))
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusChange.objects.filter(pk=change.pk).update(next_run_at=None)

    def test_takes_no_end_without_how_it_came(self, asking, bo):
        change = asking.ask(bo)
        with pytest.raises(IntegrityError), transaction.atomic():
            StatusChange.objects.filter(pk=change.pk).update(
                status="succeeded", finished_at=timezone.now(), settled_via=""
            )

    def test_has_one_attempt_of_a_change_at_a_time(self, asking, bo):
        change = asking.ask(bo)
        running = builders.an_attempt(change, outcome="", finished_at=None)
        with pytest.raises(IntegrityError), transaction.atomic():
            builders.an_attempt(change, outcome="", finished_at=None, number=2)
        with pytest.raises(IntegrityError), transaction.atomic():
            Attempt.objects.filter(pk=running.pk).update(finished_at=timezone.now())


@pytest.mark.django_db
class TestTheProtocol:
    def test_takes_no_step_for_the_wrong_one(self, asking, bo, mei):
        change = asking.ask(bo)
        with pytest.raises(protocol.Lost):
            protocol.decide(
                change,
                ChangeStatus.SUCCEEDED,
                reason="?",
                acting_user=mei,
                at=timezone.now(),
            )
        change.refresh_from_db()
        assert change.status == "approved"
