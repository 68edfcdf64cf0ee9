"""Decisions about the end of a probation: what a leader is asked, and who stands in for whom."""

from __future__ import annotations

import uuid
from datetime import date

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ApprovalStep(models.TextChoices):
    """Who decides at one step."""

    LEADER = "leader", _("Leader")
    ABOVE = "above", _("Leader's leader")
    HRBP = "hrbp", _("HR of the department")


def one_step() -> list[str]:
    return [ApprovalStep.LEADER.value]


class ConversionRequest(models.Model):
    """One question to one leader: convert, extend the probation, or do not convert.

    `services/requests.py` is the only writer. An answer to convert becomes a status change; the
    other answers send nothing to Feishu.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("Awaiting a decision")
        APPROVED = "approved", _("To be converted")
        EXTENDED = "extended", _("Probation extended")
        DECLINED = "declined", _("Not to be converted")
        VOID = "void", _("Void")
        CANCELLED = "cancelled", _("Taken back")

    class Held(models.TextChoices):
        """Why a request lies with HR."""

        NO_APPROVER = "no_approver", _("Nobody up the line has an account here")
        CORE_HR = "core_hr", _("Is to be converted in Feishu CoreHR")

    class Void(models.TextChoices):
        """Why a request was given up."""

        FACTS_CHANGED = "facts_changed", _("the facts in Feishu changed")
        OVERTAKEN = "overtaken", _("no longer on probation")
        NOT_CARRIED_OUT = "not_carried_out", _("the conversion was not carried out")

    # Also the submission key of the change: the same request is the same change.
    key = models.UUIDField(unique=True, default=uuid.uuid4)
    person = models.ForeignKey(
        "lifecycle.Person", on_delete=models.PROTECT, related_name="conversion_requests"
    )
    employee = models.ForeignKey(
        "lifecycle.Employee", on_delete=models.PROTECT, related_name="conversion_requests"
    )
    # None: the rule that asks some days before the end.
    requested_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField()
    suggested_on = models.DateField()
    # The end of the probation as it stood when asked, extensions made here included.
    due_on = models.DateField()
    note = models.TextField(blank=True)
    # What is agreed to: the request for the suggested day, and the facts it rests on.
    payload_hash = models.CharField(max_length=64)
    pre_image_hash = models.CharField(max_length=64)

    # Who decides, one after the other, as it was configured when asked; and which of them now.
    route = models.JSONField(default=one_step)
    step = models.PositiveSmallIntegerField(default=0)
    step_role = models.CharField(
        max_length=20, choices=ApprovalStep.choices, default=ApprovalStep.LEADER
    )
    # None: it lies with HR, and `held` says why.
    approver = models.ForeignKey(
        "lifecycle.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="conversion_requests",
    )
    held = models.CharField(max_length=20, choices=Held.choices, blank=True)
    # The leader in Feishu when it was asked.
    leader_open_id = models.CharField(max_length=64, blank=True)
    addressed_at = models.DateTimeField()
    escalations = models.PositiveSmallIntegerField(default=0)
    next_reminder_at = models.DateTimeField(null=True, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)

    status = models.CharField(max_length=20, choices=Status.choices, default=Status.OPEN)
    void_because = models.CharField(max_length=20, choices=Void.choices, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    # Whom the one who decided stood in for.
    decided_for = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.TextField(blank=True)
    extended_to = models.DateField(null=True, blank=True)
    change = models.OneToOneField(
        "lifecycle.StatusChange",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="conversion_request",
    )
    # The request this one repeats, on newer facts.
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed_by"
    )

    class Meta:
        verbose_name = _("conversion request")
        verbose_name_plural = _("conversion requests")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["approver", "status", "due_on"]),
            models.Index(fields=["employee", "-id"]),
            models.Index(fields=["status", "next_reminder_at"]),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["employee"],
                condition=Q(status="open"),
                name="one_open_request_of_an_employee",
            ),
            models.CheckConstraint(
                condition=~Q(status="open")
                | Q(next_reminder_at__isnull=False, closed_at__isnull=True),
                name="open_request_has_a_next_date",
            ),
            models.CheckConstraint(
                condition=Q(status="open") | Q(closed_at__isnull=False),
                name="closed_request_has_its_moment",
            ),
            models.CheckConstraint(
                condition=~Q(status="open") | Q(approver__isnull=False) | ~Q(held=""),
                name="open_request_lies_with_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(status="extended") | Q(extended_to__isnull=False),
                name="extension_has_its_day",
            ),
            models.CheckConstraint(
                condition=~Q(status="approved") | Q(change__isnull=False),
                name="approved_request_has_its_change",
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.pk} {self.status}"

    @property
    def has_steps(self) -> bool:
        return len(self.route) > 1

    @property
    def step_number(self) -> int:
        return self.step + 1

    @property
    def is_last_step(self) -> bool:
        return self.step + 1 >= len(self.route)

    @property
    def is_open(self) -> bool:
        return self.status == self.Status.OPEN

    @property
    def is_approved(self) -> bool:
        return self.status == self.Status.APPROVED

    @property
    def is_extended(self) -> bool:
        return self.status == self.Status.EXTENDED

    @property
    def is_declined(self) -> bool:
        return self.status == self.Status.DECLINED

    @property
    def is_for_core_hr(self) -> bool:
        return self.held == self.Held.CORE_HR


class StepAgreement(models.Model):
    """One yes of several: by whom, to which plan on which facts. The last one is here too."""

    request = models.ForeignKey(
        ConversionRequest, on_delete=models.PROTECT, related_name="agreements"
    )
    step = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=20, choices=ApprovalStep.choices)
    by = models.ForeignKey("lifecycle.User", on_delete=models.PROTECT, related_name="+")
    stands_for = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    at = models.DateTimeField()
    day = models.DateField()
    payload_hash = models.CharField(max_length=64)
    pre_image_hash = models.CharField(max_length=64)

    class Meta:
        verbose_name = _("agreement at a step")
        verbose_name_plural = _("agreements at steps")
        ordering = ["step"]
        constraints = [
            models.UniqueConstraint(fields=["request", "step"], name="one_agreement_a_step"),
            models.UniqueConstraint(fields=["request", "by"], name="steps_by_different_people"),
        ]

    def __str__(self) -> str:
        return f"request {self.request_id} step {self.step}"


class ApprovalRoute(models.Model):
    """Who decides on conversions in one department and below, unless one below says otherwise.
    Without a department: in the whole company."""

    department_id = models.CharField(max_length=64, blank=True, unique=True)
    steps = models.JSONField(default=one_step)
    changed_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = _("approval steps")
        verbose_name_plural = _("approval steps")
        ordering = ["department_id"]

    def __str__(self) -> str:
        return f"{self.department_id or 'company'}: {', '.join(self.steps)}"


class Delegations(models.Manager["Delegation"]):
    def holding_on(self, day: date) -> models.QuerySet[Delegation]:
        return self.filter(ended_at=None, first_day__lte=day, last_day__gte=day)


class Delegation(models.Model):
    """From one day to another, both included, somebody else decides for a leader as well."""

    from_user = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, related_name="delegations_given"
    )
    to_user = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, related_name="delegations_taken"
    )
    first_day = models.DateField()
    last_day = models.DateField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = Delegations()

    class Meta:
        verbose_name = _("delegation")
        verbose_name_plural = _("delegations")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(last_day__gte=models.F("first_day")), name="delegation_days_in_order"
            ),
            models.CheckConstraint(
                condition=~Q(from_user=models.F("to_user")), name="delegation_to_somebody_else"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_user_id} > {self.to_user_id} {self.first_day} - {self.last_day}"

    def holds_on(self, day: date) -> bool:
        return self.ended_at is None and self.first_day <= day <= self.last_day
