"""What holds status changes back: the switch that stops all writes, the counts behind the daily
limits, and what second persons have said."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class WritesSwitch(models.Model):
    """The one row (pk 1) that says whether anything may be sent to Feishu. Whoever commits an
    attempt, or turns the switch, holds its lock while doing so."""

    # None: writing goes on.
    stopped_at = models.DateTimeField(null=True, blank=True)
    # None while stopped: from the command line.
    stopped_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(blank=True)

    def __str__(self) -> str:
        return "stopped" if self.is_stopped else "writing"

    @property
    def is_stopped(self) -> bool:
        return self.stopped_at is not None


class DailyCount(models.Model):
    """How many changes were confirmed on one tenant day: of one verb, or by one person."""

    day = models.DateField()
    # "verb:convert_employee" or "user:7".
    name = models.CharField(max_length=80)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["day", "name"], name="one_daily_count_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.name}: {self.count}"


class Approval(models.Model):
    """What one person said about a change that awaits approval, and to which plan."""

    class Verdict(models.TextChoices):
        APPROVED = "approved", _("confirmed")
        REJECTED = "rejected", _("rejected")

    change = models.ForeignKey(
        "lifecycle.StatusChange", on_delete=models.PROTECT, related_name="approvals"
    )
    by = models.ForeignKey("lifecycle.User", on_delete=models.PROTECT, related_name="approvals")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField(blank=True)
    payload_hash = models.CharField(max_length=64)
    pre_image_hash = models.CharField(max_length=64)
    decided_at = models.DateTimeField()

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["change", "by"], name="one_approval_of_a_person")
        ]

    def __str__(self) -> str:
        return f"change {self.change_id} {self.verdict}"

    @property
    def is_rejection(self) -> bool:
        return self.verdict == self.Verdict.REJECTED
