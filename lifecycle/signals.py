"""Sign-ins, failed sign-ins and sign-outs go to the action log, and what a web server has started
with."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from django.contrib.auth import signals
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from lifecycle.models import SignInWay, User
from lifecycle.services import settings_log, sign_ins
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
    sign_ins.failed("sign-in.password", username=username)


class SettingsNote:
    """Has the settings of a web server written down once an answer of it is out, so that none
    waits for that. When it fails, another answer is followed by another try, `every` so often."""

    def __init__(self, *, every: timedelta = timedelta(minutes=1)) -> None:
        self._every_s = every.total_seconds()
        self._next_try_at = time.monotonic()
        self._at_it = threading.Lock()

    def connect(self) -> None:
        request_finished.connect(self._after_answer, weak=False)

    def disconnect(self) -> None:
        request_finished.disconnect(self._after_answer)

    def _after_answer(self, **_: Any) -> None:
        if not self._at_it.acquire(blocking=False):
            return
        try:
            if time.monotonic() >= self._next_try_at:
                self._try()
        finally:
            self._at_it.release()

    def _try(self) -> None:
        self._next_try_at = time.monotonic() + self._every_s
        if settings_log.try_to_note(settings_log.WEB):
            self.disconnect()
