"""The form of a pre-hire's update: what it shows, what it takes, and what it refuses."""

from __future__ import annotations

import html
import json
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import CatalogueEntry, PreHire, StatusChange
from tests.conftest import MIRRORED
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(mirrored):
    return mirrored(*MIRRORED, "pre_hires", "catalogues")


@pytest.fixture
def ning(tenant) -> PreHire:
    """Ning starts soon."""
    return PreHire.objects.filter(onboarding_status="preboarding").order_by("pk")[0]


@pytest.fixture
def hr(as_user, mei):
    return as_user(mei)


@pytest.fixture
def address(ning) -> str:
    return reverse("update-pre-hire", args=[ning.pk])


@pytest.fixture
def centers(tenant) -> list[str]:
    in_use = CatalogueEntry.objects.filter(kind="cost_center", is_active=True).order_by("pk")
    return [e.feishu_id for e in in_use if e.payload["expiration_time"] == "9999-12-31"][:3]


def values_of(page) -> dict[str, object]:
    """What a browser would post of the form on the page."""
    form = re.search(r"<form method=\"post\" action=\"[^\"]*/update/\".*?</form>", page.text, re.S)
    text, found = form[0], {}
    for tag in re.findall(r"<input[^>]*>", text):
        name = re.search(r'name="([^"]+)"', tag)
        kind = re.search(r'type="([^"]+)"', tag)
        value = re.search(r'value="([^"]*)"', tag)
        if name is None or (kind and kind[1] == "checkbox" and "checked" not in tag):
            continue
        found.setdefault(name[1], []).append(html.unescape(value[1]) if value else "")
    for name, body in re.findall(
        r'<textarea[^>]*name="([^"]+)"[^>]*>\s*(.*?)</textarea>', text, re.S
    ):
        found[name] = [html.unescape(body)]
    for name, body in re.findall(r'<select[^>]*?name="([^"]+)".*?>(.*?)</select>', text, re.S):
        chosen = re.search(r'<option value="([^"]*)"\s+selected', body)
        found[name] = [html.unescape(chosen[1]) if chosen else ""]
    found.pop("csrfmiddlewaretoken", None)
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def opened(hr, address) -> dict[str, object]:
    page = hr.get(address)
    assert page.status_code == 200
    return values_of(page)


def planned_body(page) -> dict:
    return json.loads(html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page.text, re.S)[1]))


