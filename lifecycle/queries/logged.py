"""A change and its attempts as the log tells them, compared with what the tables say.

Only the log is chained: whoever owns the database can edit the tables without a trace.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.action_log import ReadableEntry
from lifecycle.evidence.hashes import canonical, text_hash
from lifecycle.models import Attempt, StatusChange

# Columns of an attempt by the name they have in an entry made from its answer.
ANSWERED = {
    "outcome": "outcome",
    "http_status": "http_status",
    "code": "feishu_code",
    "log_id": "log_id",
    "request_hash": "request_hash",
}
REQUESTED, SENDING = "change.requested", "change.sending"
ANSWERED_LATE = "change.answered_late"


@dataclass(frozen=True, slots=True)
class LoggedChange:
    """`differs`: the tables do not hold what the log has fingerprints of. `is_plan_logged`: the
    log has one of the plan, which it has not of changes of former times."""

    change: StatusChange
    differs: bool
    is_plan_logged: bool


def logged_change(change: StatusChange, steps: Iterable[ReadableEntry]) -> LoggedChange:
    """`steps`: the entries of the change."""
    held = {
        "kind": change.kind,
        "subject_id": change.subject_id,
        "payload_hash": text_hash(change.payload),
        "pre_image_hash": text_hash(canonical(change.pre_image)),
        "plan_hash": text_hash(canonical(change.plan)),
    }
    own = [step for step in steps if step.entry.change_id == change.pk]
    said = [(name, step.data[name]) for step in own for name in held if name in step.data]
    return LoggedChange(
        change=change,
        differs=any(value != held[name] for name, value in said)
        or change.payload_hash != held["payload_hash"],
        is_plan_logged=any(name == "plan_hash" for name, _ in said),
    )


@dataclass(frozen=True, slots=True)
class LoggedAttempt:
    """What the log says of one attempt. `differs`: the table says otherwise. How long it took
    only the table knows."""

    number: int
    sent_at: datetime | None
    outcome: str
    http_status: object
    code: object
    log_id: object
    elapsed_ms: int | None
    differs: bool

    @property
    def outcome_label(self) -> str:
        return str(dict(Attempt.Outcome.choices).get(self.outcome, self.outcome))


def logged_attempt(
    entry: ReadableEntry, steps: Sequence[ReadableEntry], *, is_all: bool
) -> LoggedAttempt | None:
    """The attempt an entry speaks of. `steps`: the entries of its change; `is_all`: there are no
    more of them."""
    number, change_id = entry.data.get("number"), entry.entry.change_id
    if change_id is None or not isinstance(number, int):
        return None
    told = [step for step in (*steps, entry) if step.data.get("number") == number]
    sent = [step for step in told if step.entry.event == SENDING]
    answers = [
        step.data for step in told if "outcome" in step.data and step.entry.event != ANSWERED_LATE
    ]
    is_late = entry.entry.event == ANSWERED_LATE
    answer = entry.data if is_late else answers[-1] if answers else {}
    row = Attempt.objects.filter(change_id=change_id, number=number).first()
    return LoggedAttempt(
        number=number,
        sent_at=sent[0].entry.ts if sent else None,
        outcome=str(answer.get("outcome") or ""),
        http_status=answer.get("http_status"),
        code=answer.get("code"),
        log_id=answer.get("log_id"),
        elapsed_ms=row.elapsed_ms if row else None,
        # A late answer was not taken into the table.
        differs=row is None or (not is_late and _differs(row, answer, is_all=is_all)),
    )


def _differs(row: Attempt, answer: dict[str, Any], *, is_all: bool) -> bool:
    if not answer:
        return is_all and not row.is_running
    said = {name: column for name, column in ANSWERED.items() if name in answer}
    return any(getattr(row, column) != answer[name] for name, column in said.items())
