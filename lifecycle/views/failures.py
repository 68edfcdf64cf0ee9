"""The answers when the portal itself cannot go on: its database is away, or a mistake of ours.

Nothing here may ask the database anything: not who is signed in, nor what is in the session.
"""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.views import defaults

from lifecycle.errors.problems import NOTICES
from lifecycle.errors.words import Notice
from lifecycle.views.answers import wants_partial
from lifecycle.views.themes import theme_of

# Stopped, out of reach, full, or held by somebody else for too long ("database is locked").
DATABASE_AWAY = (OperationalError, InterfaceError)
# Steps of a form that change nothing: the plan of a change, and back to its form.
LOOKS_ONLY = ("plan", "edit")
SECRETS = frozenset({"code"})
RETRY_AFTER_S = 10
UNAVAILABLE = 503


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this for whatever nobody caught, in a view or in a middleware around it: the
    session and the user are read when they are first asked for, before any view runs."""
    if isinstance(sys.exc_info()[1], DATABASE_AWAY):
        return database_away(request)
    return defaults.server_error(request)


def database_away(request: HttpRequest) -> HttpResponse:
    """A page, a notice for htmx, JSON for programs. Each says what became of a form."""
    with translation.override(translation.get_language_from_request(request)):
        response = _answer(request)
    response.headers["Retry-After"] = str(RETRY_AFTER_S)
    # What was typed may stand in it.
    response.headers["Cache-Control"] = "no-store"
    return response


def _answer(request: HttpRequest) -> HttpResponse:
    notice = _notice(request)
    if wants_partial(request):
        text = render_to_string("components/_notice.html", {"notice": notice, "tone": "bad"})
        # Whatever is typed on the page stays as it is.
        return HttpResponse(text, status=UNAVAILABLE, headers={"HX-Reswap": "none"})
    if "text/html" not in request.headers.get("Accept", "") and "HX-Request" not in request.headers:
        return JsonResponse({"error": notice.as_json()}, status=UNAVAILABLE)
    context = {
        "notice": notice,
        "theme": theme_of(request),
        "posted": _posted(request),
        "csrf_token_posted": request.POST.get("csrfmiddlewaretoken", ""),
        "address": request.get_full_path(),
    }
    text = render_to_string("errors/database_away.html", context)
    return HttpResponse(text, status=UNAVAILABLE)


def _notice(request: HttpRequest) -> Notice:
    if not _posted(request) or request.POST.get("step") in LOOKS_ONLY:
        return NOTICES["portal.database-away"]
    is_change = "submission_key" in request.POST
    return NOTICES["portal.database-away-change" if is_change else "portal.database-away-step"]


def _posted(request: HttpRequest) -> list[tuple[str, str]]:
    """The fields of the form, to be sent again beside its own proof against forgery (CSRF), which
    is checked again. A password or a code is not repeated into a page."""
    if request.method != "POST" or any(_is_secret(name) for name in request.POST):
        return []
    return [
        (name, str(value))
        for name, values in request.POST.lists()
        for value in values
        if name != "csrfmiddlewaretoken"
    ]


def _is_secret(name: str) -> bool:
    return "password" in name or name in SECRETS
