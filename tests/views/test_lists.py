"""The lists: filters, search, pages by key, and a fixed number of queries."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log
from tests.builders import (
    a_change,
    a_converted_employee,
    a_department,
    a_sync,
    an_attempt,
    an_employee,
)
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


def names_on(page) -> list[str]:
    return [item.row.name for item in page.context["listed"]]


class TestEmployees:
    @pytest.fixture
    def people(self):
        today = timezone.localdate()
        an_employee("逾期", due_on=today - timedelta(days=2), search="yuqi yq")
        an_employee("今天", due_on=today, search="jintian jt")
        an_employee("两周", due_on=today + timedelta(days=14), search="liangzhou lz")
        an_employee("以后", due_on=today + timedelta(days=90), search="yihou yh")
        a_converted_employee("转正", search="zhuanzheng zz")
        an_employee("离职", onboard_status="left", search="lizhi lz")

    @pytest.mark.parametrize(
        ("tab", "names"),
        [
            ("", ["逾期", "今天", "两周", "以后"]),
            ("overdue", ["逾期"]),
            ("due7", ["今天"]),
            ("due30", ["今天", "两周"]),
            ("converted", ["转正"]),
            ("left", ["离职"]),
            ("nonsense", ["逾期", "今天", "两周", "以后"]),
        ],
    )
    def test_tabs(self, as_user, mei, people, tab, names):
        assert names_on(as_user(mei).get(reverse("employees"), {"status": tab})) == names

    @pytest.mark.parametrize("q", ["两周", "LIANG", "liangzhou", "两"])
    def test_search_by_name_and_pinyin(self, as_user, mei, people, q):
        assert names_on(as_user(mei).get(reverse("employees"), {"q": q})) == ["两周"]

    def test_search_by_initials_looks_through_everybody(self, as_user, mei, people):
        assert set(names_on(as_user(mei).get(reverse("employees"), {"q": "lz"}))) == {
            "两周",
            "离职",
        }

    @pytest.mark.parametrize("q", ["%", "_", "\\", "' OR 1=1 --", "\x00"])
    def test_search_takes_signs_as_they_are(self, as_user, mei, people, q):
        page = as_user(mei).get(reverse("employees"), {"q": q, "status": "overdue"})
        assert page.status_code == 200
        assert names_on(page) == (["逾期"] if q == "\x00" else [])

    def test_a_department_includes_those_below(self, as_user, mei):
        top = a_department("研发中心")
        an_employee("下", department=a_department("平台部", below=top))
        an_employee("旁", department=a_department("销售中心"))
        page = as_user(mei).get(reverse("employees"), {"department": top.feishu_id})
        assert names_on(page) == ["下"]

    def test_figures(self, as_user, mei, people):
        counts = as_user(mei).get(reverse("employees")).context["counts"]
        assert (
            counts["probation"],
            counts["due7"],
            counts["due30"],
            counts["overdue"],
            counts["converted_lately"],
        ) == (4, 1, 2, 1, 1)

    def test_pages_forth_and_back_meet_everybody_once(self, as_user, mei):
        today = timezone.localdate()
        made = [
            an_employee(f"员工{i:03d}", due_on=today + timedelta(days=i // 40)) for i in range(120)
        ]
        client, forth, address = as_user(mei), [], reverse("employees")
        pages = []
        while address:
            page = client.get(address)
            pages.append(names_on(page))
            forth += names_on(page)
            after = page.context["page"].after
            address = f"{reverse('employees')}?{page.context['after_query']}" if after else ""
        assert forth == [e.person.name for e in made]
        assert [len(names) for names in pages] == [50, 50, 20]
        back = client.get(f"{reverse('employees')}?{page.context['before_query']}")
        assert names_on(back) == pages[1]
        first = client.get(f"{reverse('employees')}?{back.context['before_query']}")
        assert names_on(first) == pages[0]
        assert not first.context["page"].before

    @pytest.mark.parametrize(
        "cursor", ["x", "2026-11-21", "2026-99-99_1", "2026-11-21_x", "_", "2026-11-21_" + "9" * 40]
    )
    def test_a_damaged_cursor_is_the_first_page(self, as_user, mei, people, cursor):
        assert names_on(as_user(mei).get(reverse("employees"), {"after": cursor}))[0] == "逾期"

    def test_shows_the_change_under_way_and_watches_it(self, as_user, mei):
        employee = an_employee("柏小林")
        change = a_change(employee, by=mei, status="in_flight")
        page = as_user(mei).get(reverse("employees"))
        assert reverse("change", args=[change.pk]) in page.text
        assert f'name="ids" value="{employee.pk}"' in page.text
        assert reverse("convert-employee", args=[employee.pk]) not in page.text

    def test_offers_to_convert_only_whom_hire_still_takes(self, as_user, mei):
        in_hire = an_employee("梁在招聘")
        in_core_hr = an_employee("任在人事", employment_id="7200000000000000001")
        page = as_user(mei).get(reverse("employees"))
        assert reverse("convert-employee", args=[in_hire.pk]) in page.text
        assert reverse("convert-employee", args=[in_core_hr.pk]) not in page.text

    def test_does_not_watch_what_waits_for_another_day(self, as_user, mei):
        employee = an_employee("柏小林")
        later = timezone.now() + timedelta(days=3)
        a_change(employee, by=mei, next_run_at=later)
        assert 'name="ids"' not in as_user(mei).get(reverse("employees")).text

    def test_says_when_the_mirror_is_old(self, as_user, mei):
        a_sync(finished_at=timezone.now() - timedelta(hours=3))
        assert "may be out of date" in as_user(mei).get(reverse("employees")).text
        a_sync()
        assert "may be out of date" not in as_user(mei).get(reverse("employees")).text

    def test_names_are_escaped(self, as_user, mei):
        an_employee("<script>alert(1)</script>")
        assert "<script>alert" not in as_user(mei).get(reverse("employees")).text


class TestAnswers:
    @pytest.mark.parametrize(
        ("name", "root"),
        [("employees", "employees-table"), ("changes", "changes-table"), ("log", "log-table")],
    )
    def test_htmx_gets_the_table_and_its_address(self, as_user, mei, name, root):
        answer = as_user(mei).get(reverse(name), {"q": "柏", "after": ""}, **HTMX)
        assert answer.text.startswith(f'<div id="{root}"') or f'id="{root}"' in answer.text[:80]
        assert "<html" not in answer.text
        assert answer["HX-Push-Url"].startswith(reverse(name) + "?")

    def test_a_restored_page_is_a_whole_one(self, as_user, mei):
        answer = as_user(mei).get(
            reverse("employees"), **HTMX, HTTP_HX_HISTORY_RESTORE_REQUEST="true"
        )
        assert "<html" in answer.text


class TestQueries:
    """As many queries for 60 rows as for 10."""

    def fill(self, mei, number):
        for i in range(number):
            employee = an_employee(
                f"员工{i}", department=a_department(f"部门{i}"), leader=f"ou_{i}"
            )
            change = a_change(employee, by=mei, status="verifying")
            an_attempt(change)
            action_log.record(
                "change.cancelled", actor=mei, change=change, data={"kind": "convert_employee"}
            )

    @pytest.mark.parametrize("name", ["employees", "changes", "log"])
    def test_lists(self, as_user, mei, name):
        client, counts = as_user(mei), []
        for number in (10, 50):
            self.fill(mei, number)
            with CaptureQueriesContext(connection) as captured:
                assert client.get(reverse(name)).status_code == 200
            counts.append(len(captured))
        assert counts[0] == counts[1] <= 12

    def test_rows(self, as_user, mei):
        client, counts = as_user(mei), []
        for number in (10, 50):
            self.fill(mei, number)
            with CaptureQueriesContext(connection) as captured:
                client.get(reverse("employee-rows"), {"ids": range(1, 500)})
            counts.append(len(captured))
        assert counts[0] == counts[1] <= 12

    def test_counts_no_table(self, as_user, mei):
        self.fill(mei, 3)
        with CaptureQueriesContext(connection) as captured:
            as_user(mei).get(reverse("changes"))
            as_user(mei).get(reverse("log"))
        assert not [
            q["sql"] for q in captured if "COUNT(*)" in q["sql"] and "LIMIT 100" not in q["sql"]
        ]
