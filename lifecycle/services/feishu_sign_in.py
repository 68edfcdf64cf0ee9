"""Signing in with Feishu: own tenant only, known people only, and no role from outside.

Feishu says who somebody is; what they may do here stands on their user alone.
"""

from __future__ import annotations

import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings

from lifecycle import remote
from lifecycle.errors.sign_in import BY_FEISHU_CODE, SignInRefused
from lifecycle.models import User

# Feishu's code lives five minutes (获取授权码); before that somebody may have to sign in there.
LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that was begun in a browser and stays in its session until it comes back."""

    state: str
    verifier: str
    redirect_uri: str
    next: str
    at: int

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def is_on() -> bool:
    """True when the settings name the tenant whose people may sign in."""
    return bool(settings.FEISHU_TENANT_KEY)


def begin(*, redirect_uri: str, next: str, at: datetime) -> tuple[Begun, str]:
    """What to keep in the session, and the address to send the browser to."""
    begun = Begun(
        state=secrets.token_urlsafe(32),
        verifier=remote.sign_in.new_verifier(),
        redirect_uri=redirect_uri,
        next=next,
        at=int(at.timestamp()),
    )
    address = remote.sign_in.authorize_url(
        settings.FEISHU_ACCOUNTS_URL,
        app_id=settings.FEISHU_APP_ID,
        redirect_uri=redirect_uri,
        state=begun.state,
        verifier=begun.verifier,
    )
    return begun, address


def is_fresh(begun: Begun, *, at: datetime) -> bool:
    return 0 <= int(at.timestamp()) - begun.at < LIFE.total_seconds()


def finish(begun: Begun, *, code: str, error: str, at: datetime) -> User:
    """The user who has come back. Raises SignInRefused for everybody else."""
    if not is_fresh(begun, at=at):
        raise SignInRefused("sign-in.start-again")
    if error or not code:
        raise SignInRefused("sign-in.not-agreed" if error else "sign-in.start-again")
    person = _who(begun, code)
    if not compare_digest(person.tenant_key.encode(), settings.FEISHU_TENANT_KEY.encode()):
        raise SignInRefused("sign-in.other-tenant", open_id=person.open_id)
    return _known(person.open_id)


def _who(begun: Begun, code: str) -> remote.sign_in.SignedIn:
    errors = remote.errors
    try:
        return remote.sign_in_client().who(
            code=code, redirect_uri=begun.redirect_uri, verifier=begun.verifier
        )
    except errors.Throttled as error:
        raise SignInRefused("sign-in.silent", log_id=error.log_id) from error
    except errors.Refused as error:
        why = BY_FEISHU_CODE.get(error.code or 0, "sign-in.wrong-set-up")
        raise SignInRefused(why, feishu_code=error.code, log_id=error.log_id) from error
    except errors.NoAnswer as error:
        raise SignInRefused("sign-in.silent", log_id=error.log_id) from error
    except (errors.NotSent, errors.LimiterBusy) as error:
        raise SignInRefused("sign-in.silent") from error


def _known(open_id: str) -> User:
    users = list(User.objects.filter(open_id=open_id).order_by("-is_active", "pk")[:2])
    if not users:
        raise SignInRefused("sign-in.unknown-person", open_id=open_id)
    if len(users) > 1:
        raise SignInRefused("sign-in.several-users", open_id=open_id)
    if not users[0].is_active:
        raise SignInRefused("sign-in.switched-off", open_id=open_id)
    return users[0]
