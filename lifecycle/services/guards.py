"""Stopping all writes to Feishu at once, and letting them go on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from lifecycle import action_log, policies
from lifecycle.change_states import ChangeStatus
from lifecycle.changes import guards, protocol
from lifecycle.changes.doorbell import ring
from lifecycle.errors.problems import GuardRefused, NotAllowed
from lifecycle.models import StatusChange, User
from lifecycle.policies import Capability

REASON_LENGTH = 1000
# More than these are found by the sweeper as soon as it comes round.
RUNG_AT_ONCE = 100


def stop_writes(*, reason: str, acting_user: User | None, at: datetime) -> int:
    """Nothing is sent to Feishu from here on; how many requests were on their way already.

    `acting_user`: None for whoever is at the command line. Raises NotAllowed, GuardRefused.
    """
    reason = _checked(reason, acting_user, Capability.STOP_WRITES)
    with transaction.atomic():
        switch = guards.locked_switch()
        if switch.is_stopped:
            raise GuardRefused("guard.already-stopped")
        switch.stopped_at, switch.stopped_by, switch.reason = at, acting_user, reason
        switch.save()
        in_flight = StatusChange.objects.filter(status=ChangeStatus.IN_FLIGHT.value).count()
        _record("writes.stopped", acting_user, at, reason, in_flight=in_flight)
    return in_flight


def start_writes(*, reason: str, acting_user: User | None, at: datetime) -> int:
    """Writing goes on; how many changes the stop had held up. They go at once, in their order.

    Raises NotAllowed, GuardRefused.
    """
    reason = _checked(reason, acting_user, Capability.START_WRITES)
    with transaction.atomic():
        switch = guards.locked_switch()
        if not switch.is_stopped:
            raise GuardRefused("guard.not-stopped")
        switch.stopped_at, switch.stopped_by, switch.reason = None, None, ""
        switch.save()
        held = protocol.release_held(at=at)
        _record("writes.started", acting_user, at, reason, held=len(held))
        for change_id in held[:RUNG_AT_ONCE]:
            ring(change_id)
    return len(held)


def _checked(reason: str, acting_user: User | None, capability: Capability) -> str:
    if acting_user is not None and not policies.can(acting_user, capability):
        raise NotAllowed
    reason = reason.strip()[:REASON_LENGTH]
    if not reason:
        raise GuardRefused("guard.reason-missing")
    return reason


def _record(
    event: str, acting_user: User | None, at: datetime, reason: str, **numbers: int
) -> None:
    action_log.record(
        event,
        actor=acting_user,
        at=at,
        data=numbers | ({"at_command_line": True} if acting_user is None else {}),
        private={"reason": reason},
    )
