"""What a program has started with stands in the log, and no secret or address in its chain."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.signals import request_finished
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.views.debug import SafeExceptionReporterFilter
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from lifecycle import action_log
from lifecycle.models import ActionEntry, PrivateValue
from lifecycle.services import settings_log
from lifecycle.signals import SettingsNote
from tests.views.conftest import _a_browser_on_this_machine, as_user, zhou
from tests.views.test_database_away import database_away

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user", "zhou"]

ENVIRONMENT = {
    "DJANGO_SECRET_KEY": "the-key-of-these-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    "FEISHU_APP_ID": "cli_1",
    "FEISHU_APP_SECRET": "first-app-secret",
    "METRICS_TOKEN": "",
    "DATABASE_URL": "postgres://hr:first-pass@db.example.com:5432/hr?application_name=first-name",
    "DIGEST_EMAILS": "mei@example.com, hua@example.com",
    "EMAIL_FROM": "portal@example.com",
    "SESSION_HOURS": "10",
    "PORTAL_URL": "",
}
PRIVATE = ("the-key-of", "first-app-secret", "hr:", "first-pass", "first-name", "mei@", "portal@")


@pytest.fixture
def start(settings) -> Callable[..., ActionEntry | None]:
    """`start(SESSION_HOURS="8")`: a web server starts with the settings of the last start but
    for these; the entry about it."""
    settings.SECRET_ENVIRONMENT = ENVIRONMENT

    def begin(program: str = settings_log.WEB, **changed: str) -> ActionEntry | None:
        settings.SECRET_ENVIRONMENT = settings.SECRET_ENVIRONMENT | changed
        settings.SECRET_KEY = settings.SECRET_ENVIRONMENT["DJANGO_SECRET_KEY"]
        return settings_log.note_settings(program, at=timezone.now())

    return begin


def told(entry: ActionEntry | None) -> dict:
    assert entry is not None
    return json.loads(entry.body)["data"]


def changed(entry: ActionEntry | None) -> dict[str, list]:
    assert entry is not None
    assert entry.event == "settings.changed"
    return told(entry)["changed"]


def settings_entries() -> list[ActionEntry]:
    return list(ActionEntry.objects.filter(event__startswith="settings.").order_by("seq"))


class TestEverySetting:
    LISTS = (
        settings_log.SECRETS, settings_log.URLS, settings_log.PERSONAL, settings_log.PLAIN,
    )  # fmt: skip

    def test_is_on_one_list(self, settings):
        """A new one fails here until somebody has decided what of it may stand in the log."""
        listed = sorted(name for names in self.LISTS for name in names)
        assert listed == sorted(settings.SECRET_ENVIRONMENT)

    def test_counts_as_a_secret_when_it_is_on_none(self, start):
        entry = start(SOMETHING_NEW="nobody-has-decided")
        assert "nobody-has-decided" not in entry.body
        assert told(entry)["values"]["SOMETHING_NEW"].keys() == {"fingerprint"}

    def test_is_kept_from_the_error_pages_of_development(self, start):
        start()
        shown = SafeExceptionReporterFilter().get_safe_settings()
        assert "first-pass" not in str(shown)


class TestNoteSettings:
    def test_tells_all_of_them_the_first_time(self, start):
        entry = start()
        assert (entry.event, entry.actor_id, entry.role) == ("settings.noted", None, "")
        assert told(entry)["number"] == len(ENVIRONMENT)
        values = told(entry)["values"]
        assert values["SESSION_HOURS"] == "10"
        assert values["FEISHU_APP_ID"] == "cli_1"
        assert values["METRICS_TOKEN"] == {"fingerprint": ""}
        assert values["DATABASE_URL"]["shown"] == "postgres://db.example.com:5432/hr"
        assert action_log.sentence(entry).zh == "网页服务以 9 项设置启动"
        assert (
            action_log.sentence(entry).en == "The web server started with 9 settings written down"
        )

    def test_is_silent_as_long_as_they_are_the_same(self, start):
        start()
        assert start() is None
        start(SESSION_HOURS="8")
        assert start() is None
        assert len(settings_entries()) == 2

    def test_tells_before_and_after_of_what_has_changed(self, start):
        start()
        entry = start(SESSION_HOURS="8", PORTAL_URL="https://hr.example.com")
        assert changed(entry) == {
            "PORTAL_URL": ["", "https://hr.example.com"],
            "SESSION_HOURS": ["10", "8"],
        }
        assert told(entry)["values"]["SESSION_HOURS"] == "8"
        said = action_log.sentence(entry)
        assert said.zh == "网页服务启动时的设置有变：PORTAL_URL、SESSION_HOURS"
        assert said.en == "The web server started with other settings: PORTAL_URL, SESSION_HOURS"

    def test_tells_a_setting_that_came_and_one_that_went(self, start, settings):
        start()
        settings.SECRET_ENVIRONMENT = {
            name: text for name, text in ENVIRONMENT.items() if name != "FEISHU_APP_ID"
        }
        assert changed(start(LOG_LEVEL="INFO")) == {
            "FEISHU_APP_ID": ["cli_1", None],
            "LOG_LEVEL": [None, "INFO"],
        }

    def test_compares_each_program_with_its_own_last_start(self, start):
        start("web")
        start("worker")
        assert told(start("worker", SESSION_HOURS="8"))["program"] == "worker"
        assert changed(start("web", SESSION_HOURS="9")) == {"SESSION_HOURS": ["10", "9"]}
        assert changed(start("worker")) == {"SESSION_HOURS": ["8", "9"]}

    def test_names_the_first_of_many(self, start):
        start()
        entry = start(**{f"SETTING_{letter}": "x" for letter in "ABCDEFGH"})
        said = action_log.sentence(entry)
        assert said.zh.endswith("：" + "、".join(f"SETTING_{x}" for x in "ABCDEF") + "等 8 项")
        assert said.en.endswith("SETTING_E, SETTING_F and 2 more")

    def test_begins_anew_when_its_last_entry_cannot_be_read(self, start):
        data = {"program": "web", "values": 7}
        action_log.record("settings.changed", actor=None, data=data)
        assert start().event == "settings.noted"

    def test_leaves_a_whole_log(self, start):
        start()
        start(FEISHU_APP_SECRET="second", DIGEST_EMAILS="")
        assert list(action_log.verify())[-1] == action_log.Verification(2)
        action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=1)
        start(SESSION_HOURS="8")
        assert list(action_log.verify())[-1] == action_log.Verification(4)


class TestSecrets:
    def test_stand_in_no_entry_nor_beside_it(self, start):
        entries = [start(), start(SESSION_HOURS="8")]
        for private in PRIVATE:
            assert all(private not in entry.body for entry in entries)
        beside = "".join(PrivateValue.objects.values_list("value", flat=True))
        for secret in PRIVATE[:-2]:
            assert secret not in beside

    @pytest.mark.parametrize("name", sorted(settings_log.SECRETS - {"DJANGO_SECRET_KEY"}))
    def test_are_noticed_when_they_change(self, start, name):
        start(**{name: "one"})
        ((before, after),) = changed(start(**{name: "other"})).values()
        assert before.keys() == after.keys() == {"fingerprint"}
        assert before != after
        assert changed(start(**{name: ""}))[name][1] == {"fingerprint": ""}

    def test_two_settings_with_one_text_do_not_look_the_same(self, start):
        values = told(start(FEISHU_EVENT_TOKEN="first-app-secret"))["values"]
        assert values["FEISHU_EVENT_TOKEN"] != values["FEISHU_APP_SECRET"]

    def test_another_password_of_the_database_is_noticed_though_it_looks_the_same(self, start):
        start()
        other = ENVIRONMENT["DATABASE_URL"].replace("first-pass", "second-pass")
        ((before, after),) = changed(start(DATABASE_URL=other)).values()
        assert before["shown"] == after["shown"]
        assert before["fingerprint"] != after["fingerprint"]

    def test_another_secret_key_alone_is_the_only_change(self, start):
        first = start()
        entry = start(DJANGO_SECRET_KEY="another-key-" * 5)
        assert list(changed(entry)) == ["DJANGO_SECRET_KEY"]
        assert told(entry)["values"]["EMAIL_FROM"] != told(first)["values"]["EMAIL_FROM"]
        assert start() is None
        assert list(changed(start(FEISHU_APP_SECRET="second"))) == ["FEISHU_APP_SECRET"]

    def test_what_can_be_seen_is_still_compared_under_another_key(self, start):
        start()
        entry = start(
            DJANGO_SECRET_KEY="another-key-" * 5,
            DATABASE_URL="postgres://hr:first-pass@other.example.com/hr",
            METRICS_TOKEN="given-now",
            SESSION_HOURS="8",
        )
        assert list(changed(entry)) == [
            "DATABASE_URL", "DJANGO_SECRET_KEY", "METRICS_TOKEN", "SESSION_HOURS",
        ]  # fmt: skip


# Where one begins and ends can be told from a part of it.
SECRETS = st.text("ab1:/?#@[]%&=,.密", max_size=12).map(lambda middle: f"Xq{middle}Zj")


class TestAnySecret:
    @given(secret=SECRETS, name=st.sampled_from(sorted(ENVIRONMENT.keys() - settings_log.PLAIN)))
    @trying(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
    def test_never_reaches_the_chain(self, start, secret, name):
        text = f"postgres://hr:{secret}@db/hr" if name in settings_log.URLS else secret
        entry = start(**{name: text})
        assert not leaks(entry.body)
        start(**{name: ENVIRONMENT[name]})

    @given(
        secret=SECRETS,
        url=st.sampled_from(
            [
                "postgres://hr:{}@db:5432/hr", "postgres://{}@db/hr", "postgres://{}:@db/hr",
                "redis://:{}@cache:6379/0", "redis://cache/0?password={}", "smtp+tls://a%40b:{}@h:587",
                "redis://one:1,two:2/0?password={}", "postgres://db/hr#{}",
            ]
        ),
    )  # fmt: skip
    def test_is_not_shown_of_a_url(self, secret, url):
        assert not leaks(settings_log.without_credentials(url.format(secret)))


def leaks(text: str) -> bool:
    return "Xq" in text or "Zj" in text


class TestWithoutCredentials:
    @pytest.mark.parametrize(
        ("url", "shown"),
        [
            ("sqlite:////srv/hr.sqlite3", "sqlite:////srv/hr.sqlite3"),
            ("postgres://u:p@h:5432/n?sslmode=require", "postgres://h:5432/n"),
            ("postgres://u:p@[::1]:5432/n", "postgres://[::1]:5432/n"),
            ("dbcache://hrportal_cache", "dbcache://hrportal_cache"),
            ("redis://:p@one:1,two:2/0", "redis://one:1,two:2/0"),
            ("smtp+tls://u@example.com:p@h:587", "smtp+tls://h:587"),
            ("consolemail://", "consolemail://"),
            ("redis://user:password", "redis://"),
            ("postgres://u:p?w@h/n", "postgres://"),
            ("no address at all", ""),
        ],
    )
    def test_is_the_place_alone(self, url, shown):
        assert settings_log.without_credentials(url) == shown


class TestAddresses:
    def beside(self, entry: ActionEntry | None) -> dict[str, list]:
        assert entry is not None
        return json.loads(action_log.private_values(entry)["addresses"])

    def test_stand_beside_the_chain_before_and_after(self, start):
        first = start()
        assert self.beside(first)["EMAIL_FROM"] == [None, "portal@example.com"]
        entry = start(DIGEST_EMAILS="bo@example.com")
        assert list(changed(entry)) == ["DIGEST_EMAILS"]
        assert self.beside(entry)["DIGEST_EMAILS"] == [
            "mei@example.com, hua@example.com", "bo@example.com",
        ]  # fmt: skip
        assert "bo@" not in entry.body

    def test_that_were_erased_are_not_known_any_more(self, start):
        start()
        action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=1)
        entry = start(DIGEST_EMAILS="bo@example.com")
        assert self.beside(entry)["DIGEST_EMAILS"] == [None, "bo@example.com"]


@pytest.mark.usefixtures("lifted_log")
def test_of_many_that_start_at_once_one_writes(settings):
    gate, failed = threading.Barrier(4), []

    def begin() -> None:
        try:
            connection.ensure_connection()
            gate.wait(timeout=20)
            settings_log.note_settings(settings_log.WEB, at=timezone.now())
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    for _ in range(3):
        settings.SECRET_ENVIRONMENT = settings.SECRET_ENVIRONMENT | {
            "PORT": timezone.now().isoformat()
        }
        threads = [threading.Thread(target=begin) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failed == []
    assert [entry.event for entry in settings_entries()] == [
        "settings.noted", "settings.changed", "settings.changed",
    ]  # fmt: skip


@pytest.fixture
def web_server(start):
    """`web_server(note)`: this process is a web server until the test ends."""
    notes: list[SettingsNote] = []

    def be(note: SettingsNote) -> Client:
        note.connect()
        notes.append(note)
        return Client()

    yield be
    for note in notes:
        note.disconnect()


class TestWebServer:
    def test_alone_writes_them_down(self, start):
        assert Client().get(reverse("healthz")).status_code == 200
        assert settings_entries() == []

    def test_writes_them_down_once_after_its_first_answer(self, web_server, start, settings):
        listening = len(request_finished.receivers)
        browser = web_server(SettingsNote())
        assert settings_entries() == []
        assert browser.get(reverse("healthz")).status_code == 200
        (entry,) = settings_entries()
        assert told(entry)["program"] == "web"
        assert action_log.private_values(entry).keys() == {"addresses"}
        settings.SECRET_ENVIRONMENT = ENVIRONMENT | {"SESSION_HOURS": "8"}
        browser.get(reverse("healthz"))
        assert settings_entries() == [entry]
        assert len(request_finished.receivers) == listening


@pytest.mark.usefixtures("lifted_log")
class TestWebServerWithoutItsDatabase:
    def test_answers_and_tries_again_after_a_later_answer(self, web_server, caplog):
        browser = web_server(SettingsNote(every=timedelta(0)))
        with database_away():
            for _ in range(2):
                assert browser.get(reverse("healthz")).status_code == 200
        said = [record.getMessage() for record in caplog.records if "settings" in record.msg]
        assert len(said) == 2
        assert "OperationalError" in said[0]
        assert not any(private in caplog.text for private in PRIVATE)
        assert browser.get(reverse("healthz")).status_code == 200
        assert len(settings_entries()) == 1

    def test_does_not_try_after_every_answer(self, web_server):
        browser = web_server(SettingsNote())
        with database_away():
            browser.get(reverse("healthz"))
        browser.get(reverse("healthz"))
        assert settings_entries() == []


class TestPage:
    @pytest.fixture
    def entry(self, start) -> ActionEntry:
        """Something of every sort has changed."""
        start()
        entry = start(
            SESSION_HOURS="8",
            FEISHU_APP_SECRET="second-app-secret",
            METRICS_TOKEN="a-token-of-ours",
            DATABASE_URL="postgres://hr:second-pass@db.example.com:5432/hr",
            DIGEST_EMAILS="bo@example.com",
        )
        assert entry is not None
        return entry

    @pytest.mark.parametrize(
        ("language", "cells"),
        [
            (
                "en",
                ["changed (not shown)", "not shown", "not set", "<td>10</td><td>8</td>",
                 "postgres://db.example.com:5432/hr (the rest changed, not shown)",
                 "<td>mei@example.com, hua@example.com</td><td>bo@example.com</td>",
                 "The web server started with other settings", ">Setting<"],
            ),
            (
                "zh-hans",
                ["已更改（不显示内容）", "<td>未设置</td>", "<td>10</td><td>8</td>",
                 "postgres://db.example.com:5432/hr（其余部分已更改，不显示内容）",
                 "网页服务启动时的设置有变", "设置已变更", ">设置项<"],
            ),
        ],
    )  # fmt: skip
    def test_shows_before_and_after(self, as_user, ana, entry, language, cells):
        browser = as_user(ana)
        browser.cookies["hrportal_language"] = language
        page = browser.get(reverse("log-entry", args=[entry.seq]))
        for cell in cells:
            assert cell in page.text
        for secret in ("second-app-secret", "second-pass", "a-token-of-ours", "first-pass"):
            assert secret not in page.text
        assert '<th scope="row" class="mono">values</th>' not in page.text

    def test_says_that_an_address_is_erased(self, as_user, ana, entry):
        action_log.erase_private(before=timezone.now() + timedelta(seconds=1), days=1)
        page = as_user(ana).get(reverse("log-entry", args=[entry.seq]))
        assert "<td>erased</td><td>erased</td>" in page.text

    def test_shows_all_of_them_as_they_were_the_first_time(self, as_user, ana, entry):
        page = as_user(ana).get(reverse("log-entry", args=[settings_entries()[0].seq]))
        assert '<th scope="row" class="mono">SESSION_HOURS</th><td>10</td>' in page.text
        assert '<th scope="row" class="mono">METRICS_TOKEN</th><td>not set</td>' in page.text
        assert ">Before<" not in page.text

    def test_is_for_administrators_and_auditors(self, as_user, ana, mei, zhou, entry):
        address = reverse("log-entry", args=[entry.seq])
        answers = [as_user(user).get(address).status_code for user in (ana, zhou, mei)]
        assert answers == [200, 200, 404]

    @pytest.mark.parametrize("values", [7, [7], {"PORT": 7}, {"PORT": []}, {"PORT": [{}, []]}])
    def test_of_an_entry_that_makes_no_sense_comes_up(self, as_user, ana, values):
        for event, name in (("settings.changed", "changed"), ("settings.noted", "values")):
            entry = action_log.record(event, actor=None, data={name: values})
            page = as_user(ana).get(reverse("log-entry", args=[entry.seq]))
            assert page.status_code == 200
