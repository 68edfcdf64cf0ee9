"""Departments, colleagues and catalogues: what turns ids into words on the screen."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Department(models.Model):
    """`path` lists the ids from the root down to this department, each between slashes, so
    that "this department and all below it" is one condition."""

    feishu_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    parent_id = models.CharField(max_length=64, blank=True)
    path = models.TextField(blank=True)
    full_name = models.TextField(blank=True)
    manager_open_id = models.CharField(max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("department")
        verbose_name_plural = _("departments")

    def __str__(self) -> str:
        return self.full_name or self.name or self.feishu_id


class Contact(models.Model):
    """A colleague's Feishu account: a name for an open_id, and who leads whom."""

    feishu_id = models.CharField(_("open id"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=200, blank=True)
    leader_open_id = models.CharField(max_length=64, blank=True, db_index=True)
    is_active = models.BooleanField(default=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("colleague")
        verbose_name_plural = _("colleagues")

    def __str__(self) -> str:
        return self.name or self.feishu_id


class ReportingLine(models.Model):
    """Everybody who reports to a leader, directly or through others; a leader is in the
    list of his own line, so that direct reports need no case of their own."""

    leader_open_id = models.CharField(max_length=64)
    report_open_id = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["leader_open_id", "report_open_id"], name="reporting_line_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.leader_open_id} > {self.report_open_id}"


class CatalogueEntry(models.Model):
    """One entry of a list Feishu keeps: employee types, job levels, cost centres, offboarding
    reasons, custom fields, cities."""

    class Kind(models.TextChoices):
        EMPLOYEE_TYPE = "employee_type", _("employee type")
        JOB_LEVEL = "job_level", _("job level")
        COST_CENTER = "cost_center", _("cost center")
        OFFBOARDING_REASON = "offboarding_reason", _("offboarding reason")
        OFFBOARDING_FIELD = "offboarding_field", _("offboarding field")
        PRE_HIRE_FIELD = "pre_hire_field", _("pre-hire field")

    kind = models.CharField(max_length=30, choices=Kind.choices)
    feishu_id = models.CharField(max_length=128)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)
    payload = models.JSONField(default=dict)
    asked_at = models.DateTimeField()

    class Meta:
        verbose_name = _("catalogue entry")
        verbose_name_plural = _("catalogue entries")
        constraints = [
            models.UniqueConstraint(fields=["kind", "feishu_id"], name="catalogue_entry_once")
        ]

    def __str__(self) -> str:
        return self.name or self.feishu_id