class TestForm:
    def test_shows_what_feishu_holds_at_this_moment(self, hr, address, ning, tenant):
        tenant.patch("pre_hires", ning.feishu_id, worker_id="G-now", onboarding_status="day_one")
        values = opened(hr, address)
        held = tenant.record("pre_hires", ning.feishu_id)
        assert values["worker_id"] == "G-now"
        assert values["onboarding_status"] == "day_one"
        assert values["hire_date"] == held["hire_date"]
        assert values["custom-custom_field_21__c"] == "待领取"
        assert values["split_share_0"] == "100"
        assert values["split_center_0"] == held["cost_center_rate"][0]["cost_center_id"]

    def test_says_that_feishu_checks_nothing(self, hr, address):
        assert "Feishu does not check what you enter here." in hr.get(address).text

    def test_opens_from_the_mirror_when_feishu_is_silent(self, hr, address, ning, tenant):
        tenant.fault("error_before", on="reads", times=20)
        page = hr.get(address)
        assert page.status_code == 200
        assert "Feishu has not answered yet" in page.text
        assert values_of(page)["hire_date"] == ning.onboards_on.isoformat()

    def test_untouched_changes_nothing(self, hr, address, tenant):
        page = hr.post(address, opened(hr, address))
        assert page.status_code == 200
        assert "Nothing would change." in page.text
        assert 'value="confirm"' not in page.text
        assert tenant.requests(writes=True) == []

    def test_sends_only_what_was_touched(self, hr, address, ning, tenant):
        values = opened(hr, address) | {"worker_id": "G-77"}
        tenant.patch("pre_hires", ning.feishu_id, hire_date="2026-12-24")
        page = hr.post(address, values)
        assert planned_body(page) == {
            "onboarding_status": {"enum_name": "preboarding"},
            "worker_id": "G-77",
        }

    def test_is_confirmed_from_the_plan(self, hr, address, ning, tenant, centers):
        values = opened(hr, address) | {
            "split_center_0": centers[0],
            "split_share_0": "60",
            "split_center_1": centers[1],
            "split_share_1": "40",
            "custom-custom_field_25__c": ["gift_cup", "gift_shirt"],
            "custom-custom_field_22__c": "true",
        }
        plan = hr.post(address, values)
        assert plan.status_code == 200
        answer = hr.post(address, values_of(plan) | {"step": "confirm"})
        assert answer.status_code == 303, answer.text
        body = json.loads(StatusChange.objects.get().payload)["body"]
        assert body["cost_center_rate"] == [
            {"cost_center_id": center, "rate": rate}
            for center, rate in sorted(zip(centers, (60, 40), strict=False))
        ]
        assert body["custom_fields"] == [
            {"field_name": "custom_field_22__c", "value": '"true"'},
            {"field_name": "custom_field_25__c", "value": '["gift_cup","gift_shirt"]'},
        ]

    def test_goes_back_with_everything_typed(self, hr, address, centers):
        values = opened(hr, address) | {"worker_id": "G-77", "split_share_0": "60"}
        page = hr.post(address, values | {"step": "edit"})
        assert page.status_code == 200
        assert values_of(page)["worker_id"] == "G-77"
        assert values_of(page)["split_share_0"] == "60"
        assert values_of(page)["opened_with"] == values["opened_with"]

    def test_is_a_piece_in_the_side_panel(self, hr, address, ning):
        page = hr.get(address, **HTMX)
        assert f'id="update-pre-hire-{ning.pk}"' in page.text[:80]
        assert "<html" not in page.text

    def test_of_an_undo_starts_with_the_values_from_before(
        self, hr, address, ning, tenant, asking, worker
    ):
        before = tenant.record("pre_hires", ning.feishu_id)["worker_id"]
        change = worker(asking.ask(ning, "update_pre_hire", worker_id="G-77"))
        page = hr.get(f"{address}?undo={change.pk}")
        values = values_of(page)
        assert values["worker_id"] == before
        plan = hr.post(address, values)
        assert planned_body(plan)["worker_id"] == before
        hr.post(address, values_of(plan) | {"step": "confirm"})
        assert StatusChange.objects.order_by("-pk")[0].undo_of == change

    def test_costs_the_same_for_any_number_of_lines(
        self, hr, address, ning, tenant, centers, django_assert_num_queries
    ):
        hr.get(address)
        with CaptureQueriesContext(connection) as one_line:
            hr.get(address)
        asked = len(one_line)
        split = [
            {"cost_center_id": center, "rate": rate}
            for center, rate in zip(centers, (20, 30, 50), strict=True)
        ]
        tenant.patch("pre_hires", ning.feishu_id, cost_center_rate=split)
        # The first look at what has changed writes it down as well.
        hr.get(address)
        with django_assert_num_queries(asked):
            hr.get(address)
        assert len(one_line) < 40


class TestSplit:
    @pytest.fixture
    def post(self, hr, address):
        values = opened(hr, address)

        def post(*lines, **more):
            given = {}
            for n, (center, share) in enumerate(lines):
                given |= {f"split_center_{n}": center, f"split_share_{n}": share}
            return hr.post(address, values | given | more)

        return post

    @pytest.mark.parametrize(
        ("lines", "sentence"),
        [
            (lambda c: [(c[0], "60"), (c[1], "20")], "80% in all, 20% still to go."),
            (lambda c: [(c[0], "60"), (c[1], "60")], "120% in all, 20% too much."),
            (lambda c: [(c[0], "50"), (c[0], "50")], "stands in another line already"),
            (lambda c: [(c[0], "")], "Enter the share of this cost center."),
            (lambda c: [("", "100")], "Choose a cost center for this share."),
            (lambda c: [("4242", "100")], "is not in the list"),
            (lambda c: [(c[0], "0"), (c[1], "100")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "101")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "-5"), (c[1], "105")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "50.5"), (c[1], "49.5")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "True")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "1e2")], "Enter a whole number from 1 to 100."),
            (lambda c: [(c[0], "9" * 5000)], "Enter a whole number from 1 to 100."),
            (lambda c: [("", "")], "it cannot be"),
        ],
    )
    def test_that_feishu_would_refuse_is_asked_again(self, post, tenant, centers, lines, sentence):
        page = post(*lines(centers))
        assert page.status_code == 422
        assert sentence in html.unescape(page.text)
        assert tenant.requests(writes=True) == []

    def test_with_a_center_no_longer_in_use_is_asked_again(self, post, tenant):
        off = CatalogueEntry.objects.filter(kind="cost_center", is_active=False)[0].feishu_id
        page = post((off, "100"))
        assert page.status_code == 422
        assert "no longer in use" in page.text

    def test_may_leave_lines_out_in_between(self, post, centers):
        page = post(("", ""), (centers[0], "30"), ("", ""), (centers[1], "70"))
        assert page.status_code == 200
        assert {share["rate"] for share in planned_body(page)["cost_center_rate"]} == {30, 70}

    def test_offers_more_lines_as_they_fill(self, post, centers):
        page = post((centers[0], "30"), (centers[1], "30"), (centers[2], "40"), step="edit")
        assert 'name="split_share_5"' in page.text
        assert 'name="split_share_6"' not in page.text
        assert "100% in all." in page.text

    def test_takes_lines_that_were_never_offered_as_nothing(self, post, centers):
        page = post(**{"split_center_5000": centers[0], "split_share_5000": "7"})
        assert page.status_code == 200


