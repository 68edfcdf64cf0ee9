"""Edit an offboarding record (编辑离职信息): A4."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms

from lifecycle import calendars, differences, mirror, pickers, remote, rules
from lifecycle.changes.kinds.base import Facts, FieldChange, Kind, RecordMissing, ShownFact
from lifecycle.changes.kinds.forms import EditOffboardingForm
from lifecycle.changes.kinds.forms.offboardings import PREFIX, seen_stamps, stamp
from lifecycle.changes.kinds.offboarding_record import (
    BLOCK_DETAILS,
    BLOCK_REASON,
    BLOCKED,
    DEPARTURE,
    LAST_ATTENDANCE,
    NON_COMPETE,
    NON_COMPETE_DETAILS,
    NON_COMPETE_FROM,
    NON_COMPETE_UNTIL,
    offboarding_fields,
    texts_of,
    value_of,
    with_edits,
    words_of,
)
from lifecycle.changes.kinds.subjects import OFFBOARDING
from lifecycle.changes.kinds.words import day_words, filled, refusal, text_words
from lifecycle.errors.words import Notice, Words
from lifecycle.forms.object_fields import NOTHING, ObjectField, Value, initial_of, shown, typed
from lifecycle.models import Department, Employment, Offboarding, StatusChange, User
from lifecycle.remote import values as wire

TRANSFER_PENDING = 1160200
DEPARTMENT_DISABLED = 1160300
BEFORE_ONBOARDING = 1160601
NOT_APPROVED = 1160623
NO_SUCH_OPERATOR = 1160624
HAS_LEFT = 1160631
NO_SUCH_PERSON = 1160636
BAD_NON_COMPETE, BAD_BLOCK_LIST = 1160700, 1160710
FAR_MOVE_DAYS = 30

NOTHING_TO_CHANGE = Notice(
    "plan.nothing-to-change",
    Words("没有任何改动。", "Nothing has been changed."),
    Words("请返回修改至少一个字段。", "Go back and change at least one field."),
)
FAR_MOVE = Notice(
    "plan.departure-far-move",
    Words(
        "离职日期比原来{way} {days} 天。",
        "The departure date moves by {days} days to a {way} day.",
    ),
    Words("请确认年份和月份不是笔误。", "Make sure that the year and the month are meant."),
)
IN_THE_PAST = Notice(
    "plan.departure-in-the-past",
    Words("离职日期 {day} 早于今天。", "The departure date {day} lies in the past."),
    Words(
        "离职生效后，这条离职信息就不能再编辑。请确认日期无误。",
        "Once a departure has taken effect it cannot be edited any more. Make sure it is meant.",
    ),
)
EMITS_EVENT = Notice(
    "plan.edit-emits-event",
    Words(
        "每次编辑，飞书都会向订阅了“离职信息变更”的其他系统发出事件。",
        "With every edit Feishu sends an event to the other systems that listen for changes of"
        " offboardings.",
    ),
    Words(
        "如果薪酬、门禁等系统据此办理，请提前知会。",
        "If payroll, access control or others act on it, tell them beforehand.",
    ),
)
SEVERAL_FIELDS = Notice(
    "plan.edit-several-fields",
    Words(
        "一次修改 {number} 个字段：飞书没有说明其中一个不合规时，其余的是否仍会保存。",
        "{number} fields change at once: Feishu does not say whether the others are kept when one"
        " is not acceptable.",
    ),
    Words(
        "如果飞书拒绝，请在离职信息中核对每个字段。",
        "If Feishu refuses, check every field of the offboarding.",
    ),
)
NOT_SHOWN = Notice(
    "plan.edit-not-shown",
    Words(
        "飞书没有返回这些字段的现值：{names}。",
        "Feishu does not show what these fields hold now: {names}.",
    ),
    Words(
        "可能为空，也可能应用缺少读取权限。如果飞书没有答复，需要人工核对。",
        "They may be empty, or the app may lack the permission to read them. If no answer comes"
        " from Feishu, a person has to check them.",
    ),
)
MOVED_MEANWHILE = Notice(
    "plan.edit-moved-meanwhile",
    Words(
        "打开表单之后，飞书中的这些字段已被改动：{names}。",
        "Since you opened the form, these fields have been changed in Feishu: {names}.",
    ),
    Words(
        "“变更前”显示的是现在的值，请确认仍要改成您填写的值。",
        "“Before” shows what they hold now; make sure that you still want your values.",
    ),
)
NOT_EMPTIED_AGAIN = Notice(
    "plan.edit-not-emptied-again",
    Words(
        "这些字段原来为空：{names}。填写后无法通过接口清空。",
        "These fields are empty now: {names}. Once filled they cannot be emptied from here.",
    ),
    Words(
        "需要恢复为空时，请在飞书人事中清空。",
        "To empty one again, do so in Feishu CoreHR.",
    ),
)
ROUTE = Words(
    "通过飞书人事的“编辑离职信息”发送，只发送有改动的字段。",
    "Sent through Feishu CoreHR, “edit offboarding”; only the fields that change are sent.",
)
STATUS_LABEL = Words("离职状态", "Offboarding status")
OPERATOR_LABEL = Words("操作人", "Operator")
STATUS_WORDS: dict[str, Words] = {
    rules.OffboardingStatus.APPROVING: Words("审批中", "Awaiting approval"),
    rules.OffboardingStatus.APPROVED: Words("审批通过", "Approved"),
    rules.OffboardingStatus.NO_NEED_APPROVAL: Words("无需审批", "No approval needed"),
    rules.OffboardingStatus.OFFBOARDED: Words("已离职", "Offboarded"),
    rules.OffboardingStatus.REJECTED: Words("审批拒绝", "Rejected"),
    rules.OffboardingStatus.WITHDRAWN: Words("已撤回", "Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One field that is to change. `before`: as O1 shows it; None where it does not."""

    field: ObjectField
    before: str | None
    value: Value

    @property
    def text(self) -> str:
        """As it is sent. Raises feishu InvalidValue."""
        return wire.encode_offboarding_value(typed(self.field, self.value))


