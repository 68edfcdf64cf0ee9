"""Accounts: who may sign in, in which role and how far; each step is logged.

What was true of an account on a past day is read back from these entries (queries/desk.py),
so nothing else may change a role, a reach, or whether an account is switched on.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone

from lifecycle import action_log
from lifecycle.models import User


def account_state(user: User) -> dict[str, Any]:
    """What an account may do and how far: ids and codes only."""
    return {
        "role": user.role,
        "departments": sorted(user.department_ids),
        "open_id": user.open_id,
        "is_active": user.is_active,
    }


@transaction.atomic
def create_user(user: User, *, acting_user: User | None) -> User:
    """Save a new account whose password has been set. `acting_user`: None at the command line."""
    user.save(force_insert=True)
    data = {"user": user.pk, "after": account_state(user)}
    action_log.record("user.created", actor=acting_user, data=data | _at(acting_user))
    return user


@transaction.atomic
def change_user(
    user: User,
    *,
    acting_user: User | None,
    role: str | None = None,
    departments: Iterable[str] | None = None,
    open_id: str | None = None,
    is_active: bool | None = None,
) -> bool:
    """Change what is given and end the account's sessions; False when it was so already."""
    user = User.objects.select_for_update().get(pk=user.pk)
    before = account_state(user)
    user.role = user.role if role is None else role
    user.department_ids = user.department_ids if departments is None else sorted(departments)
    user.open_id = user.open_id if open_id is None else open_id
    user.is_active = user.is_active if is_active is None else is_active
    after = account_state(user)
    if after == before:
        return False
    user.save(update_fields=["role", "department_ids", "open_id", "is_active"])
    end_sessions(user)
    data = {"user": user.pk, "before": before, "after": after}
    action_log.record("user.changed", actor=acting_user, data=data | _at(acting_user))
    return True


def end_sessions(user: User) -> int:
    """Sign this account out everywhere; how many sessions that were."""
    live = Session.objects.filter(expire_date__gte=timezone.now())
    keys = [
        session.session_key
        for session in live.iterator()
        if session.get_decoded().get("_auth_user_id") == str(user.pk)
    ]
    Session.objects.filter(session_key__in=keys).delete()
    return len(keys)


def _at(acting_user: User | None) -> dict[str, bool]:
    return {"at_command_line": True} if acting_user is None else {}
