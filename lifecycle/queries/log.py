"""The action log: its list, and one entry among the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db.models import QuerySet

from lifecycle import action_log, policies
from lifecycle.errors.words import Words
from lifecycle.models import (
    ActionEntry,
    Attempt,
    Employee,
    LogCheckpoint,
    LogVerification,
    Person,
    StatusChange,
    User,
)
from lifecycle.paging import Page, page_by_key
from lifecycle.policies import Someone
from lifecycle.queries.names import departments_below
from lifecycle.queries.narrowing import (
    SEARCH_LENGTH,
    read_day,
    read_number,
    search_condition,
    start_of,
)

ENTRY_ORDER = ("-pk",)


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What the action log is narrowed to; days are the tenant's, both included."""

    event: str = ""
    q: str = ""
    since: date | None = None
    until: date | None = None
    log_id: str = ""
    change: int | None = None
    person: int | None = None
    actor: int | None = None
    verb: str = ""
    outcome: str = ""
    department: str = ""

    @classmethod
    def read(cls, params: Mapping[str, str], *, events: Iterable[str]) -> EntryFilter:
        event = params.get("event", "")
        return cls(
            event=event if event in set(events) else "",
            q=params.get("q", "").strip()[:SEARCH_LENGTH],
            since=read_day(params.get("since", "")),
            until=read_day(params.get("until", "")),
            log_id=params.get("log_id", "").strip()[:128],
            change=read_number(params.get("change", "")),
            person=read_number(params.get("person", "")),
            actor=read_number(params.get("actor", "")),
            verb=_one_of(params.get("verb", ""), action_log.VERBS),
            outcome=_one_of(params.get("outcome", ""), StatusChange.Status.values),
            department=params.get("department", "")[:64],
        )

    @property
    def is_narrow(self) -> bool:
        return self != EntryFilter()

    def query_string(self, **more: str) -> str:
        values = {
            "event": self.event,
            "q": self.q,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
            "log_id": self.log_id,
            "change": _number(self.change),
            "person": _number(self.person),
            "actor": _number(self.actor),
            "verb": self.verb,
            "outcome": self.outcome,
            "department": self.department,
        } | more
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, entries: QuerySet[ActionEntry]) -> QuerySet[ActionEntry]:
        if self.change is not None:
            entries = entries.filter(change_id=self.change)
        if self.person is not None:
            entries = entries.filter(person_ref=self.person)
        if self.actor is not None:
            entries = entries.filter(actor_id=self.actor)
        if self.verb or self.outcome:
            named = {"kind": self.verb, "status": self.outcome}
            changes = StatusChange.objects.filter(**{k: v for k, v in named.items() if v})
            entries = entries.filter(change_id__in=changes.values("pk"))
        if self.department:
            there = Employee.everyone.filter(department_id__in=departments_below(self.department))
            entries = entries.filter(person_ref__in=there.values("person_id"))
        if self.event:
            entries = entries.filter(event=self.event)
        if self.since:
            entries = entries.filter(ts__gte=start_of(self.since))
        if self.until:
            entries = entries.filter(ts__lt=start_of(self.until + timedelta(days=1)))
        if self.q:
            people = Person.objects.filter(search_condition(self.q, "search_text"))
            entries = entries.filter(person_ref__in=people.values("pk"))
        if self.log_id:
            attempts = Attempt.objects.filter(log_id=self.log_id)
            entries = entries.filter(change_id__in=attempts.values("change_id"))
        return entries


def _one_of(value: str, known: Iterable[str]) -> str:
    return value if value in set(known) else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def actors() -> list[User]:
    """Everybody who may have done something, for the filter."""
    return list(User.objects.order_by("last_name", "first_name", "username"))


def entries_of_change(user: Someone, change_id: int | None) -> list[ActionEntry]:
    """Every step of one change, from its first."""
    if change_id is None:
        return []
    same = policies.visible_entries(user).filter(change_id=change_id)
    return list(same.order_by("seq")[:100])


def entry_page(
    user: Someone, narrowed: EntryFilter, params: Mapping[str, str]
) -> Page[ActionEntry]:
    """One page of the action log, newest first."""
    entries = narrowed.apply(policies.visible_entries(user))
    return page_by_key(entries, params, order=ENTRY_ORDER)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The entries of the same change before and after one."""

    previous: int | None
    next: int | None


def neighbours_of(user: Someone, entry: ActionEntry) -> Neighbours:
    if entry.change_id is None:
        return Neighbours(None, None)
    same = policies.visible_entries(user).filter(change_id=entry.change_id)
    earlier = same.filter(seq__lt=entry.seq).order_by("-seq").values_list("seq", flat=True)
    later = same.filter(seq__gt=entry.seq).order_by("seq").values_list("seq", flat=True)
    return Neighbours(earlier.first(), later.first())


def attempt_numbered(change_id: int | None, number: object) -> Attempt | None:
    """The attempt an entry speaks of."""
    if change_id is None or not isinstance(number, int):
        return None
    return Attempt.objects.filter(change_id=change_id, number=number).first()


# -- is it whole --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogProof:
    """The last check and the one under way, and the newest checkpoints."""

    running: LogVerification | None
    last: LogVerification | None
    checkpoints: list[LogCheckpoint]
    bad_entry_exists: bool
    fault: Words | None


FAULTS: dict[str, Words] = {
    "entry-missing": Words(
        "前面的记录被删除，或顺序被改动。", "Entries before it were removed, or moved."
    ),
    "chain-broken": Words("它与前一条接不上。", "It does not follow the entry before."),
    "body-changed": Words("它的内容被改动。", "Its text was changed."),
    "columns-changed": Words(
        "它的某一列与内容不一致。", "One of its columns is not what its text says."
    ),
    "private-value-changed": Words(
        "链外保存的内容被改动。", "What stands beside the chain was changed."
    ),
    "tail-missing": Words("从这里起的记录被删除。", "The entries from here on were removed."),
    "checkpoint-missing": Words(
        "它曾经导出，但已不在数据库中。", "It was exported, and the database has it no more."
    ),
    "checkpoint-differs": Words("它与导出的副本不同。", "It is not the one that was exported."),
    "checkpoint-unknown-key": Words(
        "它由未登记的密钥签名。", "It is signed with a key nobody has named."
    ),
    "checkpoint-signature": Words("它的签名不对。", "Its signature is not right."),
    "checkpoint-changed": Words(
        "它的某一列与签名内容不一致。", "Its columns are not what was signed."
    ),
    "checkpoint-order": Words("它前面的检查点缺失。", "The one before it is missing."),
    "checkpoint-head": Words(
        "在它之前的记录被整体改写。", "The entries before it have been rewritten."
    ),
    "checkpoint-root": Words(
        "它的 Merkle 根与记录不符。", "Its Merkle root is not that of the entries."
    ),
}


def log_proof(*, at: datetime) -> LogProof:
    last = LogVerification.objects.over().select_related("requested_by").first()
    bad_seq = last.bad_seq if last else None
    return LogProof(
        running=LogVerification.objects.under_way(at=at).first(),
        last=last,
        checkpoints=list(LogCheckpoint.objects.defer("frontier", "text")[:10]),
        bad_entry_exists=bad_seq is not None and ActionEntry.objects.filter(pk=bad_seq).exists(),
        fault=FAULTS.get(last.fault) if last else None,
    )
