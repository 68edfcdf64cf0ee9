"""How the mirror is kept, how Feishu's rates are kept, and whether the worker lives."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SyncRun(models.Model):
    """One pass over one kind of record."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    kind = models.CharField(max_length=30)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RUNNING)
    started_at = models.DateTimeField()
    # Renewed with every page; a run whose lease has passed was cut off and may be resumed.
    lease_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    # Feishu's page token (or our own position) up to which everything has been stored.
    cursor = models.TextField(blank=True)
    # Only what has changed since then is read; None for a whole pass.
    since = models.DateTimeField(null=True, blank=True)
    read = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    unreadable = models.PositiveIntegerField(default=0)
    problem = models.CharField(max_length=60, blank=True)
    detail = models.TextField(blank=True)
    log_id = models.CharField(max_length=128, blank=True)

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        ordering = ["-pk"]
        indexes = [models.Index(fields=["kind", "-id"])]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(state="running"),
                name="one_running_sync_per_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.started_at:%Y-%m-%d %H:%M}"

    @property
    def is_whole(self) -> bool:
        return self.since is None


class SyncPlan(models.Model):
    """What people have said about the syncs of one kind; how often stands in the settings."""

    kind = models.CharField(max_length=30, unique=True)
    is_paused = models.BooleanField(default=False)
    # Somebody wants a whole pass, and since when.
    wanted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.kind


class SyncCase(models.Model):
    """More records of one kind missing from Feishu at once than can be believed: none of them
    is taken off the lists until a person has decided. Or nothing but records nobody knows, as
    of another company: none of them is stored."""

    class Doubt(models.TextChoices):
        """What cannot be believed about the answer."""

        EMPTY = "empty", _("Feishu shows none at all")
        HALF = "half", _("Feishu shows less than half of them")
        SHARE = "share", _("too many would disappear at once")
        FOREIGN = "foreign", _("Feishu shows none that we know")

    class Decision(models.TextChoices):
        GO_ON = "go_on", _("it is right, go on")
        IGNORE = "ignore", _("ignore this answer")
        PASSED = "passed", _("a later pass found them again")

    kind = models.CharField(max_length=30)
    doubt = models.CharField(max_length=10, choices=Doubt.choices)
    # Records we list, and how many of them Feishu no longer shows.
    present = models.PositiveIntegerField()
    missing = models.PositiveIntegerField()
    # Some of the missing, as ids of people; their names are looked up for whoever may see them.
    sample = models.JSONField(default=list)
    opened_at = models.DateTimeField()
    # The last pass that saw it, and when.
    seen_at = models.DateTimeField()
    run = models.ForeignKey(SyncRun, on_delete=models.PROTECT, related_name="cases")
    decision = models.CharField(max_length=10, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    # When a decision to go on had been carried out, or was overtaken.
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("sync case")
        verbose_name_plural = _("sync cases")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=models.Q(closed_at=None),
                name="one_open_sync_case_per_kind",
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.missing} of {self.present} missing"

    @property
    def found(self) -> int:
        """How many Feishu still shows."""
        return self.present - self.missing

    @property
    def is_foreign(self) -> bool:
        return self.doubt == self.Doubt.FOREIGN

    @property
    def is_undecided(self) -> bool:
        return not self.decision


class UnreadableRecord(models.Model):
    """A record that could not be turned into a row: kept aside, shown, never lost."""

    kind = models.CharField(max_length=30)
    feishu_id = models.CharField(max_length=128, blank=True)
    payload = models.JSONField()
    problem = models.CharField(max_length=200)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("unreadable record")
        verbose_name_plural = _("unreadable records")
        constraints = [
            models.UniqueConstraint(fields=["kind", "feishu_id"], name="unreadable_record_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.feishu_id}"


class EndpointGate(models.Model):
    """The rate of one limit of one endpoint, shared by all processes: `tat_ms` is the
    theoretical arrival time of GCRA, `paused_until_ms` what a 429 asked for."""

    key = models.CharField(max_length=120, unique=True)
    tat_ms = models.BigIntegerField(default=0)
    paused_until_ms = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.key


class WorkerBeat(models.Model):
    """Proof of progress: when a part of the background work last did something."""

    name = models.CharField(max_length=40, unique=True)
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} {self.beat_at}"
