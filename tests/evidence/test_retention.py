"""What stands beside the chain goes when its time is over; the chain stays and verifies."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError
from django.utils import timezone

from lifecycle import action_log, jobs
from lifecycle.errors.problems import NotAllowed
from lifecycle.evidence.checking import verify
from lifecycle.models import ActionEntry, ActionLogHead, LegalHold, Person, PrivateValue
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
        many = action_log.PART
        assert many < 1000
        PrivateValue.objects.bulk_create(
            PrivateValue(seq=1, field=f"more{n}", salt="00", value="x") for n in range(many)
        )
        assert jobs.erase_private_values() == 12 + many

    def test_each_part_and_its_entry_are_one(self):
        """The log cannot be written any more: then nothing goes either."""
        first, second = entry(days_ago=40), entry(days_ago=40)
        ActionLogHead.objects.update(seq=first.seq)  # the next entry is refused
        with pytest.raises(IntegrityError):
            jobs.erase_private_values()
        assert kept() == {first.seq, second.seq}
        assert not ActionEntry.objects.filter(event="log.private_erased").exists()

    def test_says_each_part_by_itself(self):
        first = entry(days_ago=40)
        many = action_log.PART
        PrivateValue.objects.bulk_create(
            PrivateValue(seq=first.seq, field=f"more{n}", salt="00", value="x") for n in range(many)
        )
        assert jobs.erase_private_values() == many + 2
        said = ActionEntry.objects.filter(event="log.private_erased").order_by("seq")
        assert [json.loads(one.body)["data"]["values"] for one in said] == [many, 2]

    def test_goes_by_age_not_by_number(self):
        """An entry written down late, and one that was written down before its time."""
        young, old, younger = entry(days_ago=2), entry(days_ago=40), entry(days_ago=1)
        assert jobs.erase_private_values() == 2
        assert kept() == {young.seq, younger.seq}
        assert old.seq not in kept()

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
        assert audit.release_hold(hold, reason="settled", acting_user=ana)
        assert not audit.release_hold(hold, reason="settled", acting_user=ana)
        assert jobs.erase_private_values() == 2
        events = list(ActionEntry.objects.order_by("seq").values_list("event", flat=True))
        assert [e for e in events if "hold" in e] == ["log.hold_placed", "log.hold_released"]

    def test_lasts_when_its_row_alone_says_it_is_over(self, as_user, ana):
        held = a_person("柏小林")
        mine = entry(held, days_ago=40)
        hold = audit.place_hold(held, reason="诉讼", acting_user=ana)
        LegalHold.objects.update(released_at=timezone.now())
        assert jobs.erase_private_values() == 0
        assert mine.seq in kept()
        page = as_user(ana).get("/log/holds/").content.decode()
        assert "the log does not" in page
        assert audit.release_hold(hold, reason="settled", acting_user=ana)
        assert not audit.release_hold(hold, reason="settled", acting_user=ana)
        assert "the log does not" not in as_user(ana).get("/log/holds/").content.decode()
        assert jobs.erase_private_values() == 2

    def test_lasts_when_its_row_is_gone(self, ana):
        held = a_person("柏小林")
        entry(held, days_ago=40)
        gone = audit.place_hold(held, reason="诉讼", acting_user=ana)
        LegalHold.objects.all().delete()
        assert jobs.erase_private_values() == 0
        hold = audit.place_hold(held, reason="诉讼", acting_user=ana)
        assert audit.release_hold(hold, reason="settled", acting_user=ana)
        said = ActionEntry.objects.filter(event="log.hold_released").order_by("seq")
        assert {json.loads(one.body)["data"]["hold"] for one in said} == {gone.pk, hold.pk}
        assert jobs.erase_private_values() == 2

    def test_of_an_earlier_time_does_not_end_with_the_one_in_force(self, ana):
        held = a_person("柏小林")
        first = audit.place_hold(held, reason="诉讼", acting_user=ana)
        LegalHold.objects.update(released_at=timezone.now())
        second = audit.place_hold(held, reason="又一件", acting_user=ana)
        assert audit.release_hold(first, reason="settled", acting_user=ana)
        assert action_log.holds_in_the_log() == {(second.pk, held.pk)}

    def test_is_placed_and_released_on_the_page(self, as_user, ana):
        person, client = a_person("柏小林"), as_user(ana)
        asked = {"person": person.pk, "reason": "诉讼"}
        assert client.post("/log/holds/", asked).status_code == 303
        assert client.post("/log/holds/", asked).status_code == 303  # is in force already
        hold = LegalHold.objects.get()
        assert "诉讼" in client.get("/log/holds/").content.decode()
        release = f"/log/holds/{hold.pk}/release/"
        assert client.post(release, {"reason": " "}).status_code == 422
        assert client.post(release, {"reason": "结案"}).status_code == 303
        said = ActionEntry.objects.get(event="log.hold_released")
        assert action_log.private_values(said)["reason"] == "结案"
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


class TestErasingOnePerson:
    def erase(self, person: Person, reason: str = "本人要求") -> str:
        out = StringIO()
        call_command("erase_person", person.pk, "--reason", reason, stdout=out)
        return out.getvalue()

    def test_erases_all_of_theirs_and_says_what_it_does_not(self, sign):
        asking, other = a_person("柏小林"), a_person("王伟")
        mine = [entry(asking, days_ago=40), entry(asking, days_ago=0)]
        others = entry(other, days_ago=40)
        sign()
        said = self.erase(asking)
        assert "4 private values" in said
        assert "Not erased" in said
        assert not {one.seq for one in mine} & kept()
        assert others.seq in kept()
        (logged,) = ActionEntry.objects.filter(event="log.person_erased")
        assert logged.person_ref == asking.pk
        data = json.loads(logged.body)["data"]
        assert (data["values"], data["at_command_line"]) == (4, True)
        assert action_log.private_values(logged) == {"reason": "本人要求"}
        assert "erased 4 private values of 柏小林" in action_log.sentence(logged).en
        assert list(verify())[-1].is_whole

    def test_a_second_time_finds_nothing(self):
        asking = a_person("柏小林")
        entry(asking, days_ago=1)
        self.erase(asking)
        assert "0 private values" in self.erase(asking)
        assert ActionEntry.objects.filter(event="log.person_erased").count() == 1

    @pytest.mark.parametrize("is_row_touched", [False, True])
    def test_is_refused_under_a_legal_hold(self, ana, is_row_touched):
        asking = a_person("柏小林")
        mine = entry(asking, days_ago=1)
        audit.place_hold(asking, reason="诉讼", acting_user=ana)
        if is_row_touched:
            LegalHold.objects.update(released_at=timezone.now())
        with pytest.raises(CommandError, match="under a legal hold; nothing was erased"):
            self.erase(asking)
        assert mine.seq in kept()

    def test_needs_a_person_and_a_reason(self):
        asking = a_person("柏小林")
        with pytest.raises(CommandError, match="Say why"):
            self.erase(asking, " ")
        asking.pk = 99999
        with pytest.raises(CommandError, match="no person 99999"):
            self.erase(asking)

    @pytest.mark.parametrize("who", ["mei", "zhou"])
    def test_is_not_for_everybody(self, who, request):
        asking = a_person("柏小林")
        with pytest.raises(NotAllowed):
            audit.erase_person(
                asking.pk, reason="本人要求", acting_user=request.getfixturevalue(who)
            )

    def test_goes_only_with_its_entry(self):
        asking = a_person("柏小林")
        mine = entry(asking, days_ago=1)
        entry(days_ago=1)
        ActionLogHead.objects.update(seq=mine.seq)  # the next entry is refused
        with pytest.raises(IntegrityError):
            self.erase(asking)
        assert mine.seq in kept()