class EditOffboarding(Kind[Offboarding]):
    name = "edit_offboarding"
    url_name = "edit-offboarding"
    step = "edit"
    title = Words("编辑离职信息", "Edit offboarding")
    explanation = Words(
        "修改飞书人事中已审批通过的离职信息。只发送您改动的字段。",
        "Changes an approved offboarding in Feishu CoreHR. Only what you change is sent.",
    )
    subject = OFFBOARDING
    form_class = EditOffboardingForm
    endpoint = remote.endpoints.OFFBOARDING_EDIT
    undo = Words(
        "可以改回：之后可用“编辑离职信息”填回原值，原值已保留；原来为空的字段只能在飞书人事中清空。",
        "It can be edited back: the former values are kept and filled in for you. A field that"
        " was empty can be emptied in Feishu CoreHR only.",
    )
    inverse = "edit_offboarding"
    icon = "pencil"
    reads_first = True

    # -- what is offered, and the form ----------------------------------------------------

    def is_legal(self, offboarding: Offboarding) -> bool:
        return rules.can_edit_offboarding(offboarding.status)

    def about(self, offboarding: Offboarding) -> Words:
        day, status = day_words(offboarding.offboards_on), _status_words(offboarding.status)
        return Words(f"离职日期 {day.zh} · {status.zh}", f"Leaves on {day.en} · {status.en}")

    def form(
        self,
        offboarding: Offboarding,
        data: Mapping[str, Any] | None = None,
        *,
        today: date,
        undoes: StatusChange | None = None,
        user: User | None = None,
    ) -> forms.Form:
        fields = offboarding_fields()
        texts = texts_of(offboarding.payload, fields)
        present = {name: value_of(fields[name], text) for name, text in texts.items()}
        if data is not None:
            return EditOffboardingForm(data, object_fields=fields, present=present)
        initial = self.initial_for(user) if user else {}
        initial |= self.initial_undoing(undoes) if undoes else {}
        return EditOffboardingForm(initial=initial, object_fields=fields, present=present)

    def initial(self, offboarding: Offboarding, *, today: date) -> dict[str, Any]:
        return {}

    def initial_for(self, user: User) -> dict[str, Any]:
        """The operator is whoever fills the form in, when we know them in CoreHR."""
        known = Employment.objects.exclude(status="terminated").filter(person__open_id=user.open_id)
        employment = known.first() if user.open_id else None
        return {"operator_id": employment.feishu_id} if employment else {}

    def initial_undoing(self, change: StatusChange) -> dict[str, Any]:
        """What each field held before the change, where it held anything."""
        fields = offboarding_fields()
        before = change.pre_image.get("values", {})
        sent = sent_texts(remote.Call.from_canonical(change.payload))
        held = {name: value_of(fields[name], before.get(name)) for name in sent if name in fields}
        return {
            PREFIX + name: initial_of(fields[name], value)
            for name, value in held.items()
            if value is not None
        }

    # -- the plan -------------------------------------------------------------------------

    def route_for(self, offboarding: Offboarding) -> Words:
        return ROUTE

    def call(self, offboarding: Offboarding, values: Facts, *, key: str) -> remote.Call:
        edits = edits_in(offboarding, values)
        if not edits:
            # Blocked, and never sent: it shows that there is nothing in it.
            body = {"offboarding_id": offboarding.feishu_id, "update_data": []}
            return remote.Call(self.endpoint, {}, query=ID_TYPE, body=body)
        return remote.writes.edit_offboarding(
            offboarding.feishu_id,
            update_data=[wire.FieldValue(edit.field.api_name, edit.text) for edit in edits],
            operator_id=values.get("operator_id") or None,
        )

    def effective_day(self, values: Facts) -> None:
        return None

    def field_changes(self, offboarding: Offboarding, values: Facts) -> Sequence[FieldChange]:
        rows = [
            FieldChange(
                edit.field.label,
                words_of(edit.field, edit.before),
                shown(edit.field, edit.value),
            )
            for edit in edits_in(offboarding, values)
        ]
        if not rows:
            day = day_words(offboarding.offboards_on)
            rows.append(FieldChange(Words("离职日期", "Departure date"), day, day))
        operator = values.get("operator_id")
        if operator:
            name = text_words(pickers.label("employment", operator))
            rows.append(FieldChange(OPERATOR_LABEL, NOTHING, name))
        return rows

    def blockers(self, offboarding: Offboarding, values: Facts, *, today: date) -> Sequence[Notice]:
        edits = edits_in(offboarding, values)
        fields = offboarding_fields()
        employment = Employment.objects.filter(feishu_id=offboarding.employment_id).first()
        after = _after(offboarding, edits, fields)
        codes = [
            *_refusals_of_record(offboarding, employment),
            *_refusals_of_people(edits, values.get("operator_id")),
            *_refusals_of_departure(edits, employment, today),
            *_refusals_of_non_compete(edits, after),
            *_refusals_of_block_list(edits, after),
        ]
        found = [refusal(self.endpoint, code) for code in codes]
        return found if edits else [NOTHING_TO_CHANGE, *found]

    def warnings(self, offboarding: Offboarding, values: Facts, *, today: date) -> Sequence[Notice]:
        edits = edits_in(offboarding, values)
        return [*_about_days(edits, today), *_about_fields(edits, values)] if edits else []

    # -- the facts ------------------------------------------------------------------------

    def read(self, subject_id: str, feishu: remote.Client) -> Facts:
        """O1 reads no single record: those of the employment are searched for this one."""
        known = Offboarding.objects.filter(feishu_id=subject_id).first()
        employment_id = known.employment_id if known else ""
        token: str | None = None
        while True:
            page = feishu.search_offboardings(
                employment_ids=[employment_id] if employment_id else None,
                page_token=token,
                background=False,
            )
            for item in page.records:
                if item.get("offboarding_id") == subject_id:
                    return item
            token = page.next_token
            if token is None:
                raise RecordMissing

    def store(self, payload: Facts, *, asked_at: datetime) -> None:
        """O1 is a search: right after an edit it may still show what was before."""
        mirror.store_offboardings([payload], asked_at=asked_at, origin=differences.POLLED)

    def facts(self, payload: Facts) -> dict[str, Any]:
        """The status, and what each field that can be edited holds."""
        texts = texts_of(payload, offboarding_fields())
        return {"status": payload.get("status") or None, "values": texts}

    def chained(self, facts: Facts) -> Facts:
        """Explanations and interviews are free text, and the reasons are personal."""
        day = (facts.get("values") or {}).get(DEPARTURE)
        return {"status": facts.get("status"), DEPARTURE: day}

    def shown_facts(self, facts: Facts) -> Sequence[ShownFact]:
        texts = facts.get("values") or {}
        return (
            ShownFact(STATUS_LABEL, _status_words(str(facts.get("status") or ""))),
            *(
                ShownFact(field.label, words_of(field, texts.get(name)))
                for name, field in offboarding_fields().items()
                if field.kind is not None
            ),
        )

    def holds(self, call: remote.Call, facts: Facts) -> bool:
        """Every field that was sent is shown, with what was sent: a field O1 does not show
        proves nothing (docs/adr/0008)."""
        fields, texts = offboarding_fields(), facts.get("values") or {}
        sent = sent_texts(call)
        return bool(sent) and all(
            name in fields
            and texts.get(name)
            and value_of(fields[name], texts[name]) == value_of(fields[name], text)
            for name, text in sent.items()
        )

    def may_send_again(self, call: remote.Call, facts: Facts) -> bool:
        texts = facts.get("values") or {}
        return all(name in texts for name in sent_texts(call))

    # -- the end --------------------------------------------------------------------------

    def answered_record(self, data: Facts) -> None:
        """The answer repeats the fields that were sent, not the record."""
        return None

    def applied(self, change: StatusChange, *, at: datetime) -> None:
        """Feishu has confirmed the values: they are shown before O1 is read again."""
        if change.settled_via != StatusChange.Via.ANSWER:
            return
        record = Offboarding.objects.filter(feishu_id=change.subject_id).first()
        if record is not None:
            sent = sent_texts(remote.Call.from_canonical(change.payload))
            self.store(with_edits(record.payload, sent, offboarding_fields()), asked_at=at)

    def outcome_sentence(self, change: StatusChange) -> Words:
        labels = [
            field["label"]
            for field in change.plan.get("fields", [])
            if field["changed"] and field["label"]["en"] != OPERATOR_LABEL.en
        ]
        zh = "、".join(label["zh"] for label in labels)
        en = ", ".join(label["en"] for label in labels)
        name = change.person.name
        return Words(f"{name}的离职信息已更新：{zh}。", f"{name}'s offboarding is updated: {en}.")


