"""The auditors' log: append-only, chained by hashes.

`lifecycle/action_log.py` is the only writer. Triggers in the database refuse UPDATE and
DELETE; these classes refuse them earlier, with a clearer message.
"""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


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
