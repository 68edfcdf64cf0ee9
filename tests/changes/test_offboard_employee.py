"""Offboarding an employee and taking it back, against a real HTTP tenant."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import action_log
from lifecycle.errors.problems import ChangeBlocked
from lifecycle.models import ActionEntry, Employee

A2 = "A2"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def leaver(mirror) -> Employee:
    """Somebody converted, in Hire only."""
    return Employee.objects.filter(
        onboard_status="onboarded", conversion_status="converted", employment_id=""
    )[0]


@pytest.fixture
def somebody_gone(mirror) -> Employee:
    return Employee.objects.filter(onboard_status="left", employment_id="")[0]


def offboard(asking, employee, **values):
    values = {"left_on": timezone.localdate(), "overboard_note": "", **values}
    return asking.plan(employee, "offboard_employee", **values)


class TestOffboardEmployee:
    def test_sends_the_day_as_a_number_and_the_note(self, asking, leaver, mirror, worker):
        change = worker(asking.confirm(offboard(asking, leaver, overboard_note="职业发展考虑")))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        (sent,) = mirror.requests(writes=True)
        info = sent["body"]["overboard_info"]
        assert sent["body"]["operation"] == 2
        assert isinstance(info["actual_overboard_time"], int)
        assert info["overboard_note"] == "职业发展考虑"
        leaver.refresh_from_db()
        assert leaver.has_left
        assert leaver.left_on == timezone.localdate()
        assert mirror.operations(leaver.feishu_id) == ["offboard"]

    def test_keeps_the_note_out_of_the_chained_log(self, asking, leaver, worker):
        change = worker(asking.confirm(offboard(asking, leaver, overboard_note="职业发展考虑")))
        entries = ActionEntry.objects.filter(change_id=change.pk)
        assert not [entry.seq for entry in entries if "职业发展考虑" in entry.body]
        asked = entries.get(event="change.requested")
        assert action_log.private_values(asked)["request"] == change.payload
        assert list(action_log.verify())[-1].bad_seq is None

    def test_leaves_out_an_empty_note(self, asking, leaver):
        plan = offboard(asking, leaver)
        assert "overboard_note" not in json.loads(plan.request.body_text)["overboard_info"]

    def test_warns_about_the_notice_and_the_last_day(self, asking, leaver):
        soon = {notice.code for notice in offboard(asking, leaver).warnings}
        late = timezone.localdate() + timedelta(days=200)
        far = {notice.code for notice in offboard(asking, leaver, left_on=late).warnings}
        assert {"plan.last-working-day", "plan.short-notice"} <= soon
        assert {"plan.last-working-day", "plan.long-notice"} <= far

    def test_is_blocked_for_somebody_who_has_left(self, asking, somebody_gone, mirror):
        plan = offboard(asking, somebody_gone)
        assert [notice.code for notice in plan.blockers] == ["feishu.1002902"]
        with pytest.raises(ChangeBlocked):
            asking.confirm(plan)
        assert mirror.requests(writes=True) == []

    def test_is_blocked_before_the_onboarding(self, asking, leaver):
        plan = offboard(asking, leaver, left_on=leaver.onboarded_on - timedelta(days=1))
        assert [notice.code for notice in plan.blockers] == ["feishu.1002905"]

    def test_is_settled_by_reading_back(self, asking, leaver, mirror, worker):
        mirror.fault("drop_after", endpoint=A2)
        change = worker(asking.confirm(offboard(asking, leaver)))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert mirror.operations(leaver.feishu_id) == ["offboard"]

    def test_waits_for_its_day(self, asking, leaver, mirror, worker):
        day = timezone.localdate() + timedelta(days=10)
        change = worker(asking.confirm(offboard(asking, leaver, left_on=day)))
        assert change.status == "approved"
        assert mirror.requests(writes=True) == []


class TestUndoOffboarding:
    def test_is_a_linked_change(self, asking, leaver, mirror, worker):
        offboarded = worker(asking.confirm(offboard(asking, leaver)))
        leaver.refresh_from_db()
        undone = worker(asking.ask(leaver, "undo_offboarding"))
        assert undone.status == "succeeded"
        assert undone.undo_of_id == offboarded.pk
        leaver.refresh_from_db()
        assert not leaver.has_left
        assert mirror.operations(leaver.feishu_id) == ["offboard", "undo_offboard"]

    def test_is_blocked_for_somebody_still_here(self, asking, leaver, mirror):
        plan = asking.plan(leaver, "undo_offboarding")
        assert [notice.code for notice in plan.blockers] == ["feishu.1002907"]
        assert mirror.requests(writes=True) == []