ID_TYPE = (("user_id_type", "people_corehr_id"),)


def sent_texts(call: remote.Call) -> dict[str, str]:
    """What the request sets, by field."""
    sent = (call.body or {}).get("update_data", ())
    return {item["field_name"]: item["value"] for item in sent}


def edits_in(offboarding: Offboarding, values: Facts) -> list[Edit]:
    """The fields whose new value is not what Feishu holds already.

    Raises feishu FieldNotEditable for a field that is not offered.
    """
    fields = offboarding_fields()
    texts = texts_of(offboarding.payload, fields)
    edits = []
    for key, value in values.items():
        if not key.startswith(PREFIX) or value is None:
            continue
        name = key.removeprefix(PREFIX)
        field = fields.get(name)
        if field is None or not field.is_editable or name in FIXED:
            raise remote.errors.FieldNotEditable(name)
        if value_of(field, texts.get(name)) != value:
            edits.append(Edit(field, texts.get(name), value))
    return edits


FIXED = remote.writes.FIXED_OFFBOARDING_FIELDS


def _after(
    offboarding: Offboarding, edits: Sequence[Edit], fields: Mapping[str, ObjectField]
) -> dict[str, Value]:
    """What the record will hold of the fields O1 shows and of those that change."""
    texts = texts_of(offboarding.payload, fields)
    held = {name: value_of(fields[name], text) for name, text in texts.items()}
    return held | {edit.field.api_name: edit.value for edit in edits}


