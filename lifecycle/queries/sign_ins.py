"""Who is signed in where, and how each user may sign in."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from lifecycle.models import SecondStep, SignInSession, User


def live_sign_ins(user: User, *, at: datetime) -> QuerySet[SignInSession]:
    """The sessions of this user that are not over, newest use first."""
    return SignInSession.objects.filter(_is_live(at), user=user).order_by("-seen_at", "-pk")


def users_with_sign_ins(*, at: datetime) -> QuerySet[User]:
    """Everybody, with `sessions`, `last_seen_at` and `has_second_step`; one query."""
    live = _is_live(at, prefix="sign_ins__")
    return User.objects.annotate(
        sessions=Count("sign_ins", filter=live),
        last_seen_at=Max("sign_ins__seen_at"),
        has_second_step=Exists(SecondStep.objects.filter(user=OuterRef("pk"))),
    ).order_by("-is_active", "role", "username")


def _is_live(at: datetime, *, prefix: str = "") -> Q:
    going_on = Session.objects.filter(expire_date__gt=at).values("session_key")
    return Q(
        **{
            f"{prefix}session_key__in": going_on,
            f"{prefix}seen_at__gt": at - settings.SESSION_IDLE,
            f"{prefix}started_at__gt": at - settings.SESSION_LONGEST,
        }
    )
