"""What must be true of every status change, checked on the rows and the log alone.

The portal promises these things (docs/operations.md has the list); here the data has to show
that they were kept. One person's changes are looked at together: their rows, their attempts,
and what the action log tells of them from the first entry on. A person whose changes move
while they are read is read again, so that work in progress is no violation.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from lifecycle.change_states import (
    EXCLUSIVE_STATUSES,
    FINAL_STATUSES,
    ChangeStatus,
    may_move,
    needs_a_person,
    never_a_person,
)
from lifecycle.models import ActionEntry, Attempt, StatusChange

Status = ChangeStatus

PEOPLE_AT_ONCE = 200
# An attempt whose lease ran out is taken up by the next sweep; this long it may take.
LEASE_GRACE = timedelta(seconds=30)
READ_AGAIN = 2
USES_BUDGET = ("applied", "rejected", "unknown")


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken promise. `invariant`: its number in docs/operations.md."""

    invariant: str
    person_id: int
    change_id: int
    sentence: str

    def __str__(self) -> str:
        return f"{self.invariant}, change {self.change_id}: {self.sentence}"


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the log about a change. `number`: of the attempt, None when about none."""

    seq: int
    ts: datetime
    change_id: int
    event: str
    actor_id: int | None
    data: dict[str, Any]

    @property
    def number(self) -> int | None:
        return self.data.get("number")

    @property
    def is_step(self) -> bool:
        return "to" in self.data


@dataclass
class Story:
    """A change, its attempts, and its entries in the log, each in order."""

    change: StatusChange
    attempts: list[Attempt] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    @property
    def steps(self) -> list[Told]:
        return [entry for entry in self.told if entry.is_step]

    @property
    def order(self) -> tuple[datetime, datetime, int]:
        return self.change.effective_at, self.change.created_at, self.change.pk


Found = Iterator[str]
Check = Callable[[Story, datetime], Found]


def violations(*, at: datetime | None = None) -> Iterator[Violation]:
    """Every broken promise in the database. `at`: the present, for what is overdue."""
    yield from _same_key_twice()
    people = StatusChange.objects.order_by("person_id").values_list("person_id", flat=True)
    for batch in _batches(people.distinct().iterator(chunk_size=PEOPLE_AT_ONCE)):
        found = _of_people(batch, at)
        for _ in range(READ_AGAIN):
            if not found:
                break
            found = _of_people({violation.person_id for violation in found}, at)
        yield from found


def _batches(people: Iterable[int]) -> Iterator[list[int]]:
    batch: list[int] = []
    for person in people:
        batch.append(person)
        if len(batch) == PEOPLE_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _of_people(people: Iterable[int], at: datetime | None) -> list[Violation]:
    at = at or timezone.now()
    found = []
    for person_id, stories in _stories(people).items():
        for story in stories:
            found += [
                Violation(number, person_id, story.change.pk, sentence)
                for number, check in EACH.items()
                for sentence in check(story, at)
            ]
        found += [
            Violation(number, person_id, change_id, sentence)
            for number, change_id, sentence in _among(stories)
        ]
    return found


def _stories(people: Iterable[int]) -> dict[int, list[Story]]:
    stories = {
        change.pk: Story(change)
        for change in StatusChange.objects.filter(person_id__in=people).order_by("pk")
    }
    for attempt in Attempt.objects.filter(change_id__in=stories).order_by("number", "pk"):
        stories[attempt.change_id].attempts.append(attempt)
    entries = ActionEntry.objects.filter(change_id__in=stories).order_by("seq")
    for seq, ts, change_id, event, actor_id, body in entries.values_list(
        "seq", "ts", "change_id", "event", "actor_id", "body"
    ):
        if change_id is not None:
            told = Told(seq, ts, change_id, event, actor_id, json.loads(body)["data"])
            stories[change_id].told.append(told)
    by_person: dict[int, list[Story]] = defaultdict(list)
    for story in stories.values():
        by_person[story.change.person_id].append(story)
    return by_person


# -- one change ---------------------------------------------------------------------------


def _end_fits_attempts(story: Story, _at: datetime) -> Found:
    """I1 to I3: as far as the answers tell, done once, or not at all."""
    change = story.change
    applied = sum(attempt.outcome == "applied" for attempt in story.attempts)
    unknown = sum(attempt.outcome == "unknown" for attempt in story.attempts)
    if applied > 1:
        yield f"Feishu confirmed it {applied} times"
    if change.status != Status.SUCCEEDED:
        if applied:
            yield f"Feishu confirmed it, and it stands as {change.status}"
        return
    match change.settled_via:
        case StatusChange.Via.ANSWER if not applied:
            yield "it counts as confirmed by Feishu, and no attempt was"
        case StatusChange.Via.READBACK if not unknown:
            yield "it counts as read back, and no attempt went without an answer"
        case StatusChange.Via.ALREADY if applied or unknown:
            yield "it counts as never sent, and an attempt may have taken effect"
        case StatusChange.Via.BY_HAND if not any(
            entry.actor_id for entry in story.steps if entry.data["to"] == Status.SUCCEEDED
        ):
            yield "it counts as decided by a person, and the log names nobody"


def _sent_as_confirmed(story: Story, _at: datetime) -> Found:
    """I4: one text, one hash, from the confirmation to each attempt."""
    change = story.change
    if hashlib.sha256(change.payload.encode()).hexdigest() != change.payload_hash:
        yield "its request is not the one its hash was made of"
    for attempt in story.attempts:
        if attempt.request_hash != change.payload_hash:
            yield f"attempt {attempt.number} is for another request"
    for entry in story.told:
        hashes = {entry.data.get("payload_hash"), entry.data.get("request_hash")} - {None}
        if hashes - {change.payload_hash}:
            yield f"entry {entry.seq} of the log names another request"


def _sent_when_due(story: Story, _at: datetime) -> Found:
    """I8, its second half: nothing before its day."""
    for attempt in story.attempts:
        if attempt.started_at < story.change.effective_at:
            yield f"attempt {attempt.number} was made before it took effect"


def _attempts_counted(story: Story, _at: datetime) -> Found:
    """I9: numbered without a gap, within the budget."""
    numbers = [attempt.number for attempt in story.attempts]
    if numbers != list(range(1, len(numbers) + 1)):
        yield f"its attempts are numbered {numbers}"
    used = sum(attempt.outcome in USES_BUDGET for attempt in story.attempts)
    if story.change.attempts_used != used:
        yield f"{story.change.attempts_used} attempts are counted, {used} were used up"
    if used > settings.ATTEMPT_BUDGET:
        yield f"{used} attempts were used up, {settings.ATTEMPT_BUDGET} are allowed"


def _steps_allowed(story: Story, _at: datetime) -> Found:
    """I10: only allowed steps, and none after the end."""
    for before, after in pairwise(story.steps):
        start, target = Status(before.data["to"]), Status(after.data["to"])
        if after.data.get("from") != start:
            yield f"entry {after.seq} starts from {after.data.get('from')}, it was {start}"
        elif start in FINAL_STATUSES:
            yield f"entry {after.seq} moves it from {start}, which is an end"
        elif not may_move(start, target):
            yield f"entry {after.seq} moves it from {start} to {target}"
        elif needs_a_person(start, target) and after.actor_id is None:
            yield f"entry {after.seq} moves it from {start} to {target}, and nobody decided that"
        elif never_a_person(start, target) and after.actor_id is not None:
            yield f"entry {after.seq} has a person move it from {start} to {target}"


# Entries that name an attempt and do not end it.
NO_END = ("change.sending", "change.answered_late")


def _told_once(story: Story, _at: datetime) -> Found:
    """I11: each step and each attempt has its one entry."""
    change, steps = story.change, story.steps
    if not steps or steps[0].event != "change.requested" or "from" in steps[0].data:
        yield "the log does not begin with the request"
        return
    if len(steps) - 1 != change.version:
        yield f"it has moved {change.version} times, the log tells {len(steps) - 1}"
    if steps[-1].data["to"] != change.status:
        yield f"it stands as {change.status}, the log says {steps[-1].data['to']}"
    sending = [entry.number for entry in story.told if entry.event == "change.sending"]
    made = [attempt.number for attempt in story.attempts]
    if sending != made:
        yield f"attempts {made} were made, the log tells of {sending}"
    answered = Counter(
        entry.number
        for entry in story.told
        if entry.event not in NO_END and entry.number is not None
    )
    finished = Counter(attempt.number for attempt in story.attempts if attempt.finished_at)
    if answered != finished:
        yield (
            f"attempts {sorted(finished.elements())} have ended,"
            f" the log tells of {sorted(answered.elements())}"
        )


def _goes_on(story: Story, at: datetime) -> Found:
    """I12: what is on its way comes back. (That what waits has a time to be looked at is a
    constraint of the database.)"""
    change = story.change
    running = [attempt for attempt in story.attempts if attempt.finished_at is None]
    if (change.status == Status.IN_FLIGHT) != (len(running) == 1):
        yield f"it stands as {change.status} with {len(running)} attempts running"
    for attempt in running:
        if attempt.lease_until + LEASE_GRACE < at:
            yield f"attempt {attempt.number} should have ended by {attempt.lease_until:%F %T %Z}"


def _looked_twice(story: Story, _at: datetime) -> Found:
    """I16: "not applied" only after the wait, and from two readings."""
    earliest: datetime | None = None
    deadline: datetime | None = None
    for entry in story.told:
        if entry.event == "change.sending":
            deadline = datetime.fromisoformat(entry.data["deadline_at"])
        elif entry.event == "change.verifying":
            earliest = _first_look(entry)
            if deadline is not None and earliest < deadline:
                yield f"entry {entry.seq} lets it be read before the attempt's deadline"
        elif _is_not_applied(entry):
            first = entry.data.get("first_read_at")
            if earliest is None or first is None:
                yield f"entry {entry.seq} calls it not applied without two readings"
            elif not earliest <= datetime.fromisoformat(first) < entry.ts:
                yield f"entry {entry.seq} calls it not applied too early"


def _first_look(verifying: Told) -> datetime:
    """When the first look was due; at once when a person asked for it."""
    due = verifying.data.get("next_run_at")
    return datetime.fromisoformat(due) if due else verifying.ts


def _is_not_applied(entry: Told) -> bool:
    return entry.event == "change.not_applied" or (
        entry.event == "change.needs_attention" and entry.data["problem"] == "change.not-applied"
    )


EACH: dict[str, Check] = {
    "I1-I3": _end_fits_attempts,
    "I4": _sent_as_confirmed,
    "I8": _sent_when_due,
    "I9": _attempts_counted,
    "I10": _steps_allowed,
    "I11": _told_once,
    "I12": _goes_on,
    "I16": _looked_twice,
}


# -- the changes of one person ------------------------------------------------------------


def _among(stories: list[Story]) -> Iterator[tuple[str, int, str]]:
    """I7 and I8: the log of one person played again, one change under way at a time, and
    none sent while an earlier one waits."""
    by_id = {story.change.pk: story for story in stories}
    status: dict[int, str] = {}
    told = sorted((entry for story in stories for entry in story.told), key=lambda e: e.seq)
    for entry in told:
        if not entry.is_step:
            continue
        others = {pk: stands for pk, stands in status.items() if pk != entry.change_id}
        status[entry.change_id] = target = entry.data["to"]
        under_way = [pk for pk, stands in others.items() if stands in EXCLUSIVE_STATUSES]
        if target in EXCLUSIVE_STATUSES and under_way:
            yield "I7", entry.change_id, f"change {under_way[0]} was under way at entry {entry.seq}"
        if entry.event == "change.sending":
            for pk, stands in others.items():
                if stands == Status.APPROVED and by_id[pk].order < by_id[entry.change_id].order:
                    yield "I8", entry.change_id, f"it was sent before change {pk}, which is earlier"
    now = [story.change.pk for story in stories if story.change.status in EXCLUSIVE_STATUSES]
    if len(now) > 1:
        yield "I7", now[1], f"change {now[0]} of the same person is under way as well"


# -- all changes --------------------------------------------------------------------------


def _same_key_twice() -> Iterator[Violation]:
    """I15: the same form is the same change."""
    keys = StatusChange.objects.values("submission_key").annotate(times=Count("pk"))
    for key in keys.filter(times__gt=1).values_list("submission_key", flat=True):
        changes = list(StatusChange.objects.filter(submission_key=key).order_by("pk"))
        yield Violation(
            "I15",
            changes[1].person_id,
            changes[1].pk,
            f"it comes from the same form as change {changes[0].pk}",
        )
