"""What people were told through Feishu, and what they pressed there."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class FeishuMessage(models.Model):
    """One message to one receiver: written down with its reason, sent by the worker.

    `services/messages.py` is the only writer. A message about a request is a card; what it shows
    is made from the request when it is sent, so nothing of it is kept here.
    """

    class Kind(models.TextChoices):
        REQUEST = "request", _("Question to decide")
        REMINDER = "reminder", _("Reminder")
        CHECKPOINT = "checkpoint", _("Log checkpoint")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting to be sent")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not delivered")
        UNREACHABLE = "unreachable", _("No way to reach them")
        DROPPED = "dropped", _("No longer needed")

    UNDELIVERED = (State.FAILED, State.UNREACHABLE)

    # Feishu takes two requests with the same one, within an hour, for one message.
    uuid = models.UUIDField(unique=True, default=uuid.uuid4)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    request = models.ForeignKey(
        "lifecycle.ConversionRequest",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="messages",
    )
    user = models.ForeignKey(
        "lifecycle.User",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="feishu_messages",
    )
    # The step of the request it asks about.
    step = models.PositiveSmallIntegerField(default=0)
    receiver_type = models.CharField(max_length=20, default="open_id")
    receiver = models.CharField(max_length=64, blank=True)
    # Of a message that is no card.
    text = models.TextField(blank=True)

    state = models.CharField(max_length=20, choices=State.choices, default=State.WAITING)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    # Attempts after which nobody knows whether the message has arrived.
    attempts = models.PositiveSmallIntegerField(default=0)
    # When Feishu may have seen it first; written down before the attempt.
    first_sent_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    message_id = models.CharField(max_length=64, blank=True, db_index=True)
    # Why it was not delivered: a word of NOTICES, and Feishu's code where there is one.
    problem = models.CharField(max_length=40, blank=True)
    code = models.IntegerField(null=True, blank=True)
    log_id = models.CharField(max_length=64, blank=True)
    # What the card shows, and whether that is its last face.
    face = models.CharField(max_length=40, blank=True)
    is_settled = models.BooleanField(default=False)
    update_at = models.DateTimeField(null=True, blank=True)
    updates_failed = models.PositiveSmallIntegerField(default=0)
    # The message this one repeats, because it was not delivered.
    follows = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="followed_by"
    )

    class Meta:
        verbose_name = _("Feishu message")
        verbose_name_plural = _("Feishu messages")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["state", "next_at"]),
            models.Index(fields=["is_settled", "state", "update_at"]),
            models.Index(fields=["request", "user", "-id"]),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", next_at__isnull=False)
                | (~Q(state="waiting") & Q(next_at__isnull=True)),
                name="waiting_message_has_a_next_date",
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(sent_at__isnull=False),
                name="sent_message_has_its_moment",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk} {self.state}"

    @property
    def is_undelivered(self) -> bool:
        return self.state in self.UNDELIVERED


class CardPress(models.Model):
    """A button pressed on a card. Each push is taken once, so a repeated one does nothing."""

    event_id = models.CharField(max_length=128, unique=True)
    message = models.ForeignKey(
        FeishuMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="presses"
    )
    user = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    step = models.CharField(max_length=20, blank=True)
    pressed_at = models.DateTimeField(db_index=True)
    # How it ended: the code of what the reader was told, empty for "done".
    outcome = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("press of a button")
        verbose_name_plural = _("presses of buttons")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"press {self.pk} {self.step} {self.outcome or 'done'}"
