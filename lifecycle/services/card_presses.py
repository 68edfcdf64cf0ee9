"""Somebody has pressed a button of a card in Feishu: the same decision as on the page.

The signature proves that Feishu says so, and who pressed; nothing else of the press is believed.
Who may decide, on which facts, and what follows is asked of the same service as on the page.
Each push is taken once; pressing again is told what has become of it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from lifecycle import action_log, policies
from lifecycle.changes.doorbell import ring_messages
from lifecycle.errors.problems import CardRefused, LifecycleError, RequestRefused
from lifecycle.errors.words import Words
from lifecycle.models import CardPress, ConversionRequest, FeishuMessage, User
from lifecycle.remote import cards as card_parts
from lifecycle.remote import errors, events
from lifecycle.services import cards, messages, refusals, requests
from lifecycle.services.requests import Through

log = logging.getLogger(__name__)

KEPT = timedelta(days=30)
# The answer to a press may be lost; a little later the card is made sure of.
MAKE_SURE_AFTER = timedelta(seconds=5)
REASON_LENGTH = requests.REASON_LENGTH
PRESSED = refusals.Asked(area="inbox", page="feishu-cards", method="POST", path="")
Answer = dict[str, Any]

SAID: dict[str, Words] = {
    cards.APPROVE: Words("已同意转正。", "You agreed to convert."),
    cards.EXTEND: Words("已延长试用期。", "The probation goes on."),
    cards.DECLINE: Words("已决定不予转正，HR 会跟进。", "Not converted. HR takes care of it."),
}
AGREED_TO_GO_ON = Words("已同意，接下来由其他人决定。", "You agreed. Somebody else decides next.")
ALREADY: dict[str, Words] = {
    "request.not-open": Words("这项审批已经有了结果。", "This has been decided already."),
}


def take(press: events.CardPress, *, at: datetime) -> Answer:
    """What Feishu is answered: a word for whoever pressed, and the card as it stands now."""
    message = _message(press, at)
    user = _known_user(press, message)
    step = _step(press)
    noted = _note(press, message, user, step, at)
    if noted is None:
        return _answer("info", CardRefused("card.taken-already").notice.sentence, message, at)
    try:
        said = _decide(press, message, user, step, at)
    except LifecycleError as error:
        CardPress.objects.filter(pk=noted.pk).update(outcome=error.notice.code)
        _note_refusal(error, message, user or _account(press))
        return _refused(error, message, at)
    return _answer("success", said, message, at)


def _decide(
    press: events.CardPress,
    message: FeishuMessage | None,
    user: User | None,
    step: str,
    at: datetime,
) -> Words:
    """What whoever pressed is told. Raises LifecycleError: everything the page would say, and
    what only a card can meet."""
    if message is None or message.request is None or step not in SAID:
        raise CardRefused("card.unknown")
    if user is None:
        raise CardRefused("card.unknown-person")
    # The address of Feishu's servers says nothing about whoever pressed.
    with action_log.coming_from(""):
        return _take_step(message.request, step, press.form, user, at)


def _take_step(
    request: ConversionRequest, step: str, form: Mapping[str, Any], user: User, at: datetime
) -> Words:
    if step == cards.APPROVE:
        change = requests.approve(
            request,
            day=request.suggested_on,
            pre_image_hash=request.pre_image_hash,
            acting_user=user,
            at=at,
            through=Through.CARD,
        )
        return SAID[step] if change is not None else AGREED_TO_GO_ON
    reason = _reason(form)
    if step == cards.EXTEND:
        requests.extend(
            request,
            until=_day(form),
            reason=reason,
            acting_user=user,
            at=at,
            through=Through.CARD,
        )
    else:
        requests.decline(request, reason=reason, acting_user=user, at=at, through=Through.CARD)
    return SAID[step]


def _message(press: events.CardPress, at: datetime) -> FeishuMessage | None:
    """The card that was pressed: by Feishu's own id, or by ours when the answer with Feishu's
    was lost; a press proves that the card has arrived."""
    related = FeishuMessage.objects.select_related(*messages.RELATED)
    if press.message_id:
        found = related.filter(message_id=press.message_id).first()
        if found is not None:
            return found
    try:
        key = uuid.UUID(str(press.value.get("message", "")))
    except ValueError:
        return None
    found = related.filter(uuid=key, message_id="").exclude(request=None).first()
    if found is not None and press.message_id:
        messages.note_arrived(found, press.message_id, at=at)
    return found


def _known_user(press: events.CardPress, message: FeishuMessage | None) -> User | None:
    """The active account of this person that decides; with several, the one that was told."""
    users = User.objects.filter(is_active=True, open_id=press.open_id).order_by("pk")
    known = [user for user in users if press.open_id and policies.may_decide_requests(user)]
    told = message.user_id if message is not None else None
    return next((user for user in known if user.pk == told), known[0] if known else None)


def _account(press: events.CardPress) -> User | None:
    """An account of this person, even one that decides nothing or is switched off."""
    if not press.open_id:
        return None
    return User.objects.filter(open_id=press.open_id).order_by("-is_active", "pk").first()


def _step(press: events.CardPress) -> str:
    """The button's own value; in a form its name, should the value be missing."""
    return str(press.value.get("step") or press.name)[:20]


