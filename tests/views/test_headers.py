"""What every answer carries."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.views.conftest import HTMX

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/sign-in/", "/healthz", "/nothing-here/", "/employees/"])
def test_nothing_runs_but_our_own_files(path):
    policy = Client().get(path)["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_no_cache_keeps_a_page(as_user, mei):
    for path in (reverse("employees"), reverse("log"), "/nothing-here/"):
        answer = as_user(mei).get(path)
        assert answer["Cache-Control"] == "no-store"
        assert "HX-Request" in answer["Vary"]


def test_a_signed_out_person_is_sent_to_sign_in_and_back():
    answer = Client().get(reverse("changes"), {"status": "open"})
    assert answer["Location"] == "/sign-in/?next=/changes/%3Fstatus%3Dopen"


def test_htmx_is_told_to_load_the_sign_in_page():
    answer = Client().get(
        reverse("employee-rows"), **HTMX, HTTP_HX_CURRENT_URL="http://testserver/employees/?q=a"
    )
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Femployees%2F%3Fq%3Da"


def test_a_page_of_another_site_is_not_gone_back_to(client, mei):
    answer = client.post(
        "/sign-in/",
        {"username": "mei", "password": "correct horse", "next": "https://evil.example/"},
    )
    assert answer["Location"] == "/"


def test_the_csrf_page_says_what_to_do(mei):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mei)
    strict.cookies["hrportal_language"] = "en"
    answer = strict.post(reverse("start-sync"))
    assert answer.status_code == 403
    assert "This page was open for too long" in answer.text
