"""Telling people through Feishu: written down first, sent by the worker, brought up to date.

One effect: each message has a uuid, and Feishu takes two requests with the same one within an
hour for one message. So an attempt nobody answered is made again with the same uuid, inside that
hour; after it nobody can tell, and a person decides. What a card shows is made from its request
at the moment of sending, and made again while the request goes on. Messages are no writes to
people's records: the switch that stops those does not stop them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from lifecycle import action_log, policies, remote
from lifecycle.changes.doorbell import ring_messages
from lifecycle.errors.problems import MessageRefused, NotAllowed
from lifecycle.evidence import checkpoints
from lifecycle.models import ConversionRequest, Delegation, FeishuMessage, User
from lifecycle.policies import Capability
from lifecycle.remote import Call, Outcome, SendResult
from lifecycle.services import cards

log = logging.getLogger(__name__)

Kind, State = FeishuMessage.Kind, FeishuMessage.State

AT_ONCE = 50
# Whoever has taken a message has it for so long; longer than any send can take.
LEASE = timedelta(minutes=2)
# Repeats end before Feishu forgets the uuid.
REPEATABLE = timedelta(seconds=remote.messages.SAME_UUID_S) - timedelta(minutes=10)
# Somebody who has a card as young as this is not sent another one.
FRESH = timedelta(hours=12)
SILENT_WAITS = (10, 30, 120, 600, 900)
UNREACHED_WAIT, GIVE_UP_UNSENT = timedelta(minutes=1), timedelta(days=1)
UPDATABLE = timedelta(days=remote.messages.CARD_DAYS)
MOST_UPDATES = 5
# A worker has other work than messages: so long it waits for a slot of the limit.
SLOT_WAIT_S = 1.0
NEVER_REACHED = frozenset({Outcome.THROTTLED, Outcome.AUTH, Outcome.NOT_SENT})
RELATED = (
    "user",
    "request__person",
    "request__employee",
    "request__approver",
    "request__requested_by",
    "request__decided_by",
    "request__decided_for",
    "request__change",
)


def tend(at: datetime) -> int:
    """Send what waits and bring cards up to date; how many messages were looked at."""
    return send_due(at) + update_due(at)


# -- writing down -------------------------------------------------------------------------


def tell(request: ConversionRequest, user: User, *, at: datetime) -> bool:
    """Have a card sent to somebody who may decide; False when no card reaches them."""
    if not settings.FEISHU_MESSAGES or not user.open_id or not request.is_open:
        return False
    earlier = FeishuMessage.objects.filter(request=request, user=user, step=request.step)
    last = earlier.order_by("-pk").first()
    if last is not None and last.is_undelivered:
        return False
    if last is not None and last.face == cards.OPEN and at - last.created_at < FRESH:
        return True
    if last is None or last.state != State.WAITING:
        _write_down(request, user, Kind.REMINDER if last else Kind.REQUEST, at=at)
    return True


def note_unreachable(request: ConversionRequest, user: User, *, at: datetime) -> None:
    """Nobody can tell this person: neither Feishu nor e-mail leads to them. HR is shown."""
    if not settings.FEISHU_MESSAGES:
        return
    known = FeishuMessage.objects.filter(request=request, user=user)
    if known.filter(state__in=FeishuMessage.UNDELIVERED).exists():
        return
    with transaction.atomic():
        message = FeishuMessage.objects.create(
            kind=Kind.REQUEST,
            request=request,
            user=user,
            state=State.UNREACHABLE,
            created_at=at,
            problem="message.no-address",
            is_settled=True,
        )
        _record_undelivered(message, request, at=at)


def send_again(message: FeishuMessage, *, acting_user: User, at: datetime) -> FeishuMessage:
    """HR has one that was not delivered sent once more, as a new message. Raises NotAllowed,
    MessageRefused."""
    request, user = message.request, message.user
    if (
        request is None
        or user is None
        or not policies.can(acting_user, Capability.ASK_FOR_DECISION)
    ):
        raise NotAllowed
    if not policies.visible_requests(acting_user).filter(pk=request.pk).exists():
        raise NotAllowed
    with transaction.atomic():
        locked = FeishuMessage.objects.select_for_update().get(pk=message.pk)
        is_repeated = FeishuMessage.objects.filter(follows=message).exists()
        if not locked.is_undelivered or is_repeated or not request.is_open or not user.open_id:
            raise MessageRefused
        again = _write_down(request, user, message.kind, at=at, follows=message)
        action_log.record(
            "message.sent_again",
            actor=acting_user,
            at=at,
            person=request.person,
            data=_about(again) | {"was": message.pk},
        )
    return again


def _write_down(
    request: ConversionRequest,
    user: User,
    kind: str,
    *,
    at: datetime,
    follows: FeishuMessage | None = None,
) -> FeishuMessage:
    """A card for this user, at the step the request is at, to be sent by the worker."""
    message = FeishuMessage.objects.create(
        kind=kind,
        request=request,
        user=user,
        step=request.step,
        receiver=user.open_id,
        created_at=at,
        next_at=at,
        follows=follows,
    )
    ring_messages()
    return message


def post_checkpoint(at: datetime) -> bool:
    """Have the newest checkpoint of the log sent to the auditors' chat, once in a while."""
    newest = checkpoints.newest()
    if not settings.LOG_CHECKPOINT_CHAT or newest is None:
        return False
    sent = FeishuMessage.objects.filter(kind=Kind.CHECKPOINT).order_by("-pk").first()
    gap = timedelta(minutes=settings.LOG_CHECKPOINT_EMAIL_MINUTES)
    text = checkpoints.as_file(newest)
    if sent is not None and (sent.text == text or at - sent.created_at < gap):
        return False
    FeishuMessage.objects.create(
        kind=Kind.CHECKPOINT,
        receiver_type="chat_id",
        receiver=settings.LOG_CHECKPOINT_CHAT,
        text=text,
        created_at=at,
        next_at=at,
        is_settled=True,
    )
    ring_messages()
    return True


