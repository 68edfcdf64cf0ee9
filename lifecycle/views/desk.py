"""The auditor's desk: saved views, exceptions by rule, samples to review, accounts on a day."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lifecycle import action_log, policies, queries
from lifecycle.errors.problems import InvalidValues
from lifecycle.models import LegalHold, LogReview, LogSample, Role
from lifecycle.paging import page_by_key
from lifecycle.policies import Capability
from lifecycle.queries import AccountThen, Period
from lifecycle.queries.log import EntryFilter
from lifecycle.queries.narrowing import read_day, read_number
from lifecycle.services import as_of, audit
from lifecycle.views.action_log import LogLine
from lifecycle.views.answers import SEE_OTHER, acting_user, flat, page, see_other

UNPROCESSABLE = 422


# -- saved views --------------------------------------------------------------------------


@require_POST
def save_view(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.READ_LOG)
    # htmx changes the filter and the address bar, not this form: the page's address counts.
    there = urlsplit(request.headers.get("Referer", ""))
    query = QueryDict(there.query) if there.path == reverse("log") else QueryDict()
    narrowed = EntryFilter.read(flat(query), events=action_log.EVENTS)
    name = request.POST.get("name", "").replace("\x00", "")
    try:
        audit.save_view(name, narrowed.query_string(), acting_user=acting_user(request))
    except InvalidValues:
        messages.error(request, _("A view needs a name of 60 characters at most."))
    return _back_to_log(narrowed.query_string())


@require_POST
def remove_view(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, Capability.READ_LOG)
    audit.remove_view(pk, acting_user=acting_user(request))
    return _back_to_log("")


def _back_to_log(query: str) -> HttpResponse:
    address = f"{reverse('log')}?{query}" if query else reverse("log")
    return HttpResponseRedirect(address, status=SEE_OTHER)


# -- exceptions ---------------------------------------------------------------------------


@require_safe
def exceptions(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    params = flat(request.GET)
    rule = queries.RULES.get(params.get("rule", "")) or next(iter(queries.RULES.values()))
    period = _period(params)
    found = queries.exceptions(policies.visible_entries(request.user), rule, period)
    shown = page_by_key(found, params, order=("-pk",))
    here = {"rule": rule.name, **_days(period)}
    context = {
        "rules": queries.RULES.values(),
        "rule": rule,
        "period": period,
        "most": queries.MOST_FOUND,
        "days": urlencode(_days(period)),
        "page": shown,
        "before_query": urlencode(here | {"before": shown.before}),
        "after_query": urlencode(here | {"after": shown.after}),
        "lines": [LogLine(line) for line in action_log.entries_with_sentences(shown.rows)],
    }
    return page(request, "log/exceptions.html", "log/_exceptions.html", context)


# -- samples ------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def samples(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    params = flat(request.POST if request.method == "POST" else request.GET)
    period = _period(params)
    status = 200
    if request.method == "POST":
        try:
            drawn = audit.draw_sample(
                params.get("seed", ""),
                size=read_number(params.get("size", "")) or 0,
                period=period,
                acting_user=acting_user(request),
            )
            return see_other("log-sample", drawn.pk)
        except InvalidValues:
            status = UNPROCESSABLE
    context = {
        "samples": queries.samples(),
        "period": period,
        "seed": params.get("seed") or secrets.token_hex(4),
        "size": params.get("size") or "25",
        "most": audit.MOST_SAMPLE,
        "is_refused": status != 200,
    }
    return render(request, "log/samples.html", context, status=status)


@require_safe
def sample(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    return _sample_page(request, get_object_or_404(LogSample, pk=pk))


@require_POST
def review(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    drawn = get_object_or_404(LogSample, pk=pk)
    params = flat(request.POST)
    seq = read_number(params.get("seq", "")) or 0
    try:
        audit.review_entry(
            drawn,
            seq,
            conclusion=params.get("conclusion", ""),
            note=params.get("note", ""),
            acting_user=acting_user(request),
        )
    except InvalidValues:
        return _sample_page(request, drawn, refused=seq, status=UNPROCESSABLE)
    address = reverse("log-sample", args=[drawn.pk])
    return HttpResponseRedirect(f"{address}#entry-{seq}", status=SEE_OTHER)


def _sample_page(
    request: HttpRequest, drawn: LogSample, *, refused: int | None = None, status: int = 200
) -> HttpResponse:
    reviews = queries.reviews_of_sample(drawn)
    lines = action_log.entries_with_sentences(queries.entries_of_sample(drawn))
    context = {
        "sample": drawn,
        "items": [(LogLine(line), reviews.get(line.entry.seq)) for line in lines],
        "reviewed": len(reviews),
        "conclusions": LogReview.Conclusion.choices,
        "refused": refused,
        "typed": request.POST.get("note", ""),
    }
    return render(request, "log/sample.html", context, status=status)


# -- accounts -----------------------------------------------------------------------------


@require_safe
def accounts(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    day = read_day(request.GET.get("day", "")) or timezone.localdate()
    roles = dict(Role.choices)
    context = {
        "day": day,
        "accounts": [_account(then, roles) for then in queries.accounts_on(day)],
    }
    return render(request, "log/accounts.html", context)


def _account(then: AccountThen, roles: dict[str, Any]) -> dict[str, Any]:
    return {
        "then": then,
        "role": roles.get(then.role, then.role),
        "verbs": [action_log.VERBS.get(verb, verb) for verb in then.verbs],
    }


# -- a person on a past day ---------------------------------------------------------------


@require_safe
def person_as_of(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, Capability.READ_LOG)
    person = policies.person_for(request.user, pk)
    day = read_day(request.GET.get("day", "")) or timezone.localdate()
    state = as_of.person_on(request.user, person, day)
    lines = action_log.entries_with_sentences(state.entries)
    context = {
        "person": person,
        "shown_day": day,
        "state": state,
        "most": as_of.MOST,
        "lines": [LogLine(line) for line in lines],
    }
    return render(request, "log/as_of.html", context)


# -- legal holds --------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def holds(request: HttpRequest) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    params = flat(request.POST if request.method == "POST" else request.GET)
    number = read_number(params.get("person", ""))
    person = policies.person_for(request.user, number) if number is not None else None
    status = 200
    if request.method == "POST":
        try:
            if person is None:
                raise InvalidValues
            reason = params.get("reason", "")
            audit.place_hold(person, reason=reason, acting_user=acting_user(request))
            return see_other("log-holds")
        except InvalidValues:
            status = UNPROCESSABLE
    context = {
        "person": person,
        "holds": queries.legal_holds(),
        "days": settings.LOG_PRIVATE_RETENTION_DAYS,
        "reason": params.get("reason", ""),
        "is_refused": status != 200,
    }
    return render(request, "log/holds.html", context, status=status)


@require_POST
def release_hold(request: HttpRequest, pk: int) -> HttpResponse:
    _require(request, Capability.REVIEW_LOG)
    hold = get_object_or_404(LegalHold.objects.select_related("person"), pk=pk)
    reason = flat(request.POST).get("reason", "")
    audit.release_hold(hold, reason=reason, acting_user=acting_user(request))
    return see_other("log-holds")


# -- shared -------------------------------------------------------------------------------


def _period(params: dict[str, str]) -> Period:
    return Period.read(
        read_day(params.get("since", "")),
        read_day(params.get("until", "")),
        today=timezone.localdate(),
    )


def _days(period: Period) -> dict[str, str]:
    return {"since": period.since.isoformat(), "until": period.until.isoformat()}


def _require(request: HttpRequest, capability: Capability) -> None:
    if not policies.can(request.user, capability):
        raise PermissionDenied
