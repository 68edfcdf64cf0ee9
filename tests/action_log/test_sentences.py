"""What the log says, and what it must never say, after everything that can happen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from lifecycle import action_log
from lifecycle.changes import protocol
from lifecycle.models import ActionEntry, DriftCase, Employee, Person, StatusChange
from lifecycle.queries import LISTS, RecordFilter
from lifecycle.services import changes as change_services
from lifecycle.services import drift, exports, polling, sync

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
REASON = "试用期表现优秀，直属上级已同意"
ADDRESS_TYPED = "lin.wei@example.com"
TYPED_BY_MISTAKE = "my-password-in-the-name-field"


@pytest.fixture
def everything(asking, worker, mirror, mei, hua, mirror_people):
    """One of each: every entry the portal writes, by real requests to a real tenant."""
    people = iter(mirror_people)

    worker(asking.ask(next(people), reason=REASON))  # succeeded

    mirror.fault("code", endpoint="A2", code=1002905, http_status=400)
    worker(asking.ask(next(people), reason=REASON))  # failed

    mirror.fault("throttle", endpoint="A2")
    worker(asking.ask(next(people)))  # postponed

    mirror.fault("drop_before", endpoint="A2")
    change = worker(asking.ask(next(people), reason=REASON))  # verifying
    worker(change, later=MINUTE)
    StatusChange.objects.filter(pk=change.pk).update(unapplied_read_at=timezone.now() - MINUTE)
    worker(change, later=MINUTE)  # not applied
    worker(change)

    stale = asking.ask(next(people))
    mirror.patch("employees", stale.subject_id, onboard_status=2, overboard_time=1767110400000)
    worker(stale)  # needs attention
    change_services.decide_change(
        stale, verdict="look_again", reason=REASON, acting_user=hua, at=timezone.now()
    )
    worker(stale)
    change_services.decide_change(
        stale, verdict="not_applied", reason=REASON, acting_user=hua, at=timezone.now()
    )

    mirror.fault("drop_before", endpoint="A2")
    change = worker(asking.ask(next(people)))
    protocol.expire_leases(timezone.now() + 10 * MINUTE)

    waiting = asking.ask(next(people), reason=REASON)
    change_services.cancel_change(waiting, acting_user=mei, at=timezone.now())

    client = Client()
    client.login(username="mei", password="correct horse")
    client.logout()
    client.login(username=TYPED_BY_MISTAKE, password="wrong")

    whole = RecordFilter.read(LISTS["employees"], {"q": ADDRESS_TYPED})
    export = exports.start_export(
        whole, file_format="csv", purpose=REASON, acting_user=mei, today=timezone.localdate()
    )
    assert list(export)

    sync.request_sync(acting_user=mei)
    polling.request_kind("talents", acting_user=mei, at=timezone.now())
    polling.pause("talents", is_paused=True, acting_user=mei, at=timezone.now())
    polling.pause("talents", is_paused=False, acting_user=mei, at=timezone.now())
    case = DriftCase.objects.create(
        person=waiting.person, rule="left-and-active", opened_at=timezone.now()
    )
    drift.take(case, acting_user=mei, at=timezone.now())
    drift.dismiss(case, reason=REASON, acting_user=mei, at=timezone.now())
    mirror.fault("code", endpoint="H1", code=1002002, http_status=400)
    sync.sync_kind("talents")
    return list(ActionEntry.objects.order_by("seq"))


@pytest.fixture
def mirror_people(mirror) -> list[Employee]:
    """Employees who can be converted, one for each story."""
    return list(
        Employee.objects.filter(
            onboard_status="onboarded", conversion_status="not_converted", employment_id=""
        ).order_by("due_sort_on", "pk")
    )


class TestEveryEvent:
    @pytest.mark.parametrize("event", action_log.EVENTS)
    def test_has_a_sentence_in_both_languages(self, event):
        """Whatever may stand in its body; also when nothing of it does."""
        keys = [key for key in action_log.EVENTS[event].keys if not key.startswith("private_")]
        account = {"role": "hr", "departments": ["od-1"], "is_active": False}
        whole = {key: account if key in ("before", "after") else 7 for key in keys}
        readable = action_log.sentence(action_log.record(event, actor=None, data=whole))
        assert readable != action_log.UNREADABLE
        for text in (readable.zh, readable.en):
            assert text.strip()
            assert "{" not in text
        assert action_log.sentence(action_log.record(event, actor=None)).en.strip()


class TestEveryEntry:
    def test_has_a_sentence_in_both_languages(self, everything):
        assert {entry.event for entry in everything} <= set(action_log.EVENTS)
        assert len({entry.event for entry in everything}) >= 14
        for readable in action_log.entries_with_sentences(everything):
            for text in (readable.sentence.zh, readable.sentence.en):
                assert text.strip()
                assert "None" not in text
                assert "{" not in text

    def test_of_a_person_names_the_person_and_who_did_it(self, everything, mei):
        entry = next(e for e in everything if e.event == "change.requested")
        name = Person.objects.get(pk=entry.person_ref).name
        assert action_log.sentence(entry).zh == f"{mei.name}发起了{name}的“转正”"
        assert action_log.sentence(entry).en == f"{mei.name} asked to convert {name}"

    def test_can_still_be_read_when_the_person_is_gone(self, everything):
        Person.objects.update(name="")
        entry = next(e for e in everything if e.event == "change.succeeded")
        assert "a removed person" in action_log.sentence(entry).en

    def test_carries_no_personal_data(self, everything, mirror):
        """Ids and codes only: what is chained can never be erased again."""
        bodies = "\n".join(entry.body for entry in everything)
        for talent in mirror.records("talents"):
            for private in (talent["name"], talent["mobile"], talent["email"]):
                assert private not in bodies
        for contact in mirror.records("contacts"):
            assert contact["name"] not in bodies
        for private in (REASON, "mei", "梅", ADDRESS_TYPED, TYPED_BY_MISTAKE, "correct horse"):
            assert private not in bodies

    def test_keeps_the_reason_beside_the_chain(self, everything):
        entry = next(e for e in everything if e.event == "change.requested")
        assert action_log.private_values(entry)["reason"] == REASON

    def test_is_part_of_a_whole_chain(self, everything):
        assert list(action_log.verify())[-1] == action_log.Verification(len(everything))
