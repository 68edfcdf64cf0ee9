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
