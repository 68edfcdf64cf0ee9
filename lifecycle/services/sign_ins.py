"""Signing in and out: sessions, their times, and what the log says of both.

A session knows itself when it began and when it was last used, so that its age costs no
query. Beside it stands a row (SignInSession) for people to look at and to end it by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session
from django.db import transaction

from lifecycle import action_log, policies
from lifecycle.errors.problems import NotAllowed, NotFound
from lifecycle.floods import number_this_minute
from lifecycle.models import SignInSession, SignInWay, User
from lifecycle.policies import Capability
from lifecycle.services.users import at_command_line, end_sessions

STARTED, SEEN = "sign_in_started", "sign_in_seen"
SEEN_EVERY = timedelta(minutes=1)
# Failed sign-ins listed one by one in a minute, whichever addresses they come from.
FAILURES_LISTED = 30


@transaction.atomic
def opened(
    user: User,
    session: SessionBase,
    *,
    way: str = SignInWay.PASSWORD,
    address: str = "",
    agent: str = "",
    at: datetime,
) -> None:
    """Note that somebody has signed in; their sessions that are over are forgotten."""
    session[STARTED] = session[SEEN] = int(at.timestamp())
    session.set_expiry(None)  # a sign-in on the way keeps it for minutes only
    mine = SignInSession.objects.filter(user=user)
    mine.exclude(session_key__in=_live_sessions(at)).delete()
    SignInSession.objects.update_or_create(
        session_key=str(session.session_key),
        defaults={
            "user": user,
            "way": way,
            "address": address[:64],
            "agent": agent[:300],
            "started_at": at,
            "seen_at": at,
        },
    )
    action_log.record("user.signed_in", actor=user, data={"way": str(way)})


def is_over(session: SessionBase, *, at: datetime) -> bool:
    """True when a session was not used for too long, or has gone on for too long at all."""
    started, seen = session.get(STARTED), session.get(SEEN)
    if not isinstance(started, int) or not isinstance(seen, int):
        return True
    now = int(at.timestamp())
    return (
        now - seen >= settings.SESSION_IDLE.total_seconds()
        or now - started >= settings.SESSION_LONGEST.total_seconds()
    )


def used(session: SessionBase, *, at: datetime) -> None:
    """Note that somebody is there; once a minute at most."""
    if int(at.timestamp()) - int(session[SEEN]) < SEEN_EVERY.total_seconds():
        return
    session[SEEN] = int(at.timestamp())
    SignInSession.objects.filter(session_key=str(session.session_key)).update(seen_at=at)


def closed(session_key: str) -> None:
    """Forget a session that is over."""
    SignInSession.objects.filter(session_key=session_key).delete()


def moved(before: str, after: str) -> None:
    """The session of somebody who stays signed in has a new key."""
    SignInSession.objects.filter(session_key=before).update(session_key=after)


@transaction.atomic
def signed_out(user: User, session_key: str) -> None:
    closed(session_key)
    action_log.record("user.signed_out", actor=user)


def forget_over(*, at: datetime) -> int:
    """Take away sessions whose time is over, also of visitors who never signed in; how many."""
    number, _ = Session.objects.filter(expire_date__lte=at).delete()
    SignInSession.objects.exclude(session_key__in=_live_sessions(at)).delete()
    return number


@transaction.atomic
def end_one(user: User, pk: int, *, acting_user: User) -> None:
    """Sign somebody out of one browser. Raises NotAllowed, NotFound."""
    _may_end(user, acting_user)
    row = SignInSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        raise NotFound
    Session.objects.filter(session_key=row.session_key).delete()
    row.delete()
    data = {"user": user.pk, "number": 1}
    action_log.record("user.sessions_ended", actor=acting_user, data=data)


@transaction.atomic
def end_all(user: User, *, acting_user: User | None) -> int:
    """Sign somebody out everywhere; how many sessions that were. Raises NotAllowed."""
    if acting_user is not None:
        _may_end(user, acting_user)
    number = end_sessions(user)
    data = {"user": user.pk, "number": number} | at_command_line(acting_user)
    action_log.record("user.sessions_ended", actor=acting_user, data=data)
    return number


def _may_end(user: User, acting_user: User) -> None:
    if user.pk != acting_user.pk and not policies.can(acting_user, Capability.MANAGE_USERS):
        raise NotAllowed


def failed(
    why: str,
    *,
    username: str = "",
    user: User | None = None,
    open_id: str = "",
    feishu_code: int | None = None,
    log_id: str | None = None,
) -> None:
    """Log a failed sign-in. A flood of guesses from many addresses must not become a flood of
    entries. `why`: a code of errors/sign_in.py. The name that was typed and the Feishu account
    are erased in time; which account it was about stays."""
    number = number_this_minute("sign-in-failures")
    if number > FAILURES_LISTED + 1:
        return
    if number == FAILURES_LISTED + 1:
        action_log.record("user.sign_ins_failing", actor=None, data={"limit": FAILURES_LISTED})
        return
    known: dict[str, Any] = {
        "why": why,
        "user": user.pk if user else _meant(username, open_id),
        "code": feishu_code,
        "log_id": log_id,
    }
    private = {"username": username[:150], "open_id": open_id[:64]}
    action_log.record(
        "user.sign_in_failed",
        actor=None,
        data={name: value for name, value in known.items() if value is not None},
        private={name: value for name, value in private.items() if value},
    )


def _meant(username: str, open_id: str) -> int | None:
    """The one account of this name, or linked to this Feishu account."""
    if not username and not open_id:
        return None
    named = {"username": username} if username else {"open_id": open_id}
    found = list(User.objects.filter(**named).values_list("pk", flat=True)[:2])
    return found[0] if len(found) == 1 else None


def _live_sessions(at: datetime) -> Any:
    return Session.objects.filter(expire_date__gt=at).values("session_key")
