"""The one writer of the action log, and the sentence of each event.

An entry is written in the same transaction as what it describes. Its hash covers the entry
before it, so that nothing can be edited, removed or put in between without showing.
Personal data and free text stay out of the chained text: they are kept beside it as
PrivateValue, and only a salted SHA-256 of them is chained.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone, translation

from lifecycle import watched
from lifecycle.errors.problems import NOTICES
from lifecycle.errors.sign_in import SIGN_IN_NOTICES
from lifecycle.errors.words import Words
from lifecycle.evidence.checking import Verification, verify
from lifecycle.evidence.hashes import SALT_BYTES, canonical, commitment, entry_hash
from lifecycle.evidence.parts import data_in
from lifecycle.models import (
    ActionEntry,
    ActionLogHead,
    LegalHold,
    Person,
    PrivateValue,
    Role,
    StatusChange,
    User,
)
from lifecycle.transactions import whole

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
__all__ = ["Verification", "commitment", "data_in", "entry_hash", "record", "verify"]
SYSTEM = Words("系统", "The portal")
COMMAND_LINE = Words("命令行", "Somebody at the command line")
NOBODY = Words("（已删除的人员）", "(a removed person)")
UNREADABLE = Words("这条记录的内容无法读取", "The text of this entry cannot be read")
PART = APPENDED_AT_ONCE = 500
PERSON_ERASED = "log.person_erased"
HOLD_PLACED, HOLD_RELEASED = "log.hold_placed", "log.hold_released"
# Beside every entry made by somebody at a browser: the address the request came from.
ADDRESS = "address"
_address: ContextVar[str] = ContextVar("address", default="")


@dataclass(frozen=True, slots=True)
class Event:
    """One kind of entry: its sentence and the keys its body may carry.

    `{actor}` and `{person}` stand for names looked up when the sentence is shown.
    """

    sentence: Words
    keys: frozenset[str] = frozenset()


def _event(zh: str, en: str, *keys: str) -> Event:
    return Event(Words(zh, en), frozenset(keys))


_CHANGE = ("kind", "subject_id", "payload_hash", "pre_image_hash", "to", "from")
_ACCOUNT = ("user", "after", "at_command_line", "private_reason")
_CASE = ("kind", "case", "run", "present", "missing", "doubt")
_REQUEST = ("request", "approver", "due_on", "held", "step", "steps", "step_role")
_DECISION = ("decided_for", "through")
_MESSAGE = ("message", "request", "user", "message_kind")
_STARTED = ("program", "values", "private_addresses")
_ANSWER = (
    "number",
    "outcome",
    "http_status",
    "code",
    "log_id",
    "problem",
    "request_hash",
    "private_response",
)

EVENTS: dict[str, Event] = {
    "change.planned": _event(
        "{actor}查看了{person}的“{verb}”预览{blocked_words}",
        "{actor} looked at the plan to {verb} {person}{blocked_words}",
        *_CHANGE,
        "submission",
        "private_request",
        "plan_hash",
        "effective_at",
        "blockers",
        "is_fresh",
    ),
    "change.requested": _event(
        "{actor}发起了{person}的“{verb}”",
        "{actor} asked to {verb} {person}",
        *_CHANGE,
        "private_request",
        "plan_hash",
        "effective_at",
        "undo_of",
        "request",
        "problem",
        "private_reason",
    ),
    "change.approved": _event(
        "{actor}作为第二人确认了{person}的“{verb}”",
        "{actor} confirmed, as a second person, the change to {verb} {person}",
        *_CHANGE,
        "effective_at",
    ),
    "change.rejected": _event(
        "{actor}驳回了{person}的“{verb}”",
        "{actor} rejected the change to {verb} {person}",
        *_CHANGE,
        "private_reason",
    ),
    "change.expired": _event(
        "{person}的“{verb}”已作废：{problem}",
        "The change to {verb} {person} is void: {problem}",
        *_CHANGE,
        "problem",
    ),
    "change.sending": _event(
        "第 {number} 次向飞书发送{person}的“{verb}”",
        "Attempt {number} to {verb} {person} is sent to Feishu",
        *_CHANGE,
        "number",
        "request_hash",
        "deadline_at",
    ),
    "change.succeeded": _event(
        "{person}的“{verb}”已完成（{via}）",
        "The change to {verb} {person} is done ({via})",
        *_CHANGE,
        *_ANSWER,
        "via",
        "observed",
        "private_reason",
    ),
    "change.failed": _event(
        "{person}的“{verb}”没有完成：{problem}",
        "The change to {verb} {person} was not done: {problem}",
        *_CHANGE,
        *_ANSWER,
        "via",
        "observed",
        "private_reason",
    ),
    "change.postponed": _event(
        "{person}的“{verb}”稍后再试：{problem}",
        "The change to {verb} {person} is tried again later: {problem}",
        *_CHANGE,
        *_ANSWER,
        "next_run_at",
    ),
    "change.verifying": _event(
        "{person}的“{verb}”没有明确答复，正在向飞书核实：{problem}",
        "The change to {verb} {person} got no clear answer and is being checked: {problem}",
        *_CHANGE,
        *_ANSWER,
        "next_run_at",
        "private_reason",
    ),
    "change.not_applied": _event(
        "核实：{person}的“{verb}”没有生效，将再次发送",
        "Checked: the change to {verb} {person} has not taken effect; it is sent again",
        *_CHANGE,
        "observed",
        "first_read_at",
        "next_run_at",
    ),
    "change.needs_attention": _event(
        "{person}的“{verb}”需要人工裁定：{problem}",
        "The change to {verb} {person} needs a person's decision: {problem}",
        *_CHANGE,
        *_ANSWER,
        "observed",
        "first_read_at",
    ),
    "change.cancelled": _event(
        "{actor}取消了{person}的“{verb}”",
        "{actor} cancelled the change to {verb} {person}",
        *_CHANGE,
    ),
    "user.signed_in": _event("{actor}登录{way_words}", "{actor} signed in{way_words}", "way"),
    "user.sign_in_failed": _event(
        "有人登录失败{why_words}",
        "A sign-in failed{why_words}",
        "why",
        "user",
        "code",
        "log_id",
        "private_username",
        "private_open_id",
    ),
    "user.sign_ins_failing": _event(
        "一分钟内登录失败超过 {limit} 次，其余不再逐条记录",
        "More than {limit} sign-ins failed within a minute; the rest of them is not listed",
        "limit",
    ),
    "user.refused": _event(
        "{actor}的操作被拒绝（{area_words}{about_words}）：{refusal}",
        "{actor} was refused ({area_words}{about_words}): {refusal}",
        "problem",
        "area",
        "page",
        "method",
        "blockers",
        "private_path",
    ),
    "user.refusals_unlisted": _event(
        "{actor}一分钟内被拒绝超过 {limit} 次，其余不再逐条记录",
        "{actor} was refused more than {limit} times within a minute; the rest is not listed",
        "limit",
    ),
    "user.signed_out": _event("{actor}退出登录", "{actor} signed out"),
    "user.sessions_ended": _event(
        "{actor}结束了{user}的 {number} 个登录会话",
        "{actor} signed {user} out of {number} sessions",
        "user",
        "number",
        "at_command_line",
    ),
    "user.password_changed": _event(
        "{actor}修改了{user}的密码",
        "{actor} changed the password of {user}",
        "user",
        "at_command_line",
    ),
    "user.second_step_on": _event(
        "{actor}开启了两步验证", "{actor} switched the second step on", "user"
    ),
    "user.second_step_off": _event(
        "{actor}关闭了两步验证", "{actor} switched the second step off", "user"
    ),
    "user.second_step_reset": _event(
        "{actor}重置了{user}的两步验证",
        "{actor} reset the second step of {user}",
        "user",
        "at_command_line",
    ),
    "user.recovery_codes_renewed": _event(
        "{actor}更换了恢复码", "{actor} renewed the recovery codes", "user"
    ),
    "user.recovery_code_used": _event(
        "{actor}使用了一个恢复码，还剩 {left} 个",
        "{actor} used a recovery code; {left} are left",
        "user",
        "left",
    ),
    "user.created": _event(
        "{actor}新建了用户{user}（{after}）",
        "{actor} created the user {user} ({after})",
        *_ACCOUNT,
    ),
    "user.changed": _event(
        "{actor}修改了用户{user}：由（{before}）改为（{after}）",
        "{actor} changed the user {user} from ({before}) to ({after})",
        *_ACCOUNT,
        "before",
    ),
    "log.check_requested": _event(
        "{actor}要求核验操作日志", "{actor} asked to have the log checked", "check", "is_full"
    ),
    "log.checked": _event(
        "操作日志核验：{verdict}",
        "The log was checked: {verdict}",
        "check",
        "state",
        "checked",
        "signatures_checked",
        "outside",
        "bad_seq",
        "bad_checkpoint",
        "fault",
    ),
    "changes.check_requested": _event(
        "{actor}要求自检全部状态变更", "{actor} asked to have all status changes checked", "check"
    ),
    "changes.checked": _event(
        "状态变更自检：共 {changes} 项，{violations} 处不符",
        "The status changes were checked: {changes} of them, {violations} things do not fit",
        "check",
        "state",
        "changes",
        "violations",
    ),
    "log.sample_drawn": _event(
        "{actor}抽取了 {size} 条记录的样本（种子 {seed}）",
        "{actor} drew a sample of {size} entries (seed {seed})",
        "sample",
        "seed",
        "size",
        "first_seq",
        "last_seq",
    ),
    "log.reviewed": _event(
        "{actor}复核了第 {entry} 条记录：{conclusion_words}",
        "{actor} reviewed entry {entry}: {conclusion_words}",
        "sample",
        "entry",
        "conclusion",
        "private_note",
    ),
    "log.evidence_taken": _event(
        "{actor}提取了证据包（{entries} 条记录）",
        "{actor} took an evidence pack ({entries} entries)",
        "scope",
        "person_id",
        "change_id",
        "since",
        "until",
        "entries",
        "sha256",
        "private_purpose",
    ),
    "log.private_erased": _event(
        "按保存期限删除了 {values} 项链外内容（{until} 之前）",
        "{values} private values from before {until} were erased as their time was over",
        "values",
        "until",
        "days",
        "holds",
    ),
    "log.person_erased": _event(
        "{actor}删除了{person}的 {values} 项链外内容",
        "{actor} erased {values} private values of {person}",
        "values",
        "at_command_line",
        "private_reason",
    ),
    "log.protected": _event(
        "{actor}恢复了数据库对操作日志的保护",
        "{actor} had the database refuse again to change the log",
        "missing",
        "at_command_line",
    ),
    "log.hold_placed": _event(
        "{actor}对{person}的记录设置了保全",
        "{actor} placed a legal hold on the entries of {person}",
        "hold",
        "private_reason",
    ),
    "log.hold_released": _event(
        "{actor}解除了对{person}的记录的保全",
        "{actor} released the legal hold on the entries of {person}",
        "hold",
    ),
    "export.started": _event(
        "{actor}开始导出{list_title}（{format}，{rows} 行）",
        "{actor} began to export {list_title} ({format}, {rows} rows)",
        "list",
        "format",
        "rows",
        "is_cut",
        "tab",
        "private_filters",
        "private_purpose",
    ),
    "export.finished": _event(
        "{actor}已导出{list_title}（{format}，{rows} 行）",
        "{actor} exported {list_title} ({format}, {rows} rows)",
        "list",
        "format",
        "rows",
        "sha256",
        "started",
    ),
    "sync.requested": _event("{actor}要求立即同步", "{actor} asked for a sync"),
    "drift.taken": _event(
        "{actor}接手处理{person}的记录矛盾",
        "{actor} looks after what does not agree about {person}",
        "case",
        "rule",
    ),
    "drift.dismissed": _event(
        "{actor}认定{person}的记录矛盾无需处理",
        "{actor} dismissed what does not agree about {person}",
        "case",
        "rule",
        "private_reason",
    ),
    "sync.kind_requested": _event(
        "{actor}要求立即同步：{kind}", "{actor} asked for a sync of {kind}", "kind"
    ),
    "sync.paused": _event("{actor}暂停了{kind}的同步", "{actor} paused the sync of {kind}", "kind"),
    "sync.resumed": _event(
        "{actor}恢复了{kind}的同步", "{actor} let the sync of {kind} go on", "kind"
    ),
    "sync.finished": _event(
        "同步完成：{kind}，读取 {read} 条",
        "Sync of {kind} finished: {read} records read",
        "kind",
        "read",
        "stored",
        "unreadable",
        "run",
    ),
    "sync.failed": _event(
        "同步失败：{kind}（{problem}）",
        "Sync of {kind} failed: {problem}",
        "kind",
        "read",
        "stored",
        "unreadable",
        "run",
        "problem",
        "log_id",
    ),
    "record.changed_in_feishu": _event(
        "{person}的{record_words}{how_words}{fields_words}",
        "{person}'s {record_words} {how_words}{fields_words}",
        "record_kind",
        "subject_id",
        "what",
        "source",
        "fields",
        "alerts",
        "private_values",
    ),
    "sync.case_opened": _event(
        "同步隔离：{kind} 现有 {present} 条，飞书少了 {missing} 条，未作任何移除",
        "Sync of {kind} held back: {missing} of {present} records are missing from Feishu; none"
        " is taken off the lists",
        *_CASE,
    ),
    "sync.case_accepted": _event(
        "{actor}认定{kind}少了 {missing} 条属实，下次同步可以移除",
        "{actor} says that {missing} records of {kind} are rightly missing; the next sync may"
        " take them off",
        *_CASE,
    ),
    "sync.case_ignored": _event(
        "{actor}决定不采信这次同步：{kind}少了 {missing} 条",
        "{actor} ignores the answer in which {missing} records of {kind} were missing",
        *_CASE,
    ),
    "sync.case_passed": _event(
        "{kind}缺少的记录在之后的同步中恢复正常",
        "A later sync of {kind} found the missing records again",
        *_CASE,
    ),
    "request.asked": _event(
        "{actor}请{approver}决定{person}是否转正（预计 {due_on}）",
        "{actor} asked {approver} to decide on the conversion of {person} (due on {due_on})",
        *_REQUEST,
        "suggested_on",
        "payload_hash",
        "pre_image_hash",
        "follows",
        "private_note",
    ),
    "request.approved": _event(
        "{decider}同意{person}于 {day} 转正",
        "{decider} agreed to convert {person} on {day}",
        *_REQUEST,
        *_DECISION,
        "payload_hash",
        "pre_image_hash",
        "day",
    ),
    "request.step_agreed": _event(
        "{decider}同意{person}于 {day} 转正（第 {step} 步，共 {steps} 步），"
        "接下来由{next_words}决定",
        "{decider} agreed to convert {person} on {day} (step {step} of {steps}); {next_words}"
        " decides next",
        *_REQUEST,
        *_DECISION,
        "payload_hash",
        "pre_image_hash",
        "day",
        "next",
    ),
    "request.extended": _event(
        "{decider}把{person}的试用期延长至 {day}",
        "{decider} extended the probation of {person} until {day}",
        *_REQUEST,
        *_DECISION,
        "day",
        "private_reason",
    ),
    "request.declined": _event(
        "{decider}决定不予{person}转正",
        "{decider} decided not to convert {person}",
        *_REQUEST,
        *_DECISION,
        "private_reason",
    ),
    "request.void": _event(
        "{person}的转正审批已作废：{void_because}",
        "The request to decide on {person} is void: {void_because}",
        *_REQUEST,
        "because",
    ),
    "request.cancelled": _event(
        "{actor}撤回了{person}的转正审批",
        "{actor} took back the request to decide on {person}",
        *_REQUEST,
        "private_reason",
    ),
    "request.reassigned": _event(
        "{actor}把{person}的转正审批改由{approver}决定",
        "{actor} gave the decision on {person} to {approver}",
        *_REQUEST,
        "was",
        "private_reason",
    ),
    "request.escalated": _event(
        "{person}的转正审批逾期未决，已上报给{approver}",
        "The decision on {person} was overdue and went up the line to {approver}",
        *_REQUEST,
        "was",
    ),
    "request.reminded": _event(
        "已提醒{approver}决定{person}是否转正（预计 {due_on}）",
        "{approver} was reminded to decide on {person} (due on {due_on})",
        *_REQUEST,
        "number",
        "mailed",
        "messaged",
    ),
    "settings.approval_steps": _event(
        "{actor}修改了{department_words}的转正审批步骤：由（{before_words}）改为（{after_words}）",
        "{actor} changed the steps of deciding on conversions in {department_words} from"
        " ({before_words}) to ({after_words})",
        "department",
        "before_steps",
        "after_steps",
        "private_reason",
    ),
    "settings.noted": _event(
        "{program_words}以 {number} 项设置启动",
        "{program_words} started with {number} settings written down",
        *_STARTED,
        "number",
    ),
    "settings.changed": _event(
        "{program_words}启动时的设置有变：{settings_words}",
        "{program_words} started with other settings: {settings_words}",
        *_STARTED,
        "changed",
    ),
    "message.undelivered": _event(
        "发给{user}的飞书消息没有送达（关于{person}）：{problem}",
        "The Feishu message to {user} about {person} was not delivered: {problem}",
        *_MESSAGE,
        "problem",
        "code",
        "log_id",
    ),
    "message.sent_again": _event(
        "{actor}再次向{user}发送飞书消息（关于{person}）",
        "{actor} sent the Feishu message to {user} about {person} again",
        *_MESSAGE,
        "was",
    ),
    "delegation.created": _event(
        "{actor}委托{user}在 {first_day} 至 {last_day} 代为审批",
        "{actor} asked {user} to decide for them from {first_day} to {last_day}",
        "user",
        "first_day",
        "last_day",
        "delegation",
    ),
    "delegation.ended": _event(
        "{actor}结束了对{user}的审批委托",
        "{actor} ended the delegation to {user}",
        "user",
        "delegation",
    ),
    "writes.stopped": _event(
        "{actor}停止了向飞书写入",
        "{actor} stopped all writes to Feishu",
        "in_flight",
        "at_command_line",
        "private_reason",
    ),
    "writes.started": _event(
        "{actor}恢复了向飞书写入",
        "{actor} let writes to Feishu go on",
        "held",
        "at_command_line",
        "private_reason",
    ),
}


# Keys whose value is the number of an account, to be shown by its name.
_NAMES_USERS = ("user", "approver", "decided_for", "next")
_NAMING = tuple(f'"{key}"' for key in _NAMES_USERS)


class UnknownEvent(Exception):
    """An event or a key that is not on the list above."""


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


# -- reading ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ReadableEntry:
    """An entry with its sentence and its data, as a person reads it."""

    entry: ActionEntry
    sentence: Words
    data: dict[str, Any]
    actor: Words
    person: Person | None


def sentence(entry: ActionEntry) -> Words:
    """One plain sentence for one entry."""
    return entries_with_sentences([entry])[0].sentence


def entries_with_sentences(
    entries: QuerySet[ActionEntry] | Iterable[ActionEntry],
) -> list[ReadableEntry]:
    """Entries with their sentences; two more queries for the names, whatever the number."""
    rows = list(entries)
    bodies = [data_in(row.body) or {} for row in rows if any(n in row.body for n in _NAMING)]
    named = {body.get(key) for body in bodies for key in _NAMES_USERS}
    accounts = {row.actor_id for row in rows if row.actor_id} | named
    users = User.objects.in_bulk({pk for pk in accounts if isinstance(pk, int)})
    people = Person.objects.in_bulk({row.person_ref for row in rows if row.person_ref})
    return [_readable(row, users, people) for row in rows]


def private_values(entry: ActionEntry) -> dict[str, str]:
    """What is kept beside the chain for this entry, by field; erased values are missing."""
    return dict(PrivateValue.objects.filter(seq=entry.seq).values_list("field", "value"))


def _readable(
    entry: ActionEntry, users: Mapping[int, User], people: Mapping[int, Person]
) -> ReadableEntry:
    data = data_in(entry.body) or {}
    actor = _actor_words(entry, data, users)
    person = people.get(entry.person_ref) if entry.person_ref else None
    named = {
        "actor": actor,
        "person": Words(person.name, person.name) if person and person.name else NOBODY,
        "verb": _verb_words(data),
        "problem": _problem_words(data),
        "refusal": _refusal_words(data),
        "via": _via_words(data),
        "way_words": _way_words(data),
        "why_words": _why_words(data),
        "area_words": _area_words(data),
        "about_words": _about_words(person),
        "blocked_words": BLOCKED if data.get("blockers") else NOTHING,
        "list_title": _list_words(data),
        "user": _user_words(data.get("user"), users),
        "verdict": _verdict_words(data),
        "conclusion_words": _conclusion_words(data),
        "approver": _approver_words(data, users),
        "next_words": _user_or_hr(data.get("next"), users),
        "department_words": _department_words(data),
        "before_words": _steps_words(data.get("before_steps")),
        "after_words": _steps_words(data.get("after_steps")),
        "program_words": _program_words(data),
        "settings_words": _settings_words(data),
        "decider": _decider_words(actor, data, users),
        "void_because": VOID_BECAUSE.get(str(data.get("because")), Words("", "")),
        "kind": _synced_words(data),
        "record_words": _record_words(data),
        "how_words": HOW_SEEN.get(str(data.get("what")), Words("", "")),
        "fields_words": _fields_words(data),
        "before": _account_words(data.get("before")),
        "after": _account_words(data.get("after"), data.get("before")),
    }
    zh = data | {name: words.zh for name, words in named.items()}
    en = data | {name: words.en for name, words in named.items()}
    event = EVENTS.get(entry.event)
    try:
        if event is None:
            raise KeyError(entry.event)
        words = Words(event.sentence.zh.format(**zh), event.sentence.en.format(**en))
    except (LookupError, ValueError, TypeError):
        # Only an entry that was tampered with: the check of the log names it.
        words = UNREADABLE
    return ReadableEntry(entry=entry, sentence=words, data=data, actor=actor, person=person)


VERBS: dict[str, Words] = {
    "onboard_application": Words("办理入职", "onboard"),
    "restore_to_pre_hire": Words("恢复至待入职", "undo the onboarding of"),
    "onboard_talent": Words("标记为已入职", "mark the onboarding of"),
    "mark_talent_left": Words("标记为已离职", "mark the departure of"),
    "convert_employee": Words("转正", "convert"),
    "undo_conversion": Words("撤销转正", "undo the conversion of"),
    "offboard_employee": Words("离职", "offboard"),
    "undo_offboarding": Words("撤销离职", "undo the offboarding of"),
    "edit_offboarding": Words("编辑离职信息", "edit the offboarding of"),
    "update_pre_hire": Words("更新待入职信息", "update the pre-hire of"),
}
VIAS: dict[str, Words] = {
    "answer": Words("飞书已确认", "confirmed by Feishu"),
    "already": Words("飞书中原本如此，未发送", "it was already so in Feishu, nothing was sent"),
    "readback": Words("回读飞书核实", "read back from Feishu"),
    "by_hand": Words("人工裁定", "decided by a person"),
}


def _verb_words(data: Mapping[str, Any]) -> Words:
    kind = str(data.get("kind", ""))
    return VERBS.get(kind, Words(kind, kind))


LISTS: dict[str, Words] = {
    "talents": Words("人才", "talents"),
    "applications": Words("投递", "applications"),
    "pre-hires": Words("待入职", "pre-hires"),
    "employees": Words("员工", "employees"),
    "offboardings": Words("离职", "offboardings"),
}


# A record that Feishu shows otherwise than before, through no change of ours.
HOW_SEEN: dict[str, Words] = {
    "changed": Words("在飞书中被修改", "was changed in Feishu"),
    "came": Words("在飞书中新增", "is new in Feishu"),
    "gone": Words("已从飞书中移除", "is gone from Feishu"),
}


def _synced_words(data: Mapping[str, Any]) -> Words:
    """What a sync reads; other entries name their kind otherwise."""
    name = str(data.get("kind", ""))
    label = watched.SYNCED.get(name, Words(name, name))
    return Words(label.zh, label.en.lower())


def _record_words(data: Mapping[str, Any]) -> Words:
    name = str(data.get("record_kind", ""))
    kind = watched.BY_NAME.get(name)
    return Words(f"{kind.label.zh}记录", f"{kind.label.en} record") if kind else Words(name, name)


def _fields_words(data: Mapping[str, Any]) -> Words:
    kind = watched.BY_NAME.get(str(data.get("record_kind", "")))
    names = data.get("fields")
    fields = [kind.field(str(n)) for n in names] if kind and isinstance(names, list) else []
    labels = [field.label for field in fields if field is not None]
    if not labels:
        return Words("", "")
    return Words(
        "：" + "、".join(label.zh for label in labels),
        ": " + ", ".join(label.en for label in labels),
    )


def _list_words(data: Mapping[str, Any]) -> Words:
    name = str(data.get("list", ""))
    return LISTS.get(name, Words(name, name))


def _via_words(data: Mapping[str, Any]) -> Words:
    via = str(data.get("via", ""))
    return VIAS.get(via, Words(via, via))


# The parts of the portal, by the module that answers for them.
AREAS: dict[str, Words] = {
    "action_log": Words("操作日志", "action log"),
    "changes": Words("状态变更", "status changes"),
    "desk": Words("操作日志", "action log"),
    "drift": Words("记录矛盾", "contradictions"),
    "evidence": Words("操作日志", "action log"),
    "exports": Words("导出", "exports"),
    "feed": Words("变动动态", "what changed in Feishu"),
    "guards": Words("安全保护", "safeguards"),
    "inbox": Words("待我审批", "inbox"),
    "my_account": Words("我的账号", "own account"),
    "people": Words("人员", "people"),
    "probation": Words("试用期", "probation"),
    "records": Words("列表", "lists"),
    "routes": Words("审批步骤", "approval steps"),
    "second_step": Words("两步验证", "second step"),
    "sync": Words("飞书同步", "sync"),
    "system_health": Words("系统状态", "system health"),
    "users": Words("用户", "users"),
}


def _area_words(data: Mapping[str, Any]) -> Words:
    name = str(data.get("area", ""))
    return AREAS.get(name, Words(name or "门户", name or "the portal"))


def _about_words(person: Person | None) -> Words:
    return Words(f"，{person.name}", f", {person.name}") if person and person.name else NOTHING


BLOCKED = Words("，目前不能提交", ", which cannot be submitted as it is")
NOTHING = Words("", "")
WAYS: dict[str, Words] = {
    "second_step": Words("（密码和验证码）", " with password and code"),
    "feishu": Words("（飞书）", " with Feishu"),
}


def _way_words(data: Mapping[str, Any]) -> Words:
    return WAYS.get(str(data.get("way", "")), Words("", ""))


def _why_words(data: Mapping[str, Any]) -> Words:
    """Why a sign-in failed; entries of former times do not say."""
    notice = SIGN_IN_NOTICES.get(str(data.get("why", "")))
    if notice is None:
        return Words("", "")
    why = _with_code(notice.sentence, data)
    return Words(f"：{why.zh.rstrip('。')}", f": {why.en.rstrip('.')}")


def _problem_words(data: Mapping[str, Any]) -> Words:
    """The problem in words; a Feishu code is named as a number beside it."""
    problem = str(data.get("problem") or "")
    notice = NOTICES.get(problem)
    return _with_code(notice.sentence if notice else Words(problem, problem), data)


# To somebody else than the one who was refused.
REFUSALS: dict[str, Words] = {
    "person.not-allowed": Words("超出其权限", "not theirs to do"),
    "person.not-found": Words("记录不在其可见范围内", "a record out of their reach"),
    "person.form-not-ours": Words(
        "表单不是从有效的页面提交的", "a form that did not come from a page that was still good"
    ),
}


def _refusal_words(data: Mapping[str, Any]) -> Words:
    known = REFUSALS.get(str(data.get("problem")))
    said = known or _problem_words(data)
    return Words(said.zh.rstrip("。"), said.en.rstrip("."))


def _with_code(words: Words, data: Mapping[str, Any]) -> Words:
    code = data.get("code")
    if code in (None, 0):
        return words
    return Words(f"{words.zh}（飞书代码 {code}）", f"{words.en} (Feishu code {code})")


def _actor_words(entry: ActionEntry, data: Mapping[str, Any], users: Mapping[int, User]) -> Words:
    if entry.actor_id is None:
        return COMMAND_LINE if data.get("at_command_line") else SYSTEM
    return _user_words(entry.actor_id, users)


def _user_words(pk: object, users: Mapping[int, User]) -> Words:
    user = users.get(pk) if isinstance(pk, int) else None
    return Words(user.name, user.name) if user else NOBODY


VOID_BECAUSE: dict[str, Words] = {
    "facts_changed": Words("飞书中的信息有变化", "the facts in Feishu changed"),
    "overtaken": Words("员工已不在试用期", "no longer on probation"),
    "not_carried_out": Words("转正没有执行", "the conversion was not carried out"),
}


def _approver_words(data: Mapping[str, Any], users: Mapping[int, User]) -> Words:
    """Whom a request is addressed to; HR where nobody is."""
    return _user_or_hr(data.get("approver"), users)


def _user_or_hr(pk: object, users: Mapping[int, User]) -> Words:
    return Words("HR", "HR") if pk is None else _user_words(pk, users)


STEPS: dict[str, Words] = {
    "leader": Words("上级", "leader"),
    "above": Words("上级的上级", "leader's leader"),
    "hrbp": Words("部门 HR", "HR of the department"),
}


def _steps_words(name: object) -> Words:
    """The steps of a department, as services/routes.py writes them down."""
    steps = [STEPS.get(step, Words(step, step)) for step in str(name or "").split("-") if step]
    if not steps:
        return Words("同上级部门", "as the department above")
    zh = "、".join(step.zh for step in steps)
    return Words(zh, ", ".join(step.en for step in steps))


def _department_words(data: Mapping[str, Any]) -> Words:
    department_id = str(data.get("department") or "")
    if not department_id:
        return Words("全公司", "the whole company")
    return Words(f"部门 {department_id}", f"department {department_id}")


PROGRAMS: dict[str, Words] = {
    "web": Words("网页服务", "The web server"),
    "worker": Words("后台进程", "The worker"),
}
MOST_SETTINGS_NAMED = 6


def _program_words(data: Mapping[str, Any]) -> Words:
    name = str(data.get("program", ""))
    return PROGRAMS.get(name, Words(name, name))


def _settings_words(data: Mapping[str, Any]) -> Words:
    """The settings that have changed, by name; the first ones where they are many."""
    changed = data.get("changed")
    names = sorted(changed) if isinstance(changed, Mapping) else []
    named, number = names[:MOST_SETTINGS_NAMED], len(names)
    zh, en = "、".join(named), ", ".join(named)
    if number == len(named):
        return Words(zh, en)
    return Words(f"{zh}等 {number} 项", f"{en} and {number - len(named)} more")


def _decider_words(actor: Words, data: Mapping[str, Any], users: Mapping[int, User]) -> Words:
    there = data.get("through") == "card"
    by = Words(f"{actor.zh}（在飞书卡片上）", f"{actor.en} (on the card in Feishu)")
    decider = by if there else actor
    if data.get("decided_for") is None:
        return decider
    absent = _user_words(data["decided_for"], users)
    return Words(f"{decider.zh}代{absent.zh}", f"{decider.en}, for {absent.en},")


# To a Feishu account, by whether there was one and there is one now.
LINKED: dict[tuple[bool, bool], Words] = {
    (False, True): Words("已关联飞书账号", "linked to a Feishu account"),
    (True, False): Words("已解除与飞书账号的关联", "unlinked from its Feishu account"),
    (True, True): Words("改为关联另一飞书账号", "linked to another Feishu account"),
}


CONCLUSIONS: dict[str, Words] = {
    "in_order": Words("无异常", "in order"),
    "question": Words("待说明", "to be clarified"),
    "finding": Words("发现问题", "a finding"),
}


def _conclusion_words(data: Mapping[str, Any]) -> Words:
    conclusion = str(data.get("conclusion", ""))
    return CONCLUSIONS.get(conclusion, Words(conclusion, conclusion))


def _verdict_words(data: Mapping[str, Any]) -> Words:
    """How a check of the log ended."""
    if data.get("state") == "whole":
        checked = data.get("checked", 0)
        if data.get("signatures_checked") is False:
            return Words(
                f"{checked} 条记录彼此相符，但没有核验签名",
                f"all {checked} entries fit, but no signature was checked",
            )
        return Words(f"{checked} 条记录全部完好", f"all {checked} entries are whole")
    if data.get("bad_seq") is not None:
        seq = data["bad_seq"]
        return Words(f"第 {seq} 条记录对不上", f"entry {seq} does not fit")
    if data.get("bad_checkpoint") is not None:
        size = data["bad_checkpoint"]
        return Words(
            f"第 {size} 条处的检查点对不上", f"the checkpoint of {size} entries does not fit"
        )
    if data.get("state") == "broken":
        return Words("有内容对不上", "something does not fit")
    return Words("核验中断", "the check broke off")


def _account_words(account: object, before: object = None) -> Words:
    """What an account may do and how far, as services/users.py writes it down; and what else
    has changed where there is a state before."""
    if not isinstance(account, Mapping):
        return Words("", "")
    role = str(account.get("role", ""))
    with translation.override("zh-hans"):
        zh = [str(dict(Role.choices).get(role, role) or "无角色")]
    with translation.override("en"):
        en = [str(dict(Role.choices).get(role, role) or "no role")]
    departments = account.get("departments") or []
    if departments:
        zh.append(f"{len(departments)} 个部门")
        en.append(f"{len(departments)} departments")
    if not account.get("is_active", True):
        zh.append("已停用")
        en.append("switched off")
    if isinstance(before, Mapping):
        changed = _changes_of_account(before, account)
        zh += [words.zh for words in changed]
        en += [words.en for words in changed]
    return Words("，".join(zh), ", ".join(en))


def _changes_of_account(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Words]:
    """What role, reach and number of departments do not show."""
    changed = []
    old, new = before.get("departments") or [], after.get("departments") or []
    if old != new and len(old) == len(new):
        changed.append(Words("部门有变", "not the same ones"))
    old, new = before.get("open_id") or "", after.get("open_id") or ""
    if old != new:
        changed.append(LINKED[bool(old), bool(new)])
    return changed


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
