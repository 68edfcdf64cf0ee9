"""The feed says in plain sentences what has changed, to those who may see the person."""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from lifecycle import queries
from lifecycle.models import ChangeEvent, Person
from tests.builders import a_department, an_employee

pytestmark = pytest.mark.django_db


def an_event(person: Person, **fields) -> ChangeEvent:
    given = {
        "record_kind": "pre-hires",
        "feishu_id": "73",
        "field": "onboards_on",
        "before": "2026-12-01",
        "after": "2026-12-15",
        "seen_at": timezone.now(),
        "source": "console",
    }
    return ChangeEvent.objects.create(person=person, **(given | fields))


@pytest.fixture
def lei(db):
    return an_employee("李雷", leader="ou_li")


@pytest.fixture
def hr(as_user, mei):
    return as_user(mei)


def sentences(*events: ChangeEvent) -> list[str]:
    return [told.name + told.sentence.zh for told in queries.told_events(events)]


class TestSentences:
    def test_of_a_moved_start_date(self, lei):
        (told,) = queries.told_events([an_event(lei.person)])
        zh = "的入职日期（待入职） 2026-12-01 → 2026-12-15，在飞书后台修改"
        assert told.sentence.zh.replace(" ", "") == zh.replace(" ", "")
        assert told.sentence.en == (
            "— start date (pre-hire) 2026-12-01 → 2026-12-15, changed in Feishu"
        )

    def test_names_what_ids_stand_for(self, lei):
        department = a_department("研发中心")
        event = an_event(lei.person, field="department_id", before="", after=department.feishu_id)
        assert "空 → 研发中心" in sentences(event)[0]

    def test_names_statuses(self, lei):
        event = an_event(
            lei.person, field="onboarding_status", before="preboarding", after="withdrawn"
        )
        assert "待入职 → 已撤销" in sentences(event)[0]

    def test_keeps_free_text_to_itself(self, lei):
        event = an_event(
            lei.person, record_kind="offboardings", field="reason_explanation", before="", after=""
        )
        assert "已改动" in sentences(event)[0]

    @pytest.mark.parametrize(("what", "words"), [("came", "新增"), ("gone", "已不在飞书中")])
    def test_of_records_that_come_and_go(self, lei, what, words):
        assert words in sentences(an_event(lei.person, what=what, field="", before="", after=""))[0]

    def test_cost_the_same_however_many(self, lei, django_assert_max_num_queries):
        events = [
            an_event(lei.person, field="department_id", after=f"od-{number}")
            for number in range(30)
        ]
        with django_assert_max_num_queries(3):
            queries.told_events(events)


class TestFeed:
    def test_shows_the_newest_first(self, hr, lei):
        an_event(lei.person, after="2026-12-15")
        an_event(lei.person, before="2026-12-15", after="2026-12-20")
        text = hr.get(reverse("feed")).text
        assert text.index("2026-12-20") < text.index("2026-12-01")
        assert reverse("person", args=[lei.person_id]) in text

    def test_is_narrowed(self, hr, lei):
        an_event(lei.person)
        an_event(lei.person, field="name", before="李雷", after="李磊", source="ours")
        an_event(lei.person, field="onboarding_status", alert="pre-hire-lost", after="deleted")
        for query, there, away in [
            ("field=pre-hires.onboards_on", "2026-12-15", "李磊"),
            ("source=ours", "李磊", "2026-12-15"),
            ("only=alerts", "deleted", "李磊"),
            ("kind=employees", "Nothing fits", "李磊"),
            (f"department={lei.department_id or 'od-none'}", "", "no such text"),
        ]:
            text = hr.get(f"{reverse('feed')}?{query}").text
            assert there in text
            assert f"→ {away}" not in text

    @pytest.mark.parametrize(
        "query", ["kind=%00", "field=x.y", "source=nobody", "after=abc", "only=%FF", "department=%"]
    )
    def test_takes_any_address(self, hr, lei, query):
        assert hr.get(f"{reverse('feed')}?{query}").status_code == 200

    def test_is_read_by_each_for_themselves(self, hr, as_user, hua, mei, lei):
        event = an_event(lei.person)
        assert queries.last_seen(mei) == 0
        hr.post(reverse("mark-feed-read"), {"upto": str(event.pk)})
        assert queries.last_seen(mei) == event.pk
        assert "2026-12-15" not in hr.get(f"{reverse('feed')}?only=unread").text
        assert "2026-12-15" in as_user(hua).get(f"{reverse('feed')}?only=unread").text

    @pytest.mark.parametrize("upto", ["", "x", "99999999999999999999", "-1"])
    def test_is_not_read_further_than_it_goes(self, hr, mei, lei, upto):
        event = an_event(lei.person)
        assert hr.post(reverse("mark-feed-read"), {"upto": upto}).status_code == 303
        assert queries.last_seen(mei) <= event.pk

    def test_tells_of_news(self, hr, lei):
        event = an_event(lei.person)
        assert "new" not in hr.get(reverse("feed-news"), {"since": event.pk}).text.split(">", 1)[1]
        an_event(lei.person)
        assert "1 new" in hr.get(reverse("feed-news"), {"since": event.pk}).text

    def test_costs_the_same_however_long(self, hr, lei, django_assert_max_num_queries):
        for _ in range(60):
            an_event(lei.person)
        with django_assert_max_num_queries(25):
            hr.get(reverse("feed"))


class TestScope:
    def test_is_that_of_the_person(self, as_user, li, lei):
        stranger = an_employee("韩梅梅", leader="ou_somebody")
        an_event(lei.person)
        an_event(stranger.person)
        text = as_user(li).get(reverse("feed")).text
        assert "李雷" in text
        assert "韩梅梅" not in text

    def test_counts_only_what_may_be_seen(self, as_user, li, lei):
        stranger = an_employee("韩梅梅", leader="ou_somebody")
        an_event(stranger.person)
        assert "new" not in as_user(li).get(reverse("feed-news")).text.split(">", 1)[1]


class TestPersonPage:
    def test_shows_what_was_done_outside(self, hr, lei):
        an_event(lei.person)
        an_event(lei.person, field="name", before="", after="李磊", source="ours")
        with translation.override("en"):
            text = hr.get(reverse("person", args=[lei.person_id])).text
        assert "Start date (pre-hire) 2026-12-01 → 2026-12-15" in text
        assert "Seen from outside" in text
        assert "李磊" not in text
