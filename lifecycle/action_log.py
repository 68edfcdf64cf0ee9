"""The one writer of the action log, the sentence of each event, and the check of the chain.

An entry is written in the same transaction as what it describes. Its hash covers the entry
before it, so that nothing can be edited, removed or put in between without showing.
Personal data and free text stay out of the chained text: they are kept beside it as
PrivateValue, and only a salted SHA-256 of them is chained.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from lifecycle.errors.problems import NOTICES
from lifecycle.errors.words import Words
from lifecycle.models import (
    ActionEntry,
    ActionLogHead,
    Person,
    PrivateValue,
    StatusChange,
    User,
)

GENESIS = "0" * 64
ENTRY_PREFIX = b"\x01"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
# How many entries are checked with one look at their private values.
BATCH = 2000
SYSTEM = Words("系统", "The portal")
NOBODY = Words("（已删除的人员）", "(a removed person)")


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
_CASE = ("kind", "case", "run", "present", "missing", "doubt")
_ANSWER = ("number", "outcome", "http_status", "code", "log_id", "problem", "request_hash")

EVENTS: dict[str, Event] = {
    "change.requested": _event(
        "{actor}发起了{person}的“{verb}”",
        "{actor} asked to {verb} {person}",
        *_CHANGE,
        "private_request",
        "effective_at",
        "undo_of",
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
    "user.signed_in": _event("{actor}登录", "{actor} signed in"),
    "user.sign_in_failed": _event("有人登录失败", "A sign-in failed", "private_username"),
    "user.signed_out": _event("{actor}退出登录", "{actor} signed out"),
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


class UnknownEvent(Exception):
    """An event or a key that is not on the list above."""


@transaction.atomic
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
    _check_keys(event, data or {}, private or {})
    head = _locked_head()
    salted = {name: (secrets.token_hex(16), value) for name, value in (private or {}).items()}
    entry = ActionEntry(
        seq=head.seq + 1,
        ts=at or timezone.now(),
        actor_id=actor.pk if actor else None,
        role=actor.role if actor else "",
        event=event,
        person_ref=person.pk if person else (change.person_id if change else None),
        change_id=change.pk if change else None,
        prev=head.hash,
    )
    commitments = {f"private_{name}": commitment(*pair) for name, pair in salted.items()}
    entry.body = canonical(_columns(entry) | {"data": {**(data or {}), **commitments}})
    entry.hash = entry_hash(entry.prev, entry.body)
    entry.save()
    PrivateValue.objects.bulk_create(
        PrivateValue(seq=entry.seq, field=name, salt=salt, value=value)
        for name, (salt, value) in salted.items()
    )
    ActionLogHead.objects.filter(pk=head.pk).update(seq=entry.seq, hash=entry.hash)
    return entry


def canonical(body: Mapping[str, Any]) -> str:
    """The one text of a body: sorted keys, no spaces, characters as they are."""
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def entry_hash(prev: str, body: str) -> str:
    """SHA-256(0x01 ‖ prev ‖ body), in hex."""
    return hashlib.sha256(ENTRY_PREFIX + bytes.fromhex(prev) + body.encode()).hexdigest()


def commitment(salt: str, value: str) -> str:
    """SHA-256(salt ‖ value), in hex; "" for a salt that is none."""
    try:
        return hashlib.sha256(bytes.fromhex(salt) + value.encode()).hexdigest()
    except ValueError:
        return ""


# -- checking -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Verification:
    """`bad_seq`: the first entry that does not fit, None when all do."""

    checked: int
    bad_seq: int | None = None
    fault: str = ""


def verify() -> Iterator[Verification]:
    """Check the whole chain; yields progress every 1,000 entries and the verdict last."""
    expected_seq, prev = 1, GENESIS
    entries = ActionEntry.objects.order_by("seq").iterator(chunk_size=BATCH)
    while batch := list(islice(entries, BATCH)):
        private = _private_values(batch[0].seq, batch[-1].seq)
        for entry in batch:
            fault = _fault(entry, expected_seq, prev, private.get(entry.seq, []))
            if fault:
                yield Verification(expected_seq - 1, entry.seq, fault)
                return
            expected_seq, prev = expected_seq + 1, entry.hash
            if entry.seq % 1000 == 0:
                yield Verification(entry.seq)
    if _head() != (expected_seq - 1, prev):
        yield Verification(expected_seq - 1, expected_seq, "tail-missing")
        return
    yield Verification(expected_seq - 1)


def _head() -> tuple[int, str]:
    """Where the log ends by its own account; a log without a head is an empty one."""
    head = ActionLogHead.objects.filter(pk=1).values_list("seq", "hash").first()
    return head or (0, GENESIS)


def _private_values(first: int, last: int) -> dict[int, list[PrivateValue]]:
    found: dict[int, list[PrivateValue]] = {}
    for private in PrivateValue.objects.filter(seq__range=(first, last)):
        found.setdefault(private.seq, []).append(private)
    return found


def _fault(
    entry: ActionEntry, expected_seq: int, prev: str, private: Sequence[PrivateValue]
) -> str:
    if entry.seq != expected_seq:
        return "entry-missing"
    if entry.prev != prev:
        return "chain-broken"
    if entry.hash != entry_hash(entry.prev, entry.body):
        return "body-changed"
    data = _data_in(entry.body)
    if data is None or entry.body != canonical(_columns(entry) | {"data": data}):
        return "columns-changed"
    # A value that was erased has no row and stays committed to: that is no fault. A value
    # the entry never committed to, or another one than it did, is.
    for value in private:
        if data.get(f"private_{value.field}") != commitment(value.salt, value.value):
            return "private-value-changed"
    return ""


def _data_in(body: str) -> dict[str, Any] | None:
    """The data of a body, None for a text that is no body of ours."""
    try:
        data = json.loads(body)["data"]
    except (ValueError, TypeError, KeyError):
        return None
    return data if isinstance(data, dict) else None


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
    users = User.objects.in_bulk({row.actor_id for row in rows if row.actor_id})
    people = Person.objects.in_bulk({row.person_ref for row in rows if row.person_ref})
    return [_readable(row, users, people) for row in rows]


def private_values(entry: ActionEntry) -> dict[str, str]:
    """What is kept beside the chain for this entry, by field; erased values are missing."""
    return dict(PrivateValue.objects.filter(seq=entry.seq).values_list("field", "value"))


def _readable(
    entry: ActionEntry, users: Mapping[int, User], people: Mapping[int, Person]
) -> ReadableEntry:
    data: dict[str, Any] = json.loads(entry.body)["data"]
    actor = _actor_words(entry, users)
    person = people.get(entry.person_ref) if entry.person_ref else None
    name = Words(person.name, person.name) if person and person.name else NOBODY
    event = EVENTS[entry.event]
    verb = _verb_words(data)
    problem, via, listed = _problem_words(data), _via_words(data), _list_words(data)
    plain = {key: value for key, value in data.items() if key not in ("problem", "via")}
    words = Words(
        zh=event.sentence.zh.format(
            **plain,
            actor=actor.zh,
            person=name.zh,
            verb=verb.zh,
            problem=problem.zh,
            via=via.zh,
            list_title=listed.zh,
        ),
        en=event.sentence.en.format(
            **plain,
            actor=actor.en,
            person=name.en,
            verb=verb.en,
            problem=problem.en,
            via=via.en,
            list_title=listed.en,
        ),
    )
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


def _list_words(data: Mapping[str, Any]) -> Words:
    name = str(data.get("list", ""))
    return LISTS.get(name, Words(name, name))


def _via_words(data: Mapping[str, Any]) -> Words:
    via = str(data.get("via", ""))
    return VIAS.get(via, Words(via, via))


def _problem_words(data: Mapping[str, Any]) -> Words:
    """The problem in words; a Feishu code is named as a number beside it."""
    problem = str(data.get("problem") or "")
    notice = NOTICES.get(problem)
    words = notice.sentence if notice else Words(problem, problem)
    code = data.get("code")
    if code in (None, 0):
        return words
    return Words(f"{words.zh}（飞书代码 {code}）", f"{words.en} (Feishu code {code})")


def _actor_words(entry: ActionEntry, users: Mapping[int, User]) -> Words:
    if entry.actor_id is None:
        return SYSTEM
    user = users.get(entry.actor_id)
    return Words(user.name, user.name) if user else NOBODY


def _check_keys(event: str, data: Mapping[str, Any], private: Mapping[str, str]) -> None:
    if event not in EVENTS:
        raise UnknownEvent(event)
    unknown = {*data, *(f"private_{name}" for name in private)} - EVENTS[event].keys
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
