"""What the portal refuses somebody who is signed in goes to the action log.

A page or a step that is not theirs, a record out of their reach, a change that cannot be asked
for, a decision of one's own request: whoever reviews the log sees that it was tried. What was
merely typed wrongly, and what Feishu would not tell, was not refused to anybody.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from lifecycle import action_log
from lifecycle.errors.problems import (
    ApprovalVoid,
    ChangeBlocked,
    FeishuUnreadable,
    InvalidValues,
    LifecycleError,
    NotFound,
)
from lifecycle.floods import number_this_minute
from lifecycle.models import Person, StatusChange, User

# Refusals of one account listed one by one in a minute: pages, and steps, so that no flood of
# pages hides a step.
LISTED = 30
# A page that renews itself, or is loaded again, is the same refusal for so long. Seconds.
SAME_FOR = 600
PATH_LENGTH = 200
# Of the errors with a code of their own: a form that was not filled in as it should be; a push
# that Feishu has sent twice.
NOT_REFUSED = frozenset(
    {
        "person.reason-missing",
        "verdict.reason-missing",
        "guard.reason-missing",
        "approval.reason-missing",
        "request.reason-missing",
        "request.bad-day",
        "request.bad-delegation",
        "request.unfit-approver",
        "card.taken-already",
    }
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. `area`: the part of the portal; `page`: the name of its address;
    `method`, `path`: of the request, the path without its query."""

    area: str
    page: str
    method: str
    path: str

    @property
    def only_looks(self) -> bool:
        return self.method in ("GET", "HEAD")


def note(user: object, error: LifecycleError, asked: Asked) -> None:
    """Log that this user was refused. Not within a transaction that the refusal rolls back."""
    if not isinstance(user, User) or not is_refusal(error):
        return
    same = _same(user, error, asked) if asked.only_looks else ""
    if same and cache.get(same):
        return
    what = "looks" if asked.only_looks else "steps"
    number = number_this_minute(f"refusals:{user.pk}:{what}")
    if number == LISTED + 1:
        action_log.record("user.refusals_unlisted", actor=user, data={"limit": LISTED})
    if number > LISTED:
        return
    action_log.record(
        "user.refused",
        actor=user,
        person=Person.objects.filter(pk=error.person_id).first() if error.person_id else None,
        change=StatusChange.objects.filter(pk=error.change_id).first() if error.change_id else None,
        data=_what(error, asked),
        private={"path": asked.path[:PATH_LENGTH]},
    )
    if same:
        # Only now: one that is not listed in a flood is listed after it.
        cache.set(same, 1, SAME_FOR)


def is_refusal(error: LifecycleError) -> bool:
    """False for what is answered like a wrong form, for what has an entry of its own already,
    and for a record that does not exist at all."""
    if isinstance(error, NotFound):
        return error.is_hidden
    if isinstance(error, InvalidValues | FeishuUnreadable | ApprovalVoid):
        return False
    return error.notice.code not in NOT_REFUSED


def _what(error: LifecycleError, asked: Asked) -> dict[str, Any]:
    said: dict[str, Any] = {
        "problem": error.notice.code,
        "area": asked.area,
        "page": asked.page,
        "method": asked.method,
    }
    if isinstance(error, ChangeBlocked):
        said["blockers"] = [notice.code for notice in error.blockers]
    return said


def _same(user: User, error: LifecycleError, asked: Asked) -> str:
    """The key of what counts as one refusal, however often it is loaded."""
    text = f"{asked.method} {asked.path} {error.notice.code} {error.person_id}"
    return f"refused:{user.pk}:{hashlib.sha256(text.encode()).hexdigest()[:32]}"
