"""The auditor's desk: filters, saved views, exceptions by rule, samples, accounts on a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log, queries
from lifecycle.models import (
    ActionEntry,
    Approval,
    LogReview,
    LogSample,
    Role,
    SavedLogView,
    StatusChange,
    User,
)
from lifecycle.queries import Period
from lifecycle.services import users
from tests.builders import a_change, a_department, an_attempt, an_employee
from tests.views.conftest import _a_browser_on_this_machine, as_user, li, zhou

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user", "li", "zhou"]

DAY = date(2026, 11, 18)  # a Wednesday
NOON = timezone.make_aware(datetime(2026, 11, 18, 12, 0))


@pytest.fixture
def auditor(as_user, ana):
    return as_user(ana)


def asked(change: StatusChange, *, at: datetime, actor: User | None = None) -> ActionEntry:
    return action_log.record(
        "change.requested", actor=actor, change=change, at=at, data={"kind": change.kind}
    )


def numbers(page) -> set[int]:
    return {line.entry.seq for line in page.context["lines"]}


class TestFilters:
    @pytest.fixture
    def two(self, mei, hua):
        inside = a_department("研发")
        first = a_change(an_employee("柏小林", department=inside), by=mei, status="succeeded")
        second = a_change(an_employee("王伟"), by=hua, status="failed")
        StatusChange.objects.filter(pk=second.pk).update(kind="offboard_employee")
        an_attempt(second, log_id="log-2")
        return (
            inside,
            first,
            second,
            asked(first, at=NOON, actor=mei),
            asked(second, at=NOON + timedelta(days=1), actor=hua),
        )

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("person={first.person_id}", {0}),
            ("actor={second.requested_by_id}", {1}),
            ("verb=convert_employee", {0}),
            ("outcome=failed", {1}),
            ("verb=convert_employee&outcome=failed", set()),
            ("department={inside.feishu_id}", {0}),
            ("department=nowhere", set()),
            ("since=2026-11-19", {1}),
            ("until=2026-11-18", {0}),
            ("log_id=log-2", {1}),
            ("change={first.pk}", {0}),
            ("q=柏小林", {0}),
            ("person=x&actor=&verb=nothing&outcome=nothing", {0, 1}),
        ],
    )
    def test_narrow_the_log(self, two, query, found, auditor):
        inside, first, second, *entries = two
        query = query.format(inside=inside, first=first, second=second)
        shown = numbers(auditor.get(f"/log/?event=change.requested&{query}"))
        assert shown == {entries[number].seq for number in found}

    def test_are_kept_in_the_address(self, auditor):
        query = "actor=3&verb=convert_employee&outcome=failed&department=od-1&person=7"
        page = auditor.get(f"/log/?{query}")
        assert sorted(page.context["query"].split("&")) == sorted(query.split("&"))

    def test_cost_the_same_however_many_entries_there_are(self, two, auditor, mei):
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert auditor.get("/log/").status_code == 200
            return len(captured)

        auditor.get("/log/")
        few = cost()
        for number in range(8):
            asked(a_change(an_employee(f"人{number}"), by=mei), at=NOON, actor=mei)
        assert cost() == few <= 14


class TestEntryPage:
    def test_shows_the_plan_and_every_step(self, auditor, mei):
        change = a_change(an_employee("柏小林"), by=mei)
        entry = asked(change, at=NOON, actor=mei)
        action_log.record("change.cancelled", actor=mei, change=change, data={"kind": change.kind})
        text = auditor.get(reverse("log-entry", args=[entry.seq])).content.decode()
        assert "On probation" in text
        assert change.payload_hash in text
        assert reverse("log-entry", args=[entry.seq + 1]) in text


class TestSavedViews:
    def test_keep_the_filter_of_the_page_for_oneself(self, auditor, ana, mei, as_user):
        there = "http://testserver/log/?event=change.failed&actor=1&after=99"
        auditor.post("/log/views/save/", {"name": "失败"}, headers={"referer": there})
        view = SavedLogView.objects.get()
        assert (view.user, view.query) == (ana, "event=change.failed&actor=1")
        assert "失败" in auditor.get("/log/").content.decode()
        assert "失败" not in as_user(mei).get("/log/").content.decode()
        as_user(mei).post(f"/log/views/{view.pk}/remove/")
        assert SavedLogView.objects.exists()
        auditor.post(f"/log/views/{view.pk}/remove/")
        assert not SavedLogView.objects.exists()

    @pytest.mark.parametrize("name", ["", "  ", "x" * 61, "\x00"])
    def test_need_a_name(self, name, auditor):
        assert auditor.post("/log/views/save/", {"name": name}, follow=True).status_code == 200
        assert not SavedLogView.objects.exists()

    def test_the_same_name_is_the_same_view(self, auditor):
        for _ in range(2):
            auditor.post("/log/views/save/", {"name": "一"})
        assert SavedLogView.objects.count() == 1


class TestExceptions:
    def found(self, auditor, rule: str, since=DAY - timedelta(days=30), until=DAY + timedelta(7)):
        return numbers(auditor.get(f"/log/exceptions/?rule={rule}&since={since}&until={until}"))

    def change(self, mei, payload: str = "{}", **columns) -> StatusChange:
        change = a_change(an_employee(), by=mei, at=NOON, **columns)
        StatusChange.objects.filter(pk=change.pk).update(payload=payload)
        return change

    def test_backdated(self, auditor, mei):
        def day(days: int) -> str:
            moment = int((NOON - timedelta(days=days)).timestamp() * 1000)
            return f'{{"conversion":{{"time":{moment}}}}}'

        old = asked(self.change(mei, day(9)), at=NOON)
        asked(self.change(mei, day(3)), at=NOON)
        kept = day(40)
        asked(self.change(mei, kept, pre_image={"time": int(kept[22:35])}), at=NOON)
        as_text = asked(self.change(mei, '{"on":"2026-10-01","id":"6891234567890123456"}'), at=NOON)
        asked(self.change(mei, '{"on":"2026-99-99"}'), at=NOON)
        assert self.found(auditor, "backdated") == {old.seq, as_text.seq}

    def test_outside_working_hours(self, auditor, mei):
        change = self.change(mei)
        asked(change, at=NOON, actor=mei)
        asked(change, at=NOON.replace(hour=3))  # the portal itself never sleeps
        late = asked(change, at=NOON.replace(hour=20), actor=mei)
        early = asked(change, at=NOON.replace(hour=7, minute=59), actor=mei)
        sunday = asked(change, at=NOON + timedelta(days=4), actor=mei)
        assert self.found(auditor, "hours") == {late.seq, early.seq, sunday.seq}

    def test_undone_within_a_day(self, auditor, mei):
        first = self.change(mei, status="succeeded")
        soon = a_change(an_employee(), by=mei, undo_of=first, at=NOON + timedelta(hours=23))
        late = a_change(an_employee(), by=mei, undo_of=first, at=NOON + timedelta(hours=25))
        entry = asked(soon, at=NOON + timedelta(hours=23))
        asked(late, at=NOON + timedelta(hours=25))
        assert self.found(auditor, "undone") == {entry.seq}

    def test_changed_outside_the_portal(self, auditor, mei):
        def step(event: str, **data) -> ActionEntry:
            change = self.change(mei)
            return action_log.record(
                event, actor=None, change=change, at=NOON, data={"kind": change.kind} | data
            )

        stale = step("change.needs_attention", problem="change.stale-facts")
        already = step("change.succeeded", via="already")
        step("change.succeeded", via="answer")
        step("change.needs_attention", problem="change.unreadable")
        assert self.found(auditor, "outside") == {stale.seq, already.seq}

    def test_large_exports(self, auditor, mei):
        def export(rows: int) -> ActionEntry:
            return action_log.record(
                "export.started", actor=mei, at=NOON, data={"list": "employees", "rows": rows}
            )

        large = export(1000)
        export(999)
        assert self.found(auditor, "exports") == {large.seq}

    def test_repeated_failures(self, auditor, mei):
        def fail(employee) -> ActionEntry:
            change = a_change(employee, by=mei, status="failed")
            return action_log.record(
                "change.failed", actor=None, change=change, at=NOON, data={"kind": change.kind}
            )

        unlucky = an_employee()
        entries = {fail(unlucky).seq for _ in range(3)}
        fail(an_employee())
        assert self.found(auditor, "failures") == entries

    def test_hasty_or_dependent_approvals(self, auditor, mei, hua):
        def approved(after: timedelta, by: User) -> int:
            change = self.change(mei)
            Approval.objects.create(
                change=change, by=by, verdict="approved", payload_hash="", pre_image_hash="",
                decided_at=NOON + after,
            )  # fmt: skip
            return action_log.record(
                "change.approved", actor=by, change=change, at=NOON, data={"kind": change.kind}
            ).seq

        hasty = approved(timedelta(seconds=90), hua)
        approved(timedelta(minutes=5), hua)
        assert self.found(auditor, "approvals") == {hasty}
        User.objects.filter(pk__in=(mei.pk, hua.pk)).update(open_id="ou_one")
        assert len(self.found(auditor, "approvals")) == 2

    @pytest.mark.parametrize("rule", queries.RULES)
    def test_say_why_and_when_there_is_none(self, rule, auditor):
        page = auditor.get(f"/log/exceptions/?rule={rule}")
        assert page.status_code == 200
        assert "None in this period" in page.content.decode()

    @pytest.mark.parametrize("query", ["rule=x", "since=x&until=2026-13-40", "until=0001-01-01"])
    def test_bad_addresses_show_something_sensible(self, query, auditor):
        assert auditor.get(f"/log/exceptions/?{query}").status_code == 200

    def test_period_is_never_longer_than_a_year(self):
        period = Period.read(date(2000, 1, 1), DAY, today=DAY)
        assert (period.until - period.since).days == 366


class TestSamples:
    def write(self, count: int, mei) -> None:
        change = a_change(an_employee(), by=mei)
        for _ in range(count):
            asked(change, at=timezone.now(), actor=mei)

    def draw(self, auditor, **values) -> object:
        return auditor.post("/log/samples/", {"seed": "s1", "size": "5"} | values)

    def test_follow_from_seed_size_and_range_alone(self):
        drawn = queries.draw("2026-q4", size=4, first=101, last=1100)
        assert drawn == queries.draw("2026-q4", size=4, first=101, last=1100)
        assert drawn != queries.draw("2026-q3", size=4, first=101, last=1100)
        assert len(set(drawn)) == 4
        assert all(101 <= number <= 1100 for number in drawn)
        assert queries.draw("x", size=9, first=3, last=5) == [3, 4, 5]

    def test_can_be_drawn_by_hand(self):
        """The recipe of docs/auditor.md, once more."""
        import hashlib

        def nth(n: int) -> int:
            return 1 + int(hashlib.sha256(f"s1:{n}".encode()).hexdigest(), 16) % 1000

        assert queries.draw("s1", size=3, first=1, last=1000) == sorted({nth(0), nth(1), nth(2)})

    def test_are_drawn_reviewed_and_logged(self, auditor, mei):
        self.write(20, mei)
        assert self.draw(auditor).status_code == 303
        sample = LogSample.objects.get()
        seqs = [
            line.entry.seq for line, _ in auditor.get(f"/log/samples/{sample.pk}/").context["items"]
        ]
        assert len(seqs) == 5
        review = reverse("review-log-entry", args=[sample.pk])
        note = {"seq": seqs[0], "conclusion": "finding", "note": "没有依据"}
        assert auditor.post(review, note).status_code == 303
        kept = LogReview.objects.get()
        assert (kept.seq, kept.note) == (seqs[0], "没有依据")
        entry = ActionEntry.objects.get(event="log.reviewed")
        assert "没有依据" not in entry.body
        assert action_log.private_values(entry)["note"] == "没有依据"
        assert action_log.sentence(entry).en.endswith(f"reviewed entry {seqs[0]}: a finding")
        assert ActionEntry.objects.filter(event="log.sample_drawn").exists()
        page = auditor.get(f"/log/samples/{sample.pk}/").content.decode()
        assert "1 of 5 reviewed" in page

    @pytest.mark.parametrize(
        "values",
        [
            {"seed": ""}, {"seed": "a b"}, {"seed": "种"}, {"size": "0"}, {"size": "x"},
            {"size": "201"}, {"since": "2001-01-01", "until": "2001-01-02"}, {"size": "9" * 30},
        ],
    )  # fmt: skip
    def test_refuse_what_cannot_be_drawn(self, values, auditor, mei):
        self.write(3, mei)
        assert self.draw(auditor, **values).status_code == 422
        assert not LogSample.objects.exists()

    @pytest.mark.parametrize(
        "values",
        [
            {"conclusion": "in_order", "seq": "999999"},
            {"conclusion": "nonsense"},
            {"conclusion": "finding", "note": " "},
            {"conclusion": "in_order", "note": "x" * 2001},
            {"conclusion": "in_order", "seq": "x"},
        ],
    )
    def test_refuse_a_review_that_says_nothing(self, values, auditor, mei):
        self.write(3, mei)
        self.draw(auditor)
        sample = LogSample.objects.get()
        values = {"seq": str(sample.first_seq)} | values
        assert auditor.post(f"/log/samples/{sample.pk}/review/", values).status_code == 422
        assert not LogReview.objects.exists()


class TestAccountsOnADay:
    def test_are_rebuilt_from_the_log(self, auditor):
        user = User(username="bob", role=Role.HR.value, last_name="鲍")
        users.create_user(user, acting_user=None)
        users.change_user(user, acting_user=None, role=Role.MANAGER.value)
        today = timezone.localdate()
        now = {then.user.username: then for then in queries.accounts_on(today)}
        before = {then.user.username: then for then in queries.accounts_on(today - timedelta(1))}
        assert (now["bob"].role, now["bob"].verbs) == ("manager", ())
        assert not before["bob"].is_known
        assert not now["ana"].is_known  # made without an entry
        page = auditor.get("/log/accounts/").content.decode()
        assert "The log says nothing about this account" in page
        assert auditor.get("/log/accounts/?day=nonsense").status_code == 200

    def test_an_account_that_was_switched_off_could_do_nothing(self):
        user = User(username="bob", role=Role.HR.value)
        users.create_user(user, acting_user=None)
        assert "convert_employee" in queries.accounts_on(timezone.localdate())[0].verbs
        users.change_user(user, acting_user=None, is_active=False)
        then = queries.accounts_on(timezone.localdate())[0]
        assert (then.is_active, then.may, then.verbs) == (False, (), ())
