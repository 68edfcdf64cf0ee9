"""A plan that was shown is in the log, whether somebody confirms it or not."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from django.utils import timezone

from lifecycle import action_log, policies, queries
from lifecycle.action_log import data_in
from lifecycle.changes.plan import image_hash
from lifecycle.models import ActionEntry, Employee, Person, StatusChange, User
from lifecycle.services.evidence import PackScope
from tests.views.conftest import _a_browser_on_this_machine, as_user, li

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user", "li"]


@pytest.fixture
def address(bo: Employee) -> str:
    return reverse("convert-employee", args=[bo.pk])


@pytest.fixture
def form() -> dict[str, str]:
    return {"step": "plan", "converted_on": timezone.localdate().isoformat()}


def confirmed(form, plan) -> dict[str, str]:
    return form | {
        "step": "confirm",
        "submission_key": plan.key,
        "pre_image_hash": plan.pre_image_hash,
        "payload_hash": plan.payload_hash,
    }


def planned() -> list[ActionEntry]:
    return list(ActionEntry.objects.filter(event="change.planned").order_by("seq"))


class TestShown:
    def test_says_who_looked_at_what(self, as_user, mei, bo, address, form):
        plan = as_user(mei).post(address, form).context["plan"]
        (entry,) = planned()
        data = data_in(entry.body)
        assert (entry.actor_id, entry.person_ref, entry.change_id) == (mei.pk, bo.person_id, None)
        assert (data["kind"], data["subject_id"]) == ("convert_employee", bo.feishu_id)
        assert (data["payload_hash"], data["pre_image_hash"]) == (
            plan.payload_hash,
            plan.pre_image_hash,
        )
        assert data["plan_hash"] == image_hash(plan.as_json())
        assert "blockers" not in data
        assert action_log.sentence(entry).en == (
            f"{mei.name} looked at the plan to convert {bo.person.name}"
        )

    def test_keeps_the_request_beside_the_chain(self, as_user, mei, bo, address, form):
        as_user(mei).post(address, form)
        (entry,) = planned()
        request = json.loads(action_log.private_values(entry)["request"])
        assert request["body"]["operation"] == 1
        assert "operation" not in json.dumps(data_in(entry.body))

    def test_says_what_stands_in_the_way(self, as_user, mei, asking, bo, address, form):
        asking.ask(bo)
        as_user(mei).post(address, form)
        (entry,) = [one for one in planned() if "blockers" in one.body]
        assert data_in(entry.body)["blockers"] == ["plan.open-change"]
        assert action_log.sentence(entry).en.endswith(", which cannot be submitted as it is")
        assert action_log.sentence(entry).zh.endswith("预览，目前不能提交")

    def test_when_feishu_is_silent(self, as_user, mei, mirror, address, form):
        mirror.fault("drop_before", on="all", times=5)
        as_user(mei).post(address, form)
        assert data_in(planned()[0].body)["is_fresh"] is False

    def test_a_form_or_a_wrong_day_is_no_plan(self, as_user, mei, address, form):
        as_user(mei).get(address)
        as_user(mei).post(address, form | {"converted_on": "tomorrow"})
        as_user(mei).post(address, form | {"step": "edit"})
        assert planned() == []


class TestConfirmed:
    @pytest.fixture
    def change(self, as_user, mei, address, form) -> StatusChange:
        client = as_user(mei)
        client.post(address, form | {"converted_on": "2026-12-31"})
        plan = client.post(address, form).context["plan"]
        client.post(address, confirmed(form, plan))
        return StatusChange.objects.get()

    def test_belongs_to_the_change_it_became(self, as_user, ana, change):
        never, became = planned()
        asked = ActionEntry.objects.get(event="change.requested")
        assert data_in(asked.body)["plan_hash"] == data_in(became.body)["plan_hash"]
        client = as_user(ana)
        page = client.get(reverse("log-entry", args=[became.seq]))
        assert (page.context["change_id"], page.context["logged"].differs) == (change.pk, False)
        assert [step.entry.seq for step in page.context["steps"]] == [became.seq, asked.seq]
        assert client.get(reverse("log-entry", args=[never.seq])).context["change_id"] is None
        found = client.get(f"/log/?change={change.pk}").context["lines"]
        assert {line.entry.seq for line in found} == {became.seq, asked.seq}

    def test_is_in_the_evidence_of_the_change(self, change):
        given = {"scope": "change", "change": str(change.pk)}
        scope = PackScope.read(given, today=timezone.localdate())
        events = set(scope.entries().values_list("event", flat=True))
        assert {"change.planned", "change.requested"} <= events

    def test_a_plan_alone_is_no_act_out_of_hours(self, change, as_user, ana):
        rule = queries.RULES["hours"]
        today = timezone.localdate()
        period = queries.Period.read(today, today, today=today)
        entries = queries.entries_in(period, ActionEntry.objects.all())
        assert not rule.entries(entries, period).filter(event="change.planned").exists()


class TestReaders:
    def test_hr_and_auditors_and_nobody_whom_it_is_about(
        self, as_user, mei, hua, ana, li, bo, address, form
    ):
        as_user(mei).post(address, form)
        (entry,) = planned()
        Employee.objects.filter(pk=bo.pk).update(leader_open_id=li.open_id)
        assert policies.visible_people(li).filter(pk=bo.person_id).exists()
        seen = {user: policies.visible_entries(user) for user in (mei, hua, ana, li)}
        assert [user for user, entries in seen.items() if entries.filter(pk=entry.pk)] == [
            mei,
            hua,
            ana,
        ]
        User.objects.filter(pk=hua.pk).update(open_id="ou_bo")
        Person.objects.filter(pk=bo.person_id).update(open_id="ou_bo")
        hua.refresh_from_db()
        assert not policies.visible_entries(hua).filter(pk=entry.pk).exists()
        assert as_user(hua).get(reverse("log-entry", args=[entry.seq])).status_code == 404
