"""A person on a past day: what was seen, when, and what nobody here can know."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle import action_log
from lifecycle.errors.words import Words
from lifecycle.models import ActionEntry, PrivateValue, StatusChange
from lifecycle.services import as_of, sync
from tests.views.conftest import _a_browser_on_this_machine, as_user, li, zhou

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user", "li", "zhou"]


@pytest.fixture
def converted(asking, worker, bo, mirror) -> StatusChange:
    """Bo, converted through the portal today."""
    change = worker(asking.ask(bo))
    assert change.status == "succeeded"
    return change


def row(state: as_of.AsOf, label: str = "Conversion status"):
    (found,) = [field for field in state.fields if field.label.en == label]
    return found


class TestPersonOnADay:
    def test_after_the_change_shows_what_it_brought(self, converted, ana):
        state = as_of.person_on(ana, converted.person, timezone.localdate())
        changed = [field for field in converted.plan["fields"] if field["changed"]]
        for field in changed:
            shown = row(state, field["label"]["en"])
            assert shown.then.value == Words(**field["after"])
            done = ActionEntry.objects.get(event="change.succeeded")
            assert shown.then.seq == done.seq
        assert not state.doubtful

    def test_before_anything_was_seen_nothing_is_claimed(self, converted, ana):
        yesterday = timezone.localdate() - timedelta(days=1)
        state = as_of.person_on(ana, converted.person, yesterday)
        assert state.fields
        assert all(field.then is None and field.next for field in state.fields)
        assert state.entries == []

    def test_facts_that_are_not_those_logged_are_left_out(self, converted, ana):
        StatusChange.objects.filter(pk=converted.pk).update(pre_image={"onboard_status": 9})
        state = as_of.person_on(ana, converted.person, timezone.localdate())
        asked = ActionEntry.objects.get(event="change.requested")
        assert (state.fields, state.doubtful) == ([], [asked.seq])

    def test_a_difference_at_the_next_sighting_is_said(self, converted, ana):
        seen = as_of._sightings(converted, _entries(converted), [])
        first, *_ = seen
        later = as_of.Sighting(
            first.subject, first.label, Words("变", "other"), first.at + timedelta(days=2), 99
        )
        (field,) = as_of._fields([first, later], first.at + timedelta(days=1))
        assert field.differs_later

    def test_page_says_what_is_not_known(self, converted, ana, as_user):
        page = as_user(ana).get(f"/log/person/{converted.person_id}/").content.decode()
        assert "is not known here" in page
        yesterday = timezone.localdate() - timedelta(days=1)
        page = as_user(ana).get(f"/log/person/{converted.person_id}/?day={yesterday}")
        assert "the portal first saw it later" in page.content.decode()
        for day in ("x", "9999-12-31", "0001-01-01"):
            answer = as_user(ana).get(f"/log/person/{converted.person_id}/?day={day}")
            assert answer.status_code == 200

    def test_page_is_for_whoever_may_see_the_person(self, converted, as_user, li, mei, zhou):
        address = f"/log/person/{converted.person_id}/"
        assert as_user(mei).get(address).status_code == 200
        assert as_user(li).get(address).status_code == 404
        assert as_user(zhou).get(address).status_code == 404

    def test_costs_few_queries(self, converted, ana):
        with CaptureQueriesContext(connection) as captured:
            as_of.person_on(ana, converted.person, timezone.localdate())
        assert len(captured) <= 8


class TestWhatWasChangedInFeishu:
    def observed(self, person, *values: list[str], days: int = 0, **data) -> ActionEntry:
        """An entry of a reading that found these fields of an employee's record changed."""
        told = {"record_kind": "employees", "subject_id": "77", "what": "changed"} | data
        told |= {"source": "read", "fields": [field for field, *_ in values], "alerts": []}
        seen = action_log.Observation(
            person.pk, told, {"values": json.dumps(values)} if values else {}
        )
        at = timezone.now() + timedelta(days=days)
        action_log.record_observations("record.changed_in_feishu", [seen], at=at)
        return ActionEntry.objects.latest("seq")

    def test_is_what_the_record_shows_from_then_on(self, converted, ana, mirror):
        """Converted through the portal, then put back on probation in Feishu itself."""
        mirror.patch("employees", converted.subject_id, conversion_status=1)
        sync.sync_kind("employees")
        entry = ActionEntry.objects.get(event="record.changed_in_feishu")
        state = as_of.person_on(ana, converted.person, timezone.localdate())
        shown = row(state, "Conversion")
        assert shown.then.seq == entry.seq
        assert shown.then.is_outside
        assert shown.then.value.zh == "待转正"
        assert shown.then.was.zh == "已转正"

    def test_is_said_on_the_page(self, converted, ana, as_user, mirror):
        mirror.patch("employees", converted.subject_id, conversion_status=1)
        sync.sync_kind("employees")
        address = f"/log/person/{converted.person_id}/"
        page = as_user(ana).get(address).content.decode()
        assert "changed outside the portal" in page
        yesterday = timezone.localdate() - timedelta(days=1)
        assert (
            "changed outside the portal"
            not in as_user(ana)
            .get(f"{address}?day={yesterday}")
            .content.decode()
            .partition("The log up to that day")[0]
        )

    def test_comes_next_with_what_was_before(self, bo, ana, as_user):
        self.observed(bo.person, ["converted_on", "2026-01-01", "2026-02-01"], days=2)
        shown = row(as_of.person_on(ana, bo.person, timezone.localdate()), "Conversion day")
        assert shown.then is None
        assert (shown.next.was.en, shown.next.value.en) == ("2026-01-01", "2026-02-01")
        page = as_user(ana).get(f"/log/person/{bo.person_id}/").content.decode()
        assert "before: 2026-01-01" in page

    def test_that_a_record_is_gone_is_shown(self, bo, ana):
        self.observed(bo.person, what="gone")
        state = as_of.person_on(ana, bo.person, timezone.localdate())
        assert row(state, "Employee record").then.value.en == "is gone from Feishu"

    def test_a_value_that_is_empty_now_is_shown(self, bo, ana):
        self.observed(bo.person, ["converted_on", "2026-01-01", ""])
        state = as_of.person_on(ana, bo.person, timezone.localdate())
        assert row(state, "Conversion day").then.value.en == "empty"

    def test_of_erased_values_the_fields_are_still_named(self, bo, ana):
        entry = self.observed(bo.person, ["converted_on", "2026-01-01", "2026-02-01"])
        PrivateValue.objects.filter(seq=entry.seq).delete()
        state = as_of.person_on(ana, bo.person, timezone.localdate())
        assert row(state, "Conversion day").then.value.en == "(the value is no longer kept)"
        assert not state.doubtful

    def test_values_that_are_not_those_logged_are_left_out(self, bo, ana):
        entry = self.observed(bo.person, ["converted_on", "2026-01-01", "2026-02-01"])
        other = json.dumps([["converted_on", "2026-01-01", "2026-03-01"]])
        PrivateValue.objects.filter(seq=entry.seq).delete()
        PrivateValue.objects.create(seq=entry.seq, field="values", salt="00", value=other)
        state = as_of.person_on(ana, bo.person, timezone.localdate())
        assert (state.fields, state.doubtful) == ([], [entry.seq])

    def test_costs_the_same_however_much_there_is(self, bo, ana):
        def cost() -> int:
            with CaptureQueriesContext(connection) as captured:
                as_of.person_on(ana, bo.person, timezone.localdate())
            return len(captured)

        values = (["department_id", "a", "b"], ["leader_open_id", "a", "b"],
                  ["job_level_id", "1", "2"])  # fmt: skip
        self.observed(bo.person, *values)
        few = cost()
        for _ in range(4):
            self.observed(bo.person, *values)
        assert cost() == few <= 8

    def test_what_is_too_much_is_said(self, bo, ana, as_user):
        day = ["converted_on", "2026-01-01", "2026-02-01"]
        told = action_log.Observation(
            bo.person_id,
            {"record_kind": "employees", "subject_id": "77", "what": "changed", "fields": day[:1]},
            {"values": json.dumps([day])},
        )
        event, address = "record.changed_in_feishu", f"/log/person/{bo.person_id}/"
        words = ("Only the newest 200 status changes", "only the newest 200 entries")
        action_log.record_observations(event, [told] * 200, at=timezone.now())
        page = as_user(ana).get(address).content.decode()
        assert not any(said in page for said in words)
        action_log.record_observations(event, [told], at=timezone.now())
        page = as_user(ana).get(address).content.decode()
        assert all(said in page for said in words)


def _entries(change: StatusChange) -> dict[str, ActionEntry]:
    return {entry.event: entry for entry in ActionEntry.objects.filter(change_id=change.pk)}
