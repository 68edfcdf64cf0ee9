"""The auditor's desk: filters, saved views, exceptions by rule, samples, accounts on a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log, append_only, queries
from lifecycle.models import (
    ActionEntry,
    ActionLogHead,
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

    @pytest.mark.parametrize("log_id", ["20261118-A_1%\\", 'x"y', "飞书"])
    def test_find_a_log_id_that_no_attempt_has(self, log_id, auditor, mei):
        change = a_change(an_employee(), by=mei)
        found = {
            action_log.record(
                "sync.failed", actor=None, data={"kind": "employees", "log_id": log_id}
            ).seq,
            action_log.record("user.sign_in_failed", actor=None, data={"log_id": log_id}).seq,
            action_log.record(
                "change.postponed", actor=None, change=change, data={"log_id": log_id}
            ).seq,
        }
        for other in (log_id + "0", "0" + log_id, log_id.replace("_", "1").replace("A", "a") + " "):
            action_log.record("user.sign_in_failed", actor=None, data={"log_id": other})
        action_log.record("user.sign_in_failed", actor=None, data={"log_id": log_id.lower() + "_"})
        assert numbers(auditor.get("/log/", {"log_id": log_id})) == found

    def test_tell_log_ids_apart_by_their_letters(self, auditor):
        entries = {
            log_id: action_log.record("user.sign_in_failed", actor=None, data={"log_id": log_id})
            for log_id in ("Abc", "aBC", "A_c", "Axc")
        }
        for log_id, entry in entries.items():
            assert numbers(auditor.get("/log/", {"log_id": log_id})) == {entry.seq}

    def test_look_for_a_log_id_among_the_newest_alone(self, auditor):
        old = action_log.record("user.sign_in_failed", actor=None, data={"log_id": "old"})
        append_only.lift(connection)
        ActionLogHead.objects.update(seq=old.seq + 99_998)
        action_log.record("sync.requested", actor=None)
        assert numbers(auditor.get("/log/?log_id=old")) == {old.seq}
        action_log.record("sync.requested", actor=None)
        assert numbers(auditor.get("/log/?log_id=old")) == set()

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

    def test_shows_the_time_of_the_tenant_and_of_the_world(self, auditor, mei, settings):
        entry = asked(a_change(an_employee(), by=mei), at=NOON, actor=mei)
        text = auditor.get(reverse("log-entry", args=[entry.seq])).content.decode()
        assert settings.TIME_ZONE == "Asia/Shanghai"
        _, _, shown = text.partition("<dt>When</dt>")
        shown, _, _ = shown.partition("</dd>")
        for words in ("2026-11-18 12:00:00", "Asia/Shanghai", "2026-11-18 04:00:00", "UTC"):
            assert words in shown


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

    @pytest.mark.parametrize(
        ("event", "data"),
        [
            ("export.started", {"list": "employees", "rows": 1}),
            ("log.evidence_taken", {"scope": "person", "entries": 1}),
            ("user.changed", {"user": 1, "before": {}, "after": {}}),
            ("user.created", {"user": 1, "after": {}}),
        ],
    )
    def test_outside_working_hours_data_taken_and_accounts_changed(self, auditor, mei, event, data):
        def done(hour: int, actor: User | None, **more) -> int:
            at = NOON.replace(hour=hour)
            return action_log.record(event, actor=actor, at=at, data=data | more).seq

        done(12, mei)
        done(3, None)
        expected = {done(3, mei)}
        if event.startswith("user."):
            expected.add(done(3, None, at_command_line=True))
        action_log.record("user.signed_in", actor=mei, at=NOON.replace(hour=3))
        assert self.found(auditor, "hours") == expected

    def test_undone_within_a_day(self, auditor, mei):
        first = self.change(mei, status="succeeded")
        soon = a_change(an_employee(), by=mei, undo_of=first, at=NOON + timedelta(hours=23))
        late = a_change(an_employee(), by=mei, undo_of=first, at=NOON + timedelta(hours=25))
        entry = asked(soon, at=NOON + timedelta(hours=23))
        asked(late, at=NOON + timedelta(hours=25))
        assert self.found(auditor, "undone") == {entry.seq}

    def test_undone_within_a_day_of_when_it_took_effect(self, auditor, mei):
        """Asked for long before: it was to happen on a day to come."""
        first = self.change(mei, status="succeeded")
        done_at = NOON + timedelta(days=3)
        StatusChange.objects.filter(pk=first.pk).update(finished_at=done_at)
        soon, late = (done_at + timedelta(hours=hours) for hours in (1, 25))
        entry = asked(a_change(an_employee(), by=mei, undo_of=first, at=soon), at=soon)
        asked(a_change(an_employee(), by=mei, undo_of=first, at=late), at=late)
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
        action_log.record(
            "export.started", actor=None, at=NOON, data={"list": "employees", "rows": 999}
        )
        assert self.found(auditor, "exports") == {large.seq}

    def test_small_exports_add_up_by_person_and_day(self, auditor, mei, hua):
        def taken(rows: int, who: User, at=NOON) -> int:
            data = {"list": "employees", "rows": rows}
            return action_log.record("export.started", actor=who, at=at, data=data).seq

        parts = {taken(400, mei), taken(400, mei, NOON.replace(hour=23))}
        data = {"scope": "person", "entries": 200}
        parts.add(action_log.record("log.evidence_taken", actor=mei, at=NOON, data=data).seq)
        taken(999, hua)
        taken(999, mei, NOON + timedelta(days=1))
        taken(999, mei, NOON - timedelta(days=1))
        assert self.found(auditor, "exports") == parts

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

    def sign_in_fails(self, *, at=NOON, user: User | None = None, **typed) -> int:
        data = {"why": "sign-in.password"} | ({"user": user.pk} if user else {})
        return action_log.record(
            "user.sign_in_failed", actor=None, at=at, data=data, private=typed
        ).seq

    def test_repeated_failed_sign_ins_to_one_account(self, auditor, mei, hua):
        User.objects.filter(pk=mei.pk).update(open_id="ou_mei")
        entries = {self.sign_in_fails(username="mei") for _ in range(3)}
        entries |= {self.sign_in_fails(user=mei), self.sign_in_fails(open_id="ou_mei")}
        for _ in range(4):
            self.sign_in_fails(username="hua")
            self.sign_in_fails(username="nobody")
            self.sign_in_fails()
        assert self.found(auditor, "failures") == entries
        self.sign_in_fails(username="nobody")
        assert len(self.found(auditor, "failures")) == 10

    def test_failed_sign_ins_a_few_a_day(self, auditor, mei):
        def some(days: int) -> set[int]:
            at = NOON - timedelta(days=days)
            return {self.sign_in_fails(username="mei", at=at) for _ in range(4)}

        entries = some(1) | some(2) | some(3) | some(4)
        assert self.found(auditor, "failures") == set()
        entries |= some(5)
        assert self.found(auditor, "failures") == entries

    def test_more_failed_sign_ins_than_were_listed(self, auditor):
        entry = action_log.record("user.sign_ins_failing", actor=None, at=NOON, data={"limit": 30})
        assert self.found(auditor, "failures") == {entry.seq}

    def test_refused_attempts(self, auditor, mei, hua):
        def refused(user: User, problem: str, at=NOON) -> int:
            data = {"problem": problem, "area": "people", "page": "person", "method": "GET"}
            return action_log.record("user.refused", actor=user, at=at, data=data).seq

        own = refused(mei, "verdict.own-request")
        refused(mei, "change.blocked")
        few = {refused(hua, "person.not-found") for _ in range(queries.desk.REFUSALS - 1)}
        refused(hua, "person.not-found", at=NOON - timedelta(days=1))
        refused(mei, "person.not-found")
        many = action_log.record("user.refusals_unlisted", actor=mei, at=NOON, data={"limit": 30})
        assert self.found(auditor, "refused") == {own, many.seq}
        few.add(refused(hua, "person.not-allowed"))
        assert self.found(auditor, "refused") == {own, many.seq} | few

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
    def test_cost_the_same_however_many_there_are(self, rule, auditor, mei, hua):
        def some() -> None:
            self.test_hasty_or_dependent_approvals(auditor, mei, hua)
            User.objects.filter(pk__in=(mei.pk, hua.pk)).update(open_id="")
            for _ in range(5):
                self.sign_in_fails(username="mei")
                asked(self.change(mei, '{"on":"2026-10-01"}'), at=NOON.replace(hour=3), actor=mei)
                data = {"list": "employees", "rows": 500}
                action_log.record("export.started", actor=mei, at=NOON, data=data)

        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                self.found(auditor, rule)
            return len(captured)

        some()
        self.found(auditor, rule)
        few = cost()
        for _ in range(2):
            for _ in range(3):
                self.sign_in_fails(username="hua")
            an_employee()
            asked(self.change(hua, '{"on":"2026-10-01"}'), at=NOON.replace(hour=3), actor=hua)
        assert cost() == few <= 14

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
    def now(self, user: User) -> queries.AccountThen:
        return next(t for t in queries.accounts_on(timezone.localdate()) if t.pk == user.pk)

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

    def test_an_account_that_was_removed_is_named_by_its_number(self, auditor):
        user = User(username="bob", role=Role.HR.value)
        users.create_user(user, acting_user=None)
        pk = user.pk
        action_log.record("user.signed_in", actor=User(pk=pk + 7))
        action_log.record("user.sign_in_failed", actor=None, data={"user": pk + 9})
        User.objects.filter(pk=pk).delete()
        found = {then.pk: then for then in queries.accounts_on(timezone.localdate())}
        assert (found[pk].user, found[pk].role) == (None, "hr")
        assert not found[pk + 7].is_known
        assert pk + 9 not in found
        yesterday = timezone.localdate() - timedelta(days=1)
        assert pk in {then.pk for then in queries.accounts_on(yesterday)}
        page = auditor.get("/log/accounts/").content.decode()
        assert f"a removed account ({pk})" in page
        assert "in this version of the portal" in page

    def test_costs_the_same_however_many_accounts_there_are(self, auditor):
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert auditor.get("/log/accounts/").status_code == 200
            return len(captured)

        cost()
        few = cost()
        for number in range(5):
            users.create_user(User(username=f"u{number}", role=Role.HR.value), acting_user=None)
        assert cost() == few

    def test_an_account_that_was_switched_off_could_do_nothing(self):
        user = User(username="bob", role=Role.HR.value)
        users.create_user(user, acting_user=None)
        assert "convert_employee" in self.now(user).verbs
        users.change_user(user, acting_user=None, is_active=False)
        then = self.now(user)
        assert (then.is_active, then.may, then.verbs) == (False, (), ())
