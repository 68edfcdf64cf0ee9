"""Sign-in with Feishu: own tenant, known people, no role from outside."""

from __future__ import annotations

import json

import pytest
import time_machine

from lifecycle import action_log
from lifecycle.models import ActionEntry, Role, SignInSession, User
from lifecycle.services import users
from tests.sign_in.conftest import Browser, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def someone(feishu) -> dict:
    return feishu.records("contacts", is_resigned=False)[0]


@pytest.fixture
def linked(mei, someone) -> User:
    """Mei, with her Feishu account."""
    User.objects.filter(pk=mei.pk).update(open_id=someone["id"])
    mei.refresh_from_db()
    return mei


class TestButton:
    def test_is_there_when_a_tenant_is_set_and_keeps_the_way_back(self, feishu, browser):
        page = browser.get("/sign-in/?next=/changes/%3Fstatus=open").text
        assert 'href="/sign-in/feishu/?next=%2Fchanges%2F%3Fstatus%3Dopen"' in page

    def test_is_not_there_otherwise(self, browser, settings):
        settings.FEISHU_TENANT_KEY = ""
        assert "/sign-in/feishu/" not in browser.get("/sign-in/").text
        assert browser.get("/sign-in/feishu/").status_code == 404


class TestLeaving:
    def test_asks_for_a_code_with_state_and_challenge_and_no_scope(self, feishu, browser):
        address = browser.leave()
        asked = told(address)
        assert address.startswith(feishu.base_url + "/open-apis/authen/v1/authorize?")
        assert asked["redirect_uri"] == "http://127.0.0.1/sign-in/feishu/callback/"
        assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
        assert len(asked["code_challenge"]) == 43
        assert len(asked["state"]) >= 43
        assert "scope" not in asked

    def test_keeps_the_verifier_to_itself(self, feishu, browser):
        address = browser.leave()
        (begun,) = browser.session["feishu_sign_ins"]
        assert begun["verifier"] not in address
        assert begun["state"] == told(address)["state"]

    def test_forgets_all_but_the_last_few_tabs(self, feishu, browser):
        for _ in range(9):
            browser.leave()
        assert len(browser.session["feishu_sign_ins"]) == 5


class TestComingBack:
    def test_signs_in_whom_the_portal_knows(self, linked, browser, logged):
        answer = browser.sign_in_with_feishu(linked.open_id)
        assert (answer.status_code, answer["Location"]) == (302, "/")
        assert browser.session["_auth_user_id"] == str(linked.pk)
        assert logged("user.signed_in") == [{"way": "feishu"}]
        assert SignInSession.objects.get().way == "feishu"

    def test_goes_where_somebody_wanted_to_go_but_never_to_another_host(self, linked):
        assert Browser().sign_in_with_feishu(linked.open_id, next="/log/")["Location"] == "/log/"
        for evil in ("https://evil.example.com/", "//evil.example.com", "javascript:alert(1)"):
            answer = Browser().sign_in_with_feishu(linked.open_id, next=evil)
            assert answer["Location"] == "/"

    def test_changes_neither_role_nor_anything_else(self, linked, browser):
        before = User.objects.filter(pk=linked.pk).values("role", "department_ids", "open_id")[0]
        browser.sign_in_with_feishu(linked.open_id)
        after = User.objects.filter(pk=linked.pk).values("role", "department_ids", "open_id")[0]
        assert after == before
        assert User.objects.count() == 1

    def test_of_two_tabs_the_first_signs_in_and_the_second_finds_it_so(self, linked, browser):
        first, second = browser.leave(next="/log/"), browser.leave(next="/changes/")
        assert browser.get(browser.agree(first, linked.open_id))["Location"] == "/log/"
        assert browser.get(browser.agree(second, linked.open_id))["Location"] == "/"

    def test_needs_no_code_beside_it_whatever_the_role(self, linked, browser):
        User.objects.filter(pk=linked.pk).update(role=Role.ADMINISTRATOR)
        browser.sign_in_with_feishu(linked.open_id)
        assert browser.is_signed_in

    def test_gives_the_session_a_new_key(self, linked, browser):
        address = browser.leave()
        before = browser.session.session_key
        browser.get(browser.agree(address, linked.open_id))
        assert browser.session.session_key != before
        assert "feishu_sign_ins" not in browser.session


class TestStrangers:
    """Nobody is signed in, the page says why, and the log keeps it."""

    def refused(self, answer, status: int, sentence: str, why: str) -> ActionEntry:
        assert answer.status_code == status, answer.text
        assert sentence in answer.text
        entry = ActionEntry.objects.get(event="user.sign_in_failed")
        assert json.loads(entry.body)["data"]["why"] == why
        assert not SignInSession.objects.exists()
        return entry

    def test_somebody_unknown(self, someone, mei, browser):
        answer = browser.sign_in_with_feishu(someone["id"])
        entry = self.refused(answer, 403, "not linked to a user", "sign-in.unknown-person")
        assert someone["id"] in answer.text
        assert action_log.private_values(entry)["open_id"] == someone["id"]
        assert someone["id"] not in entry.body
        assert action_log.sentence(entry).zh == (
            "有人登录失败：您的飞书账号还没有关联到本系统的用户"
        )
        assert User.objects.count() == 1

    def test_somebody_of_another_company(self, feishu, linked, browser):
        feishu.settings(tenant_key="another")
        answer = browser.sign_in_with_feishu(linked.open_id)
        self.refused(answer, 403, "belongs to another company", "sign-in.other-tenant")

    def test_somebody_who_was_switched_off(self, linked, browser):
        users.change_user(linked, acting_user=None, is_active=False)
        answer = browser.sign_in_with_feishu(linked.open_id)
        entry = self.refused(answer, 403, "Your user is switched off", "sign-in.switched-off")
        assert json.loads(entry.body)["data"]["user"] == linked.pk

    def test_an_account_two_users_are_linked_to(self, linked, hua, browser):
        User.objects.filter(pk=hua.pk).update(open_id=linked.open_id)
        answer = browser.sign_in_with_feishu(linked.open_id)
        self.refused(answer, 403, "More than one user", "sign-in.several-users")

    def test_somebody_who_did_not_agree(self, linked, browser):
        state = told(browser.leave())["state"]
        answer = browser.get(f"/sign-in/feishu/callback/?error=access_denied&state={state}")
        self.refused(answer, 403, "You did not agree", "sign-in.not-agreed")

    def test_somebody_who_has_left(self, feishu, linked, browser):
        address = browser.agree(browser.leave(), linked.open_id)
        feishu.patch("contacts", linked.open_id, is_resigned=True)
        entry = self.refused(browser.get(address), 403, "has left", "sign-in.account-over")
        assert json.loads(entry.body)["data"]["code"] == 20021


