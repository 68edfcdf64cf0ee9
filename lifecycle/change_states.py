"""The state machine of a status change, on one page: where it can stand, which step leads from
where to where, and who may cause it.

`changes/protocol.py` is the only one that takes a step, by a compare-and-set, and asks
`may_move` first. The database refuses any other step by itself (`step_triggers.py`), and two
changes of one person that are under way at once (`models/changes.py`). Pure: no Django.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ChangeStatus(StrEnum):
    """Where a status change stands (docs/architecture.md, "The protocol")."""

    PENDING = "pending"
    APPROVED = "approved"
    IN_FLIGHT = "in_flight"
    VERIFYING = "verifying"
    NEEDS_ATTENTION = "needs_attention"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Who(StrEnum):
    """Who causes a step."""

    # Whoever may ask for such a change of this person.
    ASKER = "asker"
    # The same, but not the one who asked, and not the person it is about.
    SECOND_PERSON = "second person"
    # A process that has looked at Feishu or has its answer; no person can cause these.
    WORKER = "worker"
    # A rule of the portal: a day is over, or what was agreed to is no longer so.
    RULE = "rule"


PEOPLE = frozenset({Who.ASKER, Who.SECOND_PERSON})

_S = ChangeStatus

FINAL_STATUSES = frozenset({_S.SUCCEEDED, _S.FAILED, _S.REJECTED, _S.CANCELLED, _S.EXPIRED})
# One person, one of these at a time: while it is not known what happened, nothing else may
# be sent for the same person.
EXCLUSIVE_STATUSES = frozenset({_S.IN_FLIGHT, _S.VERIFYING, _S.NEEDS_ATTENTION})

# What a confirmed plan begins as: at once, or when somebody else has to agree first.
FIRST_STATUSES = frozenset({_S.APPROVED, _S.PENDING})


@dataclass(frozen=True, slots=True)
class Step:
    start: ChangeStatus
    target: ChangeStatus
    who: frozenset[Who]


def _step(start: ChangeStatus, target: ChangeStatus, *who: Who) -> Step:
    return Step(start, target, frozenset(who))


STEPS = (
    _step(_S.PENDING, _S.APPROVED, Who.SECOND_PERSON),
    _step(_S.PENDING, _S.REJECTED, Who.SECOND_PERSON),
    _step(_S.PENDING, _S.CANCELLED, Who.ASKER, Who.RULE),
    # Nobody agreed in time, or the facts changed before anybody did.
    _step(_S.PENDING, _S.EXPIRED, Who.RULE),
    # The attempt is committed; the first byte leaves after it.
    _step(_S.APPROVED, _S.IN_FLIGHT, Who.WORKER),
    # It was already so, and nothing was sent.
    _step(_S.APPROVED, _S.SUCCEEDED, Who.WORKER),
    # There is no such record any more.
    _step(_S.APPROVED, _S.FAILED, Who.WORKER),
    # The facts are not those it was planned against.
    _step(_S.APPROVED, _S.NEEDS_ATTENTION, Who.WORKER),
    _step(_S.APPROVED, _S.CANCELLED, Who.ASKER, Who.RULE),
    _step(_S.IN_FLIGHT, _S.SUCCEEDED, Who.WORKER),
    _step(_S.IN_FLIGHT, _S.FAILED, Who.WORKER),
    # Too many calls, sign-in not accepted, not sent: Feishu did nothing.
    _step(_S.IN_FLIGHT, _S.APPROVED, Who.WORKER),
    # No clear answer, or the worker is gone.
    _step(_S.IN_FLIGHT, _S.VERIFYING, Who.WORKER),
    _step(_S.VERIFYING, _S.SUCCEEDED, Who.WORKER),
    # Not applied, on two reads apart: it may be sent again.
    _step(_S.VERIFYING, _S.APPROVED, Who.WORKER),
    _step(_S.VERIFYING, _S.NEEDS_ATTENTION, Who.WORKER),
    # A verdict, or a wish to look again.
    _step(_S.NEEDS_ATTENTION, _S.VERIFYING, Who.SECOND_PERSON),
    _step(_S.NEEDS_ATTENTION, _S.SUCCEEDED, Who.SECOND_PERSON),
    _step(_S.NEEDS_ATTENTION, _S.FAILED, Who.SECOND_PERSON),
    # Only while nothing was ever sent.
    _step(_S.NEEDS_ATTENTION, _S.CANCELLED, Who.ASKER, Who.RULE),
)
_WHO = {(step.start, step.target): step.who for step in STEPS}


def may_move(start: ChangeStatus, target: ChangeStatus, *, by: Who | None = None) -> bool:
    """True when a change may go straight from one status to the other, caused by `by`, or by
    anybody when that is None."""
    who = _WHO.get((start, target), frozenset())
    return bool(who) if by is None else by in who


def needs_a_person(start: ChangeStatus, target: ChangeStatus) -> bool:
    """True when nobody but a person may cause this step."""
    who = _WHO.get((start, target), frozenset())
    return bool(who) and who <= PEOPLE


def never_a_person(start: ChangeStatus, target: ChangeStatus) -> bool:
    """True when no person may cause this step."""
    return _WHO.get((start, target), frozenset()) == {Who.WORKER}
