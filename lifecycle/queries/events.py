"""What has changed in Feishu: the feed, and the sentences in which it is told."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.db.models import Q, QuerySet

from lifecycle import policies, watched
from lifecycle.errors.words import Words
from lifecycle.models import ChangeEvent, Employee, Employment, FeedMark, PreHire, User
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.queries.names import (
    catalogue_names,
    contact_names,
    department_names,
    departments_below,
)
from lifecycle.watched import Shows, Watched

What, Source = ChangeEvent.What, ChangeEvent.Source
FEED_ORDER = ("-pk",)
# More news than this are not counted.
MOST_COUNTED = 99
NOTHING = Words("空", "empty")
BY = {
    Source.OURS: Words("由本门户修改", "changed here"),
    Source.CONSOLE: Words("在飞书后台修改", "changed in Feishu"),
    Source.PUSH: Words("在飞书后台修改，由飞书推送", "changed in Feishu, which announced it"),
}
DEPARTMENT_LENGTH = 64
FIELDS = frozenset(
    f"{kind.name}.{field.name}" for kind in watched.KINDS.values() for field in kind.fields
)


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """What the feed is narrowed to. `field`: the kind and the field, as in
    "pre-hires.onboards_on"; `only`: "unread", "alerts" or ""."""

    kind: str = ""
    field: str = ""
    source: str = ""
    department: str = ""
    only: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str]) -> FeedFilter:
        kind, field = params.get("kind", ""), params.get("field", "")
        source, only = params.get("source", ""), params.get("only", "")
        return cls(
            kind=kind if kind in watched.BY_NAME else "",
            field=field if field in FIELDS else "",
            source=source if source in Source.values else "",
            department=params.get("department", "").strip()[:DEPARTMENT_LENGTH],
            only=only if only in ("unread", "alerts") else "",
        )

    def with_only(self, only: str) -> FeedFilter:
        return replace(self, only=only)

    @property
    def tab(self) -> str:
        return self.only or "all"

    @property
    def is_narrow(self) -> bool:
        return self != FeedFilter()

    def query_string(self, **more: str) -> str:
        values = {
            "kind": self.kind,
            "field": self.field,
            "source": self.source,
            "department": self.department,
            "only": self.only,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, events: QuerySet[ChangeEvent], *, last_seen: int) -> QuerySet[ChangeEvent]:
        if self.kind:
            events = events.filter(record_kind=self.kind)
        if self.field:
            kind, _, field = self.field.partition(".")
            events = events.filter(record_kind=kind, field=field)
        if self.source:
            events = events.filter(source=self.source)
        if self.department:
            events = events.filter(_in_department(self.department))
        if self.only == "alerts":
            events = events.exclude(alert="")
        if self.only == "unread":
            events = events.filter(pk__gt=last_seen)
        return events


def _in_department(department_id: str) -> Q:
    """The event's own, or where its person works or is to work."""
    below = departments_below(department_id)
    there = Q(department_id__in=below)
    for rows in (Employee.objects, PreHire.objects, Employment.objects):
        people = rows.filter(department_id__in=below).order_by().values("person_id")
        there |= Q(person_id__in=people)
    return there


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event in words. `sentence` goes on after the name."""

    event: ChangeEvent
    sentence: Words
    alert: Words | None
    is_unread: bool = False

    @property
    def alone(self) -> Words:
        """The sentence without a name before it."""
        en = self.sentence.en.removeprefix("— ")
        return Words(self.sentence.zh.removeprefix("的"), en[:1].upper() + en[1:])

    @property
    def name(self) -> str:
        return self.event.person.name or self.event.feishu_id


def feed_page(
    user: Someone, narrowed: FeedFilter, params: Mapping[str, str], *, last_seen: int
) -> Page[ChangeEvent]:
    """One page of the feed, newest first."""
    events = policies.visible_events(user).select_related("person")
    return page_by_key(narrowed.apply(events, last_seen=last_seen), params, order=FEED_ORDER)


def last_seen(user: Someone) -> int:
    """Up to where this user has read the feed."""
    if not isinstance(user, User):
        return 0
    return FeedMark.objects.filter(user=user).values_list("last_seen", flat=True).first() or 0


def count_events_after(user: Someone, pk: int) -> int:
    """How many there are since, MOST_COUNTED + 1 for more than can be counted quickly."""
    return policies.visible_events(user).filter(pk__gt=pk)[: MOST_COUNTED + 1].count()


def newest_event(user: Someone) -> int:
    return policies.visible_events(user).order_by("-pk").values_list("pk", flat=True).first() or 0


def outside_events(user: Someone, person_id: int, *, limit: int) -> list[ToldEvent]:
    """What was done to this person outside the portal, the latest first."""
    events = policies.visible_events(user).filter(person_id=person_id).exclude(source=Source.OURS)
    return told(events.select_related("person").order_by("-pk")[:limit])


# -- in words -----------------------------------------------------------------------------


def told(events: Iterable[ChangeEvent], *, last_seen: int | None = None) -> list[ToldEvent]:
    """Events in words; three queries for the names at most, whatever the number."""
    rows = list(events)
    names = _names_in(rows)
    return [
        ToldEvent(
            row,
            _sentence(row, names),
            watched.ALERTS.get(row.alert),
            is_unread=last_seen is not None and row.pk > last_seen,
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class SeenField:
    """A field of a record before and after somebody changed it in Feishu, in words."""

    field: Watched
    before: Words
    after: Words

    @property
    def label(self) -> Words:
        return self.field.label


def seen_fields(record_kind: str, values: str) -> list[SeenField]:
    """The values an entry of the log keeps beside the chain, as JSON of [field, before, after];
    three queries for the names at most. What cannot be read is left out."""
    return seen_fields_of_all([(record_kind, values)])[0]


def seen_fields_of_all(told: Sequence[tuple[str, str]]) -> list[list[SeenField]]:
    """The same for several entries, each with its kind of record; as many queries."""
    by_entry = [_kept_events(record_kind, values) for record_kind, values in told]
    names = _names_in([event for events in by_entry for event in events])
    return [
        [
            SeenField(
                field,
                _value_words(field, event.before, names),
                _value_words(field, event.after, names),
            )
            for event in events
            if (kind := watched.BY_NAME.get(event.record_kind))
            and (field := kind.field(event.field))
        ]
        for events in by_entry
    ]


def _kept_events(record_kind: str, values: str) -> list[ChangeEvent]:
    try:
        rows = [[str(part) for part in row] for row in json.loads(values or "[]")]
        return [
            ChangeEvent(record_kind=record_kind, field=field, before=before, after=after)
            for field, before, after in rows
        ]
    except (ValueError, TypeError):
        return []


def _sentence(event: ChangeEvent, names: Mapping[Shows, Mapping[str, str]]) -> Words:
    kind = watched.BY_NAME.get(event.record_kind)
    label = kind.label if kind else Words(event.record_kind, event.record_kind)
    by = BY[Source(event.source)]
    if event.what == What.CAME:
        return Words(f"新增{label.zh}记录，{by.zh}", f"— a new {label.en}, {by.en}")
    if event.what == What.GONE:
        return Words(f"的{label.zh}记录已不在飞书中，{by.zh}", f"— {label.en} is gone, {by.en}")
    field = kind.field(event.field) if kind else None
    if field is None:
        return Words(f"的{label.zh}记录有变动", f"— {label.en} has changed")
    return _change_in_words(event, label, field, names, by)


def _change_in_words(
    event: ChangeEvent,
    label: Words,
    field: Watched,
    names: Mapping[Shows, Mapping[str, str]],
    by: Words,
) -> Words:
    if field.shows is Shows.HIDDEN:
        return Words(
            f"的{field.label.zh}（{label.zh}）已改动，{by.zh}",
            f"— {field.label.en} ({label.en}) has changed, {by.en}",
        )
    before, after = (_value_words(field, one, names) for one in (event.before, event.after))
    return Words(
        f"的{field.label.zh}（{label.zh}）{before.zh} → {after.zh}，{by.zh}",
        f"— {field.label.en} ({label.en}) {before.en} → {after.en}, {by.en}",
    )


def _value_words(field: Watched, value: str, names: Mapping[Shows, Mapping[str, str]]) -> Words:
    if not value:
        return NOTHING
    if field.choices and value in field.choices:
        return field.choices[value]
    if field.shows is Shows.SPLIT:
        text = "、".join(f"{line}%" for line in value.split(","))
        return Words(text, text.replace("、", ", "))
    name = names.get(field.shows, {}).get(value) or value
    return Words(name, name)


def _names_in(events: Sequence[ChangeEvent]) -> dict[Shows, dict[str, str]]:
    wanted: dict[Shows, set[str]] = {}
    lists: set[str] = set()
    for event in events:
        kind = watched.BY_NAME.get(event.record_kind)
        field = kind.field(event.field) if kind else None
        if field is not None:
            wanted.setdefault(field.shows, set()).update({event.before, event.after} - {""})
            lists.update(field.entries)
    found = {}
    if wanted.get(Shows.DEPARTMENT):
        found[Shows.DEPARTMENT] = department_names(wanted[Shows.DEPARTMENT])
    if wanted.get(Shows.CONTACT):
        found[Shows.CONTACT] = contact_names(wanted[Shows.CONTACT])
    if wanted.get(Shows.ENTRY):
        found[Shows.ENTRY] = catalogue_names(wanted[Shows.ENTRY], *sorted(lists))
    return found
