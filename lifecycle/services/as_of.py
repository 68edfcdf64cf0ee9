"""A person on a past day, rebuilt from the log.

What the portal saw of a record stands in the log twice for each change: before it was asked
for (the hash of those facts is chained), and after Feishu had done it. Between two such
sightings anything may have been edited in Feishu without the portal knowing; where the next
sighting differs, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from lifecycle import action_log, policies
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.plan import image_hash
from lifecycle.errors.words import Words
from lifecycle.models import ActionEntry, Person, StatusChange
from lifecycle.policies import Someone
from lifecycle.queries.narrowing import start_of

UNKNOWN = Words("—", "—")
MOST_CHANGES = 200
MOST_ENTRIES = 200


@dataclass(frozen=True, slots=True)
class Sighting:
    """One field of one record as the portal saw it at one moment."""

    subject: tuple[str, str]
    label: Words
    value: Words
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class FieldThen:
    """`then`: the last sighting up to the day, None when there was none yet. `next`: the first
    one after it."""

    subject: tuple[str, str]
    label: Words
    then: Sighting | None
    next: Sighting | None

    @property
    def differs_later(self) -> bool:
        """The next sighting shows something else, so it changed in between."""
        return bool(self.then and self.next and self.then.value != self.next.value)


@dataclass(frozen=True, slots=True)
class AsOf:
    """`doubtful`: entries whose facts are no longer those that were logged; they are left out."""

    fields: list[FieldThen]
    entries: list[ActionEntry]
    doubtful: list[int]


def person_on(user: Someone, person: Person, day: date) -> AsOf:
    """The person at the end of this day, as far as this user may see; five queries."""
    end = start_of(day + timedelta(days=1))
    changes = list(policies.visible_changes(user).filter(person=person)[:MOST_CHANGES])
    entries = _first_and_last(user, changes)
    doubtful: list[int] = []
    sightings = [
        sighting
        for change in changes
        for sighting in _sightings(change, entries.get(change.pk, {}), doubtful)
    ]
    happened = policies.visible_entries(user).filter(person_ref=person.pk, ts__lt=end)
    return AsOf(
        _fields(sightings, end), list(happened.order_by("-seq")[:MOST_ENTRIES]), sorted(doubtful)
    )


def _first_and_last(
    user: Someone, changes: list[StatusChange]
) -> dict[int, dict[str, ActionEntry]]:
    """The entries that say when a change was asked for and when it was done."""
    found: dict[int, dict[str, ActionEntry]] = {}
    named = policies.visible_entries(user).filter(
        change_id__in=[change.pk for change in changes],
        event__in=("change.requested", "change.succeeded"),
    )
    for entry in named.order_by("seq"):
        found.setdefault(entry.change_id or 0, {})[entry.event] = entry
    return found


def _sightings(
    change: StatusChange, entries: dict[str, ActionEntry], doubtful: list[int]
) -> Iterator[Sighting]:
    asked = entries.get("change.requested")
    if asked is None:
        return
    said = action_log.data_in(asked.body) or {}
    if said.get("pre_image_hash") != image_hash(change.pre_image):
        doubtful.append(asked.seq)
        return
    subject = (change.kind, change.subject_id)
    for fact in kind_named(change.kind).shown_facts(change.pre_image):
        yield Sighting(subject, fact.label, fact.value, asked.ts, asked.seq)
    done = entries.get("change.succeeded")
    if done is not None:
        for field in change.plan.get("fields", []):
            label, value = Words(**field["label"]), Words(**field["after"])
            yield Sighting(subject, label, value, done.ts, done.seq)


def _fields(sightings: list[Sighting], end: datetime) -> list[FieldThen]:
    """One row for each field of each record; what two verbs show under one name is one field."""
    by_field: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in sorted(sightings, key=lambda one: one.seq):
        if sighting.value != UNKNOWN:
            by_field.setdefault((sighting.subject[1], sighting.label.en), []).append(sighting)
    rows = []
    for seen in by_field.values():
        before = [sighting for sighting in seen if sighting.at < end]
        after = [sighting for sighting in seen if sighting.at >= end]
        then, following = (before[-1] if before else None), (after[0] if after else None)
        rows.append(FieldThen(seen[0].subject, seen[0].label, then, following))
    return rows
