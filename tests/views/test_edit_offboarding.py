"""The pages that edit an offboarding: form, plan, confirmation, and the way back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from lifecycle.models import Offboarding, StatusChange
from tests.offboardings import (
    KINDS,
    an_approved_offboarding,
    as_posted,
    confirmation_of,
    typed_in,
)
from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(mirrored):
    return mirrored(*KINDS)


@pytest.fixture
def leaver(tenant) -> Offboarding:
    return an_approved_offboarding(tenant)


@pytest.fixture
def address(leaver) -> str:
    return reverse("edit-offboarding", args=[leaver.pk])


def test_the_form_shows_what_feishu_holds_now(as_user, mei, leaver, tenant, address):
    info = tenant.record("offboardings", leaver.feishu_id)["info"]
    tenant.patch("offboardings", leaver.feishu_id, info=info | {"reason_explanation": "刚刚改过"})
    page = as_user(mei).get(address)
    assert "刚刚改过" in page.text
    assert 'data-longest="6000"' in page.text
    assert "custom_field_10__c" not in page.text


def test_confirming_leads_to_the_page_of_the_change(as_user, mei, leaver, tenant, address, worker):
    client = as_user(mei)
    posted = typed_in(leaver, reason_explanation="另有安排", custom_field_6__c=["opt_party"])
    plan = client.post(address, {"step": "plan"} | posted)
    assert plan.status_code == 200
    assert client.post(address, confirmation_of(plan)).status_code == 303
    change = worker(StatusChange.objects.get())
    assert change.status == "succeeded"
    assert tenant.operations(leaver.feishu_id) == ["edit_offboarding"]
    assert "另有安排" in client.get(reverse("change", args=[change.pk])).text


def test_works_in_the_side_panel(as_user, mei, leaver, address):
    client = as_user(mei)
    form = client.get(address, **HTMX)
    plan = client.post(
        address, {"step": "plan"} | typed_in(leaver, reason_explanation="改"), **HTMX
    )
    done = client.post(address, confirmation_of(plan), **HTMX)
    for page in (form, plan, done):
        assert page.status_code == 200
        assert "<html" not in page.text


def test_going_back_keeps_what_was_typed(as_user, mei, leaver, address):
    client = as_user(mei)
    typed = typed_in(leaver, custom_field_1__c="交给小林", custom_field_6__c=["opt_letter"])
    plan = client.post(address, {"step": "plan"} | typed)
    page = client.post(address, confirmation_of(plan) | {"step": "edit"})
    assert page.status_code == 200
    assert 'value="交给小林"' in page.text
    assert page.context["form"]["field_custom_field_6__c"].value() == ["opt_letter"]


@pytest.mark.parametrize("name", ["field_status", "status", "field_custom_field_10__c"])
def test_a_field_that_is_not_offered_is_refused(as_user, mei, tenant, address, name):
    page = as_user(mei).post(address, {"step": "plan", name: "<b>x</b>"})
    assert page.status_code == 422
    assert "Nothing has been sent." in page.text
    assert not StatusChange.objects.exists()
    assert tenant.requests(writes=True) == []


def test_editing_back_is_a_linked_change_with_the_values_before(
    as_user, mei, leaver, tenant, address, worker
):
    client, before = as_user(mei), leaver.offboards_on
    later = (before + timedelta(days=3)).isoformat()
    typed = typed_in(leaver, offboarding_date=later, custom_field_1__c="交给小林")
    plan = client.post(address, {"step": "plan"} | typed)
    client.post(address, confirmation_of(plan))
    change = worker(StatusChange.objects.get())
    opened = client.get(address, {"undo": change.pk}).context["form"]
    assert opened["field_offboarding_date"].value() == before
    # It was empty before, and Feishu cannot be told to empty it.
    assert opened["field_custom_field_1__c"].value() == "交给小林"
    back = {"undo": str(change.pk)}
    plan = client.post(address, {"step": "plan"} | as_posted(opened) | back)
    client.post(address, confirmation_of(plan) | back)
    undone = worker(StatusChange.objects.exclude(pk=change.pk).get())
    assert (undone.status, undone.undo_of_id) == ("succeeded", change.pk)
    leaver.refresh_from_db()
    assert leaver.offboards_on == before
