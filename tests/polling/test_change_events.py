"""What somebody changes in Feishu's console is told once, and what we change is not theirs."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log
from lifecycle.mirror import store_employees, store_pre_hires
from lifecycle.models import (
    ActionEntry,
    ChangeEvent,
    Employee,
    Offboarding,
    PreHire,
    SyncCase,
    SyncRun,
    Talent,
)
from lifecycle.services import sync
from tests.polling.conftest import logged, poll, read_everything, told

pytestmark = pytest.mark.django_db

A_DAY_MS = 86_400_000
EDITS = 300


def _later(record, name):
    return {name: record[name] + A_DAY_MS}


def _a_day_later(day: str) -> str:
    return (date.fromisoformat(day) + timedelta(days=1)).isoformat()


# By sandbox kind: the watched field, the kind of the event, and the edit that changes it.
CONSOLE = {
    "talents": [
        ("phone", "talents", lambda r, n: {"mobile": f"139{n:08d}"}),
        ("email", "talents", lambda r, n: {"email": f"new{n}@mail.example.com"}),
        ("is_onboarded", "talents", lambda r, n: {"is_onboarded": not r["is_onboarded"]}),
    ],
    "applications": [
        ("is_active", "applications", lambda r, n: {"active_status": 3 - r["active_status"]}),
    ],
    "employees": [
        ("onboarded_on", "employees", lambda r, n: _later(r, "onboard_time")),
        ("leader_open_id", "employees", lambda r, n: {"leader": f"ou_{n:032d}"}),
        ("department_id", "employees", lambda r, n: {"department": f"od-{n:032d}"}),
        ("job_level_id", "employees", lambda r, n: {"level": f"7{n:018d}"}),
    ],
    "pre_hires": [
        ("onboards_on", "pre-hires", lambda r, n: {"hire_date": _a_day_later(r["hire_date"])}),
        ("cost_center_rates", "pre-hires", lambda r, n: {
            "cost_center_rate": [{"cost_center_id": f"8{n:018d}", "rate": 100}]
        }),
        ("onboarding_status", "pre-hires", lambda r, n: {
            "onboarding_status": "withdrawn" if r["onboarding_status"] != "withdrawn" else "day_one"
        }),
    ],
    "offboardings": [
        ("last_attendance_date", "offboardings", lambda r, n: {
            "info": {"last_attendance_date": _a_day_later(r["info"]["last_attendance_date"])}
        }),
        ("offboards_on", "offboardings", lambda r, n: {
            "info": {"offboarding_date": _a_day_later(r["info"]["offboarding_date"])}
        }),
        ("reason_explanation", "offboardings", lambda r, n: {
            "info": {"reason_explanation": f"换个原因 {n}"}
        }),
        ("status", "offboardings", lambda r, n: {
            "status": "Withdrawn" if r["status"] != "Withdrawn" else "Approved"
        }),
    ],
}  # fmt: skip


class Console:
    """Somebody at Feishu's console who edits each field of each record once at most."""

    def __init__(self, sandbox, chance: random.Random) -> None:
        self.sandbox, self.chance = sandbox, chance
        self.done: set[tuple[str, str, str]] = set()
        self.left = [
            (kind, record["id"], edit)
            for kind, edits in CONSOLE.items()
            for record in sandbox.records(kind)
            if self._is_read(kind, record)
            for edit in edits
        ]
        chance.shuffle(self.left)

    @staticmethod
    def _is_read(kind: str, record) -> bool:
        models = {"offboardings": Offboarding, "pre_hires": PreHire, "employees": Employee}
        return kind not in models or models[kind].objects.filter(feishu_id=record["id"]).exists()

    def edit(self) -> None:
        kind, record_id, (field, told_as, change) = self.left.pop()
        number = len(self.done)
        record = self.sandbox.record(kind, record_id)
        self.sandbox.patch(kind, record_id, **change(record, number))
        self.done.add((told_as, record_id, field))


