"""A leader's inbox: one card per decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.changes.kinds.forms.fields import DayInput
from lifecycle.errors.problems import LifecycleError, NotAllowed, NotFound
from lifecycle.errors.words import Notice
from lifecycle.models import ConversionRequest, User
from lifecycle.policies import Capability
from lifecycle.queries.requests import InboxCard
from lifecycle.services import requests as request_service
from lifecycle.views.answers import acting_user, flat, note_refusal, page, see_other
from lifecycle.views.probation import chosen_ids

REASON_LENGTH = 1000


class ApproveForm(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Converted on"), widget=DayInput(), input_formats=["%Y-%m-%d"]
    )


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("HR reads it, and it is kept in the action log."),
    )


class ExtendForm(ReasonForm):
    until = forms.DateField(
        label=gettext_lazy("New expected conversion date"),
        widget=DayInput(),
        input_formats=["%Y-%m-%d"],
        help_text=gettext_lazy(
            "Six months of probation are the most the Labour Contract Law allows; ask HR."
        ),
    )
    field_order = ("until", "reason")


FORMS: dict[str, type[forms.Form]] = {
    "approve": ApproveForm,
    "extend": ExtendForm,
    "decline": ReasonForm,
}


@require_safe
def inbox(request: HttpRequest) -> HttpResponse:
    return _inbox(request)


@require_safe
def inbox_done(request: HttpRequest) -> HttpResponse:
    """What has been decided of late, while it is on its way."""
    context = _done_context(_decider(request))
    return page(request, "inbox/done.html", "inbox/_done.html", context)


@require_http_methods(["GET", "POST"])
def decide_request(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """The form of one decision, in the panel or on a page of its own; then the decision."""
    user, today, at = _decider(request), timezone.localdate(), timezone.now()
    if step not in FORMS:
        raise NotFound
    if request.method == "GET":
        asked = policies.request_to_decide(user, pk, day=today)
        return _decide_form(request, asked, step, FORMS[step](initial=_initial(asked, today)))
    form = FORMS[step](request.POST)
    try:
        asked = policies.request_to_decide(user, pk, day=today)
    except NotFound as error:
        note_refusal(request, error)
        messages.info(request, _("Somebody has dealt with this already."))
        return see_other("inbox")
    if not form.is_valid():
        return _decide_form(request, asked, step, form)
    try:
        _decide(asked, step, form.cleaned_data, request.POST, user, at)
    except (NotAllowed, NotFound) as error:
        error.about(person_id=asked.person_id)
        raise
    except LifecycleError as error:
        note_refusal(request, error, person_id=asked.person_id)
        return _decide_form(request, asked, step, form, error.notices)
    messages.success(request, _said(asked, step))
    return see_other("inbox")


def _decide(
    asked: ConversionRequest,
    step: str,
    values: dict[str, Any],
    post: Any,
    user: User,
    at: datetime,
) -> None:
    if step == "approve":
        seen = post.get("pre_image_hash", "")
        request_service.approve(
            asked, day=values["day"], pre_image_hash=seen, acting_user=user, at=at
        )
    elif step == "extend":
        request_service.extend(
            asked, until=values["until"], reason=values["reason"], acting_user=user, at=at
        )
    else:
        request_service.decline(asked, reason=values["reason"], acting_user=user, at=at)


def _said(asked: ConversionRequest, step: str) -> str:
    if step == "approve" and asked.is_open:
        said = _("You agreed to convert %(name)s. Somebody else decides next.")
        return said % {"name": asked.person.name}
    return {
        "approve": _("You agreed to convert %(name)s."),
        "extend": _("The probation of %(name)s goes on."),
        "decline": _("%(name)s is not converted. HR takes care of what follows."),
    }[step] % {"name": asked.person.name}


def _initial(asked: ConversionRequest, today: date) -> dict[str, date]:
    return {"day": asked.suggested_on, "until": request_service.longer(asked, today)}


def _decide_form(
    request: HttpRequest,
    asked: ConversionRequest,
    step: str,
    form: forms.Form,
    notices: tuple[Notice, ...] = (),
) -> HttpResponse:
    if step == "approve" and asked.step:
        # What the earlier steps have agreed to, and nothing else.
        form.fields["day"].widget.attrs["readonly"] = True
    (card,) = queries.cards_of(acting_user(request), [asked], today=timezone.localdate())
    asked.refresh_from_db()
    context = {"card": card, "step": step, "form": form, "notices": notices}
    status = 422 if notices or form.errors else 200
    return page(request, "inbox/decide.html", "inbox/_decide.html", context, status=status)


# -- several at once ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NotDone:
    card: InboxCard
    notice: Notice


@require_POST
def approve_requests(request: HttpRequest) -> HttpResponse:
    """Who is chosen, by name and day; then all of them, each for itself."""
    user, today = _decider(request), timezone.localdate()
    ids = chosen_ids(request.POST.getlist("ids"))
    for error in policies.hidden_requests(user, ids, day=today):
        note_refusal(request, error)
    cards = queries.chosen_to_decide(user, ids, today=today)
    if request.POST.get("step") != "confirm":
        context = {"cards": cards}
        return render(request, "inbox/approve.html", context, status=200 if cards else 422)
    not_done = []
    for card in cards:
        # Of the facts that were shown; a request that was asked anew has another number.
        try:
            request_service.approve(
                card.request,
                day=card.request.suggested_on,
                pre_image_hash=request.POST.get(f"seen-{card.request.pk}", ""),
                acting_user=user,
                at=timezone.now(),
            )
        except LifecycleError as error:
            note_refusal(request, error, person_id=card.request.person_id)
            not_done.append(NotDone(card, error.notices[0]))
    done = len(cards) - len(not_done)
    said = _("Agreed to %(count)d of %(all)d.") % {"count": done, "all": len(cards)}
    messages.success(request, said)
    if not_done:
        return _inbox(request, not_done=not_done)
    return see_other("inbox")


# -- standing in --------------------------------------------------------------------------


@require_POST
def delegate(request: HttpRequest) -> HttpResponse:
    user = _decider(request)
    try:
        first, last = (_day(request.POST.get(name, "")) for name in ("first_day", "last_day"))
        to = User.objects.filter(pk__in=chosen_ids([request.POST.get("to", "")])).first()
        request_service.delegate(
            to if first and last else None,
            first_day=first or timezone.localdate(),
            last_day=last or timezone.localdate(),
            acting_user=user,
            at=timezone.now(),
        )
    except NotAllowed:
        raise
    except LifecycleError as error:
        note_refusal(request, error)
        return _inbox(request, notice=error.notice)
    messages.success(request, _("The delegation is saved."))
    return see_other("inbox")


@require_POST
def end_delegation(request: HttpRequest, pk: int) -> HttpResponse:
    user = _decider(request)
    given = queries.delegation_given(user, pk)
    if given is None:
        raise NotFound(is_hidden=queries.has_delegation(pk))
    request_service.end_delegation(given, acting_user=user, at=timezone.now())
    messages.success(request, _("The delegation is over."))
    return see_other("inbox")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


# -- the page -----------------------------------------------------------------------------


def _decider(request: HttpRequest) -> User:
    user = acting_user(request)
    if not policies.may_decide_requests(user):
        raise PermissionDenied
    return user


def _inbox(
    request: HttpRequest,
    *,
    notice: Notice | None = None,
    not_done: list[NotDone] | None = None,
) -> HttpResponse:
    user, today = _decider(request), timezone.localdate()
    found = queries.inbox(user, flat(request.GET), today=today)
    context = {
        "cards": found.cards,
        "page": found.page,
        "before_query": f"before={found.page.before}",
        "after_query": f"after={found.page.after}",
        "today": today,
        "notice": notice,
        "not_done": not_done or [],
        "may_delegate": policies.can(user, Capability.DECIDE_REQUEST),
        "delegations": queries.delegations_of(user, today=today),
        "stand_ins": queries.deciders_but(user.pk),
        **_done_context(user),
    }
    return render(request, "inbox/page.html", context, status=422 if notice or not_done else 200)


def _done_context(user: User) -> dict[str, Any]:
    done = queries.decided_lately(user, at=timezone.now())
    return {"done": done, "is_moving": any(one.is_moving for one in done)}
