"""What an auditor looks for in the log: exceptions by rule, samples, who could do what when."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Max, Min, Q, QuerySet
from django.db.models.functions import ExtractHour, TruncDate
from django.utils import timezone

from lifecycle import action_log, calendars
from lifecycle.errors.words import Words
from lifecycle.models import (
    ActionEntry,
    Approval,
    LegalHold,
    LogReview,
    LogSample,
    SavedLogView,
    StatusChange,
    User,
)
from lifecycle.policies import CAPABILITIES, REQUESTABLE, Capability
from lifecycle.queries.narrowing import start_of

# What counts as an exception. Days, hours of the tenant's clock, rows, times.
BACKDATED_DAYS = 7
WORK_BEGINS, WORK_ENDS = 8, 20
UNDONE_WITHIN = timedelta(hours=24)
LARGE_EXPORT = 1000
FAILURES = 3
QUICK_APPROVAL = timedelta(minutes=2)
DEFAULT_PERIOD = timedelta(days=30)
LONGEST_PERIOD = timedelta(days=366)

REQUESTED, SEEN_OUTSIDE = "change.requested", "record.changed_in_feishu"
_A_DAY = re.compile(r"(?<!\d)(\d{13})(?!\d)|(?<![\d-])(\d{4}-\d{2}-\d{2})(?![\d-])")


@dataclass(frozen=True, slots=True)
class Period:
    """Tenant days, both included; never longer than a year and a day."""

    since: date
    until: date

    @classmethod
    def read(cls, since: date | None, until: date | None, *, today: date) -> Period:
        until = until or today
        since = since or until - DEFAULT_PERIOD
        since, until = min(since, until), max(since, until)
        return cls(max(since, until - LONGEST_PERIOD), until)

    @property
    def begins(self) -> datetime:
        return start_of(self.since)

    @property
    def ends(self) -> datetime:
        return start_of(self.until + timedelta(days=1))


Entries = QuerySet[ActionEntry]


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of exception: its name and why one would look at it, in words."""

    name: str
    title: Words
    why: Words
    entries: Callable[[Entries, Period], Entries]


def entries_in(period: Period, entries: Entries) -> Entries:
    return entries.filter(ts__gte=period.begins, ts__lt=period.ends)


def _changes_in(period: Period) -> QuerySet[StatusChange]:
    return StatusChange.objects.filter(created_at__gte=period.begins, created_at__lt=period.ends)


def _backdated(entries: Entries, period: Period) -> Entries:
    changes = _changes_in(period).values_list("pk", "payload", "pre_image", "created_at")
    late = [
        pk
        for pk, payload, before, asked_at in changes.iterator()
        if _has_old_day(payload, json.dumps(before), asked_at)
    ]
    return entries.filter(event=REQUESTED, change_id__in=late)


def _has_old_day(payload: str, before: str, asked_at: datetime) -> bool:
    """True when the request sets a day long before it was asked for; days the record held
    already are not set by it."""
    limit = timezone.localdate(asked_at) - timedelta(days=BACKDATED_DAYS)
    known = {match.group() for match in _A_DAY.finditer(before)}
    for match in _A_DAY.finditer(payload):
        day = _day_of(match)
        if day is not None and day < limit and match.group() not in known:
            return True
    return False


def _day_of(match: re.Match[str]) -> date | None:
    milliseconds, day = match.groups()
    try:
        if day:
            return date.fromisoformat(day)
        return timezone.localdate(datetime.fromtimestamp(int(milliseconds) / 1000, tz=UTC))
    except (ValueError, OverflowError, OSError):
        return None


def _outside_hours(entries: Entries, period: Period) -> Entries:
    days = (period.since + timedelta(days=n) for n in range((period.until - period.since).days + 1))
    off = [day for day in days if not calendars.is_working_day(day)]
    by_people = entries.filter(event__startswith="change.", actor_id__isnull=False)
    return by_people.annotate(hour=ExtractHour("ts"), on=TruncDate("ts")).filter(
        Q(hour__lt=WORK_BEGINS) | Q(hour__gte=WORK_ENDS) | Q(on__in=off)
    )


