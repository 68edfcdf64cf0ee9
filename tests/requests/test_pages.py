"""The cockpit of HR and the inbox of a leader, as they are opened and posted to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle.models import ConversionRequest, Employee, Role, StatusChange, User
from lifecycle.services import requests
from tests.builders import a_change, a_department, a_leader, an_employee

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _plain_http(settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def li(db) -> User:
    user = User.objects.create_user("li", role=Role.MANAGER, last_name="李", open_id="ou_li")
    a_leader(user)
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def asked(employee: Employee, by: User | None = None) -> ConversionRequest:
    return requests.ask(employee, acting_user=by, at=timezone.now())


class TestCockpit:
    def test_shows_those_on_probation_whose_ends_first(self, mei):
        today = timezone.localdate()
        an_employee("晚到期", due_on=today + 40 * DAY)
        an_employee("已逾期", due_on=today - 2 * DAY)
        an_employee("已转正", conversion_status="converted")
        text = client_of(mei).get("/probation/").content.decode()
        assert text.index("已逾期") < text.index("晚到期")
        assert 'class="name"' in text
        assert "已转正</a>" not in text

    @pytest.mark.parametrize(
        ("tab", "days"),
        [("overdue", -1), ("due7", 7), ("due14", 8), ("due30", 30), ("later", 31)],
    )
    def test_windows_meet_without_a_gap(self, mei, tab, days):
        an_employee("某某某", due_on=timezone.localdate() + days * DAY)
        client = client_of(mei)
        shown = [
            name
            for name in ("overdue", "due7", "due14", "due30", "later", "undated")
            if "某某某" in client.get(f"/probation/?due={name}").content.decode()
        ]
        assert shown == [tab]

    def test_shows_both_days_of_an_extension(self, mei, li):
        employee = an_employee("柏小林", leader="ou_li")
        until = employee.expected_conversion_on + 20 * DAY
        requests.extend(
            asked(employee, mei), until=until, reason="再看", acting_user=li, at=timezone.now()
        )
        text = client_of(mei).get("/probation/").content.decode()
        assert str(until) in text
        assert str(employee.expected_conversion_on) in text

    def test_reaches_as_far_as_hr_does(self, mei):
        mine, other = a_department("研发"), a_department("销售")
        an_employee("看得到", department=mine)
        hidden = an_employee("看不到", department=other)
        mei.department_ids = [mine.feishu_id]
        mei.save()
        client = client_of(mei)
        assert "看不到" not in client.get("/probation/").content.decode()
        client.post("/probation/ask/", {"ids": hidden.pk, "step": "confirm"})
        assert not ConversionRequest.objects.exists()

    def test_asks_no_more_of_the_database_for_many(self, mei, li):
        client = client_of(mei)

        def cost() -> int:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                client.get("/probation/")
            return len(queries)

        asked(an_employee("第一人", leader="ou_li"), mei)
        cost()
        one = cost()
        for number in range(8):
            asked(an_employee(f"某{number}", leader="ou_li"), mei)
        assert cost() == one

    def test_names_everybody_before_asking(self, mei, li):
        free = an_employee("可以问", leader="ou_li")
        busy = an_employee("变更中", leader="ou_li")
        a_change(busy, by=mei)
        client = client_of(mei)
        form = {"ids": [free.pk, busy.pk]}
        text = client.post("/probation/ask/", form).content.decode()
        assert "可以问" in text
        assert "变更中：有一项尚未完成的状态变更" in text
        assert not ConversionRequest.objects.exists()
        client.post("/probation/ask/", form | {"step": "confirm", "note": "请看"})
        assert [r.employee for r in ConversionRequest.objects.all()] == [free]

    @pytest.mark.parametrize("ids", [[], ["x"], ["-1"], ["9" * 30], ["999999"]])
    def test_nobody_chosen_is_said(self, mei, ids):
        answer = client_of(mei).post("/probation/ask/", {"ids": ids, "step": "confirm"})
        assert answer.status_code == 422

    def test_hands_a_request_on_and_takes_one_back(self, mei, li):
        qin = User.objects.create_user("qin", role=Role.MANAGER, open_id="ou_qin")
        request = asked(an_employee(leader="ou_li"), mei)
        there = f"/probation/{request.pk}/reassign/"
        client = client_of(mei)
        assert client.post(there, {"to": qin.pk, "reason": ""}).status_code == 422
        assert client.post(there, {"to": qin.pk, "reason": "休假"}).status_code == 303
        request.refresh_from_db()
        assert request.approver == qin
        assert client.post(there, {"step": "cancel", "reason": "误发"}).status_code == 303
        request.refresh_from_db()
        assert request.status == "cancelled"


class TestInbox:
    def test_shows_what_waits_and_where_home_leads(self, mei, li):
        client = client_of(li)
        assert client.get("/").headers["Location"] == "/employees/"
        assert "都处理完了" in client.get("/inbox/").content.decode()
        asked(an_employee("柏小林", leader="ou_li"), mei)
        asked(an_employee("别人的", leader="ou_other"), mei)
        assert client.get("/").headers["Location"] == "/inbox/"
        text = client.get("/inbox/").content.decode()
        assert "柏小林" in text
        assert "别人的" not in text

    def test_another_leaders_request_is_not_found(self, mei, li):
        request = asked(an_employee(leader="ou_other"), mei)
        client = client_of(li)
        assert client.get(f"/inbox/{request.pk}/approve/").status_code == 404
        client.post(f"/inbox/{request.pk}/decline/", {"reason": "不"})
        request.refresh_from_db()
        assert request.is_open

    @pytest.mark.parametrize("step", ["approve", "extend", "decline"])
    @pytest.mark.parametrize("form", [{}, {"day": "x"}, {"until": "2026-13-01", "reason": " "}])
    def test_a_bad_form_is_shown_again(self, mei, li, step, form):
        request = asked(an_employee(leader="ou_li"), mei)
        answer = client_of(li).post(f"/inbox/{request.pk}/{step}/", form)
        assert answer.status_code == 422

    def test_another_decision_is_not_known(self, mei, li):
        request = asked(an_employee(leader="ou_li"), mei)
        assert client_of(li).get(f"/inbox/{request.pk}/promote/").status_code == 404

    def test_extends_and_declines(self, mei, li):
        client = client_of(li)
        first, second = (asked(an_employee(n, leader="ou_li"), mei) for n in ("甲", "乙"))
        until = first.due_on + 30 * DAY
        client.post(f"/inbox/{first.pk}/extend/", {"until": str(until), "reason": "再看"})
        client.post(f"/inbox/{second.pk}/decline/", {"reason": "不胜任"})
        first.refresh_from_db()
        second.refresh_from_db()
        assert (first.status, first.extended_to) == ("extended", until)
        assert second.status == "declined"
        assert not StatusChange.objects.exists()

    def test_approves_several_after_naming_them(self, mei, li, bo):
        Employee.objects.filter(pk=bo.pk).update(leader_open_id="ou_li")
        bo.refresh_from_db()
        request = asked(bo, mei)
        client = client_of(li)
        text = client.post("/inbox/approve/", {"ids": request.pk}).content.decode()
        assert bo.person.name in text
        assert not StatusChange.objects.exists()
        seen = {f"seen-{request.pk}": request.pre_image_hash}
        form = {"ids": request.pk, "step": "confirm"} | seen
        assert client.post("/inbox/approve/", form).status_code == 303
        change = StatusChange.objects.get()
        assert (change.requested_by, change.approvals.get().by) == (mei, li)

    def test_of_several_says_which_could_not_be(self, mei, li, bo, mirror):
        Employee.objects.filter(pk=bo.pk).update(leader_open_id="ou_li")
        bo.refresh_from_db()
        request = asked(bo, mei)
        mirror.patch("employees", bo.feishu_id, expected_conversion_time=1893456000000)
        form = {
            "ids": request.pk,
            "step": "confirm",
            f"seen-{request.pk}": request.pre_image_hash,
        }
        answer = client_of(li).post("/inbox/approve/", form)
        assert answer.status_code == 422
        assert "原审批已作废" in answer.content.decode()
        assert mirror.requests(writes=True) == []

    def test_a_second_click_is_told_so(self, mei, li):
        request = asked(an_employee(leader="ou_li"), mei)
        client, form = client_of(li), {"reason": "不胜任"}
        client.post(f"/inbox/{request.pk}/decline/", form)
        again = client.post(f"/inbox/{request.pk}/decline/", form, follow=True)
        assert "已由他人处理" in again.content.decode()

    def test_somebody_stands_in(self, mei, li):
        qin = User.objects.create_user("qin", role=Role.MANAGER, last_name="秦", open_id="ou_qin")
        asked(an_employee("柏小林", leader="ou_li"), mei)
        today = str(timezone.localdate())
        client = client_of(li)
        days = {"first_day": today, "last_day": today}
        assert client.post("/inbox/delegate/", {"to": qin.pk} | days).status_code == 303
        assert client.post("/inbox/delegate/", {"to": "x"} | days).status_code == 422
        assert client.post("/inbox/delegate/", {"to": qin.pk}).status_code == 422
        assert "柏小林" in client_of(qin).get("/inbox/").content.decode()
        given = li.delegations_given.get()
        assert client_of(qin).post(f"/inbox/delegations/{given.pk}/end/").status_code == 404
        assert client.post(f"/inbox/delegations/{given.pk}/end/").status_code == 303
        assert "柏小林" not in client_of(qin).get("/inbox/").content.decode()

    def test_asks_no_more_of_the_database_for_many(self, mei, li):
        client = client_of(li)

        def cost() -> int:
            with CaptureQueriesContext(connection) as queries:
                client.get("/inbox/")
            return len(queries)

        asked(an_employee("第一人", leader="ou_li"), mei)
        cost()
        one = cost()
        for number in range(8):
            asked(an_employee(f"某{number}", leader="ou_li"), mei)
        assert cost() == one
