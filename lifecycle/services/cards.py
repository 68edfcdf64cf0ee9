"""What a card about a request shows: the question with its buttons, or what has become of it.

Nothing stands on it that the inbox does not show. Texts are in both languages, because Feishu
shows each reader the one of their own client.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from lifecycle.models import ConversionRequest, FeishuMessage, StatusChange
from lifecycle.models.changes import FINAL
from lifecycle.queries.names import department_names
from lifecycle.remote import cards
from lifecycle.services.requests import longer

Element = cards.Element
Template = cards.Template
Text = cards.Text
plain = cards.plain
Status = ConversionRequest.Status
Card = dict[str, Any]

# The faces of a card. Those of a request that is closed are its status.
OPEN, MOVED, SUPERSEDED, PASSED = "open", "moved", "superseded", "passed"
APPROVE, EXTEND, DECLINE = "approve", "extend", "decline"
# What the form of the card is called back with.
UNTIL, REASON = "until", "reason"
NOTE_SHOWN = 500

CHANGE_SAID: dict[str, Text] = {
    StatusChange.Status.SUCCEEDED: Text("已在飞书生效", "in effect in Feishu"),
    StatusChange.Status.NEEDS_ATTENTION: Text("HR 正在与飞书核实", "HR is checking it with Feishu"),
}
SENT_THEN = Text(
    "当天发送到飞书，发送前会再核对一次。",
    "It is sent to Feishu on that day, once the facts have been read again.",
)
SENT_ON_THE_DAY = Text("当天发送到飞书", "sent to Feishu on that day")
GOES_ON = Text("之后由下一步决定", "once the next step agrees too")
OTHERS_THEN = Text("之后还需其他人同意。", "Others have to agree after you.")
NOT_DONE = Text("没有执行，HR 会处理", "not carried out; HR takes care of it")
ON_ITS_WAY = Text("将在当天发送到飞书", "is sent to Feishu on that day")


def closed_face(request: ConversionRequest) -> str:
    """The face of a request that is decided or given up, and of its change."""
    if request.is_approved and request.change is not None:
        return f"{request.status}:{request.change.status}"
    return str(request.status)


def is_last_face(request: ConversionRequest, face: str) -> bool:
    """True when no other face can come after this one."""
    if face in (MOVED, SUPERSEDED):
        return True
    if request.is_open:
        return False
    return request.change is None or request.change.status in FINAL


def card_of(message: FeishuMessage, face: str, *, at: datetime) -> Card:
    """The whole card of a message about a request."""
    request = message.request
    if request is None:
        raise ValueError("a card is about a request")
    if face == OPEN:
        return _question(message, request, at)
    said, template = _outcome(request, face)
    elements = [cards.markdown(_who(request, timezone.localdate(at))), cards.markdown(said)]
    return cards.card(_title(request), elements, template=template)


# -- the question -------------------------------------------------------------------------


def _question(message: FeishuMessage, request: ConversionRequest, at: datetime) -> Card:
    today = timezone.localdate(at)
    open_page = cards.link(Text("在网页中打开", "Open in the portal"), address_of(request))
    elements: list[Element] = [
        cards.markdown(_who(request, today)),
        cards.markdown(_facts(message, request)),
        cards.side_by_side([_agree(message, request), open_page]),
        cards.rule(),
        cards.markdown(Text("还不能转正？", "Not yet?")),
        _otherwise(message, request, today),
    ]
    is_late = request.due_on < today
    is_reminder = message.kind == FeishuMessage.Kind.REMINDER
    template: Template = "red" if is_late else "orange" if is_reminder else "blue"
    return cards.card(_title(request, is_reminder=is_reminder), elements, template=template)


def _agree(message: FeishuMessage, request: ConversionRequest) -> Element:
    day = request.suggested_on.isoformat()
    after = SENT_THEN if request.is_last_step else OTHERS_THEN
    question = Text(f"同意{_name(request)}转正？", f"Agree to convert {_name(request)}?")
    what_follows = Text(f"转正日期 {day}。{after.zh}", f"Converted on {day}. {after.en}")
    return cards.button(
        APPROVE,
        Text("同意转正", "Agree to convert"),
        _pressed(message, APPROVE),
        look="primary",
        question=(question, what_follows),
    )


def _otherwise(message: FeishuMessage, request: ConversionRequest, today: date) -> Element:
    """A form: not yet, or not at all, and why."""
    until = cards.date_picker(
        UNTIL,
        Text("延长至（不予转正时不用填）", "Extend until (not for “do not convert”)"),
        initial=longer(request, today),
    )
    reason = cards.text_input(
        REASON,
        Text("原因（HR 会看到，并记入操作日志）", "Reason (HR reads it; kept in the log)"),
        required=True,
    )
    extend = cards.button(
        EXTEND,
        Text("延长试用期", "Extend the probation"),
        _pressed(message, EXTEND),
        submits=True,
    )
    decline = cards.button(
        DECLINE,
        Text("不予转正", "Do not convert"),
        _pressed(message, DECLINE),
        look="danger",
        submits=True,
    )
    return cards.form("otherwise", [until, reason, cards.side_by_side([extend, decline])])


def _pressed(message: FeishuMessage, step: str) -> dict[str, str]:
    """What Feishu gives back when the button is pressed."""
    return {"message": str(message.uuid), "step": step}


def _title(request: ConversionRequest, *, is_reminder: bool = False) -> Text:
    zh, en = f"转正审批：{_name(request)}", f"Probation of {_name(request)}"
    return Text(f"提醒 · {zh}", f"Reminder · {en}") if is_reminder else Text(zh, en)


def _who(request: ConversionRequest, today: date) -> Text:
    departments = department_names({request.employee.department_id})
    department = departments.get(request.employee.department_id, "")
    who = f"**{plain(_name(request))}**" + (f" · {plain(department)}" if department else "")
    due, days = request.due_on.isoformat(), (request.due_on - today).days
    left = f"还有 {days} 天" if days >= 0 else f"已逾期 {-days} 天"
    left_en = f"{days} days left" if days >= 0 else f"{-days} days overdue"
    return Text(
        f"{who}\n试用期至 **{due}**（{left}）", f"{who}\nProbation until **{due}** ({left_en})"
    )


def _facts(message: FeishuMessage, request: ConversionRequest) -> Text:
    day = request.suggested_on.isoformat()
    by = plain(request.requested_by.name) if request.requested_by else ""
    then = SENT_ON_THE_DAY if request.is_last_step else GOES_ON
    zh = [
        f"同意后：{day} 转正，{then.zh}",
        f"发起人：{by or '系统（按规则）'}",
    ]
    en = [
        f"Your yes: converted on {day}, {then.en}",
        f"Asked by: {by or 'the portal, by rule'}",
    ]
    if request.employee.onboarded_on:
        joined = request.employee.onboarded_on.isoformat()
        zh.insert(0, f"入职日期：{joined}")
        en.insert(0, f"Onboarded on: {joined}")
    if request.approver is not None and request.approver_id != message.user_id:
        absent = plain(request.approver.name)
        zh.append(f"您代{absent}决定")
        en.append(f"You stand in for {absent}")
    if request.has_steps:
        zh.append(f"第 {request.step_number} 步，共 {len(request.route)} 步")
        en.append(f"Step {request.step_number} of {len(request.route)}")
        for one in request.agreements.select_related("by"):
            zh.append(f"{plain(one.by.name)}已同意（第 {one.step + 1} 步）")
            en.append(f"{plain(one.by.name)} has agreed (step {one.step + 1})")
    if request.note:
        note = plain(request.note[:NOTE_SHOWN])
        zh.append(f"HR 的说明：{note}")
        en.append(f"Note by HR: {note}")
    return Text("\n".join(zh), "\n".join(en))


# -- what has become of it ----------------------------------------------------------------


def _outcome(request: ConversionRequest, face: str) -> tuple[Text, Template]:
    if face == MOVED:
        return Text("已改由他人决定。", "Somebody else decides now."), "grey"
    if face == SUPERSEDED:
        return Text("已有新的提醒，请看最新的卡片。", "See the newer card."), "grey"
    if face.startswith(PASSED):
        return _passed(request), "blue"
    who = _decided_by(request)
    if request.is_approved:
        return _agreed(request, who)
    if request.is_extended and request.extended_to:
        until = request.extended_to.isoformat()
        return Text(
            f"{who.zh}：试用期延长至 **{until}**", f"{who.en}: probation until **{until}**"
        ), "orange"
    if request.is_declined:
        return Text(f"{who.zh}：不予转正，HR 会跟进", f"{who.en}: not converted; HR follows"), "red"
    if request.status == Status.CANCELLED:
        return Text("HR 已撤回，无需决定。", "HR has taken it back; nothing to decide."), "grey"
    because = str(request.void_because)
    if because == ConversionRequest.Void.FACTS_CHANGED:
        return Text(
            "飞书中的信息有变化，此审批已作废；如仍需决定，会有新的卡片。",
            "The facts in Feishu have changed, so this is void; a new card comes if a decision is"
            " still needed.",
        ), "grey"
    return Text("此审批已作废，无需决定。", "This is void; nothing to decide."), "grey"


def _passed(request: ConversionRequest) -> Text:
    """Agreed to at earlier steps; somebody else has to agree too."""
    agreed = [one.by.name for one in request.agreements.select_related("by")]
    names, names_en = plain("、".join(agreed)), plain(", ".join(agreed))
    following = plain(request.approver.name) if request.approver else "HR"
    number, steps, day = request.step_number, len(request.route), request.suggested_on.isoformat()
    return Text(
        f"{names} 已同意 **{day}** 转正\n接下来由{following}决定（第 {number} 步，共 {steps} 步）",
        f"{names_en} agreed: converted on **{day}**\n{following} decides next"
        f" (step {number} of {steps})",
    )


def _agreed(request: ConversionRequest, who: Text) -> tuple[Text, Template]:
    change = request.change
    status = change.status if change is not None else ""
    said = CHANGE_SAID.get(status) or (NOT_DONE if status in FINAL else ON_ITS_WAY)
    day = timezone.localdate(change.effective_at).isoformat() if change else ""
    template: Template = "green" if status not in FINAL or said != NOT_DONE else "red"
    return Text(
        f"{who.zh}：同意 **{day}** 转正\n{said.zh}", f"{who.en}: converted on **{day}**\n{said.en}"
    ), template


def _decided_by(request: ConversionRequest) -> Text:
    name = plain(request.decided_by.name) if request.decided_by else ""
    moment = timezone.localtime(request.closed_at).strftime("%Y-%m-%d %H:%M")
    if request.decided_for is None:
        return Text(f"{name} {moment}", f"{name} {moment}")
    absent = plain(request.decided_for.name)
    return Text(f"{name}（代{absent}） {moment}", f"{name} (for {absent}) {moment}")


def _name(request: ConversionRequest) -> str:
    return request.person.name or request.employee.feishu_id


def address_of(request: ConversionRequest) -> str:
    """The page of the same decision in the portal."""
    return f"{settings.PORTAL_URL}{reverse('decide-request', args=[request.pk, APPROVE])}"
