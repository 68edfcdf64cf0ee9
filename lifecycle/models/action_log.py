"""The auditors' log: append-only, chained by hashes.

`lifecycle/action_log.py` is the only writer. Triggers in the database refuse UPDATE and
DELETE; these classes refuse them earlier, with a clearer message.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _

from lifecycle.models.checks import BackgroundCheck


class AppendOnly(Exception):
    """Entries of the action log are never changed or removed."""


class AppendOnlyQuerySet(models.QuerySet["ActionEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


class ActionEntry(models.Model):
    """One line of the log. `body` is canonical JSON holding all the other columns;
    `hash` is SHA-256(0x01 ‖ prev ‖ body). The columns are copies, to search by."""

    seq = models.BigIntegerField(primary_key=True)
    ts = models.DateTimeField()
    # An id and a role, not a foreign key that could cascade or be re-pointed.
    actor_id = models.BigIntegerField(null=True)
    role = models.CharField(max_length=20, blank=True)
    event = models.CharField(max_length=60)
    person_ref = models.BigIntegerField(null=True, db_index=True)
    change_id = models.BigIntegerField(null=True, db_index=True)
    body = models.TextField()
    prev = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        verbose_name = _("action")
        verbose_name_plural = _("action log")
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["ts"], name="action_by_time"),
            models.Index(fields=["event", "-seq"], name="action_by_event"),
            models.Index(fields=["actor_id", "-seq"], name="action_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.event}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly


class ActionLogHead(models.Model):
    """One row: the last entry. Locked while an entry is appended, so the chain never forks."""

    seq = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_log_head")]

    def __str__(self) -> str:
        return f"head {self.seq}"


class PrivateValue(models.Model):
    """Personal data and free text of an entry. The entry's body holds only
    SHA-256(salt ‖ value), so a lawful erasure removes this row and the chain still holds."""

    seq = models.BigIntegerField(db_index=True)
    field = models.CharField(max_length=40)
    salt = models.CharField(max_length=32)
    value = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seq", "field"], name="private_value_once")]

    def __str__(self) -> str:
        return f"{self.seq}.{self.field}"


class LogCheckpoint(models.Model):
    """What the log was at one moment, signed. `text` is the canonical JSON that was signed;
    the columns before it are copies. `frontier`: the Merkle subtrees to grow on from."""

    size = models.BigIntegerField(unique=True)
    root = models.CharField(max_length=64)
    head = models.CharField(max_length=64)
    # SHA-256 of the text of the checkpoint before; two can never follow the same one.
    previous = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField()
    text = models.TextField()
    signature = models.CharField(max_length=128)
    key_id = models.CharField(max_length=16)
    frontier = models.JSONField(default=list)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("log checkpoint")
        verbose_name_plural = _("log checkpoints")
        ordering = ["-size"]

    def __str__(self) -> str:
        return f"checkpoint of {self.size} entries"


class LogVerification(BackgroundCheck):
    """One check of the log, by a person or by the portal itself, and what it found."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        WHOLE = "whole", _("everything fits")
        BROKEN = "broken", _("something does not fit")
        FAILED = "failed", _("broken off")

    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    is_full = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    total = models.BigIntegerField(default=0)
    checked = models.BigIntegerField(default=0)
    checkpoints = models.BigIntegerField(default=0)
    signatures_checked = models.BooleanField(default=False)
    # Checkpoints outside the database that were compared; None: that was not counted.
    outside = models.BigIntegerField(null=True, blank=True)
    bad_seq = models.BigIntegerField(null=True, blank=True)
    bad_checkpoint = models.BigIntegerField(null=True, blank=True)
    fault = models.CharField(max_length=40, blank=True)

    class Meta:
        verbose_name = _("check of the log")
        verbose_name_plural = _("checks of the log")
        ordering = ["-pk"]

    @property
    def is_whole(self) -> bool:
        return self.state == self.State.WHOLE

    @property
    def is_proven(self) -> bool:
        """Whole, and not merely rewritten so that it fits: a signature says so."""
        return self.is_whole and self.signatures_checked and self.checkpoints > 0

    @property
    def percent(self) -> int:
        return min(100, self.checked * 100 // self.total) if self.total else 0

    @property
    def per_second(self) -> int:
        """Entries a second, 0 as long as that is not known."""
        if not self.started_at or not self.finished_at:
            return 0
        took = (self.finished_at - self.started_at).total_seconds()
        return int(self.checked / took) if took > 0 else self.checked
