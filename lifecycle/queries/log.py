"""The action log: its list, and one entry among the others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.db import connection
from django.db.models import Max, Q, QuerySet

from lifecycle import action_log, append_only, policies
from lifecycle.errors.words import Words
from lifecycle.evidence.faults import FAULTS
from lifecycle.evidence.hashes import member
from lifecycle.models import (
    ActionEntry,
    Attempt,
    ConversionRequest,
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
PLANNED = "change.planned"
# So many entries of one change are read for its page.
MOST_STEPS = 200
# How many of the newest entries are looked through for a log id that no attempt has, and how
# many may have it.
SEARCHED, MOST_NAMED = 100_000, 500
NAMES_LOG_ID = [name for name, event in action_log.EVENTS.items() if "log_id" in event.keys]


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
            entries = entries.filter(of_change(self.change))
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
            entries = entries.filter(_of_log_id(self.log_id))
        return entries


def _of_log_id(log_id: str) -> Q:
    """The entries of the changes whose attempts Feishu answered with this id. When there is
    none: those whose own text names it, such as failed syncs and sign-ins, among the newest;
    two more queries, which never look at more than SEARCHED entries."""
    changes = Attempt.objects.filter(log_id=log_id).values_list("change_id", flat=True)
    answered = set(changes[:MOST_NAMED])
    if answered:
        return Q(change_id__in=answered)
    newest = ActionEntry.objects.aggregate(seq=Max("seq"))["seq"] or 0
    naming = ActionEntry.objects.filter(
        seq__gt=newest - SEARCHED,
        event__in=NAMES_LOG_ID,
        body__contains=member("log_id", log_id),
    )
    found = naming.order_by("-seq").values_list("seq", "body")[:MOST_NAMED]
    # Once more: SQLite takes large and small letters for the same.
    return Q(
        seq__in=[
            seq for seq, body in found if (action_log.data_in(body) or {}).get("log_id") == log_id
        ]
    )


def _one_of(value: str, known: Iterable[str]) -> str:
    return value if value in set(known) else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def actors() -> list[User]:
    """Everybody who may have done something, for the filter."""
    return list(User.objects.order_by("last_name", "first_name", "username"))


def of_change(change_id: int) -> Q:
    """The entries of one change, and those written when there was no change yet: of the plan that
    was confirmed, and of the request it was agreed to in, which tell who agreed at the earlier
    steps. Two queries, the second of one person's entries only."""
    change = StatusChange.objects.filter(pk=change_id).select_related("conversion_request").first()
    if change is None:
        return Q(change_id=change_id)
    named = Q(event=PLANNED, body__contains=member("submission", str(change.submission_key)))
    request = getattr(change, "conversion_request", None)
    if request is not None:
        # The canonical text has its keys in order, so a comma or the end of the data follows.
        number = member("request", request.pk)
        named |= Q(body__contains=f"{number},") | Q(body__contains=f"{number}}}")
    told = ActionEntry.objects.filter(named, person_ref=change.person_id)
    return Q(change_id=change_id) | Q(seq__in=list(told.values_list("seq", flat=True)))


def change_told_of(readable: action_log.ReadableEntry) -> int | None:
    """The change an entry belongs to: its own, or the one its plan or its request has become."""
    if readable.entry.change_id is not None:
        return readable.entry.change_id
    if readable.entry.event == PLANNED:
        return _confirmed(str(readable.data.get("submission")))
    number = readable.data.get("request")
    if not isinstance(number, int):
        return None
    same = ConversionRequest.objects.filter(pk=number)
    return same.values_list("change_id", flat=True).first()


def _confirmed(submission: str) -> int | None:
    """The change that a plan has become; None for one that nobody confirmed."""
    try:
        key = uuid.UUID(submission)
    except ValueError:
        return None
    same = StatusChange.objects.filter(submission_key=key)
    return same.values_list("pk", flat=True).first()


@dataclass(frozen=True, slots=True)
class ChangeSteps:
    """Every step of one change, from its first, and those beside one of them."""

    entries: list[ActionEntry]
    previous: int | None = None
    next: int | None = None


def steps_of_change(user: Someone, change_id: int | None, seq: int) -> ChangeSteps:
    """The steps of this change around the entry with this number."""
    if change_id is None:
        return ChangeSteps([])
    same = policies.visible_entries(user).filter(of_change(change_id))
    earlier = same.filter(seq__lt=seq).order_by("-seq").values_list("seq", flat=True)
    later = same.filter(seq__gt=seq).order_by("seq").values_list("seq", flat=True)
    return ChangeSteps(list(same.order_by("seq")[:MOST_STEPS]), earlier.first(), later.first())


def entry_page(
    user: Someone, narrowed: EntryFilter, params: Mapping[str, str]
) -> Page[ActionEntry]:
    """One page of the action log, newest first."""
    entries = narrowed.apply(policies.visible_entries(user))
    return page_by_key(entries, params, order=ENTRY_ORDER)


# -- is it whole --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogProof:
    """The last check and the one under way, and the newest checkpoints. `unprotected`: the
    triggers that should keep the database from changing the log, and are not there."""

    running: LogVerification | None
    last: LogVerification | None
    checkpoints: list[LogCheckpoint]
    bad_entry_exists: bool
    fault: Words | None
    unprotected: list[str]


def log_proof(*, at: datetime) -> LogProof:
    last = LogVerification.objects.over().select_related("requested_by").first()
    bad_seq = last.bad_seq if last else None
    return LogProof(
        running=LogVerification.objects.under_way(at=at).first(),
        last=last,
        checkpoints=list(LogCheckpoint.objects.defer("frontier", "text")[:10]),
        bad_entry_exists=bad_seq is not None and ActionEntry.objects.filter(pk=bad_seq).exists(),
        fault=FAULTS.get(last.fault) if last else None,
        unprotected=append_only.missing(connection),
    )
