"""What was refused to somebody who is signed in is in the log: what, why, and about whom."""

from __future__ import annotations

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log
from lifecycle.action_log import data_in
from lifecycle.errors.problems import NOTICES, NotAllowed
from lifecycle.models import ActionEntry, Employee, Role, StatusChange, User
from lifecycle.services import refusals, requests
from tests.builders import a_change, a_department, an_employee
from tests.views.conftest import _a_browser_on_this_machine, as_user, li, zhou

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user", "li", "zhou"]


@pytest.fixture(autouse=True)
def no_flood() -> None:
    cache.clear()


def refused() -> list[ActionEntry]:
    return list(ActionEntry.objects.filter(event="user.refused").order_by("seq"))


def the_refusal() -> ActionEntry:
    (entry,) = refused()
    return entry


class TestWhatIsLogged:
    def test_a_page_that_is_not_for_this_role(self, as_user, mei):
        assert as_user(mei).get("/users/?q=secret").status_code == 403
        entry = the_refusal()
        assert (entry.actor_id, entry.role, entry.person_ref) == (mei.pk, "hr", None)
        assert data_in(entry.body)["problem"] == "person.not-allowed"
        assert action_log.private_values(entry) == {"address": "127.0.0.1", "path": "/users/"}
        assert "secret" not in entry.body
        said = action_log.sentence(entry)
        assert said.en == f"{mei.name} was refused (users): not theirs to do"
        assert said.zh == f"{mei.name}的操作被拒绝（用户）：超出其权限"

    def test_a_record_out_of_reach_and_whose_it_is(self, as_user, mei):
        inside, outside = a_department("研发"), a_department("销售")
        User.objects.filter(pk=mei.pk).update(department_ids=[inside.feishu_id])
        wang = an_employee("王伟", department=outside)
        client = as_user(mei)
        addresses = [
            reverse("employee", args=[wang.pk]),
            reverse("person", args=[wang.person_id]),
            reverse("convert-employee", args=[wang.pk]),
            reverse("change", args=[a_change(wang, by=mei).pk]),
        ]
        for address in addresses:
            answer = client.get(address)
            assert answer.status_code == 404
            assert "王伟" not in answer.text
        assert [entry.person_ref for entry in refused()] == [wang.person_id] * len(addresses)
        assert action_log.sentence(refused()[0]).en == (
            f"{mei.name} was refused (people, 王伟): a record out of their reach"
        )

    def test_an_entry_and_a_request_out_of_reach(self, as_user, mei, li):
        entry = action_log.record("writes.stopped", actor=None, data={"in_flight": 0})
        assert as_user(mei).get(reverse("log-entry", args=[entry.seq])).status_code == 404
        assert data_in(the_refusal().body)["page"] == "log-entry"

    def test_a_record_that_is_nowhere_was_not_refused(self, as_user, mei):
        assert as_user(mei).get(reverse("person", args=[987654])).status_code == 404
        assert refused() == []

    def test_what_somebody_may_not_ask_for(self, as_user, ana):
        wang = an_employee("王伟")
        address = reverse("convert-employee", args=[wang.pk])
        assert as_user(ana).post(address, {"step": "plan"}).status_code == 403
        entry = the_refusal()
        assert (entry.person_ref, data_in(entry.body)["method"]) == (wang.person_id, "POST")

    def test_deciding_ones_own_change(self, as_user, mei):
        change = a_change(an_employee("王伟"), by=mei, status="needs_attention")
        values = {"verdict": "applied", "reason": "seen in the console"}
        answer = as_user(mei).post(reverse("decide-change", args=[change.pk]), values)
        assert answer.status_code == 422
        entry = the_refusal()
        assert (entry.change_id, entry.person_ref) == (change.pk, change.person_id)
        assert data_in(entry.body)["problem"] == "verdict.own-request"
        assert action_log.sentence(entry).zh == (
            f"{mei.name}的操作被拒绝（状态变更，王伟）：发起人不能裁定自己的变更"
        )

    def test_a_form_that_was_not_sent_from_our_page(self, mei):
        client = Client(enforce_csrf_checks=True)
        client.force_login(mei)
        answer = client.post("/guards/stop/", {"reason": "x"})
        assert answer.status_code == 403
        assert "刚才的操作没有执行" in answer.text
        assert data_in(the_refusal().body)["problem"] == "person.form-not-ours"

    @pytest.mark.parametrize("path", ["/theme/", "/language/", "/sign-out/"])
    def test_a_form_of_no_part_of_its_own_is_named_in_words(self, mei, path):
        client = Client(enforce_csrf_checks=True)
        client.force_login(mei)
        assert client.post(path).status_code == 403
        assert action_log.sentence(the_refusal()).zh.startswith(f"{mei.name}的操作被拒绝（门户）")

    def test_a_method_that_somebody_made_up_is_not_repeated(self, mei):
        client = Client(enforce_csrf_checks=True)
        client.force_login(mei)
        assert client.generic("13800138000", "/guards/stop/").status_code == 403
        assert "13800138000" not in the_refusal().body
        assert data_in(the_refusal().body)["method"] == "?"

    def test_ending_what_somebody_else_has_delegated(self, as_user, li):
        qin = User.objects.create_user("qin", role=Role.MANAGER)
        today = timezone.localdate()
        made = requests.delegate(
            qin, first_day=today, last_day=today, acting_user=li, at=timezone.now()
        )
        client = as_user(qin)
        for pk in (made.pk, made.pk + 1):
            assert client.post(reverse("end-delegation", args=[pk])).status_code == 404
        assert data_in(the_refusal().body)["page"] == "end-delegation"

    def test_switching_what_is_switched_already(self, as_user, zhou):
        answer = as_user(zhou).post("/guards/start/", {"reason": "well again"})
        assert answer.status_code == 409
        assert data_in(the_refusal().body)["problem"] == "guard.not-stopped"

    @pytest.mark.parametrize("path", ["/guards/stop/", "/guards/start/", "/approval-steps/"])
    def test_a_missing_reason_is_a_wrong_form_and_no_refusal(self, as_user, zhou, path):
        assert as_user(zhou).post(path, {"route": "leader"}).status_code in (409, 422)
        assert all(data_in(entry.body)["problem"] == "guard.not-stopped" for entry in refused())

    def test_nobody_who_is_not_signed_in(self):
        assert Client().get("/users/").status_code == 302
        assert Client(enforce_csrf_checks=True).post("/sign-in/", {}).status_code == 403
        assert refused() == []


