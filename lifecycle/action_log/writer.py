"""The one writer of the action log.

An entry is written in the same transaction as what it describes. Its hash covers the entry
before it, so that nothing can be edited, removed or put in between without showing.
Personal data and free text stay out of the chained text: they are kept beside it as
PrivateValue, and only a salted SHA-256 of them is chained.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from lifecycle.action_log.events import EVENTS, HOLD_PLACED, HOLD_RELEASED, PERSON_ERASED
from lifecycle.evidence.hashes import SALT_BYTES, canonical, commitment, entry_hash
from lifecycle.evidence.parts import data_in
from lifecycle.models import (
    ActionEntry,
    ActionLogHead,
    LegalHold,
    Person,
    PrivateValue,
    StatusChange,
    User,
)
from lifecycle.transactions import whole

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
PART = APPENDED_AT_ONCE = 500
# Beside every entry made by somebody at a browser: the address the request came from.
ADDRESS = "address"
_address: ContextVar[str] = ContextVar("address", default="")


class UnknownEvent(Exception):
    """An event or a key that is not listed in events.py."""


def record(
    event: str,
    *,
    actor: User | None,
    at: datetime | None = None,
    change: StatusChange | None = None,
    person: Person | None = None,
    data: Mapping[str, Any] | None = None,
    private: Mapping[str, str] | None = None,
) -> ActionEntry:
    """Append one entry, inside the caller's transaction.

    `actor`: who did it, None for the portal itself. `private`: personal data and free
    text, by field. Raises UnknownEvent for an event or key that is not listed.
    """
    entry = ActionEntry(
        ts=at or timezone.now(),
        actor_id=actor.pk if actor else None,
        role=actor.role if actor else "",
        event=event,
        person_ref=person.pk if person else (change.person_id if change else None),
        change_id=change.pk if change else None,
    )
    _append([_Draft(entry, dict(data or {}), dict(private or {}))])
    return entry


@dataclass(frozen=True, slots=True)
class Observation:
    """What a reading of Feishu has shown about one person's record."""

    person_id: int
    data: Mapping[str, Any]
    private: Mapping[str, str]


def record_observations(event: str, seen: Sequence[Observation], *, at: datetime) -> None:
    """Append an entry of the portal's own for each, with a fixed number of queries, inside the
    caller's transaction. Raises UnknownEvent as `record` does."""
    _append(
        [
            _Draft(
                ActionEntry(ts=at, event=event, role="", person_ref=one.person_id),
                dict(one.data),
                dict(one.private),
            )
            for one in seen
        ]
    )


@dataclass(frozen=True, slots=True)
class _Draft:
    """An entry that has no number yet. `data`, `private`: what its text says and hides."""

    entry: ActionEntry
    data: dict[str, Any]
    private: dict[str, str]


def _append(drafts: Sequence[_Draft]) -> None:
    """Number the drafts, chain them to the end of the log, and store them."""
    if not drafts:
        return
    where = _where()
    for draft in drafts:
        _check_keys(draft.entry.event, draft.data, draft.private | where)
    # Without a savepoint: whoever cannot write the entry cannot do what it is about either.
    with transaction.atomic(savepoint=False):
        head = _locked_head()
        values = _chain(drafts, head, where)
        entries = [draft.entry for draft in drafts]
        ActionEntry.objects.bulk_create(entries, batch_size=APPENDED_AT_ONCE)
        PrivateValue.objects.bulk_create(values, batch_size=APPENDED_AT_ONCE)
        newest = entries[-1]
        ActionLogHead.objects.filter(pk=head.pk).update(seq=newest.seq, hash=newest.hash)


def _chain(
    drafts: Sequence[_Draft], head: ActionLogHead, where: dict[str, str]
) -> list[PrivateValue]:
    """Give each draft its number, text and hash; the private values that stand beside them."""
    seq, prev, values = head.seq, head.hash, []
    for draft in drafts:
        entry, beside = draft.entry, draft.private | where
        salted = {name: (secrets.token_hex(SALT_BYTES), value) for name, value in beside.items()}
        commitments = {f"private_{name}": commitment(*pair) for name, pair in salted.items()}
        entry.seq, entry.prev = seq + 1, prev
        entry.body = canonical(_columns(entry) | {"data": draft.data | commitments})
        entry.hash = entry_hash(prev, entry.body)
        seq, prev = entry.seq, entry.hash
        values += [
            PrivateValue(seq=seq, field=name, salt=salt, value=value)
            for name, (salt, value) in salted.items()
        ]
    return values