def _undone_soon(entries: Entries, period: Period) -> Entries:
    limit = ExpressionWrapper(F("undo_of__created_at") + UNDONE_WITHIN, DateTimeField())
    undone = _changes_in(period).filter(undo_of__isnull=False, created_at__lte=limit)
    return entries.filter(event=REQUESTED, change_id__in=undone.values("pk"))


def _outside_portal(entries: Entries, period: Period) -> Entries:
    """What a reading has shown and somebody should know of, and what the protocol met: the
    record was no longer as planned, or already as wanted."""
    problems = ("change.stale-facts", "change.conflict", "change.cannot-tell")
    named = Q()
    for problem in problems:
        named |= Q(event="change.needs_attention", body__contains=f'"problem":"{problem}"')
    met = named | Q(event="change.succeeded", body__contains='"via":"already"')
    seen = Q(event=SEEN_OUTSIDE) & ~Q(body__contains='"alerts":[]')
    return entries.filter(met | seen)


def _large_exports(entries: Entries, period: Period) -> Entries:
    exports = entries_in(period, entries.filter(event="export.started"))
    large = []
    for seq, body in exports.values_list("seq", "body").iterator():
        rows = (action_log.data_in(body) or {}).get("rows")
        if isinstance(rows, int) and rows >= LARGE_EXPORT:
            large.append(seq)
    return entries.filter(seq__in=large)


def _repeated_failures(entries: Entries, period: Period) -> Entries:
    failed = entries_in(period, entries.filter(event="change.failed"))
    people = failed.order_by().values("person_ref").annotate(n=Count("seq")).filter(n__gte=FAILURES)
    return entries.filter(event="change.failed", person_ref__in=people.values("person_ref"))


def _quick_approvals(entries: Entries, period: Period) -> Entries:
    limit = ExpressionWrapper(F("change__created_at") + QUICK_APPROVAL, DateTimeField())
    same = Q(by__open_id=F("change__requested_by__open_id")) & ~Q(by__open_id="")
    close = Approval.objects.filter(
        Q(decided_at__lte=limit) | same | Q(by=F("change__requested_by")), verdict="approved"
    )
    return entries.filter(event="change.approved", change_id__in=close.values("change_id"))


RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule(
            "backdated",
            Words("倒签日期", "Backdated"),
            Words(
                f"申请中写入的日期比申请当天早 {BACKDATED_DAYS} 天以上。补录是常见原因，"
                "但也可能影响试用期、工龄或补偿。",
                f"The request sets a day more than {BACKDATED_DAYS} days before it was made."
                " Late entry is a common reason; it can also touch probation, seniority or pay.",
            ),
            _backdated,
        ),
        Rule(
            "hours",
            Words("非工作时间", "Outside working hours"),
            Words(
                f"在休息日，或 {WORK_BEGINS} 点前、{WORK_ENDS} 点后由人执行的操作。",
                f"Done by a person on a day off, before {WORK_BEGINS}:00 or after {WORK_ENDS}:00.",
            ),
            _outside_hours,
        ),
        Rule(
            "undone",
            Words("24 小时内撤销", "Undone within 24 hours"),
            Words(
                "变更发起后 24 小时内又申请撤销：可能是误操作，或有人在试探。",
                "Taken back within 24 hours of being asked for: a slip, or somebody trying.",
            ),
            _undone_soon,
        ),
        Rule(
            "outside",
            Words("在门户外改动", "Changed outside the portal"),
            Words(
                "同步时发现有人直接在飞书中做了重要改动（如改入职日期、撤销离职、办理离职），"
                "或发送前、核实时飞书中的记录与申请时不同、原本已如此。",
                "A sync has found that something important was done in Feishu itself (a start date"
                " moved, an offboarding revoked, somebody left), or before sending or while"
                " checking the record was not as planned, or so already.",
            ),
            _outside_portal,
        ),
        Rule(
            "exports",
            Words("大量导出", "Large exports"),
            Words(
                f"一次导出 {LARGE_EXPORT} 行以上的个人信息。",
                f"{LARGE_EXPORT} rows of personal data or more in one file.",
            ),
            _large_exports,
        ),
        Rule(
            "failures",
            Words("反复失败", "Repeated failures"),
            Words(
                f"同一人在此期间有 {FAILURES} 次以上变更没有完成。",
                f"{FAILURES} changes or more of the same person were not done in the period.",
            ),
            _repeated_failures,
        ),
        Rule(
            "approvals",
            Words("匆忙或不独立的确认", "Hasty approvals"),
            Words(
                "第二人在两分钟内确认，或与发起人是同一飞书账号：第二人可能没有细看，或并非另一人。",
                "Confirmed within two minutes, or from the requester's own Feishu account: the"
                " second person may not have looked, or may not be another.",
            ),
            _quick_approvals,
        ),
    )
}