class TestSeveralAtOnce:
    def test_employees_out_of_reach(self, as_user, mei):
        inside, outside = a_department("研发"), a_department("销售")
        User.objects.filter(pk=mei.pk).update(department_ids=[inside.feishu_id])
        near, far = an_employee(department=inside), an_employee(department=outside)
        ids = [str(near.pk), str(far.pk), "987654"]
        as_user(mei).post("/probation/ask/", {"ids": ids})
        assert the_refusal().person_ref == far.person_id

    def test_requests_that_are_somebody_elses(self, as_user, mei, li, mirror, bo):
        request = requests.ask(bo, acting_user=mei, at=timezone.now())
        as_user(li).post("/inbox/approve/", {"ids": [str(request.pk), "987654"]})
        assert request.approver != li
        assert the_refusal().person_ref == bo.person_id


class TestPlansThatCannotBeConfirmed:
    def test_a_stale_one_and_a_blocked_one(self, as_user, mei, asking, bo: Employee):
        today = timezone.localdate().isoformat()
        address = reverse("convert-employee", args=[bo.pk])
        client = as_user(mei)
        wrong = {"submission_key": "x", "pre_image_hash": "", "payload_hash": ""}
        form = {"step": "confirm", "converted_on": today}
        assert client.post(address, form | wrong).status_code == 422
        assert data_in(the_refusal().body)["problem"] == "change.stale-plan"
        plan = client.post(address, form | {"step": "plan"}).context["plan"]
        asking.ask(bo)
        right = {
            "submission_key": plan.key,
            "pre_image_hash": plan.pre_image_hash,
            "payload_hash": plan.payload_hash,
        }
        assert client.post(address, form | right).status_code == 422
        said = data_in(refused()[1].body)
        assert (said["problem"], said["blockers"]) == ("change.blocked", ["plan.open-change"])
        assert refused()[1].person_ref == bo.person_id
        assert StatusChange.objects.count() == 1


