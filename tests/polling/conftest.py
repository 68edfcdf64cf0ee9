"""A company that has been read once, and a console in which somebody edits it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.utils import timezone

from lifecycle.models import ActionEntry, ChangeEvent
from lifecycle.sandbox.control import SandboxControl
from lifecycle.services import sync
from tests.views.conftest import _a_browser_on_this_machine, as_user, li

__all__ = ["_a_browser_on_this_machine", "as_user", "company", "li"]

EVERYTHING = ("talents", "applications", "employees", "pre_hires", "offboardings", "employments")


@pytest.fixture
def company(mirrored) -> SandboxControl:
    """Everything has been read once."""
    return mirrored(*sync.KINDS)


def read_everything(*, since=None) -> None:
    for kind in EVERYTHING:
        sync.sync_kind(kind, since=since)


def poll(*kinds: str) -> None:
    """What happens every few minutes: only what may have changed is read."""
    for kind in kinds or EVERYTHING:
        sync.sync_kind(kind, since=timezone.now() - timedelta(minutes=10))


def logged() -> set[tuple[str, str, str]]:
    """(kind, id, field) of all that the action log says was changed in Feishu itself."""
    entries = ActionEntry.objects.filter(event="record.changed_in_feishu")
    rows = [json.loads(body)["data"] for body in entries.values_list("body", flat=True)]
    return {
        (row["record_kind"], row["subject_id"], field)
        for row in rows
        for field in (row["fields"] or [row["what"]])
    }


def told() -> Counter[tuple[str, str, str]]:
    """(kind, id, field) of every event, with how often it was told."""
    rows = ChangeEvent.objects.values_list("record_kind", "feishu_id", "field")
    return Counter(rows)