def exceptions(entries: Entries, rule: Rule, period: Period) -> Entries:
    """The entries a rule points at."""
    return entries_in(period, rule.entries(entries, period))


# -- samples ------------------------------------------------------------------------------


def bounds_of(period: Period) -> tuple[int, int] | None:
    """The first and the last entry of a period, None for an empty one."""
    found = entries_in(period, ActionEntry.objects.order_by()).aggregate(
        first=Min("seq"), last=Max("seq")
    )
    return None if found["first"] is None else (found["first"], found["last"])


def draw(seed: str, *, size: int, first: int, last: int) -> list[int]:
    """The numbers of the entries drawn, in order.

    The n-th number drawn (n from 0) is first + SHA-256("seed:n") modulo the number of entries;
    one that was drawn already is skipped.
    """
    count = last - first + 1
    drawn: set[int] = set()
    n = 0
    while len(drawn) < min(size, count):
        digest = hashlib.sha256(f"{seed}:{n}".encode()).digest()
        drawn.add(first + int.from_bytes(digest, "big") % count)
        n += 1
    return sorted(drawn)


def entries_of_sample(sample: LogSample) -> list[ActionEntry]:
    numbers = draw(sample.seed, size=sample.size, first=sample.first_seq, last=sample.last_seq)
    return list(ActionEntry.objects.filter(seq__in=numbers).order_by("seq"))


def reviews_of_sample(sample: LogSample) -> dict[int, LogReview]:
    return {review.seq: review for review in sample.reviews.select_related("by")}


def samples() -> list[LogSample]:
    """The newest samples, with how many of their entries are reviewed."""
    drawn = LogSample.objects.select_related("drawn_by").annotate(reviewed=Count("reviews"))
    return list(drawn[:50])


def legal_holds() -> list[LegalHold]:
    """Those in force first."""
    holds = LegalHold.objects.select_related("person", "by", "released_by")
    return list(holds.order_by(F("released_at").asc(nulls_first=True), "-pk")[:200])


def saved_views(user: User) -> list[SavedLogView]:
    return list(SavedLogView.objects.filter(user=user)[:50])


# -- who could do what --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountThen:
    """An account at the end of a day. `since`: the entry that says so; None where the log says
    nothing up to that day, and what is shown then is unknown."""

    user: User
    since: ActionEntry | None
    role: str = ""
    departments: int = 0
    is_active: bool = False
    may: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()

    @property
    def is_known(self) -> bool:
        return self.since is not None


def accounts_on(day: date) -> list[AccountThen]:
    """What each account could do at the end of this day, rebuilt from the log alone."""
    events = ActionEntry.objects.filter(
        event__in=("user.created", "user.changed"), ts__lt=start_of(day + timedelta(days=1))
    )
    last: dict[int, tuple[ActionEntry, Mapping[str, Any]]] = {}
    for entry in events.order_by("seq").iterator():
        data = action_log.data_in(entry.body) or {}
        if isinstance(data.get("user"), int) and isinstance(data.get("after"), dict):
            last[data["user"]] = (entry, data["after"])
    return [_account_then(user, last.get(user.pk)) for user in User.objects.order_by("pk")]


def _account_then(user: User, said: tuple[ActionEntry, Mapping[str, Any]] | None) -> AccountThen:
    if said is None:
        return AccountThen(user, None)
    entry, after = said
    role, is_active = str(after.get("role", "")), bool(after.get("is_active"))
    may = CAPABILITIES.get(role, frozenset()) if is_active else frozenset()
    verbs = REQUESTABLE.get(role, frozenset()) if Capability.ASK_FOR_CHANGE in may else frozenset()
    return AccountThen(
        user,
        entry,
        role,
        len(after.get("departments") or []),
        is_active,
        tuple(sorted(capability.value for capability in may)),
        tuple(sorted(verbs)),
    )
