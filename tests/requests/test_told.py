"""What the log tells of a conversion that several people have agreed to, and how fast."""

from __future__ import annotations

import json
import zipfile
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import action_log, queries
from lifecycle.models import ActionEntry, ConversionRequest, Role, User
from lifecycle.services import evidence, requests, routes
from tests.builders import an_employee
from tests.views.conftest import _a_browser_on_this_machine, as_user

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user"]

NOW = timezone.now
QUICK, SLOW = timedelta(seconds=30), timedelta(hours=3)


@pytest.fixture
def ping(bo) -> User:
    """Ping is HR of Bo's department, and decides after the leader."""
    boss = User.objects.create_user("boss", role=Role.ADMINISTRATOR)
    routes.set_route("", "leader-hrbp", reason="as agreed", acting_user=boss, at=NOW())
    user = User.objects.create_user("ping", role=Role.HR, last_name="平")
    user.department_ids = [bo.department_id]
    user.save()
    return user


def agree(request: ConversionRequest, user: User, *, at):
    request.refresh_from_db()
    return requests.approve(
        request,
        day=request.suggested_on,
        pre_image_hash=request.pre_image_hash,
        acting_user=user,
        at=at,
    )


def converted(bo, mei, *steps: tuple[User, timedelta]):
    """Bo's conversion, with how long each of those who agreed has taken."""
    at = NOW()
    request = requests.ask(bo, acting_user=mei, at=at)
    change = None
    for user, took in steps:
        at += took
        change = agree(request, user, at=at)
    return change


def entry(event: str) -> ActionEntry:
    return ActionEntry.objects.filter(event=event).latest("seq")


EVENTS = [
    "request.asked",
    "request.step_agreed",
    "change.requested",
    "change.approved",
    "request.approved",
]


class TestAChangeThatWasARequest:
    @pytest.fixture
    def change(self, bo, mei, li, ping):
        return converted(bo, mei, (li, SLOW), (ping, SLOW))

    def test_names_its_request(self, change):
        data = action_log.data_in(entry("change.requested").body)
        assert data["request"] == change.conversion_request.pk

    @pytest.mark.parametrize("event", EVENTS)
    def test_shows_everybody_who_agreed_on_the_page_of_each_entry(
        self, change, event, ana, as_user, li, ping
    ):
        page = as_user(ana).get(f"/log/{entry(event).seq}/")
        assert [step.entry.event for step in page.context["steps"]] == EVENTS
        text = page.content.decode()
        assert li.name in text
        assert ping.name in text
        assert f"scope=change&amp;change={change.pk}" in text

    def test_goes_from_step_to_step(self, change, ana, as_user):
        neighbours = as_user(ana).get(f"/log/{entry(EVENTS[1]).seq}/").context["neighbours"]
        assert neighbours.previous == entry(EVENTS[0]).seq
        assert neighbours.next == entry(EVENTS[2]).seq

    def test_is_found_whole_in_the_list(self, change, ana, as_user):
        page = as_user(ana).get(f"/log/?change={change.pk}")
        assert [line.entry.event for line in page.context["lines"]] == EVENTS[::-1]

    def test_is_whole_in_its_pack(self, change, ana):
        scope = evidence.PackScope.read(
            {"scope": "change", "change": str(change.pk)}, today=timezone.localdate()
        )
        pack = evidence.take_evidence(scope, purpose="复核", acting_user=ana, at=NOW())
        lines = zipfile.ZipFile(pack.file).read("entries.jsonl").decode().splitlines()
        assert [json.loads(line)["event"] for line in lines] == EVENTS

    def test_does_not_take_in_a_request_with_a_longer_number(self, change, bo):
        request = change.conversion_request
        for number in (request.pk * 10 + 1, -request.pk):
            action_log.record(
                "request.reminded", actor=None, person=bo.person, data={"request": number}
            )
        other = an_employee()
        action_log.record(
            "request.reminded", actor=None, person=other.person, data={"request": request.pk}
        )
        found = ActionEntry.objects.filter(queries.of_change(change.pk)).order_by("seq")
        assert [one.event for one in found] == EVENTS

    def test_costs_the_same_however_many_entries_there_are(self, change, ana, as_user, bo):
        browser, address = as_user(ana), f"/log/{entry('request.asked').seq}/"

        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(address).status_code == 200
            return len(captured)

        cost()
        few = cost()
        for _ in range(5):
            requests.record("request.reminded", change.conversion_request, actor=None, at=NOW())
        assert cost() == few


class TestHastyAgreements:
    def found(self, ana, as_user) -> list[str]:
        until = timezone.localdate() + timedelta(days=2)
        page = as_user(ana).get(f"/log/exceptions/?rule=approvals&until={until}")
        return [line.entry.event for line in page.context["lines"]]

    @pytest.mark.parametrize(
        ("first", "second", "found"),
        [
            (SLOW, SLOW, []),
            (QUICK, SLOW, ["request.step_agreed"]),
            (SLOW, QUICK, ["change.approved"]),
            (QUICK, QUICK, ["change.approved", "request.step_agreed"]),
        ],
    )
    def test_are_those_soon_after_each_was_asked(
        self, bo, mei, li, ping, ana, as_user, first, second, found
    ):
        converted(bo, mei, (li, first), (ping, second))
        assert self.found(ana, as_user) == found

    def test_of_one_leader_are_measured_from_the_request(self, bo, mei, li, ana, as_user):
        converted(bo, mei, (li, SLOW))
        assert self.found(ana, as_user) == []

    def test_of_one_leader_who_did_not_look(self, bo, mei, li, ana, as_user):
        converted(bo, mei, (li, QUICK))
        assert self.found(ana, as_user) == ["change.approved"]

    def test_are_measured_from_when_it_was_handed_on(self, bo, mei, li, qin, ana, as_user):
        at = NOW()
        request = requests.ask(bo, acting_user=mei, at=at)
        at += SLOW
        requests.reassign(request, to=qin, reason="休假", acting_user=mei, at=at)
        agree(request, qin, at=at + QUICK)
        assert self.found(ana, as_user) == ["change.approved"]

    def test_from_the_account_of_whoever_asked(self, bo, mei, li, ping, ana, as_user):
        converted(bo, mei, (li, SLOW), (ping, SLOW))
        User.objects.filter(pk=mei.pk).update(open_id=li.open_id)
        assert self.found(ana, as_user) == ["request.step_agreed"]
