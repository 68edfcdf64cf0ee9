"""Update a pre-hire (更新待入职信息): A5.

Feishu checks nothing here but the cost center split, so what can be checked is checked in
the plan. Only what a person changed is sent, with the present status, which Feishu demands.
The page does not say how a value is cleared, so none is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from lifecycle import calendars, mirror, remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange, Kind, RecordMissing, ShownFact
from lifecycle.changes.kinds.cost_centers import split_refusals
from lifecycle.changes.kinds.forms import UpdatePreHireForm
from lifecycle.changes.kinds.pre_hire_values import (
    LABELS,
    NAMES,
    STATUS_WORDS,
    changed_values,
    custom_words,
    facts_of,
    held_values,
    is_empty,
    shows,
    value_words,
)
from lifecycle.changes.kinds.subjects import PRE_HIRE
from lifecycle.changes.kinds.words import day_words, filled, text_words
from lifecycle.errors.words import Notice, Words
from lifecycle.forms import object_fields
from lifecycle.forms.object_fields import ObjectField
from lifecycle.models import CatalogueEntry, PreHire, StatusChange, User

# P2's codes are not documented; P7 and P8 answer an absent pre-hire with this one.
NO_SUCH_PRE_HIRE = 1161105
FAR_MOVE = timedelta(days=30)

NOT_READ = Notice(
    "plan.pre-hire-not-read",
    Words(
        "还没有从飞书读到这条待入职信息的详情。",
        "The details of this pre-hire have not been read from Feishu yet.",
    ),
    Words(
        "更新时必须带上飞书中现有的入职状态，所以要先读到详情。请稍后再试。",
        "The present status has to be sent along, so the record has to be read first. Try again"
        " in a moment.",
    ),
)
NOTHING_CHANGED = Notice(
    "plan.nothing-changed",
    Words("没有任何改动。", "Nothing would change."),
    Words("请修改至少一项，再核对。", "Change at least one field, then check again."),
)
NOT_CHECKED = Notice(
    "plan.not-checked-by-feishu",
    Words(
        "飞书不会校验这次更新：除成本中心分摊外，填错的内容也会直接写入。",
        "Feishu does not check this update: apart from the cost center split, wrong values are"
        " written as they are.",
    ),
    Words(
        "请逐项核对。飞书推荐使用另一个会校验的新接口，本门户固定使用这一个。",
        "Check every line. Feishu recommends another call that does check; this portal is set to"
        " use this one.",
    ),
)
FAR_MOVED = Notice(
    "plan.start-moved-far",
    Words(
        "入职日期从 {before} 改到 {after}，相差 {days} 天。",
        "The start date moves from {before} to {after}, by {days} days.",
    ),
    Words("请确认日期不是笔误。", "Make sure that the date is meant."),
)
PAST_START = Notice(
    "plan.start-in-the-past",
    Words("入职日期 {day} 早于今天。", "The start date {day} lies in the past."),
    Words("补录是允许的，请确认日期无误。", "Backdating is allowed; make sure it is meant."),
)
FLOW_STATUS = Notice(
    "plan.status-without-flow",
    Words(
        "把入职状态直接改为“{status}”，不等于在飞书中办理：不知道飞书是否会触发任何流程。",
        "Setting the status to “{status}” is not the same as doing it in Feishu: no workflow is"
        " known to run.",
    ),
    Words(
        "请改用飞书人事的“完成入职”“撤销入职”或“删除”；只有在更正错误数据时才继续。",
        "Use “complete”, “withdraw” or “delete” in Feishu CoreHR instead; go on only to correct"
        " wrong data.",
    ),
)
STATUS_MOVED = Notice(
    "plan.status-changed",
    Words(
        "入职状态会从“{before}”改为“{after}”；飞书没有说明这会触发什么。",
        "The status changes from “{before}” to “{after}”; Feishu does not say what that sets off.",
    ),
    Words("如果只想修改其他信息，请保持原状态。", "Leave the status as it is unless you mean it."),
)
CLOSED = Notice(
    "plan.pre-hire-closed",
    Words(
        "这条待入职信息已经是“{status}”。",
        "This pre-hire is already “{status}”.",
    ),
    Words(
        "飞书没有说明此时修改还有什么作用，请确认仍有必要。",
        "Feishu does not say what a change still does then; make sure that it is needed.",
    ),
)
APPLICATION_MOVED = Notice(
    "plan.application-relinked",
    Words(
        "修改招聘投递 ID 会断开与原投递的关联。",
        "Changing the Hire application id breaks the link to the present application.",
    ),
    Words(
        "只有部分租户可用；请确认新的 ID 属于同一位候选人。",
        "It works in some tenants only; make sure that the new id belongs to the same candidate.",
    ),
)
PERSON_MOVED = Notice(
    "plan.person-relinked",
    Words(
        "修改个人信息 ID 会让这条待入职信息指向另一份个人信息。",
        "Changing the person id makes this pre-hire point to another person's record.",
    ),
    Words("请确认两份个人信息属于同一个人。", "Make sure that both records are the same person."),
)
ROUTE = Words(
    "通过飞书人事的“更新待入职信息”发送（飞书标注为“不推荐”：只写入数据，不校验规则）。",
    "Sent through Feishu CoreHR, “update pre-hire”, which Feishu marks as not recommended: it"
    " writes the data and checks no rules.",
)


class UpdatePreHire(Kind[PreHire]):
    name = "update_pre_hire"
    url_name = "update-pre-hire"
    step = "update"
    title = Words("更新待入职信息", "Update pre-hire")
    explanation = Words(
        "修改飞书人事中的待入职信息。只发送你改动的项，其他项保持不变。",
        "Changes the pre-hire's record in Feishu CoreHR. Only what you change is sent; the rest"
        " stays as it is.",
    )
    subject = PRE_HIRE
    form_class = UpdatePreHireForm
    undo = Words(
        "可以改回：之后可用“更新待入职信息”恢复原值；原来为空的项不能再清空。",
        "It can be changed back later with another update; what was empty before cannot be"
        " emptied again.",
    )
    endpoint = remote.endpoints.PRE_HIRE_PATCH
    inverse = "update_pre_hire"
    is_everyday = True
    icon = "pencil"
    reads_first = True

    # -- what is offered, and the form ----------------------------------------------------

    def is_legal(self, pre_hire: PreHire) -> bool:
        return rules.can_update_pre_hire(pre_hire.onboarding_status)

    def about(self, pre_hire: PreHire) -> Words:
        start = day_words(pre_hire.onboards_on)
        status = _status_words(pre_hire.onboarding_status)
        return Words(f"入职日期 {start.zh} · {status.zh}", f"Starts {start.en} · {status.en}")

    def form(
        self,
        pre_hire: PreHire,
        data: Mapping[str, Any] | None = None,
        *,
        today: date,
        undoes: StatusChange | None = None,
        user: User | None = None,
    ) -> UpdatePreHireForm:
        return UpdatePreHireForm(
            data,
            facts=_form_facts(pre_hire),
            fields=_editable_fields(),
            restores=self.initial_undoing(undoes) if undoes else {},
            read_at=pre_hire.detail_asked_at,
        )

    def initial(self, pre_hire: PreHire, *, today: date) -> dict[str, Any]:
        return held_values(_form_facts(pre_hire), _editable_fields())

    def initial_undoing(self, change: StatusChange) -> dict[str, Any]:
        """What the change set, as it was before; what was empty then stays as it is now."""
        sent = dict(remote.Call.from_canonical(change.payload).body or {})
        before = held_values(change.pre_image, _editable_fields())
        custom = before.pop("custom_fields")
        set_fields = {item["field_name"] for item in sent.get("custom_fields", [])}
        if sent["onboarding_status"]["enum_name"] == before["onboarding_status"]:
            # Sent along only because Feishu demands it.
            del sent["onboarding_status"]
        restored = {name: before[name] for name in NAMES if name in sent}
        return _filled_only(restored) | {
            "custom_fields": _filled_only({name: custom.get(name) for name in set_fields})
        }

    # -- the plan -------------------------------------------------------------------------

    def route_for(self, pre_hire: PreHire) -> Words:
        return ROUTE

    def call(self, pre_hire: PreHire, values: Facts, *, key: str) -> remote.Call:
        """The key is the client token: Feishu takes each attempt for the same request."""
        fields = _editable_fields()
        facts = _form_facts(pre_hire)
        changed = changed_values(values, held_values(facts, fields))
        custom = [
            remote.values.FieldValue(
                name, remote.values.encode_pre_hire_value(object_fields.typed(fields[name], value))
            )
            for name, value in sorted(changed.pop("custom_fields", {}).items())
        ]
        split = [
            remote.writes.CostCenterShare(center, rate)
            for center, rate in changed.pop("cost_center_rate", ())
        ]
        status = changed.pop("onboarding_status", facts["onboarding_status"])
        return remote.writes.update_pre_hire(
            pre_hire.feishu_id,
            client_token=key,
            onboarding_status=status,
            custom_fields=custom or None,
            cost_center_rate=split or None,
            **changed,
        )

    def effective_day(self, values: Facts) -> None:
        """At once, whatever the start date: the record is what changes."""

    def field_changes(self, pre_hire: PreHire, values: Facts) -> Sequence[FieldChange]:
        """What would change, and of the rest what is filled."""
        fields = _editable_fields()
        facts = _form_facts(pre_hire)
        held = held_values(facts, fields)
        changed = changed_values(values, held)
        lines = [
            FieldChange(
                LABELS[name],
                _fact_words(name, facts),
                value_words(name, changed[name]) if name in changed else _fact_words(name, facts),
            )
            for name in NAMES
            if name in changed or not is_empty(_as_tuple(facts[name]))
        ]
        return lines + _custom_changes(fields, facts, changed.get("custom_fields", {}))

    def blockers(self, pre_hire: PreHire, values: Facts, *, today: date) -> Sequence[Notice]:
        if pre_hire.detail is None:
            return [NOT_READ]
        changed = changed_values(values, held_values(_form_facts(pre_hire), _editable_fields()))
        if not changed:
            return [NOTHING_CHANGED]
        if "cost_center_rate" not in changed:
            return []
        return split_refusals(self.endpoint, changed["cost_center_rate"])

    def warnings(self, pre_hire: PreHire, values: Facts, *, today: date) -> Sequence[Notice]:
        held = held_values(_form_facts(pre_hire), {})
        changed = changed_values({n: v for n, v in values.items() if n in NAMES}, held)
        found = [NOT_CHECKED]
        found += _about_the_status(held["onboarding_status"], changed.get("onboarding_status"))
        if "hire_date" in changed:
            found += _about_the_day(held["hire_date"], changed["hire_date"], today)
        if "ats_application_id" in changed and held["ats_application_id"]:
            found.append(APPLICATION_MOVED)
        if "person_id" in changed and held["person_id"]:
            found.append(PERSON_MOVED)
        return found

    # -- the facts ------------------------------------------------------------------------

    def known(self, pre_hire: PreHire) -> Facts:
        return pre_hire.detail or {}

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        try:
            return feishu.get_pre_hire(subject_id)
        except remote.errors.Refused as error:
            if error.code == NO_SUCH_PRE_HIRE:
                raise RecordMissing from error
            raise

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        mirror.store_pre_hire_details([payload], asked_at=asked_at)

    def facts(self, payload: Facts) -> dict[str, Any]:
        return facts_of(payload)

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        """Every field Feishu has described, filled or not, so that two readings can be laid
        side by side."""
        plain = [ShownFact(LABELS[name], _fact_words(name, facts)) for name in NAMES]
        custom = facts["custom_fields"]
        return plain + [
            ShownFact(field.label, custom_words(field, custom.get(name)))
            for name, field in _editable_fields().items()
        ]

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Everything that was sent stands there, the status included."""
        return shows(facts, call.body or {})

    def chained(self, facts: Facts) -> Facts:
        """The company's own fields may hold anything about a person: their names alone."""
        return {**facts, "custom_fields": sorted(facts["custom_fields"])}

    # -- the end --------------------------------------------------------------------------

    def answered_record(self, data: Facts) -> Facts | None:
        record = data.get("pre_hire")
        return record if isinstance(record, Mapping) and record.get("id") else None

    def outcome_sentence(self, change: StatusChange) -> Words:
        fields = [field for field in change.plan.get("fields", []) if field["changed"]]
        zh = "、".join(field["label"]["zh"] for field in fields)
        en = ", ".join(field["label"]["en"] for field in fields)
        name = change.person.name
        return Words(f"{name}的待入职信息已更新：{zh}。", f"{name}'s pre-hire is updated: {en}.")