# -- sending ------------------------------------------------------------------------------


def send_due(at: datetime) -> int:
    """Send what is due, the oldest first; how many were looked at. Ends early when Feishu does
    not answer: other work waits behind this."""
    due = FeishuMessage.objects.filter(state=State.WAITING, next_at__lte=at).order_by("next_at")
    count = 0
    for message in due.select_related(*RELATED)[:AT_ONCE]:
        count += 1
        if not _send(message, at):
            break
    return count


def _send(message: FeishuMessage, at: datetime) -> bool:
    """One message; False when there is no point in trying others now."""
    face, is_first = face_of(message, at), message.first_sent_at is None
    if message.request is not None and face != cards.OPEN and is_first:
        _claimed(message).update(state=State.DROPPED, next_at=None, is_settled=True)
        return True
    if _is_forgotten(message, at):
        _not_delivered(message, "message.no-answer", at=at)
        return True
    # Before the first byte: whoever dies while sending has perhaps sent it.
    begun = message.first_sent_at or at
    if not _claimed(message).update(next_at=at + LEASE, first_sent_at=begun):
        return True
    call = _built(message, lambda: _call(message, face, at))
    if call is None:
        _not_delivered(message, "message.refused", at=at)
        return True
    result = _sent(call)
    if result is None:
        _wait(message, at + UNREACHED_WAIT, first_sent_at=message.first_sent_at)
        return False
    return _after(message, result, at)


def _claimed(message: FeishuMessage) -> QuerySet[FeishuMessage]:
    """This message as long as nobody else has taken it."""
    return FeishuMessage.objects.filter(pk=message.pk, state=State.WAITING, next_at=message.next_at)


def _call(message: FeishuMessage, face: str, at: datetime) -> Call:
    uuid = str(message.uuid)
    if message.request is None:
        return remote.messages.send_text(
            message.receiver, message.text, uuid=uuid, receiver_type="chat_id"
        )
    return remote.messages.send_card(
        message.receiver, cards.card_of(message, face, at=at), uuid=uuid
    )


def _built(message: FeishuMessage, build: Callable[[], Call]) -> Call | None:
    """None for a call that Feishu's rules do not allow: it holds up no other."""
    try:
        return build()
    except remote.errors.InvalidCall:
        log.exception("message %s cannot be built", message.pk)
        return None


def _sent(call: Call) -> SendResult | None:
    """What came of one attempt, made with no transaction open; None when none could be made."""
    client = remote.client()
    try:
        client.ready(call.endpoint, give_up_after_s=SLOT_WAIT_S, background=True)
    except remote.errors.FeishuError as error:
        log.info("no message could be sent: %s", type(error).__name__)
        return None
    result = client.send(call)
    if result.outcome is Outcome.THROTTLED:
        remote.limiter().pause(call.endpoint, max(1.0, result.reset_after_s or 1.0))
    return result


