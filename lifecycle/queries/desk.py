"""What an auditor looks for in the log: exceptions by rule, samples, who could do what when."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, ExpressionWrapper, F, Max, Min, Q, QuerySet
from django.db.models.functions import Coalesce, ExtractHour, TruncDate
from django.utils import timezone

from lifecycle import action_log, calendars
from lifecycle.errors.words import Words
from lifecycle.models import (
    ActionEntry,
    Approval,
    LegalHold,
    LogReview,
    LogSample,
    PrivateValue,
    SavedLogView,
    StatusChange,
    StepAgreement,
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
# Failed sign-ins to one account: on one day, and in the whole period.
SIGN_IN_FAILURES, SIGN_IN_FAILURES_IN_ALL = 5, 20
# Refusals of one account on one day.
REFUSALS = 5
QUICK_APPROVAL = timedelta(minutes=2)
# Of the entries a rule has to name one by one, so many of the newest are listed.
MOST_FOUND = 20_000
DEFAULT_PERIOD = timedelta(days=30)
LONGEST_PERIOD = timedelta(days=366)

REQUESTED, SEEN_OUTSIDE = "change.requested", "record.changed_in_feishu"
TAKES_DATA = ("export.started", "log.evidence_taken")
CHANGES_ACCOUNT = ("user.created", "user.changed")
AT_COMMAND_LINE = '"at_command_line":true'
# Refusals because somebody asked for it themselves; and because it was not theirs at all.
OWN_DECISIONS = ("verdict.own-request", "approval.own-request")
OUT_OF_BOUNDS = ("person.not-allowed", "person.not-found", "person.form-not-ours")
# What puts a conversion to somebody, and what somebody says yes with; a step does both.
STEP_AGREED = "request.step_agreed"
ADDRESSES = ("request.asked", "request.reassigned", "request.escalated", STEP_AGREED)
AGREES = (STEP_AGREED, "request.approved")
# Entries whose data names an account that exists; a failed sign-in may name any.
ABOUT_ACCOUNT = [
    name
    for name, event in action_log.EVENTS.items()
    if name.startswith("user.") and "user" in event.keys and name != "user.sign_in_failed"
]
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


def _newest(numbers: Iterable[int]) -> list[int]:
    return sorted(numbers, reverse=True)[:MOST_FOUND]


def _changes_in(period: Period) -> QuerySet[StatusChange]:
    return StatusChange.objects.filter(created_at__gte=period.begins, created_at__lt=period.ends)


def _backdated(entries: Entries, period: Period) -> Entries:
    changes = _changes_in(period).values_list("pk", "payload", "pre_image", "created_at")
    late = [
        pk
        for pk, payload, before, asked_at in changes.iterator()
        if _has_old_day(payload, json.dumps(before), asked_at)
    ]
    return entries.filter(event=REQUESTED, change_id__in=_newest(late))


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
    acts = Q(event__startswith="change.") & ~Q(event="change.planned")
    acts |= Q(event__in=TAKES_DATA + CHANGES_ACCOUNT)
    people = Q(actor_id__isnull=False) | Q(body__contains=AT_COMMAND_LINE)
    by_people = entries.filter(acts & people)
    return by_people.annotate(hour=ExtractHour("ts"), on=TruncDate("ts")).filter(
        Q(hour__lt=WORK_BEGINS) | Q(hour__gte=WORK_ENDS) | Q(on__in=off)
    )


def _undone_soon(entries: Entries, period: Period) -> Entries:
    done_at = Coalesce("undo_of__finished_at", "undo_of__created_at")
    limit = ExpressionWrapper(done_at + UNDONE_WITHIN, DateTimeField())
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
    """Everything somebody took away on a day on which it was a lot altogether."""
    taken = entries_in(period, entries.filter(event__in=TAKES_DATA))
    rows: Counter[tuple[int | None, date]] = Counter()
    seqs: dict[tuple[int | None, date], list[int]] = defaultdict(list)
    for seq, ts, actor, body in taken.values_list("seq", "ts", "actor_id", "body").iterator():
        data = action_log.data_in(body) or {}
        number = data.get("rows", data.get("entries"))
        if isinstance(number, int):
            whose_day = (actor, timezone.localdate(ts))
            rows[whose_day] += number
            seqs[whose_day].append(seq)
    large = [seq for one, number in rows.items() if number >= LARGE_EXPORT for seq in seqs[one]]
    return entries.filter(seq__in=_newest(large))


def _repeated_failures(entries: Entries, period: Period) -> Entries:
    failed = entries_in(period, entries.filter(event="change.failed"))
    people = failed.order_by().values("person_ref").annotate(n=Count("seq")).filter(n__gte=FAILURES)
    return entries.filter(
        Q(event="change.failed", person_ref__in=people.values("person_ref"))
        | Q(seq__in=_newest(_repeated_sign_ins(entries, period)))
        | Q(event="user.sign_ins_failing")
    )


def _repeated_sign_ins(entries: Entries, period: Period) -> Iterable[int]:
    """Failed sign-ins to an account that had many of them; three queries.

    Before the password is right an entry names nobody: the name that was typed, or the Feishu
    account, stands beside the chain and says which account it was about.
    """
    failed = entries_in(period, entries.filter(event="user.sign_in_failed")).order_by()
    beside = PrivateValue.objects.filter(
        seq__in=failed.values("seq"), field__in=("username", "open_id")
    )
    typed = dict(beside.values_list("seq", "value"))
    accounts: dict[str, int] = {}
    for pk, username, open_id in User.objects.values_list("pk", "username", "open_id"):
        accounts |= {name: pk for name in (username, open_id) if name}
    by_day: dict[tuple[object, date], list[int]] = defaultdict(list)
    by_account: dict[object, list[int]] = defaultdict(list)
    for seq, ts, body in failed.values_list("seq", "ts", "body").iterator():
        name = typed.get(seq, "")
        account = (action_log.data_in(body) or {}).get("user") or accounts.get(name, name)
        if account:
            by_day[account, timezone.localdate(ts)].append(seq)
            by_account[account].append(seq)
    many = [seqs for seqs in by_day.values() if len(seqs) >= SIGN_IN_FAILURES]
    many += [seqs for seqs in by_account.values() if len(seqs) >= SIGN_IN_FAILURES_IN_ALL]
    return {seq for seqs in many for seq in seqs}


def _refused(entries: Entries, period: Period) -> Entries:
    """Two queries."""
    refused = entries_in(period, entries.filter(event="user.refused"))
    by_day: dict[tuple[int | None, date], list[int]] = defaultdict(list)
    listed = []
    for seq, ts, actor, body in refused.values_list("seq", "ts", "actor_id", "body").iterator():
        problem = (action_log.data_in(body) or {}).get("problem")
        if problem in OWN_DECISIONS:
            listed.append(seq)
        elif problem in OUT_OF_BOUNDS:
            by_day[actor, timezone.localdate(ts)].append(seq)
    listed += [seq for seqs in by_day.values() if len(seqs) >= REFUSALS for seq in seqs]
    return entries.filter(Q(seq__in=_newest(listed)) | Q(event="user.refusals_unlisted"))


def _quick_approvals(entries: Entries, period: Period) -> Entries:
    """Three queries: a conversion is agreed to before it becomes a change, so how long somebody
    had for it is read from the entries of its request."""
    approved = Approval.objects.filter(
        decided_at__gte=period.begins, decided_at__lt=period.ends, verdict="approved"
    )
    limit = ExpressionWrapper(F("change__created_at") + QUICK_APPROVAL, DateTimeField())
    quick = Q(change__conversion_request=None, decided_at__lte=limit)
    close = approved.filter(quick | _by_the_asker("change"))
    changes, steps = _hasty_agreements(entries, period)
    about = Q(change_id__in=close.values("change_id")) | Q(change_id__in=_newest(changes))
    return entries.filter(Q(event="change.approved") & about | Q(seq__in=_newest(steps)))


def _by_the_asker(what: str) -> Q:
    """Whoever said yes is whoever asked, or has the same Feishu account."""
    same = Q(by__open_id=F(f"{what}__requested_by__open_id")) & ~Q(by__open_id="")
    return same | Q(by=F(f"{what}__requested_by"))


def _hasty_agreements(entries: Entries, period: Period) -> tuple[list[int], list[int]]:
    """The changes whose last yes came at once after the request was put to whoever decides; and
    the entries of earlier steps that did, or that were agreed to by the asker."""
    in_period = StepAgreement.objects.filter(at__gte=period.begins, at__lt=period.ends)
    by_asker = set(in_period.filter(_by_the_asker("request")).values_list("request_id", "by_id"))
    told = entries.filter(
        event__in={*ADDRESSES, *AGREES},
        ts__gte=period.begins - QUICK_APPROVAL,
        ts__lt=period.ends,
    )
    columns = ("seq", "ts", "event", "change_id", "actor_id", "body")
    addressed: dict[object, datetime] = {}
    changes, steps = [], []
    for seq, ts, event, change_id, actor, body in (
        told.order_by("seq").values_list(*columns).iterator()
    ):
        request = (action_log.data_in(body) or {}).get("request")
        if not isinstance(request, int):
            continue
        since = addressed.get(request)
        is_quick = event in AGREES and since is not None and ts - since <= QUICK_APPROVAL
        if event == STEP_AGREED and (is_quick or (request, actor) in by_asker):
            steps.append(seq)
        elif is_quick and change_id is not None:
            changes.append(change_id)
        if event in ADDRESSES:
            addressed[request] = ts
    return changes, steps


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
                f"在休息日，或 {WORK_BEGINS} 点前、{WORK_ENDS} 点起，由人（包括在命令行）执行的"
                "状态变更步骤、导出、提取证据包，以及账号的新建和修改。",
                "A step of a change, an export, an evidence pack taken, or an account made or"
                " changed, by a person (at the command line too) on a day off, before"
                f" {WORK_BEGINS}:00 or from {WORK_ENDS}:00 on.",
            ),
            _outside_hours,
        ),
        Rule(
            "undone",
            Words("24 小时内撤销", "Undone within 24 hours"),
            Words(
                "变更完成后 24 小时内又申请撤销：可能是误操作，或有人在试探。",
                "An undo asked for within 24 hours of when the change was done: a slip, or"
                " somebody trying.",
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
                f"同一人在一天内合计取走 {LARGE_EXPORT} 行以上：各次导出的行数与证据包的记录条数"
                "相加；列出当天的每一次。",
                f"One person took {LARGE_EXPORT} rows or more on one day: the rows of all exports"
                " and the entries of all evidence packs added up; each of that day is listed.",
            ),
            _large_exports,
        ),
        Rule(
            "failures",
            Words("反复失败", "Repeated failures"),
            Words(
                f"在此期间，关于同一人的变更有 {FAILURES} 次以上没有完成；"
                f"或同一账号（或同一用户名）一天内登录失败 {SIGN_IN_FAILURES} 次以上，或在此期间共"
                f" {SIGN_IN_FAILURES_IN_ALL} 次以上；或一分钟内登录失败过多，未再逐条记录。",
                f"In the period, {FAILURES} changes or more about the same person were not done;"
                f" or {SIGN_IN_FAILURES} sign-ins or more to the same account (or with the same"
                f" user name) failed on one day, or {SIGN_IN_FAILURES_IN_ALL} or more in all; or"
                " so many failed within a minute that they were not listed one by one.",
            ),
            _repeated_failures,
        ),
        Rule(
            "refused",
            Words("越权尝试", "Refused attempts"),
            Words(
                f"同一账号一天内 {REFUSALS} 次以上请求了无权执行的操作或可见范围之外的记录；"
                "或有人试图确认、裁定自己发起的变更；或一分钟内被拒绝过多，未再逐条记录。",
                f"{REFUSALS} times or more on one day an account asked for what it may not do or"
                " for records out of its reach; or somebody tried to confirm or decide their own"
                " change; or so much was refused within a minute that it was not listed one by"
                " one.",
            ),
            _refused,
        ),
        Rule(
            "approvals",
            Words("匆忙或不独立的确认", "Hasty approvals"),
            Words(
                "收到后两分钟内即确认（转正审批从该步骤交给审批人时起算，其他变更从发起时起算），"
                "或确认人就是发起人、与发起人是同一飞书账号：可能没有细看，或并非另一人。",
                "Confirmed within two minutes of being put to whoever decides (a conversion: from"
                " when its request or step was addressed to them; any other change: from when it"
                " was asked for), or by the requester or from the requester's own Feishu account:"
                " they may not have looked, or may not be another.",
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


@dataclass(frozen=True, slots=True)
class ShownHold:
    """`is_in_the_log`: the log says that it was placed and not that it was released."""

    hold: LegalHold
    is_in_the_log: bool

    @property
    def is_over(self) -> bool:
        return self.hold.released_at is not None and not self.is_in_the_log

    @property
    def differs(self) -> bool:
        """Its row says that it is over, and the log does not."""
        return self.hold.released_at is not None and self.is_in_the_log


def legal_holds() -> list[ShownHold]:
    """Those in force by their rows first."""
    in_the_log = action_log.holds_in_the_log()
    holds = LegalHold.objects.select_related("person", "by", "released_by")
    in_order = holds.order_by(F("released_at").asc(nulls_first=True), "-pk")[:200]
    return [ShownHold(hold, (hold.pk, hold.person_id) in in_the_log) for hold in in_order]


def saved_views(user: User) -> list[SavedLogView]:
    return list(SavedLogView.objects.filter(user=user)[:50])


# -- who could do what --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccountThen:
    """An account at the end of a day. `user`: None for one that has been removed since. `since`:
    the entry that says so; None where the log says nothing up to that day, and what is shown
    then is unknown."""

    pk: int
    user: User | None
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
    """What each account could do at the end of this day, rebuilt from the log alone; three
    queries. Accounts that only the log still knows are among them."""
    end = start_of(day + timedelta(days=1))
    last: dict[int, tuple[ActionEntry, Mapping[str, Any]]] = {}
    users = User.objects.in_bulk()
    known = {*users, *_accounts_signed_in()}
    for entry in ActionEntry.objects.filter(event__in=ABOUT_ACCOUNT).order_by("seq").iterator():
        data = action_log.data_in(entry.body) or {}
        pk = data.get("user")
        if not isinstance(pk, int):
            continue
        known.add(pk)
        if (
            entry.ts < end
            and entry.event in CHANGES_ACCOUNT
            and isinstance(data.get("after"), dict)
        ):
            last[pk] = (entry, data["after"])
    return [_account_then(pk, users.get(pk), last.get(pk)) for pk in sorted(known)]


def _accounts_signed_in() -> Iterable[int]:
    signed_in = ActionEntry.objects.filter(event="user.signed_in").order_by()
    return {pk for pk in signed_in.values_list("actor_id", flat=True).distinct() if pk}


def _account_then(
    pk: int, user: User | None, said: tuple[ActionEntry, Mapping[str, Any]] | None
) -> AccountThen:
    if said is None:
        return AccountThen(pk, user, None)
    entry, after = said
    role, is_active = str(after.get("role", "")), bool(after.get("is_active"))
    may = CAPABILITIES.get(role, frozenset()) if is_active else frozenset()
    verbs = REQUESTABLE.get(role, frozenset()) if Capability.ASK_FOR_CHANGE in may else frozenset()
    return AccountThen(
        pk,
        user,
        entry,
        role,
        len(after.get("departments") or []),
        is_active,
        tuple(sorted(capability.value for capability in may)),
        tuple(sorted(verbs)),
    )