class TestForgeries:
    def test_another_browsers_answer_signs_nobody_in(self, linked, browser, logged):
        """Otherwise a link could sign the victim in as the attacker."""
        address = Browser().agree(browser.leave(), linked.open_id)
        victim = Browser()
        victim.leave()
        assert victim.get(address).status_code == 400
        assert not victim.is_signed_in
        assert logged("user.sign_in_failed") == [{"why": "sign-in.start-again"}]

    def test_a_state_works_once(self, linked, browser):
        address = browser.agree(browser.leave(), linked.open_id)
        browser.get(address)
        browser.post("/sign-out/")
        assert browser.get(address).status_code == 400

    def test_a_state_is_used_up_by_a_refusal_too(self, linked, browser):
        address = browser.agree(browser.leave(), linked.open_id)
        state = told(address)["state"]
        refusal = f"/sign-in/feishu/callback/?error=access_denied&state={state}"
        assert browser.get(refusal).status_code == 403
        assert browser.get(address).status_code == 400
        assert not browser.is_signed_in

    @pytest.mark.parametrize("query", ["", "?code=x", "?code=x&state=", "?state=%00&code=%00"])
    def test_what_was_never_begun(self, feishu, browser, query):
        assert browser.get(f"/sign-in/feishu/callback/{query}").status_code == 400

    def test_a_code_of_somebody_elses_sign_in_is_not_taken(self, linked, browser):
        """The code was bound to the other browser's verifier."""
        stolen = told(browser.agree(browser.leave(), linked.open_id))["code"]
        thief = Browser()
        state = told(thief.leave())["state"]
        answer = thief.get(f"/sign-in/feishu/callback/?code={stolen}&state={state}")
        assert answer.status_code == 502
        assert "20049" in answer.text
        assert not thief.is_signed_in

    def test_ten_minutes_later_it_is_over(self, linked, browser):
        with time_machine.travel("2026-11-21 08:00:00+00:00", tick=False) as clock:
            address = browser.agree(browser.leave(), linked.open_id)
            clock.shift(10 * 60)
            assert browser.get(address).status_code == 400
            assert not browser.is_signed_in


class TestFeishusFailures:
    @pytest.mark.parametrize(
        ("fault", "status", "why"),
        [
            ({"kind": "drop_after", "endpoint": "L2"}, 503, "sign-in.silent"),
            ({"kind": "error_before", "endpoint": "L2"}, 503, "sign-in.silent"),
            ({"kind": "throttle", "endpoint": "L2"}, 503, "sign-in.silent"),
            ({"kind": "garbage", "endpoint": "L4"}, 503, "sign-in.silent"),
            ({"kind": "redirect", "endpoint": "L4"}, 503, "sign-in.silent"),
            ({"kind": "code", "endpoint": "L2", "code": 20004}, 400, "sign-in.code-not-taken"),
            ({"kind": "code", "endpoint": "L2", "code": 20010}, 403, "sign-in.not-for-you"),
            ({"kind": "code", "endpoint": "L2", "code": 20002}, 502, "sign-in.wrong-set-up"),
            ({"kind": "code", "endpoint": "L2", "code": 77777}, 502, "sign-in.wrong-set-up"),
            ({"kind": "code", "endpoint": "L4", "code": 20022}, 403, "sign-in.account-over"),
            ({"kind": "code", "endpoint": "L2", "code": 20072}, 503, "sign-in.silent"),
        ],
    )
    def test_each_has_its_sentence_and_its_entry(
        self, feishu, linked, browser, logged, fault, status, why
    ):
        address = browser.agree(browser.leave(), linked.open_id)
        fault = dict(fault)
        feishu.fault(fault.pop("kind"), **fault)
        answer = browser.get(address)
        assert answer.status_code == status
        assert "Not signed in" in answer.text
        assert logged("user.sign_in_failed")[0]["why"] == why
        assert not browser.is_signed_in

    def test_nothing_secret_is_kept(self, feishu, linked, browser, caplog):
        address = browser.agree(browser.leave(), linked.open_id)
        feishu.fault("code", endpoint="L2", code=20002)
        answer = browser.get(address)
        code = told(address)["code"]
        kept = (
            answer.text + caplog.text + "".join(ActionEntry.objects.values_list("body", flat=True))
        )
        assert code not in kept
        assert "sandbox-secret" not in kept


class TestLinking:
    def test_one_account_belongs_to_one_user(self, linked, hua):
        with pytest.raises(users.OpenIdTaken):
            users.change_user(hua, acting_user=None, open_id=linked.open_id)
        with pytest.raises(users.OpenIdTaken):
            users.create_user(User(username="x", open_id=linked.open_id), acting_user=None)
        assert not User.objects.filter(username="x").exists()
