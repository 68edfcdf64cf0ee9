"""Sign-ins, failed sign-ins and sign-outs go to the action log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import signals
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from lifecycle.models import SignInWay, User
from lifecycle.services import sign_ins
from lifecycle.views.sign_in_limits import client_address


@receiver(signals.user_logged_in)
def note_sign_in(request: HttpRequest, user: User, **_: Any) -> None:
    """The view that signs somebody in says on the request in which way, if not by password."""
    sign_ins.opened(
        user,
        request.session,
        way=getattr(request, "sign_in_way", SignInWay.PASSWORD),
        address=client_address(request),
        agent=request.headers.get("User-Agent", ""),
        at=timezone.now(),
    )


@receiver(signals.user_logged_out)
def log_sign_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        sign_ins.signed_out(user, str(request.session.session_key))


@receiver(signals.user_login_failed)
def log_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    username = str(credentials.get("username") or "")
    # The typed name is erased in time; which account it was about stays.
    user = User.objects.filter(username=username).first() if username else None
    sign_ins.failed("sign-in.password", username=username, user=user)
