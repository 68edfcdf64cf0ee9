"""What auditors keep: the views they come back to, the samples they draw, what they concluded."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedLogView(models.Model):
    """A filter of the action log under a name, for one user."""

    user = models.ForeignKey("lifecycle.User", on_delete=models.CASCADE, related_name="log_views")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="log_view_named_once")]

    def __str__(self) -> str:
        return self.name


class LogSample(models.Model):
    """Entries drawn at random for review. Which they are follows from the seed and the range
    alone (queries/desk.py), so anybody can draw them again."""

    seed = models.CharField(max_length=60)
    size = models.PositiveIntegerField()
    since = models.DateField()
    until = models.DateField()
    # The first and the last entry of the period when it was drawn.
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField()
    drawn_by = models.ForeignKey("lifecycle.User", on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField()

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.size} of {self.first_seq} to {self.last_seq}"


class LogReview(models.Model):
    """What an auditor concluded about one entry of a sample."""

    class Conclusion(models.TextChoices):
        IN_ORDER = "in_order", _("In order")
        QUESTION = "question", _("To be clarified")
        FINDING = "finding", _("A finding")

    sample = models.ForeignKey(LogSample, on_delete=models.PROTECT, related_name="reviews")
    seq = models.BigIntegerField()
    conclusion = models.CharField(max_length=10, choices=Conclusion.choices)
    note = models.TextField(blank=True)
    by = models.ForeignKey("lifecycle.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["seq"]
        constraints = [
            models.UniqueConstraint(fields=["sample", "seq"], name="one_review_of_an_entry")
        ]

    def __str__(self) -> str:
        return f"{self.seq}: {self.conclusion}"


class LegalHold(models.Model):
    """While it lasts nothing private of this person is erased from the log."""

    person = models.ForeignKey("lifecycle.Person", on_delete=models.PROTECT, related_name="holds")
    reason = models.TextField()
    by = models.ForeignKey("lifecycle.User", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    released_at = models.DateTimeField(null=True, blank=True)
    released_by = models.ForeignKey(
        "lifecycle.User", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"],
                condition=models.Q(released_at=None),
                name="one_hold_of_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"hold on person {self.person_id}"
