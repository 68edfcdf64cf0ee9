"""A second person: agrees to exactly what was asked for, or does not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import action_log, jobs, policies
from lifecycle.errors.problems import (
    ApprovalRefused,
    ApprovalVoid,
    NotAllowed,
    StalePlan,
    StepNotAllowed,
)
from lifecycle.models import ActionEntry, Approval, Department, Employee, Role, StatusChange, User
from lifecycle.services import approvals
from lifecycle.services.changes import cancel_change
from tests.builders import a_change, a_department, an_employee
from tests.records import a_pre_hire

pytestmark = pytest.mark.django_db


@pytest.fixture
def pending(settings, asking, bo) -> StatusChange:
    """Mei has asked to convert Bo, and a second person has to agree."""
    settings.DAILY_LIMITS = {"convert_employee": 0}
    return asking.ask(bo)


def approve(change: StatusChange, user: User, **hashes: str) -> None:
    seen = {"payload_hash": change.payload_hash, "pre_image_hash": change.pre_image_hash}
    approvals.approve_change(change, **seen | hashes, acting_user=user, at=timezone.now())


def reject(change: StatusChange, user: User, reason: str = "not agreed") -> None:
    approvals.reject_change(change, reason=reason, acting_user=user, at=timezone.now())


def events(change: StatusChange) -> list[str]:
    entries = ActionEntry.objects.filter(change_id=change.pk).order_by("seq")
    return list(entries.values_list("event", flat=True))


class TestAgreeing:
    def test_lets_it_be_sent(self, pending, hua, worker, mirror):
        worker(pending)
        assert not pending.attempts.exists()
        approve(pending, hua)
        worker(pending)
        assert pending.status == "succeeded"
        assert len(mirror.requests(writes=True)) == 1

    def test_is_kept_with_the_plan_it_is_about(self, pending, hua):
        approve(pending, hua)
        said = Approval.objects.get()
        assert (said.change, said.by, said.verdict) == (pending, hua, "approved")
        assert (said.payload_hash, said.pre_image_hash) == (
            pending.payload_hash,
            pending.pre_image_hash,
        )
        assert events(pending) == ["change.requested", "change.approved"]
        entry = ActionEntry.objects.get(event="change.approved")
        data = json.loads(entry.body)["data"]
        assert (entry.actor_id, data["from"], data["to"]) == (hua.pk, "pending", "approved")
        assert data["payload_hash"] == pending.payload_hash
        assert "second person" in action_log.sentence(entry).en

    def test_waits_for_its_day_like_any_other(self, settings, asking, bo, hua):
        settings.DAILY_LIMITS = {"convert_employee": 0}
        change = asking.ask(bo, converted_on=timezone.localdate() + timedelta(days=2))
        approve(change, hua)
        assert change.next_run_at == change.effective_at > timezone.now()

    def test_is_not_for_the_requester_even_with_the_right_hashes(self, pending, mei):
        with pytest.raises(ApprovalRefused) as refusal:
            approve(pending, mei)
        assert refusal.value.notice.code == "approval.own-request"

    def test_is_not_for_the_person_it_is_about(self, pending, hua):
        hua.open_id = pending.person.open_id = "ou_bo"
        pending.person.save()
        hua.save()
        with pytest.raises(NotAllowed):
            approve(pending, hua)

    def test_is_not_for_auditors_nor_administrators(self, pending, ana, zhou):
        for user in (ana, zhou):
            with pytest.raises(NotAllowed):
                approve(pending, user)

    def test_is_not_beyond_ones_departments(self, pending, hua):
        hua.department_ids = [a_department("别的部门").feishu_id]
        hua.save()
        with pytest.raises(NotAllowed):
            approve(pending, hua)

    @pytest.mark.parametrize("name", ["payload_hash", "pre_image_hash"])
    def test_is_not_to_another_plan(self, pending, hua, name):
        with pytest.raises(StalePlan):
            approve(pending, hua, **{name: "0" * 64})
        assert pending.is_pending

    def test_comes_once(self, pending, hua):
        stale = StatusChange.objects.get(pk=pending.pk)
        approve(pending, hua)
        for change in (pending, stale):
            with pytest.raises(StepNotAllowed):
                approve(change, hua)
            with pytest.raises(StepNotAllowed):
                reject(change, hua)
        assert Approval.objects.count() == 1

    def test_rests_on_the_last_sync_when_feishu_is_silent(self, pending, hua, mirror):
        mirror.fault("drop_before", on="all", times=9)
        approve(pending, hua)
        assert pending.status == "approved"


class TestWhatHasChangedMeanwhile:
    def test_makes_it_void_with_a_clear_sentence(self, pending, hua, mirror):
        record = mirror.record("employees", pending.subject_id)
        due = record["expected_conversion_time"] + 86_400_000
        mirror.patch("employees", pending.subject_id, expected_conversion_time=due)
        with pytest.raises(ApprovalVoid) as void:
            approve(pending, hua)
        assert void.value.notice.code == "approval.facts-changed"
        pending.refresh_from_db()
        assert (pending.status, pending.problem) == ("expired", "approval.facts-changed")
        assert not Approval.objects.exists()
        assert events(pending)[-1] == "change.expired"
        entry = ActionEntry.objects.get(event="change.expired")
        assert "facts in Feishu changed" in action_log.sentence(entry).en

    def test_can_be_asked_for_again(self, pending, hua, mirror, asking, bo):
        mirror.patch("employees", pending.subject_id, expected_conversion_time=1767052800000)
        with pytest.raises(ApprovalVoid):
            approve(pending, hua)
        assert asking.ask(bo).is_pending

    def test_such_as_the_record_itself(self, pending, hua, mirror):
        mirror.delete("employees", pending.subject_id)
        with pytest.raises(ApprovalVoid) as void:
            approve(pending, hua)
        assert void.value.notice.code == "feishu.record-missing"


class TestNotAgreeing:
    def test_ends_it_with_a_reason(self, pending, hua, worker, mirror):
        reject(pending, hua, " not before the review ")
        worker(pending)
        assert pending.status == "rejected"
        assert Approval.objects.get().reason == "not before the review"
        entry = ActionEntry.objects.get(event="change.rejected")
        assert action_log.private_values(entry) == {"reason": "not before the review"}
        assert not mirror.requests(writes=True)

    def test_needs_a_reason(self, pending, hua):
        with pytest.raises(ApprovalRefused) as refusal:
            reject(pending, hua, "  ")
        assert refusal.value.notice.code == "approval.reason-missing"
        assert pending.is_pending

    def test_is_not_for_the_requester_who_can_cancel(self, pending, mei):
        with pytest.raises(ApprovalRefused):
            reject(pending, mei)
        cancel_change(pending, acting_user=mei, at=timezone.now())
        assert pending.status == "cancelled"


class TestTime:
    def test_a_change_nobody_agreed_to_becomes_void_some_days_after_its_day(
        self, pending, settings
    ):
        settings.APPROVAL_DAYS = 3
        for days, status in ((3, "pending"), (4, "expired")):
            midday = timezone.localtime().replace(hour=12) - timedelta(days=days)
            StatusChange.objects.update(effective_at=midday)
            jobs.sweep()
            pending.refresh_from_db()
            assert pending.status == status
        assert pending.problem == "approval.too-late"
        assert events(pending)[-1] == "change.expired"

    def test_nobody_can_agree_to_it_before_the_sweeper_comes(self, pending, hua):
        pending.effective_at -= timedelta(days=30)
        pending.save()
        with pytest.raises(ApprovalVoid) as void:
            approve(pending, hua)
        assert void.value.notice.code == "approval.too-late"

    def test_one_for_a_later_day_waits_on(self, settings, asking, bo):
        settings.DAILY_LIMITS, settings.APPROVAL_DAYS = {"convert_employee": 0}, 0
        change = asking.ask(bo, converted_on=timezone.localdate() + timedelta(days=9))
        jobs.sweep()
        change.refresh_from_db()
        assert change.is_pending


class TestWhoMayAgree:
    @pytest.fixture
    def everybody(self, mei, hua, ana, zhou) -> list[User]:
        above = a_department("研发中心")
        team = a_department("平台组", below=above)
        other = a_department("市场部")
        users = [
            User.objects.create_user(f"hr-{n}", role=Role.HR, department_ids=ids, open_id=open_id)
            for n, (ids, open_id) in enumerate(
                [
                    ([above.feishu_id], ""),
                    ([team.feishu_id], ""),
                    ([other.feishu_id], ""),
                    ([other.feishu_id, above.feishu_id], ""),
                    ([], "ou_self"),
                ]
            )
        ]
        gone = User.objects.create_user("gone", role=Role.HR, is_active=False)
        return [mei, hua, ana, zhou, gone, *users]

    @pytest.mark.parametrize("where", ["平台组", "研发中心", "市场部", ""])
    @pytest.mark.parametrize("kind", ["employee", "gone", "pre_hire"])
    def test_the_list_is_of_those_who_may(
        self, everybody, mei, where, kind, django_assert_num_queries
    ):
        department = Department.objects.filter(name=where).first()
        employee = an_employee(
            open_id="ou_self",
            department=None if kind == "pre_hire" else department,
            gone_at=timezone.now() if kind == "gone" else None,
        )
        if kind == "pre_hire":
            a_pre_hire(employee.person, department=department)
        change = a_change(
            employee, by=mei, status="pending", next_run_at=None, problem="guard.daily-limit"
        )
        with django_assert_num_queries(2):
            found = policies.approvers_of(change)
        assert {user.username for user in found} == {
            user.username for user in everybody if policies.can_approve(user, change)
        }
        assert "hua" in {user.username for user in found}

    def test_nobody_may_where_no_rule_says_who(self, hua, mei):
        change = a_change(
            an_employee(), by=mei, status="pending", next_run_at=None, problem="some.other-rule"
        )
        assert not policies.can_approve(hua, change)
        assert policies.approvers_of(change) == []


def test_a_pending_change_blocks_another_one(pending, asking, bo: Employee):
    assert asking.plan(bo).blockers[0].code == "plan.open-change"
