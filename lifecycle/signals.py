"""Sign-ins, failed sign-ins and sign-outs go to the action log."""

from __future__ import annotations

import time
from typing import Any

from django.contrib.auth import signals
from django.core.cache import cache
from django.dispatch import receiver

from lifecycle import action_log
from lifecycle.models import User

# Failed sign-ins listed one by one in a minute, whichever addresses they come from.
FAILURES_LISTED = 30


@receiver(signals.user_logged_in)
def log_sign_in(user: User, **_: Any) -> None:
    action_log.record("user.signed_in", actor=user)


@receiver(signals.user_logged_out)
def log_sign_out(user: User | None, **_: Any) -> None:
    if user is not None:
        action_log.record("user.signed_out", actor=user)


@receiver(signals.user_login_failed)
def log_failed_sign_in(credentials: dict[str, Any], **_: Any) -> None:
    """A flood of guesses from many addresses must not become a flood of entries."""
    number = _failures_this_minute()
    if number > FAILURES_LISTED + 1:
        return
    if number == FAILURES_LISTED + 1:
        action_log.record("user.sign_ins_failing", actor=None, data={"limit": FAILURES_LISTED})
        return
    username = str(credentials.get("username") or "")[:150]
    action_log.record("user.sign_in_failed", actor=None, private={"username": username})


def _failures_this_minute() -> int:
    key = f"sign-in-failures:{int(time.time() // 60)}"
    cache.add(key, 0, 120)
    try:
        return int(cache.incr(key))
    except ValueError:  # thrown out of a full cache meanwhile
        return 1