def _after(message: FeishuMessage, result: SendResult, at: datetime) -> bool:
    if result.outcome is Outcome.APPLIED:
        # Not `state` alone: the sender whose lease ran out has sent the same message.
        FeishuMessage.objects.filter(pk=message.pk, state=State.WAITING).update(
            state=State.SENT,
            next_at=None,
            sent_at=at,
            message_id=str(result.data.get("message_id") or "")[:64],
            # The same uuid is the same message: what the first attempt showed counts.
            face=cards.OPEN if message.request else "",
            update_at=at,
            problem="",
            code=None,
            log_id=result.log_id or "",
        )
        return True
    if result.outcome in NEVER_REACHED:
        _wait_unreached(message, result, at)
        return result.outcome is Outcome.THROTTLED
    if result.outcome is Outcome.REJECTED:
        _not_delivered(message, "message.refused", at=at, result=result)
        return True
    _wait_after_silence(message, result, at)
    return False


def _wait_unreached(message: FeishuMessage, result: SendResult, at: datetime) -> None:
    """Nothing has reached Feishu's own logic: no attempt is used up, but patience ends."""
    wait = timedelta(seconds=result.reset_after_s or 2)
    if result.outcome is not Outcome.THROTTLED:
        wait = UNREACHED_WAIT
    if at + wait - message.created_at > GIVE_UP_UNSENT:
        _not_delivered(message, "message.not-sent", at=at, result=result)
    elif _is_forgotten(message, at + wait):
        _not_delivered(message, "message.no-answer", at=at, result=result)
    else:
        _wait(
            message,
            at + wait,
            first_sent_at=message.first_sent_at,
            code=result.code,
            log_id=result.log_id or "",
        )


def _wait_after_silence(message: FeishuMessage, result: SendResult, at: datetime) -> None:
    message.attempts += 1
    message.first_sent_at = message.first_sent_at or at
    wait = timedelta(seconds=SILENT_WAITS[min(message.attempts, len(SILENT_WAITS)) - 1])
    if message.attempts > len(SILENT_WAITS) or _is_forgotten(message, at + wait):
        _not_delivered(message, "message.no-answer", at=at, result=result)
        return
    _wait(
        message,
        at + wait,
        attempts=message.attempts,
        code=result.code,
        log_id=result.log_id or "",
    )


def _is_forgotten(message: FeishuMessage, at: datetime) -> bool:
    """By then Feishu might take a repeat for another message."""
    return message.first_sent_at is not None and at - message.first_sent_at > REPEATABLE


def _wait(message: FeishuMessage, until: datetime, **fields: Any) -> None:
    FeishuMessage.objects.filter(pk=message.pk, state=State.WAITING).update(next_at=until, **fields)


def _not_delivered(
    message: FeishuMessage, problem: str, *, at: datetime, result: SendResult | None = None
) -> None:
    """Given up, unless it has turned out to be there. E-mail, where there is any, goes out
    instead."""
    waiting = FeishuMessage.objects.filter(pk=message.pk, state=State.WAITING)
    message.problem = problem
    message.code = result.code if result else None
    message.log_id = (result.log_id or "") if result else ""
    with transaction.atomic():
        given_up = waiting.update(
            state=State.FAILED,
            next_at=None,
            is_settled=True,
            attempts=message.attempts,
            problem=message.problem,
            code=message.code,
            log_id=message.log_id,
        )
        request = message.request
        if not given_up or request is None:
            return
        if message.user is not None and message.user.email:
            ConversionRequest.objects.filter(
                pk=request.pk, status=ConversionRequest.Status.OPEN
            ).update(next_reminder_at=at)
        _record_undelivered(message, request, at=at)


def _record_undelivered(
    message: FeishuMessage, request: ConversionRequest, *, at: datetime
) -> None:
    why = {"problem": message.problem, "code": message.code, "log_id": message.log_id}
    action_log.record(
        "message.undelivered",
        actor=None,
        at=at,
        person=request.person,
        data=_about(message) | why,
    )


