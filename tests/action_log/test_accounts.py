"""What the log says of accounts: who signs in from where, and who may do what since when."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from lifecycle import action_log
from lifecycle.models import ActionEntry, Role, User
from lifecycle.services import sign_ins, users
from tests.views.conftest import _a_browser_on_this_machine

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine"]


def data(entry: ActionEntry) -> dict:
    return json.loads(entry.body)["data"]


def change_user(*arguments: str) -> str:
    out = StringIO()
    call_command("change_user", *arguments, stdout=out)
    return out.getvalue()


class TestAddress:
    def sign_in(self, password: str, **headers: str) -> ActionEntry:
        typed = {"username": "mei", "password": password}
        Client().post(reverse("sign-in"), typed, REMOTE_ADDR="10.0.0.9", **headers)
        return ActionEntry.objects.order_by("-seq")[0]

    def test_stands_beside_what_a_browser_did_and_not_in_the_chain(self, mei):
        entry = self.sign_in("correct horse")
        assert (entry.event, entry.role) == ("user.signed_in", "hr")
        assert action_log.private_values(entry) == {"address": "10.0.0.9"}
        assert "10.0.0.9" not in entry.body

    def test_is_the_one_before_our_proxies(self, mei, settings):
        settings.PROXY_COUNT = 1
        entry = self.sign_in("wrong", HTTP_X_FORWARDED_FOR="6.6.6.6, 203.0.113.7")
        assert action_log.private_values(entry) == {"address": "203.0.113.7", "username": "mei"}
        assert "wrong" not in entry.body

    def test_is_none_for_what_the_portal_does_itself(self):
        assert action_log.private_values(action_log.record("sync.requested", actor=None)) == {}


class TestFailedSignIns:
    def test_name_the_account_that_was_meant_in_the_chain(self, mei):
        for username in ("mei", "nobody"):
            Client().login(username=username, password="wrong")
        meant, nobody = ActionEntry.objects.filter(event="user.sign_in_failed").order_by("seq")
        assert (data(meant)["user"], "user" in data(nobody)) == (mei.pk, False)

    def test_are_listed_one_by_one_only_up_to_a_rate(self):
        """In each minute; the loop may see the end of one."""
        cache.clear()
        for _ in range(3 * sign_ins.FAILURES_LISTED):
            Client().login(username="nobody", password="wrong")
        events = list(ActionEntry.objects.values_list("event", flat=True))
        assert 1 <= events.count("user.sign_ins_failing") <= 2
        assert sign_ins.FAILURES_LISTED <= events.count("user.sign_in_failed") <= 60


def data_with_open_id(open_id: str) -> dict[str, object]:
    return {"role": "auditor", "departments": [], "open_id": open_id, "is_active": True}


class TestAccounts:
    def test_a_new_one_is_logged_with_what_it_may_do(self):
        user = User(username="ann", role=Role.HR.value, department_ids=["od-2", "od-1"])
        users.create_user(user, acting_user=None)
        entry = ActionEntry.objects.get(event="user.created")
        assert data(entry)["after"] == {
            "role": "hr", "departments": ["od-1", "od-2"], "link": "", "is_active": True,
        }  # fmt: skip
        assert action_log.sentence(entry).zh == "命令行新建了用户ann（HR，2 个部门）"
        assert "ann" not in entry.body

    def test_a_change_is_logged_with_before_and_after_and_ends_its_sessions(self, mei, hua):
        browser, other = Client(), Client()
        browser.force_login(mei)
        other.force_login(hua)
        assert change_user("mei", "--role", "manager") == "Changed “mei”.\n"
        entry = ActionEntry.objects.get(event="user.changed")
        assert (data(entry)["before"]["role"], data(entry)["after"]["role"]) == ("hr", "manager")
        assert action_log.sentence(entry).en == (
            "Somebody at the command line changed the user 梅 from (HR) to (Manager)"
        )
        assert Session.objects.count() == 1
        assert browser.get("/").status_code == 302

    @pytest.mark.parametrize(
        ("before", "after", "said"),
        [
            ("", "ou_1", "from (Auditor) to (Auditor, linked to a Feishu account)"),
            ("ou_1", "", "from (Auditor) to (Auditor, unlinked from its Feishu account)"),
            ("ou_1", "ou_2", "from (Auditor) to (Auditor, linked to another Feishu account)"),
        ],
    )
    def test_the_link_to_feishu_is_told_without_its_id(self, ana, before, after, said):
        User.objects.filter(pk=ana.pk).update(open_id=before)
        users.change_user(ana, acting_user=None, open_id=after)
        entry = ActionEntry.objects.get()
        assert action_log.sentence(entry).en.endswith(said)
        assert "ou_" not in entry.body
        kept = {"open_id": after, "open_id_before": before}
        assert action_log.private_values(entry) == {k: v for k, v in kept.items() if v}

    def test_a_link_told_as_in_former_times_is_still_read(self, ana):
        states = [data_with_open_id("ou_1"), data_with_open_id("ou_2")]
        entry = action_log.record(
            "user.changed",
            actor=None,
            data={"user": ana.pk, "before": states[0], "after": states[1]},
        )
        assert "linked to another Feishu account" in action_log.sentence(entry).en

    def test_other_departments_are_told_though_they_are_as_many(self, mei):
        users.change_user(mei, acting_user=None, departments=["od-1", "od-2"])
        users.change_user(mei, acting_user=None, departments=["od-1", "od-3"])
        assert action_log.sentence(ActionEntry.objects.latest("seq")).zh.endswith(
            "由（HR，2 个部门）改为（HR，2 个部门，部门有变）"
        )

    def test_switching_off_and_on(self, mei):
        change_user("mei", "--off")
        assert not User.objects.get(username="mei").is_active
        change_user("mei", "--on")
        assert ActionEntry.objects.filter(event="user.changed").count() == 2

    def test_a_reach_is_set_and_lifted(self, mei):
        change_user("mei", "--departments", "od-1")
        assert User.objects.get(username="mei").department_ids == ["od-1"]
        change_user("mei", "--departments")
        assert User.objects.get(username="mei").department_ids == []

    def test_what_is_so_already_is_not_logged(self, mei):
        assert change_user("mei", "--role", "hr") == "Nothing to change for “mei”.\n"
        assert not ActionEntry.objects.exists()

    @pytest.mark.parametrize(
        ("arguments", "why"), [(("nobody", "--off"), "no user"), (("mei", "--on", "--off"), "both")]
    )
    def test_refuses_in_a_sentence(self, mei, arguments, why):
        with pytest.raises(CommandError, match=why):
            change_user(*arguments)
