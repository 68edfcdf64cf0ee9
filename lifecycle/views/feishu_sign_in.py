"""Signing in with Feishu: off to Feishu, and back.

Off is a link and not a form, since no form of ours may lead to another host. What comes back
counts only in the browser that was sent off, once, and for a few minutes.
"""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.sessions.backends.base import SessionBase
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from lifecycle.errors.sign_in import SignInRefused
from lifecycle.models import SignInWay, User
from lifecycle.services import feishu_sign_in, sign_ins
from lifecycle.services.feishu_sign_in import Begun
from lifecycle.views.answers import flat, safe_target

_KEY = "feishu_sign_ins"
# Tabs of one browser in which somebody is on the way at the same time.
MOST_BEGUN = 5
LONGEST_CODE, LONGEST_STATE = 4096, 128


@login_not_required
@require_safe
def leave(request: HttpRequest) -> HttpResponse:
    """Send the browser to Feishu's page."""
    _require_on()
    home = resolve_url(settings.LOGIN_REDIRECT_URL)
    if request.user.is_authenticated:
        return HttpResponseRedirect(home)
    begun, address = feishu_sign_in.begin(
        redirect_uri=request.build_absolute_uri(reverse("feishu-callback")),
        next=safe_target(request, request.GET.get("next", ""), home),
        at=timezone.now(),
    )
    others = _begun(request.session)[-(MOST_BEGUN - 1) :]
    request.session[_KEY] = [one.as_json() for one in (*others, begun)]
    request.session.set_expiry(feishu_sign_in.LIFE)
    return HttpResponseRedirect(address)


@login_not_required
@require_safe
def come_back(request: HttpRequest) -> HttpResponse:
    """Feishu's page sends the browser here, with a code or a refusal."""
    _require_on()
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    told = flat(request.GET)
    code, error = told.get("code", "")[:LONGEST_CODE], told.get("error", "")
    try:
        begun = _take(request.session, told.get("state", "")[:LONGEST_STATE])
        user = feishu_sign_in.finish(begun, code=code, error=error, at=timezone.now())
    except SignInRefused as refused:
        return _say_no(request, refused)
    return _sign_in(request, user, begun)


def _sign_in(request: HttpRequest, user: User, begun: Begun) -> HttpResponse:
    request.session.pop(_KEY, None)
    request.sign_in_way = SignInWay.FEISHU  # type: ignore[attr-defined]
    login(request, user)
    return HttpResponseRedirect(begun.next)


def _say_no(request: HttpRequest, refused: SignInRefused) -> HttpResponse:
    sign_ins.failed(
        refused.notice.code,
        open_id=refused.open_id,
        feishu_code=refused.feishu_code,
        log_id=refused.log_id,
    )
    context = {"notice": refused.notice, "refused": refused}
    return render(request, "accounts/feishu_refused.html", context, status=refused.http_status)


def _take(session: SessionBase, state: str) -> Begun:
    """What was begun with this state; it is used up. Raises SignInRefused for a stranger."""
    begun = _begun(session)
    found = [one for one in begun if state and one.state == state]
    if not found:
        raise SignInRefused("sign-in.start-again")
    session[_KEY] = [one.as_json() for one in begun if one.state != state]
    return found[0]


def _begun(session: SessionBase) -> list[Begun]:
    return [Begun(**kept) for kept in session.get(_KEY, [])]


def _require_on() -> None:
    if not feishu_sign_in.is_on():
        raise Http404
