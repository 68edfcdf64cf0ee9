"""Marking talents as onboarded or as left, against a real HTTP tenant."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import mirror as mirroring
from lifecycle.changes.kinds import kind_named
from lifecycle.errors.problems import ChangeBlocked
from lifecycle.models import Talent
from lifecycle.services import changes as change_service
from lifecycle.services import sync
from lifecycle.views.change_words import story_of

A1 = "A1"
ONBOARD, LEAVE = "onboard_talent", "mark_talent_left"
DAY_NAMES = {ONBOARD: "onboarded_on", LEAVE: "left_on"}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(mirror) -> Talent:
    """In the talent pool alone."""
    return a_talent(mirror, "none")


@pytest.fixture
def member(mirror) -> Talent:
    """Onboarded by the talent pool's account."""
    return a_talent(mirror, "onboarded")


def a_talent(tenant, state: str) -> Talent:
    (record, *_) = tenant.records("talents", state=state)
    return Talent.objects.select_related("person").get(feishu_id=record["id"])


def plan(asking, talent, verb, **values):
    return asking.plan(talent, verb, **{DAY_NAMES[verb]: timezone.localdate(), **values})


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


class TestOnboardTalent:
    def test_sends_the_time_as_text_and_nothing_else(self, asking, newcomer, mirror, worker):
        change = worker(asking.confirm(plan(asking, newcomer, ONBOARD)))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        (sent,) = mirror.requests(writes=True)
        assert sent["body"].keys() == {"operation", "onboard_time"}
        assert isinstance(sent["body"]["onboard_time"], str)
        assert mirror.operations(newcomer.feishu_id) == ["onboard_talent"]

    def test_is_known_at_once_and_stays_so(self, asking, newcomer, worker):
        before, old = timezone.now(), dict(newcomer.payload)
        worker(asking.confirm(plan(asking, newcomer, ONBOARD)))
        mirroring.store_talents([old], asked_at=before)
        newcomer.refresh_from_db()
        assert newcomer.is_onboarded
        assert newcomer.payload["is_onboarded"] is True

    def test_is_settled_by_reading_back(self, asking, newcomer, mirror, worker):
        mirror.fault("drop_after", endpoint=A1)
        change = worker(asking.confirm(plan(asking, newcomer, ONBOARD)))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert mirror.operations(newcomer.feishu_id) == ["onboard_talent"]

    def test_that_was_done_in_the_console_is_not_sent(self, asking, newcomer, mirror, worker):
        change = asking.confirm(plan(asking, newcomer, ONBOARD))
        mirror.patch("talents", newcomer.feishu_id, state="onboarded", is_onboarded=True)
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert mirror.requests(writes=True) == []

    def test_is_blocked_for_who_is_there(self, asking, member, mirror):
        made = plan(asking, member, ONBOARD)
        assert codes(made.blockers) == ["feishu.1002002"]
        with pytest.raises(ChangeBlocked):
            asking.confirm(made)
        assert mirror.requests(writes=True) == []

    def test_cannot_be_taken_back_and_says_so(self, asking, newcomer, worker, mei):
        made = plan(asking, newcomer, ONBOARD)
        assert "plan.onboard-talent-for-good" in codes(made.warnings)
        assert made.undo.zh.startswith("不能撤销")
        assert change_service.way_to_undo(worker(asking.confirm(made)), mei) is None

    def test_waits_for_its_day(self, asking, newcomer, mirror, worker):
        day = timezone.localdate() + 5 * DAY
        change = worker(asking.confirm(plan(asking, newcomer, ONBOARD, onboarded_on=day)))
        assert change.status == "approved"
        assert mirror.requests(writes=True) == []


