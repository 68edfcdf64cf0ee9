"""What keeps a probation from ending in silence: asking by itself, reminding, going up the line.

Each part may run at any time and twice: what it looks for is gone once it has been dealt with.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from lifecycle import policies, remote
from lifecycle.change_states import FINAL_STATUSES, ChangeStatus
from lifecycle.changes import protocol
from lifecycle.errors.problems import LifecycleError
from lifecycle.models import ConversionRequest, Delegation, Employee, StatusChange, User
from lifecycle.queries.probation import on_probation
from lifecycle.services import messages, requests
from lifecycle.services.approvers import agreed_at_steps, first_approver, next_approver
from lifecycle.services.requests import Status, Void, next_reminder

log = logging.getLogger(__name__)

AT_ONCE = 500
# When the mail server gives no answer it is tried again so much later.
RETRY_MAIL = timedelta(hours=1)
UNDONE = [status.value for status in FINAL_STATUSES - {ChangeStatus.SUCCEEDED}]


def tend(at: datetime) -> int:
    """All of it, in the order in which one leads to the other; how much there was to do."""
    return (
        close_overtaken(at)
        + ask_stale_again(at)
        + ask_by_rule(at)
        + find_approvers(at)
        + escalate(at)
        + remind(at)
    )


def close_overtaken(at: datetime) -> int:
    """Give up what nobody has to decide any more, and stop reminding HR of what is done."""
    gone = [employee.pk for employee in _no_longer_on_probation()]
    waiting = ConversionRequest.objects.filter(employee__in=gone)
    count = 0
    for request in waiting.filter(status=Status.OPEN).select_related("person", "change"):
        count += _quietly(requests.give_up, request, Void.OVERTAKEN, at=at)
    waiting.filter(status=Status.DECLINED).update(next_reminder_at=None)
    return count


def _no_longer_on_probation() -> list[Employee]:
    """Of those with an open question or an offboarding to be prepared."""
    asked = ConversionRequest.objects.exclude(next_reminder_at=None).values("employee")
    employees = Employee.everyone.filter(pk__in=asked)
    return [one for one in employees if one.gone_at is not None or not one.is_on_probation]


def ask_stale_again(at: datetime) -> int:
    """A conversion that was agreed to and not carried out: given up, and asked again while the
    employee is on probation.

    The worker sends nothing over other facts than those agreed to; then the change is taken back
    here and the leader decides on the present ones.
    """
    agreed = ConversionRequest.objects.filter(status=Status.APPROVED)
    stale = agreed.filter(
        change__status=ChangeStatus.NEEDS_ATTENTION.value,
        change__problem="change.stale-facts",
        change__attempts=None,
    )
    count = 0
    for request in stale.select_related("person", "change")[:AT_ONCE]:
        count += _ask_stale_again(request, Void.FACTS_CHANGED, at=at, take_back=True)
    undone = agreed.filter(change__status__in=UNDONE).select_related("person", "change")
    for request in undone[:AT_ONCE]:
        count += _ask_stale_again(request, Void.NOT_CARRIED_OUT, at=at, take_back=False)
    return count


def _ask_stale_again(
    request: ConversionRequest, because: ConversionRequest.Void, *, at: datetime, take_back: bool
) -> bool:
    employee = Employee.everyone.get(pk=request.employee_id)
    has_other = ConversionRequest.objects.filter(employee=employee, status=Status.OPEN).exists()
    try:
        # A transaction of its own: cut off after it, the change counts as not carried out.
        if take_back and isinstance(request.change, StatusChange):
            protocol.cancel(request.change, acting_user=None, at=at)
        if employee.is_on_probation and not has_other:
            requests.ask_again(request, because, at=at)
        else:
            requests.give_up(request, because, at=at)
    except (protocol.Lost, LifecycleError):
        log.info("request %s was moved by somebody else", request.pk)
        return False
    return True


def ask_by_rule(at: datetime) -> int:
    """Ask about everybody whose probation ends within AUTO_REQUEST_DAYS, or is over, and about
    whom nobody is asked and nothing is decided. What HR has taken back rests for some days."""
    if not settings.AUTO_REQUEST_DAYS:
        return 0
    latest = remote.tenant_day(at) + timedelta(days=settings.AUTO_REQUEST_DAYS)
    decided = ConversionRequest.objects.filter(status__in=(Status.OPEN, Status.DECLINED)).values(
        "employee"
    )
    rested = at - timedelta(days=settings.OVERDUE_REMINDER_DAYS)
    taken_back = ConversionRequest.objects.filter(status=Status.CANCELLED, closed_at__gt=rested)
    under_way = StatusChange.objects.exclude(status__in=[s.value for s in FINAL_STATUSES])
    unasked = (
        on_probation(Employee.objects.all())
        .filter(due__lte=latest)
        .exclude(pk__in=decided)
        .exclude(pk__in=taken_back.values("employee"))
        .exclude(person__in=under_way.values("person"))
        .select_related("person")
        .order_by("due", "pk")
    )
    count = 0
    for employee in unasked.iterator(chunk_size=AT_ONCE):
        count += _quietly(requests.ask, employee, acting_user=None, at=at)
    return count


def find_approvers(at: datetime) -> int:
    """What lay with HR goes to the leader as soon as there is one with an account."""
    held = ConversionRequest.objects.filter(status=Status.OPEN, held=requests.Held.NO_APPROVER)
    count = 0
    for request in held.select_related("person", "employee__person", "requested_by", "change"):
        to = first_approver(
            request.employee,
            requested_by=request.requested_by,
            role=request.step_role,
            agreed=agreed_at_steps(request),
        )
        if to is not None:
            event = "request.reassigned"
            count += _quietly(requests.hand_on, request, to, event=event, acting_user=None, at=at)
    return count


def escalate(at: datetime) -> int:
    """Whoever has not decided for ESCALATE_REQUEST_DAYS is passed over, up the line. At its end
    the request stays, and is repeated in the reminders."""
    if not settings.ESCALATE_REQUEST_DAYS:
        return 0
    since = at - timedelta(days=settings.ESCALATE_REQUEST_DAYS)
    slow = ConversionRequest.objects.filter(status=Status.OPEN, addressed_at__lte=since)
    related = ("person", "employee__person", "requested_by", "approver", "change")
    count = 0
    for request in slow.exclude(approver=None).select_related(*related)[:AT_ONCE]:
        to = next_approver(request)
        if to is not None:
            count += _quietly(
                requests.hand_on,
                request,
                to,
                event="request.escalated",
                acting_user=None,
                at=at,
                escalations=request.escalations + 1,
            )
    return count


# -- reminding ----------------------------------------------------------------------------


def remind(at: datetime) -> int:
    """Tell everybody what waits for them: a card in Feishu for each request, and one e-mail for
    those whom no card reaches; how many requests were due.

    A request is reminded of when its mail is out; one whose mail cannot be sent is tried again
    in an hour. Without an address the inbox alone shows it, which is recorded too.
    """
    due = ConversionRequest.objects.filter(next_reminder_at__lte=at).order_by("due_on", "pk")
    related = ("person", "employee", "approver", "change")
    waiting = list(due.select_related(*related)[:AT_ONCE])
    # Nobody else reminds of these meanwhile.
    mine = [request for request in waiting if _claim(request, at)]
    told: dict[int, bool] = {request.pk: False for request in mine}
    failed: set[int] = set()
    carded: set[int] = set()
    for user, theirs in _by_recipient(mine, at):
        reached = {request.pk for request in theirs if _tell(request, user, at=at)}
        carded |= reached
        to_mail = [request for request in theirs if request.pk not in reached]
        if settings.REQUEST_EMAILS == "always":
            to_mail = theirs
        if not to_mail:
            continue
        if not user.email:
            for request in to_mail:
                if request.pk not in reached and request.is_open and request.approver_id == user.pk:
                    messages.note_unreachable(request, user, at=at)
        elif _mail(user, to_mail, at):
            told |= {request.pk: True for request in to_mail}
        else:
            failed |= {request.pk for request in to_mail}
    for request in mine:
        if told[request.pk] or request.pk in carded or request.pk not in failed:
            messaged = request.pk in carded
            _note_reminder(request, at=at, mailed=told[request.pk], messaged=messaged)
    return len(mine)


def _tell(request: ConversionRequest, user: User, *, at: datetime) -> bool:
    """True when a card goes to this user; HR gets none for what lies with HR."""
    if request.approver is None or not policies.may_decide_requests(user):
        return False
    return messages.tell(request, user, at=at)


def _claim(request: ConversionRequest, at: datetime) -> bool:
    mine = ConversionRequest.objects.filter(
        pk=request.pk, next_reminder_at=request.next_reminder_at
    )
    return bool(mine.update(next_reminder_at=at + RETRY_MAIL))


def _by_recipient(
    waiting: Iterable[ConversionRequest], at: datetime
) -> list[tuple[User, list[ConversionRequest]]]:
    """Whoever decides, and those who stand in; HR for what lies with HR."""
    stand_ins: dict[int, list[User]] = defaultdict(list)
    away = Delegation.objects.holding_on(remote.tenant_day(at))
    for delegation in away.select_related("to_user"):
        stand_ins[delegation.from_user_id].append(delegation.to_user)
    found: dict[int, tuple[User, list[ConversionRequest]]] = {}
    for request in waiting:
        approver = request.approver if request.is_open else None
        if approver is None:
            users = policies.hr_of(request.person)
        else:
            users = [approver, *stand_ins[approver.pk]]
        for user in users:
            if user.is_active:
                found.setdefault(user.pk, (user, []))[1].append(request)
    return list(found.values())


def _mail(user: User, theirs: list[ConversionRequest], at: datetime) -> bool:
    subject, body = letter(user, theirs, at=at)
    message = EmailMessage(subject, body, to=[user.email])
    try:
        message.send()
    except OSError:
        # SMTPException is one too. The address stays out of the log.
        log.exception("the reminder for user %s could not be sent", user.pk)
        return False
    return True


def letter(user: User, theirs: list[ConversionRequest], *, at: datetime) -> tuple[str, str]:
    """Subject and text of one reminder, in the portal's own language."""
    decides = any(request.is_open and request.approver_id is not None for request in theirs)
    with translation.override(settings.LANGUAGE_CODE):
        count = len(theirs)
        subject = ngettext(
            "%(count)d conversion awaits your decision",
            "%(count)d conversions await your decision",
            count,
        ) % {"count": count}
        if not decides:
            subject = ngettext(
                "%(count)d probation needs HR", "%(count)d probations need HR", count
            ) % {"count": count}
        lines = [_line(request, at) for request in theirs]
        page = reverse("inbox" if decides else "probation")
        where = f"{settings.PORTAL_URL}{page}" if settings.PORTAL_URL else page
        closing = _("Open in the portal: %(address)s") % {"address": where}
    return subject, "\n".join([*lines, "", closing])


