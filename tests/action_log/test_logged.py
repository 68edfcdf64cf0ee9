"""The entry's page tells a change as the log does, and says where the tables tell it otherwise."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from lifecycle import action_log
from lifecycle.changes.plan import image_hash
from lifecycle.models import ActionEntry, Attempt, StatusChange
from tests.views.conftest import _a_browser_on_this_machine, as_user

pytestmark = pytest.mark.django_db
__all__ = ["_a_browser_on_this_machine", "as_user"]

DIFFERS = "Differs from the log"
NO_PLAN = "no fingerprint of this plan"


@pytest.fixture
def done(asking, bo, mirror, worker) -> StatusChange:
    """A conversion that Feishu has confirmed."""
    return worker(asking.ask(bo))


@pytest.fixture
def page(as_user, ana, done):
    client = as_user(ana)

    def get(event: str) -> str:
        entry = ActionEntry.objects.get(change_id=done.pk, event=event)
        return client.get(reverse("log-entry", args=[entry.seq])).text

    return get


class TestChange:
    def test_that_fits_says_nothing(self, done, page):
        requested = ActionEntry.objects.get(change_id=done.pk, event="change.requested")
        done.refresh_from_db()
        assert json.loads(requested.body)["data"]["plan_hash"] == image_hash(done.plan)
        for event in ("change.requested", "change.sending", "change.succeeded"):
            text = page(event)
            assert DIFFERS not in text
            assert NO_PLAN not in text

    @pytest.mark.parametrize(
        "edit",
        [
            lambda change: {"plan": change.plan | {"fields": []}},
            lambda change: {"payload": change.payload.replace("1", "2")},
            lambda change: {"payload_hash": "0" * 64},
            lambda change: {"pre_image": change.pre_image | {"onboard_status": 7}},
            lambda change: {"subject_id": "7000000000000000001"},
            lambda change: {"kind": "offboard_employee"},
        ],
    )
    def test_whose_row_was_edited_is_named_so(self, edit, done, page):
        done.refresh_from_db()
        StatusChange.objects.filter(pk=done.pk).update(**edit(done))
        assert DIFFERS in page("change.succeeded")
        assert DIFFERS in page("change.requested")

    def test_of_former_times_says_that_its_plan_is_not_logged(self, as_user, ana, done):
        old = action_log.record(
            "change.requested", actor=None, change=_copy(done), data={"kind": done.kind}
        )
        text = as_user(ana).get(reverse("log-entry", args=[old.seq])).text
        assert NO_PLAN in text
        assert DIFFERS not in text


class TestAttempt:
    def test_is_told_from_the_entries(self, done, page):
        attempt = Attempt.objects.get(change=done)
        for event in ("change.sending", "change.succeeded"):
            assert attempt.log_id in page(event)

    @pytest.mark.parametrize(
        "edit",
        [
            {"outcome": "rejected"}, {"http_status": 500}, {"feishu_code": 1002902},
            {"log_id": "ANOTHER"}, {"request_hash": "0" * 64},
        ],
    )  # fmt: skip
    def test_whose_row_was_edited_is_shown_as_logged(self, edit, done, page):
        log_id = Attempt.objects.get(change=done).log_id
        Attempt.objects.filter(change=done).update(**edit)
        for event in ("change.sending", "change.succeeded"):
            text = page(event)
            assert DIFFERS in text
            assert log_id in text
            assert "ANOTHER" not in text
            assert "1002902" not in text

    def test_whose_row_is_gone_is_named_so(self, done, page):
        Attempt.objects.filter(change=done).delete()
        assert DIFFERS in page("change.sending")

    def test_that_the_log_has_no_answer_of_is_named_so(self, as_user, ana, done):
        """Its row says how it ended, and no entry does."""
        change = _copy(done)
        for event in ("change.requested", "change.sending"):
            number = {"number": 1} if event == "change.sending" else {}
            entry = action_log.record(event, actor=None, change=change, data=number)
        attempt = Attempt.objects.get(change=done)
        attempt.pk, attempt.change = None, change
        attempt.save()
        assert DIFFERS in as_user(ana).get(reverse("log-entry", args=[entry.seq])).text


def test_costs_the_same_number_of_queries_whatever_the_steps(as_user, ana, done):
    client = as_user(ana)
    entry = ActionEntry.objects.get(change_id=done.pk, event="change.sending")
    address = reverse("log-entry", args=[entry.seq])
    client.get(address)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        return len(queries)

    before = count()
    for _ in range(5):
        action_log.record("change.postponed", actor=None, change=done, data={"kind": done.kind})
    assert count() == before


def _copy(change: StatusChange) -> StatusChange:
    """Another change with the same request."""
    other = StatusChange.objects.get(pk=change.pk)
    other.pk, other.submission_key = None, uuid4()
    other.save()
    return other