class TestMarkTalentLeft:
    def test_is_remembered_although_no_reading_shows_it(self, asking, member, mirror, worker):
        change = worker(asking.confirm(plan(asking, member, LEAVE)))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        (sent,) = mirror.requests(writes=True)
        assert sent["body"].keys() == {"operation", "overboard_time"}
        assert isinstance(sent["body"]["overboard_time"], str)
        sync.sync_kind("talents")
        member.refresh_from_db()
        assert member.has_left

    def test_closes_both_verbs_for_good(self, asking, member, mirror, worker):
        worker(asking.confirm(plan(asking, member, LEAVE)))
        member.refresh_from_db()
        mirror.clear_requests()
        for verb in (ONBOARD, LEAVE):
            assert not kind_named(verb).is_legal(member)
            assert codes(plan(asking, member, verb).blockers) == ["feishu.1002002"]
        assert mirror.requests(writes=True) == []

    def test_is_open_again_to_who_came_back(self, asking, member, mirror, worker):
        worker(asking.confirm(plan(asking, member, LEAVE)))
        sync.sync_kind("talents")
        mirror.patch("talents", member.feishu_id, state="onboarded", is_onboarded=True)
        sync.sync_kind("talents")
        member.refresh_from_db()
        assert not member.has_left
        assert kind_named(LEAVE).is_legal(member)

    def test_is_blocked_for_who_was_never_onboarded(self, asking, newcomer, mirror):
        assert codes(plan(asking, newcomer, LEAVE).blockers) == ["feishu.1002002"]
        assert mirror.requests(writes=True) == []

    @pytest.mark.parametrize("fault", ["drop_after", "drop_before"])
    def test_in_silence_is_for_a_person_to_decide(self, asking, member, mirror, worker, hua, fault):
        mirror.fault(fault, endpoint=A1)
        change = worker(asking.confirm(plan(asking, member, LEAVE)))
        worker(change, later=MINUTE)
        assert (change.status, change.problem) == ("needs_attention", "change.cannot-tell")
        assert len(mirror.requests(writes=True)) == 1
        change_service.decide_change(
            change, verdict="applied", reason="tag seen", acting_user=hua, at=timezone.now()
        )
        member.refresh_from_db()
        assert member.has_left

    def test_is_no_undo_and_says_so(self, asking, member, worker, mei):
        made = plan(asking, member, LEAVE)
        assert "plan.mark-left-for-good" in codes(made.warnings)
        assert made.undo.zh.startswith("不能撤销")
        assert change_service.way_to_undo(worker(asking.confirm(made)), mei) is None


class TestBoth:
    def test_warn_about_an_employee_record(self, asking, member):
        assert "plan.has-employee-record" in codes(plan(asking, member, LEAVE).warnings)

    def test_warn_about_a_day_that_has_passed(self, asking, newcomer):
        made = plan(asking, newcomer, ONBOARD, onboarded_on=timezone.localdate() - DAY)
        assert "plan.backdated-talent" in codes(made.warnings)

    @pytest.mark.parametrize("verb", [ONBOARD, LEAVE])
    def test_say_that_the_talent_is_gone(self, asking, newcomer, mirror, verb):
        mirror.delete("talents", newcomer.feishu_id)
        assert "feishu.record-missing" in codes(plan(asking, newcomer, verb).blockers)

    @pytest.mark.parametrize(("verb", "state"), [(ONBOARD, "none"), (LEAVE, "onboarded")])
    def test_explain_a_refusal(self, asking, mirror, worker, verb, state):
        change = asking.confirm(plan(asking, a_talent(mirror, state), verb))
        mirror.fault("code", endpoint=A1, code=1002002, http_status=400)
        worker(change)
        assert (change.status, change.feishu_code) == ("failed", 1002002)

    def test_look_a_system_error_up(self, asking, newcomer, mirror, worker):
        mirror.fault("code", endpoint=A1, code=1002001, http_status=500, applied=True)
        change = worker(asking.confirm(plan(asking, newcomer, ONBOARD)))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")

    def test_tell_how_many_feishu_takes_while_they_wait(self, asking, newcomer):
        change = asking.confirm(plan(asking, newcomer, ONBOARD))
        change.problem = "feishu.busy"
        assert "20" in story_of(change, was_sent=False, at=timezone.now()).text

    @pytest.mark.parametrize("verb", [ONBOARD, LEAVE])
    @pytest.mark.parametrize(
        "day", ["", "9999-12-31", "0001-01-01", "0", "true", "2025-02-30", "🙂", "<b>", "\0"]
    )
    def test_refuse_what_is_no_day_of_a_working_life(self, newcomer, verb, day):
        data = {DAY_NAMES[verb]: day}
        form = kind_named(verb).form(newcomer, data, today=timezone.localdate())
        assert form.errors.keys() == set(data)
