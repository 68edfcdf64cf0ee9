"""The second step: set up, asked for, used once, lost and reset."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from io import StringIO

import pyotp
import pytest
import time_machine
from django.core.management import call_command

from lifecycle import action_log
from lifecycle.models import ActionEntry, RecoveryCode, SecondStep, SignInSession, User
from lifecycle.services import second_step
from lifecycle.services.second_step import open_secret
from tests.sign_in.conftest import Browser

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as clock:
        yield clock


def shown_secret(page: str) -> str:
    (secret,) = re.findall(r"<code data-secret>([A-Z2-7 ]+)</code>", page)
    return secret.replace(" ", "")


def code_of(secret: str, *, later_s: int = 0) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC) + timedelta(seconds=later_s))


def set_up(user: User) -> tuple[str, list[str]]:
    """A second step that was set up two minutes ago: the secret and the recovery codes."""
    sealed = second_step.new_secret()
    secret = open_secret(sealed)
    at = datetime.now(UTC) - timedelta(minutes=2)
    return secret, second_step.set_up(user, sealed, pyotp.TOTP(secret).at(at), at=at)


class TestAdministrators:
    def test_are_not_signed_in_by_a_password_alone(self, zhou, browser, clock):
        answer = browser.type_password("zhou")
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/second-step/first/")
        assert not browser.is_signed_in
        assert not SignInSession.objects.exists()
        assert not ActionEntry.objects.filter(event="user.signed_in").exists()

    def test_set_it_up_once_and_are_signed_in(self, zhou, browser, clock, logged):
        browser.type_password("zhou", next="/log/")
        page = browser.get("/sign-in/second-step/first/").text
        assert "<svg" in page
        secret = shown_secret(page)
        assert shown_secret(browser.get("/sign-in/second-step/first/").text) == secret
        answer = browser.post("/sign-in/second-step/first/", {"code": code_of(secret)})
        codes = re.findall(r"<li><code>([A-Z2-7-]+)</code></li>", answer.text)
        assert len(set(codes)) == 10
        assert 'href="/log/"' in answer.text
        assert browser.is_signed_in
        assert logged("user.second_step_on") == [{"user": zhou.pk}]
        assert logged("user.signed_in") == [{"way": "second_step"}]

    def test_a_wrong_first_code_changes_nothing(self, zhou, browser, clock):
        browser.type_password("zhou")
        browser.get("/sign-in/second-step/first/")
        answer = browser.post("/sign-in/second-step/first/", {"code": "000000"})
        assert answer.status_code == 422
        assert "This code is not right" in answer.text
        assert not SecondStep.objects.exists()

    def test_do_not_get_past_it_another_way(self, zhou, browser, clock):
        """Setting it up again, with a secret of one's own, would be no second step at all."""
        set_up(zhou)
        browser.type_password("zhou")
        for answer in (
            browser.get("/sign-in/second-step/first/"),
            browser.post("/sign-in/second-step/first/", {"code": "123456"}),
        ):
            assert (answer.status_code, answer["Location"]) == (302, "/sign-in/second-step/")
        assert browser.get("/account/").status_code == 302
        assert SecondStep.objects.count() == 1

    def test_cannot_switch_it_off(self, zhou, as_user, clock):
        secret, _ = set_up(zhou)
        answer = as_user(zhou).post("/account/second-step/off/", {"code": code_of(secret)})
        assert answer.status_code == 403
        assert SecondStep.objects.exists()


