"""Signing in, and how often it may fail."""

from __future__ import annotations

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from lifecycle.action_log import data_in
from lifecycle.models import ActionEntry, Role, User

pytestmark = pytest.mark.django_db


def attempt(username: str, password: str, *, address: str = "10.0.0.1"):
    client = Client(REMOTE_ADDR=address)
    client.cookies["hrportal_language"] = "en"
    return client.post("/sign-in/", {"username": username, "password": password})


class TestSignIn:
    @pytest.mark.parametrize(
        ("role", "first"),
        [
            (Role.HR, "employees"),
            (Role.MANAGER, "employees"),
            (Role.AUDITOR, "log"),
            (Role.ADMINISTRATOR, "sync"),
        ],
    )
    def test_leads_to_the_first_page_of_the_role(self, role, first):
        user = User.objects.create_user("someone", password="correct horse", role=role)
        client = Client()
        client.post("/sign-in/", {"username": "someone", "password": "correct horse"})
        if role == Role.ADMINISTRATOR:  # a password is not enough: tests/sign_in
            client.force_login(user)
        assert client.get("/")["Location"] == reverse(first)

    def test_says_the_same_for_a_wrong_password_and_an_unknown_name(self, mei):
        wrong, unknown = attempt("mei", "nope"), attempt("nobody", "nope")
        assert wrong.status_code == unknown.status_code == 422
        message = "The user name and the password do not match."
        assert message in wrong.text
        assert message in unknown.text

    def test_shows_no_demo_sign_ins_unless_the_settings_say_so(self, settings):
        settings.DEMO_SIGN_INS = False
        User.objects.create_user("hr", last_name="王人事", role=Role.HR)
        assert "王人事" not in Client().get("/sign-in/").text
        settings.DEMO_SIGN_INS = True
        assert "王人事" in Client().get("/sign-in/").text

    def test_signing_out_needs_a_post(self, as_user, mei):
        client = as_user(mei)
        assert client.get("/sign-out/").status_code == 405
        client.post("/sign-out/")
        assert client.get("/employees/").status_code == 302


class TestLimits:
    def test_five_failures_close_the_account_to_that_address(self, mei):
        for _ in range(5):
            assert attempt("mei", "nope").status_code == 422
        closed = attempt("mei", "correct horse")
        assert closed.status_code == 429
        assert "Too many failed sign-ins" in closed.text

    def test_whoever_is_shut_out_is_in_the_log_once_a_minute(self, mei):
        with time_machine.travel("2026-11-21 08:00:00+00:00", tick=False) as clock:
            for _ in range(5):
                attempt("mei", "nope")
            for _ in range(2):
                attempt("mei", "correct horse")
                attempt("mei", "correct horse")
                clock.shift(60)
        failed = ActionEntry.objects.filter(event="user.sign_in_failed").order_by("seq")
        said = [data_in(entry.body) for entry in failed]
        assert [one["why"] for one in said] == ["sign-in.password"] * 5 + ["sign-in.too-many"] * 2
        assert {one["user"] for one in said} == {mei.pk}

    def test_other_addresses_and_accounts_stay_open(self, mei, hua):
        for _ in range(5):
            attempt("mei", "nope")
        assert attempt("mei", "correct horse", address="10.0.0.2").status_code == 302
        assert attempt("hua", "correct horse").status_code == 302

    def test_another_spelling_is_the_same_account(self, mei):
        for name in ("mei", "MEI", " mei", "ｍei", "Mei"):
            attempt(name, "nope")
        assert attempt("mei", "correct horse").status_code == 429

    def test_twenty_failures_close_the_address(self, mei):
        for number in range(20):
            attempt(f"guess-{number}", "nope")
        assert attempt("mei", "correct horse").status_code == 429

    def test_a_right_password_uses_up_nothing(self, mei):
        for _ in range(30):
            assert attempt("mei", "correct horse").status_code == 302

    def test_it_opens_again_after_fifteen_minutes(self, mei):
        with time_machine.travel("2026-11-21 08:00:00+00:00", tick=False) as clock:
            for _ in range(6):
                attempt("mei", "nope")
            clock.shift(14 * 60)
            assert attempt("mei", "correct horse").status_code == 429
            clock.shift(2 * 60)
            assert attempt("mei", "correct horse").status_code == 302

    def test_behind_a_proxy_the_address_is_the_one_the_proxy_saw(self, mei, settings):
        settings.PROXY_COUNT = 1
        for number in range(20):
            Client(REMOTE_ADDR="10.9.9.9").post(
                "/sign-in/",
                {"username": f"guess-{number}", "password": "nope"},
                headers={"X-Forwarded-For": f"1.1.1.{number}, 7.7.7.7"},
            )
        answer = Client(REMOTE_ADDR="10.9.9.9").post(
            "/sign-in/",
            {"username": "mei", "password": "correct horse"},
            headers={"X-Forwarded-For": "8.8.8.8"},
        )
        assert answer.status_code == 302