def _line(request: ConversionRequest, at: datetime) -> str:
    days = (request.due_on - remote.tenant_day(at)).days
    when = (
        ngettext("%(days)d day overdue", "%(days)d days overdue", -days) % {"days": -days}
        if days < 0
        else ngettext("%(days)d day left", "%(days)d days left", days) % {"days": days}
    )
    why = request.get_held_display() if request.held else ""
    if request.is_declined:
        why = _("Not to be converted: prepare the offboarding")
    parts = [request.person.name, request.due_on.isoformat(), when, why]
    return "· " + "，".join(str(part) for part in parts if part)


def _note_reminder(
    request: ConversionRequest, *, at: datetime, mailed: bool, messaged: bool
) -> None:
    coming = next_reminder(request.due_on, after=at)
    with transaction.atomic():
        fields = {"reminded_at": at, "reminders": request.reminders + 1}
        open_still = ConversionRequest.objects.filter(
            pk=request.pk, status=request.status, next_reminder_at__isnull=False
        )
        if not open_still.update(next_reminder_at=coming, **fields):
            return
        requests.record(
            "request.reminded",
            request,
            actor=None,
            at=at,
            data={"number": request.reminders + 1, "mailed": mailed, "messaged": messaged},
        )


def _quietly(step: Callable[..., object], *args: object, **named: object) -> bool:
    """True when it was done. One request that somebody else has moved holds up no other."""
    try:
        step(*args, **named)
    except LifecycleError as error:
        log.info("not done: %s", error.notice.code)
        return False
    return True
