"""Where somebody is signed in: seen, ended, and over by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_htmx.middleware import HtmxDetails

from lifecycle import jobs
from lifecycle.models import SignInSession, User
from lifecycle.services.users import change_user
from lifecycle.views.answers import asks_by_itself
from lifecycle.views.browsers import browser_words
from tests.sign_in.conftest import Browser

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def signed_in(user: User, **options: str) -> Browser:
    browser = Browser(**options)
    browser.force_login(user)
    browser.get("/account/")
    return browser


def by_password(user: User, **options: str) -> Browser:
    browser = Browser(**options)
    assert browser.type_password(user.username).status_code == 302
    return browser


class TestAccountPage:
    def test_shows_each_browser_in_words_with_its_address_and_times(self, mei, clock):
        by_password(mei, REMOTE_ADDR="10.0.0.7")
        clock.shift(timedelta(minutes=5))
        page = by_password(mei, REMOTE_ADDR="10.0.0.8").get("/account/").text
        assert page.count("Chrome · Windows") >= 2
        for shown in ("10.0.0.7", "10.0.0.8", "2026-11-21 12:00", "2026-11-21 12:05"):
            assert shown in page
        assert page.count("this one") == 1

    def test_shows_nobody_elses_and_none_that_is_over(self, mei, hua, clock):
        by_password(hua, REMOTE_ADDR="10.0.0.9")
        gone = by_password(mei, REMOTE_ADDR="10.0.0.10")
        gone.post("/sign-out/")
        old = by_password(mei, REMOTE_ADDR="10.0.0.11")
        clock.shift(timedelta(minutes=61))
        page = by_password(mei).get("/account/").text
        for address in ("10.0.0.9", "10.0.0.10", "10.0.0.11"):
            assert address not in page
        assert not old.is_signed_in

    def test_costs_the_same_however_many_there_are(self, mei, django_assert_num_queries):
        browser = by_password(mei)
        browser.get("/account/")
        with CaptureQueriesContext(connection) as few:
            browser.get("/account/")
        number = len(few)
        for _ in range(5):
            by_password(mei)
        with django_assert_num_queries(number):
            browser.get("/account/")
        assert number <= 9


class TestEnding:
    def test_one_of_them(self, mei, logged):
        here, there = by_password(mei), by_password(mei)
        row = SignInSession.objects.get(session_key=there.session.session_key)
        answer = here.post("/account/sessions/end/", {"session": row.pk})
        assert (answer.status_code, answer["Location"]) == (303, "/account/")
        assert here.is_signed_in
        assert not there.is_signed_in
        assert logged("user.sessions_ended") == [{"user": mei.pk, "number": 1}]

    def test_all_of_them_this_one_too(self, mei, logged):
        here, there = by_password(mei), by_password(mei)
        answer = here.post("/account/sessions/end/")
        assert answer["Location"] == "/sign-in/"
        assert "You are signed out everywhere." in here.get("/sign-in/").text
        assert not here.is_signed_in
        assert not there.is_signed_in
        assert logged("user.sessions_ended") == [{"user": mei.pk, "number": 2}]

    @pytest.mark.parametrize("session", ["x", "0", "999999999"])
    def test_nobodys(self, mei, session):
        browser = by_password(mei)
        assert browser.post("/account/sessions/end/", {"session": session}).status_code == 404

    def test_not_somebody_elses(self, mei, hua):
        here, hers = by_password(mei), by_password(hua)
        row = SignInSession.objects.get(session_key=hers.session.session_key)
        assert here.post("/account/sessions/end/", {"session": row.pk}).status_code == 404
        assert hers.is_signed_in

    def test_signing_out_takes_it_off_the_list(self, mei):
        by_password(mei).post("/sign-out/")
        assert not SignInSession.objects.exists()


class TestByAnAdministrator:
    def test_sees_who_is_signed_in_and_ends_it(self, mei, zhou, logged):
        hers, browser = by_password(mei, REMOTE_ADDR="10.0.0.7"), signed_in(zhou)
        assert "梅" in browser.get("/users/").text
        assert "10.0.0.7" in browser.get(f"/users/{mei.pk}/").text
        answer = browser.post(f"/users/{mei.pk}/sessions/end/")
        assert answer.status_code == 303
        assert not hers.is_signed_in
        assert logged("user.sessions_ended") == [{"user": mei.pk, "number": 1}]
        assert browser.is_signed_in

    def test_ends_one(self, mei, zhou):
        first, second, browser = by_password(mei), by_password(mei), signed_in(zhou)
        row = SignInSession.objects.get(session_key=first.session.session_key)
        browser.post(f"/users/{mei.pk}/sessions/end/", {"session": row.pk})
        assert not first.is_signed_in
        assert second.is_signed_in

    def test_the_list_costs_the_same_however_many_there_are(
        self, mei, zhou, django_assert_max_num_queries
    ):
        browser = signed_in(zhou)
        for number in range(20):
            User.objects.create_user(f"user-{number}")
        by_password(mei)
        with django_assert_max_num_queries(6):
            browser.get("/users/")

    @pytest.mark.parametrize("role", ["hr", "manager", "auditor"])
    def test_nobody_else_may(self, mei, hua, role):
        User.objects.filter(pk=hua.pk).update(role=role)
        hers, browser = by_password(mei), signed_in(hua)
        assert browser.post(f"/users/{mei.pk}/sessions/end/").status_code == 403
        assert hers.is_signed_in


class TestTimes:
    def test_it_is_over_after_an_hour_without_use(self, mei, clock):
        browser = by_password(mei)
        clock.shift(timedelta(minutes=59))
        assert browser.is_signed_in
        clock.shift(timedelta(minutes=60))
        answer = browser.get("/employees/")
        assert answer["Location"] == "/sign-in/?next=/employees/"
        assert "the time of your session is over" in browser.get("/sign-in/").text
        assert not Session.objects.filter(expire_date__gt=NOON).count() > 1

    def test_it_is_over_after_ten_hours_whatever_one_does(self, mei, clock):
        browser = by_password(mei)
        for _ in range(19):
            clock.shift(timedelta(minutes=31))
            assert browser.is_signed_in
        clock.shift(timedelta(minutes=31))
        assert not browser.is_signed_in

    def test_every_part_that_renews_itself_is_known_as_such(self, rf):
        renewed = {
            re.sub(r"{{.*?}}", "1", part)
            for path in (settings.BASE_DIR / "templates").rglob("*.html")
            for part in re.findall(r'id="([^"]+)"[^>]*hx-trigger="[^"]*every ', path.read_text())
        }
        assert {"sync-health", "1-watch"} <= renewed
        for part in renewed:
            request = rf.get("/", headers={"HX-Request": "true", "HX-Trigger": part})
            request.htmx = HtmxDetails(request)
            assert asks_by_itself(request), part

    def test_a_page_that_renews_itself_is_no_use(self, mei, clock):
        browser = by_password(mei)
        watch = {"HX-Request": "true", "HX-Trigger": "employees-watch"}
        for _ in range(4):
            clock.shift(timedelta(minutes=15))
            browser.get("/employees/rows/?ids=1", headers=watch)
        assert not browser.is_signed_in

    def test_the_settings_say_how_long(self, mei, clock, settings):
        settings.SESSION_IDLE = timedelta(minutes=5)
        browser = by_password(mei)
        clock.shift(timedelta(minutes=5))
        assert not browser.is_signed_in

    def test_last_used_is_written_down_once_a_minute(self, mei, clock):
        browser = by_password(mei)
        clock.shift(timedelta(seconds=59))
        browser.get("/employees/")
        assert SignInSession.objects.get().seen_at == NOON
        clock.shift(timedelta(seconds=1))
        browser.get("/employees/")
        assert SignInSession.objects.get().seen_at == NOON + timedelta(minutes=1)

    def test_a_session_that_does_not_say_when_it_began_is_over(self, mei):
        """As those from before there were such times."""
        browser = by_password(mei)
        session = browser.session
        del session["sign_in_started"]
        session.save()
        assert not browser.is_signed_in


class TestForgetting:
    def test_what_is_over_is_taken_away_and_nothing_else(self, mei, clock):
        by_password(mei)
        clock.shift(timedelta(hours=5))
        there = by_password(mei)
        clock.shift(timedelta(hours=6))
        assert jobs.forget_sessions() == 1
        assert SignInSession.objects.get().session_key == there.session.session_key

    def test_a_sign_in_on_the_way_is_kept_for_minutes_only(self, zhou, browser, clock):
        browser.type_password("zhou")
        clock.shift(timedelta(minutes=11))
        assert jobs.forget_sessions() == 1

    def test_a_session_that_began_on_the_way_lasts_as_long_as_others(self, mei, browser, settings):
        settings.FEISHU_TENANT_KEY, settings.FEISHU_ACCOUNTS_URL = "x", "http://127.0.0.1:8801"
        browser.leave()
        browser.type_password("mei")
        assert browser.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


class TestPassword:
    def change(self, browser: Browser, old: str = "correct horse", new: str = "staple battery 9"):
        typed = {"old_password": old, "new_password1": new, "new_password2": new}
        return browser.post("/account/", typed)

    def test_is_changed_and_ends_the_other_sessions(self, mei, logged):
        here, there = by_password(mei), by_password(mei)
        assert self.change(here).status_code == 303
        assert here.is_signed_in
        assert "this one" in here.get("/account/").text
        assert not there.is_signed_in
        assert Browser().type_password("mei", "staple battery 9").status_code == 302
        assert logged("user.password_changed") == [{"user": mei.pk}]

    def test_keeps_to_the_rules(self, mei):
        browser = by_password(mei)
        assert self.change(browser, new="short").status_code == 422
        assert self.change(browser, old="wrong").status_code == 422
        assert Browser().type_password("mei").status_code == 302

    def test_the_old_one_cannot_be_guessed_for_ever(self, mei, logged):
        browser = by_password(mei)
        for old in ("", *["wrong"] * 4):
            self.change(browser, old=old)
        assert self.change(browser).status_code == 429
        tried = [one["problem"] for one in logged("user.refused")]
        assert tried == ["sign-in.password"] * 4 + ["sign-in.too-many"]


class TestOtherReasonsToEnd:
    @pytest.mark.parametrize(
        "change", [{"role": "manager"}, {"is_active": False}, {"departments": ["od-1"]}]
    )
    def test_a_change_of_the_user(self, mei, change):
        browser = by_password(mei)
        change_user(mei, acting_user=None, **change)
        assert not browser.is_signed_in
        assert not SignInSession.objects.exists()


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
         "Safari · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/156.0 Safari/537.36 Edg/156.0", "Edge · Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Chrome/156 Safari/537 Lark/7.1",
         "Feishu · macOS"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
         "Firefox · Linux"),
        ("", "未知浏览器"),
        ("<script>", "未知浏览器"),
    ],
)  # fmt: skip
def test_a_browser_in_words(agent, words):
    assert browser_words(agent) == words
