"""Several people decide, one after the other, by department; all of them on the same plan."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from lifecycle import action_log, queries
from lifecycle.changes import invariants
from lifecycle.errors.problems import InvalidValues, NotAllowed, RequestRefused
from lifecycle.models import (
    ActionEntry,
    ApprovalRoute,
    ConversionRequest,
    Department,
    Role,
    StatusChange,
    StepAgreement,
    User,
)
from lifecycle.services import reminders, requests, routes
from tests.builders import a_department, an_employee

pytestmark = pytest.mark.django_db
TODAY, NOW = timezone.localdate, timezone.now
DAY = timedelta(days=1)
BOTH, THREE = "leader-hrbp", "leader-above-hrbp"


@pytest.fixture
def boss(db) -> User:
    return User.objects.create_user("boss", role=Role.ADMINISTRATOR, last_name="管")


@pytest.fixture
def ping(bo) -> User:
    """Ping is HR of Bo's department."""
    user = User.objects.create_user("ping", role=Role.HR, last_name="平")
    user.department_ids = [bo.department_id]
    user.save()
    return user


@pytest.fixture
def both(bo, boss) -> None:
    routes.set_route("", BOTH, reason="as agreed", acting_user=boss, at=NOW())


def ask(bo, mei) -> ConversionRequest:
    return requests.ask(bo, acting_user=mei, at=NOW())


def agree(request, user, *, day=None, seen=None):
    request.refresh_from_db()
    return requests.approve(
        request,
        day=day or request.suggested_on,
        pre_image_hash=seen or request.pre_image_hash,
        acting_user=user,
        at=NOW(),
    )


def said(event: str) -> str:
    return action_log.sentence(ActionEntry.objects.filter(event=event).latest("seq")).zh


class TestRoutes:
    def tree(self) -> tuple[Department, Department, Department]:
        top = a_department("总部")
        middle = a_department("研发", below=top)
        return top, middle, a_department("平台", below=middle)

    def test_one_step_unless_said_otherwise(self, db):
        assert routes.route_for(an_employee()) == ["leader"]

    def test_the_nearest_department_counts(self, boss):
        top, middle, low = self.tree()
        employee = an_employee(department=low)
        steps = []
        for department_id, name in (
            ("", BOTH),
            (top.feishu_id, THREE),
            (middle.feishu_id, BOTH),
            (low.feishu_id, "leader"),
        ):
            routes.set_route(department_id, name, reason="as agreed", acting_user=boss, at=NOW())
            steps.append("-".join(routes.route_for(employee)))
        assert steps == [BOTH, THREE, BOTH, "leader"]
        routes.remove_route(low.feishu_id, reason="as agreed", acting_user=boss, at=NOW())
        assert routes.route_for(employee) == ["leader", "hrbp"]
        assert routes.route_for(an_employee(department=top)) == ["leader", "above", "hrbp"]

    def test_is_logged_with_before_and_after(self, boss):
        routes.set_route("", BOTH, reason="as agreed", acting_user=boss, at=NOW())
        routes.set_route("", BOTH, reason="as agreed", acting_user=boss, at=NOW())
        assert ActionEntry.objects.filter(event="settings.approval_steps").count() == 1
        assert said("settings.approval_steps") == (
            f"{boss.name}修改了全公司的转正审批步骤：由（同上级部门）改为（上级、部门 HR）"
        )

    @pytest.mark.parametrize("name", ["", "hrbp", "hrbp-leader", "leader-leader", "x"])
    def test_the_leader_always_begins(self, boss, name):
        with pytest.raises(InvalidValues):
            routes.set_route("", name, reason="as agreed", acting_user=boss, at=NOW())

    def test_is_for_the_administrator_and_hr_of_the_whole_company(self, boss, mei, ana, bo):
        routes.set_route("", BOTH, reason="as agreed", acting_user=mei, at=NOW())
        mei.department_ids = [bo.department_id]
        for user in (mei, ana):
            with pytest.raises(NotAllowed):
                routes.set_route("", "leader", reason="as agreed", acting_user=user, at=NOW())
        with pytest.raises(InvalidValues):
            routes.set_route("od-nowhere", BOTH, reason="as agreed", acting_user=boss, at=NOW())

    def test_a_request_keeps_the_steps_it_began_with(self, bo, mei, li, ping, both, boss):
        request = ask(bo, mei)
        routes.set_route("", "leader", reason="as agreed", acting_user=boss, at=NOW())
        assert agree(request, li) is None

    def test_the_page(self, boss, settings, bo):
        settings.SECURE_SSL_REDIRECT = False
        settings.STORAGES = settings.STORAGES | {
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        }
        client = Client()
        client.force_login(boss)
        form = {"department": bo.department_id, "route": BOTH}
        answer = client.post("/approval-steps/", form)
        assert answer.status_code == 422
        assert "请写明原因" in answer.text
        assert f'value="{bo.department_id}" selected' in answer.text
        assert not ApprovalRoute.objects.exists()
        why = {"reason": "新规定"}
        assert client.post("/approval-steps/", form | why).status_code == 303
        entry = ActionEntry.objects.get(event="settings.approval_steps")
        assert action_log.private_values(entry) == {"address": "127.0.0.1", "reason": "新规定"}
        text = client.get("/approval-steps/").content.decode()
        assert "直属上级 → 部门 HR" in text
        remove = {"department": bo.department_id, "step": "remove"}
        assert client.post("/approval-steps/", remove).status_code == 422
        assert ApprovalRoute.objects.exists()
        client.post("/approval-steps/", remove | why)
        assert not ApprovalRoute.objects.exists()


