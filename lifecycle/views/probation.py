"""HR's cockpit: who is on probation, and asking leaders to decide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import policies, queries
from lifecycle.errors.problems import LifecycleError, NotAllowed, NotFound
from lifecycle.errors.words import Notice, Words
from lifecycle.models import ConversionRequest, User
from lifecycle.policies import Capability
from lifecycle.queries.names import department_choices
from lifecycle.queries.probation import WINDOWS, ProbationFilter, ProbationRow
from lifecycle.services import messages as message_service
from lifecycle.services import requests as request_service
from lifecycle.views.answers import (
    acting_user,
    flat,
    neighbour_queries,
    note_refusal,
    page,
    push_address,
    see_other,
)
from lifecycle.views.tabs import Tab

MOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Chosen:
    """One of those chosen to be asked about, and why not, if not."""

    row: ProbationRow
    why_not: Words | None


@require_safe
def probation(request: HttpRequest) -> HttpResponse:
    user, today, params = request.user, timezone.localdate(), flat(request.GET)
    if not policies.can(user, Capability.SEE_REQUESTS):
        raise PermissionDenied
    narrowed = ProbationFilter.read(params)
    found = queries.probation_page(user, narrowed, params, today=today)
    undelivered = queries.undelivered(user)
    counts = queries.probation_counts(user, today=today)
    context = {
        "narrowed": narrowed,
        "page": found.page,
        "rows": found.rows,
        **neighbour_queries(narrowed, found.page),
        "tabs": [
            Tab(name, label, narrowed.with_tab(name).query_string(), counts.get(name))
            for name, label in WINDOWS.items()
        ],
        "departments": department_choices(user),
        "may_ask": policies.can(user, Capability.ASK_FOR_DECISION),
        "undelivered": undelivered,
        "untold": {one.message.request_id for one in undelivered},
        "list_mirror": queries.mirror_state("employees", at=timezone.now()),
    }
    response = page(request, "probation/list.html", "probation/_table.html", context)
    return push_address(request, response, narrowed, params)


@require_POST
def ask_for_decisions(request: HttpRequest) -> HttpResponse:
    """Who is chosen, by name, with those who are left out and why; then the asking."""
    user, today = acting_user(request), timezone.localdate()
    if not policies.can(user, Capability.ASK_FOR_DECISION):
        raise NotAllowed
    ids = chosen_ids(request.POST.getlist("ids"))
    for error in policies.hidden_employees(user, ids):
        note_refusal(request, error)
    rows = queries.chosen_on_probation(user, ids, today=today)
    if request.POST.get("step") == "confirm" and rows:
        asked = request_service.ask_for_decisions(
            rows, note=request.POST.get("note", ""), acting_user=user, at=timezone.now()
        )
        count = len(asked.requests)
        said = ngettext(
            "%(count)d leader's decision asked for.", "%(count)d decisions asked for.", count
        ) % {"count": count}
        if asked.skipped:
            skipped = len(asked.skipped)
            said += " " + ngettext(
                "%(skipped)d was skipped.", "%(skipped)d were skipped.", skipped
            ) % {"skipped": skipped}
        messages.success(request, said)
        return see_other("probation")
    chosen = [Chosen(row, request_service.why_not_asked(row, user)) for row in rows]
    context = {
        "asked": [one for one in chosen if one.why_not is None],
        "skipped": [one for one in chosen if one.why_not is not None],
    }
    return render(request, "probation/ask.html", context, status=200 if chosen else 422)


@require_POST
def send_message_again(request: HttpRequest, pk: int) -> HttpResponse:
    """HR has a message that did not arrive sent once more."""
    user = acting_user(request)
    if not policies.can(user, Capability.ASK_FOR_DECISION):
        raise NotAllowed
    message = queries.message_for(user, pk)
    try:
        message_service.send_again(message, acting_user=user, at=timezone.now())
    except LifecycleError as error:
        error.about(person_id=message.request.person_id if message.request else None)
        raise
    messages.success(request, _("The message is being sent again."))
    return see_other("probation")


@require_http_methods(["GET", "POST"])
def reassign_request(request: HttpRequest, pk: int) -> HttpResponse:
    """HR names somebody else to decide, or takes the request back."""
    user = acting_user(request)
    asked = policies.request_for(user, pk)
    if not policies.can(user, Capability.ASK_FOR_DECISION):
        raise NotAllowed
    if request.method == "GET":
        return _reassign_form(request, asked)
    try:
        reason, at = request.POST.get("reason", ""), timezone.now()
        if request.POST.get("step") == "cancel":
            request_service.cancel(asked, reason=reason, acting_user=user, at=at)
            messages.success(request, _("The request is taken back."))
        else:
            to = _user_numbered(request.POST.get("to", ""))
            request_service.reassign(asked, to=to, reason=reason, acting_user=user, at=at)
            messages.success(request, _("The decision is with somebody else now."))
    except (NotAllowed, NotFound) as error:
        error.about(person_id=asked.person_id)
        raise
    except LifecycleError as error:
        note_refusal(request, error, person_id=asked.person_id)
        return _reassign_form(request, asked, error.notice)
    return see_other("probation")


def _reassign_form(
    request: HttpRequest, asked: ConversionRequest, notice: Notice | None = None
) -> HttpResponse:
    context = {
        "asked": asked,
        "notice": notice,
        "typed_reason": request.POST.get("reason", ""),
        "deciders": queries.deciders_for(asked),
    }
    status = 422 if notice else 200
    return render(request, "probation/reassign.html", context, status=status)


def _user_numbered(text: str) -> User | None:
    ids = chosen_ids([text])
    return User.objects.filter(pk__in=ids).first() if ids else None


def chosen_ids(texts: Iterable[str]) -> list[int]:
    """Numbers of records as a form posts them; what is none is left out."""
    ids = {int(text) for text in texts if text.isdecimal() and len(text) < 19}
    return sorted(ids)[:MOST_AT_ONCE]
