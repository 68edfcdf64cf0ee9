"""Onboarding a candidate, against a real HTTP tenant."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pytest
from django.utils import timezone

from lifecycle import mirror as mirroring
from lifecycle import remote
from lifecycle.calendars import months_after
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.kinds.onboard_application import ID_FIELDS
from lifecycle.errors.problems import ChangeBlocked
from lifecycle.models import Application, Employee, Employment, StatusChange
from lifecycle.services import changes as change_service
from lifecycle.services import sync
from tests.builders import an_employee

A3 = "A3"
VERB = "onboard_application"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)

pytestmark = pytest.mark.django_db


@pytest.fixture
def candidate(mirror) -> Application:
    """Waits for the first day, and nothing stands in the way."""
    return waiting(mirror)


def waiting(tenant, number: int = 0) -> Application:
    records = tenant.records("applications", stage_type=6, active_status=1, lock_status=1)
    return Application.objects.select_related("person").get(feishu_id=records[number]["id"])


def at_stage(tenant, stage_type: int) -> Application:
    (record, *_) = tenant.records("applications", stage_type=stage_type, active_status=1)
    return Application.objects.get(feishu_id=record["id"])


def plan(asking, application, **values):
    return asking.plan(application, VERB, **{"onboarded_on": timezone.localdate(), **values})


def codes(notices) -> list[str]:
    return [notice.code for notice in notices]


class TestOnboardApplication:
    def test_makes_the_employee_known_at_once(self, asking, candidate, mirror, worker):
        due = months_after(timezone.localdate(), 3)
        change = worker(asking.confirm(plan(asking, candidate, expected_conversion_on=due)))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        employee = Employee.objects.get(application_id=candidate.feishu_id)
        assert employee.person_id == candidate.person_id
        assert (employee.onboarded_on, employee.expected_conversion_on) == (
            timezone.localdate(),
            due,
        )
        candidate.refresh_from_db()
        assert candidate.stage_type == "onboarded"
        assert mirror.operations(candidate.feishu_id) == ["onboard"]

    def test_sends_numbers_and_names_every_id_type(self, asking, candidate, mirror, worker):
        worker(asking.confirm(plan(asking, candidate)))
        (sent,) = mirror.requests(writes=True)
        zone = remote.tenant_zone()
        assert sent["body"] == {
            "actual_onboard_time": remote.times.day_to_ms(timezone.localdate(), zone)
        }
        assert sent["query"]["job_level_id_type"] in ("job_level_id", ["job_level_id"])
        assert sent["query"]["user_id_type"] in ("open_id", ["open_id"])

    def test_sends_all_ten_fields(self, asking, candidate, mirror, worker):
        sync.sync_kind("catalogues")
        values = given(mirror, candidate)
        change = worker(asking.confirm(plan(asking, candidate, **values)))
        assert change.status == "succeeded", change.feishu_msg
        (sent,) = mirror.requests(writes=True)
        assert sent["body"].keys() == {
            "actual_onboard_time",
            "expected_conversion_time",
            *ID_FIELDS,
        }
        employee = Employee.objects.get(application_id=candidate.feishu_id)
        assert employee.leader_open_id == values["leader"]
        assert employee.department_id == values["department"]

    def test_shows_names_and_not_ids(self, asking, candidate, mirror):
        sync.sync_kind("catalogues")
        shown = plan(asking, candidate, **given(mirror, candidate)).fields
        after = {field.label.en: field.after.zh for field in shown}
        assert not after["Leader"].startswith("ou_")
        assert not after["Department"].startswith("od-")

    def test_is_settled_by_reading_back(self, asking, candidate, mirror, worker):
        mirror.fault("drop_after", endpoint=A3)
        change = worker(asking.confirm(plan(asking, candidate)))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert Employee.objects.get(application_id=candidate.feishu_id).person_id
        assert mirror.operations(candidate.feishu_id) == ["onboard"]

    def test_is_sent_again_once_it_is_known_not_to_have_worked(
        self, asking, candidate, mirror, worker, settings
    ):
        settings.SETTLE_READ_GAP = timedelta(0)
        mirror.fault("drop_before", endpoint=A3)
        change = worker(asking.confirm(plan(asking, candidate)))
        worker(change, later=MINUTE)
        worker(change, later=2 * MINUTE)
        assert change.status == "approved"
        worker(change, later=2 * MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert mirror.operations(candidate.feishu_id) == ["onboard"]

    def test_that_was_done_in_the_console_is_not_sent(self, asking, candidate, mirror, worker):
        change = asking.confirm(plan(asking, candidate))
        onboard_elsewhere(candidate)
        writes = len(mirror.requests(writes=True))
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert len(mirror.requests(writes=True)) == writes

    def test_is_not_sent_when_the_application_has_moved(self, asking, candidate, mirror, worker):
        change = asking.confirm(plan(asking, candidate))
        mirror.patch("applications", candidate.feishu_id, active_status=2)
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert mirror.requests(writes=True) == []

    def test_for_a_later_day_waits_until_that_day_has_begun(
        self, asking, candidate, mirror, worker
    ):
        day = timezone.localdate() + 10 * DAY
        change = worker(asking.confirm(plan(asking, candidate, onboarded_on=day)))
        assert change.status == "approved"
        begins = remote.times.day_to_ms(day, remote.tenant_zone())
        assert change.effective_at.timestamp() * 1000 > begins
        assert mirror.requests(writes=True) == []

    def test_is_not_overwritten_by_a_reading_from_before(self, asking, candidate, worker):
        before, old = timezone.now(), dict(candidate.payload)
        worker(asking.confirm(plan(asking, candidate)))
        mirroring.store_applications([old], asked_at=before)
        mirroring.note_missing_employee(application_id=candidate.feishu_id, asked_at=before)
        candidate.refresh_from_db()
        assert candidate.stage_type == "onboarded"
        assert Employee.objects.get(application_id=candidate.feishu_id).missing_since is None

    def test_can_be_taken_back_on_the_employee(self, asking, candidate, worker, mei):
        change = worker(asking.confirm(plan(asking, candidate)))
        kind, record = change_service.way_to_undo(change, mei)
        employee = Employee.objects.get(application_id=candidate.feishu_id)
        assert (kind.name, record) == ("restore_to_pre_hire", employee)


class TestBlockers:
    def test_another_stage_is_named(self, asking, mirror):
        made = plan(asking, at_stage(mirror, 4))
        assert codes(made.blockers) == ["feishu.1002902"]
        assert "面试" in made.blockers[0].sentence.zh
        with pytest.raises(ChangeBlocked):
            asking.confirm(made)
        assert mirror.requests(writes=True) == []

    def test_a_terminated_application(self, asking, candidate, mirror):
        mirror.patch("applications", candidate.feishu_id, active_status=2)
        assert codes(plan(asking, candidate).blockers) == ["feishu.1002902"]

    def test_an_employee_already(self, asking, candidate, mirror):
        onboard_elsewhere(candidate)
        made = plan(asking, candidate)
        assert codes(made.blockers) == ["feishu.1002904"]

    def test_a_talent_locked_by_another_application(self, asking, mirror):
        (locked, *_) = mirror.records("applications", stage_type=6, lock_status=2)
        made = plan(asking, Application.objects.get(feishu_id=locked["id"]))
        assert codes(made.blockers) == ["feishu.1002210"]
        mirror.patch("applications", locked["id"], lock_status=1)
        assert plan(asking, Application.objects.get(feishu_id=locked["id"])).blockers == ()

    def test_a_conversion_before_the_onboarding(self, asking, candidate):
        early = timezone.localdate() - DAY
        made = plan(asking, candidate, expected_conversion_on=early)
        assert codes(made.blockers) == ["feishu.1002905"]

    def test_an_application_that_is_gone(self, asking, candidate, mirror):
        mirror.delete("applications", candidate.feishu_id)
        assert codes(plan(asking, candidate).blockers) == ["feishu.record-missing"]

    def test_all_reasons_are_said_at_once(self, asking, mirror):
        (locked, *_) = mirror.records("applications", stage_type=6, lock_status=2)
        mirror.patch("applications", locked["id"], active_status=2)
        early = timezone.localdate() - DAY
        application = Application.objects.get(feishu_id=locked["id"])
        made = plan(asking, application, expected_conversion_on=early)
        assert codes(made.blockers) == ["feishu.1002902", "feishu.1002210", "feishu.1002905"]
        assert mirror.requests(writes=True) == []


class TestWarnings:
    def test_a_day_that_has_passed_and_no_conversion_day(self, asking, candidate):
        found = codes(plan(asking, candidate, onboarded_on=timezone.localdate() - DAY).warnings)
        assert "plan.backdated-onboarding" in found
        assert "plan.onboarding-without-due-date" in found

    def test_a_probation_longer_than_the_law_knows(self, asking, candidate):
        six = months_after(timezone.localdate(), 6)
        within = plan(asking, candidate, expected_conversion_on=six)
        beyond = plan(asking, candidate, expected_conversion_on=six + DAY)
        assert "plan.long-probation" not in codes(within.warnings)
        assert "plan.long-probation" in codes(beyond.warnings)

    def test_what_else_is_known_of_the_person(self, asking, candidate):
        other = an_employee()
        Employee.objects.filter(pk=other.pk).update(person=candidate.person)
        Employment.objects.create(
            feishu_id="1", person=candidate.person, asked_at=timezone.now(), status="hired"
        )
        found = codes(plan(asking, candidate).warnings)
        assert {"plan.other-employee-record", "plan.works-here-by-corehr"} <= set(found)

    def test_a_pre_hire_in_core_hr(self, asking, mirror):
        sync.sync_kind("pre_hires")
        taken = {
            record["ats_application_id"]
            for record in mirror.records("pre_hires", onboarding_status="preboarding")
        }
        number = next(
            n
            for n, r in enumerate(
                mirror.records("applications", stage_type=6, active_status=1, lock_status=1)
            )
            if r["id"] in taken
        )
        assert "plan.has-pre-hire" in codes(plan(asking, waiting(mirror, number)).warnings)


class TestCodes:
    """Every code Feishu documents for this call."""

    @pytest.mark.parametrize(
        ("code", "http_status"),
        [(1002902, 400), (1002904, 400), (1002905, 400), (1002002, 400), (1002901, 404)],
    )
    def test_is_explained_when_feishu_answers(
        self, asking, candidate, mirror, worker, code, http_status
    ):
        mirror.fault("code", endpoint=A3, code=code, http_status=http_status)
        change = worker(asking.confirm(plan(asking, candidate)))
        assert (change.status, change.feishu_code) == ("failed", code)
        assert mirror.operations(candidate.feishu_id) == []

    def test_the_switch_is_a_refusal_although_the_status_is_500(
        self, asking, candidate, mirror, worker
    ):
        change = asking.confirm(plan(asking, candidate))
        mirror.settings(ehr_sync_switch=False)
        worker(change)
        assert (change.status, change.feishu_code) == ("failed", 1002908)
        assert change.attempts.get().http_status == 500

    def test_the_lock_is_a_refusal_although_the_status_is_500(
        self, asking, candidate, mirror, worker
    ):
        change = asking.confirm(plan(asking, candidate))
        mirror.patch("applications", candidate.feishu_id, lock_status=2)
        worker(change)
        assert (change.status, change.feishu_code) == ("failed", 1002210)
        assert change.attempts.get().http_status == 500

    def test_a_system_error_is_looked_up(self, asking, candidate, mirror, worker):
        mirror.fault("code", endpoint=A3, code=1002001, http_status=500, applied=True)
        change = worker(asking.confirm(plan(asking, candidate)))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")


class TestForm:
    def test_starts_with_the_offer(self, candidate, mirror):
        sync.sync_kind("catalogues")
        change_service.refreshed(kind_named(VERB), candidate)
        offer = mirror.record("applications", candidate.feishu_id)["offer"]
        form = kind_named(VERB).form(candidate, today=timezone.localdate())
        start = date.fromisoformat(offer["onboard_date"])
        assert form.initial["onboarded_on"] == start
        assert form.initial["expected_conversion_on"] == months_after(
            start, offer["probation_month"]
        )
        assert form.initial["leader"].startswith("ou_")
        again = {
            name: value if isinstance(value, str) else value.isoformat()
            for name, value in form.initial.items()
        }
        posted = kind_named(VERB).form(candidate, again, today=timezone.localdate())
        assert posted.is_valid(), posted.errors

    def test_starts_without_an_offer(self, candidate):
        form = kind_named(VERB).form(candidate, today=timezone.localdate())
        assert form.initial["onboarded_on"] == timezone.localdate()

    def test_names_who_fills_it_in(self, candidate, mirror, mei):
        (contact, *_) = mirror.records("contacts")
        mei.open_id = contact["id"] if contact["id"].startswith("ou_") else contact["open_id"]
        form = kind_named(VERB).form(candidate, today=timezone.localdate(), user=mei)
        assert form.initial["operator_id"] == mei.open_id

    @pytest.mark.parametrize(
        "day", ["", "9999-12-31", "0001-01-01", "0", "true", "2025-02-30", "2026-1-1x", "<b>", "\0"]
    )
    def test_refuses_what_is_no_day_of_a_working_life(self, candidate, day):
        form = kind_named(VERB).form(candidate, {"onboarded_on": day}, today=timezone.localdate())
        assert form.errors.keys() == {"onboarded_on"}

    @pytest.mark.parametrize("name", ID_FIELDS)
    @pytest.mark.parametrize(
        "value", ["🙂", "<script>alert(1)</script>", "a\nb", "x" * 6001, "True story", "a\0b"]
    )
    def test_refuses_what_is_no_id(self, candidate, name, value):
        sync.sync_kind("catalogues")
        data = {"onboarded_on": "2026-03-02", name: value}
        form = kind_named(VERB).form(candidate, data, today=timezone.localdate())
        assert form.errors.keys() == {name}

    @pytest.mark.parametrize("reason", ["x" * 501, "a\0b", "\ud800"])
    def test_refuses_a_reason_no_log_keeps(self, candidate, reason):
        data = {"onboarded_on": "2026-03-02", "reason": reason}
        form = kind_named(VERB).form(candidate, data, today=timezone.localdate())
        assert form.errors.keys() == {"reason"}


def given(tenant, application: Application) -> dict[str, object]:
    """A value for each field, from the offer and the tenant's lists."""
    change_service.refreshed(kind_named(VERB), application)
    application.refresh_from_db()
    start = kind_named(VERB).initial(application, today=timezone.localdate())
    city = tenant.records("locations")[0]["code"]
    today = timezone.localdate()
    requirement = tenant.records("job_requirements")[0]["id"]
    return start | {
        "onboarded_on": today,
        "expected_conversion_on": months_after(today, 3),
        "operator_id": start["leader"],
        "onboard_city_code": city,
        "job_requirement_id": requirement,
    }


def onboard_elsewhere(application: Application) -> None:
    """Somebody does it in Feishu Hire."""
    kind, today = kind_named(VERB), timezone.localdate()
    call = kind.call(application, {"onboarded_on": today}, key="")
    remote.client().send(call)
    assert StatusChange.objects.filter(status="succeeded").count() == 0
    assert json.loads(call.canonical())