@pytest.mark.thorough
class TestConsoleEdits:
    def test_are_each_told_once_whatever_the_order(self, company):
        chance = random.Random(1)
        console = Console(company, chance)
        company.options(search_lag_s=0.3)
        for number in range(EDITS):
            console.edit()
            if number % 40 == 39:
                poll(*chance.sample(["pre_hires", "offboardings", "talents", "applications"], 2))
        company.options(search_lag_s=0)
        read_everything()
        read_everything()
        counted = told()
        missed = console.done - set(counted)
        assert missed == set()
        assert set(counted) == console.done
        assert {key: times for key, times in counted.items() if times > 1} == {}
        assert set(ChangeEvent.objects.values_list("source", flat=True)) == {"console"}
        assert logged() == console.done
        assert list(action_log.verify())[-1].is_whole


def events(**conditions):
    return list(
        ChangeEvent.objects.filter(**conditions).values_list(
            "field", "before", "after", "source", "alert"
        )
    )


class TestWhatIsTold:
    def test_nothing_of_a_first_import(self, company):
        assert not ChangeEvent.objects.exists()

    def test_nothing_by_a_second_pass(self, company):
        read_everything()
        assert not ChangeEvent.objects.exists()

    def test_before_and_after_with_its_alert(self, company):
        pre_hire = PreHire.objects.filter(onboarding_status="preboarding").first()
        company.patch("pre_hires", pre_hire.feishu_id, hire_date="2027-03-01")
        poll("pre_hires")
        before = pre_hire.onboards_on.isoformat()
        assert events() == [("onboards_on", before, "2027-03-01", "console", "start-moved")]

    @pytest.mark.parametrize(
        ("kind", "model", "fields", "alert"),
        [
            ("pre_hires", PreHire, {"onboarding_status": "withdrawn"}, "pre-hire-lost"),
            ("offboardings", Offboarding, {"status": "Withdrawn"}, "offboarding-revoked"),
            (
                "offboardings",
                Offboarding,
                {"info": {"offboarding_date": "2027-03-01"}},
                "last-day-moved",
            ),
        ],
    )
    def test_what_needs_attention(self, company, kind, model, fields, alert):
        open_one = {"pre_hires": "preboarding", "offboardings": "Approved"}[kind]
        column = "onboarding_status" if kind == "pre_hires" else "status"
        record = model.objects.filter(**{column: open_one}).first()
        company.patch(kind, record.feishu_id, **fields)
        poll(kind)
        assert [event[-1] for event in events()] == [alert]

    def test_somebody_who_left_outside_the_portal(self, company):
        employee = Employee.objects.filter(onboard_status="onboarded").first()
        now_ms = int(timezone.now().timestamp() * 1000)
        company.patch("employees", employee.feishu_id, onboard_status=2, overboard_time=now_ms)
        poll("employees")
        told = {(field, after, alert) for field, _, after, _, alert in events()}
        assert ("onboard_status", "left", "left-outside") in told

    def test_to_the_auditor_with_the_values_beside_the_chain(self, company, as_user, ana):
        pre_hire = PreHire.objects.filter(onboarding_status="preboarding").first()
        company.patch("pre_hires", pre_hire.feishu_id, hire_date="2027-03-01")
        poll("pre_hires")
        entry = ActionEntry.objects.get(event="record.changed_in_feishu")
        assert entry.person_ref == pre_hire.person_id
        assert "2027-03-01" not in entry.body
        (line,) = action_log.entries_with_sentences([entry])
        assert line.sentence.zh == f"{pre_hire.person.name}的待入职记录在飞书中被修改：入职日期"
        page = as_user(ana).get(reverse("log-entry", args=[entry.seq])).text
        assert "2027-03-01" in page
        assert "What was changed in Feishu" in page
        exceptions = as_user(ana).get(reverse("log-exceptions"), {"rule": "outside"}).text
        assert reverse("log-entry", args=[entry.seq]) in exceptions

    def test_personal_values_masked(self, company):
        talent = Talent.objects.exclude(phone="").first()
        company.patch("talents", talent.feishu_id, mobile="13912345678", email="li.lei@example.com")
        poll("talents")
        assert {event[2] for event in events()} == {"139****5678", "l***@example.com"}
        assert not any(talent.phone in event[1] or talent.email in event[1] for event in events())

    def test_a_new_record_after_the_first_import(self, company):
        PreHire.everyone.order_by("pk").first().delete()
        poll("pre_hires")
        read_everything()
        assert [event.what for event in ChangeEvent.objects.all()] == ["came"]

    def test_not_by_an_older_answer(self, company):
        employee = Employee.objects.first()
        asked_at = employee.asked_at - timedelta(seconds=1)
        store_employees([employee.payload | {"level": "other"}], asked_at=asked_at)
        assert not ChangeEvent.objects.exists()

    def test_with_the_row_or_not_at_all(self, company, django_assert_num_queries):
        payloads = [row.payload for row in PreHire.objects.all()]
        changed = [
            {**p, "onboarding_info": {**p["onboarding_info"], "onboarding_date": "2027-05-05"}}
            for p in payloads
        ]
        few, many = changed[:1], changed[1:]
        action_log.record("user.signed_in", actor=None)  # the first one makes the head
        with django_assert_num_queries(FEW_QUERIES):
            store_pre_hires(few, asked_at=timezone.now())
        with django_assert_num_queries(FEW_QUERIES):
            store_pre_hires(many, asked_at=timezone.now())


