"""Events that Feishu pushes: each one has its record read, sooner than the next poll would.

Nothing depends on them. A lost event costs minutes, and a doubled or forged one a reading.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from lifecycle import mirror, remote
from lifecycle.differences import PUSHED
from lifecycle.models import PushedEvent
from lifecycle.remote import events
from lifecycle.services import sync

log = logging.getLogger(__name__)

# A search may be behind the event (contract 4.9), so the record is read once more.
READS = 2
READ_AGAIN_AFTER = timedelta(seconds=10)
# Then the next poll finds it.
MOST_TRIES = 5
TRY_AGAIN_AFTER = timedelta(minutes=1)
CHUNK = 100
KEPT = timedelta(days=7)


def secrets() -> events.Secrets | None:
    """None when events are not switched on."""
    if not settings.FEISHU_EVENT_ENCRYPT_KEY or not settings.FEISHU_EVENT_TOKEN:
        return None
    return events.Secrets(settings.FEISHU_EVENT_ENCRYPT_KEY, settings.FEISHU_EVENT_TOKEN)


@transaction.atomic
def receive(announced: events.Announced, *, at: datetime) -> bool:
    """Write down which record to read; False for an event that has come before."""
    if not announced.kind:
        return False
    _, is_new = PushedEvent.objects.get_or_create(
        event_id=announced.event_id,
        defaults={
            "event_type": announced.event_type,
            "record_kind": announced.kind,
            "feishu_id": announced.record_id,
            "received_at": at,
            "due_at": at,
        },
    )
    if is_new:
        async_task("lifecycle.jobs.read_pushed")
    return is_new


def read_due(*, at: datetime) -> int:
    """Read the records of the events that are due; how many events."""
    PushedEvent.objects.filter(received_at__lt=at - KEPT, due_at=None).delete()
    count = 0
    for kind, read in READERS.items():
        due = PushedEvent.objects.filter(record_kind=kind, due_at__lte=at).order_by("due_at")
        for chunk in _chunks(list(due.values_list("pk", "feishu_id")[:1000])):
            count += _read(chunk, read, at=at)
    return count


def _read(chunk: Sequence[tuple[int, str]], read: Callable[[list[str]], None], at: datetime) -> int:
    mine = PushedEvent.objects.filter(pk__in=[pk for pk, _ in chunk])
    # Whoever moves the time has the events; they come back when this process dies.
    if not mine.filter(due_at__lte=at).update(due_at=at + TRY_AGAIN_AFTER):
        return 0
    try:
        read(sorted({feishu_id for _, feishu_id in chunk}))
    except remote.errors.FeishuError as error:
        log.warning("what an event announced could not be read: %s", type(error).__name__)
        _again(mine, at=at, most=MOST_TRIES, after=TRY_AGAIN_AFTER)
        return 0
    _again(mine, at=at, most=READS, after=READ_AGAIN_AFTER)
    return len(chunk)


def _again(mine: Any, *, at: datetime, most: int, after: timedelta) -> None:
    rows = list(mine)
    for row in rows:
        row.tries += 1
        row.due_at = at + after if row.tries < most else None
    PushedEvent.objects.bulk_update(rows, ["tries", "due_at"])


def _read_pre_hires(ids: list[str]) -> None:
    asked_at = timezone.now() - sync.SEARCH_BEHIND
    page = remote.client().search_pre_hires(fields=sync.PRE_HIRE_FIELDS, pre_hire_ids=ids)
    mirror.store_pre_hires(page.items, asked_at=asked_at, origin=PUSHED)


def _read_offboardings(ids: list[str]) -> None:
    asked_at = timezone.now()
    page = remote.client().search_offboardings(employment_ids=ids)
    mirror.store_offboardings(page.items, asked_at=asked_at, origin=PUSHED)


READERS: dict[str, Callable[[list[str]], None]] = {
    events.PRE_HIRES: _read_pre_hires,
    events.OFFBOARDINGS: _read_offboardings,
}


def _chunks(items: list[Any]) -> list[list[Any]]:
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
