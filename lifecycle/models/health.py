"""What the portal found when it checked its own promises."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from lifecycle.models.checks import BackgroundCheck


class ChangeCheck(BackgroundCheck):
    """One check of all status changes against their attempts and the action log."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        KEPT = "kept", _("everything as it should be")
        BROKEN = "broken", _("something is not as it should be")
        FAILED = "failed", _("broken off")

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    changes = models.BigIntegerField(default=0)
    # The first of them: [{"invariant", "person_id", "change_id", "sentence"}, ...].
    violations = models.JSONField(default=list, blank=True)
    has_more = models.BooleanField(default=False)

    class Meta:
        verbose_name = _("check of the changes")
        verbose_name_plural = _("checks of the changes")
        ordering = ["-pk"]

    @property
    def is_kept(self) -> bool:
        return self.state == self.State.KEPT

    @property
    def is_broken_off(self) -> bool:
        return self.state == self.State.FAILED