# -- what Feishu would refuse -------------------------------------------------------------


def _refusals_of_record(offboarding: Offboarding, employment: Employment | None) -> Iterator[int]:
    if not rules.can_edit_offboarding(offboarding.status):
        yield NOT_APPROVED
    is_over = offboarding.status == rules.OffboardingStatus.OFFBOARDED
    if is_over or (employment is not None and employment.status == "terminated"):
        yield HAS_LEFT


def _refusals_of_people(edits: Sequence[Edit], operator_id: Any) -> Iterator[int]:
    people = [str(edit.value) for edit in edits if edit.field.kind is wire.FieldKind.PERSON]
    known = pickers.found_by_id("employment", [*people, str(operator_id or "")])
    if any(person not in known for person in people):
        yield NO_SUCH_PERSON
    if operator_id and operator_id not in known:
        yield NO_SUCH_OPERATOR


def _refusals_of_departure(
    edits: Sequence[Edit], employment: Employment | None, today: date
) -> Iterator[int]:
    day = _new_day(edits, DEPARTURE)
    if day is None or employment is None:
        return
    if employment.started_on and day < employment.started_on:
        yield BEFORE_ONBOARDING
    closed = Department.objects.filter(feishu_id=employment.department_id, is_active=False)
    if day >= today and closed.exists():
        yield DEPARTMENT_DISABLED


