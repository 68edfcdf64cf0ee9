"""So many a day; one more needs a second person, however many confirm at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.utils import timezone

from hrportal.environment import Environment
from lifecycle import checks
from lifecycle.changes import guards
from lifecycle.changes.kinds import kind_named
from lifecycle.models import DailyCount, StatusChange, User
from lifecycle.services.changes import cancel_change
from tests.conftest import Asking

pytestmark = pytest.mark.django_db


@pytest.fixture
def one_a_day(settings):
    settings.DAILY_LIMITS = {"convert_employee": 1}


class TestALimit:
    def test_of_a_verb_counts_everybody_together(self, one_a_day, asking, two, hua, sandbox):
        first = asking.ask(two[0])
        second = Asking(hua).ask(two[1])
        assert (first.status, first.problem) == ("approved", "")
        assert (second.status, second.problem) == ("pending", "guard.daily-limit")
        assert second.next_run_at is None

    def test_of_a_person_counts_all_verbs_together(self, settings, asking, two, hua):
        settings.DAILY_LIMIT_PER_REQUESTER = 1
        asking.ask(two[0])
        assert Asking(hua).plan(two[1]).warnings == asking.plan(two[1]).warnings[1:]
        assert asking.ask(two[1]).status == "pending"

    def test_is_of_one_day(self, one_a_day, asking, two):
        asking.ask(two[0])
        DailyCount.objects.update(day=timezone.localdate() - timedelta(days=1))
        assert asking.ask(two[1]).status == "approved"

    def test_of_nought_always_takes_two(self, settings, asking, bo):
        settings.DAILY_LIMITS = {"convert_employee": 0}
        assert asking.ask(bo).status == "pending"

    def test_holds_for_verbs_that_have_none_of_their_own(self, settings, asking, bo):
        settings.DAILY_LIMITS, settings.DAILY_LIMIT_OTHER_VERBS = {}, 0
        assert asking.ask(bo).status == "pending"

    def test_counts_what_was_cancelled(self, one_a_day, asking, two, mei):
        cancel_change(asking.ask(two[0]), acting_user=mei, at=timezone.now())
        assert asking.ask(two[1]).status == "pending"

    def test_counts_the_same_click_once(self, asking, bo):
        plan = asking.plan(bo)
        for _ in range(2):
            asking.confirm(plan)
        assert set(DailyCount.objects.values_list("count", flat=True)) == {1}

    def test_is_said_beforehand(self, one_a_day, asking, two):
        assert "as soon as you confirm" in asking.plan(two[0]).when.en
        asking.ask(two[0])
        plan = asking.plan(two[1])
        assert plan.warnings[0].code == "guard.daily-limit"
        assert "once a second person has confirmed it" in plan.when.en
        assert not plan.is_blocked

    def test_is_said_beforehand_for_a_later_day(self, one_a_day, asking, two):
        tomorrow = timezone.localdate() + timedelta(days=1)
        asking.ask(two[0])
        plan = asking.plan(two[1], converted_on=tomorrow)
        assert tomorrow.isoformat() in plan.when.en
        assert "A second person confirms it first" in plan.when.en

    def test_is_kept_with_what_was_confirmed(self, one_a_day, asking, two):
        asking.ask(two[0])
        change = asking.ask(two[1])
        assert change.plan["warnings"][0]["code"] == "guard.daily-limit"
        assert "second person" in change.plan["when"]["en"]

    def test_planning_counts_nothing(self, asking, bo):
        asking.plan(bo)
        assert not DailyCount.objects.exists()


@pytest.mark.usefixtures("lifted_log")
@pytest.mark.django_db(transaction=True)
class TestAtTheSameMoment:
    def test_two_confirmations_cannot_both_slip_below_the_limit(
        self, one_a_day, mirror, two, mei, hua
    ):
        asking = [Asking(mei), Asking(hua)]
        plans = [(asks, asks.plan(who)) for asks, who in zip(asking, two, strict=True)]
        gate, failed = threading.Barrier(2), []

        def confirm(asking, plan) -> None:
            try:
                gate.wait(10)
                asking.confirm(plan)
            except Exception as error:
                failed.append(error)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=confirm, args=each) for each in plans]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        assert sorted(StatusChange.objects.values_list("status", flat=True)) == [
            "approved",
            "pending",
        ]


class TestUsedToday:
    def test_shows_each_verb_and_oneself(self, asking, bo, mei, django_assert_num_queries):
        asking.ask(bo)
        with django_assert_num_queries(1):
            used = guards.used_today(mei, at=timezone.now())
        by_title = {row.title.en: row.count for row in used}
        assert by_title[kind_named("convert_employee").title.en] == 1
        assert used[-1].count == 1

    def test_asks_one_query_beforehand(self, mei: User, django_assert_num_queries):
        with django_assert_num_queries(1):
            guards.is_above_limit(kind_named("convert_employee"), mei, at=timezone.now())


class TestSettings:
    def test_limits_are_names_with_numbers(self):
        env = Environment({"DAILY_LIMITS": "convert_employee=7, offboard_employee = 0"})
        assert env.wholes("DAILY_LIMITS") == {"convert_employee": 7, "offboard_employee": 0}
        assert env.problems == []
        assert Environment({}).wholes("DAILY_LIMITS") == {}

    @pytest.mark.parametrize("given", ["convert_employee", "=3", "a=-1", "a=x", "a=99999999999"])
    def test_others_are_said_in_a_sentence(self, given):
        env = Environment({"DAILY_LIMITS": given})
        assert env.wholes("DAILY_LIMITS") == {}
        assert env.problems[0].startswith("DAILY_LIMITS must be names with whole numbers")

    def test_a_verb_that_does_not_exist_is_refused_at_the_start(self, settings):
        assert checks.check_daily_limits(None) == []
        settings.DAILY_LIMITS = {"convert_employe": 3}
        (error,) = checks.check_daily_limits(None)
        assert error.id == "hrportal.E013"
        assert "convert_employe" in error.msg
