"""What people and programs are told while the database is away, and what happens afterwards."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from lifecycle.models import ActionEntry, Employee, StatusChange
from tests.views.conftest import HTMX
from tests.views.test_ask_for_change import confirmation

pytestmark = pytest.mark.django_db(transaction=True)

BROWSER = {"HTTP_ACCEPT": "text/html,application/xhtml+xml,*/*;q=0.8"}
SENTENCE = "The portal cannot get at its own database right now"
NEVER_TWICE = "The same form is the same change and is never taken twice."
FORM = {"submission_key": "5f8d", "reason": 'as "agreed"\n<b>', "step": "confirm"}


@pytest.fixture
def browser(as_user, mei) -> Client:
    client = as_user(mei)
    client.raise_request_exception = False
    return client


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody can connect. Any query, of whatever part of the portal, fails."""
    there = "NAME" if connection.vendor == "sqlite" else "PORT"
    kept = connection.settings_dict[there]
    connection.close()
    connection.settings_dict[there] = {"NAME": "/nowhere/at/all.sqlite3", "PORT": "1"}[there]
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict[there] = kept


@pytest.fixture
def away(lifted_log, browser) -> Iterator[None]:
    with database_away():
        yield


@pytest.mark.usefixtures("away")
class TestAway:
    @pytest.mark.parametrize("name", ["home", "employees", "changes", "log", "feed", "sync"])
    def test_a_page_says_so(self, browser, name):
        page = browser.get(reverse(name), **BROWSER)
        assert page.status_code == 503
        assert page["Retry-After"] == "10"
        assert page["Cache-Control"] == "no-store"
        assert "default-src 'none'" in page["Content-Security-Policy"]
        assert SENTENCE in page.text
        assert f'href="{reverse(name)}"' in page.text
        assert "<form" not in page.text

    @pytest.mark.parametrize(
        ("cookie", "accepted", "words"),
        [
            ("", "zh-CN,zh;q=0.9,en;q=0.8", "系统暂时连不上自己的数据库"),
            ("", "en-GB", SENTENCE),
            ("en", "zh-CN", SENTENCE),
            ("zh-hans", "en", "系统暂时连不上自己的数据库"),
        ],
    )
    def test_it_is_said_in_the_language_of_the_browser(self, browser, cookie, accepted, words):
        browser.cookies["hrportal_language"] = cookie
        page = browser.get(reverse("employees"), **BROWSER, HTTP_ACCEPT_LANGUAGE=accepted)
        assert words in page.text
        translation.activate("zh-hans")

    def test_the_chosen_colours_stay(self, browser):
        browser.cookies["hrportal_theme"] = "dark"
        assert 'data-theme="dark"' in browser.get(reverse("employees"), **BROWSER).text

    def test_a_form_comes_back_whole_to_be_sent_again(self, browser):
        address = reverse("convert-employee", args=[7])
        page = browser.post(f"{address}?undo=3", FORM | {"also": ["a", "b"]}, **BROWSER)
        assert page.status_code == 503
        assert NEVER_TWICE in page.text
        assert f'method="post" action="{address}?undo=3"' in page.text
        assert 'name="submission_key" value="5f8d"' in page.text
        assert 'name="reason" value="as &quot;agreed&quot;\n&lt;b&gt;"' in page.text
        assert page.text.count('name="also"') == 2
        assert "style=" not in page.text
        assert "<script" not in page.text

    def test_a_plan_that_was_asked_for_leaves_nothing_in_doubt(self, browser):
        typed = {"step": "plan", "reason": "as agreed"}
        page = browser.post(reverse("convert-employee", args=[7]), typed, **BROWSER)
        assert "whether" not in page.text
        assert 'name="reason" value="as agreed"' in page.text

    def test_what_is_no_change_is_to_be_looked_at_first(self, browser):
        page = browser.post(reverse("stop-writes"), {"reason": "wrong list"}, **BROWSER)
        assert "look whether it was taken before you repeat it" in page.text
        assert 'name="reason" value="wrong list"' in page.text

    def test_a_password_is_not_repeated(self, browser):
        typed = {"username": "mei", "password": "correct horse"}
        page = Client(raise_request_exception=False).post(reverse("sign-in"), typed, **BROWSER)
        assert page.status_code == 503
        assert "correct horse" not in page.text
        assert f'href="{reverse("sign-in")}"' in page.text

    @pytest.mark.parametrize("name", ["new_password1", "old_password", "code"])
    def test_nor_any_other_secret(self, browser, name):
        page = browser.post(reverse("account"), {name: "correct horse", "reason": "x"}, **BROWSER)
        assert page.status_code == 503
        assert "correct horse" not in page.text

    def test_htmx_gets_a_notice_and_leaves_the_page_alone(self, browser):
        answer = browser.post(reverse("convert-employee", args=[7]), FORM, **HTMX)
        assert answer.status_code == 503
        assert answer["HX-Reswap"] == "none"
        assert "<html" not in answer.text
        assert "data-notice" in answer.text
        assert NEVER_TWICE in answer.text
        assert "as agreed" not in answer.text

    def test_a_failure_that_comes_before_anybody_knows_of_htmx_says_it_too(self, browser):
        boosted = browser.get(reverse("employees"), **HTMX, HTTP_HX_BOOSTED="true")
        assert boosted.status_code == 503
        assert "data-notice" in boosted.text

    def test_a_program_gets_json(self, browser):
        answer = browser.get(reverse("employees"), HTTP_ACCEPT="application/json")
        assert answer.status_code == 503
        assert answer["Retry-After"] == "10"
        assert answer.json()["error"]["code"] == "portal.database-away"

    def test_readiness_says_which_part_is_away(self, browser):
        answer = browser.get(reverse("readyz"))
        assert answer.status_code == 503
        assert json.loads(answer.text) == {
            "ready": False,
            "checks": [{"name": "database", "ok": False, "detail": "OperationalError"}],
        }

    def test_the_web_server_itself_is_alive(self, browser):
        assert browser.get(reverse("healthz")).status_code == 200


@pytest.fixture
def lock(lifted_log) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Another process writes and does not come to an end."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's only lock")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=100")
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)

    def hold() -> sqlite3.Connection:
        other.execute("BEGIN IMMEDIATE")
        return other

    yield hold
    other.close()
    connection.close()


def test_a_locked_database_takes_nothing_and_the_same_form_is_one_change(
    browser, mirror, bo: Employee, lock
):
    address, today = reverse("convert-employee", args=[bo.pk]), timezone.localdate().isoformat()
    plan = browser.post(address, {"step": "plan", "converted_on": today})
    form = confirmation(plan, today)
    entries = ActionEntry.objects.count()
    other = lock()
    refused = browser.post(address, form, **BROWSER)
    assert refused.status_code == 503
    assert NEVER_TWICE in refused.text
    assert f'value="{form["submission_key"]}"' in refused.text
    assert not StatusChange.objects.exists()
    assert ActionEntry.objects.count() == entries
    other.execute("ROLLBACK")
    answers = [browser.post(address, form, **BROWSER) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert StatusChange.objects.count() == 1
