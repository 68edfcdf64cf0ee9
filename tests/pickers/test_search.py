"""What a search for something to pick finds, in which order, and for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import pickers
from lifecycle.errors.problems import NotAllowed, NotFound
from lifecycle.models import CatalogueEntry, Employment, Role, User
from tests.builders import a_person
from tests.pickers.conftest import store_catalogue, store_contacts, store_departments

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("company")]


def ids(what: str, text: str) -> list[str]:
    return [choice.value for choice in pickers.matches(what, text).choices]


class TestSearch:
    def test_finds_a_name_of_two_characters_first_where_it_is_the_whole_name(self):
        assert ids("contact", "王伟") == ["ou_01", "ou_02", "ou_03", "ou_06"]

    @pytest.mark.parametrize(
        ("text", "first"),
        [
            ("shandan", "ou_04"), ("SD", "ou_04"), ("wwq", "ou_03"), ("wangweiqiang", "ou_03"),
            ("ou_05", "ou_05"), ("smith", "ou_05"), ("  anna   smith ", "ou_05"), ("N04", "ou_04"),
        ],
    )  # fmt: skip
    def test_finds_pinyin_initials_numbers_and_ids(self, text, first):
        assert ids("contact", text)[0] == first

    def test_puts_beginnings_before_what_stands_further_in(self):
        assert ids("department", "平台") == ["od-2", "od-5", "od-3"]

    def test_finds_one_of_two_departments_of_the_same_name_by_the_way_to_it(self):
        assert ids("department", "市场 平台部") == ["od-5"]
        assert ids("department", "研发中心 / 平台部")[0] == "od-2"

    def test_tells_two_people_of_the_same_name_apart(self):
        hints = [choice.hint for choice in pickers.matches("contact", "王伟").choices[:2]]
        assert hints == ["研发中心 / 平台部 · N01", "市场中心 · N02"]

    @pytest.mark.parametrize("text", ["%", "_", "\\", "'", "<b>", "\x00", "\n", "*", "王" * 10_000])
    def test_takes_any_text_literally(self, text):
        found = ids("department", text)
        assert found == [] or not text.strip("\x00\n")

    def test_shows_at_most_twenty_and_says_that_there_are_more(self):
        store_contacts(*((f"ou_a{n}", f"周{n:02}", "od-1") for n in range(21)))
        hits = pickers.matches("contact", "周")
        assert (len(hits.choices), hits.more) == (20, True)
        assert pickers.matches("contact", "周2").more is False

    def test_shows_the_beginning_of_the_list_for_no_text(self):
        assert set(ids("job_family", "")) == {"81", "82"}

    def test_takes_as_many_queries_for_one_hit_as_for_many(self, django_assert_num_queries):
        for text in ("单丹", "王"):
            with django_assert_num_queries(2):
                pickers.matches("contact", text)
        with django_assert_num_queries(1):
            pickers.matches("department", "平台")


class TestOffered:
    def test_leaves_out_what_is_no_longer_in_use(self):
        assert "od-9" not in ids("department", "平台")
        assert "ou_99" not in ids("contact", "王伟")

    def test_leaves_out_a_cost_center_from_the_day_after_its_last(self):
        today = timezone.localdate()
        kind = CatalogueEntry.Kind.COST_CENTER
        entries = {"c0": None, "c1": today, "c2": today - timedelta(days=1)}
        for value, ends_on in entries.items():
            CatalogueEntry.objects.create(
                kind=kind, feishu_id=value, name=value, search_text=value, ends_on=ends_on,
                asked_at=timezone.now(),
            )  # fmt: skip
        assert ids("cost_center", "") == ["c0", "c1"]
        assert pickers.find("cost_center", "c1").ends_on == today
        assert not pickers.find("cost_center", "c2").is_active

    def test_offers_employments_of_people_who_are_there(self):
        for value, name, status in (("7001", "赵敏", "hired"), ("7002", "赵敏", "terminated")):
            Employment.objects.create(
                feishu_id=value, person=a_person(name, search=f"zhaomin\n{value}"), number="N77",
                status=status, department_id="od-2", asked_at=timezone.now(),
            )  # fmt: skip
        assert ids("employment", "赵敏") == ids("employment", "n77") == ["7001"]
        assert pickers.label("employment", "7002") == "赵敏"

    def test_offers_nothing_that_a_later_sync_no_longer_found(self):
        store_catalogue(CatalogueEntry.Kind.JOB_LEVEL, ("711", "P1"))
        assert ids("job_level", "") == ["711"]
        assert pickers.label("job_level", "712") == "P2"


class TestLabels:
    def test_takes_one_query_for_all_and_keeps_ids_without_a_name(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            found = pickers.labels("department", ["od-3", "od-9", "od-77", "", "od-\x00"])
        assert found == {
            "od-3": "研发中心 / 平台部 / 数据平台组", "od-9": "研发中心 / 平台旧部",
            "od-77": "od-77", "od-\x00": "od-\x00",
        }  # fmt: skip

    def test_asks_nothing_for_nothing(self, django_assert_num_queries):
        with django_assert_num_queries(0):
            assert pickers.labels("contact", [""]) == {}


class TestWho:
    @pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR, Role.ADMINISTRATOR])
    def test_who_may_ask_for_nothing_may_not_look(self, role):
        user = User.objects.create_user("someone", password="x", role=role, open_id="ou_01")
        with pytest.raises(NotAllowed):
            pickers.search(user, "department", "平台")

    def test_hr_of_one_department_may_pick_any(self):
        scoped = User.objects.create_user(
            "scoped", password="x", role=Role.HR, department_ids=["od-4"]
        )
        assert pickers.search(scoped, "department", "数据").choices[0].value == "od-3"

    def test_there_is_no_other_list(self, mei):
        with pytest.raises(NotFound):
            pickers.search(mei, "salary", "")


class TestNewNames:
    def test_a_renamed_department_is_found_by_its_new_name_only(self):
        store_departments(("od-3", "实时计算组", "od-2"))
        assert ids("department", "ssjs") == ["od-3"]
        assert "od-3" not in ids("department", "shujupingtai")


def test_every_list_answers_in_two_queries_at_most(mei):
    for what in pickers.SOURCES:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            pickers.search(mei, what, "p1")
        assert len(queries) <= 2, what