# Whatever the number of rows: the batch, its people, the changes of ours, the events, and what
# the action log says of them.
FEW_QUERIES = 14


class TestOurOwnChanges:
    @pytest.fixture
    def person(self, company) -> Employee:
        return Employee.objects.filter(
            onboard_status="onboarded", conversion_status="not_converted", employment_id=""
        ).order_by("pk")[0]

    def test_are_told_once_and_as_ours(self, person, asking, worker):
        change = worker(asking.ask(person))
        assert change.is_done
        read_everything()
        rows = ChangeEvent.objects.filter(person=person.person)
        assert {(row.field, row.source, row.change_id) for row in rows} == {
            ("conversion_status", "ours", change.pk),
            ("converted_on", "ours", change.pk),
        }
        assert rows.count() == 2
        assert not ChangeEvent.objects.exclude(source="ours").exists()

    def test_are_ours_although_a_poll_saw_them_before_the_answer_came(
        self, person, company, asking, worker
    ):
        change = asking.ask(person)
        company.fault("drop_after", on="writes", times=1)
        worker(change)
        assert change.is_verifying
        poll("employees")
        worker(change, later=timedelta(minutes=1))
        assert change.is_done
        read_everything()
        assert {event.source for event in ChangeEvent.objects.all()} == {"ours"}
        assert ChangeEvent.objects.filter(field="conversion_status").count() == 1

    def test_do_not_hide_what_the_console_does_next(self, person, company, asking, worker):
        worker(asking.ask(person))
        company.patch("employees", person.feishu_id, conversion_status=1, actual_conversion_time=0)
        poll("employees")
        poll("employees")
        told = ChangeEvent.objects.filter(field="conversion_status").order_by("pk")
        assert [(event.source, event.after) for event in told] == [
            ("ours", "converted"),
            ("console", "not_converted"),
        ]

    def test_are_not_taken_back_by_a_search_that_is_behind(
        self, person, company, asking, worker, settings
    ):
        before = person.payload
        worker(asking.ask(person))
        settings.SETTLE_AFTER = {name: timedelta(minutes=1) for name in settings.SETTLE_AFTER}
        from lifecycle.differences import POLLED

        store_employees([before], asked_at=timezone.now(), origin=POLLED)
        person.refresh_from_db()
        assert person.is_converted
        store_employees([before], asked_at=timezone.now() + timedelta(minutes=2), origin=POLLED)
        person.refresh_from_db()
        assert not person.is_converted
        assert ChangeEvent.objects.filter(source="console").exists()


