"""What every answer has in common: its security headers, and that it is for one person only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.middleware import LoginRequiredMiddleware as DjangoLoginRequiredMiddleware
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from lifecycle import action_log
from lifecycle.errors.problems import LifecycleError, NotAllowed
from lifecycle.services import sign_ins
from lifecycle.views.answers import asks_by_itself, note_refusal, notice_page
from lifecycle.views.sign_in_limits import client_address

Answer = Callable[[HttpRequest], HttpResponse]


class ContentSecurityPolicyMiddleware:
    """The same policy on every answer: nothing runs or loads but our own files."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        self.policy = "; ".join(f"{name} {value}" for name, value in settings.SECURE_CSP.items())

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


class LoginRequiredMiddleware(DjangoLoginRequiredMiddleware):
    """Every view needs a signed-in user unless it is marked `login_not_required`.

    htmx would follow a redirect and put the sign-in page into the middle of the screen, so
    it is told to load the whole page instead, and to come back to the page it was on.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        """What anybody may see does not ask who is there: /healthz answers without a database."""
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)

    # Django says redirect; any answer will do.
    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if not getattr(request, "htmx", False):
            return super().handle_no_permission(request, view_func)
        there = urlsplit(request.headers.get("HX-Current-URL", "/"))
        back = f"{there.path}?{there.query}" if there.query else there.path
        sign_in = resolve_url(settings.LOGIN_URL)
        return HttpResponseClientRedirect(f"{sign_in}?{urlencode({'next': back})}")


class SessionTimesMiddleware:
    """Nobody stays signed in without use, nor for ever. A page that asks by itself for news
    is no use."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase], *given: Any
    ) -> None:
        """What anybody may see does not ask who is there: /healthz answers without a database."""
        session = request.session
        if not getattr(view_func, "login_required", True) or SESSION_KEY not in session:
            return
        now = timezone.now()
        if not sign_ins.is_over(session, at=now):
            if not asks_by_itself(request):
                sign_ins.used(session, at=now)
            return
        sign_ins.closed(str(session.session_key))
        session.flush()
        request.user = AnonymousUser()
        messages.info(request, _("You were signed out because the time of your session is over."))


class AddressMiddleware:
    """What a request writes to the action log says where the request came from."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with action_log.coming_from(client_address(request)):
            return self.get_response(request)


class LifecycleErrorMiddleware:
    """Our own errors that no view answers itself: not within reach, not allowed, not now. What
    is refused is logged."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, LifecycleError):
            note_refusal(request, exception)
            return notice_page(request, exception)
        if isinstance(exception, PermissionDenied):
            note_refusal(request, NotAllowed())
        return None


class PrivatePagesMiddleware:
    """Pages carry personal data: no cache keeps them, and none mistakes a partial for a page."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response
