"""Administrators make accounts, give and take roles, and never touch their own."""

from __future__ import annotations

import json

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log
from lifecycle.errors.problems import NotAllowed, ReasonMissing
from lifecycle.models import ActionEntry, Role, SecondStep, User
from lifecycle.services import second_step, users
from tests.builders import a_department
from tests.views.conftest import as_user

__all__ = ["as_user"]

pytestmark = pytest.mark.django_db

NEW = {
    "username": "wang.fang", "last_name": "王", "first_name": "芳", "role": "hr",
    "password": "correct horse battery", "is_active": "1", "reason": "joins HR on Monday",
}  # fmt: skip


@pytest.fixture
def office(as_user, zhou) -> Client:
    return as_user(zhou)


def logged(event: str) -> dict:
    entry = ActionEntry.objects.filter(event=event).order_by("-seq")[0]
    return json.loads(entry.body) | json.loads(entry.body)["data"]


def values(role: str = "hr", reason: str = "as agreed") -> users.AccountValues:
    return users.AccountValues(role, [], "", is_active=True, reason=reason)


def why(event: str) -> str:
    entry = ActionEntry.objects.filter(event=event).order_by("-seq")[0]
    assert "Monday" not in entry.body
    return action_log.private_values(entry)["reason"]


class TestNewUser:
    def test_signs_in_in_the_role_and_within_the_reach(self, office, zhou):
        department = a_department("研发")
        answer = office.post(reverse("new-user"), NEW | {"departments": [department.feishu_id]})
        user = User.objects.get(username="wang.fang")
        assert answer["Location"] == reverse("user", args=[user.pk])
        assert (user.role, user.department_ids) == ("hr", [department.feishu_id])
        assert user.check_password("correct horse battery")
        entry = logged("user.created")
        assert (entry["actor"], entry["user"], entry["after"]["role"]) == (zhou.pk, user.pk, "hr")
        assert "correct horse" not in json.dumps(entry)
        assert why("user.created") == "joins HR on Monday"

    def test_without_a_password_signs_in_with_feishu_only(self, office):
        office.post(reverse("new-user"), NEW | {"password": "", "open_id": "ou_wang"})
        assert not User.objects.get(username="wang.fang").has_usable_password()

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            ({"username": "mei"}, "There is a user of this name already."),
            ({"username": "MEI"}, "There is a user of this name already."),
            ({"username": "a b"}, "Enter a valid username"),
            ({"password": "12345678"}, "too common"),
            ({"password": ""}, "A password or a Feishu account"),
            ({"open_id": "on_123"}, "begins with"),
            ({"open_id": "ou_mei"}, "Another user is linked"),
            ({"role": "manager"}, "nobody reports to them"),
            ({"role": "king"}, "Select a valid choice"),
            ({"departments": ["nowhere"]}, "Select a valid choice"),
            ({"reason": " "}, "This field is required."),
        ],
    )
    def test_is_not_made_of_this(self, office, mei, change, sentence):
        User.objects.filter(pk=mei.pk).update(open_id="ou_mei")
        answer = office.post(reverse("new-user"), NEW | change)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "correct horse battery" not in answer.text
        assert not User.objects.filter(username="wang.fang").exists()

    def test_is_limited_to_departments_only_in_hr(self, office):
        department = a_department("研发")
        fields = NEW | {"role": "auditor", "departments": [department.feishu_id]}
        answer = office.post(reverse("new-user"), fields)
        assert answer.status_code == 422
        assert "Only HR is limited to departments." in answer.text


class TestRole:
    def change(self, office, user, **values):
        fields = {
            "role": user.role,
            "open_id": user.open_id,
            "is_active": "1",
            "reason": "moves on Monday",
        } | values
        return office.post(
            reverse("edit-user", args=[user.pk]), {k: v for k, v in fields.items() if v}
        )

    def test_is_another_one_and_the_sessions_end(self, office, as_user, mei, zhou):
        as_user(mei).get(reverse("home"))
        before = Session.objects.count()
        assert self.change(office, mei, role="auditor").status_code == 303
        mei.refresh_from_db()
        assert mei.role == Role.AUDITOR
        assert Session.objects.count() == before - 1
        entry = logged("user.changed")
        assert (entry["actor"], entry["before"]["role"], entry["after"]["role"]) == (
            zhou.pk,
            "hr",
            "auditor",
        )

    def test_is_changed_for_a_reason_that_is_kept(self, office, as_user, ana, mei):
        self.change(office, mei, role="auditor")
        assert why("user.changed") == "moves on Monday"
        entry = ActionEntry.objects.get(event="user.changed")
        page = as_user(ana).get(reverse("log-entry", args=[entry.seq]))
        assert "moves on Monday" in page.text

    def test_without_a_reason_stays(self, office, mei, zhou):
        answer = self.change(office, mei, role="auditor", reason="")
        assert answer.status_code == 422
        assert "This field is required." in answer.text
        with pytest.raises(ReasonMissing):
            users.change_account(mei, values(reason=" "), acting_user=zhou)
        mei.refresh_from_db()
        assert mei.role == Role.HR

    def test_that_is_the_same_changes_nothing(self, office, mei):
        entries = ActionEntry.objects.count()
        self.change(office, mei)
        assert ActionEntry.objects.count() == entries

    def test_switched_off_is_out(self, office, mei):
        self.change(office, mei, is_active="0")
        mei.refresh_from_db()
        assert not mei.is_active

    def test_keeps_a_department_that_is_no_more(self, office, mei):
        User.objects.filter(pk=mei.pk).update(department_ids=["gone-1"])
        assert "gone-1" in office.get(reverse("edit-user", args=[mei.pk])).text
        self.change(office, mei, departments=["gone-1"], open_id="ou_new")
        mei.refresh_from_db()
        assert (mei.department_ids, mei.open_id) == (["gone-1"], "ou_new")

    def test_is_never_ones_own(self, office, zhou):
        address = reverse("edit-user", args=[zhou.pk])
        assert office.get(address).status_code == 403
        assert office.post(address, {"role": "hr", "is_active": "1"}).status_code == 403
        with pytest.raises(NotAllowed):
            users.change_account(zhou, values(), acting_user=zhou)

    def test_is_given_by_administrators_only(self, mei, hua):
        with pytest.raises(NotAllowed):
            users.change_account(hua, values(role="administrator"), acting_user=mei)
        new = User(username="x", role="hr")
        with pytest.raises(NotAllowed):
            users.add_account(new, password="", reason="joins", acting_user=mei)
        with pytest.raises(NotAllowed):
            second_step.reset(hua, acting_user=mei)


class TestPages:
    def test_lead_from_the_list_to_the_form(self, office, mei):
        assert reverse("new-user") in office.get(reverse("users")).text
        page = office.get(reverse("user", args=[mei.pk])).text
        assert reverse("edit-user", args=[mei.pk]) in page
        assert "the whole company" in page

    def test_of_oneself_offers_no_change(self, office, zhou):
        page = office.get(reverse("user", args=[zhou.pk])).text
        assert reverse("edit-user", args=[zhou.pk]) not in page
        assert "changed by another administrator" in page

    def test_a_lost_second_step_is_taken_away(self, office, mei):
        SecondStep.objects.create(user=mei, sealed_secret="?", set_up_at=timezone.now())
        address = reverse("reset-second-step", args=[mei.pk])
        assert address in office.get(reverse("user", args=[mei.pk])).text
        office.post(address)
        assert not SecondStep.objects.filter(user=mei).exists()
        assert logged("user.second_step_reset")["user"] == mei.pk
