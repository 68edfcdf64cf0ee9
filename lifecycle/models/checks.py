"""Checks of the portal's own promises: asked for on a page, made in the background."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TypeVar

from django.db import models

UNDER_WAY = ("waiting", "running")
# What the queue gives a check; the worker of one that is older is gone.
LONGEST = timedelta(hours=1)

Made = TypeVar("Made", bound="BackgroundCheck")


class Checks(models.Manager[Made]):
    def under_way(self, *, at: datetime) -> models.QuerySet[Made]:
        """Waiting or running, and not left behind by a worker that is gone."""
        return self.filter(state__in=UNDER_WAY, requested_at__gt=at - LONGEST)

    def over(self) -> models.QuerySet[Made]:
        return self.exclude(state__in=UNDER_WAY)


class BackgroundCheck(models.Model):
    """One check. What its `state` can be, each kind says itself; two of them are UNDER_WAY."""

    state: str
    # None: the portal itself.
    requested_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = Checks()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"check {self.pk} {self.state}"

    @property
    def is_over(self) -> bool:
        return self.state not in UNDER_WAY

    def is_under_way(self, *, at: datetime) -> bool:
        return not self.is_over and self.requested_at > at - LONGEST