class TestCode:
    @pytest.fixture
    def secret(self, zhou, clock) -> str:
        return set_up(zhou)[0]

    def ask(self, browser: Browser, code: str):
        browser.type_password("zhou", next="/log/")
        return browser.post("/sign-in/second-step/", {"code": code})

    def test_signs_in_and_goes_on(self, secret, browser, logged):
        answer = self.ask(browser, code_of(secret))
        assert (answer.status_code, answer["Location"]) == (303, "/log/")
        assert browser.is_signed_in
        assert logged("user.signed_in") == [{"way": "second_step"}]

    def test_may_have_a_space_in_it(self, secret, browser):
        code = code_of(secret)
        assert self.ask(browser, f" {code[:3]} {code[3:]} ").status_code == 303

    @pytest.mark.parametrize(("later_s", "status"), [(-60, 422), (-30, 303), (30, 303), (60, 422)])
    def test_may_be_one_period_off(self, secret, browser, later_s, status):
        assert self.ask(browser, code_of(secret, later_s=later_s)).status_code == status

    def test_is_taken_once(self, secret):
        code = code_of(secret)
        assert self.ask(Browser(), code).status_code == 303
        again = self.ask(Browser(), code)
        assert again.status_code == 422
        assert "has been used already" in again.text

    def test_of_an_earlier_period_is_not_taken_after_a_later_one(self, secret):
        assert self.ask(Browser(), code_of(secret)).status_code == 303
        assert self.ask(Browser(), code_of(secret, later_s=-30)).status_code == 422

    def test_that_is_wrong_is_logged_with_the_user(self, secret, zhou, browser, logged):
        assert self.ask(browser, "000000").status_code == 422
        assert logged("user.sign_in_failed") == [{"why": "sign-in.wrong-code", "user": zhou.pk}]
        assert not browser.is_signed_in

    def test_can_be_guessed_ten_times_from_anywhere(self, secret):
        for number in range(10):
            guesser = Browser(REMOTE_ADDR=f"10.0.0.{number}")
            assert self.ask(guesser, "000000").status_code == 422
        late = self.ask(Browser(REMOTE_ADDR="10.0.0.99"), code_of(secret))
        assert late.status_code == 429
        assert "Too many attempts" in late.text

    def test_can_be_typed_again_after_fifteen_minutes(self, secret, clock):
        for _ in range(5):
            self.ask(Browser(), "000000")
        assert self.ask(Browser(), code_of(secret)).status_code == 429
        clock.shift(timedelta(minutes=15, seconds=1))
        assert self.ask(Browser(), code_of(secret)).status_code == 303

    def test_is_asked_for_ten_minutes_after_the_password_at_most(self, secret, browser, clock):
        browser.type_password("zhou")
        clock.shift(timedelta(minutes=10))
        answer = browser.post("/sign-in/second-step/", {"code": code_of(secret)})
        assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")

    def test_counts_for_nothing_once_the_password_is_another(self, secret, zhou, browser):
        browser.type_password("zhou")
        zhou.set_password("another horse")
        zhou.save()
        browser.post("/sign-in/second-step/", {"code": code_of(secret)})
        assert not browser.is_signed_in

    def test_counts_for_nothing_once_the_user_is_switched_off(self, secret, zhou, browser):
        browser.type_password("zhou")
        User.objects.filter(pk=zhou.pk).update(is_active=False)
        assert browser.post("/sign-in/second-step/", {"code": code_of(secret)}).status_code == 302


class TestRecoveryCodes:
    def test_sign_in_once_each(self, zhou, clock, logged):
        _, codes = set_up(zhou)
        for status in (303, 422):
            browser = Browser()
            browser.type_password("zhou")
            answer = browser.post("/sign-in/second-step/?recovery", {"code": codes[0].lower()})
            assert answer.status_code == status
        assert logged("user.recovery_code_used") == [{"user": zhou.pk, "left": 9}]

    def test_are_nowhere_to_be_read(self, zhou, clock):
        secret, codes = set_up(zhou)
        rows = [*SecondStep.objects.values_list(), *RecoveryCode.objects.values_list()]
        kept = str(rows) + "".join(ActionEntry.objects.values_list("body", flat=True))
        assert secret not in kept
        for code in codes:
            assert code not in kept
            assert code.replace("-", "") not in kept

    def test_of_before_are_void_once_there_are_new_ones(self, zhou, as_user, clock):
        secret, old = set_up(zhou)
        page = as_user(zhou).post("/account/recovery-codes/", {"code": code_of(secret)})
        assert page.status_code == 200
        assert old[0] not in page.text
        assert not second_step.check(zhou, old[0], at=datetime.now(UTC))
        assert RecoveryCode.objects.count() == 10

    def test_of_others_are_no_use(self, zhou, mei, clock):
        _, codes = set_up(zhou)
        set_up(mei)
        assert not second_step.check(mei, codes[0], at=datetime.now(UTC))


