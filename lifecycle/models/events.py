"""What has changed in Feishu's records, as it was first seen."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ChangeEvent(models.Model):
    """One field of one record that reads differently than before, or a record that came or went.

    `lifecycle/mirror.py` writes it with the row it is about, so that nothing is told twice.
    `before` and `after` hold a day, an id, a word or Feishu's text; of telephone numbers and
    e-mail addresses only what may be shown. `lifecycle/watched.py` names the fields.
    """

    class What(models.TextChoices):
        CHANGED = "changed", _("changed")
        CAME = "came", _("new")
        GONE = "gone", _("gone")

    class Source(models.TextChoices):
        """How we know: by a change of ours, by reading, or by reading what Feishu announced."""

        OURS = "ours", _("changed here")
        CONSOLE = "console", _("changed in Feishu")
        PUSH = "push", _("announced by Feishu")

    record_kind = models.CharField(max_length=20)
    feishu_id = models.CharField(max_length=64)
    person = models.ForeignKey("lifecycle.Person", on_delete=models.PROTECT, related_name="events")
    department_id = models.CharField(max_length=64, blank=True)
    what = models.CharField(max_length=10, choices=What.choices, default=What.CHANGED)
    field = models.CharField(max_length=40, blank=True)
    before = models.CharField(max_length=300, blank=True)
    after = models.CharField(max_length=300, blank=True)
    # When the answer that first showed it was asked for.
    seen_at = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source.choices)
    change = models.ForeignKey(
        "lifecycle.StatusChange", on_delete=models.PROTECT, null=True, related_name="events"
    )
    # A word of watched.ALERTS; "" for what needs nobody's attention.
    alert = models.CharField(max_length=30, blank=True)

    class Meta:
        verbose_name = _("change event")
        verbose_name_plural = _("change events")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["person", "-id"]),
            models.Index(fields=["record_kind", "-id"]),
            models.Index(fields=["source", "-id"]),
            models.Index(fields=["department_id", "-id"]),
        ]

    def __str__(self) -> str:
        return f"{self.record_kind} {self.feishu_id} {self.field or self.what}"

    @property
    def is_ours(self) -> bool:
        return self.source == self.Source.OURS


class FeedMark(models.Model):
    """Up to where a user has read the feed."""

    user = models.OneToOneField(
        "lifecycle.User", on_delete=models.CASCADE, related_name="feed_mark"
    )
    last_seen = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.user_id}: {self.last_seen}"


class DigestMark(models.Model):
    """Up to which event the daily e-mail has told, and the tenant day of the last one."""

    last_event = models.PositiveBigIntegerField(default=0)
    sent_on = models.DateField(null=True)

    def __str__(self) -> str:
        return f"{self.sent_on}: {self.last_event}"


class DriftCase(models.Model):
    """Records of one person that contradict each other, as `rules.drifts` says.

    A case that was dismissed stays so as long as the records say the same (`fingerprint`).
    """

    class State(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved by itself")
        DISMISSED = "dismissed", _("dismissed")

    person = models.ForeignKey("lifecycle.Person", on_delete=models.PROTECT, related_name="drifts")
    rule = models.CharField(max_length=40)
    fingerprint = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    owner = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="drifts"
    )
    closed_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        verbose_name = _("contradiction")
        verbose_name_plural = _("contradictions")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "rule"],
                condition=models.Q(state="open"),
                name="one_open_drift_of_a_rule",
            )
        ]
        indexes = [models.Index(fields=["state", "-id"])]

    def __str__(self) -> str:
        return f"{self.rule} #{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class PushedEvent(models.Model):
    """An event Feishu has pushed: which record to read, and when. Its body is not kept, because
    nothing of it is believed."""

    # Feishu delivers an event several times; this tells that it is the same.
    event_id = models.CharField(max_length=128, unique=True)
    event_type = models.CharField(max_length=80)
    record_kind = models.CharField(max_length=20)
    feishu_id = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    # None once it has been read.
    due_at = models.DateTimeField(null=True, db_index=True)
    tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("pushed event")
        verbose_name_plural = _("pushed events")
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