class TestDeciding:
    def test_goes_from_the_leader_to_hr_and_then_to_feishu(
        self, bo, mei, li, ping, both, mirror, worker
    ):
        request = ask(bo, mei)
        assert (request.route, request.approver) == (["leader", "hrbp"], li)
        assert agree(request, li, day=TODAY()) is None
        request.refresh_from_db()
        assert (request.status, request.step, request.approver) == ("open", 1, ping)
        assert mirror.requests(writes=True) == []
        assert said("request.step_agreed") == (
            f"{li.name}同意{bo.person.name}于 {TODAY()} 转正（第 1 步，共 2 步），"
            f"接下来由{ping.name}决定"
        )
        change = agree(request, ping)
        assert (change.requested_by, change.status) == (mei, "approved")
        worker(change)
        assert mirror.operations(bo.feishu_id) == ["convert"]
        agreed = list(StepAgreement.objects.values_list("by", "role"))
        assert agreed == [(li.pk, "leader"), (ping.pk, "hrbp")]
        hashes = set(StepAgreement.objects.values_list("payload_hash", "pre_image_hash"))
        assert hashes == {(change.payload_hash, change.pre_image_hash)}
        assert list(invariants.violations()) == []

    def test_the_day_of_the_first_yes_is_everybodys(self, bo, mei, li, ping, both):
        request = ask(bo, mei)
        agree(request, li, day=TODAY() + 5 * DAY)
        with pytest.raises(RequestRefused) as caught:
            agree(request, ping, day=TODAY())
        assert caught.value.notice.code == "request.day-fixed"
        change = agree(request, ping)
        assert timezone.localdate(change.effective_at) == TODAY() + 5 * DAY

    def test_any_no_ends_it(self, bo, mei, li, ping, both):
        request = ask(bo, mei)
        agree(request, li)
        request.refresh_from_db()
        requests.decline(request, reason="预算", acting_user=ping, at=NOW())
        assert request.status == "declined"
        with pytest.raises(RequestRefused):
            agree(request, ping)
        assert not StatusChange.objects.exists()

    def test_over_changed_facts_all_agree_anew(self, bo, mei, li, ping, both, mirror):
        request = ask(bo, mei)
        agree(request, li)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1893456000000)
        with pytest.raises(RequestRefused) as caught:
            agree(request, ping)
        assert caught.value.notice.code == "request.facts-changed"
        anew = ConversionRequest.objects.get(follows=request)
        assert (anew.step, anew.approver, anew.route) == (0, li, ["leader", "hrbp"])
        assert mirror.requests(writes=True) == []

    def test_each_step_is_for_its_own(self, bo, mei, hua, li, ping, qin, both):
        request = ask(bo, mei)
        for user in (mei, hua, ping, qin):
            with pytest.raises(NotAllowed):
                agree(request, user)
        agree(request, li)
        for user in (mei, hua, li, qin):
            with pytest.raises(NotAllowed):
                agree(request, user)

    def test_twice_the_same_yes_is_one_step(self, bo, mei, li, ping, both):
        request = ask(bo, mei)
        seen = ConversionRequest.objects.get(pk=request.pk)
        agree(request, li)
        with pytest.raises((RequestRefused, NotAllowed)):
            requests.approve(
                seen,
                day=seen.suggested_on,
                pre_image_hash=seen.pre_image_hash,
                acting_user=li,
                at=NOW(),
            )
        request.refresh_from_db()
        assert request.step == 1
        assert StepAgreement.objects.count() == 1

    def test_never_by_one_person_at_two_steps(self, bo, mei, li, above, both, boss):
        """Not even when the accounts are moved about meanwhile."""
        routes.set_route("", "leader-above", reason="as agreed", acting_user=boss, at=NOW())
        request = ask(bo, mei)
        agree(request, li)
        request.refresh_from_db()
        assert request.approver == above
        ConversionRequest.objects.filter(pk=request.pk).update(approver=li)
        with pytest.raises(NotAllowed):
            agree(request, li)
        again = StepAgreement.objects.get()
        again.pk, again.step = None, 1
        with pytest.raises(IntegrityError), transaction.atomic():
            again.save(force_insert=True)

    def test_nobody_is_offered_who_has_agreed_already(self, bo, mei, li, above, qin, boss):
        routes.set_route("", "leader-above", reason="as agreed", acting_user=boss, at=NOW())
        request = ask(bo, mei)
        agree(request, li)
        request.refresh_from_db()
        assert queries.deciders_for(request) == [qin]

    def test_whoever_decided_the_first_step_is_not_asked_again(self, bo, mei, li, above, boss):
        routes.set_route("", "leader-above", reason="as agreed", acting_user=boss, at=NOW())
        request = ask(bo, mei)
        requests.reassign(request, to=above, reason="x", acting_user=mei, at=NOW())
        agree(request, above)
        request.refresh_from_db()
        assert (request.approver, request.held) == (None, "no_approver")