class TestByChoice:
    def test_somebody_switches_it_on_and_is_asked_from_then_on(self, mei, clock):
        browser = Browser()
        browser.type_password("mei")
        secret = shown_secret(browser.get("/account/second-step/").text)
        answer = browser.post("/account/second-step/", {"code": code_of(secret)})
        assert answer.text.count("<li><code>") == 10
        clock.shift(timedelta(minutes=1))
        other = Browser()
        assert other.type_password("mei")["Location"] == "/sign-in/second-step/"
        assert other.post("/sign-in/second-step/", {"code": code_of(secret)}).status_code == 303

    def test_somebody_switches_it_off_with_a_code(self, mei, as_user, clock, logged):
        secret, _ = set_up(mei)
        client = as_user(mei)
        client.post("/account/second-step/off/", {"code": "000000"})
        assert SecondStep.objects.exists()
        client.post("/account/second-step/off/", {"code": code_of(secret)})
        assert not SecondStep.objects.exists()
        assert logged("user.second_step_off") == [{"user": mei.pk}]

    def test_whoever_guesses_codes_while_signed_in_is_in_the_log(self, mei, as_user, clock):
        set_up(mei)
        client = as_user(mei)
        for code in (*["000000"] * 5, "", "000000"):
            client.post("/account/second-step/off/", {"code": code})
        tried = list(ActionEntry.objects.filter(event="user.refused").order_by("seq"))
        assert [json.loads(one.body)["data"]["problem"] for one in tried] == [
            *["sign-in.wrong-code"] * 5,
            "sign-in.too-many",
        ]
        assert {one.actor_id for one in tried} == {mei.pk}
        assert action_log.sentence(tried[0]).zh == (
            f"{mei.name}的操作被拒绝（两步验证）：验证码不正确或已用过"
        )


class TestReset:
    def test_takes_it_away_and_ends_the_sessions(self, zhou, as_user, clock, logged):
        set_up(zhou)
        client = as_user(zhou)
        out = StringIO()
        call_command("reset_second_step", "zhou", stdout=out)
        assert out.getvalue() == "“zhou” has no second step any more.\n"
        assert client.get("/account/").status_code == 302
        assert logged("user.second_step_reset") == [{"user": zhou.pk, "at_command_line": True}]
        browser = Browser()
        assert browser.type_password("zhou")["Location"] == "/sign-in/second-step/first/"

    def test_says_when_there_was_none(self, zhou, logged):
        out = StringIO()
        call_command("reset_second_step", "zhou", stdout=out)
        assert out.getvalue() == "“zhou” had none.\n"
        assert not logged("user.second_step_reset")


class TestSecret:
    def test_cannot_be_read_with_another_key(self, zhou, browser, clock, settings, caplog):
        secret, _ = set_up(zhou)
        settings.SECRET_KEY = "x" * 60
        browser.type_password("zhou")
        answer = browser.post("/sign-in/second-step/", {"code": code_of(secret)})
        assert answer.status_code == 422
        assert "DJANGO_SECRET_KEY" in caplog.text


class TestDemo:
    def test_shows_the_code_where_nobody_has_a_phone(self, clock, settings, browser):
        settings.DEMO_SIGN_INS, settings.FEISHU_BASE_URL = True, "http://127.0.0.1:8801"
        User.objects.create_user("admin", password="correct horse", role="administrator")
        browser.type_password("admin")
        page = browser.get("/sign-in/second-step/first/").text
        (code,) = re.findall(r"<code data-demo-code>(\d{6})</code>", page)
        assert browser.post("/sign-in/second-step/first/", {"code": code}).status_code == 200

    @pytest.mark.parametrize(
        ("demo", "feishu", "username"),
        [
            (False, "http://127.0.0.1:8801", "admin"),
            (True, "https://open.feishu.cn", "admin"),
            (True, "http://127.0.0.1:8801", "zhou"),
        ],
    )
    def test_shows_it_nowhere_else(self, clock, settings, browser, demo, feishu, username):
        settings.DEMO_SIGN_INS, settings.FEISHU_BASE_URL = demo, feishu
        User.objects.create_user(username, password="correct horse", role="administrator")
        browser.type_password(username)
        page = browser.get("/sign-in/second-step/first/")
        assert page.status_code == 200
        assert "data-demo-code" not in page.text