def lock_end() -> None:
    """Let nobody else append until the caller's transaction ends, so that what it finds in the
    log is still so when its own entry follows."""
    _locked_head()


@contextmanager
def coming_from(address: str) -> Iterator[None]:
    """Entries recorded inside carry this network address as a private value."""
    token = _address.set(address[:64])
    try:
        yield
    finally:
        _address.reset(token)


def erase_private(*, before: datetime, days: int) -> int:
    """Erase what stands beside entries older than this, in parts, each together with the entry
    that says how much it was; how much in all.

    Nothing is erased of people under a legal hold. The chain itself is never touched: it holds
    fingerprints only, and still verifies.
    """
    # Whole seconds, so that the entry names the very moment that was meant.
    before = before.replace(microsecond=0)
    erased, last = 0, 0
    while True:
        due = _values_of(ActionEntry.objects.filter(ts__lt=before), held=people_under_hold())
        some = list(due.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PART])
        if not some:
            return erased
        last = some[-1]
        erased += _erase_part(some, before=before, days=days)


@whole
def _erase_part(some: Collection[int], *, before: datetime, days: int) -> int:
    held = people_under_hold()
    free = _values_of(ActionEntry.objects.all(), held=held)
    values = free.filter(pk__in=some).delete()[0]
    if values:
        data = {"values": values, "until": before.isoformat(timespec="seconds"), "days": days}
        record("log.private_erased", actor=None, data=data | {"holds": len(held)})
    return values


def erase_person(person: Person, *, reason: str, actor: User | None) -> int:
    """Erase what stands beside all entries of a person up to now, and log how much that was,
    inside the caller's transaction. The reasons of earlier erasures stay."""
    entries = ActionEntry.objects.filter(person_ref=person.pk).exclude(event=PERSON_ERASED)
    values = PrivateValue.objects.filter(seq__in=entries.order_by().values("seq")).delete()[0]
    if values:
        data = {"values": values} | ({"at_command_line": True} if actor is None else {})
        private = {"reason": reason}
        record(PERSON_ERASED, actor=actor, person=person, data=data, private=private)
    return values


def _values_of(entries: QuerySet[ActionEntry], *, held: Collection[int]) -> QuerySet[PrivateValue]:
    """What stands beside these entries, but for people under a hold. Asked value by value, so
    that a part of it is found without going through the whole log."""
    free = entries.exclude(person_ref__in=held) if held else entries
    return PrivateValue.objects.filter(Exists(free.order_by().filter(seq=OuterRef("seq"))))


def people_under_hold() -> set[int]:
    """Everybody under a legal hold. A row alone does not lift one: as long as the log does not
    say that it was released, it lasts."""
    by_row = LegalHold.objects.filter(released_at=None).values_list("person_id", flat=True)
    return {*by_row, *(person for _, person in holds_in_the_log())}


def holds_in_the_log() -> set[tuple[int, int]]:
    """(hold, person) of each hold that was placed and not released, by the entries alone. An
    entry that cannot be read counts as hold 0."""
    said = ActionEntry.objects.filter(event__in=(HOLD_PLACED, HOLD_RELEASED)).order_by("seq")
    held: set[tuple[int, int]] = set()
    for event, person, body in said.values_list("event", "person_ref", "body").iterator():
        number = (data_in(body) or {}).get("hold")
        hold = number if isinstance(number, int) else 0
        if event == HOLD_RELEASED:
            held.discard((hold, person))
        elif person is not None:
            held.add((hold, person))
    return held


def _where() -> dict[str, str]:
    address = _address.get()
    return {ADDRESS: address} if address else {}


def _check_keys(event: str, data: Mapping[str, Any], private: Mapping[str, str]) -> None:
    if event not in EVENTS:
        raise UnknownEvent(event)
    named = {*data, *(f"private_{name}" for name in private)}
    unknown = named - EVENTS[event].keys - {f"private_{ADDRESS}"}
    if unknown:
        raise UnknownEvent(f"{event}: {sorted(unknown)}")


def _locked_head() -> ActionLogHead:
    head, _ = ActionLogHead.objects.select_for_update().get_or_create(pk=1)
    return head


def _columns(entry: ActionEntry) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "ts": (entry.ts - EPOCH) // MICROSECOND,
        "actor": entry.actor_id,
        "role": entry.role,
        "event": entry.event,
        "person": entry.person_ref,
        "change": entry.change_id,
    }
