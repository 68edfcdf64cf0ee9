"""Between the right password and the second step: nobody is signed in, but somebody is known.

It stands in the session of the browser, for a few minutes, and counts only as long as the
password is still the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import wraps

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from lifecycle.models import SignInWay, User

View = Callable[[HttpRequest], HttpResponse]

LIFE = timedelta(minutes=10)
_KEY = "sign_in_half_way"


@dataclass(frozen=True, slots=True)
class HalfWay:
    """Who has shown the password when, and where they wanted to go."""

    user: int
    password_mark: str
    next: str
    at: int
    # A secret that is being set up, sealed; empty for whoever has one.
    sealed: str = ""


def begin(request: HttpRequest, user: User, *, next: str, at: datetime) -> None:
    """A new session key, so that nobody else's cookie comes with what was shown here."""
    request.session.cycle_key()
    half = HalfWay(user.pk, user.get_session_auth_hash(), next, int(at.timestamp()))
    request.session[_KEY] = asdict(half)
    request.session.set_expiry(LIFE)


def of(request: HttpRequest, *, at: datetime) -> tuple[HalfWay, User] | None:
    """Who is half way in, in this browser; None for nobody, or when it was too long ago."""
    kept = request.session.get(_KEY)
    if not isinstance(kept, dict):
        return None
    half = HalfWay(**kept)
    user = User.objects.filter(pk=half.user, is_active=True).first()
    fresh = 0 <= int(at.timestamp()) - half.at < LIFE.total_seconds()
    if user is None or not fresh:
        return None
    if not constant_time_compare(half.password_mark, user.get_session_auth_hash()):
        return None
    return half, user


def required(view: Callable[[HttpRequest, HalfWay, User], HttpResponse]) -> View:
    """Whoever is not half way in begins at the beginning."""

    @wraps(view)
    def only_half_way(request: HttpRequest) -> HttpResponse:
        known = of(request, at=timezone.now())
        return view(request, *known) if known is not None else redirect("sign-in")

    return only_half_way


def keep_secret(request: HttpRequest, sealed: str) -> None:
    request.session[_KEY] = request.session[_KEY] | {"sealed": sealed}


def finish(request: HttpRequest, user: User) -> None:
    """The second step was right: sign in."""
    request.session.pop(_KEY, None)
    request.sign_in_way = SignInWay.SECOND_STEP  # type: ignore[attr-defined]
    login(request, user)
