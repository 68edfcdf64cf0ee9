"""Updating a pre-hire, from the form to the log, against a real HTTP tenant."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.utils import timezone

from lifecycle import action_log
from lifecycle import mirror as mirror_store
from lifecycle.changes.kinds import kind_named
from lifecycle.errors.problems import ChangeBlocked, InvalidValues, StalePlan
from lifecycle.models import ActionEntry, Attempt, CatalogueEntry, PreHire, StatusChange
from lifecycle.services import changes as change_services
from lifecycle.services import sync
from lifecycle.views import change_words
from tests.conftest import MIRRORED

A5 = "A5"
MINUTE = timedelta(minutes=1)
KIND = "update_pre_hire"

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(mirrored):
    """The mirror with pre-hires and catalogues."""
    return mirrored(*MIRRORED, "pre_hires", "catalogues")


@pytest.fixture
def ning(tenant) -> PreHire:
    """Ning starts soon."""
    return PreHire.objects.filter(onboarding_status="preboarding").order_by("pk")[0]


@pytest.fixture
def centers(tenant) -> list[str]:
    """Three cost centers in use without an end."""
    found = [
        entry.feishu_id
        for entry in CatalogueEntry.objects.filter(kind="cost_center", is_active=True).order_by(
            "pk"
        )
        if entry.payload["expiration_time"] == "9999-12-31"
    ]
    return found[:3]


def plan(asking, ning, **values):
    return asking.plan(ning, KIND, **values)


def body_of(plan) -> dict:
    return json.loads(plan.request.body_text)


def codes(notices) -> set[str]:
    return {notice.code for notice in notices}


def next_month() -> date:
    return timezone.localdate() + timedelta(days=21)


class TestPlan:
    def test_sends_what_changed_and_the_present_status(self, asking, ning, tenant):
        day = next_month()
        made = plan(asking, ning, hire_date=day, worker_id="G-77")
        assert (made.request.method, made.request.path) == (
            "PATCH",
            f"/open-apis/corehr/v1/pre_hires/{ning.feishu_id}",
        )
        assert body_of(made) == {
            "hire_date": day.isoformat(),
            "worker_id": "G-77",
            "onboarding_status": {"enum_name": "preboarding"},
        }
        assert not made.is_blocked
        assert tenant.requests(writes=True) == []

    def test_echoes_the_status_of_this_moment(self, asking, ning, tenant):
        tenant.patch("pre_hires", ning.feishu_id, onboarding_status="day_one")
        made = plan(asking, ning, worker_id="G-77")
        assert body_of(made)["onboarding_status"] == {"enum_name": "day_one"}
        ning.refresh_from_db()
        assert ning.onboarding_status == "day_one"

    def test_leaves_out_what_feishu_holds_already(self, asking, ning, tenant):
        held = tenant.record("pre_hires", ning.feishu_id)
        made = plan(asking, ning, worker_id=held["worker_id"], hire_date=next_month())
        assert "worker_id" not in body_of(made)

    def test_is_blocked_when_nothing_changes(self, asking, ning, tenant):
        held = tenant.record("pre_hires", ning.feishu_id)
        made = plan(asking, ning, worker_id=held["worker_id"])
        assert codes(made.blockers) == {"plan.nothing-changed"}
        with pytest.raises(ChangeBlocked):
            asking.confirm(made)
        assert tenant.requests(writes=True) == []

    def test_is_blocked_while_the_record_was_never_read(self, asking, ning, tenant):
        tenant.fault("error_before", on="reads", times=20)
        made = plan(asking, ning, worker_id="G-77")
        assert "plan.pre-hire-not-read" in codes(made.blockers)
        with pytest.raises(ChangeBlocked):
            asking.confirm(made)
        assert not StatusChange.objects.exists()

    def test_rests_on_the_last_reading_when_feishu_is_silent(self, asking, ning, tenant):
        plan(asking, ning, worker_id="G-77")
        tenant.fault("error_before", on="reads", times=20)
        made = plan(asking, ning, worker_id="G-77")
        assert not made.is_blocked
        assert "plan.old-facts" in codes(made.warnings)

    def test_is_blocked_for_one_that_is_gone(self, asking, ning, tenant):
        tenant.delete("pre_hires", ning.feishu_id)
        made = plan(asking, ning, worker_id="G-77")
        assert "feishu.record-missing" in codes(made.blockers)

    def test_always_says_that_feishu_checks_nothing(self, asking, ning):
        made = plan(asking, ning, worker_id="G-77")
        assert "plan.not-checked-by-feishu" in codes(made.warnings)
        assert "不推荐" in made.route.zh

    def test_shows_names_and_not_ids(self, asking, ning, tenant, centers):
        other = CatalogueEntry.objects.filter(kind="corehr_employee_type", name="实习").get()
        made = plan(
            asking,
            ning,
            employee_type_id=other.feishu_id,
            cost_center_rate=((centers[0], 60), (centers[1], 40)),
            custom_fields={"custom_field_24__c": "line_2", "custom_field_22__c": True},
        )
        after = {field.label.zh: field.after.zh for field in made.fields if field.changed}
        names = dict(CatalogueEntry.objects.values_list("feishu_id", "name"))
        assert after["人员类型"] == "实习"
        assert f"{names[centers[0]]} 60%" in after["成本中心分摊"]
        assert after["班车路线"] == "二号线"
        assert after["电脑已准备"] == "是"

    def test_keeps_a_token_of_its_own_for_each_intent(self, asking, ning):
        first, second = (plan(asking, ning, worker_id="G-77") for _ in range(2))
        tokens = {dict(made.call.query)["client_token"] for made in (first, second)}
        assert tokens == {first.key, second.key}
        assert len(tokens) == 2

    def test_that_is_stale_is_refused(self, asking, ning, tenant):
        made = plan(asking, ning, worker_id="G-77")
        tenant.patch("pre_hires", ning.feishu_id, hire_date="2026-12-24")
        plan(asking, ning, worker_id="G-77")
        with pytest.raises(StalePlan):
            asking.confirm(made)
        assert not StatusChange.objects.exists()

    def test_costs_the_same_for_any_number_of_lines(
        self, asking, ning, centers, django_assert_max_num_queries
    ):
        with django_assert_max_num_queries(45):
            plan(asking, ning, cost_center_rate=tuple((center, 33) for center in centers))


class TestWarnings:
    @pytest.mark.parametrize(
        ("days", "code"), [(90, "plan.start-moved-far"), (-3, "plan.start-in-the-past")]
    )
    def test_about_the_start(self, asking, ning, days, code):
        made = plan(asking, ning, hire_date=timezone.localdate() + timedelta(days=days))
        assert code in codes(made.warnings)

    def test_about_a_day_off(self, asking, ning):
        made = plan(asking, ning, hire_date=date(2026, 10, 1))
        assert "plan.day-off" in codes(made.warnings)

    @pytest.mark.parametrize("status", ["deleted", "withdrawn", "completed"])
    def test_point_to_feishus_own_flow(self, asking, ning, status):
        made = plan(asking, ning, onboarding_status=status)
        assert "plan.status-without-flow" in codes(made.warnings)
        assert body_of(made) == {"onboarding_status": {"enum_name": status}}

    def test_about_another_status(self, asking, ning):
        assert "plan.status-changed" in codes(
            plan(asking, ning, onboarding_status="day_one").warnings
        )

    def test_about_a_pre_hire_that_is_over(self, asking, tenant):
        over = PreHire.objects.filter(onboarding_status="withdrawn")[0]
        made = plan(asking, over, worker_id="G-77")
        assert "plan.pre-hire-closed" in codes(made.warnings)
        assert not made.is_blocked

    def test_about_broken_links(self, asking, ning):
        made = plan(asking, ning, ats_application_id="4719", person_id="6564")
        assert {"plan.application-relinked", "plan.person-relinked"} <= codes(made.warnings)


class TestUpdatePreHire:
    def test_is_done_once_and_logged(self, asking, ning, tenant, worker):
        day = next_month()
        change = worker(asking.ask(ning, KIND, hire_date=day))
        assert (change.status, change.settled_via) == ("succeeded", "answer")
        assert tenant.operations(ning.feishu_id) == ["update_pre_hire"]
        ning.refresh_from_db()
        assert ning.onboards_on == ning.sort_on == day
        assert ning.detail["hire_date"] == day.isoformat()
        assert "入职日期" in kind_named(KIND).outcome_sentence(change).zh
        assert list(action_log.verify())[-1].bad_seq is None

    def test_sends_every_kind_of_value_as_the_page_shows_it(
        self, asking, ning, tenant, centers, worker
    ):
        custom = {
            "custom_field_21__c": "Sandy",
            "custom_field_22__c": True,
            "custom_field_23__c": Decimal("123.23"),
            "custom_field_24__c": "line_1",
            "custom_field_25__c": ("gift_cup", "gift_shirt"),
            "custom_field_26__c": date(2006, 1, 2),
        }
        split = ((centers[0], 60), (centers[1], 40))
        change = worker(
            asking.ask(
                ning, KIND, custom_fields=custom, cost_center_rate=split, employee_type="type_2"
            )
        )
        (sent,) = tenant.requests(writes=True)
        assert {item["field_name"]: item["value"] for item in sent["body"]["custom_fields"]} == {
            "custom_field_21__c": '"Sandy"',
            "custom_field_22__c": '"true"',
            "custom_field_23__c": "123.23",
            "custom_field_24__c": '"line_1"',
            "custom_field_25__c": '["gift_cup","gift_shirt"]',
            "custom_field_26__c": '"2006-01-02 00:00:00"',
        }
        assert sent["body"]["cost_center_rate"] == [
            {"cost_center_id": center, "rate": rate} for center, rate in split
        ]
        assert sent["body"]["employee_type"] == {"enum_name": "type_2"}
        assert change.status == "succeeded"

    def test_keeps_the_company_s_own_texts_out_of_the_chained_log(
        self, asking, ning, tenant, worker
    ):
        change = worker(asking.ask(ning, KIND, custom_fields={"custom_field_21__c": "很私人的话"}))
        entries = ActionEntry.objects.filter(change_id=change.pk)
        assert not [entry.seq for entry in entries if "很私人的话" in entry.body]

    def test_same_submission_is_the_same_change(self, asking, ning, tenant, worker):
        made = plan(asking, ning, worker_id="G-77")
        first, second = asking.confirm(made), asking.confirm(made)
        assert first.pk == second.pk
        worker(first)
        worker(second)
        assert tenant.operations(ning.feishu_id) == ["update_pre_hire"]

    def test_sends_nothing_when_it_is_already_so(self, asking, ning, tenant, worker):
        change = asking.ask(ning, KIND, worker_id="G-77")
        tenant.patch("pre_hires", ning.feishu_id, worker_id="G-77")
        worker(change)
        assert (change.status, change.settled_via) == ("succeeded", "already")
        assert tenant.requests(writes=True) == []

    def test_sends_nothing_over_a_status_changed_after_confirming(
        self, asking, ning, tenant, worker
    ):
        change = asking.ask(ning, KIND, worker_id="G-77")
        tenant.patch("pre_hires", ning.feishu_id, onboarding_status="completed")
        worker(change)
        assert (change.status, change.problem) == ("needs_attention", "change.stale-facts")
        assert tenant.requests(writes=True) == []

    def test_fails_for_one_deleted_after_confirming(self, asking, ning, tenant, worker):
        change = asking.ask(ning, KIND, worker_id="G-77")
        tenant.delete("pre_hires", ning.feishu_id)
        worker(change)
        assert (change.status, change.problem) == ("failed", "feishu.record-missing")

    def test_is_changed_back_by_a_linked_change(self, asking, ning, tenant, worker, mei):
        before = tenant.record("pre_hires", ning.feishu_id)
        change = worker(asking.ask(ning, KIND, worker_id="G-77", hire_date=next_month()))
        kind, record = change_services.way_to_undo(change, mei)
        assert (kind.name, record.pk) == (KIND, ning.pk)
        assert change_services.undoable_change(kind, ning, change.pk) == change
        ning.refresh_from_db()
        form = kind.form(ning, today=timezone.localdate(), undoes=change)
        assert form.initial["worker_id"] == before["worker_id"]
        assert form.initial["hire_date"].isoformat() == before["hire_date"]
        assert form.initial["person_id"] == before["person_id"]
        restored = {name: form.initial[name] for name in ("worker_id", "hire_date")}
        worker(asking.ask(ning, KIND, **restored))
        after = tenant.record("pre_hires", ning.feishu_id)
        assert (after["worker_id"], after["hire_date"]) == (
            before["worker_id"],
            before["hire_date"],
        )

    def test_cannot_change_back_what_was_empty(self, asking, ning, worker):
        """Nor is the status, which was sent along only, set back to what it was then."""
        change = worker(asking.ask(ning, KIND, custom_fields={"custom_field_24__c": "line_1"}))
        assert kind_named(KIND).initial_undoing(change) == {"custom_fields": {}}


class TestSilence:
    @pytest.mark.parametrize("fault", ["drop_after", "reset_after", "error_after", "garbage"])
    def test_is_settled_by_reading_back(self, fault, asking, ning, tenant, worker):
        tenant.fault(fault, endpoint=A5)
        change = worker(asking.ask(ning, KIND, hire_date=next_month()))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")
        assert tenant.operations(ning.feishu_id) == ["update_pre_hire"]

    def test_is_sent_again_with_the_same_token(self, asking, ning, tenant, worker):
        tenant.fault("drop_before", endpoint=A5)
        change = worker(asking.ask(ning, KIND, hire_date=next_month()))
        worker(change, later=MINUTE)
        StatusChange.objects.filter(pk=change.pk).update(unapplied_read_at=timezone.now() - MINUTE)
        worker(change, later=MINUTE)
        worker(change)
        assert (change.status, change.attempts_used) == ("succeeded", 2)
        tokens = [request["query"]["client_token"] for request in tenant.requests(writes=True)]
        assert len(tokens) == 2
        assert tokens[0] == tokens[1]
        assert tenant.operations(ning.feishu_id) == ["update_pre_hire"]

    def test_followed_by_a_resend_applies_once(self, asking, ning, tenant, worker):
        """The request went through, the reading did not show it yet: Feishu takes the second
        one for the first."""
        tenant.fault("drop_after", endpoint=A5)
        before = tenant.record("pre_hires", ning.feishu_id)["hire_date"]
        change = worker(asking.ask(ning, KIND, hire_date=next_month()))
        tenant.patch("pre_hires", ning.feishu_id, hire_date=before)
        for _ in range(2):
            worker(change, later=MINUTE)
            StatusChange.objects.filter(pk=change.pk).update(
                unapplied_read_at=timezone.now() - MINUTE
            )
        worker(change)
        assert Attempt.objects.filter(change=change).count() == 2
        assert tenant.operations(ning.feishu_id).count("update_pre_hire") == 1

    def test_over_something_else_goes_to_a_person(self, asking, ning, tenant, worker):
        tenant.fault("drop_before", endpoint=A5)
        change = worker(asking.ask(ning, KIND, hire_date=next_month()))
        tenant.patch("pre_hires", ning.feishu_id, worker_id="G-other")
        worker(change, later=MINUTE)
        assert (change.status, change.problem) == ("needs_attention", "change.conflict")

    def test_lays_two_readings_side_by_side(self, asking, ning, tenant, worker):
        """One that lacks a field the other has, too."""
        tenant.fault("drop_before", endpoint=A5)
        change = worker(asking.ask(ning, KIND, custom_fields={"custom_field_24__c": "line_1"}))
        tenant.patch("pre_hires", ning.feishu_id, worker_id="G-other", custom_fields=[])
        worker(change, later=MINUTE)
        rows = {row.label: row for row in change_words.comparison_of(change)}
        assert rows["人员编号"].now == "G-other"
        assert (rows["班车路线"].wanted, rows["班车路线"].now) == ("一号线", "—")
        assert (rows["工牌"].before, rows["工牌"].now) == ("待领取", "—")


class TestEveryCode:
    """The eight codes of the page."""

    @pytest.mark.parametrize(
        ("code", "shares"),
        [
            (1161019, lambda c, off, end: ((c[0], 50), (c[0], 50))),
            (1161020, lambda c, off, end: ((c[0], 101),)),
            (1161020, lambda c, off, end: ((c[0], 0), (c[1], 100))),
            (1161021, lambda c, off, end: (("", 50), (c[0], 50))),
            (1161022, lambda c, off, end: (("4242", 100),)),
            (1161023, lambda c, off, end: ((c[0], 60), (c[1], 20))),
            (1161024, lambda c, off, end: ((off, 100),)),
            (1161025, lambda c, off, end: ((end, 100),)),
        ],
    )
    def test_of_the_split_is_caught_by_the_plan(self, code, shares, asking, ning, tenant, centers):
        off = CatalogueEntry.objects.filter(kind="cost_center", is_active=False)[0].feishu_id
        ending = next(
            entry.feishu_id
            for entry in CatalogueEntry.objects.filter(kind="cost_center", is_active=True)
            if entry.payload["expiration_time"] != "9999-12-31"
        )
        made = plan(asking, ning, cost_center_rate=shares(centers, off, ending))
        assert f"feishu.{code}" in codes(made.blockers)
        with pytest.raises(ChangeBlocked):
            asking.confirm(made)
        assert tenant.requests(writes=True) == []

    def test_of_the_split_is_named_with_all_the_others(self, asking, ning, tenant, centers):
        off = CatalogueEntry.objects.filter(kind="cost_center", is_active=False)[0].feishu_id
        made = plan(asking, ning, cost_center_rate=((off, 60), (off, 60)))
        assert codes(made.blockers) == {"feishu.1161019", "feishu.1161023", "feishu.1161024"}

    @pytest.mark.parametrize("code", [1161019, 1161020, 1161021, 1161022, 1161023])
    def test_is_explained_when_feishu_answers(self, code, asking, ning, tenant, worker):
        tenant.fault("code", endpoint=A5, code=code)
        change = worker(asking.ask(ning, KIND, worker_id="G-77"))
        assert (change.status, change.feishu_code) == ("failed", code)
        assert tenant.operations(ning.feishu_id) == []

    @pytest.mark.parametrize(
        ("code", "edit"),
        [(1161024, {"active": False}), (1161025, {"expiration_time": "2030-01-01"})],
    )
    def test_brought_about_after_the_plan_is_explained(
        self, code, edit, asking, ning, tenant, centers, worker
    ):
        change = asking.ask(ning, KIND, cost_center_rate=((centers[0], 50), (centers[1], 50)))
        tenant.patch("cost_centers", centers[0], **edit)
        worker(change)
        assert (change.status, change.feishu_code) == ("failed", code)
        assert tenant.operations(ning.feishu_id) == []

    def test_without_a_meaning_is_checked_by_reading(self, asking, ning, tenant, worker):
        tenant.fault("code", endpoint=A5, code=1160025, http_status=500, applied=True)
        change = worker(asking.ask(ning, KIND, worker_id="G-77"))
        assert change.status == "verifying"
        worker(change, later=MINUTE)
        assert (change.status, change.settled_via) == ("succeeded", "readback")


class TestDetails:
    def test_are_kept_beside_what_the_search_found(self, asking, ning):
        found = dict(ning.payload)
        plan(asking, ning, worker_id="G-77")
        ning.refresh_from_db()
        assert ning.payload == found
        assert ning.detail["id"] == ning.feishu_id
        assert ning.detail_asked_at == ning.asked_at

    def test_asked_for_earlier_change_nothing(self, asking, ning, tenant):
        plan(asking, ning, worker_id="G-77")
        ning.refresh_from_db()
        older = ning.detail | {"hire_date": "2020-01-01"}
        mirror_store.store_pre_hire_details([older], asked_at=ning.detail_asked_at - MINUTE)
        ning.refresh_from_db()
        assert ning.detail["hire_date"] != "2020-01-01"
        assert ning.onboards_on.isoformat() != "2020-01-01"

    def test_survive_the_next_search(self, asking, ning):
        plan(asking, ning, worker_id="G-77")
        sync.sync_kind("pre_hires")
        ning.refresh_from_db()
        assert ning.detail["id"] == ning.feishu_id

    @pytest.mark.parametrize(
        "broken", [None, 7, {}, {"id": 7}, {"id": "1", "onboarding_status": "preboarding"}]
    )
    def test_that_cannot_be_read_are_put_aside(self, ning, broken):
        PreHire.objects.filter(pk=ning.pk).update(feishu_id="1")
        stored = mirror_store.store_pre_hire_details([broken], asked_at=timezone.now())
        assert len(stored.unreadable) == 1
        ning.refresh_from_db()
        assert ning.onboarding_status == "preboarding"

    def test_with_a_day_that_is_none_can_still_be_repaired(self, asking, ning, tenant, worker):
        """Feishu checks nothing, so somebody else may have written anything."""
        tenant.patch("pre_hires", ning.feishu_id, hire_date="1999-99-99")
        day = next_month()
        made = plan(asking, ning, hire_date=day)
        (start,) = (field for field in made.fields if field.label.zh == "入职日期")
        assert (start.before.zh, start.after.zh) == ("1999-99-99", day.isoformat())
        worker(asking.confirm(made))
        assert tenant.record("pre_hires", ning.feishu_id)["hire_date"] == day.isoformat()


class TestValuesThatCannotBeSent:
    @pytest.mark.parametrize("value", ["half \ud800", 7])
    def test_are_invalid(self, asking, ning, value):
        with pytest.raises(InvalidValues):
            plan(asking, ning, worker_id=value)


def test_a_key_is_any_text(ning):
    kind = kind_named(KIND)
    key = str(uuid4())
    call = kind.call(ning, {"worker_id": "G-1"}, key=key)
    assert dict(call.query) == {"client_token": key}
