"""The questions every view asks about a request, and the answers they share."""

from __future__ import annotations

import re
from typing import Any, Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from lifecycle.errors.problems import LifecycleError
from lifecycle.models import StatusChange, User
from lifecycle.paging import Page
from lifecycle.services import refusals

SEE_OTHER = 303
# Any other method is a word somebody has made up, which the log never repeats.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# The ids of what renews itself: each has an hx-trigger with “every”.
_RENEWED = re.compile(
    r"log-check|sync-health|system-health|feed-news|inbox-done|[\w-]+-watch|change-\d+-live"
)


class Narrowed(Protocol):
    """What a list is narrowed to."""

    def query_string(self, **more: str) -> str: ...


def wants_partial(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of a page: not when it loads or restores a whole one."""
    htmx = getattr(request, "htmx", None)
    if not htmx:
        return False
    return not htmx.boosted and not htmx.history_restore_request


def acting_user(request: HttpRequest) -> User:
    """Who is asking, for a service. Nobody unknown comes this far; if so, nothing is done."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def is_on(request: HttpRequest, path: str) -> bool:
    """True when the page htmx asks from is the one at this path."""
    htmx = getattr(request, "htmx", None)
    there = htmx.current_url_abs_path if htmx else None
    return bool(there) and str(there).split("?")[0] == path


def asks_by_itself(request: HttpRequest) -> bool:
    """True for a piece of a page that htmx renews from time to time, without anybody there."""
    htmx = getattr(request, "htmx", None)
    trigger = (htmx.trigger or "") if htmx else ""
    return _RENEWED.fullmatch(trigger) is not None


def neighbour_queries(narrowed: Narrowed, page: Page[Any]) -> dict[str, str]:
    """The addresses of the pages before and after, with the same filter."""
    return {
        "before_query": narrowed.query_string(before=page.before),
        "after_query": narrowed.query_string(after=page.after),
    }


def push_address(
    request: HttpRequest, response: HttpResponse, narrowed: Narrowed, params: dict[str, str]
) -> HttpResponse:
    """Keep the address bar in step with what htmx has put on the page."""
    if wants_partial(request):
        cursor = {name: params[name] for name in ("after", "before") if params.get(name)}
        query = narrowed.query_string(**cursor)
        response["HX-Push-Url"] = f"{request.path}?{query}" if query else request.path
    return response


def see_other(name: str, *args: object) -> HttpResponseRedirect:
    """Once a form is done with: on to a page of ours."""
    return HttpResponseRedirect(reverse(name, args=args), status=SEE_OTHER)


def posted(request: HttpRequest) -> QueryDict | None:
    """What a form is bound to; None shows it empty."""
    return request.POST if request.method == "POST" else None


def notice_page(
    request: HttpRequest, error: LifecycleError, *, status: int | None = None
) -> HttpResponse:
    """Our own error as an answer: the notice for htmx, a page around it otherwise."""
    template = "components/_notice.html" if wants_partial(request) else "errors/notice.html"
    context = {"notice": error.notice, "tone": "bad"}
    return render(request, template, context, status=status or error.http_status)


def note_refusal(
    request: HttpRequest,
    error: LifecycleError,
    *,
    person_id: int | None = None,
    change: StatusChange | None = None,
) -> None:
    """Log that this was refused, and about whom, as far as the view knows better."""
    if change is not None:
        error.about(person_id=change.person_id, change_id=change.pk)
    elif person_id is not None:
        error.about(person_id=person_id)
    match = request.resolver_match
    asked = refusals.Asked(
        area=str(match.func.__module__).rpartition(".")[2] if match else "",
        page=str(match.view_name or "") if match else "",
        method=request.method if request.method in METHODS else "?",
        path=request.path,
    )
    refusals.note(request.user, error, asked)


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where to go back to: a page of ours named by `next`, or the fallback."""
    return safe_target(request, request.POST.get("next", ""), fallback)


def safe_target(request: HttpRequest, target: str, fallback: str) -> str:
    """The address, when it is one of ours; the fallback otherwise."""
    allowed = url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return target if allowed else fallback


def flat(params: QueryDict) -> dict[str, str]:
    """The last value of each parameter, without what no page can use."""
    return {key: str(value).replace("\x00", "") for key, value in params.items()}


def page(
    request: HttpRequest, full: str, partial: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """The partial for htmx, the page that includes it otherwise."""
    return render(request, partial if wants_partial(request) else full, context, status=status)