class TestHrOfTheDepartment:
    def test_is_the_nearest_never_the_asker_nor_the_employee(self, bo, mei, hua, li, ping, both):
        request = ask(bo, ping)
        agree(request, li)
        request.refresh_from_db()
        # Ping has asked, so it is HR of the whole company; Mei came first.
        assert request.approver == mei
        bo.person.open_id = mei.open_id = "ou_mei"
        bo.person.save()
        mei.save()
        with pytest.raises(NotAllowed):
            agree(request, mei)

    def test_who_is_slow_is_passed_over_to_the_next_wider_one(
        self, bo, mei, hua, li, ping, both, settings
    ):
        request = ask(bo, mei)
        agree(request, li)
        reminders.escalate(NOW() + timedelta(days=settings.ESCALATE_REQUEST_DAYS + 1))
        request.refresh_from_db()
        assert (request.approver, request.step, request.escalations) == (hua, 1, 1)

    def test_can_be_given_to_another_hr_but_not_to_a_manager(
        self, bo, mei, hua, li, ping, qin, both
    ):
        request = ask(bo, mei)
        agree(request, li)
        request.refresh_from_db()
        for user in (qin, li, mei):
            with pytest.raises(RequestRefused):
                requests.reassign(request, to=user, reason="x", acting_user=mei, at=NOW())
        requests.reassign(request, to=hua, reason="x", acting_user=mei, at=NOW())
        assert request.approver == hua

    def test_who_becomes_hr_later_is_found(self, bo, mei, li, both):
        request = ask(bo, mei)
        agree(request, li)
        request.refresh_from_db()
        assert request.held == "no_approver"
        late = User.objects.create_user("late", role=Role.HR)
        reminders.find_approvers(NOW())
        request.refresh_from_db()
        assert (request.approver, request.held) == (late, "")

    def test_sees_it_in_the_inbox_with_the_step(self, bo, mei, li, ping, both, settings):
        settings.SECURE_SSL_REDIRECT = False
        settings.STORAGES = settings.STORAGES | {
            "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        }
        request = ask(bo, mei)
        client = Client()
        client.force_login(ping)
        assert bo.person.name not in client.get("/inbox/").content.decode()
        agree(request, li)
        text = client.get("/inbox/").content.decode()
        assert "第 2 步，共 2 步" in text
        assert f"{li.name}" in text
        person = client.get(f"/people/{bo.person_id}/").content.decode()
        assert "第 2 步，共 2 步：部门 HR" in person
        assert "2/2" in client.get("/probation/").content.decode()
        request.refresh_from_db()
        answer = client.post(
            f"/inbox/{request.pk}/approve/",
            {"day": request.suggested_on, "pre_image_hash": request.pre_image_hash},
        )
        assert answer.status_code == 303
        assert StatusChange.objects.get().status == "approved"
