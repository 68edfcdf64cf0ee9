"""The questions every view asks about a request, and the answers they share."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from lifecycle.errors.problems import LifecycleError


def wants_partial(request: HttpRequest) -> bool:
    """True when htmx asks for a piece of a page: not when it loads or restores a whole one."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def notice_page(
    request: HttpRequest, error: LifecycleError, *, status: int | None = None
) -> HttpResponse:
    """Our own error as an answer: the notice for htmx, a page around it otherwise."""
    template = "components/_notice.html" if wants_partial(request) else "errors/notice.html"
    context = {"notice": error.notice, "tone": "bad"}
    return render(request, template, context, status=status or error.http_status)


def safe_next(request: HttpRequest, fallback: str) -> str:
    """Where to go back to: a page of ours named by `next`, or the fallback."""
    target = request.POST.get("next", "")
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
