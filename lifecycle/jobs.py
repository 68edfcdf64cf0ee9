"""What runs in the background. Each job takes ids, calls one service, and may run twice."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from django.utils import timezone

from lifecycle.change_states import ChangeStatus
from lifecycle.changes import protocol
from lifecycle.models import WorkerBeat
from lifecycle.services import (
    approvals,
    audit,
    digest,
    drift,
    messages,
    polling,
    pushes,
    reminders,
    self_check,
    sign_ins,
    sync,
)

log = logging.getLogger(__name__)

# A renewed token or a throttle of a moment is gone through at once, not half a minute later.
STEPS_AT_ONCE = 3


def run_change(change_id: int) -> str:
    """Do what is due for one change; its status afterwards."""
    status = ""
    for _ in range(STEPS_AT_ONCE):
        change = protocol.run(change_id)
        if change is None:
            break
        status = change.status
        due_now = change.next_run_at is not None and change.next_run_at <= timezone.now()
        if change.status != ChangeStatus.APPROVED or not due_now:
            break
    return status


def sweep() -> int:
    """The source of truth for due work: leases that ran out, approvals nobody gave in time, and
    every change that is due.

    Works with the queue dead, in any number of processes at once; how many were looked at.
    """
    at = timezone.now()
    expired = protocol.expire_leases(at) + approvals.expire_overdue(at)
    due = protocol.due(at)
    for change_id in due:
        beat("sweeper")
        try:
            run_change(change_id)
        except Exception:
            # One change that cannot be dealt with must not hold up all the others; it
            # stays due and its traceback is in the log.
            log.exception("change %s could not be run", change_id)
    beat("sweeper")
    return expired + len(due) + _sweep_messages(at)


def _sweep_messages(at: datetime) -> int:
    try:
        return messages.tend(at)
    except Exception:
        log.exception("messages could not be sent")
        return 0


def beat(name: str = "queue") -> None:
    """The canary: proof that this part of the background work makes progress."""
    WorkerBeat.objects.update_or_create(name=name, defaults={"beat_at": timezone.now()})


def sync_all() -> int:
    """Bring the whole mirror up to date; how many records were read."""
    return sum(run.read for run in sync.sync_all())


def poll_often() -> int:
    """What HR waits for, as far as it is due; how many records were read."""
    pushes.read_due(at=timezone.now())
    return _poll(polling.OFTEN)


def read_pushed() -> int:
    """Read what pushed events have announced; how many events."""
    return pushes.read_due(at=timezone.now())


def poll_rest() -> int:
    """Everything else, as far as it is due; how many records were read."""
    return _poll(polling.REST)


def poll() -> int:
    """Whatever is due; how many records were read."""
    return poll_often() + poll_rest()


def _poll(names: Collection[str]) -> int:
    return sum(run.read for run in polling.poll(names, at=timezone.now()))


def tend_drift() -> int:
    """Compare the records of everybody; how many contradictions there are."""
    return drift.tend(timezone.now())


def send_digest() -> int:
    """The daily e-mail of what has changed, when it is due; how many events it tells."""
    return digest.send_digest(timezone.now())


def tend_messages() -> int:
    """Send the Feishu messages that are due and bring cards up to date; how many."""
    return messages.tend(timezone.now())


def remind_deciders() -> int:
    """Tell those who have to decide what waits for them now; how many requests."""
    return reminders.remind(timezone.now())


def tend_requests() -> int:
    """Ask, remind and pass on what leaders have to decide; how much there was to do."""
    return reminders.tend(timezone.now())


def sign_checkpoints() -> int:
    """Sign a checkpoint of the action log when one is due; how many entries it covers."""
    return audit.sign_checkpoints()


def verify_log(check_id: int) -> str:
    """One check of the action log that somebody asked for; how it ended."""
    return audit.run_verification(check_id)


def check_changes(check_id: int | None = None) -> str:
    """One check of all status changes, asked for or the nightly one; how it ended."""
    return self_check.run(check_id)


def forget_sessions() -> int:
    """Sessions whose time is over; how many that were."""
    return sign_ins.forget_over(at=timezone.now())


def erase_private_values() -> int:
    """Erase what the log keeps beside its chain and whose time is over; how much that was."""
    return audit.erase_overdue()
