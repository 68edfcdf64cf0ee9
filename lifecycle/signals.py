"""Sign-ins, failed sign-ins and sign-outs go to the action log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import signals
from django.dispatch import receiver

from lifecycle import action_log
from lifecycle.models import User


@receiver(signals.user_logged_in)
def log_sign_in(user: User, **_: Any) -> None:
    action_log.record("user.signed_in", actor=user)


@receiver(signals.user_logged_out)
def log_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        action_log.record("user.signed_out", actor=user)


@receiver(signals.user_login_failed)
def log_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    username = str(credentials.get("username") or "")[:150]
    action_log.record("user.sign_in_failed", actor=None, private={"username": username})