def _refusals_of_non_compete(edits: Sequence[Edit], after: Mapping[str, Value]) -> Iterator[int]:
    details = {edit.field.api_name for edit in edits} & set(NON_COMPETE_DETAILS)
    begins, ends = after.get(NON_COMPETE_FROM), after.get(NON_COMPETE_UNTIL)
    touches = details or NON_COMPETE in {edit.field.api_name for edit in edits}
    is_turned = isinstance(begins, date) and isinstance(ends, date) and ends < begins
    # Where O1 does not show whether there is an agreement, only Feishu can tell.
    has_none = NON_COMPETE in after and after[NON_COMPETE] is not True
    if (touches and is_turned) or (details and has_none):
        yield BAD_NON_COMPETE


def _refusals_of_block_list(edits: Sequence[Edit], after: Mapping[str, Value]) -> Iterator[int]:
    """A reason goes with being on the list, and only with it."""
    changed = {edit.field.api_name for edit in edits}
    is_blocked = after.get(BLOCKED) is True
    lacks_reason = is_blocked and BLOCKED in changed and after.get(BLOCK_REASON) is None
    is_needless = BLOCKED in after and not is_blocked and changed & set(BLOCK_DETAILS)
    if lacks_reason or is_needless:
        yield BAD_BLOCK_LIST


# -- what to think about ------------------------------------------------------------------


def _about_days(edits: Sequence[Edit], today: date) -> Iterator[Notice]:
    for edit in edits:
        if edit.field.api_name in (DEPARTURE, LAST_ATTENDANCE) and isinstance(edit.value, date):
            notice = calendars.day_off_notice(edit.value)
            if notice is not None:
                yield Notice(notice.code, _named(edit.field.label, notice), notice.advice)
    day, before = _new_day(edits, DEPARTURE), _old_day(edits, DEPARTURE)
    if day is None:
        return
    if day < today:
        yield filled(IN_THE_PAST, day=day)
    days = (day - before).days if before else 0
    if abs(days) > FAR_MOVE_DAYS:
        yield _far_move(days)


def _named(label: Words, notice: Notice) -> Words:
    return Words(f"{label.zh}：{notice.sentence.zh}", f"{label.en}: {notice.sentence.en}")


def _far_move(days: int) -> Notice:
    zh, en = ("推后", "later") if days > 0 else ("提前", "earlier")
    sentence = Words(
        FAR_MOVE.sentence.zh.format(way=zh, days=abs(days)),
        FAR_MOVE.sentence.en.format(way=en, days=abs(days)),
    )
    return Notice(FAR_MOVE.code, sentence, FAR_MOVE.advice)


def _about_fields(edits: Sequence[Edit], values: Facts) -> Iterator[Notice]:
    seen = seen_stamps(values.get("seen"))
    moved = [e.field for e in edits if seen.get(e.field.api_name, _present(e)) != _present(e)]
    if moved:
        yield _listing(MOVED_MEANWHILE, moved)
    not_shown = [edit.field for edit in edits if edit.before is None]
    if not_shown:
        yield _listing(NOT_SHOWN, not_shown)
    empty = [edit.field for edit in edits if edit.before == ""]
    if empty:
        yield _listing(NOT_EMPTIED_AGAIN, empty)
    if len(edits) > 1:
        yield filled(SEVERAL_FIELDS, number=len(edits))
    yield EMITS_EVENT


def _present(edit: Edit) -> str:
    return stamp(initial_of(edit.field, value_of(edit.field, edit.before)))


def _listing(notice: Notice, fields: Sequence[ObjectField]) -> Notice:
    zh = "、".join(field.label.zh for field in fields)
    en = ", ".join(field.label.en for field in fields)
    sentence = Words(notice.sentence.zh.format(names=zh), notice.sentence.en.format(names=en))
    return Notice(notice.code, sentence, notice.advice)


def _new_day(edits: Sequence[Edit], name: str) -> date | None:
    days = (edit.value for edit in edits if edit.field.api_name == name)
    return next((day for day in days if isinstance(day, date)), None)


def _old_day(edits: Sequence[Edit], name: str) -> date | None:
    days = (value_of(e.field, e.before) for e in edits if e.field.api_name == name)
    return next((day for day in days if isinstance(day, date)), None)


def _status_words(status: str) -> Words:
    return STATUS_WORDS.get(status) or text_words(status)