def _form_facts(pre_hire: PreHire) -> dict[str, Any]:
    """The facts; as much of them as a search has found while the record has not been read."""
    if pre_hire.detail is not None:
        return facts_of(pre_hire.detail)
    return facts_of(
        {
            "onboarding_status": {"enum_name": pre_hire.onboarding_status},
            "hire_date": pre_hire.onboards_on.isoformat() if pre_hire.onboards_on else "",
            "ats_application_id": pre_hire.application_id,
        }
    )


def _editable_fields() -> dict[str, ObjectField]:
    fields = object_fields.object_fields(CatalogueEntry.Kind.PRE_HIRE_FIELD)
    return {name: field for name, field in fields.items() if field.is_editable}


def _filled_only(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not is_empty(value)}


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _fact_words(name: str, facts: Facts) -> Words:
    """A fact as it is: a day that is none is shown all the same."""
    if name == "cost_center_rate":
        return value_words(name, tuple((center, rate) for center, rate in facts[name]))
    return value_words(name, facts[name])


def _status_words(status: str) -> Words:
    return STATUS_WORDS.get(status) or text_words(status)


def _custom_changes(
    fields: Mapping[str, ObjectField], facts: Facts, changed: Mapping[str, Any]
) -> list[FieldChange]:
    held = facts["custom_fields"]
    lines = []
    for name, field in fields.items():
        if name not in changed and not held.get(name):
            continue
        before = custom_words(field, held.get(name))
        after = object_fields.shown(field, changed[name]) if name in changed else before
        lines.append(FieldChange(field.label, before, after))
    return lines


def _about_the_status(before: str, after: str | None) -> list[Notice]:
    if after is None:
        return [_filled_statuses(CLOSED, status=before)] if rules.is_left_to_feishu(before) else []
    if rules.is_left_to_feishu(after):
        return [_filled_statuses(FLOW_STATUS, status=after)]
    return [_filled_statuses(STATUS_MOVED, before=before, after=after)]


def _filled_statuses(notice: Notice, **statuses: str) -> Notice:
    """The notice with the names of these statuses in its sentence, in either language."""
    names = {key: _status_words(status) for key, status in statuses.items()}
    sentence = Words(
        notice.sentence.zh.format(**{key: name.zh for key, name in names.items()}),
        notice.sentence.en.format(**{key: name.en for key, name in names.items()}),
    )
    return Notice(notice.code, sentence, notice.advice)


def _about_the_day(before: date | None, after: date, today: date) -> list[Notice]:
    found = []
    if before is not None and abs(after - before) > FAR_MOVE:
        days = abs(after - before).days
        found.append(filled(FAR_MOVED, before=before, after=after, days=days))
    if after < today:
        found.append(filled(PAST_START, day=after))
    day_off = calendars.day_off_notice(after)
    return [*found, day_off] if day_off else found
