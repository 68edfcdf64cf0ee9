"""What stands beside the chain goes when its time is over; the chain stays and verifies."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle import action_log, jobs
from lifecycle.evidence.checking import verify
from lifecycle.models import ActionEntry, LegalHold, Person, PrivateValue
from lifecycle.services import audit
from tests.builders import a_person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def thirty_days(settings):
    settings.LOG_PRIVATE_RETENTION_DAYS = 30


def entry(person: Person | None = None, *, days_ago: int) -> ActionEntry:
    return action_log.record(
        "change.requested",
        actor=None,
        person=person,
        at=timezone.now() - timedelta(days=days_ago),
        private={"reason": "because", "request": "{}"},
    )


def kept() -> set[int]:
    return set(PrivateValue.objects.values_list("seq", flat=True))


class TestErasure:
    def test_erases_what_is_older_and_nothing_else(self, sign):
        old, older, young = entry(days_ago=40), entry(days_ago=31), entry(days_ago=29)
        sign()
        assert jobs.erase_private_values() == 4
        assert kept() == {young.seq}
        assert action_log.private_values(old) == action_log.private_values(older) == {}
        assert list(verify())[-1].is_whole

    def test_is_logged_with_its_count_once(self):
        entry(days_ago=40)
        jobs.erase_private_values()
        assert jobs.erase_private_values() == 0
        (said,) = ActionEntry.objects.filter(event="log.private_erased")
        data = json.loads(said.body)["data"]
        assert (data["values"], data["days"], data["holds"]) == (2, 30, 0)
        assert "2 private values" in action_log.sentence(said).en

    def test_goes_through_more_than_one_part(self):
        for _ in range(6):
            entry(days_ago=40)
        many = action_log.ERASED_AT_ONCE
        assert many < 1000
        PrivateValue.objects.bulk_create(
            PrivateValue(seq=1, field=f"more{n}", salt="00", value="x") for n in range(many)
        )
        assert jobs.erase_private_values() == 12 + many

    def test_without_a_period_erases_nothing(self, settings):
        settings.LOG_PRIVATE_RETENTION_DAYS = 0
        old = entry(days_ago=4000)
        assert jobs.erase_private_values() == 0
        assert kept() == {old.seq}


class TestLegalHold:
    def test_keeps_everything_of_the_person_until_released(self, ana):
        held, other = a_person("柏小林"), a_person("王伟")
        mine, others = entry(held, days_ago=40), entry(other, days_ago=40)
        hold = audit.place_hold(held, reason="诉讼", acting_user=ana)
        assert jobs.erase_private_values() == 2
        assert mine.seq in kept()
        assert others.seq not in kept()
        assert audit.release_hold(hold, acting_user=ana)
        assert not audit.release_hold(hold, acting_user=ana)
        assert jobs.erase_private_values() == 2
        events = list(ActionEntry.objects.order_by("seq").values_list("event", flat=True))
        assert [e for e in events if "hold" in e] == ["log.hold_placed", "log.hold_released"]

    def test_is_placed_and_released_on_the_page(self, as_user, ana):
        person, client = a_person("柏小林"), as_user(ana)
        asked = {"person": person.pk, "reason": "诉讼"}
        assert client.post("/log/holds/", asked).status_code == 303
        assert client.post("/log/holds/", asked).status_code == 303  # is in force already
        hold = LegalHold.objects.get()
        assert "诉讼" in client.get("/log/holds/").content.decode()
        assert client.post(f"/log/holds/{hold.pk}/release/").status_code == 303
        hold.refresh_from_db()
        assert hold.released_by == ana
        assert client.post("/log/holds/", asked).status_code == 303
        assert LegalHold.objects.count() == 2

    @pytest.mark.parametrize(
        ("asked", "status"),
        [
            ({"reason": "诉讼"}, 422),
            ({"reason": " ", "person": "here"}, 422),
            ({"reason": "x" * 2001, "person": "here"}, 422),
            ({"reason": "诉讼", "person": "99999"}, 404),
        ],
    )
    def test_needs_a_person_and_a_reason(self, asked, status, as_user, ana):
        if asked.get("person") == "here":
            asked = asked | {"person": a_person("柏小林").pk}
        assert as_user(ana).post("/log/holds/", asked).status_code == status
        assert not LegalHold.objects.exists()