def _about(message: FeishuMessage) -> dict[str, Any]:
    return {
        "message": message.pk,
        "request": message.request_id,
        "user": message.user_id,
        "message_kind": str(message.kind),
    }


# -- bringing cards up to date ------------------------------------------------------------


def update_due(at: datetime) -> int:
    """Let each card show what has become of its request; how many were looked at."""
    newer = FeishuMessage.objects.filter(
        request=OuterRef("request"), user=OuterRef("user"), pk__gt=OuterRef("pk")
    ).filter(state=State.SENT)
    shown = FeishuMessage.objects.filter(
        Q(update_at=None) | Q(update_at__lte=at), is_settled=False, state=State.SENT
    ).exclude(message_id="")
    # Most of them: whoever has to decide sees the question. They are not even loaded.
    as_asked = Q(
        face=cards.OPEN,
        is_superseded=False,
        request__status=ConversionRequest.Status.OPEN,
        request__step=F("step"),
        request__approver=F("user"),
    )
    annotated = shown.annotate(is_superseded=Exists(newer)).exclude(as_asked)
    stands_for = _stand_ins(at)
    related = annotated.select_related(*RELATED).order_by("update_at", "pk")
    faces = ((message, face_of(message, at, stands_for=stands_for)) for message in related)
    turned = [(message, face) for message, face in faces if face != message.face]
    count = 0
    for message, face in turned[:AT_ONCE]:
        count += 1
        if not _update(message, face, at):
            break
    return count


def _update(message: FeishuMessage, face: str, at: datetime) -> bool:
    """One card; False when there is no point in trying others now."""
    later = at + LEASE
    mine = FeishuMessage.objects.filter(pk=message.pk, update_at=message.update_at)
    if not mine.update(update_at=later):
        return True
    if message.sent_at is None or at - message.sent_at > UPDATABLE:
        FeishuMessage.objects.filter(pk=message.pk).update(is_settled=True)
        return True
    card = cards.card_of(message, face, at=at)
    call = _built(message, lambda: remote.messages.update_card(message.message_id, card))
    if call is None:
        FeishuMessage.objects.filter(pk=message.pk).update(is_settled=True)
        return True
    result = _sent(call)
    if result is None:
        return False
    if result.outcome is Outcome.APPLIED:
        note_shown(message, face, at=at)
        return True
    failed = message.updates_failed + (result.outcome not in NEVER_REACHED)
    is_over = result.outcome is Outcome.REJECTED or failed > MOST_UPDATES
    log.warning("card %s could not be updated: %s", message.pk, result.code or result.problem)
    FeishuMessage.objects.filter(pk=message.pk).update(
        updates_failed=failed, update_at=at + UNREACHED_WAIT, is_settled=is_over
    )
    return result.outcome is Outcome.REJECTED


def note_arrived(message: FeishuMessage, message_id: str, *, at: datetime) -> None:
    """A press of a button has told that this message is there."""
    FeishuMessage.objects.filter(pk=message.pk, message_id="").update(
        state=State.SENT,
        next_at=None,
        sent_at=message.sent_at or message.first_sent_at or at,
        message_id=message_id,
        face=cards.OPEN,
        update_at=at,
        is_settled=False,
        problem="",
    )


def note_shown(message: FeishuMessage, face: str, *, at: datetime) -> None:
    """The card shows this face now."""
    request = message.request
    is_last = request is not None and cards.is_last_face(request, face)
    FeishuMessage.objects.filter(pk=message.pk).update(
        face=face, is_settled=is_last, update_at=at, updates_failed=0
    )


def _stand_ins(at: datetime) -> set[tuple[int, int]]:
    """Who stands in for whom today."""
    away = Delegation.objects.holding_on(remote.tenant_day(at))
    return set(away.values_list("from_user", "to_user"))


def face_of(
    message: FeishuMessage, at: datetime, *, stands_for: set[tuple[int, int]] | None = None
) -> str:
    """What the card should show."""
    request = message.request
    if request is None:
        return ""
    if not request.is_open:
        return cards.closed_face(request)
    if message.step < request.step:
        return f"{cards.PASSED}:{request.step}"
    if request.approver_id != message.user_id:
        pairs = _stand_ins(at) if stands_for is None else stands_for
        if (request.approver_id, message.user_id) not in pairs:
            return cards.MOVED
    return cards.SUPERSEDED if getattr(message, "is_superseded", False) else cards.OPEN