class TestHowOften:
    def test_a_page_loaded_again_is_the_same_refusal(self, as_user, mei):
        client = as_user(mei)
        for path in ("/users/", "/users/?page=2", "/users/new/", "/users/"):
            client.get(path)
        assert [data_in(entry.body)["page"] for entry in refused()] == ["users", "new-user"]

    def test_what_was_to_be_done_counts_each_time(self, as_user, mei):
        client = as_user(mei)
        for _ in range(3):
            client.post("/guards/start/", {"reason": "x"})
        assert len(refused()) == 3

    def test_a_flood_ends_in_one_entry(self, as_user, mei, hua):
        """In each minute; the loop may see the end of one."""
        client = as_user(mei)
        for _ in range(3 * refusals.LISTED):
            client.post("/guards/start/", {"reason": "x"})
        assert refusals.LISTED <= len(refused()) <= 2 * refusals.LISTED
        more = ActionEntry.objects.filter(event="user.refusals_unlisted")
        assert 1 <= more.count() <= 2
        assert f"more than {refusals.LISTED} times" in action_log.sentence(more[0]).en
        before = len(refused())
        as_user(hua).post("/guards/start/", {"reason": "x"})
        assert len(refused()) == before + 1

    def test_a_flood_of_pages_hides_no_step(self, as_user, mei):
        client = as_user(mei)
        for number in range(2 * refusals.LISTED):
            client.get(f"/users/{number}/")
        client.post("/guards/start/", {"reason": "x"})
        assert data_in(refused()[-1].body)["page"] == "start-writes"

    def test_a_page_not_listed_in_a_flood_is_listed_after_it(self, as_user, mei):
        with time_machine.travel("2026-11-21 08:00:00+00:00", tick=False) as clock:
            client = as_user(mei)
            for number in range(refusals.LISTED + 1):
                client.get(f"/users/{number}/")
            last = f"/users/{refusals.LISTED}/"
            clock.shift(60)
            for _ in range(2):
                client.get(last)
        assert len(refused()) == refusals.LISTED + 1
        assert action_log.private_values(refused()[-1])["path"] == last


class TestReaders:
    def test_hr_sees_what_was_tried_about_their_people_and_not_more(self, as_user, mei, ana, zhou):
        wang = an_employee("王伟")
        as_user(ana).get(reverse("convert-employee", args=[wang.pk]))
        as_user(mei).get("/users/")
        about, users = refused()
        assert (about.person_ref, users.person_ref) == (wang.person_id, None)
        for user, seen in ((mei, {about.seq}), (zhou, {users.seq}), (ana, {about.seq, users.seq})):
            page = as_user(user).get("/log/?event=user.refused")
            assert {line.entry.seq for line in page.context["lines"]} == seen

    def test_the_page_of_the_entry_names_the_address(self, as_user, mei, ana):
        as_user(mei).get("/users/new/")
        page = as_user(ana).get(reverse("log-entry", args=[the_refusal().seq]))
        assert "/users/new/" in page.text
        assert "Address asked for" in page.text


def test_every_code_that_is_no_refusal_is_one_of_ours():
    assert set(NOTICES) >= refusals.NOT_REFUSED


def test_the_service_says_whom_it_was_about(mei, ana, asking, bo):
    plan = asking.plan(bo)
    asking.user = ana
    with pytest.raises(NotAllowed) as error:
        asking.confirm(plan)
    assert error.value.person_id == bo.person_id
