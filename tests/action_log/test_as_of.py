"""A person on a past day: what was seen, when, and what nobody here can know."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from lifecycle.errors.words import Words
from lifecycle.models import ActionEntry, StatusChange
from lifecycle.services import as_of
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

    def test_costs_five_queries(self, converted, ana):
        with CaptureQueriesContext(connection) as captured:
            as_of.person_on(ana, converted.person, timezone.localdate())
        assert len(captured) <= 5


def _entries(change: StatusChange) -> dict[str, ActionEntry]:
    return {entry.event: entry for entry in ActionEntry.objects.filter(change_id=change.pk)}
