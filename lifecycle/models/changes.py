"""Status changes and the attempts to carry them out.

`lifecycle/changes/protocol.py` is the only writer of a change's status.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from lifecycle import change_states
from lifecycle.change_states import ChangeStatus

FINAL = sorted(status.value for status in change_states.FINAL_STATUSES)
DUE = sorted([ChangeStatus.APPROVED.value, ChangeStatus.VERIFYING.value])
EXCLUSIVE = sorted(status.value for status in change_states.EXCLUSIVE_STATUSES)


class StatusChange(models.Model):
    """One verb, one person, one frozen request."""

    class Status(models.TextChoices):
        PENDING = ChangeStatus.PENDING.value, _("Awaiting approval")
        APPROVED = ChangeStatus.APPROVED.value, _("Waiting to be sent")
        IN_FLIGHT = ChangeStatus.IN_FLIGHT.value, _("Sending")
        VERIFYING = ChangeStatus.VERIFYING.value, _("Checking with Feishu")
        NEEDS_ATTENTION = ChangeStatus.NEEDS_ATTENTION.value, _("Needs a decision")
        SUCCEEDED = ChangeStatus.SUCCEEDED.value, _("Done")
        FAILED = ChangeStatus.FAILED.value, _("Not done")
        REJECTED = ChangeStatus.REJECTED.value, _("Rejected")
        CANCELLED = ChangeStatus.CANCELLED.value, _("Cancelled")
        EXPIRED = ChangeStatus.EXPIRED.value, _("Expired")

    class Via(models.TextChoices):
        """How a change came to its end."""

        ANSWER = "answer", _("Feishu confirmed it")
        ALREADY = "already", _("it was already so in Feishu; nothing was sent")
        READBACK = "readback", _("read back from Feishu after no answer came")
        BY_HAND = "by_hand", _("decided by a person")

    kind = models.CharField(_("verb"), max_length=40)
    # Rendered into the form: posting it again is the same change, not another one.
    submission_key = models.UUIDField(unique=True, default=uuid.uuid4)
    person = models.ForeignKey("lifecycle.Person", on_delete=models.PROTECT, related_name="changes")
    subject_id = models.CharField(max_length=64)

    # Canonical text of the exact request, and of the facts it was planned against.
    payload = models.TextField()
    payload_hash = models.CharField(max_length=64)
    pre_image = models.JSONField()
    pre_image_hash = models.CharField(max_length=64)
    # What was shown before confirming: before/after, warnings, undo.
    plan = models.JSONField(default=dict)
    reason = models.TextField(_("reason"), blank=True)

    requested_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, related_name="requested_changes", null=True
    )
    undo_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by"
    )
    created_at = models.DateTimeField()
    effective_at = models.DateTimeField()

    status = models.CharField(_("status"), max_length=20, choices=Status.choices)
    version = models.PositiveIntegerField(default=0)
    # When the worker is to look at it again: to send it, or to read it back.
    next_run_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts_used = models.PositiveSmallIntegerField(default=0)

    # While verifying: since when, how often read, and the first read that said "not applied".
    verifying_since = models.DateTimeField(null=True, blank=True)
    reads = models.PositiveSmallIntegerField(default=0)
    unapplied_read_at = models.DateTimeField(null=True, blank=True)

    settled_via = models.CharField(max_length=20, choices=Via.choices, blank=True)
    # A stable word for why it failed, waits or needs a person; its words: errors/problems.py.
    problem = models.CharField(max_length=60, blank=True)
    feishu_code = models.BigIntegerField(null=True, blank=True)
    feishu_msg = models.TextField(blank=True)
    log_id = models.CharField(max_length=128, blank=True)
    observed = models.JSONField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("status change")
        verbose_name_plural = _("status changes")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=[status.value for status in ChangeStatus]),
                name="change_status_known",
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(status__in=EXCLUSIVE),
                name="one_open_change_per_person",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=False, status__in=FINAL)
                | (Q(finished_at__isnull=True) & ~Q(status__in=FINAL)),
                name="change_finished_when_final",
            ),
            # Nothing that is to go on can be forgotten: the worker finds it by this moment.
            models.CheckConstraint(
                condition=Q(next_run_at__isnull=False) | ~Q(status__in=DUE),
                name="change_due_when_it_goes_on",
            ),
            models.CheckConstraint(
                condition=~Q(settled_via="") | ~Q(status=ChangeStatus.SUCCEEDED.value),
                name="change_done_somehow",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "next_run_at"]),
            models.Index(fields=["person", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def is_final(self) -> bool:
        return self.status in change_states.FINAL_STATUSES

    @property
    def is_open(self) -> bool:
        return not self.is_final

    @property
    def is_done(self) -> bool:
        return self.status == ChangeStatus.SUCCEEDED

    @property
    def is_failed(self) -> bool:
        return self.status == ChangeStatus.FAILED

    @property
    def is_verifying(self) -> bool:
        return self.status == ChangeStatus.VERIFYING

    @property
    def is_waiting(self) -> bool:
        return self.status == ChangeStatus.APPROVED

    @property
    def is_pending(self) -> bool:
        return self.status == ChangeStatus.PENDING

    @property
    def needs_attention(self) -> bool:
        return self.status == ChangeStatus.NEEDS_ATTENTION


class Attempt(models.Model):
    """One request for a change, written down before its first byte leaves."""

    class Outcome(models.TextChoices):
        """feishu.outcomes.Outcome, and "" while the attempt runs."""

        APPLIED = "applied", _("applied")
        REJECTED = "rejected", _("refused")
        THROTTLED = "throttled", _("too many calls; to be sent again")
        AUTH = "auth", _("sign-in to Feishu not accepted")
        NOT_SENT = "not_sent", _("not sent")
        UNKNOWN = "unknown", _("no clear answer")

    change = models.ForeignKey(StatusChange, on_delete=models.PROTECT, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    request_hash = models.CharField(max_length=64)
    started_at = models.DateTimeField()
    # No byte leaves after this; what Feishu does about it may still take a while longer.
    deadline_at = models.DateTimeField()
    lease_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, choices=Outcome.choices, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    feishu_code = models.BigIntegerField(null=True, blank=True)
    feishu_msg = models.TextField(blank=True)
    log_id = models.CharField(max_length=128, blank=True)
    problem = models.CharField(max_length=60, blank=True)
    elapsed_ms = models.PositiveIntegerField(null=True, blank=True)
    # The start of an answer that could not be used, for Feishu's support.
    evidence = models.TextField(blank=True)

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["change", "number"], name="attempt_numbered_once"),
            models.UniqueConstraint(
                fields=["change"],
                condition=Q(finished_at__isnull=True),
                name="one_attempt_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(finished_at__isnull=True, outcome="")
                | (Q(finished_at__isnull=False) & ~Q(outcome="")),
                name="attempt_ends_with_an_outcome",
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of change {self.change_id}"

    @property
    def is_running(self) -> bool:
        return self.finished_at is None

    def answer(self) -> dict[str, Any]:
        """What came back, for the log."""
        return {
            "outcome": self.outcome,
            "http_status": self.http_status,
            "code": self.feishu_code,
            "log_id": self.log_id,
            "problem": self.problem,
        }
