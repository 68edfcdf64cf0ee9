"""Accounts: who may sign in, in which role and how far; each step is logged.

What was true of an account on a past day is read back from these entries (queries/desk.py),
so nothing else may change a role, a reach, or whether an account is switched on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.models import Session
from django.db import transaction

from lifecycle import action_log, policies
from lifecycle.errors.problems import NotAllowed
from lifecycle.masking import fingerprint
from lifecycle.models import SignInSession, User
from lifecycle.policies import Capability
from lifecycle.services import reasons


class OpenIdTaken(Exception):
    """Another user is linked to this Feishu account: who signs in with it would be unclear."""


def account_state(user: User) -> dict[str, Any]:
    """What an account may do and how far: ids and codes only. Of the person behind it, a
    fingerprint: the open_id itself stands beside the chain."""
    return {
        "role": user.role,
        "departments": sorted(user.department_ids),
        "link": fingerprint("open_id", user.open_id),
        "is_active": user.is_active,
    }


@dataclass(frozen=True, slots=True)
class AccountValues:
    """What an administrator sets, and why. `departments`: ids; none for the whole company."""

    role: str
    departments: Collection[str]
    open_id: str
    is_active: bool
    reason: str


def add_account(user: User, *, password: str, reason: str, acting_user: User) -> User:
    """An account made by an administrator; without a password its owner signs in with Feishu.
    Raises NotAllowed, ReasonMissing, OpenIdTaken."""
    _check_may_manage(acting_user)
    reason = reasons.given(reason)
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    return create_user(user, reason=reason, acting_user=acting_user)


def change_account(user: User, values: AccountValues, *, acting_user: User) -> bool:
    """What an administrator changes of somebody else; False when it was so already. Raises
    NotAllowed, also for one's own account, ReasonMissing and OpenIdTaken."""
    _check_may_manage(acting_user)
    if user.pk == acting_user.pk:
        raise NotAllowed
    reason = reasons.given(values.reason)
    return change_user(
        user,
        acting_user=acting_user,
        role=values.role,
        departments=values.departments,
        open_id=values.open_id,
        is_active=values.is_active,
        reason=reason,
    )


@transaction.atomic
def create_user(user: User, *, reason: str = "", acting_user: User | None) -> User:
    """Save a new account whose password has been set. `acting_user`: None at the command line.

    Raises OpenIdTaken.
    """
    _keep_to_one(user)
    user.save(force_insert=True)
    data = {"user": user.pk, "after": account_state(user)}
    private = {"reason": reason.strip(), "open_id": user.open_id}
    _record("user.created", data, private, acting_user)
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
    reason: str = "",
) -> bool:
    """Change what is given and end the account's sessions; False when it was so already.

    Raises OpenIdTaken.
    """
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    before, open_id_before = account_state(user), user.open_id
    user.role = user.role if role is None else role
    user.department_ids = user.department_ids if departments is None else sorted(departments)
    user.open_id = user.open_id if open_id is None else open_id
    user.is_active = user.is_active if is_active is None else is_active
    after = account_state(user)
    if after == before:
        return False
    if open_id:
        _keep_to_one(user)
    user.save(update_fields=["role", "department_ids", "open_id", "is_active"])
    end_sessions(user)
    data = {"user": user.pk, "before": before, "after": after}
    private = {"reason": reason.strip(), "open_id": user.open_id}
    if user.open_id != open_id_before:
        private["open_id_before"] = open_id_before
    _record("user.changed", data, private, acting_user)
    return True


def _record(
    event: str, data: dict[str, Any], private: dict[str, str], acting_user: User | None
) -> None:
    action_log.record(
        event,
        actor=acting_user,
        data=data | at_command_line(acting_user),
        private={name: value for name, value in private.items() if value},
    )


@transaction.atomic
def change_password(
    user: User, password: str, *, acting_user: User | None, keep_session: str = ""
) -> None:
    """Set a password that has been looked at, and end all sessions but `keep_session`."""
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sessions(user, but=keep_session)
    data = {"user": user.pk} | at_command_line(acting_user)
    action_log.record("user.password_changed", actor=acting_user, data=data)


def end_sessions(user: User, *, but: str = "") -> int:
    """Sign this account out everywhere, save in one session; how many sessions that were."""
    sign_ins = SignInSession.objects.filter(user=user).exclude(session_key=but)
    keys = list(sign_ins.values_list("session_key", flat=True))
    ended, _ = Session.objects.filter(session_key__in=keys).delete()
    sign_ins.filter(session_key__in=keys).delete()
    return ended


def at_command_line(acting_user: User | None) -> dict[str, bool]:
    """What an entry says when nobody is signed in at all."""
    return {"at_command_line": True} if acting_user is None else {}


def _check_may_manage(acting_user: User) -> None:
    if not policies.can(acting_user, Capability.MANAGE_USERS):
        raise NotAllowed


def _keep_to_one(user: User) -> None:
    others = User.objects.exclude(pk=user.pk)
    if user.open_id and others.filter(open_id=user.open_id).exists():
        raise OpenIdTaken(user.open_id)
