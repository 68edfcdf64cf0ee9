"""Entries of the action log as people read them: one plain sentence each, in both languages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import translation

from lifecycle import watched
from lifecycle.action_log.events import EVENTS
from lifecycle.errors.problems import NOTICES
from lifecycle.errors.sign_in import SIGN_IN_NOTICES
from lifecycle.errors.words import Words
from lifecycle.evidence.parts import data_in
from lifecycle.models import ActionEntry, Person, PrivateValue, Role, User

SYSTEM = Words("系统", "The portal")
COMMAND_LINE = Words("命令行", "Somebody at the command line")
NOBODY = Words("（已删除的人员）", "(a removed person)")
UNREADABLE = Words("这条记录的内容无法读取", "The text of this entry cannot be read")
# Keys whose value is the number of an account, to be shown by its name.
_NAMES_USERS = ("user", "approver", "decided_for", "next")
_NAMING = tuple(f'"{key}"' for key in _NAMES_USERS)


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
        "verb": _word(VERBS, data, "kind"),
        "problem": _problem_words(data),
        "refusal": _refusal_words(data),
        "via": _word(VIAS, data, "via"),
        "way_words": _way_words(data),
        "why_words": _why_words(data),
        "area_words": _area_words(data),
        "about_words": _about_words(person),
        "blocked_words": BLOCKED if data.get("blockers") else NOTHING,
        "list_title": _word(LISTS, data, "list"),
        "user": _user_words(data.get("user"), users),
        "verdict": _verdict_words(data),
        "conclusion_words": _word(CONCLUSIONS, data, "conclusion"),
        "approver": _approver_words(data, users),
        "next_words": _user_or_hr(data.get("next"), users),
        "department_words": _department_words(data),
        "before_words": _steps_words(data.get("before_steps")),
        "after_words": _steps_words(data.get("after_steps")),
        "program_words": _word(PROGRAMS, data, "program"),
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


def _word(words: Mapping[str, Words], data: Mapping[str, Any], key: str) -> Words:
    """What stands under this key in words; as it is where there are none for it."""
    name = str(data.get(key, ""))
    return words.get(name, Words(name, name))


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
    label = _word(watched.SYNCED, data, "kind")
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


# The parts of the portal, by the module that answers for them.
AREAS: dict[str, Words] = {
    "accounts": Words("登录", "sign-in"),
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
    return AREAS.get(str(data.get("area", "")), THE_PORTAL)


def _about_words(person: Person | None) -> Words:
    return Words(f"，{person.name}", f", {person.name}") if person and person.name else NOTHING


THE_PORTAL = Words("门户", "the portal")
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
    "sign-in.password": Words("密码不正确", "a wrong password"),
    "sign-in.wrong-code": Words("验证码不正确或已用过", "a code that was wrong or used already"),
    "sign-in.too-many": Words("密码或验证码尝试次数过多", "too many wrong passwords or codes"),
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
    old, new = (account.get("link") or account.get("open_id") for account in (before, after))
    if (old or "") != (new or ""):
        changed.append(LINKED[bool(old), bool(new)])
    return changed
