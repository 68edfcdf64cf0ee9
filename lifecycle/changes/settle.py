"""Finding out what became of a request that got no clear answer.

Feishu is read no earlier than the attempt's deadline plus the settle time of its endpoint:
until then it could still be at work. "Not applied" takes two reads apart from each other.
Anything that is neither what was before nor what was wanted goes to a person. This module
looks and judges; `protocol` acts on the verdict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Any

from django.conf import settings

from lifecycle import remote
from lifecycle.changes.kinds import Kind, RecordMissing
from lifecycle.changes.plan import image_hash
from lifecycle.errors.problems import FeishuUnreadable
from lifecycle.models import StatusChange

LOOK_AGAIN_AFTER = timedelta(seconds=15)


class Verdict(Enum):
    """What one look at Feishu says about a change."""

    APPLIED = auto()
    NOT_APPLIED = auto()
    NOT_APPLIED_TOO_OFTEN = auto()
    CANNOT_TELL = auto()
    CONFLICT = auto()
    LOOK_AGAIN = auto()
    UNREADABLE_TOO_LONG = auto()


@dataclass(frozen=True, slots=True)
class Look:
    """`next_at` and `unapplied_at` matter only to LOOK_AGAIN."""

    verdict: Verdict
    facts: Mapping[str, Any] | None = None
    next_at: datetime | None = None
    unapplied_at: datetime | None = None


def look(change: StatusChange, kind: Kind[Any], *, at: datetime) -> Look:
    """Read the record once and judge. `at`: when the question is asked."""
    try:
        with remote.reading():
            payload = kind.read(change.subject_id, remote.client())
    except RecordMissing:
        return Look(Verdict.CONFLICT)
    except (FeishuUnreadable, remote.errors.Refused):
        since = change.verifying_since or at
        if at - since > settings.SETTLE_GIVE_UP:
            return Look(Verdict.UNREADABLE_TOO_LONG)
        return Look(
            Verdict.LOOK_AGAIN,
            next_at=at + LOOK_AGAIN_AFTER,
            unapplied_at=change.unapplied_read_at,
        )
    kind.store(payload, asked_at=at)
    return judge(change, kind, kind.facts(payload), at=at)


def judge(change: StatusChange, kind: Kind[Any], facts: Mapping[str, Any], *, at: datetime) -> Look:
    """What the facts, read at `at`, say about the change."""
    if not kind.shows_result:
        return Look(Verdict.CANNOT_TELL, facts)
    call = remote.Call.from_canonical(change.payload)
    if kind.holds(call, facts):
        return Look(Verdict.APPLIED, facts)
    if image_hash(facts) != change.pre_image_hash:
        return Look(Verdict.CONFLICT, facts)
    first = change.unapplied_read_at
    if first is None or at - first < settings.SETTLE_READ_GAP:
        # One read is not enough: what answers reads may be behind what takes writes.
        first = first or at
        return Look(Verdict.LOOK_AGAIN, facts, first + settings.SETTLE_READ_GAP, first)
    has_attempts_left = change.attempts_used < settings.ATTEMPT_BUDGET
    if has_attempts_left and kind.may_send_again(call, facts):
        return Look(Verdict.NOT_APPLIED, facts)
    return Look(Verdict.NOT_APPLIED_TOO_OFTEN, facts)