def _note(
    press: events.CardPress,
    message: FeishuMessage | None,
    user: User | None,
    step: str,
    at: datetime,
) -> CardPress | None:
    """None for a push that has come before."""
    CardPress.objects.filter(pressed_at__lt=at - KEPT).delete()
    try:
        with transaction.atomic():
            return CardPress.objects.create(
                event_id=press.event_id, message=message, user=user, step=step, pressed_at=at
            )
    except IntegrityError:
        return None


def _note_refusal(error: LifecycleError, message: FeishuMessage | None, user: User | None) -> None:
    """Whoever has no account is in the presses only."""
    person_id = message.request.person_id if message and message.request else None
    with action_log.coming_from(""):
        refusals.note(user, error.about(person_id=person_id), PRESSED)


def _day(form: Mapping[str, Any]) -> date:
    try:
        day = card_parts.picked_day(form.get(cards.UNTIL))
    except errors.InvalidValue as error:
        raise RequestRefused("request.bad-day") from error
    if day is None:
        raise RequestRefused("request.bad-day")
    return day


def _reason(form: Mapping[str, Any]) -> str:
    reason = form.get(cards.REASON)
    return reason[:REASON_LENGTH].replace("\x00", "") if isinstance(reason, str) else ""


# -- the answer ---------------------------------------------------------------------------


def _refused(error: LifecycleError, message: FeishuMessage | None, at: datetime) -> Answer:
    notice = error.notices[0]
    advice = Words(
        f"{notice.sentence.zh}{notice.advice.zh}", f"{notice.sentence.en} {notice.advice.en}"
    )
    tone = "info" if notice.code in ALREADY else "warning" if error.http_status == 409 else "error"
    return _answer(tone, ALREADY.get(notice.code, advice), message, at)


def _answer(tone: str, said: Words, message: FeishuMessage | None, at: datetime) -> Answer:
    """Source: 卡片回传交互回调, 响应回调的结构体."""
    toast = {"type": tone, "content": said.zh, "i18n": {"zh_cn": said.zh, "en_us": said.en}}
    answer: Answer = {"toast": toast}
    card = _card_now(message, at)
    if card is not None:
        answer["card"] = {"type": "raw", "data": card}
    return answer


def _card_now(message: FeishuMessage | None, at: datetime) -> dict[str, Any] | None:
    """The card when it shows something else by now; Feishu may lose this answer, so the worker
    makes sure of it soon."""
    if message is None or message.request is None:
        return None
    fresh = FeishuMessage.objects.select_related(*messages.RELATED).get(pk=message.pk)
    face = messages.face_of(fresh, at)
    if face == cards.OPEN:
        return None
    FeishuMessage.objects.filter(pk=message.pk).update(update_at=at + MAKE_SURE_AFTER)
    ring_messages()
    return cards.card_of(fresh, face, at=at)