class TestBadInput:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("hire_date", "9999-12-31"),
            ("hire_date", "0001-01-01"),
            ("hire_date", "2026-02-30"),
            ("hire_date", "tomorrow"),
            ("hire_date", ""),
            ("onboarding_status", "type_1"),
            ("onboarding_status", ""),
            ("worker_id", ""),
            ("worker_id", "x" * 6001),
            ("worker_id", "G\x00"),
            ("worker_id", "G\x07"),
            ("worker_id", "G\nH"),
            ("employee_type", "正式"),
            ("employee_type", "🎉"),
            ("employee_type", "x" * 65),
            ("employee_type_id", "🎉"),
            ("employee_type_id", ""),
            ("ats_application_id", "1/2"),
            ("ats_application_id", "9" * 65),
            ("person_id", "<b>"),
            ("custom-custom_field_21__c", "x" * 256),
            ("custom-custom_field_21__c", "a\x00b"),
            ("custom-custom_field_21__c", ""),
            ("custom-custom_field_22__c", "maybe"),
            ("custom-custom_field_23__c", "NaN"),
            ("custom-custom_field_23__c", "1.234"),
            ("custom-custom_field_24__c", "line_9"),
            ("custom-custom_field_25__c", ["gift_cup", "gift_car"]),
            ("custom-custom_field_26__c", "9999-12-31"),
            ("reason", "x" * 501),
        ],
    )
    def test_is_asked_again_and_nothing_is_sent(self, hr, address, tenant, name, value):
        values = opened(hr, address) | {name: value}
        page = hr.post(address, values)
        assert page.status_code == 422, (name, value)
        assert "errorlist" in page.text
        assert not StatusChange.objects.exists()
        assert tenant.requests(writes=True) == []

    @pytest.mark.parametrize(
        "kept",
        [
            "", "x", "[]", "7", "null", "{}", "[" * 100_000, '{"hire_date": 7}', "\x00", "\ud83d",
            '{"cost_center_rate": [["a", "b"]]}',
        ],
    )  # fmt: skip
    def test_of_what_the_form_was_opened_with_counts_as_nothing(self, hr, address, kept):
        values = opened(hr, address) | {"opened_with": kept.encode("utf-8", "replace").decode()}
        page = hr.post(address, values | {"worker_id": "G-77"})
        assert page.status_code == 200
        assert planned_body(page)["worker_id"] == "G-77"

    def test_html_stays_text(self, hr, address):
        values = opened(hr, address) | {"custom-custom_field_21__c": "<script>alert(1)</script>"}
        page = hr.post(address, values)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert planned_body(page)["custom_fields"][0]["value"] == '"<script>alert(1)</script>"'

    def test_an_emoji_is_one_character_of_a_text(self, hr, address):
        values = opened(hr, address) | {"custom-custom_field_21__c": "🎉" * 255}
        assert hr.post(address, values).status_code == 200

    def test_an_id_is_sent_as_text(self, hr, address):
        values = opened(hr, address) | {"ats_application_id": "4719168654814483759"}
        assert planned_body(hr.post(address, values))["ats_application_id"] == "4719168654814483759"


def test_nobody_else_may_open_it(as_user, ana, zhou, address):
    assert as_user(ana).get(address).status_code == 403
    assert as_user(zhou).get(address).status_code == 404


def test_today_is_a_day_like_any_other(hr, address):
    values = opened(hr, address) | {"hire_date": timezone.localdate().isoformat()}
    assert hr.post(address, values).status_code == 200