@pytest.mark.thorough
class TestRecordsThatVanish:
    def pass_time(self, model):
        model.everyone.exclude(missing_since=None).update(
            missing_since=timezone.now() - timedelta(minutes=5)
        )

    @pytest.mark.parametrize("kind", ["pre_hires", "offboardings"])
    @pytest.mark.parametrize("reads", [poll, read_everything])
    def test_are_gone_after_a_second_reading(self, company, kind, reads):
        model = {"pre_hires": PreHire, "offboardings": Offboarding}[kind]
        condition = (
            {"onboarding_status": "preboarding"} if kind == "pre_hires" else {"status": "Approved"}
        )
        record = model.objects.filter(**condition).first()
        company.delete(kind, record.feishu_id)
        reads()
        assert model.objects.filter(pk=record.pk).exists()
        assert not ChangeEvent.objects.exists()
        self.pass_time(model)
        reads()
        assert not model.objects.filter(pk=record.pk).exists()
        event = ChangeEvent.objects.get()
        assert (event.feishu_id, event.what) == (record.feishu_id, "gone")
        assert event.alert in ("pre-hire-lost", "offboarding-revoked")
        reads()
        assert ChangeEvent.objects.count() == 1

    def test_are_back_when_a_reading_shows_them(self, company):
        record = PreHire.objects.filter(onboarding_status="preboarding").first()
        PreHire.objects.filter(pk=record.pk).update(
            missing_since=timezone.now(), gone_at=timezone.now()
        )
        read_everything()
        assert PreHire.objects.filter(pk=record.pk).exists()
        assert ChangeEvent.objects.get().what == "came"


class TestAnswersThatCannotBeBelieved:
    def everything(self):
        return [
            list(model.objects.order_by("pk").values("feishu_id", "payload"))
            for model in (PreHire, Offboarding, Talent)
        ]

    @pytest.mark.parametrize("kind", ["pre_hires", "offboardings"])
    def test_an_empty_list_changes_nothing_and_opens_one_case(self, company, kind):
        before = self.everything()
        for record in company.records(kind):
            company.delete(kind, record["id"])
        for _ in range(3):
            sync.sync_kind(kind)
            self.pass_time()
        assert self.everything() == before
        case = SyncCase.objects.get()
        assert (case.kind, case.doubt) == (kind, "empty")
        assert not ChangeEvent.objects.exists()

    def test_half_a_list_changes_nothing_and_opens_one_case(self, company):
        before = self.everything()
        records = company.records("offboardings")
        for record in records[: len(records) * 2 // 3]:
            company.delete("offboardings", record["id"])
        for _ in range(3):
            sync.sync_kind("offboardings")
            self.pass_time()
        assert self.everything() == before
        assert SyncCase.objects.get().doubt == "half"

    @pytest.mark.parametrize("kind", ["pre_hires", "offboardings", "talents"])
    @pytest.mark.parametrize("since", [None, timedelta(minutes=10)])
    def test_another_company_changes_nothing_and_opens_one_case(self, company, kind, since):
        before = self.everything()
        self.rename(kind)
        for _ in range(3):
            run = sync.sync_kind(kind, since=since and timezone.now() - timedelta(days=400))
            assert run.problem == "nobody-known"
        case = SyncCase.objects.get()
        assert (case.kind, case.doubt) == (kind, "foreign")
        self.rename(kind)
        assert self.everything() == before

    def rename(self, kind):
        """The same as records of ours nobody in Feishu knows."""
        model = {"pre_hires": PreHire, "offboardings": Offboarding, "talents": Talent}[kind]
        for row in model._base_manager.all():
            model._base_manager.filter(pk=row.pk).update(feishu_id=row.feishu_id[::-1])

    def pass_time(self):
        for model in (PreHire, Offboarding):
            model.everyone.exclude(missing_since=None).update(
                missing_since=timezone.now() - timedelta(minutes=5)
            )


class TestACutOffPass:
    def test_keeps_its_window(self, company):
        run = sync._begin("pre_hires", timezone.now() - timedelta(minutes=10))
        SyncRun.objects.filter(pk=run.pk).update(lease_until=timezone.now())
        resumed = sync._begin("pre_hires")
        assert (resumed.pk, resumed.since) == (run.pk, run.since)
