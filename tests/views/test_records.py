"""The lists of records: talents, applications, pre-hires, employees, offboardings."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle import queries
from lifecycle.models import CatalogueEntry, StatusChange, SyncRun
from tests.builders import a_change, a_department, a_person, a_sync, an_employee
from tests.records import a_pre_hire, a_talent, an_application, an_employment, an_offboarding
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db

MAKERS = {
    "talents": a_talent,
    "applications": an_application,
    "pre-hires": a_pre_hire,
    "employees": an_employee,
    "offboardings": an_offboarding,
}
each_list = pytest.mark.parametrize("name", MAKERS)


def names_on(page) -> list[str]:
    return [item.row.name for item in page.context["listed"]]


def listed(client, name, **params) -> list[str]:
    return names_on(client.get(reverse(name), params))


@each_list
class TestEveryList:
    def test_links_to_the_person(self, as_user, mei, name):
        record = MAKERS[name]("柏小林")
        page = as_user(mei).get(reverse(name))
        assert f'href="{reverse("person", args=[record.person_id])}"' in page.text
        assert names_on(page) == ["柏小林"]

    def test_finds_by_name_pinyin_and_id(self, as_user, mei, name):
        record = MAKERS[name]("柏小林", search="baixiaolin bxl")
        MAKERS[name]("石小林", search="shixiaolin sxl")
        for q in ("柏小林", "baixiao", "BXL", record.feishu_id, f"柏 {record.feishu_id[-6:]}"):
            assert listed(as_user(mei), name, q=q) == ["柏小林"], q

    def test_finds_by_phone_and_email(self, as_user, mei, name):
        person = a_person("柏小林")
        MAKERS[name]("石小林")
        if name == "employees":
            employee = an_employee("柏小林")
            person = employee.person
        elif name != "talents":
            MAKERS[name](person)
        a_talent(
            person, phone_key="13812341234", phone_tail="1234", email_key="lin.wei@example.com"
        )
        found = ("13812341234", "+86 138 1234 1234", "Lin.Wei@example.com")
        for q in found:
            assert listed(as_user(mei), name, q=q) == ["柏小林"], q
        assert "柏小林" in listed(as_user(mei), name, q="1234")
        for q in ("1381234", "wei@example.com", "@", "12"):
            assert "柏小林" not in listed(as_user(mei), name, q=f"{q} x"), q
        assert "石小林" not in listed(as_user(mei), name, q="13812341234")

    def test_stays_within_the_scope(self, as_user, li, ana, zhou, name):
        bo = an_employee("柏小林", leader="ou_li", open_id="ou_bo")
        other = an_employee("石小林", leader="ou_other")
        if name != "employees":
            MAKERS[name](bo.person)
            MAKERS[name](other.person)
        assert listed(as_user(li), name, status="all") == ["柏小林"]
        assert listed(as_user(li), name, q="石小林") == []
        assert sorted(listed(as_user(ana), name, status="all")) == ["柏小林", "石小林"]
        assert listed(as_user(zhou), name, status="all") == []

    def test_shows_the_rest_of_the_scope_to_hr_of_a_department(self, as_user, mei, name):
        inside, outside = a_department("研发中心"), a_department("销售中心")
        for text, department in (("内", inside), ("外", outside)):
            employee = an_employee(text, department=department)
            if name != "employees":
                MAKERS[name](employee.person)
        mei.department_ids = [inside.feishu_id]
        mei.save()
        assert listed(as_user(mei), name, status="all") == ["内"]
        assert listed(as_user(mei), name, q="外") == []

    def test_rows_that_are_guessed_are_left_out(self, as_user, li, name):
        record = MAKERS[name]("石小林")
        shape = queries.LISTS[name]
        page = as_user(li).get(reverse(shape.rows_url), {"ids": [record.pk, "x", "9" * 30]})
        assert page.status_code == 200
        assert "石小林" not in page.text

    @pytest.mark.parametrize(
        "params",
        [
            {"status": "nonsense"},
            {"after": "x_y"},
            {"before": "9999-99-99_1", "q": "%"},
            {"department": "'", "stage": "none", "onboarding": "x", "offboarding": "\x00"},
            {"q": "\x00\\_" * 40},
            {"q": "（" * 200, "after": "2026-11-21_" + "9" * 40},
        ],
    )
    def test_bad_parameters_are_no_error(self, as_user, mei, name, params):
        MAKERS[name]("柏小林")
        assert as_user(mei).get(reverse(name), params).status_code == 200

    def test_pages_forth_and_back_meet_everybody_once(self, as_user, mei, name):
        made = {MAKERS[name](f"员工{i:03d}").person.name for i in range(120)}
        client, seen, address = as_user(mei), [], reverse(name)
        while address:
            page = client.get(address)
            seen.append(names_on(page))
            after = page.context["page"].after
            address = f"{reverse(name)}?{page.context['after_query']}" if after else ""
        assert [len(part) for part in seen] == [50, 50, 20]
        assert {one for part in seen for one in part} == made
        back = client.get(f"{reverse(name)}?{page.context['before_query']}")
        assert names_on(back) == seen[1]

    def test_asks_as_many_questions_for_60_rows_as_for_10(self, as_user, mei, name):
        client, counts = as_user(mei), []
        for number in (10, 50):
            for i in range(number):
                record = MAKERS[name](f"员工{i}")
                employee = record if name == "employees" else an_employee(f"员{i}")
                change = a_change(employee, by=mei)
                StatusChange.objects.filter(pk=change.pk).update(person=record.person)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(reverse(name)).status_code == 200
            counts.append(len(captured))
        assert counts[0] == counts[1] <= 14

    def test_htmx_gets_the_table_and_its_address(self, as_user, mei, name):
        answer = as_user(mei).get(reverse(name), {"q": "柏", "after": ""}, **HTMX)
        assert f'id="{name}-table"' in answer.text[:80]
        assert "<html" not in answer.text
        assert answer["HX-Push-Url"].startswith(reverse(name) + "?")

    def test_says_how_old_its_own_records_are(self, as_user, mei, name):
        client, kind = as_user(mei), queries.LISTS[name].sync
        assert "Nothing has been read from Feishu yet" in client.get(reverse(name)).text
        a_sync(kind=kind, finished_at=timezone.now() - timedelta(hours=3))
        assert "may be out of date" in client.get(reverse(name)).text
        a_sync(kind=kind)
        assert "may be out of date" not in client.get(reverse(name)).text
        at = timezone.now()
        SyncRun.objects.create(kind=kind, state="failed", started_at=at, lease_until=at)
        assert "The latest sync of these records failed" in client.get(reverse(name)).text

    def test_names_are_escaped(self, as_user, mei, name):
        MAKERS[name]("<script>alert(1)</script>")
        assert "<script>alert" not in as_user(mei).get(reverse(name)).text


class TestTalents:
    def test_masks_phone_and_email(self, as_user, mei):
        a_talent("柏小林", phone="+8613812341234", email="lin.wei@example.com")
        page = as_user(mei).get(reverse("talents"))
        assert "138****1234" in page.text
        assert "l***@example.com" in page.text
        assert "13812341234" not in page.text
        assert "lin.wei" not in page.text

    def test_tabs_and_order(self, as_user, mei):
        a_talent("旧", sort_on=date(2026, 1, 1))
        a_talent("新", sort_on=date(2026, 3, 1))
        a_talent("入职", is_onboarded=True)
        client = as_user(mei)
        assert listed(client, "talents") == ["新", "旧"]
        assert listed(client, "talents", status="onboarded") == ["入职"]
        assert listed(client, "talents", status="all") == ["新", "旧", "入职"]


class TestApplications:
    def test_tabs_and_stage(self, as_user, mei):
        an_application("待入职")
        an_application("面试", stage_type="interview")
        an_application("终止", is_active=False)
        client = as_user(mei)
        assert listed(client, "applications") == ["待入职"]
        assert set(listed(client, "applications", status="active")) == {"待入职", "面试"}
        assert listed(client, "applications", status="ended") == ["终止"]
        assert listed(client, "applications", status="all", stage="interview") == ["面试"]

    def test_names_the_stage_as_the_tenant_does(self, as_user, mei):
        an_application("柏小林", payload={"stage": {"zh_name": "等待报到"}})
        assert "等待报到" in as_user(mei).get(reverse("applications")).text


class TestPreHires:
    @pytest.fixture
    def people(self):
        for name, days in (("逾期", -2), ("今天", 0), ("两周", 14), ("以后", 90)):
            day = timezone.localdate() + timedelta(days=days)
            a_pre_hire(name, in_days=days, sort_on=day)
        a_pre_hire("报到", in_days=1, sort_on=date(2026, 1, 1), onboarding_status="day_one")
        a_pre_hire("已入职", onboarding_status="completed")
        a_pre_hire("撤销", onboarding_status="withdrawn")
        a_pre_hire("将来", onboarding_status="something_new")

    @pytest.mark.parametrize(
        ("params", "names"),
        [
            ({}, ["报到", "逾期", "今天", "两周", "以后"]),
            ({"status": "overdue"}, ["逾期"]),
            ({"status": "due7"}, ["报到", "今天"]),
            ({"status": "due30"}, ["报到", "今天", "两周"]),
            ({"status": "completed"}, ["已入职"]),
            ({"status": "not_coming"}, ["撤销"]),
            ({"onboarding": "day_one"}, ["报到"]),
        ],
    )
    def test_tabs_and_filters(self, as_user, mei, people, params, names):
        assert listed(as_user(mei), "pre-hires", **params) == names

    def test_an_unknown_status_is_shown_as_it_is(self, as_user, mei, people):
        assert "something_new" in as_user(mei).get(reverse("pre-hires"), {"status": "all"}).text

    def test_a_department_includes_those_below(self, as_user, mei):
        top = a_department("研发中心")
        a_pre_hire("平台", department=a_department("平台部", below=top))
        a_pre_hire("销售", department=a_department("销售部"))
        assert listed(as_user(mei), "pre-hires", department=top.feishu_id) == ["平台"]

    def test_figures(self, as_user, mei, people):
        counts = as_user(mei).get(reverse("pre-hires")).context["counts"]
        assert (counts["awaited"], counts["due7"], counts["overdue"]) == (5, 2, 1)


class TestOffboardings:
    def test_tabs(self, as_user, mei):
        today = timezone.localdate()
        for name, status, days in (
            ("审批", "Approving", 3),
            ("批准", "Approved", 20),
            ("直接", "NoNeedApproval", 60),
            ("过期", "Approved", -1),
            ("离开", "Offboarded", -9),
            ("拒绝", "Rejected", 9),
        ):
            a_day = today + timedelta(days=days)
            an_offboarding(name, in_days=days, status=status, sort_on=a_day)
        client = as_user(mei)
        assert listed(client, "offboardings") == ["过期", "审批", "批准", "直接"]
        for tab, names in (
            ("approving", ["审批"]),
            ("due7", ["审批"]),
            ("due30", ["审批", "批准"]),
            ("passed", ["过期"]),
            ("offboarded", ["离开"]),
            ("given_up", ["拒绝"]),
        ):
            assert listed(client, "offboardings", status=tab) == names, tab
        assert listed(client, "offboardings", status="all", offboarding="Rejected") == ["拒绝"]

    def test_names_the_department_and_the_reason(self, as_user, mei):
        department = a_department("研发中心")
        person = a_person("柏小林")
        an_employment(person, department=department)
        CatalogueEntry.objects.create(
            kind="offboarding_reason", feishu_id="option8", name="个人发展", asked_at=timezone.now()
        )
        reason = {"offboarding_info": {"reason": {"enum_name": "option8"}}}
        an_offboarding(person, payload=reason)
        page = as_user(mei).get(reverse("offboardings"), {"department": department.feishu_id})
        assert names_on(page) == ["柏小林"]
        assert "个人发展" in page.text
        assert "研发中心" in page.text.split("<tbody>")[1]
