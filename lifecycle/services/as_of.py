"""A person on a past day, rebuilt from the log.

What the portal saw of a record stands in the log twice for each change: before it was asked
for (the hash of those facts is chained), and after Feishu had done it. What a reading found
edited in Feishu itself stands there too, with its values beside the chain as long as they are
kept. Between two such sightings something may still have been edited without the portal
knowing; where the next sighting differs, that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle import action_log, policies, queries, watched
from lifecycle.changes.kinds import kind_named
from lifecycle.changes.plan import image_hash
from lifecycle.errors.words import Words
from lifecycle.models import ActionEntry, Person, PrivateValue, StatusChange
from lifecycle.policies import Someone
from lifecycle.queries.narrowing import start_of

UNKNOWN = Words("—", "—")
ERASED = Words("（内容已按期限删除）", "(the value is no longer kept)")
HIDDEN = Words("已改动（内容不留存）", "changed (the text is not kept)")
# How many of the newest changes, changes in Feishu, and entries up to the day are looked at.
MOST = 200
SEEN_OUTSIDE = "record.changed_in_feishu"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One field of one record as the portal saw it at one moment.

    `record`: the kind of record where it was found changed in Feishu itself; `was`: what it
    was before that.
    """

    subject: tuple[str, str]
    label: Words
    value: Words
    at: datetime
    seq: int
    record: Words | None = None
    was: Words | None = None

    @property
    def is_outside(self) -> bool:
        """Found changed outside the portal."""
        return self.record is not None


@dataclass(frozen=True, slots=True)
class FieldThen:
    """`then`: the last sighting up to the day, None when there was none yet. `next`: the first
    one after it."""

    subject: tuple[str, str]
    label: Words
    then: Sighting | None
    next: Sighting | None
    record: Words | None = None

    @property
    def differs_later(self) -> bool:
        """The next sighting shows something else, so it changed in between. A verb and a
        reading write some values differently in English."""
        return bool(self.then and self.next and self.then.value.zh != self.next.value.zh)


@dataclass(frozen=True, slots=True)
class AsOf:
    """`doubtful`: entries whose facts are no longer those that were logged; they are left out.
    `is_cut`, `entries_are_cut`: there is more than was looked at, or than is listed."""

    fields: list[FieldThen]
    entries: list[ActionEntry]
    doubtful: list[int]
    is_cut: bool = False
    entries_are_cut: bool = False


def person_on(user: Someone, person: Person, day: date) -> AsOf:
    """The person at the end of this day, as far as this user may see; eight queries at most."""
    end = start_of(day + timedelta(days=1))
    changes = list(policies.visible_changes(user).filter(person=person)[: MOST + 1])
    about = policies.visible_entries(user).filter(person_ref=person.pk)
    outside = list(about.filter(event=SEEN_OUTSIDE).order_by("-seq")[: MOST + 1])
    happened = list(about.filter(ts__lt=end).order_by("-seq")[: MOST + 1])
    entries = _first_and_last(user, changes[:MOST])
    doubtful: list[int] = []
    sightings = [
        sighting
        for change in changes[:MOST]
        for sighting in _sightings(change, entries.get(change.pk, {}), doubtful)
    ]
    sightings += _outside_sightings(outside[:MOST], doubtful)
    return AsOf(
        _fields(sightings, end),
        happened[:MOST],
        sorted(doubtful),
        is_cut=len(changes) > MOST or len(outside) > MOST,
        entries_are_cut=len(happened) > MOST,
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


def _outside_sightings(entries: Sequence[ActionEntry], doubtful: list[int]) -> Iterator[Sighting]:
    """What readings have found changed in Feishu itself; four queries at most."""
    numbers = [entry.seq for entry in entries]
    values = PrivateValue.objects.filter(seq__in=numbers, field="values")
    beside = {value.seq: value for value in values}
    told: list[tuple[ActionEntry, dict[str, Any], str]] = []
    for entry in entries:
        data = action_log.data_in(entry.body) or {}
        kept = beside.get(entry.seq)
        if kept and action_log.commitment(kept.salt, kept.value) != data.get("private_values"):
            doubtful.append(entry.seq)
        else:
            told.append((entry, data, kept.value if kept else ""))
    seen = queries.seen_fields_of_all(
        [(str(data.get("record_kind")), values) for _, data, values in told]
    )
    for (entry, data, kept_text), fields in zip(told, seen, strict=True):
        yield from _of_record(entry, data, fields, is_erased=not kept_text)


def _of_record(
    entry: ActionEntry,
    data: dict[str, Any],
    fields: Sequence[queries.SeenField],
    *,
    is_erased: bool,
) -> Iterator[Sighting]:
    """What one entry says of one record: its fields, or that it came or is gone."""
    kind = watched.BY_NAME.get(str(data.get("record_kind")))
    if kind is None:
        return
    subject, record = (kind.name, str(data.get("subject_id"))), kind.label
    names = [str(name) for name in data.get("fields") or []]

    def seen(label: Words, value: Words, was: Words | None = None) -> Sighting:
        label = Words(label.zh, f"{label.en[:1].upper()}{label.en[1:]}")
        return Sighting(subject, label, value, entry.ts, entry.seq, record, was)

    if not names:
        how = action_log.HOW_SEEN.get(str(data.get("what")), UNKNOWN)
        yield seen(Words(f"{record.zh}记录", f"{record.en} record"), how)
    elif is_erased:
        yield from (seen(field.label, ERASED) for field in map(kind.field, names) if field)
    for one in fields:
        if one.field.shows is watched.Shows.HIDDEN:
            yield seen(one.label, HIDDEN)
        else:
            yield seen(one.label, one.after, one.before)


def _fields(sightings: list[Sighting], end: datetime) -> list[FieldThen]:
    """One row for each field of each record; what verbs and readings show under one name is one
    field. Their Chinese names agree, the English ones do not always."""
    by_field: dict[tuple[str, str], list[Sighting]] = {}
    for sighting in sorted(sightings, key=lambda one: one.seq):
        if sighting.value != UNKNOWN:
            by_field.setdefault((sighting.subject[1], sighting.label.zh), []).append(sighting)
    rows = []
    for seen in by_field.values():
        before = [sighting for sighting in seen if sighting.at < end]
        after = [sighting for sighting in seen if sighting.at >= end]
        then, following = (before[-1] if before else None), (after[0] if after else None)
        record = next((sighting.record for sighting in seen if sighting.record), None)
        rows.append(FieldThen(seen[0].subject, seen[0].label, then, following, record))
    return rows
